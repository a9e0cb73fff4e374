"""Parts that hold too many columns made to fit: nodes move along a cheapest way through the parts.

An overfull part seldom lies beside one with room. Each step moves one node from every part of a way
to the next one, so that the parts between stay as full as they were; the way is the one that costs
least by the nodes that each part would best give to each other one (Bellman and Ford's, for some
moves save).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from optmap.clustering.kernels.traffic_moves import fits, move
from optmap.compiled import borrowing, compiled

#: Pairs of nodes and parts looked at, and pins of those that may be better, for each pin of the
#: level, after which it ends.
LOOKS_A_PIN = 25


@compiled
def balance(level: Any, parts: Any, columns: Any, room: Any) -> None:
    """Move nodes until no part has more columns than it may hold, as far as ways are found.

    Parameters
    ----------
    columns : int
        What a part may hold.
    room : (C + 1,) int64 array
        Most rows of a part with so many columns; of one with more, those of the last.
    """
    parts.locked[:] = True  # nothing is to be entered into the heap
    heap = [(np.int64(0), np.int64(0), np.int64(0))]
    heap.clear()
    num, looks = len(parts.size), LOOKS_A_PIN * len(level.nets)
    best, stale = np.empty((num, num), dtype=np.int64), np.ones(num, dtype=np.bool_)
    cost, before = np.empty(num, dtype=np.int64), np.empty(num, dtype=np.int64)
    while looks > 0:
        above = np.maximum(parts.size - columns, 0)
        first = np.argmax(above)
        if above[first] == 0:
            break
        looks -= _offers(level, parts, room, stale, best)
        last = _way(first, level, parts, columns, best, cost, before)
        if last < 0:
            break
        while last != first:
            come = before[last]
            stale[come] = stale[last] = True
            move(best[come, last], last, level, parts, heap)
            last = come
        if np.maximum(parts.size - columns, 0).sum() >= above.sum():
            break


@compiled
def _offers(level: Any, parts: Any, room: Any, stale: Any, best: Any) -> Any:
    """Find the node that each stale part would best give to each other; return how many were seen.

    None is stale afterwards.
    """
    num, seen = len(parts.size), 0
    anywhere = level.size.sum()
    for a in range(num):
        if stale[a]:
            best[a] = -1
    for v in range(len(level.size)):
        a = parts.part[v]
        if not stale[a]:
            continue
        seen += num
        for b in range(num):
            other = best[a, b]
            if b == a or (other >= 0 and _loss(v, b, parts) >= _loss(other, b, parts)):
                continue
            seen += level.net_ptr[v + 1] - level.net_ptr[v]
            if fits(v, b, anywhere, room, level, parts):
                best[a, b] = v
    stale[:] = False
    return seen + len(level.size) // num


@borrowing
def _loss(v: Any, b: Any, parts: Any) -> Any:
    """Return what it costs to move node v to part b."""
    return parts.total[v] - parts.single[v] - parts.link[v, b]


@compiled
def _way(
    first: Any, level: Any, parts: Any, columns: Any, best: Any, cost: Any, before: Any
) -> Any:
    """Find the cheapest way from an overfull part to one with room; return its end, -1 if none."""
    num, far = len(cost), np.iinfo(np.int64).max
    cost[:], before[:] = far, -1
    cost[first] = 0
    for _ in range(num - 1):
        changed = False
        for a in range(num):
            if cost[a] == far:
                continue
            for b in range(num):
                v = best[a, b]
                if v < 0 or b == first:
                    continue
                new = cost[a] + max(_loss(v, b, parts), 0)
                if new < cost[b]:
                    cost[b], before[b], changed = new, a, True
        if not changed:
            break
    end = -1
    for b in range(num):
        if cost[b] == far or b == first or (end >= 0 and cost[b] >= cost[end]):
            continue
        if parts.size[b] + level.size[best[before[b], b]] <= columns:
            end = b
    return end
