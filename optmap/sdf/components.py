"""Compressed successor lists, strong components and token-free order: numba kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True)
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


@njit(cache=True)
def strong_components(num_actors: int, indptr: Any, edges: Any, target: Any) -> Any:
    """Return (component of each actor, number of components) by Tarjan's algorithm, iterative.

    Components are numbered in reverse topological order: an edge between two of them runs from
    the higher number to the lower.
    """
    component = np.full(num_actors, -1, dtype=np.int64)
    low = np.full(num_actors, -1, dtype=np.int64)
    cursor = indptr[:-1].copy()
    waiting = np.empty(num_actors, dtype=np.int64)  # Tarjan's stack
    path = np.empty(num_actors, dtype=np.int64)  # the recursion
    index = np.empty(num_actors, dtype=np.int64)
    num_waiting, clock, num_components = 0, 0, 0
    for start in range(num_actors):
        if low[start] >= 0:
            continue
        depth = 0
        path[0] = start
        low[start] = index[start] = clock
        clock += 1
        waiting[num_waiting] = start
        num_waiting += 1
        while depth >= 0:
            u = path[depth]
            if cursor[u] < indptr[u + 1]:
                v = target[edges[cursor[u]]]
                cursor[u] += 1
                if low[v] < 0:
                    low[v] = index[v] = clock
                    clock += 1
                    waiting[num_waiting] = v
                    num_waiting += 1
                    depth += 1
                    path[depth] = v
                elif component[v] < 0 and index[v] < low[u]:
                    low[u] = index[v]
            else:
                if low[u] == index[u]:
                    while True:
                        num_waiting -= 1
                        v = waiting[num_waiting]
                        component[v] = num_components
                        if v == u:
                            break
                    num_components += 1
                depth -= 1
                if depth >= 0 and low[u] < low[path[depth]]:
                    low[path[depth]] = low[u]
    return component, num_components


@njit(cache=True)
def topological_order(num_actors: int, source: Any, target: Any, kept: Any) -> Any:
    """Return (order, count): Kahn's order along the kept edges; count < num_actors on a cycle.

    The first ``count`` entries are ordered, the others are the actors on or behind cycles.
    """
    indptr, edges = group_by(num_actors, source, kept)
    missing = np.zeros(num_actors, dtype=np.int64)
    for e in range(len(source)):
        if kept[e]:
            missing[target[e]] += 1
    order = np.empty(num_actors, dtype=np.int64)
    count = 0
    for u in range(num_actors):
        if missing[u] == 0:
            order[count] = u
            count += 1
    done = 0
    while done < count:
        u = order[done]
        done += 1
        for i in range(indptr[u], indptr[u + 1]):
            v = target[edges[i]]
            missing[v] -= 1
            if missing[v] == 0:
                order[count] = v
                count += 1
    rest = count
    for u in range(num_actors):
        if missing[u] > 0:
            order[rest] = u
            rest += 1
    return order, count
