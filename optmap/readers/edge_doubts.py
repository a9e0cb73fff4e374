"""What only the whole of an edge list tells: that it was no list of synapses, or another one.

A first row that may be a header, a matrix, adjacency lists, a table on its side, arrows and links
between neurons, cells that another separator would have cut: each is refused in one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from optmap.readers.columns import EdgeColumns, names_both_ends, stem
from optmap.readers.edge_rows import Layout, Rows
from optmap.readers.neuron_names import SAY, is_number
from optmap.readers.synapse_kinds import ARROWS, known_kind
from optmap.readers.table import Table

#: Rows of a table on its side at most: one for each column that an edge list may have.
_SIDEWAYS = 12
#: Fewer rows numbered 0, 1, 2, ... may well be a chain of neurons.
_NUMBERED = 3
#: What pandas takes for a missing value.
_MISSING = {"#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
            "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"}  # fmt: skip
_MARKS = (",", ";", "\t", "|")
_IN_NAMES = (";", "\t", "|", " ")
_NUMBERS = re.compile(r"[0-9.eE+-]*[0-9]([,;|\s]+[0-9.eE+-]*[0-9])+", re.ASCII)
_WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)
#: Digits at the end of a cell, and at the beginning of the next: a decimal comma was between them?
_DIGITS_END = re.compile(r"(^|[;\t| ])[0-9]+$", re.ASCII)
_DIGITS_BEGIN = re.compile(r"[0-9]+($|[;\t| ])", re.ASCII)


def refuse_doubts(table: Table, layout: Layout, rows: Rows) -> None:
    """Refuse what the whole file tells to be no synapses, or perhaps other ones than were read.

    Raises
    ------
    InputError
        In one line, with what was found.
    """
    _settle(table, layout, rows)
    _refuse_links(table, layout, rows)
    _refuse_matrix(table, layout, rows)
    _refuse_names(table, layout, rows)
    if not layout.asked:
        _refuse_sideways(table, layout, rows)
    if layout.doubtful is not None and not layout.asked:
        _refuse_counted(table, layout, rows)
        _refuse_sizes(table, layout, rows)
        _refuse_kinds(table, layout, rows)


def _refuse_names(table: Table, layout: Layout, rows: Rows) -> None:
    """Refuse names that are missing values, remarks, or cells that another separator cuts."""
    bare = layout.header is None and not layout.asked
    others = [mark for mark in (*_MARKS, " ") if mark != table.separator]
    marks = [mark for mark in others if mark != " "] if bare else []
    if bare and any(" " in name for name in rows.names):
        widths = {len(line.split()) for line in table.lines if line.strip()[:1] not in ("", "#")}
        if len(widths) == 1:
            raise table.fail("", "rows cut equally well by blanks", f"one separator, or {SAY}")
    for name in rows.names:
        if name in _MISSING:
            raise table.fail("", f"{name!r} for a neuron", f"no missing values, or {SAY}")
        if name.startswith("//"):
            raise table.fail("", f"{name[:30]!r} for a neuron", "remarks that begin with #")
        cut = name.count('"') % 2 == 1 or any(mark in name for mark in marks)
        if not layout.asked and sum(mark in name for mark in others) > 1:
            found = f"{name[:30]!r} for a neuron: two other separators"
            raise table.fail("", found, f"one separator in all rows, or {SAY}")
        if cut or _NUMBERS.fullmatch(name):
            raise table.fail("", f"{name[:30]!r} for a neuron", "one separator in all rows")


def refuse_mixed(table: Table, columns: EdgeColumns, line: int, cells: Sequence[str]) -> None:
    """Refuse a row of a comma table that another separator and a decimal comma may have cut.

    ``a;b,2,5`` below ``source,target,weight``: from a;b to 2, or from a to b with a weight of 2.5?
    The other separator may also stand in a further column: ``x;b,2,5,a`` below
    ``roi,target,weight,source``.

    Raises
    ------
    InputError
        With the row's cells.
    """
    odd = [
        any(mark in cells[end] for mark in _IN_NAMES) for end in (columns.source, columns.target)
    ]
    at_ends = odd[0] != odd[1] and any(
        _DIGITS_END.search(a) and _DIGITS_BEGIN.match(b) for a, b in pairwise(cells)
    )
    if at_ends or _cut_otherwise(columns, cells):
        found = f"{quoted(cells)}: another separator, and a decimal comma?"
        raise table.fail(f"line {line}", found, f"one separator in all rows, or {SAY}")


def _cut_otherwise(columns: EdgeColumns, cells: Sequence[str]) -> bool:
    """Tell whether another separator in one cell, and one decimal comma, give other ends."""
    ends = (columns.source, columns.target)
    text = "".join(cells)
    for mark in _IN_NAMES[:-1]:
        if text.count(mark) != 1:
            continue
        parts = [part for cell in cells for part in cell.split(mark)]
        for place in (place for place in range(len(cells)) if place not in ends):
            if _WHOLE.fullmatch(parts[place]) and parts[place + 1].isdigit():
                joined = [*parts[: place + 1], *parts[place + 2 :]]
                if any(joined[end] != cells[end] for end in ends):
                    return True
    return False


def _refuse_sideways(table: Table, layout: Layout, rows: Rows) -> None:
    """Refuse a table on its side: ``pre,0,1`` above ``post,3,4``."""
    ends = {layout.columns.source: rows.pre, layout.columns.target: rows.post}
    if len(rows.pre) > _SIDEWAYS or 0 not in ends:
        return
    called = list(rows.names)
    first = [*(layout.header or ())[:1], *(called[i] for i in ends[0])]
    if names_both_ends(first):
        found = f"rows that begin with {quoted(first)}"
        raise table.fail("", found, f"a column of sources and one of targets, or {SAY}")


def _refuse_counted(table: Table, layout: Layout, rows: Rows) -> None:
    """Refuse rows or columns that only count: the index or the header of a data frame."""
    called = list(rows.names)
    first = [called[i] for i in rows.pre]
    weights = layout.columns.weight is not None and all(w.is_integer() for w in rows.weight)
    if weights and len(first) >= _NUMBERED and first == [str(n) for n in range(len(first))]:
        found = "rows that begin with 0, 1, 2, ...: their numbers, or sources"
        raise table.fail("", found, SAY)
    if layout.doubtful is not None and len(first) > 1:
        line, cells = layout.doubtful
        once = all(_times(rows, name) == 1 for name in cells[:2])
        if cells == [str(n) for n in range(len(cells))] and once:
            found = f"{quoted(cells)}, which may be numbers of columns or a synapse"
            raise table.fail(f"line {line}", found, SAY)


def may_be_sizes(first: Sequence[int], largest: int, synapses: int) -> bool:
    """Tell whether a first row may be sizes: ``5 8``, ``5 5 8``, above eight synapses of 0 to 4.

    ``largest`` is the largest neuron below it, ``synapses`` how many stand there.
    """
    *neurons, entries = first
    if synapses < 2 or entries != synapses or len(neurons) not in (1, 2):
        return False
    return set(neurons) in ({largest}, {largest + 1})


def _refuse_sizes(table: Table, layout: Layout, rows: Rows) -> None:
    """Refuse a first row that may be numbers of neurons and synapses."""
    called = list(rows.names)
    if layout.doubtful is None or not all(n.isascii() and n.isdigit() for n in called):
        return
    line, cells = layout.doubtful
    largest = max((int(called[i]) for i in {*rows.pre[1:], *rows.post[1:]}), default=0)
    whole = [int(cell) for cell in cells if cell.isascii() and cell.isdigit()]
    if len(whole) == len(cells) and may_be_sizes(whole, largest, len(rows.pre) - 1):
        found = f"{quoted(cells)}, which may be numbers of neurons and synapses, or a synapse"
        raise table.fail(f"line {line}", found, SAY)


def _refuse_kinds(table: Table, layout: Layout, rows: Rows) -> None:
    """Refuse a third column without header whose words are no known kinds of synapses."""
    if layout.columns.type is None:
        return
    unknown = sorted(kind for kind in rows.by_kind if not known_kind(kind))
    if unknown or set(rows.by_kind) in ({"e"}, {"i"}):
        found = f"{(unknown or sorted(rows.by_kind))[0][:30]!r} beside two names"
        raise table.fail("", found, f"a type of synapse (chemical, exc, ...), or {SAY}")


def _settle(table: Table, layout: Layout, rows: Rows) -> None:
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
            found = f"{quoted(cells)}, which may be a header or a synapse"
            raise table.fail(f"line {line}", found, SAY)
    elif layout.header is not None:
        for end in (layout.columns.source, layout.columns.target):
            word = layout.header[end]
            alike = stem(word) if any(c.isdigit() for c in word) else None
            stems = map(stem, rows.names) if alike is not None else iter(())
            if word in rows.names or any(found == alike for found in stems):
                found = f"{word!r} in the header and names like it in the rows"
                raise table.fail("", found, SAY)


def _ends_named(columns: EdgeColumns, rows: Rows) -> Iterator[tuple[int, set[str]]]:
    """Yield source and target column with the names in it, the first row's aside."""
    names = list(rows.names)
    for place, column in ((columns.source, rows.pre), (columns.target, rows.post)):
        yield place, {names[i] for i in set(column[1:])}


def _all_numbers(cells: set[str]) -> bool:
    return bool(cells) and all(map(is_number, cells))


def _refuse_matrix(table: Table, layout: Layout, rows: Rows) -> None:
    """Refuse three rows of three numbers with a weight of 0: an adjacency matrix looks like it."""
    bare = layout.doubtful is not None and not layout.asked and layout.columns.type is None
    if bare and layout.columns.weight is not None and len(rows.pre) == 3 and 0 in rows.weight:
        found = "3 rows of 3 numbers, some 0: a matrix, or synapses with weights"
        raise table.fail("", found, f"{SAY}; a matrix as .npy")


def _refuse_links(table: Table, layout: Layout, rows: Rows) -> None:
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


def _times(rows: Rows, name: str) -> int:
    """Return how often a name stands at an end of a row."""
    index = rows.names[name]
    return rows.pre.count(index) + rows.post.count(index)


def quoted(cells: Sequence[str]) -> str:
    """Return the cells of a row as a complaint shows them: eight at most, 30 letters each."""
    shown = ", ".join(repr(cell[:30]) for cell in cells[:8])
    return shown + (", ..." if len(cells) > 8 else "")
