"""The period of a binding, again and again, while single clusters change their tile.

Orders are projected from one fixed order of all clusters, sends follow the model's rule. The
binding-aware graph keeps its shape: every channel has a send actor and four edges, every cluster
and every send one order edge; what a binding does not need is switched off as a self-loop without
delay. A move then replaces a few edges of a :class:`optmap.sdf.incremental.RatioSearch`.

These are the edges of :func:`optmap.judge.binding_aware_graph.lower` a second time, on purpose: the
judge's are written for one mapping and must owe nothing to a search, these for a million moves;
tests hold the periods of the two equal.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from optmap.judge.binding_aware_graph import firing_times
from optmap.model.buffers import iterations_held
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.platform import Platform
from optmap.model.snn import IntArray
from optmap.sdf.cycle_ratio import maximum_cycle_ratio
from optmap.sdf.incremental import RatioSearch
from optmap.sdf.marked_graph import MarkedGraph

Columns = tuple[IntArray, IntArray, IntArray, IntArray]


class PeriodSearch:
    """The period of a changing binding.

    Parameters
    ----------
    graph, platform
        What is bound, and where.
    sequence : (K,) int array
        The order of all clusters that tiles project.
    tile_of : (K,) int array
        The first binding.

    Attributes
    ----------
    period : Fraction
        Of the present binding.
    """

    def __init__(
        self, graph: ClusterGraph, platform: Platform, sequence: IntArray, tile_of: IntArray
    ) -> None:
        self.graph, self.platform = graph, platform
        self.place = np.empty(graph.num_clusters, dtype=np.int64)
        self.place[sequence] = np.arange(graph.num_clusters)
        self.send_ticks = platform.send_times(graph.rate)
        self.tile_of = np.array(tile_of, dtype=np.int64)
        self._columns = self._edges()
        actors = graph.num_clusters + graph.num_channels
        source, target, delay, tokens = self._columns
        marked = MarkedGraph(
            actors, source.astype(np.int32), target.astype(np.int32), delay, tokens
        )
        self._search = RatioSearch(marked)
        self.period = self._known_period()

    def move(self, clusters: IntArray, tiles: IntArray) -> Fraction:
        """Put clusters on other tiles and return the period; :meth:`undo` takes it back once."""
        self._before = self.tile_of, self._columns, self.period
        self.tile_of = self.tile_of.copy()
        self.tile_of[clusters] = tiles
        new = self._edges()
        differs = np.zeros(len(new[0]), dtype=np.bool_)
        for old_column, column in zip(self._columns, new, strict=True):
            differs |= old_column != column
        changed = np.flatnonzero(differs)
        source, target, delay, tokens = (column[changed] for column in new)
        self._search.replace(changed, source=source, target=target, delay=delay, tokens=tokens)
        self._columns = new
        self.period = self._known_period()
        return self.period

    def undo(self) -> None:
        """Take the last move back."""
        self._search.undo()
        self.tile_of, self._columns, self.period = self._before

    def critical_clusters(self) -> IntArray:
        """Return the clusters on a critical cycle, and the ends of the sends on it, ascending."""
        _, cycle = maximum_cycle_ratio(self._search.graph())
        actors = self._columns[0][cycle]
        k = self.graph.num_clusters
        sends = actors[actors >= k] - k
        ends = (actors[actors < k], self.graph.source[sends], self.graph.target[sends])
        return np.unique(np.concatenate(ends)).astype(np.int64)

    def _known_period(self) -> Fraction:
        ratio = self._search.verdict.ratio
        assert ratio is not None  # self-loops are cycles, and projections of one order are live
        return ratio

    def _edges(self) -> Columns:
        graph, platform, tile = self.graph, self.platform, self.tile_of
        tau = firing_times(graph, tile, platform)
        return edge_columns(graph, platform, self.place, tile, tau, self.send_ticks)


def edge_columns(
    graph: ClusterGraph,
    platform: Platform,
    place: IntArray,
    tile: IntArray,
    tau: IntArray,
    send_ticks: IntArray,
) -> Columns:
    """Return source, target, delay and tokens of all edges, in an order that never changes.

    Parameters
    ----------
    place : (K,) int64 array
        Where each cluster stands in the order that the tiles project.
    tile : (K,) int64 array
        The binding.
    tau, send_ticks : (K,) and (E,) int64 arrays
        Ticks of a firing, and of a send where a channel needs one.
    """
    k, windows = graph.num_clusters, iterations_held(graph, platform)
    a, b, initial = graph.source.astype(np.int64), graph.target.astype(np.int64), graph.initial
    s = k + np.arange(graph.num_channels)
    remote = tile[a] != tile[b]
    send = np.where(remote, send_ticks, 0)
    travel = send + platform.latency_between(tile[a], tile[b])
    every, one = np.arange(k), np.ones_like(s)
    after, after_tokens = _cyclic(np.lexsort((place, tile)), tile)
    sends = np.flatnonzero(remote)
    by_interface = sends[np.lexsort((b[sends], place[a[sends]], tile[a[sends]]))]
    next_send, send_tokens = np.arange(len(s)), one.copy()
    next_send[by_interface], send_tokens[by_interface] = _cycles(by_interface, tile[a])
    columns = (
        # source, target, delay, tokens; a channel on one tile uses the fourth and sixth row
        (every, every, tau, np.ones_like(every)),
        (s, s, send, one),
        (np.where(remote, a, s), s, np.where(remote, tau[a], 0), np.where(remote, 0, 1)),
        (np.where(remote, s, a), b, np.where(remote, travel, tau[a]), initial),
        (s, np.where(remote, a, s), send, np.where(remote, windows, 1)),
        (b, np.where(remote, s, a), tau[b], windows - initial),
        (every, after, np.where(after == every, 0, tau), after_tokens),
        (s, k + next_send, np.where(next_send == s - k, 0, send), send_tokens),
    )
    source, target, delay, tokens = (
        np.concatenate([row[i] for row in columns]).astype(np.int64) for i in range(4)
    )
    return source, target, delay, tokens


def _cyclic(order: IntArray, tile: IntArray) -> tuple[IntArray, IntArray]:
    """Return, per item, the next on its tile and the tokens in between, for items 0..n-1."""
    following, tokens = np.empty_like(order), np.empty_like(order)
    following[order], tokens[order] = _cycles(order, tile)
    return following, tokens


def _cycles(order: IntArray, tile: IntArray) -> tuple[IntArray, IntArray]:
    """Return for every entry of ``order``, sorted by tile, its successor in the tile's cycle.

    The last entry of a tile is followed by the first, with one token.
    """
    if not len(order):
        return order, order
    tiles = tile[order]
    starts = np.flatnonzero(np.concatenate(([True], tiles[1:] != tiles[:-1])))
    following = np.roll(order, -1)
    tokens = np.zeros_like(order)
    ends = np.concatenate((starts[1:], [len(order)])) - 1
    following[ends], tokens[ends] = order[starts], 1
    return following, tokens
