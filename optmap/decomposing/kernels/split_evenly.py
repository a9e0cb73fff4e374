"""Kernels of the policies ``chain`` and ``tree``: runs of inputs, cut without looking at spikes."""

from __future__ import annotations

from typing import Any

import numpy as np

from optmap.compiled import borrowing, compiled
from optmap.model.snn import IntArray


@compiled
def count_inserted(fan_in: IntArray, rows: int, tree: bool) -> tuple[int, int]:
    """Return how many units are inserted and how many synapses there will be in all."""
    units = 0
    synapses = 0
    for f in fan_in:
        synapses += f
        if f <= rows:
            continue
        if not tree:
            more = (f - rows + rows - 2) // (rows - 1)
            units += more
            synapses += more
            continue
        width = f
        while width > rows:
            runs = (width + rows - 1) // rows
            single = runs * 2 - width if width // runs == 1 else 0
            units += runs - single
            synapses += runs - single
            width = runs
    return units, synapses


@compiled
def build(
    indptr: Any, indices: Any, rows: Any, tree: Any, num_units: Any, num_synapses: Any
) -> Any:
    """Fill the decomposed arrays: original neurons first, inserted units behind, by owner."""
    n = len(indptr) - 1
    total = n + num_units
    new_owner = np.empty(total, dtype=np.int32)
    for j in range(n):
        new_owner[j] = j
    # inserted units' lists grow in `parts`; the neurons' own lists are written at the end
    parts = np.empty(num_synapses, dtype=np.int32)
    part_start = np.zeros(num_units + 1, dtype=np.int64)
    own = np.empty(len(indices) + num_units, dtype=np.int32)
    own_start = np.zeros(n + 1, dtype=np.int64)
    longest = 0
    for j in range(n):
        longest = max(longest, indptr[j + 1] - indptr[j])
    level = np.empty(longest, dtype=np.int32)
    unit, used, placed = 0, 0, 0
    for j in range(n):
        width = indptr[j + 1] - indptr[j]
        _copy(indices, indptr[j], level, 0, width)
        first = 0  # a chain walks along the list, a tree rewrites it from the front
        while width > rows:
            runs = (width + rows - 1) // rows if tree else 1
            taken = 0
            for r in range(runs):
                stop = (r + 1) * width // runs if tree else rows
                if stop - taken == 1:
                    level[r] = level[taken]
                    taken = stop
                    continue
                _copy(level, first + taken, parts, used, stop - taken)
                used += stop - taken
                new_owner[n + unit] = j
                part_start[unit + 1] = used
                level[r if tree else first + rows - 1] = n + unit
                unit += 1
                taken = stop
            if tree:
                width = runs
            else:
                first += rows - 1
                width -= rows - 1
        _copy(level, first, own, placed, width)
        placed += width
        own_start[j + 1] = placed
    new_indptr = np.empty(total + 1, dtype=np.int64)
    _copy(own_start, 0, new_indptr, 0, n + 1)
    for k in range(num_units):
        new_indptr[n + 1 + k] = placed + part_start[k + 1]
    new_indices = np.empty(placed + used, dtype=np.int32)
    _copy(own, 0, new_indices, 0, placed)
    _copy(parts, 0, new_indices, placed, used)
    for k in range(total):
        _put_in_order(new_indices, new_indptr[k], new_indptr[k + 1])
    return new_indptr, new_indices, new_owner


@borrowing
def _copy(source: Any, begin: Any, target: Any, at: Any, many: Any) -> None:
    # numba's own copying and sorting take longer to compile than all the rest
    for i in range(many):
        target[at + i] = source[begin + i]


@borrowing
def _put_in_order(values: Any, begin: Any, end: Any) -> None:
    """Sort by insertion what is nearly in order: inserted units among a neuron's sources."""
    for i in range(begin + 1, end):
        value, j = values[i], i
        while j > begin and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value
