"""Kernels of the policies ``chain`` and ``tree``: runs of inputs, cut without looking at spikes."""

from __future__ import annotations

from typing import Any

import numpy as np

from optmap.compiled import compiled
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
    new_owner = np.arange(total).astype(np.int32)
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
        level[:width] = indices[indptr[j] : indptr[j + 1]]
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
                for i in range(first + taken, first + stop):
                    parts[used] = level[i]
                    used += 1
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
        for i in range(width):
            own[placed + i] = level[first + i]
        placed += width
        own_start[j + 1] = placed
    new_indptr = np.empty(total + 1, dtype=np.int64)
    new_indptr[: n + 1] = own_start
    new_indptr[n + 1 :] = placed + part_start[1:]
    new_indices = np.concatenate((own[:placed], parts[:used]))
    for k in range(total):
        if k >= n or new_owner[k] == k:
            new_indices[new_indptr[k] : new_indptr[k + 1]].sort()
    return new_indptr, new_indices, new_owner
