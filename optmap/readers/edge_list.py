"""Edge lists: one synapse a row, ``source,target[,weight][,type]``.

Names are stripped of blanks. Where every name is a whole number it is the neuron's index, so that
several files can speak of the same neurons; otherwise neurons are numbered in the natural order of
their names (AVA2 before AVA10), whatever the order of the rows. A row of type "electrical" (a gap
junction) counts both ways; where the file lists the other way itself, that row is used.
"""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

import numpy as np

from optmap.errors import InputError
from optmap.model.snn import SNN, Population, from_edges
from optmap.readers.text import natural_order, read_text

EXPECTED = "rows of source,target[,weight][,type]"

_HEADINGS = {
    "source": ("source", "src", "pre", "from", "presynaptic"),
    "target": ("target", "tgt", "dst", "post", "to", "postsynaptic"),
    "weight": ("weight", "w", "weights"),
    "type": ("type", "kind"),
}
_BOTH_WAYS = "electrical"

#: Words that are a bad weight rather than the name of a kind of synapse.
_NOT_FINITE = {"nan", "-nan", "+nan", "inf", "+inf", "-inf", "infinity", "-infinity"}

#: Indices may leave gaps, but not of a kind that makes empty arrays of gigabytes.
_MAX_INDEX_PER_ROW = 1_000
_ALWAYS_ALLOWED_INDEX = 1_000_000


@dataclass(frozen=True, slots=True)
class EdgeList:
    """A network and what its neurons are called in the file."""

    snn: SNN
    names: tuple[str, ...]


@dataclass
class _Rows:
    """Synapses as read: indices into ``names``, in the order of appearance."""

    names: dict[str, int] = field(default_factory=dict)
    pre: array[int] = field(default_factory=lambda: array("q"))
    post: array[int] = field(default_factory=lambda: array("q"))
    weight: array[float] = field(default_factory=lambda: array("d"))
    both_ways: dict[tuple[int, int], float] = field(default_factory=dict)

    def add(self, source: str, target: str, weight: float, kind: str) -> None:
        pre = self.names.setdefault(source, len(self.names))
        post = self.names.setdefault(target, len(self.names))
        self.pre.append(pre)
        self.post.append(post)
        self.weight.append(weight)
        if kind.casefold() == _BOTH_WAYS:
            self.both_ways[pre, post] = weight

    def mirror(self) -> None:
        """Add the other direction of every electrical row that the file leaves out."""
        for (pre, post), weight in self.both_ways.items():
            if (post, pre) not in self.both_ways:
                self.pre.append(post)
                self.post.append(pre)
                self.weight.append(weight)


def read_edges(path: Path, *, keep_zero_weights: bool = False) -> EdgeList:
    """Read an edge list; every neuron counts one assumed spike.

    The separator is a comma, semicolon or tab, whichever the first row has; a header is optional,
    empty lines and lines that start with ``#`` are skipped, rows of one pair add their weights.

    Raises
    ------
    InputError
        If a row is no synapse, naming its line, or there is none.
    """
    text = read_text(path, EXPECTED)
    rows = _Rows()
    columns: dict[str, int] | None = None
    for line, cells in _records(path, text):
        if columns is None:
            header = _header(path, line, cells)
            columns = header or _guess(path, line, cells)
            width = len(cells)
            if header:
                continue
        if len(cells) != width:
            raise InputError(str(path), f"line {line}", f"{len(cells)} cells", f"{width} cells")
        source, target = cells[columns["source"]], cells[columns["target"]]
        if not source or not target:
            raise InputError(str(path), f"line {line}", "an empty name", EXPECTED)
        weight = _weight(path, line, cells[columns["weight"]]) if "weight" in columns else 1.0
        rows.add(source, target, weight, cells[columns["type"]] if "type" in columns else "")
    if not rows.pre:
        raise InputError(str(path), "", "no synapse", EXPECTED)
    rows.mirror()
    return _numbered(path, rows, columns is not None and "weight" in columns, keep_zero_weights)


def _records(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, stripped cells) of every row that says something."""
    lines = text.splitlines()
    first = next((row for row in lines if row.strip() and not row.lstrip().startswith("#")), "")
    separator = next((mark for mark in (",", ";", "\t") if mark in first), ",")
    reader = csv.reader(lines, delimiter=separator)
    try:
        for record in reader:
            cells = [cell.strip() for cell in record]
            if any(cells) and not cells[0].startswith("#"):
                yield reader.line_num, cells
    except csv.Error as error:
        raise InputError(str(path), f"line {reader.line_num}", str(error), EXPECTED) from None


def _header(path: Path, line: int, cells: Sequence[str]) -> dict[str, int] | None:
    """Return which column holds what if the row is a header, else None."""
    wanted = {word: name for name, words in _HEADINGS.items() for word in words}
    found = [wanted.get(cell.casefold()) for cell in cells]
    if "source" not in found or "target" not in found:
        return None
    columns: dict[str, int] = {}
    for position, name in enumerate(found):
        if name is None or name in columns:
            what = "an unknown column" if name is None else "a second column"
            raise InputError(str(path), f"line {line}", f"{what} {cells[position]!r}", EXPECTED)
        columns[name] = position
    return columns


def _guess(path: Path, line: int, cells: Sequence[str]) -> dict[str, int]:
    """Return the columns of a file without header from its first row."""
    if not 2 <= len(cells) <= 4:
        raise InputError(str(path), f"line {line}", f"{len(cells)} cells", EXPECTED)
    columns = {"source": 0, "target": 1}
    if len(cells) == 3 and not _is_number(cells[2]) and cells[2].casefold() not in _NOT_FINITE:
        return columns | {"type": 2}
    return columns | dict(zip(("weight", "type"), range(2, len(cells)), strict=False))


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False


def _weight(path: Path, line: int, text: str) -> float:
    if not _is_number(text):
        raise InputError(str(path), f"line {line}", f"weight {text!r}", "a finite number")
    return float(text)


def _numbered(path: Path, rows: _Rows, weighted: bool, keep_zero_weights: bool) -> EdgeList:
    if all(name.isascii() and name.isdigit() for name in rows.names):
        number = np.array([_index(path, name, len(rows.pre)) for name in rows.names])
        names = tuple(map(str, range(int(number.max()) + 1)))
    elif all(name.isascii() and name.removeprefix("-").isdigit() for name in rows.names):
        below = next(name for name in rows.names if not name.isdigit())
        raise InputError(str(path), "", f"neuron number {below}", "numbers from 0 on, or names")
    else:
        names = tuple(natural_order(rows.names))
        rank = {name: i for i, name in enumerate(names)}
        number = np.array([rank[name] for name in rows.names])
    snn = from_edges(
        number[np.frombuffer(rows.pre, dtype=np.int64)],
        number[np.frombuffer(rows.post, dtype=np.int64)],
        len(names),
        weights=np.frombuffer(rows.weight, dtype=np.float64) if weighted else None,
        populations=[Population("neurons", 0, len(names) - 1)],
        keep_zero_weights=keep_zero_weights,
    )
    return EdgeList(snn, names)


def _index(path: Path, name: str, num_rows: int) -> int:
    highest = max(_ALWAYS_ALLOWED_INDEX, _MAX_INDEX_PER_ROW * num_rows)
    if len(name) > 18 or int(name) > highest:
        expected = f"numbers up to {highest} in a list of {num_rows} rows, or names"
        raise InputError(str(path), "", f"neuron number {name}", expected)
    return int(name)
