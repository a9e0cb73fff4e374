"""List scheduling by criticality, as SDF3 builds its static orders [St07]_.

Pseudo-code::

    criticality of a cluster = longest time from its start to the end of the iteration, along
    token-free channels, sends and hops included
    run one iteration: whenever a tile is free, it fires the most critical cluster that is ready
    (ties: larger tau, lower index); the order of firing is the tile's static order

Complexity: O(E + K log K). The order of starts is one valid order of all clusters, so that its
projection cannot deadlock.

Departures from [St07]: one iteration is simulated, since every actor fires once in it; network
interfaces are taken as free when estimating arrivals.

References
----------
.. [St07] Stuijk, "Predictable Mapping of Streaming Applications on Multiprocessors", TU Eindhoven,
   2007, section 9.
"""

from __future__ import annotations

import heapq

import numpy as np

from optmap.judge.binding_aware_graph import firing_times
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding, StaticOrders
from optmap.model.platform import Platform
from optmap.model.snn import IntArray


def order(
    graph: ClusterGraph, binding: Binding, platform: Platform, *, seed: int = 0
) -> StaticOrders:
    """Order every tile by list scheduling; nothing is random."""
    k, tile_of = graph.num_clusters, binding.tile_of.tolist()
    tau = firing_times(graph, binding.tile_of, platform).tolist()
    after, missing = _token_free(graph, binding, platform)
    level = _criticality(after, missing.copy(), tau)
    ready_at = [0] * k
    waiting: list[list[tuple[int, int, int]]] = [[] for _ in platform.tiles]
    orders: list[list[int]] = [[] for _ in platform.tiles]
    free_at = [0] * platform.num_tiles
    events = [(0, a) for a in np.flatnonzero(missing == 0).tolist()]  # (time, cluster ready)
    heapq.heapify(events)
    while events:
        now = events[0][0]
        touched = set()
        while events and events[0][0] == now:
            _, a = heapq.heappop(events)
            if a >= 0:
                heapq.heappush(waiting[tile_of[a]], (-level[a], -tau[a], a))
                touched.add(tile_of[a])
            else:
                touched.add(-1 - a)  # that tile has become free
        for tile in sorted(touched):
            if free_at[tile] > now or not waiting[tile]:
                continue
            a = heapq.heappop(waiting[tile])[2]
            orders[tile].append(a)
            free_at[tile] = now + tau[a]
            heapq.heappush(events, (free_at[tile], -1 - tile))
            for b, delay in after[a]:
                ready_at[b] = max(ready_at[b], now + tau[a] + delay)
                missing[b] -= 1
                if missing[b] == 0:
                    heapq.heappush(events, (ready_at[b], b))
    return StaticOrders(tuple(map(tuple, orders)))


def _token_free(
    graph: ClusterGraph, binding: Binding, platform: Platform
) -> tuple[list[list[tuple[int, int]]], IntArray]:
    """Return, per cluster, (consumer, ticks on the way) of its token-free channels; in-degrees."""
    after: list[list[tuple[int, int]]] = [[] for _ in range(graph.num_clusters)]
    free = np.flatnonzero(graph.initial == 0)
    for e in free.tolist():
        a, b = int(graph.source[e]), int(graph.target[e])
        u, v = int(binding.tile_of[a]), int(binding.tile_of[b])
        delay = 0
        if u != v:
            delay = platform.send_ticks(int(graph.rate[e]))
            delay += int(platform.latency_between(u, v))
        after[a].append((b, delay))
    return after, np.bincount(graph.target[free], minlength=graph.num_clusters)


def _criticality(
    after: list[list[tuple[int, int]]], missing: IntArray, tau: list[int]
) -> list[int]:
    """Return the longest time from the start of each cluster to the end of the iteration."""
    sequence = np.flatnonzero(missing == 0).tolist()
    for a in sequence:  # grows while it is read: Kahn's algorithm
        for b, _ in after[a]:
            missing[b] -= 1
            if missing[b] == 0:
                sequence.append(b)
    level = list(tau)
    for a in reversed(sequence):
        level[a] = tau[a] + max((delay + level[b] for b, delay in after[a]), default=0)
    return level
