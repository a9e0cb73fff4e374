"""Random order, first fit: the baseline that any idea has to beat.

Pseudo-code::

    shuffle the units
    for each unit: put it into the oldest cluster in which its rows and its column fit
    if there is none, open a cluster

Complexity: O(S h + U log U) time for h clusters that hold one source on average; O(S) memory.
"""

from __future__ import annotations

import numpy as np

from optmap.clustering.kernels.crossbar_fill import check_units_fit, empty_fill
from optmap.clustering.kernels.first_fit import first_fit
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.platform import Platform


def partition(decomposition: Decomposition, platform: Platform, *, seed: int = 0) -> Clustering:
    """Cluster the units in an order drawn from ``seed``, first fit.

    Raises
    ------
    CapacityError
        If some unit fits no crossbar.
    """
    network = decomposition.network
    check_units_fit(network, platform)
    fill = empty_fill(network, platform.kinds)
    units = network.units[np.random.default_rng(seed).permutation(network.num_units)]
    cluster_of = np.empty(network.num_neurons, dtype=np.int32)
    first_fit(fill, units, cluster_of)
    return Clustering(cluster_of[network.units])
