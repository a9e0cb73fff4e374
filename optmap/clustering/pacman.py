"""Population by population, in order: what SpiNNaker's PACMAN does with whole vertices.

Pseudo-code::

    for each unit in the order of its index:
        if it belongs to the same population as the unit before and fits the current cluster:
            put it there
        else open a cluster

Complexity: O(S) time and memory.

Departures from PACMAN: it slices a population by a fixed number of atoms per core; here the slice
ends where the next unit's rows or column do not fit the crossbar. Units inserted by the
decomposition are a population of their own per population they serve.

References
----------
.. [1] Galluppi et al., "A hierachical configuration system for a massively parallel neural hardware
   platform", CF 2012.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from optmap.clustering.kernels.crossbar_fill import check_units_fit, row_limits
from optmap.compiled import compiled
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.platform import Platform


def partition(decomposition: Decomposition, platform: Platform, *, seed: int = 0) -> Clustering:
    """Slice every population in order; nothing is random, ``seed`` is accepted for uniformity.

    Raises
    ------
    CapacityError
        If some unit fits no crossbar.
    """
    network = decomposition.network
    check_units_fit(network, platform)
    population = np.zeros(network.num_neurons, dtype=np.int32)
    for number, p in enumerate(network.populations):
        population[p.first : p.last + 1] = number + 1
    limits = row_limits(platform.kinds, network.num_neurons)
    return Clustering(_slices(network.indptr, network.indices, network.units, population, limits))


@compiled
def _slices(indptr: Any, indices: Any, units: Any, population: Any, row_limit: Any) -> Any:
    """Return the cluster of every unit, in the order of ``units``."""
    cluster_of = np.empty(len(units), dtype=np.int32)
    on_row_of = np.full(len(population), -1, dtype=np.int32)  # latest cluster with this source
    current, rows, columns = -1, 0, 0
    previous = -1
    for p in range(len(units)):
        unit = units[p]
        new = 0
        if current >= 0:
            for s in range(indptr[unit], indptr[unit + 1]):
                new += on_row_of[indices[s]] != current
        fits = current >= 0 and rows + new <= row_limit[columns + 1]
        if population[unit] != previous or not fits:
            previous = population[unit]
            current, rows, columns = current + 1, 0, 0
        for s in range(indptr[unit], indptr[unit + 1]):
            if on_row_of[indices[s]] != current:
                on_row_of[indices[s]] = current
                rows += 1
        columns += 1
        cluster_of[p] = current
    return cluster_of
