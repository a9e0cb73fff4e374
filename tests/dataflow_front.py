"""The second road to the front of period and buffer space: the mapping as an SDF graph.

The binding-aware graph becomes an SDF graph whose channels have their rates in tokens: a local
channel is one bounded channel, a remote one is bounded on both sides of its send. Orders and
latencies hold no tokens of any buffer. The trade-off is then that of :mod:`optmap.sdf.buffers`,
exact and smallest total first.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from optmap.judge.binding_aware_graph import Reason, lower
from optmap.model.buffers import is_remote
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding, Buffers, StaticOrders
from optmap.model.platform import Platform
from optmap.sdf.buffers import pareto_points
from optmap.sdf.graph import SDFG, sdfg


def dataflow_front(
    graph: ClusterGraph, platform: Platform, binding: Binding, orders: StaticOrders
) -> list[tuple[int, Fraction]]:
    """Return (tokens, period) of every Pareto point, fewest tokens first."""
    whole, places = _sdf_graph(graph, platform, binding, orders)
    free = tuple(c for c in range(whole.num_channels) if c not in places)
    found = pareto_points(whole, unbounded=free)
    return [(p.total, 1 / p.throughput) for p in found if p.throughput]


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
