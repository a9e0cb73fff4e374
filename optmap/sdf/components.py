"""Compressed successor lists, strong components and token-free order: numba kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from optmap.compiled import compiled


@compiled
def group_by(num_actors: int, key: Any, kept: Any) -> Any:
    """Return (indptr, edges): the kept edges grouped by ``key``, stable, by counting sort."""
    indptr = np.zeros(num_actors + 1, dtype=np.int64)
    for e in range(len(key)):
        if kept[e]:
            indptr[key[e] + 1] += 1
    for u in range(num_actors):
        indptr[u + 1] += indptr[u]
    place = indptr[:-1].copy()
    edges = np.empty(indptr[num_actors], dtype=np.int64)
    for e in range(len(key)):
        if kept[e]:
            edges[place[key[e]]] = e
            place[key[e]] += 1
    return indptr, edges


@compiled
def strong_components(num_actors: int, indptr: Any, head: Any) -> Any:
    """Return (component of each actor, number of components), by Pearce's algorithm, iterative.

    Components are numbered in reverse topological order: an edge between two of them runs from
    the higher number to the lower. One array serves as visiting index and as component, so that
    an edge costs one access.

    Parameters
    ----------
    indptr, head : arrays
        The successors of u are ``head[indptr[u]:indptr[u + 1]]``.

    References
    ----------
    .. [1] D. Pearce, "A space-efficient algorithm for finding strongly connected components",
           Information Processing Letters 116(1), 2016.
    """
    number = np.zeros(num_actors, dtype=np.int32)  # 0: not seen; low: visiting; high: component
    cursor = indptr[:-1].copy()
    is_root = np.ones(num_actors, dtype=np.bool_)
    path = np.empty(num_actors, dtype=np.int32)  # the recursion
    waiting = np.empty(num_actors, dtype=np.int32)  # visited, component not known yet
    num_waiting, clock, next_component = 0, 1, num_actors
    for start in range(num_actors):
        if number[start]:
            continue
        depth = 0
        path[0] = start
        number[start] = clock
        clock += 1
        while depth >= 0:
            u = path[depth]
            if cursor[u] < indptr[u + 1]:
                v = head[cursor[u]]
                if number[v] == 0:  # looked at again, when the cursor comes back to this edge
                    number[v] = clock
                    clock += 1
                    depth += 1
                    path[depth] = v
                    continue
                cursor[u] += 1
                if number[v] < number[u]:
                    number[u] = number[v]
                    is_root[u] = False
                continue
            depth -= 1
            if not is_root[u]:
                waiting[num_waiting] = u
                num_waiting += 1
                continue
            clock -= 1
            while num_waiting and number[waiting[num_waiting - 1]] >= number[u]:
                num_waiting -= 1
                number[waiting[num_waiting]] = next_component
                clock -= 1
            number[u] = next_component
            next_component -= 1
    for u in range(num_actors):
        number[u] = num_actors - number[u]
    return number, num_actors - next_component


@compiled
def topological_order(indptr: Any, head: Any, kept: Any) -> Any:
    """Return (order, count): Kahn's order along the kept edges; count < n where they close cycles.

    The first ``count`` entries are ordered, the others are the actors on or behind cycles. What
    became ready last comes first, so that chains of edges stay together in memory.
    """
    n = len(indptr) - 1
    missing = np.zeros(n, dtype=np.int32)
    for i in range(len(head)):
        if kept[i]:
            missing[head[i]] += 1
    order = np.empty(n, dtype=np.int32)
    ready = np.empty(n, dtype=np.int32)
    count = 0
    for start in range(n):
        if missing[start] != 0:
            continue
        missing[start] = -1  # taken, never met again
        num_ready = 1
        ready[0] = start
        while num_ready:
            num_ready -= 1
            u = ready[num_ready]
            order[count] = u
            count += 1
            for i in range(indptr[u], indptr[u + 1]):
                if not kept[i]:
                    continue
                v = head[i]
                missing[v] -= 1
                if missing[v] == 0:
                    missing[v] = -1
                    ready[num_ready] = v
                    num_ready += 1
    rest = count
    for u in range(n):
        if missing[u] > 0:
            order[rest] = u
            rest += 1
    return order, count
