"""Faults of a chip from a text, a seed or a TOML file.

::

    cells = 0.01                 # shares of every tile, drawn from the seed
    rows = 0.02
    columns = 0
    seed = 7

    [[tiles]]                    # what is known of single tiles
    tile = 3
    cells = [[0, 5], [1, 7]]     # row, column
    rows = [12]
    columns = [4]
"""

from __future__ import annotations

from pathlib import Path

from optmap.errors import InputError
from optmap.simulation.faults import FaultRates, Faults, TileFaults
from optmap.toml_fields import Table, read_toml

#: What is said on a command line; a seed alone draws cells at this rate.
DEFAULT_CELLS = 0.01
HELP = (
    "also what stuck cells and dead lines take, clusters placed around them:"
    " cells=0.01,rows=0.02,columns=0,seed=7, a seed alone (1 %% of the cells), or a TOML file"
)
_RATES = ("cells", "rows", "columns")
_EXPECTED = "cells=SHARE,rows=SHARE,columns=SHARE,seed=N, a seed, or a TOML file"


def read_faults(text: str) -> Faults:
    """Return the faults that an option asks for.

    Raises
    ------
    InputError
        If the text, or the file it names, says no faults.

    Examples
    --------
    >>> read_faults("7").rates.cells, read_faults("rows=0.5,seed=3").rates.rows
    (0.01, 0.5)
    """
    if text.isdecimal() and text.isascii():
        return Faults(FaultRates(DEFAULT_CELLS), _seed(text, text))
    if "=" not in text or Path(text).is_file():
        return load_faults(Path(text))
    rates: dict[str, float] = {}
    seed = 0
    for part in text.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name in rates or name not in (*_RATES, "seed"):
            raise InputError("--faults", name, repr(part)[:80], _EXPECTED)
        if name == "seed":
            seed = _seed(value, part)
            continue
        try:
            rates[name] = float(value)
        except ValueError:
            raise InputError("--faults", name, repr(value)[:80], "a share from 0 to 1") from None
    return Faults(_rates("--faults", rates), seed)


def _seed(value: str, part: str) -> int:
    if not (value.isdecimal() and value.isascii()) or len(value) > 15:
        raise InputError("--faults", "seed", repr(part)[:80], "a whole number")
    return int(value)


def _rates(where: str, rates: dict[str, float]) -> FaultRates:
    try:
        return FaultRates(**rates)
    except ValueError as error:
        raise InputError(where, "", str(error), "shares from 0 to 1") from None


def load_faults(path: Path) -> Faults:
    """Read a file of faults; InputError if it is none."""
    top = read_toml(path)
    rates = {name: float(top.number(name, 0, 0)) for name in _RATES}
    seed = top.whole("seed", 0, 0)
    known: dict[int, TileFaults] = {}
    for table in top.tables("tiles") if top.has("tiles") else []:
        tile = table.whole("tile", 0)
        if tile in known:
            raise table.fail("tile", str(tile), "every tile once")
        cells = _lists(table, "cells", 2)
        lines = [tuple(n for (n,) in _lists(table, name, 1)) for name in ("rows", "columns")]
        known[tile] = TileFaults(tuple((r, c) for r, c in cells), *lines)
        table.close()
    top.close()
    return Faults(_rates(str(path), rates), seed, known)


def _lists(table: Table, name: str, size: int) -> list[tuple[int, ...]]:
    """Return a list of whole numbers (size 1), or of pairs of them (size 2)."""
    value: object = table.data[name] if table.has(name) else []
    expected = "a list of pairs [[row, column], ...]" if size == 2 else "a list of numbers [3, 5]"
    items: list[object] = value if isinstance(value, list) else [None]
    made: list[tuple[int, ...]] = []
    for item in items:
        numbers: list[object] = [item]
        if size > 1:
            numbers = item if isinstance(item, list) else []
        whole = [n for n in numbers if type(n) is int and n >= 0]
        if len(whole) != size or len(numbers) != size:
            raise table.fail(name, f"{value!r:.80}", expected)
        made.append(tuple(whole))
    return made
