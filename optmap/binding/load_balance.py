"""Load-balance binding of SDF3 [St07]_, the second step of [S20]_.

Pseudo-code::

    sort the clusters by falling criticality
    for each: bind it to the tile with the least weighted load it would have with the cluster
    for each, in reverse: unbind it and bind it again by the same rule

The load of a tile is c1 * processing + c2 * memory + c3 * connections, each a share of the whole
application: ticks fired there, tokens stored in its buffers, tokens its interface sends or receives
for other tiles. Criticality of an actor in [St07] is the largest cycle ratio through it; here the
self-loop gives tau, and of longer cycles, whose ratios are means of tau, only those of two actors
are looked at. Ties: more tokens exchanged, then the lower index; between tiles the lower one.

Complexity: O(K T + E). Nothing is random unless the rule finds no room.

Departures from [St07]: no TDMA slice is allocated (the order of a tile is static), and the weights
are (1, 1, 1), which it names as one of its settings.

References
----------
.. [St07] Stuijk, "Predictable Mapping of Streaming Applications on Multiprocessors", TU Eindhoven,
   2007, section 9.
.. [S20] Song et al., "Compiling Spiking Neural Networks to Neuromorphic Hardware", LCTES 2020.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from optmap.binding.kernels.tile_room import TileRoom, any_binding
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.platform import Platform
from optmap.model.snn import IntArray

#: (processing, memory, connections)
WEIGHTS = (1, 1, 1)


def bind(graph: ClusterGraph, platform: Platform, *, seed: int = 0) -> Binding:
    """Balance the load; ``seed`` matters only where the rule itself finds no room.

    Raises
    ------
    CapacityError
        If no binding was found, with the numbers.
    """
    room = TileRoom(graph, platform)
    order = by_criticality(graph)
    load = _Load(graph, platform, room)
    for cluster in order:
        tiles = room.tiles_for(cluster)
        if not len(tiles):
            return any_binding(graph, platform, seed)
        load.put(cluster, load.lightest(cluster, tiles))
    for cluster in reversed(order):
        load.take(cluster)
        # the tile it came from can take it back, so there is always one
        load.put(cluster, load.lightest(cluster, room.tiles_for(cluster)))
    return room.binding()


def by_criticality(graph: ClusterGraph) -> list[int]:
    """Return the clusters, most critical first."""
    twice = 2 * graph.tau  # cycle means of one and two actors, times two
    k = graph.num_clusters
    keys = graph.source.astype(np.int64) * k + graph.target
    back = np.isin(graph.target.astype(np.int64) * k + graph.source, keys)
    a, b, tokens = graph.source[back], graph.target[back], graph.initial[back]
    pair = graph.tau[a] + graph.tau[b]
    np.maximum.at(twice, a, np.where(tokens > 0, pair, 0))
    exchanged = np.zeros(k, dtype=np.int64)
    np.add.at(exchanged, graph.source, graph.rate)
    np.add.at(exchanged, graph.target, graph.rate)
    ranked: list[int] = np.lexsort((np.arange(k), -exchanged, -twice)).tolist()
    return ranked


class _Load:
    """Ticks, stored tokens and exchanged tokens per tile, in exact shares of the whole."""

    def __init__(self, graph: ClusterGraph, platform: Platform, room: TileRoom) -> None:
        self.graph, self.room = graph, room
        self.rate = graph.rate
        tiles = platform.num_tiles
        self.ticks: IntArray = np.zeros(tiles, dtype=np.int64)
        self.stored: IntArray = np.zeros(tiles, dtype=np.int64)
        self.exchanged: IntArray = np.zeros(tiles, dtype=np.int64)
        totals = (int(graph.tau.sum()), int(room.tokens.sum()), int(self.rate.sum()))
        self.scale = [Fraction(w, max(total, 1)) for w, total in zip(WEIGHTS, totals, strict=True)]
        self.weights = [float(s) for s in self.scale]

    def _held(self, cluster: int, sent: IntArray, received: IntArray) -> tuple[IntArray, IntArray]:
        """Return, per tile, what the channels to and from clusters bound there can hold."""
        platform = self.room.platform
        if platform.buffer_tokens is not None:
            return self._partners(cluster, self.room.tokens)
        return platform.buffer_windows * sent, platform.buffer_windows * received

    def _partners(self, cluster: int, amount: IntArray) -> tuple[IntArray, IntArray]:
        """Return, per tile, the sum over channels with clusters bound there, both ways apart."""
        room, graph = self.room, self.graph
        sums = []
        for edges, end in (
            (room.out_of[cluster], graph.target),
            (room.into[cluster], graph.source),
        ):
            tiles = room.tile_of[end[edges]]
            total = np.zeros(len(self.ticks), dtype=np.int64)
            np.add.at(total, tiles[tiles >= 0], amount[edges][tiles >= 0])
            sums.append(total)
        return sums[0], sums[1]

    def lightest(self, cluster: int, tiles: IntArray) -> int:
        """Return the tile of ``tiles`` whose weighted load with the cluster is the least."""
        sent, received = self._partners(cluster, self.rate)
        talk = sent + received
        remote = talk.sum() - talk
        ticks = self.ticks + self.graph.tau[cluster]
        held, _ = self._held(cluster, sent, received)
        stored = self.stored + self.room.input_need[cluster] + held.sum() - held
        # binding it to tile t also removes nothing: its partners there start to talk locally
        exchanged = self.exchanged + remote
        cost = sum(
            w * share[tiles]
            for w, share in zip(self.weights, (ticks, stored, exchanged), strict=True)
        )
        return int(tiles[np.argmin(cost)])

    def put(self, cluster: int, tile: int) -> None:
        """Bind the cluster and add what it brings."""
        self._account(cluster, tile, 1)
        self.room.put(cluster, tile)

    def take(self, cluster: int) -> None:
        """Unbind the cluster and subtract what it brought."""
        tile = self.room.take(cluster)
        self._account(cluster, tile, -1)

    def _account(self, cluster: int, tile: int, sign: int) -> None:
        sent, received = self._partners(cluster, self.rate)
        out, into = self._held(cluster, sent, received)
        self.ticks[tile] += sign * self.graph.tau[cluster]
        self.stored[tile] += sign * (self.room.input_need[cluster] + out.sum() - out[tile])
        talk = sent + received
        talk[tile] = 0
        self.exchanged += sign * talk
        self.exchanged[tile] += sign * talk.sum()
        into[tile] = 0
        self.stored += sign * into
