"""Multilevel hypergraph partitioning by Mt-KaHyPar [1]_, then repair to rows and columns.

Pseudo-code::

    nodes: units; hyperedges: every source with its readers, weight its spikes
    partition into k blocks for the least connectivity (KM1), k from the bounds
    split every block into clusters that fit, cluster by cluster in unit order
    merge and dissolve clusters as long as that saves some; repeat with k = clusters found, then
    with blocks that are no larger than the columns
    keep the fewest clusters, then the fewest spikes over all rows
    where the limit ended the first partition: blocks of units in order, split and merged likewise

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

from importlib.util import find_spec

import numpy as np

from optmap.clock import left_s, now, over
from optmap.clustering.kernels.crossbar_fill import check_units_fit, row_limits
from optmap.clustering.kernels.fitting_blocks import fewest_blocks, fitted
from optmap.clustering.kernels.mt_kahypar import (
    Hypergraph,
    Wanted,
    partitioned,
    partitioned_within,
)
from optmap.clustering.kernels.readers_of import readers_of
from optmap.clustering.kernels.twins import twin_classes
from optmap.errors import InputError
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IndexArray

#: How much larger than the mean a block may be, by round; 0: as large as the columns allow.
IMBALANCES = (0.1, 0.1, 0.0)

#: Pins that one thread of the partitioner does in a second, by LeNet-5 over 28 x 28 (14 s).
PINS_PER_S = 30_000

#: Where a round is expected to take longer than QUICK_S, or than a FAR-th part of the seconds left,
#: the partitioner, which knows no limit, runs in a process of its own that is ended at the limit.
QUICK_S, FAR = 0.5, 10

#: Seconds a pin that writing it down for the partitioner takes, or repair.
BESIDE_S = 4e-7

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
    """
    network = decomposition.network
    check_units_fit(network, platform)
    if not network.num_units:
        return Clustering(np.empty(0, dtype=np.int32))
    limits, twins = row_limits(platform.kinds, network.num_neurons), twin_classes(network)
    blocks = fewest_blocks(network, platform)
    best: tuple[tuple[int, int], Clustering] | None = None
    expected, beside_s = network.num_synapses / PINS_PER_S, BESIDE_S * network.num_synapses
    for number, imbalance in enumerate(IMBALANCES):
        if number and over(expected):
            break
        began = now()
        even = -(-network.num_units // max(blocks, 1))
        loose = imbalance or min(IMBALANCES[0], max(0.0, platform.max_columns / even - 1))
        block_of = _partitioned(network, Wanted(blocks, loose, seed), expected)
        if block_of is None:
            over(2 * beside_s)  # the row says so
            if best is not None:
                break
            block_of = _in_order(network.num_units, blocks)
        score, clustering = fitted(network, twins, limits, block_of)
        if best is None or score < best[0]:
            best = score, clustering
        more = max(1.0, best[1].num_clusters / max(blocks, 1)) ** BLOCKS_POWER
        took = more * (now() - began)
        blocks, expected = best[1].num_clusters, max(expected, took) if number else took
    assert best is not None  # there is a round
    return best[1]


def _partitioned(network: SNN, wanted: Wanted, expected: float) -> IndexArray | None:
    """Return the block of every unit position; None where the limit leaves no time for them."""
    units, blocks, beside_s = network.num_units, wanted.blocks, BESIDE_S * network.num_synapses
    if blocks < 2 or units <= blocks:
        return np.arange(units, dtype=np.int32) % max(blocks, 1)
    if left_s() <= 2 * beside_s:
        return None
    if find_spec("mtkahypar") is None:
        wants = "the extra optmap[partition]"
        raise InputError("clustering", "hypergraph", "no package mtkahypar", wants)
    graph = Hypergraph(units, *_hyperedges(network))
    left = left_s() - beside_s
    quick = expected <= QUICK_S and FAR * expected <= left
    found = partitioned(graph, wanted) if quick else partitioned_within(graph, wanted, left)
    return None if found is None else np.array(found, dtype=np.int32)


def _in_order(units: int, blocks: int) -> IndexArray:
    """Return blocks of units in order."""
    return (np.arange(units) * blocks // units).astype(np.int32)


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
