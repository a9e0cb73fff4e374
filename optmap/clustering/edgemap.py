"""Streaming clustering by connections, in the style of EdgeMap [1]_.

Pseudo-code::

    for each unit in breadth-first order from the inputs:
        score of a cluster = spikes exchanged with its units * its share of free columns
        put the unit into the open cluster of highest score in which it fits (older first)
        if no connected cluster takes it: into the latest cluster, if it fits there
        else open a cluster

Complexity: O(S h) time for h clusters that hold one source on average; O(S) memory; one pass.

Source: the publication's first stage, a streaming partition with a linear penalty (LDG [2]_) under
fan-in and core size. Departures: scores are whole numbers; a cluster without a free row is not
looked at again; axons shared without a connection do not count, as in the publication, though they
decide whether a unit fits.

References
----------
.. [1] Xue et al., "EdgeMap: An Optimized Mapping Toolchain for Spiking Neural Network in Edge
   Computing", Sensors 23(14), 2023.
.. [2] Stanton and Kliot, "Streaming Graph Partitioning for Large Distributed Graphs", KDD 2012.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from optmap.clustering.kernels.crossbar_fill import (
    OPEN,
    check_units_fit,
    empty_fill,
    fits_shared,
    new_cluster,
    place,
    touch,
    untouch,
)
from optmap.clustering.kernels.readers_of import readers_of
from optmap.compiled import borrowing, compiled
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.platform import Platform


def partition(decomposition: Decomposition, platform: Platform, *, seed: int = 0) -> Clustering:
    """Cluster in one pass; nothing is random, ``seed`` is accepted for uniformity.

    Raises
    ------
    CapacityError
        If some unit fits no crossbar.
    """
    network = decomposition.network
    check_units_fit(network, platform)
    ptr, readers = readers_of(network)
    order = _breadth_first(network.indptr, network.is_unit, ptr, readers)
    cluster_of = np.full(network.num_neurons, -1, dtype=np.int32)
    fill = empty_fill(network, platform.kinds)
    _stream(fill, order, ptr, readers, network.spikes, cluster_of)
    return Clustering(cluster_of[network.units])


@compiled
def _breadth_first(indptr: Any, is_unit: Any, ptr: Any, readers: Any) -> Any:
    """Return the units in breadth-first order from the inputs, then from the lowest unit left.

    Units that read nothing are in the first front too.
    """
    n = len(indptr) - 1
    order = np.empty(n, dtype=np.int32)
    seen = np.zeros(n, dtype=np.bool_)
    count = 0
    for start_at_inputs in (True, False):
        for root in range(n):
            is_input = indptr[root] == indptr[root + 1]
            if start_at_inputs != is_input or seen[root]:
                continue
            seen[root] = True
            order[count] = root
            done = count
            count += 1
            if start_at_inputs:
                continue  # all inputs form the first front
            while done < count:
                count = _visit(order[done], ptr, readers, seen, order, count)
                done += 1
        if start_at_inputs:
            done = 0
            while done < count:
                count = _visit(order[done], ptr, readers, seen, order, count)
                done += 1
    units = np.empty(n, dtype=np.int32)
    kept = 0
    for i in range(count):
        if is_unit[order[i]]:
            units[kept] = order[i]
            kept += 1
    return units[:kept]


@borrowing
def _visit(neuron: Any, ptr: Any, readers: Any, seen: Any, order: Any, count: Any) -> Any:
    """Append the unseen readers of a neuron; return the new count."""
    for r in range(ptr[neuron], ptr[neuron + 1]):
        if not seen[readers[r]]:
            seen[readers[r]] = True
            order[count] = readers[r]
            count += 1
    return count


@compiled
def _stream(fill: Any, order: Any, ptr: Any, readers: Any, spikes: Any, cluster_of: Any) -> Any:
    """Fill ``cluster_of`` (by neuron; -1 for inputs)."""
    most_columns = len(fill.row_limit) - 2
    exchanged = np.zeros(len(order), dtype=np.int64)
    met = np.empty(len(order), dtype=np.int32)
    indptr, indices, columns, state = fill.indptr, fill.indices, fill.columns, fill.state
    latest = -1
    for unit in order:
        num_met = 0
        for s in range(indptr[unit], indptr[unit + 1]):
            k = cluster_of[indices[s]]
            if k >= 0 and state[k] == OPEN:
                if exchanged[k] == 0:
                    met[num_met] = k
                    num_met += 1
                exchanged[k] += max(spikes[indices[s]], 1)
        for r in range(ptr[unit], ptr[unit + 1]):
            k = cluster_of[readers[r]]
            if k >= 0 and state[k] == OPEN:
                if exchanged[k] == 0:
                    met[num_met] = k
                    num_met += 1
                exchanged[k] += max(spikes[unit], 1)
        touch(fill, unit)
        fan_in = indptr[unit + 1] - indptr[unit]
        best, best_score = -1, 0
        for i in range(num_met):
            k = met[i]
            score = exchanged[k] * (most_columns - columns[k])
            exchanged[k] = 0
            better = score > best_score or (score == best_score and k < best)
            if better and fits_shared(fill, k, fan_in):
                best, best_score = k, score
        if best < 0 and latest >= 0 and state[latest] == OPEN and fits_shared(fill, latest, fan_in):
            best = latest
        untouch(fill)
        if best < 0:
            best = new_cluster(fill)
            latest = best
        place(fill, unit, best)
        cluster_of[unit] = best
