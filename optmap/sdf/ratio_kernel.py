"""From edge lists to a proven cycle ratio: the whole computation as numba kernels on int64.

Only strong components hold cycles, so only their edges are kept; a topological order of the
token-free edges among them either exists or shows a deadlock. Actors are numbered against that
order: a sweep of :func:`optmap.sdf.longest_path.settle` then carries an improvement along every
token-free path at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from optmap.compiled import compiled
from optmap.sdf.components import group_by, strong_components, topological_order
from optmap.sdf.howard import DONE, NO_CYCLE, TOO_LARGE, howard
from optmap.sdf.longest_path import LIMIT, OVERFLOW, POSITIVE_CYCLE, settle, work_for

DEADLOCK = 3


@compiled
def settle_edges(num_actors: int, source: Any, target: Any, weight: Any, order: Any) -> Any:
    """Return (status, value, cycle) with value[source] >= weight + value[target] for every edge.

    Actors are swept in ``order``; ``value`` is the least non-negative solution, ``cycle`` the
    edges of a positive cycle in the edges' direction.
    """
    m = len(source)
    rank = np.empty(num_actors, dtype=np.int64)
    for i in range(num_actors):
        rank[order[i]] = i
    tail = np.empty(m, dtype=np.int64)
    for e in range(m):
        tail[e] = rank[source[e]]
    indptr, edges = group_by(num_actors, tail, np.ones(m, dtype=np.bool_))
    head = np.empty(m, dtype=np.int32)
    sorted_weight = np.empty(m, dtype=np.int64)
    for i in range(m):
        head[i] = rank[target[edges[i]]]
        sorted_weight[i] = weight[edges[i]]
    ranked = np.zeros(num_actors, dtype=np.int64)
    choice = np.full(num_actors, -1, dtype=np.int64)
    work = work_for(num_actors)
    status = settle(indptr, head, sorted_weight, ranked, choice, work)
    cycle = np.empty(0, dtype=np.int64)
    if status == POSITIVE_CYCLE:
        u = 0
        while work.degree[u] == 0:
            u += 1
        begin, length = u, 0
        while length == 0 or u != begin:
            work.gain[length] = edges[choice[u]]
            length += 1
            u = work.successor[u]
        cycle = work.gain[:length].copy()
    value = np.empty(num_actors, dtype=np.int64)
    for i in range(num_actors):
        value[order[i]] = ranked[i]
    return status, value, cycle


@compiled
def retime(num_actors: int, source: Any, target: Any, tokens: Any, kept: Any) -> Any:
    """Move tokens until no kept edge has a negative number; cycles keep their sums.

    Returns
    -------
    status, tokens, cycle
        DONE, TOO_LARGE or DEADLOCK (then with the cycle's edges).
    """
    # Zero-sum cycles keep a token-free edge each and are left to the caller's topological order.
    m = len(tokens)
    moved, weight = tokens.copy(), np.empty(m, dtype=np.int64)
    carries = np.empty(m, dtype=np.bool_)
    for e in range(m):
        weight[e] = -tokens[e] if kept[e] else -LIMIT
        carries[e] = weight[e] >= 0
    # A sweep from targets to sources carries what is missing along a whole path without tokens.
    indptr, edges = group_by(num_actors, source, carries)
    every = np.ones(len(edges), dtype=np.bool_)
    order, _ = topological_order(indptr, target[edges], every)
    status, value, cycle = settle_edges(num_actors, source, target, weight, order[::-1].copy())
    if status == POSITIVE_CYCLE:
        return DEADLOCK, moved, cycle
    if status == OVERFLOW:
        return TOO_LARGE, moved, cycle
    for e in range(len(tokens)):
        moved[e] = tokens[e] + value[source[e]] - value[target[e]]
    return DONE, moved, cycle


@compiled
def _cycle_among(indptr: Any, head: Any, kept: Any, order: Any, count: int) -> Any:
    """Return the kept edges of a cycle among the actors ``order[count:]``.

    Kahn's order leaves them behind: each of them has a kept edge in from another of them.
    """
    n = len(order)
    edge_in = np.full(n, -1, dtype=np.int64)
    tail = np.empty(n, dtype=np.int64)
    for i in range(count, n):
        u = order[i]
        for e in range(indptr[u], indptr[u + 1]):
            if kept[e]:
                edge_in[head[e]] = e
                tail[head[e]] = u
    u = order[count]
    for _ in range(n):
        u = tail[u]
    length, v = 0, u
    backward = np.empty(n, dtype=np.int64)
    while length == 0 or v != u:
        backward[length] = edge_in[v]
        length += 1
        v = tail[v]
    return backward[:length][::-1].copy()


@compiled
def _first_policy(indptr: Any, delay: Any, tokens: Any) -> Any:
    """Return the longest edge out of each actor, the one with fewer tokens among equals."""
    n = len(indptr) - 1
    choice = np.empty(n, dtype=np.int64)
    for u in range(n):
        best = indptr[u]
        for i in range(indptr[u] + 1, indptr[u + 1]):
            if delay[i] > delay[best] or (delay[i] == delay[best] and tokens[i] < tokens[best]):
                best = i
        choice[u] = best
    return choice


@compiled
def _ranks_on_cycles(indptr: Any, inside: Any, order: Any) -> Any:
    """Return (rank, of_rank) of the actors on cycles, successors along token-free edges first."""
    n = len(indptr) - 1
    rank = np.full(n, -1, dtype=np.int32)
    of_rank = np.empty(n, dtype=np.int32)
    ranked = 0
    for k in range(n - 1, -1, -1):
        u = order[k]
        for i in range(indptr[u], indptr[u + 1]):
            if inside[i]:
                rank[u] = ranked
                of_rank[ranked] = u
                ranked += 1
                break
    return rank, of_rank[:ranked]


@compiled
def _edges_by_source(num_actors: int, source: Any, target: Any, tokens: Any) -> Any:
    """Return the edges by source, with what is said of them beside them, and the fewest tokens.

    Memory is then read in order. ``inside`` tells which edges stay in a strong component; the
    fewest tokens are those of these, at most 0; the number of these comes last.
    """
    n, m = num_actors, len(source)
    indptr, edges = group_by(n, source, np.ones(m, dtype=np.bool_))
    head = np.empty(m, dtype=np.int32)
    for i in range(m):
        head[i] = target[edges[i]]
    component, num_components = strong_components(n, indptr, head)
    inside = np.empty(m, dtype=np.bool_)
    row_tokens = np.empty(m, dtype=np.int64)
    num_inside, least = 0, 0
    for u in range(n):
        for i in range(indptr[u], indptr[u + 1]):
            inside[i] = num_components == 1 or component[head[i]] == component[u]
            row_tokens[i] = tokens[edges[i]]
            if inside[i]:
                num_inside += 1
                least = min(least, row_tokens[i])
    return indptr, edges, head, inside, row_tokens, least, num_inside


@compiled
def _largest_ratio(
    indptr: Any, edges: Any, head: Any, inside: Any, row_tokens: Any, delay: Any, num_inside: Any
) -> Any:
    """Return (status, p, q, cycle) where no edge inside holds fewer than 0 tokens."""
    n, m = len(indptr) - 1, len(edges)
    token_free = np.empty(m, dtype=np.bool_)
    for i in range(m):
        token_free[i] = inside[i] and row_tokens[i] == 0
    order, count = topological_order(indptr, head, token_free)
    if count < n:
        return DEADLOCK, 0, 0, edges[_cycle_among(indptr, head, token_free, order, count)]
    rank, of_rank = _ranks_on_cycles(indptr, inside, order)
    ranked = len(of_rank)
    first = np.zeros(ranked + 1, dtype=np.int64)
    edge = np.empty(num_inside, dtype=np.int64)
    ends = np.empty(num_inside, dtype=np.int32)
    out_delay = np.empty(num_inside, dtype=np.int64)
    out_tokens = np.empty(num_inside, dtype=np.int64)
    position = 0
    for r in range(ranked):
        u = of_rank[r]
        for i in range(indptr[u], indptr[u + 1]):
            if inside[i]:
                edge[position] = edges[i]
                ends[position] = rank[head[i]]
                out_delay[position] = delay[edges[i]]
                out_tokens[position] = row_tokens[i]
                position += 1
        first[r + 1] = position
    choice = _first_policy(first, out_delay, out_tokens)
    value = np.zeros(ranked, dtype=np.int64)
    status, p, q, cycle = howard(first, ends, out_delay, out_tokens, choice, value)
    return status, p, q, edge[cycle]


@compiled
def solve(num_actors: int, source: Any, target: Any, delay: Any, tokens: Any) -> Any:
    """Return (status, p, q, cycle) for a whole marked graph without negative tokens.

    ``status`` is DONE with the ratio p/q, NO_CYCLE, TOO_LARGE (int64 does not suffice) or
    DEADLOCK; ``cycle`` holds the edges of the critical or blocking cycle.
    """
    indptr, edges, head, inside, row_tokens, _, num_inside = _edges_by_source(
        num_actors, source, target, tokens
    )
    if num_inside == 0:
        return NO_CYCLE, 0, 0, np.empty(0, dtype=np.int64)
    return _largest_ratio(indptr, edges, head, inside, row_tokens, delay, num_inside)


@compiled
def solve_signed(num_actors: int, source: Any, target: Any, delay: Any, tokens: Any) -> Any:
    """Return what :func:`solve` does for any marked graph: its negative tokens are moved first.

    It is a kernel of its own because few graphs have negative tokens, and moving them takes long
    to compile.
    """
    m = len(source)
    indptr, edges, head, inside, row_tokens, least, num_inside = _edges_by_source(
        num_actors, source, target, tokens
    )
    if num_inside == 0:
        return NO_CYCLE, 0, 0, np.empty(0, dtype=np.int64)
    if least < 0:
        kept = np.empty(m, dtype=np.bool_)
        for i in range(m):
            kept[edges[i]] = inside[i]
        status, moved, cycle = retime(num_actors, source, target, tokens, kept)
        if status != DONE:
            return status, 0, 0, cycle
        for i in range(m):
            row_tokens[i] = moved[edges[i]]
    return _largest_ratio(indptr, edges, head, inside, row_tokens, delay, num_inside)
