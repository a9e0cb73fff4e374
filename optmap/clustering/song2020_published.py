"""The greedy clustering as the authors of [S20]_ published it in code, inputs split over clusters.

Pseudo-code::

    for each neuron in order: pending = its inputs
        for each cluster, by falling rows + columns used at that moment, older first:
            n = how many pending inputs, from the front, its rows take (none without a column)
            if n >= F, or fewer than F are pending and n is all of them:
                it takes them and gives a column to the piece that sums them
                if inputs remain, the piece becomes the first of the pending inputs
        what is left opens new clusters by the same rule

F is one less than the rows of the largest crossbar (127 of 128). The pieces of a neuron form a
chain and become the units of a decomposition of their own, in which the neuron is the last piece,
so that ``check`` and ``evaluate`` judge them like any other.

Complexity: O(S h + P K) time for S synapses, P pieces, K clusters, of which h hold one source on
average; O(S) memory.

Departures from the public code: ties in its sort, which is unstable, are broken by age; where a
take ends inside the neuron's own link the public code gives the neuron a column in two clusters
and never adds the two sums, here the earlier piece is read by the later one and costs a row; on
crossbars of fewer than 3 rows F is 2, since takes of one input would not end. On the five networks
the publication's figures are for it gives the public code's own counts: 601 (whose largest id is
600), 50, 142, 640 and 571 clusters of 128 x 128.

References
----------
.. [S20] Song et al., "Compiling Spiking Neural Networks to Neuromorphic Hardware", LCTES 2020.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from optmap.clustering.kernels.crossbar_fill import row_limits
from optmap.compiled import borrowing, compiled
from optmap.model.decomposition import Decomposition, custom_arrays
from optmap.model.mapping import Clustering
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IndexArray, IntArray


def partition(snn: SNN, platform: Platform, *, seed: int = 0) -> tuple[Decomposition, Clustering]:
    """Decompose and cluster in one go; nothing is random, ``seed`` is accepted for uniformity.

    Returns
    -------
    decomposition : Decomposition
        Policy ``custom``: the pieces as units.
    clustering : Clustering
        One cluster per unit of it.
    """
    limits = row_limits(platform.kinds)
    first = np.concatenate(([0], np.cumsum(snn.fan_out)))
    pieces = _greedy(snn.indptr, snn.indices, snn.units, limits, first)
    owner, begin, end, cluster = (part.copy() for part in pieces)
    last = np.append(owner[1:] != owner[:-1], True)[: len(owner)]
    return _as_units(snn, platform.max_rows, owner, begin, end, cluster, last)


def _as_units(
    snn: SNN,
    rows: int,
    owner: IntArray,
    begin: IntArray,
    end: IntArray,
    cluster: IndexArray,
    last: npt.NDArray[np.bool_],
) -> tuple[Decomposition, Clustering]:
    """Turn pieces (ranges of fan-in) into units: the last of a neuron is the neuron itself."""
    n = snn.num_neurons
    unit = owner.copy()
    unit[~last] = n + np.arange(int((~last).sum()))
    follows = np.zeros(len(owner), dtype=np.bool_)  # reads the piece before it
    follows[1:] = ~last[:-1]
    sizes = np.zeros(n + int((~last).sum()), dtype=np.int64)
    sizes[unit] = end - begin + follows
    indptr = np.concatenate(([0], np.cumsum(sizes)))
    indices = np.empty(indptr[-1], dtype=np.int32)
    _copy_ranges(snn.indices, unit, begin, end, follows, indptr, indices)
    every = np.arange(n, dtype=np.int32)
    decomposition = custom_arrays(
        snn, rows, indptr, indices, np.concatenate((every, owner[~last].astype(np.int32)))
    )
    cluster_of = np.empty(n + int((~last).sum()), dtype=np.int32)
    cluster_of[unit] = cluster
    return decomposition, Clustering(cluster_of[decomposition.network.units])


@compiled
def _copy_ranges(
    raw: Any, unit: Any, begin: Any, end: Any, follows: Any, indptr: Any, indices: Any
) -> Any:
    """Write every unit's fan-in: a range of raw inputs, then the piece before it."""
    for p in range(len(unit)):
        at = indptr[unit[p]]
        for s in range(begin[p], end[p]):
            indices[at] = raw[s]
            at += 1
        if follows[p]:
            indices[at] = unit[p - 1]


@borrowing
def _held_by(holders: Any, start: Any, count: Any, k: Any) -> Any:
    """Tell whether cluster k is among ``holders[start:start + count]``."""
    for h in range(start, start + count):  # noqa: SIM110 - a generator does not compile
        if holders[h] == k:
            return True
    return False


@borrowing
def _count_shared(
    sources: Any, first: Any, held: Any, holders: Any, shared: Any, touched: Any
) -> Any:
    """Count the rows that every cluster shares with these sources; return how many share any."""
    num_touched = 0
    for source in sources:
        for h in range(first[source], first[source] + held[source]):
            k = holders[h]
            if shared[k] == 0:
                touched[num_touched] = k
                num_touched += 1
            shared[k] += 1
    return num_touched


@borrowing
def _hold(sources: Any, first: Any, held: Any, holders: Any, k: Any) -> Any:
    """Put these sources on rows of cluster k; return how many are new there."""
    new = 0
    for source in sources:
        if not _held_by(holders, first[source], held[source], k):
            holders[first[source] + held[source]] = k
            held[source] += 1
            new += 1
    return new


@borrowing
def _with_room(active: Any, num_active: Any, rows: Any, columns: Any, row_limit: Any) -> Any:
    """Drop the clusters that have no row or no column free; return how many are left."""
    kept = 0
    for i in range(num_active):
        k = active[i]
        if rows[k] < row_limit[columns[k] + 1]:
            active[kept] = k
            kept += 1
    return kept


@compiled
def _greedy(indptr: Any, raw: Any, neurons: Any, row_limit: Any, first: Any) -> Any:
    """Return owner, begin, end and cluster of every piece, in the order of taking.

    A piece reads ``raw[begin:end]`` and, unless it is its owner's first, the piece before it. The
    clusters that hold source i are ``holders[first[i]:first[i] + held[i]]``; a piece is read by one
    cluster only and needs no such list.
    """
    most_rows, most_columns = row_limit[1], len(row_limit) - 2
    least_take = max(most_rows - 1, 2)
    capacity = len(neurons) + len(raw)
    owner = np.empty(capacity, dtype=np.int64)
    begin = np.empty(capacity, dtype=np.int64)
    end = np.empty(capacity, dtype=np.int64)
    cluster = np.empty(capacity, dtype=np.int32)
    holders = np.empty(len(raw), dtype=np.int32)
    held = np.zeros(len(first) - 1, dtype=np.int32)
    rows = np.zeros(capacity, dtype=np.int32)
    columns = np.zeros(capacity, dtype=np.int32)
    shared = np.zeros(capacity, dtype=np.int32)
    touched = np.empty(capacity, dtype=np.int32)
    active = np.empty(capacity, dtype=np.int32)  # clusters with a row and a column free
    clusters, num_active, pieces = 0, 0, 0
    for neuron in neurons:
        at, stop = indptr[neuron], indptr[neuron + 1]
        carried = 0  # 1: the piece before is the first of the pending inputs
        past_used, past_age = most_rows + most_columns + 1, -1  # where the walk stands
        while at < stop or carried == 0:  # a neuron without inputs takes a column too
            pending = carried + stop - at
            need = min(pending, least_take)
            # no more than most_rows inputs are taken at once, so no others need be looked at
            ahead = min(stop, at + most_rows - carried)
            num_touched = _count_shared(raw[at:ahead], first, held, holders, shared, touched)
            best, best_used, best_take = -1, -1, 0
            for i in range(num_active + num_touched):
                k = active[i] if i < num_active else touched[i - num_active]
                used = rows[k] + columns[k]
                if used < best_used or (used == best_used and k >= best):
                    continue
                passed = used > past_used or (used == past_used and k <= past_age)
                if passed or columns[k] >= most_columns:
                    continue
                free = row_limit[columns[k] + 1] - rows[k]
                if free < carried or shared[k] + free < need:
                    continue
                take = carried + _prefix(raw, at, ahead, first, held, holders, k, free - carried)
                if take >= need:
                    best, best_used, best_take = k, used, take
            for t in range(num_touched):
                shared[touched[t]] = 0
            if best < 0:
                best, clusters = clusters, clusters + 1
                active[num_active] = best
                num_active += 1
                best_take = carried + ahead - at
                past_used = -1  # only new clusters from here on
            else:
                past_used, past_age = best_used, best
            upto = at + best_take - carried
            rows[best] += carried + _hold(raw[at:upto], first, held, holders, best)
            columns[best] += 1
            owner[pieces], cluster[pieces] = neuron, best
            begin[pieces], end[pieces] = at, upto
            pieces += 1
            at = upto
            carried = 1
        num_active = _with_room(active, num_active, rows, columns, row_limit)
    return owner[:pieces], begin[:pieces], end[:pieces], cluster[:pieces]


@borrowing
def _prefix(
    raw: Any, at: Any, ahead: Any, first: Any, held: Any, holders: Any, k: Any, free: Any
) -> Any:
    """Return how many of ``raw[at:ahead]``, from the front, cluster k can take on its rows."""
    for s in range(at, ahead):
        if not _held_by(holders, first[raw[s]], held[raw[s]], k):
            if free == 0:
                return s - at
            free -= 1
    return ahead - at
