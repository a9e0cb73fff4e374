"""Less traffic by moving nodes between parts in chains, after Fiduccia and Mattheyses [FM]_.

A pass moves every node at most once, always the one that saves most (or costs least), and keeps the
moves up to the best state seen. A move may overfill a part by one node: the next then leaves that
part, so that full parts exchange nodes. Nothing is kept in which a part is fuller than allowed.

References
----------
.. [FM] C. M. Fiduccia, R. M. Mattheyses, "A linear-time heuristic for improving network
   partitions", DAC 1982.
"""

from __future__ import annotations

import heapq
from typing import Any, NamedTuple

import numpy as np

from optmap.compiled import borrowing, compiled


class Parts(NamedTuple):
    """K parts of a level's nodes as they stand, changed in place.

    Parameters
    ----------
    part : (V,) int32 array
        Part of each node.
    count : (K, E) int32 array
        Nodes of a part that are pins of a net.
    size, rows : (K,) int64 arrays
        Columns and rows taken.
    single : (V,) int64 array
        Weight of the nets whose only pin in the node's part is the node.
    link : (V, K) int64 array
        Weight of the node's nets that have a pin in each part.
    total : (V,) int64 array
        Weight of the node's nets.
    locked : (V,) bool array
        Nodes that this pass moved.
    known : (V, 3) int64 array
        The best part for each node, what it saves, and after how many moves of this pass that held.
    looks : (1,) int64 array
        Nets of nodes that this pass looked at, in each part, to see where a node fits.
    """

    part: Any
    count: Any
    size: Any
    rows: Any
    single: Any
    link: Any
    total: Any
    locked: Any
    known: Any
    looks: Any


@compiled
def parts_of(level: Any, part: Any, num: Any) -> Any:
    """Return the tables of parts 0..num-1."""
    nodes = len(level.size)
    count = np.zeros((num, len(level.weight)), dtype=np.int32)
    size, rows = np.zeros(num, dtype=np.int64), np.zeros(num, dtype=np.int64)
    single, total = np.zeros(nodes, dtype=np.int64), np.zeros(nodes, dtype=np.int64)
    link = np.zeros((nodes, num), dtype=np.int64)
    for v in range(nodes):
        size[part[v]] += level.size[v]
        for i in range(level.net_ptr[v], level.net_ptr[v + 1]):
            count[part[v], level.nets[i]] += 1
    for e in range(len(level.weight)):
        holder = level.holder[e]
        for k in range(num):
            readers = count[k, e] - (holder >= 0 and part[holder] == k)
            rows[k] += readers > 0
            if count[k, e] > 0:
                for j in range(level.pin_ptr[e], level.pin_ptr[e + 1]):
                    link[level.pins[j], k] += level.weight[e]
    for v in range(nodes):
        for i in range(level.net_ptr[v], level.net_ptr[v + 1]):
            e = level.nets[i]
            total[v] += level.weight[e]
            if count[part[v], e] == 1:
                single[v] += level.weight[e]
    locked = np.zeros(nodes, dtype=np.bool_)
    known = np.full((nodes, 3), -1, dtype=np.int64)
    looks = np.zeros(1, dtype=np.int64)
    return Parts(part, count, size, rows, single, link, total, locked, known, looks)


@borrowing
def _readers_in(level: Any, parts: Any, e: Any, k: Any) -> Any:
    """Return how many nodes of part k read net e."""
    holder = level.holder[e]
    return parts.count[k, e] - (holder >= 0 and parts.part[holder] == k)


@borrowing
def _new_rows(v: Any, b: Any, level: Any, parts: Any) -> Any:
    """Return the rows that node v would add to part b."""
    new = 0
    for i in range(level.net_ptr[v], level.net_ptr[v + 1]):
        if level.reads[i] and _readers_in(level, parts, level.nets[i], b) == 0:
            new += 1
    return new


@compiled
def move(v: Any, b: Any, level: Any, parts: Any, heap: Any) -> Any:
    """Move node v to part b; enter into the heap what may move better now; return the saving."""
    part, count, single, link = parts.part, parts.count, parts.single, parts.link
    a = part[v]
    saved = single[v] + link[v, b] - parts.total[v]
    parts.size[a] -= level.size[v]
    parts.size[b] += level.size[v]
    for i in range(level.net_ptr[v], level.net_ptr[v + 1]):
        e = level.nets[i]
        w = level.weight[e]
        if level.reads[i]:
            parts.rows[a] -= _readers_in(level, parts, e, a) == 1
            parts.rows[b] += _readers_in(level, parts, e, b) == 0
        count[a, e] -= 1
        count[b, e] += 1
        left, come = count[a, e], count[b, e]
        if left > 1 and come > 2:
            continue
        for j in range(level.pin_ptr[e], level.pin_ptr[e + 1]):
            u = level.pins[j]
            if left == 0:
                link[u, a] -= w
            if come == 1:
                link[u, b] += w
            if u == v:
                continue
            if left == 1 and part[u] == a:
                single[u] += w
            if come == 2 and part[u] == b:
                single[u] -= w
            if not parts.locked[u]:
                if come == 1 and part[u] != b:
                    gain = single[u] + link[u, b] - parts.total[u]
                    heapq.heappush(heap, (-gain, np.int64(u), np.int64(b)))
                if left == 1 and part[u] == a:
                    _enter(u, parts, heap)
    part[v] = b
    single[v] = 0
    for i in range(level.net_ptr[v], level.net_ptr[v + 1]):
        if count[b, level.nets[i]] == 1:
            single[v] += level.weight[level.nets[i]]
    return saved


@compiled
def _enter(v: Any, parts: Any, heap: Any) -> None:
    """Enter a node with the part that it would best move to."""
    best = -1
    for k in range(len(parts.size)):
        if k != parts.part[v] and (best < 0 or parts.link[v, k] > parts.link[v, best]):
            best = k
    if best < 0:
        return  # there is no other part
    gain = parts.single[v] + parts.link[v, best] - parts.total[v]
    heapq.heappush(heap, (-gain, np.int64(v), np.int64(best)))


@borrowing
def fits(v: Any, b: Any, columns: Any, room: Any, level: Any, parts: Any) -> Any:
    """Tell whether node v fits into part b of so many columns and the rows that these leave."""
    after = parts.size[b] + level.size[v]
    if after > columns:
        return False
    left = room[min(after, len(room) - 1)] - parts.rows[b]
    most = level.net_ptr[v + 1] - level.net_ptr[v]
    return left >= min(most, len(level.weight)) or _new_rows(v, b, level, parts) <= left


@borrowing
def _best_target(v: Any, columns: Any, room: Any, level: Any, parts: Any) -> Any:
    """Return the part into which node v fits that saves most, and what it saves; -1 if none."""
    best, most = -1, np.int64(0)
    parts.looks[0] += len(parts.size) * (level.net_ptr[v + 1] - level.net_ptr[v])
    for k in range(len(parts.size)):
        if k == parts.part[v] or (best >= 0 and parts.link[v, k] <= most):
            continue
        if fits(v, k, columns, room, level, parts):
            best, most = k, parts.link[v, k]
    return best, parts.single[v] + most - parts.total[v]


@compiled
def _from_heap(heap: Any, columns: Any, room: Any, level: Any, parts: Any, done: Any) -> Any:
    """Return the free node that saves most, and where it goes; (-1, -1) without any.

    A node stands in the heap once for each part that it may move to; its best part is looked for
    once after each of the ``done`` moves.
    """
    while len(heap):
        minus, v, b = heapq.heappop(heap)
        if parts.locked[v] or parts.part[v] == b:
            continue
        gain = parts.single[v] + parts.link[v, b] - parts.total[v]
        if gain < -minus:
            heapq.heappush(heap, (-gain, v, b))
            continue
        if fits(v, b, columns, room, level, parts):
            return v, b
        known = parts.known[v]
        if known[2] != done:
            known[0], known[1] = _best_target(v, columns, room, level, parts)
            known[2] = done
        other, less = known[0], known[1]
        if other >= 0:
            if len(heap) == 0 or -less <= heap[0][0]:
                return v, np.int64(other)
            heapq.heappush(heap, (-less, v, np.int64(other)))
    return np.int64(-1), np.int64(-1)


@borrowing
def _leaving(a: Any, columns: Any, room: Any, level: Any, parts: Any) -> Any:
    """Return the free node of overfull part a that is best moved to another, and where to."""
    best, to, most = -1, -1, np.int64(0)
    for v in range(len(level.size)):
        if parts.part[v] != a or parts.locked[v]:
            continue
        b, gain = _best_target(v, columns, room, level, parts)
        if b >= 0 and (best < 0 or gain > most):
            best, to, most = v, b, gain
    return np.int64(best), np.int64(to)


@borrowing
def _overfull(columns: Any, room: Any, parts: Any) -> Any:
    """Return the part with most columns and rows too many, -1 if there is none, and their sum."""
    fullest, most, above = -1, 0, 0
    for k in range(len(parts.size)):
        rows = room[min(parts.size[k], len(room) - 1)]
        excess = max(parts.size[k] - columns, 0) + max(parts.rows[k] - rows, 0)
        above += excess
        if excess > most:
            fullest, most = k, excess
    return fullest, above


@compiled
def pass_of_moves(
    level: Any, parts: Any, columns: Any, room: Any, slack: Any, patience: Any, most: Any
) -> Any:
    """Make one pass; return what it saved, and what columns and rows are short of afterwards.

    Parameters
    ----------
    columns : int
        What a part may hold.
    room : (C + 1,) int64 array
        Most rows of a part with so many columns; of one with more, those of the last.
    slack : int
        By how many columns a part may be overfilled by a move.
    patience : int
        Moves without a better state after which the pass ends.
    most : int
        Looks after which it ends: where hardly anything fits, a move takes as many as all others.
    """
    nodes = len(level.size)
    parts.locked[:], parts.known[:, 2], parts.looks[0] = False, -1, 0
    moved, came_from = np.empty(nodes, dtype=np.int32), np.empty(nodes, dtype=np.int32)
    heap = [(np.int64(0), np.int64(0), np.int64(0))]
    heap.clear()
    for v in range(nodes):
        if parts.single[v] > 0 or parts.link[v].sum() > parts.total[v]:
            _enter(v, parts, heap)
    fullest, least_above = _overfull(columns, room, parts)
    level_saved, best_saved, done, kept = np.int64(0), np.int64(0), 0, 0
    while done < nodes and done - kept < patience and parts.looks[0] < most:
        if fullest < 0:
            v, b = _from_heap(heap, columns + slack, room, level, parts, done)
        else:
            v, b = _leaving(fullest, columns, room, level, parts)
            if v < 0:
                v, b = _leaving(fullest, columns + slack, room, level, parts)
        if v < 0:
            break
        moved[done], came_from[done] = v, parts.part[v]
        parts.locked[v] = True
        level_saved += move(v, b, level, parts, heap)
        done += 1
        fullest, above = _overfull(columns, room, parts)
        if above < least_above or (above == least_above and level_saved > best_saved):
            least_above, best_saved, kept = above, level_saved, done
    heap.clear()
    while done > kept:
        done -= 1
        move(moved[done], came_from[done], level, parts, heap)
    return best_saved, least_above


@compiled
def cut(level: Any, part: Any, num: Any) -> Any:
    """Return the sum over nets of spikes times (parts with a pin of it - 1)."""
    met = np.full(num, -1, dtype=np.int64)
    value = np.int64(0)
    for e in range(len(level.weight)):
        parts = 0
        for j in range(level.pin_ptr[e], level.pin_ptr[e + 1]):
            k = part[level.pins[j]]
            if met[k] != e:
                met[k] = e
                parts += 1
        value += level.weight[e] * max(parts - 1, 0)
    return value
