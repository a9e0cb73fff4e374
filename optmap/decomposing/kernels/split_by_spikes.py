"""Units by spikes: the loudest sources are read directly, the rest through leaves.

A plan says, for every fan-in f above R, how many sources each level reads directly::

    for every class, the neurons of one fan-in f > R:
        reference = what all of them read, if little more than f, else each neuron's own fan-in
    for every neuron of the class, its reference sorted by falling spikes, then by index:
        level 0, the neuron itself, reads the first d0 and level 1
        level 1, an inserted unit, the next d1 and level 2, and so on
        the last level also reads the leaves: even runs, by index, of what remains

Neurons that read (nearly) the same sources are cut equally, so that leaves share rows. Where more
leaves remain than rows are free, combiners join them, as in the tree; a unit that would read one
thing only is left out. :mod:`optmap.decomposing.spikes` chooses the plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from optmap.compiled import borrowing, compiled
from optmap.model.decomposition import Decomposition, assembled
from optmap.model.json_value import Json
from optmap.model.snn import SNN, IndexArray

#: A class is cut by its common sources if they are at most this many hundredths of a fan-in.
COMMON_PERCENT = 125

#: Direct sources of each level, by fan-in.
Direct = Mapping[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class FanInClass:
    """The neurons of one fan-in above R.

    Parameters
    ----------
    fan_in : int
        f, the same for all.
    neurons : (n,) int32 array
        Ascending.
    common : (u,) int32 array or None
        What all of them read together, ascending, if little more than f.
    """

    fan_in: int
    neurons: IndexArray
    common: IndexArray | None


def fan_in_classes(snn: SNN, rows: int) -> list[FanInClass]:
    """Return the classes of neurons whose fan-in exceeds ``rows``, by rising fan-in."""
    split = np.flatnonzero(snn.fan_in > rows)
    order = split[np.argsort(snn.fan_in[split], kind="stable")]
    seen = np.full(snn.num_neurons, -1, dtype=np.int64)
    found = []
    cuts = np.flatnonzero(np.diff(snn.fan_in[order])) + 1
    for number, neurons in enumerate(np.split(order, cuts) if len(order) else []):
        fan_in = int(snn.fan_in[neurons[0]])
        limit = fan_in * COMMON_PERCENT // 100
        size, union = _union(snn.indptr, snn.indices, neurons, number, seen, limit)
        common = np.sort(union[:size]) if size <= limit else None
        found.append(FanInClass(fan_in, neurons.astype(np.int32), common))
    return found


def split_by_spikes(snn: SNN, rows: int, direct: Direct) -> Decomposition:
    """Return ``snn`` with every fan-in at most ``rows``, cut by a plan.

    Parameters
    ----------
    rows : int
        R.
    direct : mapping
        For every fan-in above R, the direct sources of each level.

    Raises
    ------
    ValueError
        If a fan-in has no entry, or one that does not fit ``rows``.
    """
    if rows < 2:
        raise ValueError(f"decomposition needs at least 2 rows, got {rows}")
    found = fan_in_classes(snn, rows)
    if not found:
        every = np.arange(snn.num_neurons, dtype=np.int32)
        return Decomposition("spikes", rows, snn, every, snn.num_neurons)
    _refuse_wrong_levels({c.fan_in for c in found}, rows, direct)
    class_of = np.full(snn.num_neurons, -1, dtype=np.int32)
    slots = [np.empty((2, 0), dtype=np.int32)]
    level_ptr, common_ptr = [0], [0]
    levels: list[int] = []
    rank = np.empty(snn.num_neurons, dtype=np.int64)
    by_rank = np.lexsort((np.arange(snn.num_neurons), -snn.spikes))
    rank[by_rank] = np.arange(snn.num_neurons)
    for number, c in enumerate(found):
        class_of[c.neurons] = number
        levels += direct[c.fan_in]
        level_ptr.append(len(levels))
        if c.common is not None:
            depth = np.array(direct[c.fan_in], dtype=np.int64)
            slots.append(np.stack((c.common, _slots(rank[c.common], depth, rows))))
        common_ptr.append(common_ptr[-1] + (0 if c.common is None else len(c.common)))
    plan = _Plan(
        class_of,
        np.array(level_ptr, dtype=np.int64),
        np.array(levels, dtype=np.int64),
        np.array(common_ptr, dtype=np.int64),
        *np.ascontiguousarray(np.concatenate(slots, axis=1)).astype(np.int32),
    )
    indptr, indices, owner = _split(snn.indptr, snn.indices, rank, rows, plan)
    levels_of: dict[str, Json] = {str(c.fan_in): list(direct[c.fan_in]) for c in found}
    return assembled("spikes", snn, rows, indptr, indices, owner, {"direct": levels_of})


def _refuse_wrong_levels(fan_ins: set[int], rows: int, direct: Direct) -> None:
    for fan_in in sorted(fan_ins):
        levels = direct.get(fan_in)
        if levels is None:
            raise ValueError(f"decomposition by spikes: nothing said of fan-in {fan_in}")
        if not levels or any(not 0 <= d < rows for d in levels):
            raise ValueError(
                f"fan-in {fan_in}: direct sources {levels} must be one or more of 0..{rows - 1}"
            )


class _Plan(NamedTuple):
    """How each neuron is cut: its class (-1: not at all), the class's levels and common sources."""

    class_of: Any
    level_ptr: Any
    levels: Any
    common_ptr: Any
    common: Any
    slot: Any


@compiled
def _union(
    indptr: Any, indices: Any, neurons: Any, number: int, seen: Any, limit: int
) -> tuple[int, Any]:
    """Return (size, sources): what ``neurons`` read; size is above ``limit`` where it stopped."""
    union = np.empty(limit, dtype=np.int32)
    size = 0
    for j in neurons:
        for s in range(indptr[j], indptr[j + 1]):
            i = indices[s]
            if seen[i] != number:
                seen[i] = number
                if size == limit:
                    return limit + 1, union
                union[size] = i
                size += 1
    return size, union


@compiled
def _slots(rank: Any, direct: Any, rows: int) -> Any:
    """Return for every source of a reference, by index, its level, or L + the run of its leaf."""
    ordered = rank.copy()
    ordered.sort()
    slot = np.full(len(rank), -1, dtype=np.int32)
    p = 0
    for level in range(len(direct)):
        stop = min(p + direct[level], len(rank))
        for i in range(len(rank)):
            if p < stop and ordered[p] <= rank[i] <= ordered[stop - 1]:
                slot[i] = level
        p = stop
    rest = len(rank) - p
    runs = (rest + rows - 1) // rows
    run, taken = 0, 0
    for i in range(len(rank)):
        if slot[i] < 0:
            while taken >= (run + 1) * rest // runs:
                run += 1
            slot[i] = len(direct) + run
            taken += 1
    return slot


@borrowing
def _room(indptr: Any, rows: int, plan: Any) -> int:
    """Return the most units that may be inserted."""
    room = 0
    for j in range(len(indptr) - 1):
        c = plan.class_of[j]
        if c >= 0:
            common = plan.common_ptr[c + 1] - plan.common_ptr[c]
            room += plan.level_ptr[c + 1] - plan.level_ptr[c]
            room += 2 * (max(common, indptr[j + 1] - indptr[j]) // rows + 2)
    return room


class Inserted(NamedTuple):
    """Inserted units: unit i has number ``first`` + i and reads ``part[ptr[i]:ptr[i + 1]]``."""

    part: Any
    ptr: Any
    first: int


@compiled
def _split(indptr: Any, indices: Any, rank: Any, rows: int, plan: Any) -> Any:
    """Return (indptr, indices, owner) of the decomposed network."""
    n, room = len(indptr) - 1, _room(indptr, rows, plan)
    own = np.empty(len(indices) + room, dtype=np.int32)
    own_ptr = np.zeros(n + 1, dtype=np.int64)
    part = np.empty(len(indices) + room, dtype=np.int32)
    part_ptr = np.zeros(room + 1, dtype=np.int64)
    inserted = Inserted(part, part_ptr, n)
    owner = np.empty(n + room, dtype=np.int32)
    units = 0
    for j in range(n):
        owner[j] = j
        sources = indices[indptr[j] : indptr[j + 1]]
        begin, c = own_ptr[j], plan.class_of[j]
        if c < 0:
            own_ptr[j + 1] = begin + len(sources)
            own[begin : own_ptr[j + 1]] = sources
            continue
        direct = plan.levels[plan.level_ptr[c] : plan.level_ptr[c + 1]]
        if plan.common_ptr[c + 1] > plan.common_ptr[c]:
            slot = _slots_of(sources, plan, c)
        else:
            slot = _slots(rank[sources], direct, rows)
        before = units
        width, units = _cut(sources, slot, direct, rows, inserted, units, own[begin:])
        own_ptr[j + 1] = begin + width
        for unit in range(before, units):
            owner[n + unit] = j
    new_ptr = np.empty(n + units + 1, dtype=np.int64)
    new_ptr[: n + 1] = own_ptr
    new_ptr[n + 1 :] = own_ptr[n] + part_ptr[1 : units + 1]
    return new_ptr, np.concatenate((own[: own_ptr[n]], part[: part_ptr[units]])), owner[: n + units]


@compiled
def _slots_of(sources: Any, plan: Any, c: int) -> Any:
    """Return the slots of ``sources``, ascending, from those of the class's common ones."""
    slot = np.empty(len(sources), dtype=np.int32)
    i = plan.common_ptr[c]
    for s in range(len(sources)):
        while plan.common[i] < sources[s]:
            i += 1
        slot[s] = plan.slot[i]
    return slot


@compiled
def _cut(
    sources: Any, slot: Any, direct: Any, rows: int, inserted: Inserted, units: int, own: Any
) -> Any:
    """Write one neuron's inserted units, and into ``own`` what it reads; return (width, units)."""
    depth, runs = len(direct), 0
    for s in range(len(sources)):
        runs = max(runs, slot[s] - depth + 1)
    below = np.empty(max(runs, 1), dtype=np.int32)
    level = np.empty(len(sources) + runs, dtype=np.int32)
    width = 0
    for r in range(runs):
        size = _taken(sources, slot, depth + r, level)
        if size:
            units, below[width] = _unit(level[:size], inserted, units)
            width += 1
    while width > rows - direct[depth - 1]:
        groups = (width + rows - 1) // rows
        for g in range(groups):
            run = below[g * width // groups : (g + 1) * width // groups]
            units, below[g] = _unit(run, inserted, units)
        width = groups
    for h in range(depth - 1, -1, -1):
        size = _taken(sources, slot, h, level)
        for i in range(width):
            level[size + i] = below[i]
        size += width
        if h == 0:
            if size == 1 and level[0] >= inserted.first:  # it reads what the last unit would
                units -= 1
                begin = inserted.ptr[units]
                size = inserted.ptr[units + 1] - begin
                level[:size] = inserted.part[begin : begin + size]
            own[:size] = level[:size]
            own[:size].sort()
            return size, units
        width = 0
        if size:
            units, below[0] = _unit(level[:size], inserted, units)
            width = 1
    return 0, units


@borrowing
def _taken(sources: Any, slot: Any, wanted: int, into: Any) -> int:
    """Copy the sources of one slot and return how many there are."""
    size = 0
    for s in range(len(sources)):
        if slot[s] == wanted:
            into[size] = sources[s]
            size += 1
    return size


@compiled
def _unit(reads: Any, inserted: Inserted, units: int) -> Any:
    """Insert a unit and return (units, its number); what would read one thing is that thing."""
    if len(reads) == 1:
        return units, reads[0]
    begin = inserted.ptr[units]
    inserted.part[begin : begin + len(reads)] = reads
    inserted.part[begin : begin + len(reads)].sort()
    inserted.ptr[units + 1] = begin + len(reads)
    return units + 1, inserted.first + units
