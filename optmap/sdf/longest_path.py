"""Longest walks with integer weights: the one inner loop of ratios, schedules and retiming.

``settle`` raises values until value[u] >= weight[e] + value[head[e]] holds for every edge e out of
u, or a cycle of positive weight is found. It is Bellman and Ford's method with two accelerations:
actors are swept in place in the order given (successors first is best), and after each sweep the
chosen edges, which form a forest, are evaluated down to their roots (policy evaluation), so that
one improvement reaches everything upstream at once.

Invariant: value[u] <= weight[choice[u]] + value[head] at all times, and strictly when a choice is
made; hence the chosen edges close a cycle only if its weight is positive, and a cycle is found in
the very sweep that closes it. Without a positive cycle the values are weights of walks, so the loop
ends after at most one sweep per actor.

Chosen edges are followed by peeling: actors that nobody chooses first, then those chosen by peeled
ones only. What is left lies on cycles, and the reverse order evaluates roots first. Walking the
chains instead would wait for memory at every step of a large graph.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from optmap.compiled import borrowing, compiled

#: Values are kept below this, weights too: their sums then fit int64.
LIMIT = 2**61

SETTLED, POSITIVE_CYCLE, OVERFLOW = 0, 1, 2


@borrowing
def peel(head: Any, choice: Any, successor: Any, degree: Any, order: Any) -> Any:
    """Order the actors so that each comes before the one it chose; return how many could be.

    Parameters
    ----------
    head : array
        Edge i leads to ``head[i]``.
    choice : (n,) int64 array
        Chosen edge of each actor, -1 for none.
    successor, degree, order : (n,) int32 arrays
        Overwritten: the actor chosen (-1: none), work space, and the order. The actors left out,
        those on cycles, are the ones with ``degree`` above 0.
    """
    n = len(choice)
    for u in range(n):
        degree[u] = 0
    for u in range(n):
        if choice[u] >= 0:
            successor[u] = head[choice[u]]
            degree[successor[u]] += 1
        else:
            successor[u] = -1
    count = 0
    for u in range(n):
        if degree[u] == 0:
            order[count] = u
            count += 1
    done = 0
    while done < count:
        v = successor[order[done]]
        done += 1
        if v >= 0:
            degree[v] -= 1
            if degree[v] == 0:
                order[count] = v
                count += 1
    return count


@borrowing
def evaluate(weight: Any, choice: Any, successor: Any, order: Any, value: Any, gain: Any) -> Any:
    """Set value[u] = weight of the chosen edge + value of its head; False if that overflows.

    ``order`` holds every actor before the one it chose; ``gain`` is work space.
    """
    n = len(choice)
    for u in range(n):
        if choice[u] >= 0:
            gain[u] = weight[choice[u]]
    for i in range(n - 1, -1, -1):
        u = order[i]
        if successor[u] >= 0:
            new = gain[u] + value[successor[u]]
            if new > LIMIT or new < -LIMIT:
                return False
            value[u] = new
    return True


class Work(NamedTuple):
    """Work space for n actors: three int32 arrays and an int64 one, all of shape (n,)."""

    successor: Any
    degree: Any
    order: Any
    gain: Any


@compiled
def work_for(n: int) -> Any:
    """Return work space for n actors."""
    return Work(
        np.empty(n, dtype=np.int32),
        np.empty(n, dtype=np.int32),
        np.empty(n, dtype=np.int32),
        np.empty(n, dtype=np.int64),
    )


@borrowing
def settle(indptr: Any, head: Any, weight: Any, value: Any, choice: Any, work: Work) -> Any:
    """Raise ``value`` to the least solution above it; return SETTLED, POSITIVE_CYCLE or OVERFLOW.

    Parameters
    ----------
    indptr, head, weight : arrays
        Edge i in ``indptr[u]..indptr[u + 1]`` leaves u for ``head[i]``; |weight| <= LIMIT.
    value, choice : (n,) int64 arrays
        Start values and chosen edges (-1: none), overwritten. After POSITIVE_CYCLE the chosen
        edges of the actors with ``work.degree`` above 0 are cycles.
    work : Work
        Of :func:`peel` and :func:`evaluate`.
    """
    n = len(value)
    successor, degree, order, gain = work.successor, work.degree, work.order, work.gain
    while True:
        changed = False
        for u in range(n):
            best = value[u]
            chosen = -1
            for i in range(indptr[u], indptr[u + 1]):
                new = weight[i] + value[head[i]]
                if new > best:
                    best = new
                    chosen = i
            if chosen >= 0:
                if best > LIMIT:
                    return OVERFLOW
                value[u] = best
                choice[u] = chosen
                changed = True
        if not changed:
            return SETTLED
        if peel(head, choice, successor, degree, order) < n:
            return POSITIVE_CYCLE
        if not evaluate(weight, choice, successor, order, value, gain):
            return OVERFLOW
