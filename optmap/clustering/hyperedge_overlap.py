"""One cluster at a time by overlap of hyperedges, in the style of Ronzani and Silvano [1]_.

Pseudo-code::

    while units are left:
        open a cluster with the unit whose axons carry most spikes
        while a unit that shares axons with the cluster fits:
            add the one whose shared axons carry most spikes (ties: fewest new rows, lowest index)
        if the next unit by carried spikes fits although it shares nothing: add it, go on

An axon with its readers is a hyperedge; what a unit shares with a cluster is the overlap. The next
cluster starts with the unit of most overlap that did not fit the one just closed, if there is one,
so that neighbours follow each other.

Complexity: O(sum over rows taken of their readers * log U) time, O(S) memory.

Departures from the publication: overlap is counted over fan-in only, since only the sources of a
unit take rows; ties are fixed.

References
----------
.. [1] Ronzani and Silvano, "A Case for Hypergraphs to Model and Map SNNs on Neuromorphic Hardware",
   2026, arXiv 2601.16118.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from optmap.clustering.kernels.crossbar_fill import check_units_fit, row_limits
from optmap.clustering.kernels.highest import Highest, empty, empty_heap, rise, take_first
from optmap.clustering.kernels.readers_of import readers_of
from optmap.compiled import borrowing, compiled
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.platform import Platform


def partition(decomposition: Decomposition, platform: Platform, *, seed: int = 0) -> Clustering:
    """Cluster by overlap; nothing is random, ``seed`` is accepted for uniformity.

    Raises
    ------
    CapacityError
        If some unit fits no crossbar.
    """
    network = decomposition.network
    check_units_fit(network, platform)
    weight = np.maximum(network.spikes, 1)
    carried = np.zeros(network.num_neurons, dtype=np.int64)
    np.add.at(carried, network.post_of_synapse(), weight[network.indices])
    units = network.units
    seeds = units[np.lexsort((units, -carried[units]))]
    ptr, readers = readers_of(network)
    limits = row_limits(platform.kinds, network.num_neurons)
    cluster_of = _overlap(network.indptr, network.indices, ptr, readers, weight, seeds, limits)
    return Clustering(cluster_of[units])


class Near(NamedTuple):
    """Neurons that share rows with the open cluster.

    Parameters
    ----------
    overlap : Highest
        Those that came to share more since they were found too large, by the weight of the rows
        they share, then by the new rows that they need.
    touched : (N,) int32 array
        Which neurons share a row.
    """

    overlap: Highest
    touched: Any


@borrowing
def _share(readers: Any, weight: Any, cluster_of: Any, near: Near, num_touched: Any) -> Any:
    """Enter the free readers of a new row; return how many are touched by now."""
    overlap, touched = near
    for reader in readers:
        if cluster_of[reader] >= 0:
            continue
        if overlap.key[reader] == 0:
            touched[num_touched] = reader
            num_touched += 1
        overlap.key[reader] += weight
        overlap.minor[reader] -= 1
        rise(overlap, reader)
    return num_touched


@borrowing
def _leave(indptr: Any, near: Near, num_touched: Any) -> None:
    """Forget what others share with a full cluster."""
    empty(near.overlap)
    for reader in near.touched[:num_touched]:
        near.overlap.key[reader] = 0
        near.overlap.minor[reader] = indptr[reader + 1] - indptr[reader]


@borrowing
def _free(seeds: Any, cluster_of: Any, at: Any) -> Any:
    """Return the first place from ``at`` on whose seed is in no cluster; their number if none."""
    while at < len(seeds) and cluster_of[seeds[at]] >= 0:
        at += 1
    return at


@compiled
def _overlap(
    indptr: Any, indices: Any, ptr: Any, readers: Any, weight: Any, seeds: Any, row_limit: Any
) -> Any:
    """Return the cluster of every neuron; -1 for inputs."""
    n, most_columns = len(indptr) - 1, len(row_limit) - 2
    cluster_of = np.full(n, -1, dtype=np.int32)
    on_row_of = np.full(n, -1, dtype=np.int32)
    near = Near(empty_heap(np.zeros(n, dtype=np.int64)), np.empty(n, dtype=np.int32))
    new_rows = near.overlap.minor
    for reader in range(n):
        new_rows[reader] = indptr[reader + 1] - indptr[reader]
    clusters, next_seed, following = 0, 0, -1
    while True:
        unit = following
        if unit < 0 or cluster_of[unit] >= 0:
            next_seed = _free(seeds, cluster_of, next_seed)
            if next_seed == len(seeds):
                return cluster_of
            unit = int(seeds[next_seed])
        following = -1
        rows, columns, num_touched = 0, 0, 0
        while unit >= 0:
            cluster_of[unit] = clusters
            columns += 1
            for s in range(indptr[unit], indptr[unit + 1]):
                source = indices[s]
                if on_row_of[source] == clusters:
                    continue
                on_row_of[source] = clusters
                rows += 1
                among = readers[ptr[source] : ptr[source + 1]]
                num_touched = _share(among, weight[source], cluster_of, near, num_touched)
            unit = -1
            while unit < 0 and columns < most_columns:
                candidate = take_first(near.overlap)
                if candidate < 0:
                    break
                if rows + new_rows[candidate] <= row_limit[columns + 1]:
                    unit = candidate
                elif following < 0:
                    following = candidate
            if unit < 0 and columns < most_columns:
                next_seed = _free(seeds, cluster_of, next_seed)
            if unit < 0 and columns < most_columns and next_seed < len(seeds):
                candidate = int(seeds[next_seed])
                if rows + new_rows[candidate] <= row_limit[columns + 1]:
                    unit = candidate
        _leave(indptr, near, num_touched)
        clusters += 1
