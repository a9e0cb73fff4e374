"""Solution files of solvers: the values of an exported problem's variables, by name.

What is read: lines ``name value`` (HiGHS, Gurobi, any program of one's own), ``name value (obj:c)``
(SCIP), ``index name value reduced-cost`` (CBC), ``<variable name="x" value="1"/>`` (CPLEX), ``v x1
-x2`` (pseudo-Boolean solvers, whose numbers count the variables) and ``solution: 1`` for each
variable in turn (a response of CP-SAT). A variable that is not named is 0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from optmap.errors import InputError, refuse_special

MAX_BYTES = 2_000_000_000

#: Beginnings of lines, in small letters, that say something else than a value.
REMARKS = (
    *("#", "*", "c ", "o ", "s ", "<", "model status", "optimal", "feasible", "objective"),
    *("status", "solution status", "stopped on", "best_objective", "inner_objective", "num_"),
    *("wall_time", "user_time", "deterministic_time", "gap_integral", "solution_info"),
)
#: What a file says that holds no solution: a status, an objective's line, CBC's first word.
NOTHING = re.compile(
    r"^(?:infeasible\b|no solution|none$|unbounded|integer infeasible|s unsatisfiable"
    r"|(?:model |solution )?status:? *(?:problem is )?infeasible)",
    re.IGNORECASE,
)
#: In HiGHS's file a status stands before the columns; the rows follow, then the dual values.
HIGHS, COLUMNS, ROWS = "Model status", "# Columns", "# Rows"
#: PuLP's name for the variable of an objective that has none.
DUMMY = "__dummy"
CPLEX = re.compile(r"<variable\b[^>]*\bname=\"([^\"]*)\"[^>]*\bvalue=\"([^\"]*)\"")
TURN = re.compile(r"^solution: *(-?\d+)$")
LITERAL = re.compile(r"^(-?)x(\d+)$")


def read_values(path: Path, names: Sequence[str]) -> dict[str, float]:
    """Return the values that a solution file gives the variables of a problem.

    Parameters
    ----------
    path : Path
        The file.
    names : sequence of str
        All variables of the problem, in its order.

    Raises
    ------
    InputError
        If the file holds no solution, a variable that the problem does not have, or a value that
        is no number.
    """
    refuse_special(path, "a solution file")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(str(path), "", f"{path.stat().st_size} bytes", f"at most {MAX_BYTES}")
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(str(path), "", error.strerror or "unreadable", "a solution file") from None
    except UnicodeDecodeError:
        raise InputError(str(path), "", "no text", "a solution file") from None
    place = {name: i for i, name in enumerate(names)}
    found: dict[str, float] = {}
    for number, name, value in _pairs(lines, names, place, str(path)):
        if name == DUMMY:
            continue
        if name not in place:
            expected = "a variable of this problem: the formulation, --as, --method and --seed"
            raise InputError(
                str(path), f"line {number}", name, f"{expected} with which it was written"
            )
        if found.setdefault(name, value) != value:
            raise InputError(
                str(path), f"line {number}", f"{name} = {value:.6g}", f"{found[name]:.6g}, as above"
            )
    if not found:
        raise InputError(str(path), "", "no value of any variable", "a solution")
    return found


def _pairs(
    lines: Sequence[str], names: Sequence[str], place: Mapping[str, int], file: str
) -> Iterator[tuple[int, str, float]]:
    """Yield line number, name and value of every variable that the file speaks of."""
    turn = 0
    head = next((n for n, line in enumerate(lines, 1) if line.startswith(COLUMNS)), 0)
    if not head and lines and lines[0].startswith(HIGHS):
        head = len(lines)
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        if line.startswith(ROWS):
            return
        if NOTHING.match(line):
            raise InputError(file, f"line {number}", line, "a solution: this solver found none")
        if number <= head:
            continue
        if line.startswith("v "):
            for word in line.split()[1:]:
                yield number, *_literal(word, names, file, number)
        elif TURN.match(line):
            name = names[turn] if turn < len(names) else f"variable {turn + 1} of {len(names)}"
            turn += 1
            yield number, name, float(line.split(":")[1])
        elif cplex := CPLEX.search(line):
            yield number, cplex[1], _number(cplex[2], cplex[1], file, number)
        elif line:
            found = _named(line, place, file, number)
            if found is not None:
                yield number, *found


def _literal(word: str, names: Sequence[str], file: str, line: int) -> tuple[str, float]:
    """Read ``x3`` or ``-x3``, the third variable."""
    found = LITERAL.match(word)
    if found is None or not 1 <= int(found[2]) <= len(names):
        raise InputError(file, f"line {line}", word, f"x1 to x{len(names)}, with or without -")
    return names[int(found[2]) - 1], float(not found[1])


def _named(line: str, place: Mapping[str, int], file: str, number: int) -> tuple[str, float] | None:
    """Read a line in whichever way makes its name one of the problem's; None for a remark."""
    words = line.replace("=", " ").split()
    if words[0] == "**":  # CBC's mark of a value that breaks a row
        words = words[1:]
    for first, last in ((0, len(words) - 1), (0, 1), (1, 2)):
        name = " ".join(words[first:last])
        if name in place and last < len(words):
            return name, _number(words[last], name, file, number)
    if line.lower().startswith(REMARKS) and words[0] not in place:
        return None
    if len(words) < 2:
        raise InputError(file, f"line {number}", line, "a variable's name and its value")
    cbc = len(words) == 4 and words[0].isdigit()
    return (words[1] if cbc else words[0]), math.nan


def _number(text: str, name: str, file: str, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(file, f"line {line}", f"{name} {text}", "a finite number")
    return value
