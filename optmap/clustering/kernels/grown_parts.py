"""First parts of the coarsest level: each grown from a node, by what is most of its own already."""

from __future__ import annotations

import heapq
from typing import Any, NamedTuple

import numpy as np

from optmap.clustering.kernels.levels import SILENT
from optmap.compiled import borrowing, compiled


class Growth(NamedTuple):
    """The part that grows.

    Parameters
    ----------
    part : (V,) int32 array
        Part of each node, -1 while it is free.
    total, linked : (V,) float arrays
        Weight of a node's nets, and of those of them that have a pin in the part.
    pinned, on_row : (E,) int32 arrays
        The part that last got a pin of each net, or a reader of it.
    """

    part: Any
    total: Any
    linked: Any
    pinned: Any
    on_row: Any


@compiled
def grown_parts(level: Any, num: Any, room: Any, seed: Any) -> Any:
    """Return the part of every node, each part grown as long as its share of the columns lasts.

    The next node is the free one of whose nets the largest share, by weight, is in the part. What
    is left over comes into the part with fewest columns: moves must mend that.

    Parameters
    ----------
    room : (C + 1,) int64 array
        Most rows of a part with so many columns; of one with more, those of the last.
    """
    np.random.seed(seed)  # noqa: NPY002 - the compiled generator's own state, not NumPy's
    nodes, num_nets = len(level.size), len(level.weight)
    total = np.zeros(nodes, dtype=np.float64)
    for v in range(nodes):
        for i in range(level.net_ptr[v], level.net_ptr[v + 1]):
            total[v] += max(float(level.weight[level.nets[i]]), SILENT)
    growth = Growth(
        np.full(nodes, -1, dtype=np.int32),
        total,
        np.zeros(nodes, dtype=np.float64),
        np.full(num_nets, -1, dtype=np.int32),
        np.full(num_nets, -1, dtype=np.int32),
    )
    size = np.zeros(num, dtype=np.int64)
    left, heap = level.size.sum(), [(0.0, np.int64(0))]
    begin: Any = np.int64(np.random.randint(nodes))  # noqa: NPY002
    for k in range(num):
        target = -(-left // (num - k))
        v = begin
        rows: Any = np.int64(0)
        heap.clear()
        growth.linked[:] = 0.0
        while v >= 0:
            size[k] += level.size[v]
            rows += _join(v, k, level, growth, heap)
            v = _next(size[k], rows, k, target, room, level, growth, heap)
        left -= size[k]
        begin = _frontier(growth)
        if begin < 0:
            begin = _free(growth.part)
        if begin < 0:
            break
    for v in range(nodes):
        if growth.part[v] < 0:
            growth.part[v] = np.argmin(size)
            size[growth.part[v]] += level.size[v]
    return growth.part


@compiled
def _join(v: Any, k: Any, level: Any, growth: Any, heap: Any) -> Any:
    """Put node v into part k, enter what it shares nets with; return its new rows."""
    part, linked = growth.part, growth.linked
    part[v] = k
    rows = 0
    for i in range(level.net_ptr[v], level.net_ptr[v + 1]):
        e = level.nets[i]
        if level.reads[i] and growth.on_row[e] != k:
            growth.on_row[e] = k
            rows += 1
        if growth.pinned[e] == k:
            continue
        growth.pinned[e] = k
        for j in range(level.pin_ptr[e], level.pin_ptr[e + 1]):
            u = level.pins[j]
            if part[u] < 0:
                linked[u] += max(float(level.weight[e]), SILENT)
                heapq.heappush(heap, (-linked[u] / growth.total[u], np.int64(u)))
    return rows


@compiled
def _next(
    size: Any, rows: Any, k: Any, target: Any, room: Any, level: Any, growth: Any, heap: Any
) -> Any:
    """Return the free node that is most of part k already and fits it; -1 if none does."""
    while len(heap):
        minus, v = heapq.heappop(heap)
        if growth.part[v] >= 0 or -minus != growth.linked[v] / growth.total[v]:
            continue
        if size + level.size[v] > target:
            continue
        new = 0
        for i in range(level.net_ptr[v], level.net_ptr[v + 1]):
            new += level.reads[i] and growth.on_row[level.nets[i]] != k
        if rows + new <= room[min(size + level.size[v], len(room) - 1)]:
            return v
    return np.int64(-1)


@borrowing
def _frontier(growth: Any) -> Any:
    """Return the free node that is most of the part just closed, -1 if none is any of it."""
    best, most = -1, 0.0
    for v in range(len(growth.part)):
        if growth.part[v] < 0 and growth.linked[v] > most * growth.total[v]:
            best, most = v, growth.linked[v] / growth.total[v]
    return np.int64(best)


@borrowing
def _free(part: Any) -> Any:
    """Return the first free node, -1 if there is none."""
    for v in range(len(part)):
        if part[v] < 0:
            return np.int64(v)
    return np.int64(-1)
