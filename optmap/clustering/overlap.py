"""Clustering by shared axons: grow, merge, dissolve. The strongest greedy clustering here.

Pseudo-code::

    where it is cheap, grow enclosed clusters, which begin where most is placed around, two starts
        if these are many, grow the emptiest anew with some near it, again and again
    for each seed class not yet placed: grow a cluster by the twin class with fewest new rows
    repeat from other seed orders, within a fixed amount of work
    take what song2020, and where it is cheap hyperedge-overlap, makes of the units
    merge the clusters of each, most rows first, each into the one that shares most rows with it
    while some cluster's parts all fit elsewhere by the same rule: dissolve it, emptiest first
    keep the fewest clusters, then the fewest spikes over all rows

Seed orders: by falling fan-in, by index, then drawn from ``seed``. What is cheap is decided by
counts of readers, never by a clock.

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
from operator import itemgetter

import numpy as np

from optmap.clustering import hyperedge_overlap, song2020
from optmap.clustering.kernels.crossbar_fill import check_units_fit, row_limits
from optmap.clustering.kernels.growth import Near, Parts, grow, near_classes
from optmap.clustering.kernels.packing import pack
from optmap.clustering.kernels.regrowth import Packed, regrow
from optmap.clustering.kernels.twins import Twins, twin_classes
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering, compact
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IndexArray, IntArray

#: Work of all starts together, in row readers met; one start always runs, and so many at most:
#: more of them where one meets few readers, fewer where clusters are grown anew in that time.
WORK = 15_000_000
MAX_STARTS, MORE_STARTS, FEW_READERS, FEWER_STARTS = 6, 12, 400_000, 4
#: Squares of readers, summed, up to which hyperedge-overlap is cheap.
STREAMING_WORK = 5_000_000
#: Squares of classes that read a source, summed, up to which enclosed clusters are grown, two
#: starts of them, and clusters of each anew: that takes so many times as much, at most so much.
#: Arrays have so many entries.
ENCLOSED_WORK = 2_000_000
REGROWN_TIMES, REGROWN_MOST, REGROWN_ENTRIES = 20, 2_000_000, 4_000_000
#: Among fewer clusters nothing is grown anew: a few of them are nearly all.
REGROWN_LEAST = 10


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

    def merged(parts: Parts, wanted: int) -> tuple[tuple[int, int], Packed]:
        """Return clusters and spikes over all rows, and the parts, merged and dissolved.

        Where more clusters than ``wanted`` are left for sure, none is dissolved.
        """
        bin_of_part, held = pack(twins.source_ptr, twins.sources, *parts, room, limits, wanted)
        used = np.bincount(bin_of_part) > 0
        number = np.cumsum(used, dtype=np.int32) - np.int32(1)
        packed = Packed(parts.classes, parts.sizes, number[bin_of_part])
        return (int(number[-1]) + 1, int(held @ network.spikes)), packed

    near = near_classes(twins) if _squares(twins) <= ENCLOSED_WORK else None
    any_number = network.num_units
    found = [merged(parts, any_number) for parts in _enclosed(twins, near, limits)] if near else []
    fewest = min((clusters for (clusters, _), _ in found), default=any_number)
    anew = near is not None and _is_worth_regrowing(fewest, len(limits))
    if near and anew:
        work = min(REGROWN_TIMES * _squares(twins), REGROWN_MOST)
        grown = [
            regrow(twins, near, limits, packed, work, drawn)
            for drawn, (_, packed) in enumerate(found, seed)
        ]
        found += (merged(parts, fewest) for parts in grown)
        fewest = min(clusters for (clusters, _), _ in found)
    others = []
    for parts in _starts(decomposition, platform, twins, limits, seed, anew):
        others.append(merged(parts, fewest))
        fewest = min(fewest, others[-1][0][0])
    # among equals the first counts: starts that do not enclose keep readers nearer to each other
    return _spread(twins, min([*others, *found], key=itemgetter(0))[1])


def may_grow_anew(network: SNN) -> bool:
    """Tell whether clusters may be grown anew where no fan-in is cut: the classes are counted."""
    readers = network.fan_out.astype(np.int64)
    if int((readers * readers).sum()) <= ENCLOSED_WORK:
        return True  # classes are no more than readers
    return _squares(twin_classes(network)) <= ENCLOSED_WORK


def _is_worth_regrowing(clusters: int, columns: int) -> bool:
    """Say whether growing clusters anew has room and something to choose from."""
    return clusters >= REGROWN_LEAST and clusters * columns <= REGROWN_ENTRIES


def _squares(twins: Twins) -> int:
    """Return the squares of the classes that read a source, summed: the readers a start meets."""
    readers = np.diff(twins.reader_ptr)
    return int((readers * readers).sum())


def _enclosed(twins: Twins, near: Near, limits: IntArray) -> Iterator[Parts]:
    """Yield the parts of enclosed clusters, two starts of them."""
    # all that matters of the order is the first seed, where networks are connected
    every = np.arange(twins.num_classes, dtype=np.int32)
    for begin in (twins.num_classes // 3, twins.num_classes - 1):
        yield grow(twins, limits, np.roll(every, -begin), near)


def _starts(
    decomposition: Decomposition,
    platform: Platform,
    twins: Twins,
    limits: IntArray,
    seed: int,
    fewer: bool,
) -> Iterator[Parts]:
    """Yield the parts of clusters, grown from seeds or made by others, to be merged."""
    for seeds in _seed_orders(twins, seed, fewer):
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
    return Parts(
        np.concatenate(([0], ends)).astype(np.int64),
        part_class.astype(np.int32),
        size.astype(np.int32),
    )


def _seed_orders(twins: Twins, seed: int, fewer: bool) -> list[IndexArray]:
    """Return the orders in which classes are tried as seeds, as many as the work allows."""
    every = np.arange(twins.num_classes, dtype=np.int32)
    fan_in = np.diff(twins.source_ptr)
    squares = _squares(twins)
    most = FEWER_STARTS if fewer else MORE_STARTS if squares <= FEW_READERS else MAX_STARTS
    starts = min(most, max(1, WORK // max(squares, 1)))
    rng = np.random.default_rng(seed)
    orders: list[IndexArray] = [np.lexsort((every, -fan_in)).astype(np.int32), every]
    while len(orders) < starts:
        shuffled = rng.permutation(every)
        by_fan_in = np.lexsort((shuffled, -fan_in)).astype(np.int32)
        orders.append(by_fan_in if len(orders) % 2 else shuffled)
    return orders[:starts]


def _spread(twins: Twins, packed: Packed) -> Clustering:
    """Give the members of every class, in order, to its parts."""
    by_class = np.argsort(packed.part_class, kind="stable")
    cluster_of = np.empty(len(twins.members), dtype=np.int32)
    of_members = np.repeat(packed.bin_of_part[by_class], packed.part_size[by_class])
    cluster_of[twins.members] = of_members
    return compact(cluster_of)
