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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from optmap.model.snn import SNN, Population, from_edges
from optmap.readers.columns import EdgeColumns, UnclearHeader, edge_columns, words_of
from optmap.readers.edge_doubts import quoted, refuse_doubts, refuse_mixed
from optmap.readers.edge_rows import Layout, Rows
from optmap.readers.further_columns import FurtherColumns
from optmap.readers.neuron_names import SAY, is_number, number_names
from optmap.readers.options import AS_WRITTEN, ReadOptions
from optmap.readers.synapse_kinds import received
from optmap.readers.table import Table, read_table

EXPECTED = "rows of source,target[,weight][,type], or a header that names the columns"

#: Words that are a bad weight rather than the name of a kind of synapse.
_NOT_FINITE = {"nan", "-nan", "+nan", "inf", "+inf", "-inf", "infinity", "-infinity"}


@dataclass(frozen=True, slots=True)
class EdgeList:
    """A network and what its neurons are called in the file."""

    snn: SNN
    names: tuple[str, ...]


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
    rows = Rows()
    further = FurtherColumns(table, layout.header, layout.columns, layout.asked)
    bare = layout.asked or layout.header is None or layout.columns.weight is None
    perhaps_mixed = table.separator == "," and not bare
    for line, cells in chain([first] if is_row else [], records):
        if len(cells) != width:
            raise table.fail(f"line {line}", f"{len(cells)} cells", f"{width} cells")
        if perhaps_mixed:
            refuse_mixed(table, layout.columns, line, cells)
        _add(table, rows, layout.columns, line, cells, further.of(line, cells))
    if not rows.pre:
        raise table.fail("", "no synapse")
    further.close()
    refuse_doubts(table, layout, rows)
    turned = received(table, rows.by_kind)
    if turned:
        rows.turn_received(turned)
    rows.mirror()
    return _numbered(table, rows, layout, keep_zero_weights, further)


def _add(
    table: Table, rows: Rows, columns: EdgeColumns, line: int, cells: list[str], way: int
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
) -> tuple[Layout, bool]:
    """Return how to read the rows, and whether the first one is a synapse."""
    line, cells = first
    if options.columns is not None:
        return _asked(table, first, options.columns)
    remarked = table.remarked_header()
    if remarked is not None:
        try:
            return Layout(edge_columns(remarked), remarked), True
        except UnclearHeader:
            pass  # a remark is no header as a rule
    try:
        return Layout(edge_columns(cells), cells), False
    except UnclearHeader as unclear:
        if unclear.several:
            raise table.fail(f"line {line}", f"{quoted(cells)} with {unclear}", SAY) from None
        reason = str(unclear)
    if any(is_number(cell) for cell in cells):
        return Layout(_guess(table, line, cells), None, first), True
    if len(cells) > 3:
        raise table.fail(f"line {line}", f"{quoted(cells)} ({reason})", SAY)
    return Layout(_guess(table, line, cells), None, first), True


def _asked(
    table: Table, first: tuple[int, list[str]], words: tuple[str, ...]
) -> tuple[Layout, bool]:
    """Return what ``--columns`` says: names in the header, numbers, or the missing header."""
    line, cells = first
    header = cells if set(words) - {"-"} <= set(cells) else table.remarked_header()
    if header is not None and set(words) - {"-"} <= set(header):
        places: list[int | None] = [header.index(w) if w != "-" else None for w in words]
        return Layout(
            _placed(table, words, places, len(cells), header), header, asked=True
        ), header is not cells
    if all(word == "-" or (word.isascii() and word.isdigit()) for word in words):
        places = [int(w) - 1 if w != "-" else None for w in words]
        layout = Layout(_placed(table, words, places, len(cells), None), None, first, True)
        try:
            edge_columns(cells)
        except UnclearHeader:
            return layout, True
        found = _placed(table, words, places, len(cells), cells)
        return Layout(found, cells, asked=True), False
    if len(words) != len(cells):
        raise table.fail(f"line {line}", quoted(cells), f"the columns {', '.join(words)}")
    try:
        columns = edge_columns(words)
    except UnclearHeader as unclear:
        raise table.fail("", f"--columns {','.join(words)} ({unclear})", SAY) from None
    return Layout(columns, words, first, True), True


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
    raise table.fail(f"line {line}", f"{len(cells)} cells, {quoted(cells)}", f"{EXPECTED}; {SAY}")


def _is_weight(text: str) -> bool:
    return is_number(text) or text.casefold() in _NOT_FINITE


def _weight(table: Table, line: int, text: str) -> float:
    if not is_number(text):
        raise table.fail(f"line {line}", f"weight {text[:40]!r}", "a finite number")
    return float(text)


def _numbered(
    table: Table, rows: Rows, layout: Layout, keep_zero_weights: bool, further: FurtherColumns
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
        if columns.weight is not None:
            yield f"no header: column {columns.weight + 1} is the weight"
        if columns.type is not None:
            yield f"no header: column {columns.type + 1} is the type"
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
