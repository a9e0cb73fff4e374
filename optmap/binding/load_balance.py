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
from typing import NamedTuple

import numpy as np

from optmap.binding.kernels.tile_room import TileRoom, any_binding
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.platform import Platform
from optmap.model.snn import IndexArray, IntArray

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
        brings = load.brought_by(cluster)
        load.put(brings, load.lightest(brings, tiles))
    for cluster in reversed(order):
        tile = room.take(cluster)
        brings = load.brought_by(cluster)
        load.account(brings, tile, -1)
        # the tile it came from can take it back, so there is always one
        load.put(brings, load.lightest(brings, room.tiles_for(cluster)))
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


class _Brought(NamedTuple):
    """What an unbound cluster brings wherever it goes: its own, and per tile with clusters there.

    Parameters
    ----------
    cluster, ticks, input_need : int
        Its index, time and the tokens that its own input holds.
    talk, out, into : (T,) int64 arrays
        Tokens exchanged with clusters bound to each tile, and what the channels to and from these
        can hold.
    """

    cluster: int
    ticks: int
    input_need: int
    talk: IntArray
    out: IntArray
    into: IntArray


class _Load:
    """Ticks, stored tokens and exchanged tokens per tile, in exact shares of the whole."""

    def __init__(self, graph: ClusterGraph, platform: Platform, room: TileRoom) -> None:
        self.room = room
        tiles = platform.num_tiles
        self.ticks: IntArray = np.zeros(tiles, dtype=np.int64)
        self.stored: IntArray = np.zeros(tiles, dtype=np.int64)
        self.exchanged: IntArray = np.zeros(tiles, dtype=np.int64)
        totals = (int(graph.tau.sum()), int(room.tokens.sum()), int(graph.rate.sum()))
        scale = [Fraction(w, max(total, 1)) for w, total in zip(WEIGHTS, totals, strict=True)]
        self.weights = [float(s) for s in scale]
        self.tau, self.input_need = graph.tau.tolist(), room.input_need.tolist()
        self.rate = graph.rate.astype(np.int64)
        self.source, self.target = graph.source, graph.target

    def brought_by(self, cluster: int) -> _Brought:
        """Return what an unbound cluster brings."""
        room, platform = self.room, self.room.platform
        sent = self._by_tile(room.out_of[cluster], self.target, self.rate)
        received = self._by_tile(room.into[cluster], self.source, self.rate)
        if platform.buffer_tokens is None:
            out, into = platform.buffer_windows * sent, platform.buffer_windows * received
        else:
            out = self._by_tile(room.out_of[cluster], self.target, room.tokens)
            into = self._by_tile(room.into[cluster], self.source, room.tokens)
        ticks, need = self.tau[cluster], self.input_need[cluster]
        return _Brought(cluster, ticks, need, sent + received, out, into)

    def _by_tile(self, edges: IntArray, end: IndexArray, amount: IntArray) -> IntArray:
        """Return, per tile, the sum over those channels whose other end is bound there."""
        total = np.zeros(len(self.ticks) + 1, dtype=np.int64)  # the last for those not bound yet
        np.add.at(total, self.room.tile_of[end[edges]], amount[edges])
        return total[:-1]

    def lightest(self, brings: _Brought, tiles: IntArray) -> int:
        """Return the tile of ``tiles`` whose weighted load with the cluster is the least."""
        by_ticks, by_stored, by_exchanged = self.weights
        elsewhere = brings.input_need + int(brings.out.sum())
        # binding it to tile t also removes nothing: its partners there start to talk locally
        exchanged = self.exchanged + (int(brings.talk.sum()) - brings.talk)
        cost = by_ticks * (self.ticks + brings.ticks)
        cost += by_stored * (self.stored + (elsewhere - brings.out))
        cost += by_exchanged * exchanged
        return int(np.argmin(cost) if len(tiles) == len(cost) else tiles[np.argmin(cost[tiles])])

    def put(self, brings: _Brought, tile: int) -> None:
        """Bind the cluster and add what it brings."""
        self.account(brings, tile, 1)
        self.room.put(brings.cluster, tile)

    def account(self, brings: _Brought, tile: int, sign: int) -> None:
        """Add what a cluster brings to a tile and to its partners', or subtract it."""
        out, talk = int(brings.out.sum()), int(brings.talk.sum())
        here, held = int(brings.talk[tile]), int(brings.into[tile])
        self.ticks[tile] += sign * brings.ticks
        self.stored += sign * brings.into
        self.stored[tile] += sign * (brings.input_need + out - int(brings.out[tile]) - held)
        self.exchanged += sign * brings.talk
        self.exchanged[tile] += sign * (talk - 2 * here)
