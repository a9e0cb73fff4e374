"""Maximum cycle ratio and earliest periodic schedule of a marked graph, exact."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from optmap.errors import DeadlockError
from optmap.sdf import exact
from optmap.sdf.components import group_by, strong_components, topological_order
from optmap.sdf.howard import DONE, NO_CYCLE, TOO_LARGE, howard
from optmap.sdf.longest_path import LIMIT, OVERFLOW, POSITIVE_CYCLE, SETTLED, settle
from optmap.sdf.marked_graph import IntArray, MarkedGraph

DEADLOCK = 3


@njit(cache=True)
def _settle_edges(num_actors: int, source: Any, target: Any, weight: Any, order: Any) -> Any:
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
    successor = np.empty(num_actors, dtype=np.int32)
    degree = np.empty(num_actors, dtype=np.int32)
    forest = np.empty(num_actors, dtype=np.int32)
    gain = np.empty(num_actors, dtype=np.int64)
    status = settle(indptr, head, sorted_weight, ranked, choice, successor, degree, forest, gain)
    cycle = np.empty(0, dtype=np.int64)
    if status == POSITIVE_CYCLE:
        u = 0
        while degree[u] == 0:
            u += 1
        begin, length = u, 0
        while length == 0 or u != begin:
            gain[length] = edges[choice[u]]
            length += 1
            u = successor[u]
        cycle = gain[:length].copy()
    value = np.empty(num_actors, dtype=np.int64)
    for i in range(num_actors):
        value[order[i]] = ranked[i]
    return status, value, cycle


@njit(cache=True)
def _retimed(num_actors: int, source: Any, target: Any, tokens: Any, kept: Any) -> Any:
    """Move tokens until no kept edge has a negative number; cycles keep their sums.

    Returns
    -------
    status, tokens, cycle
        DONE, TOO_LARGE or DEADLOCK (then with the cycle's edges).
    """
    # Zero-sum cycles keep a token-free edge each and are left to the caller's topological order.
    moved = tokens.copy()
    weight = np.empty(len(tokens), dtype=np.int64)
    for e in range(len(tokens)):
        weight[e] = -tokens[e] if kept[e] else -LIMIT
    status, value, cycle = _settle_edges(num_actors, source, target, weight, np.arange(num_actors))
    if status == POSITIVE_CYCLE:
        return DEADLOCK, moved, cycle
    if status == OVERFLOW:
        return TOO_LARGE, moved, cycle
    for e in range(len(tokens)):
        moved[e] = tokens[e] + value[source[e]] - value[target[e]]
    return DONE, moved, cycle


@njit(cache=True)
def _cycle_among(
    num_actors: int, source: Any, target: Any, kept: Any, order: Any, count: int
) -> Any:
    """Return the kept edges of a cycle among the actors ``order[count:]``.

    Kahn's order leaves them behind: each of them has a kept edge in from another of them.
    """
    edge_in = np.full(num_actors, -1, dtype=np.int64)
    left = np.zeros(num_actors, dtype=np.bool_)
    for i in range(count, num_actors):
        left[order[i]] = True
    for e in range(len(source)):
        if kept[e] and left[source[e]] and left[target[e]]:
            edge_in[target[e]] = e
    u = order[count]
    for _ in range(num_actors):
        u = source[edge_in[u]]
    length, v = 0, u
    backward = np.empty(num_actors, dtype=np.int64)
    while True:
        backward[length] = edge_in[v]
        length += 1
        v = source[edge_in[v]]
        if v == u:
            break
    return backward[:length][::-1].copy()


@njit(cache=True)
def _solve(num_actors: int, source: Any, target: Any, delay: Any, tokens: Any) -> Any:
    """Return (status, p, q, cycle) for a whole marked graph; see :func:`maximum_cycle_ratio`."""
    m = len(source)
    indptr, edges = group_by(num_actors, source, np.ones(m, dtype=np.bool_))
    component, _ = strong_components(num_actors, indptr, edges, target)
    inside = np.empty(m, dtype=np.bool_)
    token_free = np.empty(m, dtype=np.bool_)
    num_inside, least = 0, 0
    for e in range(m):
        inside[e] = component[source[e]] == component[target[e]]
        if inside[e]:
            num_inside += 1
            least = min(least, tokens[e])
    if num_inside == 0:
        return NO_CYCLE, 0, 0, np.empty(0, dtype=np.int64)
    moved = tokens.copy()
    if least < 0:
        status, moved, cycle = _retimed(num_actors, source, target, tokens, inside)
        if status != DONE:
            return status, 0, 0, cycle
    for e in range(m):
        token_free[e] = inside[e] and moved[e] == 0
    order, count = topological_order(num_actors, source, target, token_free)
    if count < num_actors:
        cycle = _cycle_among(num_actors, source, target, token_free, order, count)
        return DEADLOCK, 0, 0, cycle
    # Number the actors on cycles, successors along token-free edges first.
    on_cycle = np.zeros(num_actors, dtype=np.bool_)
    for e in range(m):
        if inside[e]:
            on_cycle[source[e]] = True
    rank = np.full(num_actors, -1, dtype=np.int64)
    n = 0
    for i in range(num_actors - 1, -1, -1):
        if on_cycle[order[i]]:
            rank[order[i]] = n
            n += 1
    tail = np.empty(m, dtype=np.int64)
    for e in range(m):
        tail[e] = rank[source[e]]
    indptr, edges = group_by(n, tail, inside)
    head = np.empty(len(edges), dtype=np.int32)
    out_delay = np.empty(len(edges), dtype=np.int64)
    out_tokens = np.empty(len(edges), dtype=np.int64)
    for i in range(len(edges)):
        e = edges[i]
        head[i] = rank[target[e]]
        out_delay[i] = delay[e]
        out_tokens[i] = moved[e]
    choice = np.empty(n, dtype=np.int64)
    for u in range(n):
        best = indptr[u]
        for i in range(indptr[u] + 1, indptr[u + 1]):
            if out_delay[i] > out_delay[best] or (
                out_delay[i] == out_delay[best] and out_tokens[i] < out_tokens[best]
            ):
                best = i
        choice[u] = best
    value = np.zeros(n, dtype=np.int64)
    status, p, q, cycle = howard(indptr, head, out_delay, out_tokens, choice, value)
    return status, p, q, edges[cycle]


def _rotated(cycle: list[int]) -> list[int]:
    """Return the same cycle from its lowest edge on, so that equal cycles compare equal."""
    start = cycle.index(min(cycle)) if cycle else 0
    return cycle[start:] + cycle[:start]


def maximum_cycle_ratio(graph: MarkedGraph) -> tuple[Fraction | None, list[int]]:
    """Return the maximum cycle ratio of a marked graph and a critical cycle.

    The ratio is the maximum over cycles C of (sum of delays on C) / (sum of tokens on C). No
    periodic schedule has a smaller period, and self-timed execution of a strongly connected graph
    settles at exactly this average period.

    Returns
    -------
    ratio : Fraction or None
        Ticks per iteration, exact; 0 where every cycle has zero delay. None when the graph has no
        cycle, that is, when nothing bounds the throughput.
    cycle : list of int
        Edges of one critical cycle in firing order; empty when ``ratio`` is None.

    Raises
    ------
    DeadlockError
        If the tokens of some cycle sum to zero or less; it holds the cycle's edges, and actor
        numbers as names.

    Notes
    -----
    Strong components, Howard's policy iteration in int64 and an integer proof of optimality
    (:mod:`optmap.sdf.howard`); where a number would leave int64 the answer comes from unbounded
    integers (:mod:`optmap.sdf.exact`) instead.

    Examples
    --------
    Two actors of 3 and 2 ticks, one token in the loop:

    >>> maximum_cycle_ratio(MarkedGraph(2, [0, 1], [1, 0], [3, 2], [0, 1]))
    (Fraction(5, 1), [0, 1])
    """
    n = graph.num_actors
    status, p, q, found = _solve(n, graph.source, graph.target, graph.delay, graph.tokens)
    cycle = _rotated(found.tolist())
    if status == TOO_LARGE:
        source, target = graph.source.tolist(), graph.target.tolist()
        cycle = exact.cycle_without_tokens(n, source, target, graph.tokens.tolist())
        if not cycle:
            ratio, cycle = exact.exact_cycle_ratio(
                n, source, target, graph.delay.tolist(), graph.tokens.tolist()
            )
            return ratio, _rotated(cycle)
        status = DEADLOCK
    if status == DEADLOCK:
        raise _deadlock(graph, cycle)
    if status == NO_CYCLE:
        return None, []
    return Fraction(p, q), cycle


def retimed(graph: MarkedGraph) -> IntArray:
    """Return tokens >= 0 for every edge with the same sum along every cycle, shape (m,).

    Without negative edges they are the graph's own.

    Raises
    ------
    DeadlockError
        If the tokens of some cycle sum to less than zero.

    Examples
    --------
    >>> retimed(MarkedGraph(2, [0, 1], [1, 0], [1, 1], [-2, 3])).tolist()
    [0, 1]
    """
    if not graph.num_edges or graph.tokens.min() >= 0:
        return graph.tokens
    everything = np.ones(graph.num_edges, dtype=np.bool_)
    status, tokens, cycle = _retimed(
        graph.num_actors, graph.source, graph.target, graph.tokens, everything
    )
    if status == DEADLOCK:
        raise _deadlock(graph, cycle.tolist())
    if status == TOO_LARGE:
        raise OverflowError("tokens along a path leave 64-bit integers")
    moved: IntArray = tokens
    return moved


def _deadlock(graph: MarkedGraph, cycle: list[int]) -> DeadlockError:
    """Return the error that holds a cycle's edges and the numbers of its actors."""
    return DeadlockError(cycle, [str(graph.source[e]) for e in cycle])


def earliest_schedule(graph: MarkedGraph, period: Fraction) -> npt.NDArray[Any]:
    """Return the earliest starts of a periodic schedule, in units of 1 / period.denominator ticks.

    Firing n of actor a starts at ``starts[a] / period.denominator + n * period``. The starts are
    the componentwise least non-negative ones with
    ``starts[b] >= starts[a] + q * delay - p * tokens`` for every edge a -> b, where period = p / q.

    Returns
    -------
    starts : (num_actors,) array
        int64; Python integers (dtype object) where int64 would overflow.

    Raises
    ------
    ValueError
        If the period is below the maximum cycle ratio.

    Examples
    --------
    >>> graph = MarkedGraph(2, [0, 1], [1, 0], [3, 2], [0, 1])
    >>> earliest_schedule(graph, Fraction(5)).tolist()
    [0, 3]
    """
    n, p, q = graph.num_actors, period.numerator, period.denominator
    most_delay = int(graph.delay.max(initial=0))
    most_tokens = max(int(graph.tokens.max(initial=0)), -int(graph.tokens.min(initial=0)))
    status = OVERFLOW
    if q * most_delay + abs(p) * most_tokens <= LIMIT:
        weight = q * graph.delay - p * graph.tokens
        # Along the edges: an actor's value comes from its predecessors, so swap the ends.
        order, _ = topological_order(n, graph.source, graph.target, graph.tokens <= 0)
        status, value, cycle = _settle_edges(n, graph.target, graph.source, weight, order)
    if status == OVERFLOW:
        wide = [
            q * d - p * t for d, t in zip(graph.delay.tolist(), graph.tokens.tolist(), strict=True)
        ]
        values, cycle = exact.longest_walks(n, graph.source.tolist(), graph.target.tolist(), wide)
        value = np.array(values, dtype=object)
        status = SETTLED if not len(cycle) else POSITIVE_CYCLE
    if status == POSITIVE_CYCLE:
        ticks = sum(int(graph.delay[e]) for e in cycle)
        tokens = sum(int(graph.tokens[e]) for e in cycle)
        raise ValueError(
            f"period {period}: a cycle of {len(cycle)} edges takes {ticks} ticks on {tokens} tokens"
        )
    starts: IntArray = value
    return starts
