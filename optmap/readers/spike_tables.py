"""Spike profiles from text: counts, rates or events by header; CARLsim and NEST without one.

Two columns of whole numbers without a header may be ``id time``, ``time id`` or ``id count``: where
the numbers themselves leave more than one reading the file is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from optmap.model.snn import MAX_TOTAL_SPIKES, IntArray
from optmap.readers.carlsim import read_spike_lines
from optmap.readers.columns import (
    UnclearHeader,
    analog_column,
    is_nest,
    population_columns,
    spike_columns,
    trial_columns,
)
from optmap.readers.options import ReadOptions
from optmap.readers.spike_scale import whole_counts
from optmap.readers.table import BLANKS, Table, read_table

EXPECTED = "rows of neuron,spikes, or a header that names ids and times, counts or rates"
SAY = "--spike-columns id,time, time,id, id,count or id,rate"
#: Digits of a count; more leave 2^50.
_MAX_DIGITS = 15

Row = tuple[int, list[str]]


@dataclass(frozen=True)
class _Neurons:
    """Finds the neuron that a cell names; NEST counts from 1."""

    table: Table
    number: dict[str, int]
    first: int

    def index(self, line: int, cell: str) -> int:
        name = cell
        if self.first:
            name = str(_whole(self.table, line, cell) - self.first)
        elif cell not in self.number and _is_whole(cell):
            name = str(int(float(cell)))
        if name not in self.number:
            raise self.table.fail(f"line {line}", f"neuron {cell[:40]!r}", "one of the list")
        return self.number[name]


def read_spike_table(
    path: Path, num_neurons: int, names: Sequence[str] | None, options: ReadOptions
) -> tuple[IntArray, str]:
    """Return the spikes of every neuron, and how they were read; unnamed neurons are silent.

    Parameters
    ----------
    path : Path
        The file.
    num_neurons : int
        N.
    names : sequence of str or None
        What the neurons are called; None: by their indices.
    options : ReadOptions
        ``spike_columns`` and ``spike_window`` count.

    Raises
    ------
    InputError
        If a row is damaged or names another neuron, or the file has more than one reading.
    """
    table = read_table(path, EXPECTED)
    called = list(names) if names is not None else [str(i) for i in range(num_neurons)]
    number = {name: i for i, name in enumerate(called)}
    plain = called == [str(i) for i in range(num_neurons)]
    records = table.rows()
    first = next(records, None)
    if first is None:
        raise table.fail("", "no row")
    columns, header, is_row = _columns(table, first, options)
    if columns is None and path.suffix.lower() == ".gdf":
        columns, header = {"id": 0, "time": 1}, ["sender", "time"]
    if columns is None:
        columns = _guess(table, _Neurons(table, number, 0), plain)
        if columns is None:
            return read_spike_lines(path, num_neurons), "lines of neuron time time ..."
    nest = header is not None and is_nest(header[columns["id"]])
    neurons = _Neurons(table, number, 1 if nest and plain else 0)
    rows = chain([first] if is_row else [], records)
    if options.spike_columns is None:
        _refuse_others(table, header)
    width = len(first[1])
    what = next(name for name in columns if name != "id")
    counts, how = _READ[what](table, _even(table, rows, width), columns, neurons, options)
    return counts, how + (", NEST's ids from 1" if neurons.first else "")


def _refuse_others(table: Table, header: Sequence[str] | None) -> None:
    """Refuse spikes of several populations or trials, and recordings of something else.

    Neurons of one number in two populations would be one; trials would be added where samples of a
    raster are averaged.
    """
    analog = analog_column(header or ())
    if analog is not None:
        raise table.fail("", f"column {analog!r}, no spikes", f"spikes alone, or {SAY}")
    for what, places in (
        ("population", population_columns(header)),
        ("trial", trial_columns(header)),
    ):
        for place in places:
            found = {cells[place] for _, cells in table.rows() if place < len(cells)}
            found -= set(header or ())
            if len(found) > 1:
                text = f"spikes of {what}s " + ", ".join(sorted(found)[:5])
                raise table.fail("", text, f"those of one {what}")


def _columns(
    table: Table, first: Row, options: ReadOptions
) -> tuple[dict[str, int] | None, Sequence[str] | None, bool]:
    """Return the columns that header or option name, the header, and whether row 1 is data."""
    line, cells = first
    words = options.spike_columns
    remarked = table.remarked_header()
    for header, is_row in ((cells, False), (remarked, True)):
        if header is None:
            continue
        try:
            found = spike_columns(header)
        except UnclearHeader as unclear:
            if unclear.several and words is None and header is cells:
                raise table.fail(
                    f"line {line}", f"{', '.join(cells)[:80]} ({unclear})", SAY
                ) from None
            continue
        _refuse_contradiction(table, header, found, words)
        return found, header, is_row
    if words is None:
        if not any(map(_is_number, cells[1:])):
            found_text = ", ".join(repr(cell[:30]) for cell in cells[:6])
            raise table.fail(f"line {line}", found_text, f"{EXPECTED}; {SAY}")
        return None, None, True
    if set(words) - {"-"} <= set(cells):
        names = ["id", "time"] if len(words) == 2 else []
        return dict(zip(names, map(cells.index, words), strict=True)), cells, False
    if len(words) != len(cells):
        raise table.fail(f"line {line}", f"{len(cells)} cells", f"the columns {', '.join(words)}")
    try:
        return spike_columns(words), words, True
    except UnclearHeader:
        raise table.fail("", f"--spike-columns {','.join(words)}", SAY) from None


def _refuse_contradiction(
    table: Table, header: Sequence[str], found: dict[str, int], words: Sequence[str] | None
) -> None:
    """Refuse ``--spike-columns`` that call the columns of a header otherwise than it does."""
    if words is None or set(words) - {"-"} <= set(header):
        return
    try:
        told = spike_columns(words)
    except UnclearHeader:
        told = {}
    if told != found:
        text = f"the header {', '.join(header)[:60]} and --spike-columns {','.join(words)[:60]}"
        raise table.fail("", text, "columns that both call alike, or named as in the header")


def _guess(table: Table, neurons: _Neurons, plain: bool) -> dict[str, int] | None:
    """Return the columns of rows without header, None for CARLsim's lines; refuse what is open."""
    lists = table.separator == BLANKS
    rows = list(table.rows())
    if not lists:
        return _guess_counts(table, rows, neurons, plain)
    widths = {len(cells) for _, cells in rows}
    if len(widths) > 1 or 1 in widths:
        return None
    heads = [cells[0] for _, cells in rows]
    if widths == {2}:
        return _guess_pair(table, rows, neurons)
    times = [[float(c) if _is_number(c) else -1.0 for c in cells[1:]] for _, cells in rows]
    if len(set(heads)) == len(heads) and all(row == sorted(row) for row in times):
        return None
    raise table.fail("", f"{widths.pop()} numbers in every row", f"neuron time time ..., or {SAY}")


def _guess_pair(table: Table, rows: list[Row], neurons: _Neurons) -> dict[str, int] | None:
    """Tell ``neuron time`` from ``time neuron`` where only one of them is possible."""
    sides = [[cells[k] for _, cells in rows] for k in (0, 1)]
    whole = [all(map(_is_whole, side)) for side in sides]
    numbers = [all(map(_is_number, side)) for side in sides]
    if not all(numbers) or (whole[0] and not whole[1]):
        return None  # CARLsim; a bad line is named when it is read
    inside = [w and all(str(int(float(c))) in neurons.number for c in side)
              for w, side in zip(whole, sides, strict=True)]  # fmt: skip
    if not whole[0] and inside[1]:
        return {"time": 0, "id": 1}
    if inside[0] and not inside[1]:
        return None
    if not inside[0]:
        line = next(n for n, cells in rows if not _is_whole(cells[0])
                    or str(int(float(cells[0]))) not in neurons.number)  # fmt: skip
        cell = next(cells[0] for n, cells in rows if n == line)
        raise table.fail(f"line {line}", f"neuron {cell[:40]}", f"neurons of the network, or {SAY}")
    raise table.fail("", "two columns that both may be neurons", f"a header, or {SAY}")


def _guess_counts(
    table: Table, rows: list[Row], neurons: _Neurons, plain: bool
) -> dict[str, int] | None:
    """Tell ``neuron,count`` from events where the rows leave no other reading."""
    for line, cells in rows:
        if len(cells) != 2 or not cells[0]:
            raise table.fail(f"line {line}", repr(",".join(cells)[:40]), EXPECTED)
    sides = [[cells[k] for _, cells in rows] for k in (0, 1)]
    if not all(map(_is_whole, sides[0])) and all(map(_is_number, sides[0])):
        if all(map(_is_whole, sides[1])):
            return {"time": 0, "id": 1}
        raise table.fail("", "two columns of numbers with a point", f"a header, or {SAY}")
    if not all(map(_is_whole, sides[1])):
        bad = next((n for n, cells in rows if not _is_number(cells[1])), rows[0][0])
        raise table.fail(
            f"line {bad}", f"{sides[1][0][:40]!r} beside a neuron", f"a header, or {SAY}"
        )
    known = all(cell in neurons.number for cell in sides[0])
    once = len(set(sides[0])) == len(sides[0])
    negative = any(float(cell) < 0 for cell in sides[1])
    if plain and known and once and not negative and len(rows) < len(neurons.number):
        found = "two columns that may be neurons, counts or times"
        raise table.fail("", found, f"the header neuron,spikes, or {SAY}")
    return {"id": 0, "count": 1}


def _even(table: Table, rows: Iterator[Row], width: int) -> Iterator[Row]:
    for line, cells in rows:
        if len(cells) != width:
            raise table.fail(f"line {line}", f"{len(cells)} cells", f"{width} cells")
        yield line, cells


def _count(
    table: Table, rows: Iterator[Row], columns: dict[str, int], neurons: _Neurons, o: ReadOptions
) -> tuple[IntArray, str]:
    """Read one whole number a neuron."""
    spikes = np.zeros(len(neurons.number), dtype=np.int64)
    for line, neuron, cells in _once(table, rows, columns, neurons):
        cell = cells[columns["count"]]
        if not _is_whole(cell) or float(cell) < 0:
            expected = "rows of neuron,spikes, spikes a whole number >= 0"
            raise table.fail(f"line {line}", repr(",".join(cells)[:40]), expected)
        count = int(float(cell))
        if len(cell) > _MAX_DIGITS:
            raise table.fail(f"line {line}", cell[:40], f"at most {MAX_TOTAL_SPIKES}")
        spikes[neuron] = count
    return spikes, ""


def _rate(
    table: Table, rows: Iterator[Row], columns: dict[str, int], neurons: _Neurons, o: ReadOptions
) -> tuple[IntArray, str]:
    """Read one number a neuron and scale it to whole counts."""
    rates = np.zeros(len(neurons.number))
    for line, neuron, cells in _once(table, rows, columns, neurons):
        cell = cells[columns["rate"]]
        if not _is_number(cell) or float(cell) < 0:
            raise table.fail(f"line {line}", f"rate {cell[:40]!r}", "a number >= 0")
        rates[neuron] = float(cell)
    try:
        counts, scale = whole_counts(rates, o.spike_window)
    except ValueError as error:
        raise table.fail("", "rates that are no whole numbers", str(error)) from None
    return counts, f"rates {scale}" if scale else "rates"


def _time(
    table: Table, rows: Iterator[Row], columns: dict[str, int], neurons: _Neurons, o: ReadOptions
) -> tuple[IntArray, str]:
    """Count the events of every neuron."""
    fired: Counter[int] = Counter()
    for line, cells in rows:
        time = cells[columns["time"]]
        if not _is_number(time) or float(time) < 0:
            raise table.fail(f"line {line}", f"time {time[:40]!r}", "a number >= 0")
        fired[neurons.index(line, cells[columns["id"]])] += 1
    spikes = np.zeros(len(neurons.number), dtype=np.int64)
    for neuron, count in fired.items():
        spikes[neuron] = count
    return spikes, f"{fired.total()} events"


_READ = {"count": _count, "rate": _rate, "time": _time}


def _once(
    table: Table, rows: Iterator[Row], columns: dict[str, int], neurons: _Neurons
) -> Iterator[tuple[int, int, list[str]]]:
    """Yield (line, neuron, cells) of rows that may name every neuron once."""
    seen: set[int] = set()
    for line, cells in rows:
        neuron = neurons.index(line, cells[columns["id"]])
        if neuron in seen:
            found = f"{cells[columns['id']]!r} again"
            raise table.fail(f"line {line}", found, f"each neuron once, or {SAY}")
        seen.add(neuron)
        yield line, neuron, cells


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _is_whole(text: str) -> bool:
    return _is_number(text) and float(text).is_integer() and abs(float(text)) < 2**53


def _whole(table: Table, line: int, text: str) -> int:
    if not _is_whole(text) or float(text) < 0:
        raise table.fail(f"line {line}", repr(text[:40]), "a whole number >= 0")
    return int(float(text))
