"""Hill climbing on throughput by moves and swaps: the binding of DFSynthesizer [DFS]_.

Pseudo-code::

    bind the clusters by falling tau, each to the tile with the fewest ticks so far
    repeat: for the clusters on a critical cycle, in random order, and all tiles and partners:
        if moving or swapping lowers the period (then the spike hops): do it, start again
    until nothing does, or the evaluations are spent

Only what touches a critical cycle can shorten it. A move that would leave a tile with more than the
present period of work cannot either, and is not tried; nor is the period computed of one that
leaves a tile with all of it and the spike hops no fewer. Periods are those of the projected order
(:mod:`optmap.ordering.projection`), kept up to date by replacing the edges that a move
changes (:mod:`optmap.binding.kernels.period_search`).

Complexity: O(K + E) per evaluation outside the incremental cycle ratio.

Departures from [DFS]: it swaps only, here a cluster may also move; the start is balanced instead of
random; ``evaluations`` are counted, not seconds, so that a seed gives one result.

References
----------
.. [DFS] Song et al., "DFSynthesizer: Dataflow-based Synthesis of Spiking Neural Networks to
   Neuromorphic Hardware", ACM TECS 2022, arXiv 2108.02023.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from optmap.binding.kernels.period_search import PeriodSearch
from optmap.binding.kernels.tile_room import TileRoom, any_binding
from optmap.clock import over
from optmap.judge.binding_aware_graph import firing_times, refuse_short_buffers
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.platform import Platform
from optmap.model.snn import IntArray
from optmap.ordering.kernels.single_tile import single_tile_order

#: Evaluations are cut so that they meet about so many edges in all.
WORK = 20_000_000
MOST_EVALUATIONS = 2000


def bind(
    graph: ClusterGraph,
    platform: Platform,
    *,
    seed: int = 0,
    start: Binding | None = None,
    expired: Callable[[], bool] = over,
) -> Binding:
    """Climb from ``start``, or from a balanced binding, until ``expired`` says to stop.

    Raises
    ------
    CapacityError
        If no binding was found, with the numbers.
    """
    refuse_short_buffers(graph, platform)
    start = start or balanced(graph, platform, seed=seed)
    if graph.num_clusters < 2 or platform.num_tiles < 2:
        return start
    climb = _Climb(graph, platform, start, np.random.default_rng(seed), expired)
    while climb.step():
        pass
    return Binding(climb.search.tile_of.astype(np.int32))


def balanced(graph: ClusterGraph, platform: Platform, *, seed: int) -> Binding:
    """Bind by falling tau, each cluster to the tile with the fewest ticks that can take it.

    Raises
    ------
    CapacityError
        If no binding was found, with the numbers.
    """
    room, ticks = TileRoom(graph, platform), np.zeros(platform.num_tiles, dtype=np.int64)
    for cluster in np.lexsort((np.arange(graph.num_clusters), -graph.tau)).tolist():
        tiles = room.tiles_for(cluster)
        if not len(tiles):
            return any_binding(graph, platform, seed)
        tile = int(tiles[np.argmin(ticks[tiles])])
        ticks[tile] += graph.tau[cluster]
        room.put(cluster, tile)
    return room.binding()


class _Climb:
    """The present binding, its period and its spike hops."""

    def __init__(
        self,
        graph: ClusterGraph,
        platform: Platform,
        start: Binding,
        rng: np.random.Generator,
        expired: Callable[[], bool],
    ) -> None:
        self.graph, self.platform, self.rng, self.expired = graph, platform, rng, expired
        self.room = TileRoom(graph, platform)
        for cluster, tile in enumerate(start.tile_of.tolist()):
            self.room.put(cluster, tile)
        tile_of = start.tile_of.astype(np.int64)
        self.search = PeriodSearch(graph, platform, single_tile_order(graph), tile_of)
        edges = 2 * graph.num_clusters + 6 * graph.num_channels
        self.left = min(MOST_EVALUATIONS, WORK // edges)
        self.value = self.search.period, self._hops()
        ends = np.concatenate((graph.source, graph.target))
        by_cluster = np.argsort(ends, kind="stable")
        ptr = np.searchsorted(ends[by_cluster], np.arange(graph.num_clusters + 1))
        channels = by_cluster % max(graph.num_channels, 1)
        self.channels = [channels[i:j] for i, j in pairwise(ptr.tolist())]

    def _hops(self) -> int:
        tile, graph = self.search.tile_of, self.graph
        hops = self.platform.hops_between(tile[graph.source], tile[graph.target])
        return int(hops @ graph.spikes)

    def step(self) -> bool:
        """Make the first move found that improves; tell whether there was one."""
        tau, tile_of = self.graph.tau, self.search.tile_of
        ticks = np.zeros(self.platform.num_tiles, dtype=np.int64)
        np.add.at(ticks, tile_of, tau)
        most = self.value[0].numerator // self.value[0].denominator
        for a in self.rng.permutation(self.search.critical_clusters()).tolist():
            home = tile_of[a]
            others = self.rng.permutation(self.graph.num_clusters)
            there = ticks[tile_of[others]] + tau[a] - tau[others]
            here = ticks[home] + tau[others] - tau[a]
            hopeful = (tile_of[others] != home) & (np.maximum(there, here) <= most)
            for b in others[hopeful].tolist():
                if self._try(a, b, int(tile_of[b])):
                    return True
            tiles = self.rng.permutation(self.platform.num_tiles)
            for tile in tiles[(tiles != home) & (ticks[tiles] + tau[a] <= most)].tolist():
                if self._try(a, None, tile):
                    return True
            if self.left <= 0 or self.expired():
                return False
        return False

    def _try(self, a: int, b: int | None, tile: int) -> bool:
        """Move a to ``tile`` and b, if any, to a's tile; keep it if that improves."""
        if self.expired():
            self.left = 0
        if self.left <= 0 or not self._exchange(a, b, tile):
            return False
        home = int(self.search.tile_of[a])
        clusters = np.array([a] if b is None else [a, b])
        tiles = np.array([tile] if b is None else [tile, home])
        self.left -= 1
        if not self._is_idle(clusters, tiles):
            self.search.move(clusters, tiles)
            period = self.search.period
            if period <= self.value[0]:  # hops are summed over all channels, and seldom asked for
                value = period, self._hops()
                if value < self.value:
                    self.value = value
                    return True
            self.search.undo()
        self._put_back(a, b, home, tile)
        return False

    def _put_back(self, a: int, b: int | None, home: int, tile: int) -> None:
        """Take an exchange back in the books, also where the start itself exceeds a capacity."""
        moved = ((a, home),) if b is None else ((a, home), (b, tile))
        for cluster, _ in moved:
            self.room.take(cluster)
        for cluster, to in moved:
            self.room.put(cluster, to)

    def _is_idle(self, clusters: IntArray, tiles: IntArray) -> bool:
        """Tell whether a move leaves a tile as busy as the period, and no fewer hops.

        No schedule is shorter than the busiest tile's ticks, so that it improves nothing.
        """
        graph, now = self.graph, self.search.tile_of
        after = now.copy()
        after[clusters] = tiles
        ticks = np.zeros(self.platform.num_tiles, dtype=np.int64)
        np.add.at(ticks, after, firing_times(graph, after, self.platform))
        if ticks.max() < self.value[0]:
            return False
        own = np.unique(np.concatenate([self.channels[k] for k in clusters.tolist()]))
        a, b, hops = graph.source[own], graph.target[own], self.platform.hops_between
        change = (hops(after[a], after[b]) - hops(now[a], now[b])) @ graph.spikes[own]
        return bool(change >= 0)

    def _exchange(self, a: int, b: int | None, tile: int) -> bool:
        """Do it in the books of capacity; tell whether it fits, and leave them alone if not."""
        room = self.room
        home = room.take(a)
        if b is None:
            if tile in room.tiles_for(a):
                room.put(a, tile)
                return True
            room.put(a, home)
            return False
        other = room.take(b)
        for first, second in (((a, tile), (b, home)), ((b, home), (a, tile))):
            if first[1] not in room.tiles_for(first[0]):
                continue
            room.put(*first)
            if second[1] in room.tiles_for(second[0]):
                room.put(*second)
                return True
            room.take(first[0])
        room.put(a, home)
        room.put(b, other)
        return False
