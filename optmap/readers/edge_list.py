"""Edge lists: one synapse a row, ``source,target[,weight][,type]`` or whatever a header names.

A header is known by the meaning of its words (:mod:`optmap.readers.columns`) or given as
``--columns``. A first row that may be a header or a synapse is refused, never guessed. Names are
stripped of blanks. Where every name is a whole number and the numbers are dense, it is the neuron's
index, so that several files can speak of the same neurons; otherwise names and numbers of any size
are names, and neurons are numbered in their natural order (AVA2 before AVA10), whatever the order
of the rows. A row of type "electrical" (a gap junction) or "undirected" counts both ways; where the
file lists the other way itself, that row is used.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np

from optmap.model.snn import SNN, Population, from_edges
from optmap.readers.columns import (
    EdgeColumns,
    UnclearHeader,
    edge_columns,
    stem,
    words_of,
)
from optmap.readers.further_columns import FurtherColumns
from optmap.readers.neuron_names import SAY, is_number, number_names
from optmap.readers.options import AS_WRITTEN, ReadOptions
from optmap.readers.synapse_kinds import ARROWS, counts_both_ways, received
from optmap.readers.table import Table, read_table

EXPECTED = "rows of source,target[,weight][,type], or a header that names the columns"

#: Words that are a bad weight rather than the name of a kind of synapse.
_NOT_FINITE = {"nan", "-nan", "+nan", "inf", "+inf", "-inf", "infinity", "-infinity"}

#: Kinds of synapses, the first row's aside, that are looked at to tell it from a header.
_SOME_KINDS = 100


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
    kinds: set[str] = field(default_factory=set)
    by_kind: dict[str, list[int]] = field(default_factory=dict)
    both_ways: dict[tuple[int, int], float] = field(default_factory=dict)

    def add(self, source: str, target: str, weight: float, kind: str, both: bool) -> None:
        pre = self.names.setdefault(source, len(self.names))
        post = self.names.setdefault(target, len(self.names))
        self.pre.append(pre)
        self.post.append(post)
        self.weight.append(weight)
        if len(self.pre) > 1 and len(self.kinds) < _SOME_KINDS:
            self.kinds.add(kind)
        if both or (kind and counts_both_ways(kind)):
            self.both_ways[pre, post] = self.both_ways.get((pre, post), 0.0) + weight
        if kind:
            self.by_kind.setdefault(kind.casefold(), []).append(len(self.pre) - 1)

    def turn_received(self, rows: list[int]) -> None:
        """Turn rows that say what a neuron receives; drop those that a sent row says already."""
        turned = set(rows)
        every = list(zip(self.pre, self.post, self.weight, strict=True))
        listed = {(pre, post) for n, (pre, post, _) in enumerate(every) if n not in turned}
        kept = [
            (post, pre, weight) if n in turned else (pre, post, weight)
            for n, (pre, post, weight) in enumerate(every)
            if n not in turned or (post, pre) not in listed
        ]
        self.pre = array("q", [pre for pre, _, _ in kept])
        self.post = array("q", [post for _, post, _ in kept])
        self.weight = array("d", [weight for _, _, weight in kept])

    def mirror(self) -> None:
        """Add the other direction of every electrical row that the file leaves out."""
        for (pre, post), weight in self.both_ways.items():
            if (post, pre) not in self.both_ways:
                self.pre.append(post)
                self.post.append(pre)
                self.weight.append(weight)


@dataclass(frozen=True)
class _Layout:
    """How the rows are to be read: ``header`` as written, None where there is none.

    ``doubtful``: the first row, read as a synapse, of which only the rest of the file can tell that
    it is none. ``asked``: the columns were given as an option.
    """

    columns: EdgeColumns
    header: Sequence[str] | None
    doubtful: tuple[int, list[str]] | None = None
    asked: bool = False


def read_edges(
    path: Path, *, keep_zero_weights: bool = False, options: ReadOptions = AS_WRITTEN
) -> EdgeList:
    """Read an edge list; every neuron counts one assumed spike.

    The separator is a comma, semicolon, tab or blanks, whichever cuts all rows alike; empty lines
    and lines that start with ``#`` are skipped, rows of one pair add their weights.

    Raises
    ------
    InputError
        If a row is no synapse, naming its line, if the first row may be a header or a synapse, or
        if there is none.
    """
    table = read_table(path, EXPECTED)
    records = table.rows()
    first = next(records, None)
    if first is None:
        raise table.fail("", "no synapse")
    layout, is_row = _layout(table, first, options)
    width = len(first[1])
    rows = _Rows()
    further = FurtherColumns(table, layout.header, layout.columns, layout.asked)
    for line, cells in chain([first] if is_row else [], records):
        if len(cells) != width:
            raise table.fail(f"line {line}", f"{len(cells)} cells", f"{width} cells")
        _add(table, rows, layout.columns, line, cells, further.of(line, cells))
    if not rows.pre:
        raise table.fail("", "no synapse")
    further.close()
    _settle(table, layout, rows)
    _refuse_links(table, layout, rows)
    _refuse_matrix(table, layout, rows)
    turned = received(table, rows.by_kind)
    if turned:
        rows.turn_received(turned)
    rows.mirror()
    return _numbered(table, rows, layout, keep_zero_weights, further)


def _add(
    table: Table, rows: _Rows, columns: EdgeColumns, line: int, cells: list[str], way: int
) -> None:
    source, target = cells[columns.source], cells[columns.target]
    if not source or not target:
        raise table.fail(f"line {line}", "an empty name")
    weight = 1.0 if columns.weight is None else _weight(table, line, cells[columns.weight])
    kind = "" if columns.type is None else cells[columns.type]
    if way < 0:
        source, target = target, source
    rows.add(source, target, weight, kind, way == 0)


def _layout(
    table: Table, first: tuple[int, list[str]], options: ReadOptions
) -> tuple[_Layout, bool]:
    """Return how to read the rows, and whether the first one is a synapse."""
    line, cells = first
    if options.columns is not None:
        return _asked(table, first, options.columns)
    remarked = table.remarked_header()
    if remarked is not None:
        try:
            return _Layout(edge_columns(remarked), remarked), True
        except UnclearHeader:
            pass  # a remark is no header as a rule
    try:
        return _Layout(edge_columns(cells), cells), False
    except UnclearHeader as unclear:
        if unclear.several:
            raise table.fail(f"line {line}", f"{_quoted(cells)} with {unclear}", SAY) from None
        reason = str(unclear)
    if any(is_number(cell) for cell in cells):
        return _Layout(_guess(table, line, cells), None, first), True
    if len(cells) > 3:
        raise table.fail(f"line {line}", f"{_quoted(cells)} ({reason})", SAY)
    return _Layout(_guess(table, line, cells), None, first), True


def _asked(
    table: Table, first: tuple[int, list[str]], words: tuple[str, ...]
) -> tuple[_Layout, bool]:
    """Return what ``--columns`` says: names in the header, numbers, or the missing header."""
    line, cells = first
    header = cells if set(words) - {"-"} <= set(cells) else table.remarked_header()
    if header is not None and set(words) - {"-"} <= set(header):
        places: list[int | None] = [header.index(w) if w != "-" else None for w in words]
        return _Layout(
            _placed(table, words, places, len(cells), header), header, asked=True
        ), header is not cells
    if all(word == "-" or (word.isascii() and word.isdigit()) for word in words):
        places = [int(w) - 1 if w != "-" else None for w in words]
        layout = _Layout(_placed(table, words, places, len(cells), None), None, first, True)
        try:
            edge_columns(cells)
        except UnclearHeader:
            return layout, True
        found = _placed(table, words, places, len(cells), cells)
        return _Layout(found, cells, asked=True), False
    if len(words) != len(cells):
        raise table.fail(f"line {line}", _quoted(cells), f"the columns {', '.join(words)}")
    try:
        columns = edge_columns(words)
    except UnclearHeader as unclear:
        raise table.fail("", f"--columns {','.join(words)} ({unclear})", SAY) from None
    return _Layout(columns, words, first, True), True


def _placed(
    table: Table,
    words: tuple[str, ...],
    places: list[int | None],
    width: int,
    header: Sequence[str] | None,
) -> EdgeColumns:
    """Return source, target, weight and type at the places asked for."""
    source, target, weight, kind = (*places, None, None, None, None)[:4]
    given = [place for place in places if place is not None]
    inside = all(0 <= place < width for place in given) and len(set(given)) == len(given)
    if source is None or target is None or not inside or len(places) > 4:
        expected = f"source,target[,weight][,type] among {width} columns"
        raise table.fail("", f"--columns {','.join(words)}", expected)
    others = tuple(p for p in range(width) if p not in given) if header is not None else ()
    return EdgeColumns(source, target, weight, kind, others=others)


def _guess(table: Table, line: int, cells: Sequence[str]) -> EdgeColumns:
    """Return the columns of a file without header from its first row."""
    third = len(cells) > 2 and _is_weight(cells[2])
    if len(cells) == 2 or (len(cells) == 3 and third):
        return EdgeColumns(0, 1, *range(2, len(cells)))
    if len(cells) == 3:
        return EdgeColumns(0, 1, type=2)
    if len(cells) == 4 and third and not is_number(cells[3]):
        return EdgeColumns(0, 1, 2, 3)
    raise table.fail(f"line {line}", f"{len(cells)} cells, {_quoted(cells)}", f"{EXPECTED}; {SAY}")


def _settle(table: Table, layout: _Layout, rows: _Rows) -> None:
    """Refuse a first row that the rest of the file does not tell to be a header or a synapse."""
    if layout.doubtful is not None:
        line, cells = layout.doubtful
        ends = [cells[layout.columns.source], cells[layout.columns.target]]
        once = {name for name in ends if _times(rows, name) == ends.count(name)}
        numbers = [is_number(name) for name in rows.names if name not in once]
        unlike = bool(numbers) and (
            (all(numbers) and not any(map(is_number, ends)))
            or (not any(numbers) and all(map(is_number, ends)))
        )
        kind = "" if layout.columns.type is None else cells[layout.columns.type]
        unlike |= bool(kind) and not is_number(kind) and _all_numbers(rows.kinds)
        unlike |= any(
            not is_number(cells[place]) and _all_numbers(named)
            for place, named in _ends_named(layout.columns, rows)
        )
        open_ = not layout.asked and not any(map(is_number, cells)) and len(once) == len(set(ends))
        if unlike or open_:
            found = f"{_quoted(cells)}, which may be a header or a synapse"
            raise table.fail(f"line {line}", found, SAY)
    elif layout.header is not None:
        for end in (layout.columns.source, layout.columns.target):
            word = layout.header[end]
            alike = stem(word) if any(c.isdigit() for c in word) else None
            stems = map(stem, rows.names) if alike is not None else iter(())
            if word in rows.names or any(found == alike for found in stems):
                found = f"{word!r} in the header and names like it in the rows"
                raise table.fail("", found, SAY)


def _ends_named(columns: EdgeColumns, rows: _Rows) -> Iterator[tuple[int, set[str]]]:
    """Yield source and target column with the names in it, the first row's aside."""
    names = list(rows.names)
    for place, column in ((columns.source, rows.pre), (columns.target, rows.post)):
        yield place, {names[i] for i in set(column[1:])}


def _all_numbers(cells: set[str]) -> bool:
    return bool(cells) and all(map(is_number, cells))


def _refuse_matrix(table: Table, layout: _Layout, rows: _Rows) -> None:
    """Refuse three rows of three numbers with a weight of 0: an adjacency matrix looks like it."""
    bare = layout.doubtful is not None and not layout.asked and layout.columns.type is None
    if bare and layout.columns.weight is not None and len(rows.pre) == 3 and 0 in rows.weight:
        found = "3 rows of 3 numbers, some 0: a matrix, or synapses with weights"
        raise table.fail("", found, f"{SAY}; a matrix as .npy")


def _refuse_links(table: Table, layout: _Layout, rows: _Rows) -> None:
    """Refuse rows like ``a -> b``, ``a excites b``, ``1,exc,2``: words between neurons are none."""
    arrow = next((arrow for arrow in ARROWS if arrow in rows.names), None)
    if arrow is not None:
        raise table.fail("", f"{arrow!r} for a neuron", SAY)
    if layout.doubtful is None or layout.asked:
        return
    if layout.columns.type is None and layout.columns.weight is not None:
        called = list(rows.names)
        numbers = [{is_number(called[i]) for i in set(side)} for side in (rows.pre, rows.post)]
        if numbers == [{True}, {False}]:
            found = f"{called[rows.post[0]][:30]!r} after a number in every row"
            raise table.fail("", found, f"source,target,weight, or {SAY}")
    if layout.columns.type is None:
        return
    if layout.columns.weight is None and len(rows.pre) > 1:
        names = {name.casefold() for name in rows.names}
        links = {list(rows.names)[i] for i in set(rows.post)}
        ends = set(rows.by_kind)
        if ends & names or (len(links) == 1 and len(ends) > 1):
            found = f"{sorted(links)[0][:30]!r} between {sorted(ends)[0][:30]!r} and another name"
            raise table.fail("", f"three names a row, {found}", f"source,target,type, or {SAY}")


def _times(rows: _Rows, name: str) -> int:
    """Return how often a name stands at an end of a row."""
    index = rows.names[name]
    return rows.pre.count(index) + rows.post.count(index)


def _quoted(cells: Sequence[str]) -> str:
    shown = ", ".join(repr(cell[:30]) for cell in cells[:8])
    return shown + (", ..." if len(cells) > 8 else "")


def _is_weight(text: str) -> bool:
    return is_number(text) or text.casefold() in _NOT_FINITE


def _weight(table: Table, line: int, text: str) -> float:
    if not is_number(text):
        raise table.fail(f"line {line}", f"weight {text[:40]!r}", "a finite number")
    return float(text)


def _numbered(
    table: Table, rows: _Rows, layout: _Layout, keep_zero_weights: bool, further: FurtherColumns
) -> EdgeList:
    columns = layout.columns
    word = layout.header[columns.source] if layout.header is not None else ""
    number, names, notes = number_names(
        str(table.path), list(rows.names), only_names=bool({"root", "body"} & set(words_of(word)))
    )
    weighted = columns.weight is not None
    snn = from_edges(
        number[np.frombuffer(rows.pre, dtype=np.int64)],
        number[np.frombuffer(rows.post, dtype=np.int64)],
        len(names),
        weights=np.frombuffer(rows.weight, dtype=np.float64) if weighted else None,
        populations=[Population("neurons", 0, len(names) - 1)],
        keep_zero_weights=keep_zero_weights,
        notes=[*_column_notes(columns, layout.header, further), *further.notes, *notes],
    )
    return EdgeList(snn, names)


def _column_notes(
    columns: EdgeColumns, header: Sequence[str] | None, further: FurtherColumns
) -> Iterator[str]:
    if header is None:
        return
    if columns.weight_is_count and columns.weight is not None:
        yield f"column {header[columns.weight]!r} is the weight"
    if columns.delay is not None:
        yield f"column {header[columns.delay]!r} is left out: delays do not count"
    for place in sorted(further.used):
        yield f"column {header[place]!r} says which rows count both ways"
    others = (place for place in columns.others if place not in further.used)
    left = [header[place] or "without a name" for place in others]
    if left:
        yield "columns left out: " + ", ".join(left)
