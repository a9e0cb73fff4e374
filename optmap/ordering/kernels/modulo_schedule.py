"""Modulo scheduling: places for tasks that repeat every L ticks on resources of their own [1]_.

Tasks are placed by rank, each at the first time after its predecessors at which its resource is
free modulo L and no successor is late. Where there is none, it takes a time at which a successor
is late, or the earliest time it has not had yet, and what is in its way loses its place, to be
placed again. After PLACEMENTS_A_TASK placements a task the period is given up.

References
----------
.. [1] B. R. Rau, "Iterative modulo scheduling", MICRO 1994.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from optmap.compiled import borrowing, compiled
from optmap.model.snn import IntArray
from optmap.sdf.components import group_by

#: Placements per task, on average, after which a period is given up.
PLACEMENTS_A_TASK = 12
#: Placements between two looks at the clock.
PLACEMENTS_A_LOOK = 256


@borrowing
def _free_from(
    low: Any, high: Any, length: int, ticks: int, held: Any, count: int, starts: Any, time: Any
) -> Any:
    """Return the first start in low..high at which a resource is free for ``ticks``.

    Above high if there is none. ``held[:count]`` are the tasks there, compared modulo ``length``.
    """
    t = low
    while t <= high:
        moved = False
        for j in range(count):
            b = held[j]
            gap = (t - starts[b]) % length  # since b's last start
            if gap < time[b]:
                t += time[b] - gap
                moved = True
            elif gap + ticks > length:
                t += length - gap + time[b]
                moved = True
        if not moved:
            return t
    return high + 1


class Placing(NamedTuple):
    """A problem and how far its placement has come.

    Parameters
    ----------
    length : int
        The period L.
    rank, task_of : (n,) int64 arrays
        A permutation and its inverse; of the tasks without a place, that of least rank is next.
    time, resource : (n,) int64 arrays
        Ticks of each task, and where it runs.
    source, target, weight : (m,) int64 arrays
        start[target] - start[source] >= weight; the edges of a task by the lists that follow.
    in_ptr, in_edges, out_ptr, out_edges
        Edges by target and by source, compressed.
    first, held, used : int64 arrays
        Tasks placed on resource r: ``held[first[r] : first[r] + used[r]]``.
    starts, last : (n,) int64 arrays
        Start of each placed task, and the latest that it has had.
    placed : (n,) bool array
    count : (3,) int64 array
        Least rank that may be unplaced, tasks without a place, placements so far.
    """

    length: Any
    rank: Any
    task_of: Any
    time: Any
    resource: Any
    source: Any
    target: Any
    weight: Any
    in_ptr: Any
    in_edges: Any
    out_ptr: Any
    out_edges: Any
    first: Any
    held: Any
    used: Any
    starts: Any
    last: Any
    placed: Any
    count: Any


def begin(
    length: int,
    rank: IntArray,
    time: IntArray,
    resource: IntArray,
    edges: tuple[IntArray, IntArray, IntArray],
) -> Placing:
    """Return the state in which no task has a place; ``edges`` are sources, targets, weights."""
    n = len(rank)
    source, target, weight = edges
    kept = source != target
    task_of = np.empty(n, dtype=np.int64)
    task_of[rank] = np.arange(n)
    in_ptr, in_edges = group_by(n, target, kept)
    out_ptr, out_edges = group_by(n, source, kept)
    first = np.concatenate(([0], np.cumsum(np.bincount(resource))))
    return Placing(
        length,
        rank,
        task_of,
        time,
        resource,
        source,
        target,
        weight,
        in_ptr,
        in_edges,
        out_ptr,
        out_edges,
        first.astype(np.int64),
        np.empty(n, dtype=np.int64),
        np.zeros(len(first) - 1, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        np.full(n, -(2**61), dtype=np.int64),
        np.zeros(n, dtype=np.bool_),
        np.array([0, n, 0], dtype=np.int64),
    )


def place(state: Placing, expired: Callable[[], bool]) -> IntArray | None:
    """Return starts; None if tasks kept pushing each other out, or ``expired`` said to stop."""
    most = PLACEMENTS_A_TASK * len(state.rank)
    while state.count[1] and state.count[2] < most and not expired():
        _place_some(state, min(PLACEMENTS_A_LOOK, most - int(state.count[2])))
    return None if state.count[1] else state.starts


@compiled
def _place_some(state: Any, most: int) -> None:
    """Place ``most`` tasks more, unless all have a place before."""
    for _ in range(most):
        if state.count[1] == 0:
            return
        while state.placed[state.task_of[state.count[0]]]:
            state.count[0] += 1
        a = state.task_of[state.count[0]]
        t = _start_of(state, a)
        state.starts[a] = t
        state.last[a] = t
        state.placed[a] = True
        state.count[1] -= 1
        state.count[2] += 1
        _clear_resource(state, a, t)
        for j in range(state.out_ptr[a], state.out_ptr[a + 1]):
            e = state.out_edges[j]
            b = state.target[e]
            if state.placed[b] and state.starts[b] - t < state.weight[e]:
                _unplace(state, b)
                _forget(state, b)


@borrowing
def _start_of(state: Any, a: int) -> Any:
    """Return where task ``a`` goes: after its predecessors, free if possible."""
    low = np.int64(-(2**61))
    high = np.int64(2**61)
    for j in range(state.in_ptr[a], state.in_ptr[a + 1]):
        e = state.in_edges[j]
        if state.placed[state.source[e]]:
            low = max(low, state.starts[state.source[e]] + state.weight[e])
    for j in range(state.out_ptr[a], state.out_ptr[a + 1]):
        e = state.out_edges[j]
        if state.placed[state.target[e]]:
            high = min(high, state.starts[state.target[e]] - state.weight[e])
    if low == -(2**61):
        low = np.int64(0) if high == 2**61 else high - state.length + 1
    r = state.resource[a]
    mine, count = state.held[state.first[r] : state.first[r + 1]], state.used[r]
    length, ticks = state.length, state.time[a]
    last_try = low + length - 1
    good = min(high, last_try)
    t = _free_from(low, good, length, ticks, mine, count, state.starts, state.time)
    if t > good:
        t = _free_from(low, last_try, length, ticks, mine, count, state.starts, state.time)
        if t > last_try or t <= state.last[a]:
            t = max(low, state.last[a] + 1)
    return t


@borrowing
def _clear_resource(state: Any, a: int, t: int) -> None:
    """Take the place of whatever is in the way of ``a``, which starts at ``t``, and enter it."""
    r = state.resource[a]
    mine, length = state.held[state.first[r] : state.first[r + 1]], state.length
    j = 0
    while j < state.used[r]:
        b = mine[j]
        gap = (t - state.starts[b]) % length
        if gap < state.time[b] or gap + state.time[a] > length:
            _unplace(state, b)
            state.used[r] -= 1
            mine[j] = mine[state.used[r]]
        else:
            j += 1
    mine[state.used[r]] = a
    state.used[r] += 1


@borrowing
def _unplace(state: Any, b: int) -> None:
    state.placed[b] = False
    state.count[1] += 1
    state.count[0] = min(state.count[0], state.rank[b])


@borrowing
def _forget(state: Any, b: int) -> None:
    """Take ``b`` off the tasks held by its resource."""
    q = state.resource[b]
    for k in range(state.first[q], state.first[q] + state.used[q]):
        if state.held[k] == b:
            state.used[q] -= 1
            state.held[k] = state.held[state.first[q] + state.used[q]]
            return
