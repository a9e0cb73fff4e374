"""Greedy clustering by utilisation, the first step of the compiler of Song et al. [S20]_.

Pseudo-code::

    for each unit, owner by owner, partial sums before the neuron:
        sort the clusters by falling rows + columns used, older first
        put the unit into the first in which its fan-in union and its column fit
        if there is none, open a cluster

The sort is not carried out. Among clusters that the unit fits whatever they share, the first is
the top of a heap for some row count; among those it fits only because they share rows, all are
met through its sources' lists (:mod:`optmap.clustering.kernels.crossbar_fill`).

Complexity: O(S h + U R) time for S synapses, U units, R rows and h clusters that hold one source on
average; O(S) memory.

Departures from the publication: ties in the sort, unspecified there, are broken by age; a unit's
fan-in is never split over clusters (that is :mod:`optmap.clustering.song2020_published`);
on mixed crossbars a cluster is acceptable while some kind holds it.

References
----------
.. [S20] Song et al., "Compiling Spiking Neural Networks to Neuromorphic Hardware", LCTES 2020.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from optmap.clustering.kernels.crossbar_fill import (
    OPEN,
    check_units_fit,
    empty_fill,
    fits_shared,
    full_that_hold,
    new_cluster,
    place,
    touch,
    untouch,
)
from optmap.compiled import borrowing, laborious
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.platform import Platform


def partition(decomposition: Decomposition, platform: Platform, *, seed: int = 0) -> Clustering:
    """Cluster greedily by utilisation; nothing is random, ``seed`` is accepted for uniformity.

    Raises
    ------
    CapacityError
        If some unit fits no crossbar.

    Examples
    --------
    >>> from optmap.decomposing.contract import decompose
    >>> from optmap.model.platform import Crossbar, Interconnect, Tile
    >>> from optmap.model.snn import from_edges
    >>> snn = from_edges([0, 1, 1, 2, 0, 1], [3, 3, 4, 4, 5, 5], 6)
    >>> platform = Platform("toy", (Tile(Crossbar(2, 2)),), Interconnect("mesh", 1, 1))
    >>> partition(decompose(snn, 2, "tree"), platform).cluster_of.tolist()
    [0, 1, 0]
    """
    network = decomposition.network
    check_units_fit(network, platform)
    fill = empty_fill(network, platform.kinds)
    units = network.units[decomposition.visit_order]
    levels = np.unique(fill.row_limit[1:-1])[::-1].copy()
    cluster_of = np.empty(network.num_neurons, dtype=np.int32)
    _greedy(fill, units, levels, cluster_of)
    return Clustering(cluster_of[network.units])


class Heaps(NamedTuple):
    """Skew heaps of clusters, most columns first, then age; -1 where there is none.

    Parameters
    ----------
    columns : (K,) array
        Columns of each cluster, changed from outside only while it is in no heap.
    left, right, parent : (K,) int32 arrays
        Of each cluster in its heap.
    spine : (K,) int32 array
        Work space.
    """

    columns: Any
    left: Any
    right: Any
    parent: Any
    spine: Any


@laborious
def _greedy(fill: Any, units: Any, levels: Any, cluster_of: Any) -> Any:
    """Fill ``cluster_of`` (by neuron) for ``units`` in the order given.

    ``levels`` are the distinct row limits, falling. Open clusters live in one skew heap for every
    (level of their row limit, rows used), most columns first, then age.
    """
    most = levels[0] + 1  # row counts 0..R
    root = np.full((len(levels), most), -1, dtype=np.int32)
    heaps = Heaps(
        fill.columns,
        np.full(len(units), -1, dtype=np.int32),
        np.full(len(units), -1, dtype=np.int32),
        np.full(len(units), -1, dtype=np.int32),
        np.empty(len(units), dtype=np.int32),
    )
    fitting = np.empty(len(units), dtype=np.int32)
    level_of = np.zeros(len(fill.row_limit), dtype=np.int32)
    for c in range(len(level_of)):
        for h in range(len(levels)):
            if fill.row_limit[c] == levels[h]:
                level_of[c] = h
    for unit in units:
        fan_in = fill.indptr[unit + 1] - fill.indptr[unit]
        best, best_used = _fullest_with_room(root, levels, fill.columns, fan_in)
        touch(fill, unit)
        for i in range(fill.counts[1]):
            k = fill.touched[i]
            used = fill.rows[k] + fill.columns[k]
            if (used > best_used or (used == best_used and k < best)) and fits_shared(
                fill, k, fan_in
            ):
                best, best_used = k, used
        untouch(fill)
        for i in range(full_that_hold(fill, unit, fitting)):
            k = fitting[i]
            used = fill.rows[k] + fill.columns[k]
            if used > best_used or (used == best_used and k < best):
                best, best_used = k, used
        if best < 0:
            best = new_cluster(fill)
        elif fill.state[best] == OPEN:
            h = level_of[fill.columns[best] + 1]
            _remove(heaps, root, h, fill.rows[best], best)
        place(fill, unit, best)
        cluster_of[unit] = best
        if fill.state[best] == OPEN:
            h = level_of[fill.columns[best] + 1]
            root[h, fill.rows[best]] = _meld(heaps, root[h, fill.rows[best]], best)


@borrowing
def _fullest_with_room(root: Any, levels: Any, columns: Any, fan_in: Any) -> Any:
    """Return the fullest open cluster with ``fan_in`` rows free (-1: none) and what it uses."""
    best, best_used = -1, -1
    for h in range(len(levels)):
        for rows in range(levels[h] - fan_in, -1, -1):
            k = root[h, rows]
            if k < 0:
                continue
            used = rows + columns[k]
            if used > best_used or (used == best_used and k < best):
                best, best_used = k, used
    return best, best_used


@borrowing
def _meld(heaps: Heaps, a: Any, b: Any) -> Any:
    """Join two skew heaps (either may be -1) and return the root."""
    columns, left, right = heaps.columns, heaps.left, heaps.right
    parent, spine = heaps.parent, heaps.spine
    depth = 0
    while a >= 0 and b >= 0:
        if columns[b] > columns[a] or (columns[b] == columns[a] and b < a):
            a, b = b, a
        spine[depth] = a
        depth += 1
        a = right[a]
    last = a if a >= 0 else b
    while depth > 0:
        depth -= 1
        node = spine[depth]
        right[node] = left[node]
        left[node] = last
        if last >= 0:
            parent[last] = node
        last = node
    if last >= 0:
        parent[last] = -1
    return last


@borrowing
def _remove(heaps: Heaps, root: Any, h: Any, rows: Any, node: Any) -> Any:
    """Take ``node`` out of its heap."""
    left, right, parent = heaps.left, heaps.right, heaps.parent
    above = parent[node]
    joined = _meld(heaps, left[node], right[node])
    left[node] = right[node] = parent[node] = -1
    if above < 0:
        root[h, rows] = joined
    else:
        if left[above] == node:
            left[above] = joined
        else:
            right[above] = joined
        if joined >= 0:
            parent[joined] = above
