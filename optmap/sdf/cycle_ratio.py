"""Maximum cycle ratio and earliest periodic schedule of a marked graph, exact."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from optmap.errors import DeadlockError
from optmap.sdf import exact
from optmap.sdf.components import group_by, topological_order
from optmap.sdf.howard import NO_CYCLE, TOO_LARGE
from optmap.sdf.longest_path import LIMIT, OVERFLOW, POSITIVE_CYCLE, SETTLED
from optmap.sdf.marked_graph import IntArray, MarkedGraph
from optmap.sdf.ratio_kernel import DEADLOCK, retime, settle_edges, solve, solve_signed


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
    ratio_of = solve_signed if graph.num_edges and graph.tokens.min() < 0 else solve
    status, p, q, found = ratio_of(n, graph.source, graph.target, graph.delay, graph.tokens)
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
    status, tokens, cycle = retime(
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
        indptr, edges = group_by(n, graph.source, graph.tokens <= 0)
        every = np.ones(len(edges), dtype=np.bool_)
        order, _ = topological_order(indptr, graph.target[edges], every)
        status, value, cycle = settle_edges(n, graph.target, graph.source, weight, order)
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
