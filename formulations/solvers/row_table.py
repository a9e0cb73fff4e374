"""A 0-1 or whole-number model as columns and rows of numbers, for files of other solvers.

A library's objects for each term take a microsecond and 100 bytes; a clustering of a thousand units
has millions of terms. Here a term is two numbers in arrays, and a row's name is its label and
number. :class:`RowEngine` posts the families of constraints into it, :func:`table_of` reads a PuLP
problem; :mod:`formulations.solvers.problem_file` writes either.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import pulp

from formulations.solvers.engine import Engine

#: Senses of a row: the sum is at most, exactly or at least its right-hand side.
AT_MOST, EQUAL, AT_LEAST = -1, 0, 1


@dataclass(frozen=True, eq=False)
class Inequality:
    """``sum`` (with its constant) <= 0, = 0 or >= 0."""

    sum: Sum
    sense: int


class Sum:
    """A linear expression: factors of columns, by number, and a constant."""

    __hash__ = None  # type: ignore[assignment]  # == makes a row, as the other libraries do
    __slots__ = ("columns", "constant", "factors")

    def __init__(self, columns: list[int], factors: list[float], constant: float = 0) -> None:
        self.columns, self.factors, self.constant = columns, factors, constant

    def __add__(self, other: Sum | float) -> Sum:
        if not isinstance(other, Sum):
            return Sum(self.columns, self.factors, self.constant + other)
        columns, factors = self.columns + other.columns, self.factors + other.factors
        return Sum(columns, factors, self.constant + other.constant)

    __radd__ = __add__

    def __rmul__(self, factor: float) -> Sum:
        return Sum(self.columns, [factor * f for f in self.factors], factor * self.constant)

    def __sub__(self, other: Sum | float) -> Sum:
        return self + -1 * other

    def __rsub__(self, other: float) -> Sum:
        return -1 * self + other

    def __le__(self, other: Sum | float) -> Inequality:
        return Inequality(self - other, AT_MOST)

    def __ge__(self, other: Sum | float) -> Inequality:
        return Inequality(self - other, AT_LEAST)

    def __eq__(self, other: Sum | float) -> Inequality:  # type: ignore[override]  # a row, no bool
        return Inequality(self - other, EQUAL)


class Column(Sum):
    """A variable: the sum of itself."""

    __slots__ = ("name", "number")

    def __init__(self, number: int, name: str) -> None:
        super().__init__([number], [1])
        self.number, self.name = number, name


class RowTable:
    """Columns with bounds, rows in compressed form, an objective.

    Attributes
    ----------
    names : list of str
        Of the columns.
    low, high : array of float
        Bounds of the columns; infinite where there is none.
    is_whole : bytearray
        Whether a column is of whole numbers.
    first : array of int
        Where each row's terms begin in ``columns`` and ``factors``, and where the last one's end.
    sense, right : array
        Of each row: AT_MOST, EQUAL or AT_LEAST its right-hand side.
    objective : Sum
        What is minimised, or maximised where ``maximise`` says so.
    label : str
        What the rows are named by that are posted now; ``counted`` has how many there are by label.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.low, self.high, self.is_whole = array("d"), array("d"), bytearray()
        self.first, self.columns, self.factors = array("q", [0]), array("i"), array("d")
        self.sense, self.right = array("b"), array("d")
        self.objective, self.maximise = Sum([], []), False
        self.label, self.counted = "", Counter[str]()
        self._spans: list[tuple[int, str, int]] = []  # first row, label, number of that row

    def add_column(self, name: str, low: float, high: float, *, is_whole: bool) -> Column:
        """Return a new column."""
        self.names.append(name)
        self.low.append(low)
        self.high.append(high)
        self.is_whole.append(is_whole)
        return Column(len(self.names) - 1, name)

    def add_row(
        self, columns: Iterable[int], factors: Iterable[float], sense: int, right: float
    ) -> None:
        """Post a row; no column may stand in it twice."""
        if not self._spans or self._spans[-1][1] != self.label:
            self._spans.append((len(self.sense), self.label, self.counted[self.label]))
        self.counted[self.label] += 1
        self.columns.extend(columns)
        self.factors.extend(factors)
        self.first.append(len(self.columns))
        self.sense.append(sense)
        self.right.append(right)

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return len(self.sense)

    def row_names(self) -> Iterator[str]:
        """Yield the rows' names: (P3)_0, (P3)_1, ...; R0, R1, ... where there is no label."""
        ends = [*(first for first, _, _ in self._spans[1:]), self.num_rows]
        for (first, label, number), end in zip(self._spans, ends, strict=True):
            stem = f"({label})_" if label else "R"
            for n in range(number, number + end - first):
                yield f"{stem}{n}"


class RowEngine(Engine[Column]):
    """Posts to a table of rows."""

    def __init__(self, table: RowTable) -> None:
        self.table = table

    def boolean(self, name: str) -> Column:
        """Return a new column in {0, 1}."""
        return self.whole(name, 1)

    def whole(self, name: str, most: int) -> Column:
        """Return a new column in {0, ..., most}."""
        return self.table.add_column(name, 0, most, is_whole=True)

    def total(self, terms: Iterable[Any]) -> Sum:
        """Return the sum of ``terms``, each of which may be a sum."""
        made = Sum([], [])
        for term in terms:
            made.columns.extend(term.columns)
            made.factors.extend(term.factors)
            made.constant += term.constant
        return made

    def add(self, row: Inequality) -> None:
        """Post an inequality or an equality; a column that stands in it twice is one term."""
        terms: Sequence[tuple[int, float]] = merged(row.sum)
        columns, factors = [c for c, _ in terms], [f for _, f in terms]
        self.table.add_row(columns, factors, row.sense, -row.sum.constant)

    def exactly_one(self, booleans: Iterable[Column]) -> None:
        """Post an equality."""
        columns = [x.number for x in booleans]
        self.table.add_row(columns, [1] * len(columns), EQUAL, 1)

    def implies(self, a: Column, b: Column) -> None:
        """Post a <= b."""
        self.table.add_row((a.number, b.number), (1, -1), AT_MOST, 0)

    def one_of(self, booleans: Sequence[Column], *, unless: Sequence[Column]) -> None:
        """Post sum of ``unless`` - sum of ``booleans`` <= their number - 1."""
        columns = [x.number for x in (*unless, *booleans)]
        factors = [1] * len(unless) + [-1] * len(booleans)
        self.table.add_row(columns, factors, AT_MOST, len(unless) - 1)

    def forbid(self, x: Column) -> None:
        """Set the upper bound."""
        self.table.high[x.number] = 0

    def minimize(self, value: Sum) -> None:
        """Set the objective."""
        terms = merged(value)
        self.table.objective = Sum([c for c, _ in terms], [f for _, f in terms], value.constant)


def merged(value: Sum) -> list[tuple[int, float]]:
    """Return the terms of a sum by column, each once, none with a factor of 0.

    Examples
    --------
    >>> merged(Sum([4, 2, 4, 3], [1, 5, 2, 0]))
    [(4, 3), (2, 5)]
    """
    factor: dict[int, float] = {}
    for c, f in zip(value.columns, value.factors, strict=True):
        factor[c] = factor.get(c, 0) + f
    return [(c, f) for c, f in factor.items() if f]


def table_of(problem: pulp.LpProblem) -> RowTable:
    """Return a PuLP problem whose rows are named ``(label)_number``, as a table."""
    table, column = RowTable(), {}
    for v in problem.variables():
        low, high = (end if v is None else v for v, end in ((v.lowBound, -inf), (v.upBound, inf)))
        column[v.name] = table.add_column(v.name, low, high, is_whole=v.cat == pulp.LpInteger)
    for row in problem.constraints():
        table.label = str(row.name or "").rpartition("_")[0].strip("()")
        terms = [(column[v.name].number, c) for v, c in row.items()]
        table.add_row([c for c, _ in terms], [f for _, f in terms], row.sense, -row.constant)
    goal = problem.objective
    columns = [column[v.name].number for v, _ in goal.items()]
    table.objective = Sum(columns, [c for _, c in goal.items()], goal.constant)
    table.maximise = problem.sense == pulp.LpMaximize
    return table
