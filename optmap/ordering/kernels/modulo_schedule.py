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

from typing import Any

import numpy as np

from optmap.compiled import compiled
from optmap.sdf.components import group_by

#: Placements per task, on average, after which a period is given up.
PLACEMENTS_A_TASK = 12


@compiled
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


@compiled
def place(
    length: int,
    rank: Any,
    time: Any,
    resource: Any,
    source: Any,
    target: Any,
    weight: Any,
    kept: Any,
) -> Any:
    """Place tasks modulo ``length``; see the module's text.

    Parameters
    ----------
    length : int
        The period L.
    rank : (n,) int64 array
        A permutation; of the tasks without a place, the one of least rank is next.
    source, target, weight : (m,) int64 arrays
        start[target] - start[source] >= weight, where ``kept``.

    Returns
    -------
    starts : (n,) int64 array
    done : bool
        False if tasks kept pushing each other out.
    """
    n = len(rank)
    in_ptr, in_edges = group_by(n, target, kept)
    out_ptr, out_edges = group_by(n, source, kept)
    task_of = np.empty(n, dtype=np.int64)
    for i in range(n):
        task_of[rank[i]] = i
    starts = np.zeros(n, dtype=np.int64)
    last = np.full(n, -(2**61), dtype=np.int64)
    placed = np.zeros(n, dtype=np.bool_)
    num_resources = resource.max() + 1
    first = np.zeros(num_resources + 1, dtype=np.int64)
    for i in range(n):
        first[resource[i] + 1] += 1
    for r in range(num_resources):
        first[r + 1] += first[r]
    held = np.empty(n, dtype=np.int64)
    used = np.zeros(num_resources, dtype=np.int64)
    next_rank, left = 0, n
    for _ in range(PLACEMENTS_A_TASK * n):
        if left == 0:
            break
        while placed[task_of[next_rank]]:
            next_rank += 1
        a = task_of[next_rank]
        low = np.int64(-(2**61))
        high = np.int64(2**61)
        for j in range(in_ptr[a], in_ptr[a + 1]):
            e = in_edges[j]
            if placed[source[e]]:
                low = max(low, starts[source[e]] + weight[e])
        for j in range(out_ptr[a], out_ptr[a + 1]):
            e = out_edges[j]
            if placed[target[e]]:
                high = min(high, starts[target[e]] - weight[e])
        if low == -(2**61):
            low = np.int64(0) if high == 2**61 else high - length + 1
        r = resource[a]
        mine = held[first[r] : first[r + 1]]
        last_try = low + length - 1
        good = min(high, last_try)
        t = _free_from(low, good, length, time[a], mine, used[r], starts, time)
        if t > good:
            t = _free_from(low, last_try, length, time[a], mine, used[r], starts, time)
            if t > last_try or t <= last[a]:
                t = max(low, last[a] + 1)
        starts[a] = t
        last[a] = t
        placed[a] = True
        left -= 1
        # push out what is in the way, on the resource and among the successors
        j = 0
        while j < used[r]:
            b = mine[j]
            gap = (t - starts[b]) % length
            if gap < time[b] or gap + time[a] > length:
                placed[b] = False
                left += 1
                next_rank = min(next_rank, rank[b])
                used[r] -= 1
                mine[j] = mine[used[r]]
            else:
                j += 1
        mine[used[r]] = a
        used[r] += 1
        for j in range(out_ptr[a], out_ptr[a + 1]):
            e = out_edges[j]
            b = target[e]
            if placed[b] and starts[b] - t < weight[e]:
                placed[b] = False
                left += 1
                next_rank = min(next_rank, rank[b])
                q = resource[b]
                for k in range(first[q], first[q] + used[q]):
                    if held[k] == b:
                        used[q] -= 1
                        held[k] = held[first[q] + used[q]]
                        break
    return starts, left == 0
