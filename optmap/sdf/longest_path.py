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
"""

from __future__ import annotations

from typing import Any

from numba import njit

#: Values are kept below this, weights too: their sums then fit int64.
LIMIT = 2**61

SETTLED, POSITIVE_CYCLE, OVERFLOW = 0, 1, 2


@njit(cache=True)
def evaluate_forest(
    num_actors: int, head: Any, weight: Any, value: Any, choice: Any, seen: Any, path: Any
) -> Any:
    """Set value[u] = weight + value of the head along every chosen edge, roots first.

    Returns
    -------
    status : int
        SETTLED, POSITIVE_CYCLE or OVERFLOW.
    actor : int
        An actor on the cycle, else -1.
    """
    for u in range(num_actors):
        seen[u] = -1
    for start in range(num_actors):
        length = 0
        u = start
        while seen[u] < 0:
            seen[u] = start
            if choice[u] < 0:
                break
            path[length] = u
            length += 1
            u = head[choice[u]]
            if seen[u] == start:
                return POSITIVE_CYCLE, u
        for i in range(length - 1, -1, -1):
            u = path[i]
            e = choice[u]
            new = weight[e] + value[head[e]]
            if new > LIMIT or new < -LIMIT:
                return OVERFLOW, -1
            value[u] = new
    return SETTLED, -1


@njit(cache=True)
def settle(
    num_actors: int,
    indptr: Any,
    head: Any,
    weight: Any,
    value: Any,
    choice: Any,
    seen: Any,
    path: Any,
) -> Any:
    """Raise ``value`` to the least solution above it; see the module's text.

    Parameters
    ----------
    indptr, head, weight : arrays
        Edge i in ``indptr[u]..indptr[u + 1]`` leaves u for ``head[i]``; |weight| <= LIMIT.
    value, choice : (num_actors,) int64 arrays
        Start values and chosen edges (-1: none), overwritten.
    seen, path : (num_actors,) int64 arrays
        Work space.

    Returns
    -------
    status, actor
        As :func:`evaluate_forest`.
    """
    while True:
        changed = False
        for u in range(num_actors):
            best = value[u]
            chosen = -1
            for i in range(indptr[u], indptr[u + 1]):
                new = weight[i] + value[head[i]]
                if new > best:
                    best = new
                    chosen = i
            if chosen >= 0:
                if best > LIMIT:
                    return OVERFLOW, -1
                value[u] = best
                choice[u] = chosen
                changed = True
        if not changed:
            return SETTLED, -1
        status, actor = evaluate_forest(num_actors, head, weight, value, choice, seen, path)
        if status != SETTLED:
            return status, actor
