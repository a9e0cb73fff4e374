"""Cycle ratios of many graphs in one call into compiled code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from optmap.compiled import compiled
from optmap.errors import DeadlockError
from optmap.sdf.cycle_ratio import maximum_cycle_ratio
from optmap.sdf.howard import DONE, TOO_LARGE
from optmap.sdf.marked_graph import MarkedGraph, read_only
from optmap.sdf.ratio_kernel import DEADLOCK, solve_signed


@compiled
def _solve_all(
    num_actors: Any, first_edge: Any, source: Any, target: Any, delay: Any, tokens: Any
) -> Any:
    """Return (status, p, q) of each graph; graph g has the edges first_edge[g]..[g + 1]."""
    count = len(num_actors)
    status = np.empty(count, dtype=np.int64)
    p = np.empty(count, dtype=np.int64)
    q = np.empty(count, dtype=np.int64)
    for g in range(count):
        a, b = first_edge[g], first_edge[g + 1]
        status[g], p[g], q[g], _ = solve_signed(
            num_actors[g], source[a:b], target[a:b], delay[a:b], tokens[a:b]
        )
    return status, p, q


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a graph's cycles say.

    Parameters
    ----------
    deadlock : bool
        Whether the tokens of some cycle sum to zero or less.
    ratio : Fraction or None
        Maximum cycle ratio; None without a cycle and in a deadlock.
    """

    deadlock: bool
    ratio: Fraction | None


def cycle_ratios(graphs: Sequence[MarkedGraph]) -> list[Verdict]:
    """Return the verdict on each graph, all in one call into compiled code.

    Examples
    --------
    >>> loop = MarkedGraph(1, [0], [0], [3], [1])
    >>> stuck = MarkedGraph(1, [0], [0], [3], [0])
    >>> [str(verdict.ratio) for verdict in cycle_ratios([loop, stuck])]
    ['3', 'None']
    """
    if not graphs:
        return []
    sizes = np.array([0, *(graph.num_edges for graph in graphs)], dtype=np.int64)
    packed = (
        read_only(np.concatenate([getattr(graph, field) for graph in graphs]), dtype)
        for field, dtype in (
            ("source", np.int32),
            ("target", np.int32),
            ("delay", np.int64),
            ("tokens", np.int64),
        )
    )
    status, p, q = _solve_all(
        np.array([graph.num_actors for graph in graphs], dtype=np.int64), np.cumsum(sizes), *packed
    )
    verdicts = []
    for graph, s, a, b in zip(graphs, status.tolist(), p.tolist(), q.tolist(), strict=True):
        if s == DONE:
            verdicts.append(Verdict(False, Fraction(a, b)))
        elif s == TOO_LARGE:
            verdicts.append(verdict_of(graph))
        else:
            verdicts.append(Verdict(s == DEADLOCK, None))
    return verdicts


def verdict_of(graph: MarkedGraph) -> Verdict:
    """Return the verdict on one graph."""
    try:
        return Verdict(False, maximum_cycle_ratio(graph)[0])
    except DeadlockError:
        return Verdict(True, None)
