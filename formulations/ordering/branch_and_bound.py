"""Own branch and bound: is there a static order of at most this period? No solver, whole numbers.

For orders without prologue and with free sends. At period p / q every constraint compares two
starts, s[b] - s[a] >= weight (times q): the edges of (S1), (S2b) and, for two tasks of a resource,
one of the two ways round. The implied distances are kept closed (Floyd and Warshall); a pair of
which one way would close a positive cycle is decided; among the others the one whose starts have
least freedom is branched on. Nothing is left open: an order exists, or all branches end in a
positive cycle.

Depth first, at most ``nodes`` nodes; deterministic. :func:`refuted` is what a certificate of an
optimal period is repeated by.
"""

from __future__ import annotations

from enum import IntEnum
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np

from formulations.ordering.horizon import NO_PATH, longest_paths
from formulations.ordering.sets import OrderSets
from optmap.compiled import compiled

#: Nodes of a search that is to end in a fraction of a second; and tasks, whose number is cubed.
NODES, MOST_TASKS = 20_000, 80
#: Beyond it sums of distances could leave int64.
MOST_TICKS = 2**50


class Answer(IntEnum):
    """What a search says: no order exists, one does, or the nodes were used up."""

    NONE = 0
    EXISTS = 1
    OPEN = 2


def refuted(sets: OrderSets, period: Fraction, nodes: int = NODES) -> bool | None:
    """Tell whether no order has at most this period; None where the search ends undecided.

    Parameters
    ----------
    period : Fraction
        In ticks, > 0.
    nodes : int
        Branches tried at most.
    """
    num, scale, length = len(sets.time), period.denominator, period.numerator
    if num > MOST_TASKS or (sets.most_ticks * scale + length) * (num + 1) > MOST_TICKS:
        return None
    time = [t * scale for t in sets.time]
    if max(time, default=0) > length:  # a task never overlaps itself
        return True
    arcs = [(a, b, delay * scale - length * tokens) for a, b, delay, tokens in sets.edges]
    for group in sets.resources:
        arcs += [(a, b, time[a] - length) for a in group for b in group if a != b]
    distances = longest_paths(num, arcs)
    if distances is None:
        return True
    pairs = [pair for group in sets.resources for pair in combinations(group, 2)]
    first = np.array([a for a, _ in pairs], dtype=np.int64)
    second = np.array([b for _, b in pairs], dtype=np.int64)
    answer = _search(distances, first, second, np.array(time, dtype=np.int64), nodes)
    return None if answer == Answer.OPEN else bool(answer == Answer.NONE)


@compiled
def _precede(dist: Any, a: int, b: int, time: Any) -> bool:
    """Let a end before b starts; close the distances; False on a positive cycle."""
    n, weight = len(dist), time[a]
    if weight + dist[b, a] > 0:
        return False
    for i in range(n):
        if dist[i, a] == NO_PATH:
            continue
        to_b = dist[i, a] + weight
        if to_b <= dist[i, b]:
            continue
        for j in range(n):
            if dist[b, j] != NO_PATH and to_b + dist[b, j] > dist[i, j]:
                dist[i, j] = to_b + dist[b, j]
    return True


@compiled
def _decide(dist: Any, first: Any, second: Any, time: Any) -> bool:
    """Decide every pair of which one way is impossible; False if that leaves nothing."""
    changed = True
    while changed:
        changed = False
        for p in range(len(first)):
            a, b = first[p], second[p]
            if dist[a, b] < time[a] and dist[a, b] > -time[b]:
                changed = True
                if not _precede(dist, a, b, time):
                    return False
            if dist[b, a] < time[b] and dist[b, a] > -time[a]:
                changed = True
                if not _precede(dist, b, a, time):
                    return False
    return True


@compiled
def _tightest(dist: Any, first: Any, second: Any, time: Any) -> int:
    """Return the undecided pair whose starts have least freedom; -1 if all are decided."""
    chosen, least = -1, np.int64(2**62)
    for p in range(len(first)):
        a, b = first[p], second[p]
        if dist[a, b] >= time[a] or dist[b, a] >= time[b]:
            continue
        freedom = -dist[b, a] - dist[a, b]
        if freedom < least:
            chosen, least = p, freedom
    return chosen


@compiled
def _search(dist: Any, first: Any, second: Any, time: Any, nodes: int) -> int:
    """Search depth first; return an :class:`Answer`.

    Parameters
    ----------
    dist : (n, n) int64 array
        Closed distances: start[b] - start[a] >= dist[a, b].
    first, second : (P,) int64 arrays
        The pairs that exclude each other.
    time : (n,) int64 array
    nodes : int
        Branches tried at most.
    """
    if not _decide(dist, first, second, time):
        return 0
    depths = len(first) + 1
    kept = np.empty((depths, len(dist), len(dist)), dtype=np.int64)
    chosen = np.full(depths, -1, dtype=np.int64)
    way = np.zeros(depths, dtype=np.int64)
    kept[0] = dist
    chosen[0] = _tightest(dist, first, second, time)
    if chosen[0] < 0:
        return 1
    depth = 0
    while depth >= 0:
        if way[depth] == 2:
            depth -= 1
            continue
        if nodes == 0:
            return 2
        nodes -= 1
        a, b = first[chosen[depth]], second[chosen[depth]]
        if way[depth] == 1:
            a, b = b, a
        way[depth] += 1
        here = kept[depth + 1]
        here[:] = kept[depth]
        if not _precede(here, a, b, time) or not _decide(here, first, second, time):
            continue
        pair = _tightest(here, first, second, time)
        if pair < 0:
            return 1
        depth += 1
        chosen[depth], way[depth] = pair, 0
    return 0
