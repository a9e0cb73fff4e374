"""Period against buffer space in tokens: the exact trade-off of a mapping, and least capacities.

Binding and orders are kept; the capacity of every channel at each of its places is the decision
(:mod:`optmap.model.buffers`). The binding-aware graph becomes an SDF graph whose channels have
their rates in tokens: a local channel is one bounded channel, a remote one is bounded on both sides
of its send. Orders and latencies hold no tokens of any buffer. The trade-off is then that of
:mod:`optmap.sdf.buffers`, exact and smallest total first.

The limits of tile buffers are not part of the search; the judge says which points keep them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from optmap.judge.binding_aware_graph import Reason, lower
from optmap.model.buffers import is_remote
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding, Buffers, StaticOrders
from optmap.model.platform import Platform
from optmap.sdf.buffers import MOST_DISTRIBUTIONS, SearchLimitError, pareto_points
from optmap.sdf.graph import SDFG, sdfg


@dataclass(frozen=True, slots=True)
class BufferPoint:
    """A Pareto point: with ``total`` tokens of space no shorter period can be had.

    Parameters
    ----------
    total : int
        Tokens of all channels at all their places.
    period : Fraction
        Ticks of one iteration.
    buffers : Buffers
        Capacities that reach it.
    """

    total: int
    period: Fraction
    buffers: Buffers


@dataclass(frozen=True, slots=True)
class BufferFront:
    """The points found, smallest total first, and whether they are proved to be all.

    Parameters
    ----------
    points : tuple of BufferPoint
        The Pareto points.
    complete : bool
        Whether the last one has the shortest period that any capacities give; otherwise the search
        was given up after it, and what follows is open.
    """

    points: tuple[BufferPoint, ...]
    complete: bool


def buffer_front(
    graph: ClusterGraph,
    platform: Platform,
    binding: Binding,
    orders: StaticOrders,
    *,
    at_most: Fraction | None = None,
    most_distributions: int = MOST_DISTRIBUTIONS,
) -> BufferFront:
    """Return the trade-off between period and buffer space of a mapping.

    Parameters
    ----------
    at_most : Fraction, optional
        Stop at the first point with this period or a shorter one: the least space for it.
    most_distributions : int
        Capacities of all channels looked at, at most.

    Raises
    ------
    ValueError
        If the orders have a prologue, whose tokens no SDF graph holds.
    """
    if orders.has_prologue:
        raise ValueError("buffers in tokens: not for orders with a prologue")
    whole, places = _sdf_graph(graph, platform, binding, orders)
    free = tuple(c for c in range(whole.num_channels) if c not in places)
    wanted = None if at_most is None else 1 / at_most
    try:
        found = pareto_points(
            whole, at_least=wanted, most_distributions=most_distributions, unbounded=free
        )
        complete = True
    except SearchLimitError as error:
        found, complete = error.points, False
    points = [
        BufferPoint(p.total, 1 / p.throughput, _buffers(graph, places, p.capacities))
        for p in found
        if p.throughput
    ]
    return BufferFront(tuple(points), complete)


def _sdf_graph(
    graph: ClusterGraph, platform: Platform, binding: Binding, orders: StaticOrders
) -> tuple[SDFG, dict[int, tuple[int, int]]]:
    """Return the SDF graph, and for each of its bounded channels (channel, 0 output / 1 input)."""
    bound = lower(graph, platform, binding, orders, _two_windows(graph, binding))
    k, tile = graph.num_clusters, binding.tile_of
    actors = list(zip(_names(k, bound.num_sends), bound.time.tolist(), strict=True))
    channels: list[tuple[str, str, int, int, int]] = []
    places: dict[int, tuple[int, int]] = {}

    def join(a: int, b: int, rate: int, tokens: int) -> None:
        channels.append((actors[a][0], actors[b][0], rate, rate, tokens))

    sender = {int(e): k + i for i, e in enumerate(bound.send_channel)}
    columns = (graph.source, graph.target, graph.rate, graph.initial)
    for e, (a, b, rate, i) in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
        s = sender.get(e, a)
        if s != a:
            places[len(channels)] = (e, 0)
            join(a, s, rate, 0)
        places[len(channels)] = (e, 1)
        join(s, b, rate, rate * i)
        latency = int(platform.latency_between(tile[a], tile[b]))
        if latency:  # the journey holds no buffer, and any number may be on the way
            actors.append((f"link{e}", latency))
            join(s, len(actors) - 1, 1, i)
            join(len(actors) - 1, b, 1, 0)
    for edge in np.flatnonzero(np.isin(bound.reason, _NO_BUFFER)):
        g = bound.graph
        join(int(g.source[edge]), int(g.target[edge]), 1, int(g.tokens[edge]))
    return sdfg(actors, channels), places


def _names(clusters: int, sends: int) -> list[str]:
    return [f"cluster{a}" for a in range(clusters)] + [f"send{i}" for i in range(sends)]


#: Edges that stand for no tokens of a buffer.
_NO_BUFFER = (Reason.SELF, Reason.ORDER, Reason.SEND_ORDER)


def _two_windows(graph: ClusterGraph, binding: Binding) -> Buffers:
    """Return capacities that no channel's own initial tokens exceed."""
    remote = is_remote(graph, binding).tolist()
    rows = zip(*(c.tolist() for c in (graph.source, graph.target, graph.rate)), remote, strict=True)
    return Buffers(tuple((a, b, 2 * r if far else 0, 2 * r) for a, b, r, far in rows))


def _buffers(
    graph: ClusterGraph, places: dict[int, tuple[int, int]], capacities: tuple[int, ...]
) -> Buffers:
    space = np.zeros((graph.num_channels, 2), dtype=np.int64)
    for c, place in places.items():
        space[place] = capacities[c]
    ends = zip(graph.source.tolist(), graph.target.tolist(), space.tolist(), strict=True)
    return Buffers(tuple((a, b, out, into) for a, b, (out, into) in ends))
