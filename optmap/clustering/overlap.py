"""Clustering by shared axons: grow, merge, dissolve. The strongest greedy clustering here.

Pseudo-code::

    for each seed class not yet placed: grow a cluster by the twin class with fewest new rows
    merge the clusters, most rows first, each into the one that shares most rows with it
    while some cluster's parts all fit elsewhere by the same rule: dissolve it, emptiest first
    repeat from other seed orders, within a fixed amount of work
    merge and dissolve what song2020, and where it is cheap hyperedge-overlap, makes of the units
    keep the fewest clusters, then the fewest spikes over all rows

Seed orders: by falling fan-in, by index, then drawn from ``seed``.

Complexity of one start: O(sum over rows taken of their readers) for growing, O(S h) for h clusters
that hold one source on average; O(S) memory. Twin classes (:mod:`optmap.clustering.kernels.twins`)
make S small where layers are dense or have many channels.

Source: this project's own, after the best-fit rule "most shared axons" of the hypergraph mappers
[1]_ and best-fit decreasing bin packing.

References
----------
.. [1] Ronzani and Silvano, "A Case for Hypergraphs to Model and Map SNNs on Neuromorphic Hardware",
   2026.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from optmap.clustering import hyperedge_overlap, song2020
from optmap.clustering.kernels.crossbar_fill import check_units_fit, row_limits
from optmap.clustering.kernels.growth import grow
from optmap.clustering.kernels.packing import pack
from optmap.clustering.kernels.twins import Twins, twin_classes
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering, compact
from optmap.model.platform import Platform
from optmap.model.snn import IndexArray, IntArray

Parts = tuple[IntArray, IndexArray, IndexArray]

#: Work of all starts together, in row readers met; one start always runs, at most MAX_STARTS do.
WORK = 15_000_000
MAX_STARTS = 12
#: Squares of readers, summed, up to which hyperedge-overlap is cheap.
STREAMING_WORK = 5_000_000
PASSES = 10


def partition(decomposition: Decomposition, platform: Platform, *, seed: int = 0) -> Clustering:
    """Cluster by shared axons.

    Raises
    ------
    CapacityError
        If some unit fits no crossbar.
    """
    network = decomposition.network
    check_units_fit(network, platform)
    if not network.num_units:
        return Clustering(np.empty(0, dtype=np.int32))
    limits, twins = row_limits(platform.kinds, network.num_neurons), twin_classes(network)
    # a cluster per reader, and one more that is being dissolved while its parts move
    room = np.concatenate(([0], np.cumsum(network.fan_out + 1)))
    best: tuple[tuple[int, int], IndexArray, IndexArray, IndexArray] | None = None
    for part_ptr, part_class, part_size in _starts(decomposition, platform, twins, limits, seed):
        bin_of_part, held = pack(
            twins.source_ptr, twins.sources, part_ptr, part_class, part_size, room, limits, PASSES
        )
        score = (len(np.unique(bin_of_part)), int(held @ network.spikes))
        if best is None or score < best[0]:
            best = score, part_class, part_size, bin_of_part
    assert best is not None  # there is at least one seed order
    return _spread(twins, *best[1:])


def _starts(
    decomposition: Decomposition, platform: Platform, twins: Twins, limits: IntArray, seed: int
) -> Iterator[Parts]:
    """Yield the parts of clusters, grown from seeds or made by others, to be merged."""
    for seeds in _seed_orders(twins, seed):
        yield grow(twins, limits, seeds)
    yield _parts(twins, song2020.partition(decomposition, platform, seed=seed))
    readers = decomposition.network.fan_out.astype(np.int64)
    if int((readers * readers).sum()) <= STREAMING_WORK:
        yield _parts(twins, hyperedge_overlap.partition(decomposition, platform, seed=seed))


def _parts(twins: Twins, clustering: Clustering) -> Parts:
    """Return a clustering as parts of classes: where each cluster's begin, class, size."""
    keys = clustering.cluster_of.astype(np.int64) * twins.num_classes + twins.class_of
    found, size = np.unique(keys, return_counts=True)
    cluster, part_class = np.divmod(found, twins.num_classes)
    ends = np.cumsum(np.bincount(cluster, minlength=clustering.num_clusters))
    return (
        np.concatenate(([0], ends)).astype(np.int64),
        part_class.astype(np.int32),
        size.astype(np.int32),
    )


def _seed_orders(twins: Twins, seed: int) -> list[IndexArray]:
    """Return the orders in which classes are tried as seeds, as many as the work allows."""
    every = np.arange(twins.num_classes, dtype=np.int32)
    fan_in = np.diff(twins.source_ptr)
    readers = np.diff(twins.reader_ptr)
    starts = min(MAX_STARTS, max(1, WORK // max(int((readers * readers).sum()), 1)))
    rng = np.random.default_rng(seed)
    orders: list[IndexArray] = [np.lexsort((every, -fan_in)).astype(np.int32), every]
    while len(orders) < starts:
        shuffled = rng.permutation(every)
        by_fan_in = np.lexsort((shuffled, -fan_in)).astype(np.int32)
        orders.append(by_fan_in if len(orders) % 2 else shuffled)
    return orders[:starts]


def _spread(
    twins: Twins, part_class: IndexArray, part_size: IndexArray, bin_of_part: IndexArray
) -> Clustering:
    """Give the members of every class, in order, to its parts."""
    by_class = np.argsort(part_class, kind="stable")
    cluster_of = np.empty(len(twins.members), dtype=np.int32)
    cluster_of[twins.members] = np.repeat(bin_of_part[by_class], part_size[by_class])
    return compact(cluster_of)
