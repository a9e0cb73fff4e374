"""Multilevel hypergraph partitioning by Mt-KaHyPar [1]_, then repair to rows and columns.

Pseudo-code::

    nodes: units; hyperedges: every source with its readers, weight its spikes
    partition into k blocks for the least connectivity (KM1), k from the bounds
    split every block into clusters that fit, cluster by cluster in unit order
    merge and dissolve clusters as long as that saves some; repeat with k = clusters found, then
    with blocks that are no larger than the columns
    keep the fewest clusters, then the fewest spikes over all rows

KM1 is the number of clusters each source enters beyond the first, which is the traffic up to a
constant. The partitioner bounds the number of units per block but knows no rows: hence the repair.

Complexity: that of the partitioner, about O(S log U), then O(S h) for h clusters that hold one
source on average. Needs the extra ``[partition]``. One thread and the deterministic preset, so that
a seed gives one result.

References
----------
.. [1] Gottesbüren, Heuer, Maas, Sanders, Schlag, "Scalable High-Quality Hypergraph Partitioning",
   ACM Transactions on Algorithms 20(1), 2024.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from optmap.clock import left_s, now, over
from optmap.clustering.kernels.crossbar_fill import check_units_fit, row_limits
from optmap.clustering.kernels.fitting_blocks import fewest_blocks, fitted
from optmap.clustering.kernels.readers_of import readers_of
from optmap.clustering.kernels.twins import twin_classes
from optmap.errors import CapacityError, InputError
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IndexArray

#: How much larger than the mean a block may be, by round; 0: as large as the columns allow.
IMBALANCES = (0.1, 0.1, 0.0)

#: Pins that one thread of the partitioner does in a second, by LeNet-5 over 28 x 28 (14 s).
PINS_PER_S = 30_000

#: A round takes this power of the blocks longer: 9 to 508 blocks 4.1 times (reservoir_1000), 28 to
#: 100 1.6 times (digits_lenet), 48 to 104 1.3 times (edges_64).
BLOCKS_POWER = 0.4

#: Weights are 32 bit in places of the partitioner; larger spike counts are scaled down.
MAX_WEIGHT = 1_000_000


def partition(decomposition: Decomposition, platform: Platform, *, seed: int = 0) -> Clustering:
    """Cluster by hypergraph partitioning.

    Raises
    ------
    CapacityError
        If some unit fits no crossbar.
    InputError
        If the extra ``[partition]`` is not installed.
    CapacityError
        If the partitioner, which knows no limit, would take longer than there is.
    """
    network = decomposition.network
    check_units_fit(network, platform)
    if not network.num_units:
        return Clustering(np.empty(0, dtype=np.int32))
    limits, twins = row_limits(platform.kinds, network.num_neurons), twin_classes(network)
    blocks = fewest_blocks(network, platform)
    best: tuple[tuple[int, int], Clustering] | None = None
    _refuse_too_slow(network)
    expected = 0.0
    for number, imbalance in enumerate(IMBALANCES):
        if number and over(expected):
            break
        began = now()
        even = -(-network.num_units // max(blocks, 1))
        loose = imbalance or min(IMBALANCES[0], max(0.0, platform.max_columns / even - 1))
        block_of = _partitioned(network, blocks, loose, seed)
        score, clustering = fitted(network, twins, limits, block_of)
        if best is None or score < best[0]:
            best = score, clustering
        more = max(1.0, best[1].num_clusters / max(blocks, 1)) ** BLOCKS_POWER
        blocks, expected = best[1].num_clusters, max(expected, more * (now() - began))
    assert best is not None  # there is a round
    return best[1]


def _refuse_too_slow(network: SNN) -> None:
    seconds, left = network.num_synapses / PINS_PER_S, left_s()
    if seconds > left:
        text = f"Mt-KaHyPar takes some {seconds:,.1f} s for {network.num_synapses:,} pins"
        raise CapacityError(f"{text} and knows no limit; {max(left, 0):,.1f} s are left")


def _partitioned(network: SNN, blocks: int, imbalance: float, seed: int) -> IndexArray:
    """Return the block of every unit position."""
    units = network.num_units
    if blocks < 2 or units <= blocks:
        return np.arange(units, dtype=np.int32) % max(blocks, 1)
    kahypar, initializer = _library()
    kahypar.set_seed(seed)
    context = initializer.context_from_preset(kahypar.PresetType.DETERMINISTIC)
    context.set_partitioning_parameters(blocks, imbalance, kahypar.Objective.KM1)
    context.logging = False
    edges, weights = _hyperedges(network)
    graph = initializer.create_hypergraph(context, units, len(edges), edges, [1] * units, weights)
    return np.array(graph.partition(context).get_partition(), dtype=np.int32)


@cache
def _library() -> tuple[Any, Any]:
    """Return the library and its initializer; a second one would complain on standard output."""
    try:
        import mtkahypar
    except ImportError:
        raise InputError(
            "clustering", "hypergraph", "no package mtkahypar", "the extra optmap[partition]"
        ) from None
    return mtkahypar, mtkahypar.initialize(1)


def _hyperedges(network: SNN) -> tuple[list[list[int]], list[int]]:
    """Return, for every source with at least two units on it, those units and its weight."""
    ptr, readers = readers_of(network)
    position = np.full(network.num_neurons, -1, dtype=np.int64)
    position[network.units] = np.arange(network.num_units)
    scale = max(1, -(-int(network.spikes.max()) // MAX_WEIGHT))
    edges, weights = [], []
    for source in range(network.num_neurons):
        pins = set(position[readers[ptr[source] : ptr[source + 1]]].tolist())
        if position[source] >= 0:
            pins.add(int(position[source]))
        if len(pins) > 1:
            edges.append(sorted(pins))
            weights.append(max(1, int(network.spikes[source]) // scale))
    return edges, weights
