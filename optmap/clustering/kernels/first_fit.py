"""First fit: each unit into the oldest cluster in which its rows and its column fit.

Clusters that the unit fits whatever they share are found by a tree over the clusters' free rows,
the others through the sources' lists (:mod:`optmap.clustering.kernels.crossbar_fill`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from optmap.clustering.kernels.crossbar_fill import (
    OPEN,
    fits_shared,
    full_that_hold,
    new_cluster,
    place,
    touch,
    untouch,
)
from optmap.compiled import compiled


@compiled
def first_fit(fill: Any, units: Any, cluster_of: Any) -> Any:
    """Fill ``cluster_of`` (by neuron) for ``units`` in the order given."""
    leaves = 1
    while leaves < len(units):
        leaves *= 2
    # free[leaves + k]: rows cluster k still offers to a unit that shares none; parents: the maximum
    free = np.full(2 * leaves, -1, dtype=np.int32)
    fitting = np.empty(len(units), dtype=np.int32)
    for unit in units:
        fan_in = fill.indptr[unit + 1] - fill.indptr[unit]
        best = len(units)
        if free[1] >= fan_in:
            node = 1
            while node < leaves:
                node = 2 * node if free[2 * node] >= fan_in else 2 * node + 1
            best = node - leaves
        touch(fill, unit)
        for i in range(fill.counts[1]):
            k = fill.touched[i]
            if k < best and fits_shared(fill, k, fan_in):
                best = k
        untouch(fill)
        for i in range(full_that_hold(fill, unit, fitting)):
            best = min(best, fitting[i])
        if best == len(units):
            best = new_cluster(fill)
        place(fill, unit, best)
        cluster_of[unit] = best
        room = -1
        if fill.state[best] == OPEN:
            room = fill.row_limit[fill.columns[best] + 1] - fill.rows[best]
        node = leaves + best
        free[node] = room
        while node > 1:
            node //= 2
            free[node] = max(free[2 * node], free[2 * node + 1])
