"""Files that other solvers read, written line by line from a table of rows: LP, MPS and OPB."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import inf

import numpy as np

from formulations.solvers.row_table import AT_LEAST, AT_MOST, EQUAL, RowTable, Sum

#: Terms a line of an LP file: some readers end a line at 255 characters.
TERMS_A_LINE = 8
LP_SIGN = {AT_MOST: "<=", EQUAL: "=", AT_LEAST: ">="}
MPS_SENSE = {AT_MOST: "L", EQUAL: "E", AT_LEAST: "G"}


def lp_lines(table: RowTable) -> Iterator[str]:
    """Yield the lines of a file in the format of CPLEX."""
    terms = _Terms(table.names)
    yield "Maximize\n" if table.maximise else "Minimize\n"
    constant = _signed(table.objective.constant) if table.objective.constant else ""
    yield f"OBJ: {terms.of_sum(table.objective)}{constant}\n"
    yield "Subject To\n"
    first, columns, factors = table.first, table.columns, table.factors
    for i, name in enumerate(table.row_names()):
        a, b = first[i], first[i + 1]
        sign, right = LP_SIGN[table.sense[i]], _number(table.right[i])
        yield f"{name}: {terms.of(columns[a:b], factors[a:b])} {sign} {right}\n"
    yield "Bounds\n"
    whole = []
    for name, low, high, is_whole in _columns(table):
        whole += [name] if is_whole else []
        if low == high:
            yield f" {name} = {_number(low)}\n"
        elif (low, high) == (-inf, inf):
            yield f" {name} free\n"
        elif (low, high) != (0, inf):
            yield f" {_number(low)} <= {name} <= {_number(high)}\n"
    if whole:
        yield "Generals\n"
        yield from (f" {name}\n" for name in whole)
    yield "End\n"


def mps_lines(table: RowTable) -> Iterator[str]:
    """Yield the lines of a free MPS file; it minimises, as the format means."""
    yield "NAME optmap\nROWS\n N OBJ\n"
    rows = list(table.row_names())
    yield from (f" {MPS_SENSE[s]} {name}\n" for s, name in zip(table.sense, rows, strict=True))
    yield "COLUMNS\n"
    yield from _mps_columns(table, rows)
    yield "RHS\n"
    goal, sign = table.objective, -1 if table.maximise else 1
    if goal.constant:
        yield f" RHS OBJ {_number(-sign * goal.constant)}\n"
    yield from (
        f" RHS {name} {_number(right)}\n"
        for name, right in zip(rows, table.right, strict=True)
        if right
    )
    yield "BOUNDS\n"
    for name, low, high, is_whole in _columns(table):
        yield from (
            f" {kind} BND {name}{'' if value is None else ' ' + _number(value)}\n"
            for kind, value in _mps_bounds(low, high, is_whole)
        )
    yield "ENDATA\n"


def _mps_columns(table: RowTable, rows: Sequence[str]) -> Iterator[str]:
    """Yield every column's terms; integers between markers, a column without terms too."""
    columns = np.frombuffer(table.columns, dtype=np.intc)
    order = np.argsort(columns, kind="stable")
    of_row = np.repeat(np.arange(table.num_rows), np.diff(np.asarray(table.first)))
    row, factor = of_row[order], np.frombuffer(table.factors)[order]
    first = np.searchsorted(columns[order], np.arange(len(table.names) + 1)).tolist()
    sign = -1 if table.maximise else 1
    goal = dict(zip(table.objective.columns, table.objective.factors, strict=True))
    integers = False
    for c, name in enumerate(table.names):
        if bool(table.is_whole[c]) != integers:
            integers = not integers
            yield f" MARKER 'MARKER' '{'INTORG' if integers else 'INTEND'}'\n"
        a, b = first[c], first[c + 1]
        if goal.get(c) or a == b:
            yield f" {name} OBJ {_number(sign * goal.get(c, 0))}\n"
        yield "".join(
            f" {name} {rows[r]} {_number(f)}\n"
            for r, f in zip(row[a:b].tolist(), factor[a:b].tolist(), strict=True)
        )
    if integers:
        yield " MARKER 'MARKER' 'INTEND'\n"


def _mps_bounds(low: float, high: float, is_whole: bool) -> list[tuple[str, float | None]]:
    """Return kinds of bound with their numbers; all are written, for readers differ in the rest."""
    if low == high:
        return [("FX", low)]
    if (low, high) == (-inf, inf):
        return [("FR", None)]
    if (low, high) == (0, 1) and is_whole:
        return [("BV", None)]
    lower: tuple[str, float | None] = ("MI", None) if low == -inf else ("LO", low)
    return [lower, ("PL", None) if high == inf else ("UP", high)]


def opb_lines(table: RowTable) -> Iterator[str]:
    """Yield the lines of a pseudo-Boolean file: x1, x2, ...; the names stand in comments.

    Raises
    ------
    ValueError
        A column of other than 0 and 1, or a factor that is no whole number.
    """
    fixed = []
    for i, (name, low, high, is_whole) in enumerate(_columns(table), 1):
        if not is_whole or low not in (0, 1) or high not in (0, 1):
            found = f"opb holds 0-1 variables only, {name} is another: write lp or mps"
            raise ValueError(found)
        fixed += [f"+1 x{i} = {int(high)} ;\n"] if low == high else []
    num = table.num_rows + len(fixed)
    yield f"* #variable= {len(table.names)} #constraint= {num}\n"
    yield from (f"* x{i} {name}\n" for i, name in enumerate(table.names, 1))
    goal, sign = table.objective, -1 if table.maximise else 1
    yield f"min: {_opb_terms(goal.columns, goal.factors, sign)} ;\n"
    for i, name in enumerate(table.row_names()):
        a, b = table.first[i], table.first[i + 1]
        sign = -1 if table.sense[i] == AT_MOST else 1  # the format knows >= and =
        terms = _opb_terms(table.columns[a:b], table.factors[a:b], sign)
        relation = "=" if table.sense[i] == EQUAL else ">="
        yield f"* {name}\n{terms} {relation} {_integer(sign * table.right[i])} ;\n"
    yield from fixed


#: Format -> its lines.
LINES: dict[str, Callable[[RowTable], Iterator[str]]] = {
    "lp": lp_lines,
    "mps": mps_lines,
    "opb": opb_lines,
}


class _Terms:
    """Terms as an LP file has them; of the factors 1 and -1 each column's text is made once."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.plus = [f"+ {name}" for name in names]
        self.minus = [f"- {name}" for name in names]

    def of(self, columns: Sequence[int], factors: Sequence[float]) -> str:
        """Return a sum, some terms a line; 0 times a column where it is empty."""
        terms = [
            self.plus[c]
            if f == 1
            else self.minus[c]
            if f == -1
            else f"{_signed(f)} {self.names[c]}"
            for c, f in zip(columns, factors, strict=True)
        ]
        if not terms:
            return f"0 {self.names[0]}"
        if len(terms) <= TERMS_A_LINE:
            return " ".join(terms)
        lines = (" ".join(terms[i : i + TERMS_A_LINE]) for i in range(0, len(terms), TERMS_A_LINE))
        return "\n ".join(lines)

    def of_sum(self, value: Sum) -> str:
        """Return the terms of an expression."""
        return self.of(value.columns, value.factors)


def _columns(table: RowTable) -> Iterator[tuple[str, float, float, bool]]:
    """Yield name, bounds, and whether it is of whole numbers, of every column."""
    is_whole = map(bool, table.is_whole)
    return zip(table.names, table.low, table.high, is_whole, strict=True)


def _number(value: float) -> str:
    """Return all digits of a number, none after the point of a whole one.

    Examples
    --------
    >>> _number(3.0), _number(0.1), _number(float("-inf"))
    ('3', '0.1', '-inf')
    """
    return str(int(value)) if value % 1 == 0 else repr(float(value))


def _signed(value: float) -> str:
    """Return sign, blank and number, as an LP file has them.

    Examples
    --------
    >>> _signed(-2)
    '- 2'
    """
    return f"{'-' if value < 0 else '+'} {_number(abs(value))}"


def _opb_terms(columns: Sequence[int], factors: Sequence[float], sign: int) -> str:
    pairs = zip(columns, factors, strict=True)
    return " ".join(f"{_integer(sign * f):+d} x{c + 1}" for c, f in pairs)


def _integer(value: float) -> int:
    if value % 1:
        raise ValueError(f"opb holds whole numbers only, found {value}")
    return int(value)
