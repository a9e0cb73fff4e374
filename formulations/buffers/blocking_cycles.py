"""Cycles without tokens, short ones: kernels.

A graph with the least room deadlocks on thousands of cycles. Each is looked for from a place that
has no token: the way from where its credit leads back to where it comes from that passes the fewest
places (0-1 breadth-first search). Few places make a strong inequality. Room for one iteration is
added where the cycle passes the fewest tokens, and the same place is asked again; once all places
have been, no cycle without tokens passes one, since room only grows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from formulations.buffers.places import Cycle, Ints, Places
from optmap.clock import did
from optmap.compiled import compiled
from optmap.sdf.components import group_by, strong_components

#: Edges looked at in about a second.
EDGES_A_UNIT = 100_000_000


class Network(NamedTuple):
    """Edges grouped by their source; the last four of shape (m,)."""

    first: Any
    edges: Any
    source: Any
    target: Any
    tokens: Any
    place: Any


class Search(NamedTuple):
    """Work space for n actors: stamp, distance, edge of arrival, and a queue with two ends."""

    stamp: Any
    distance: Any
    arrival: Any
    queue: Any


@compiled
def _way(network: Network, start: int, goal: int, search: Search, mark: int) -> Any:
    """Return (found, edges looked at): ``search.arrival`` leads from the goal back to the start.

    Of the ways over edges without tokens one that passes the fewest places.
    """
    stamp, distance, arrival, queue = search.stamp, search.distance, search.arrival, search.queue
    size, looked = len(queue), 0
    begin, count = 0, 1
    queue[0] = start
    stamp[start], distance[start], arrival[start] = mark, 0, -1
    while count:
        u = queue[begin]
        begin = (begin + 1) % size
        count -= 1
        if u == goal:
            return True, looked
        for i in range(network.first[u], network.first[u + 1]):
            e = network.edges[i]
            looked += 1
            if network.tokens[e] > 0:
                continue
            v = network.target[e]
            length = distance[u] + (1 if network.place[e] >= 0 else 0)
            if stamp[v] == mark and distance[v] <= length:
                continue
            stamp[v], distance[v], arrival[v] = mark, length, e
            if network.place[e] >= 0:
                queue[(begin + count) % size] = v
            else:
                begin = (begin - 1) % size
                queue[begin] = v
            count += 1
    return False, looked


@compiled
def _unblock(network: Network, rate: Any, asked: Any, search: Search, out: Any) -> Any:
    """Add room until no cycle without tokens passes a place asked, or ``out`` is full.

    Parameters
    ----------
    network : Network
        Its tokens are overwritten.
    rate : (P,) int64 array
        Tokens of an iteration at each place.
    asked : int64 array
        Edges of places.
    out : int64 array
        Filled with the edges of the cycles, -1 after each.

    Returns
    -------
    written, done, looked : int
        Entries of ``out``, edges asked that are done with, and edges looked at.
    """
    n = len(search.stamp)
    written, looked, mark = 0, 0, 0
    for k in range(len(asked)):
        e = asked[k]
        while network.tokens[e] == 0:
            if written + n + 1 > len(out):
                return written, k, looked
            mark += 1
            goal = network.source[e]
            found, seen = _way(network, network.target[e], goal, search, mark)
            looked += seen
            if not found:
                break
            cheapest = e
            out[written] = e
            written += 1
            at = goal
            while at != network.target[e]:
                back = search.arrival[at]
                out[written] = back
                written += 1
                place = network.place[back]
                if place >= 0 and rate[place] < rate[network.place[cheapest]]:
                    cheapest = back
                at = network.source[back]
            out[written] = -1
            written += 1
            network.tokens[cheapest] += 1
    return written, len(asked), looked


def unblocked(places: Places, extra: Ints) -> list[Cycle]:
    """Add room to ``extra``, shape (P,), until no cycle without tokens passes a place.

    Returns the cycles that stood in the way.
    """
    marked, n = places.marked, places.marked.num_actors
    tokens = marked.tokens.copy()
    tokens[places.edge] += extra
    source, target = marked.source.astype(np.int64), marked.target.astype(np.int64)
    free, edges = group_by(n, source, tokens <= 0)
    component, _ = strong_components(n, free, target[edges])
    inside = (tokens <= 0) & (component[source] == component[target])
    asked = places.edge[inside[places.edge]]
    first, edges = group_by(n, source, inside)
    network = Network(first, edges, source, target, tokens, places.place_of)
    stamp, distance, arrival = np.zeros((3, n), dtype=np.int64)
    search = Search(stamp, distance, arrival, np.zeros(2 * n + 2, dtype=np.int64))
    out, cycles = np.zeros(max(100_000, 4 * n), dtype=np.int64), []
    while len(asked):
        search.stamp[:] = 0
        written, done, looked = _unblock(network, places.rate, asked, search, out)
        did(looked / EDGES_A_UNIT)
        asked = asked[done:]
        ends = np.flatnonzero(out[:written] < 0)
        cycles += [places.cycle(on[on >= 0]) for on in np.split(out[:written], ends + 1)[:-1]]
    extra[:] = tokens[places.edge] - marked.tokens[places.edge]
    return cycles
