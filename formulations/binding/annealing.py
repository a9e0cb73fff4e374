"""Annealing of a binding's spike-hops (B0a): clusters move or change places, in compiled code.

Pseudo-code::

    repeat ``moves`` times, the temperature falling geometrically:
        draw a cluster and a tile: one near a partner's, or (one time in eight) any
        move the cluster there if slot, crossbar, input buffer and load allow it, else let it
        change places with a cluster of that tile if they allow that
        accept a change of cost c > 0 with probability exp(-c / temperature)

A step costs O(partners). Problems are those of ruin_and_recreate.py; output buffers, which
depend on where partners stand, are the caller's to check. Deterministic for a seed and a number of
moves.

References
----------
S. Kirkpatrick, C. D. Gelatt, M. P. Vecchi, "Optimization by simulated annealing", Science 220,
1983; for quadratic assignment D. T. Connolly, European Journal of Operational Research 46, 1990.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from formulations.binding.ruin_and_recreate import cost_of_all, has_room, rooms_of, take
from optmap.compiled import compiled
from optmap.model.snn import IntArray

#: So many of the nearest tiles count as near.
NEAR = 13


def nearest_tiles(hops: IntArray) -> IntArray:
    """Return for every tile the nearest ones, itself first."""
    return np.argsort(hops, axis=1, kind="stable")[:, :NEAR].astype(np.int64)


@compiled
def _moved(a: int, t: int, b: int, tile: Any, problem: Any) -> Any:
    """Return by how much the cost changes if a goes to t; cluster b (-1: none) takes its place."""
    indptr, partner, hops = problem.indptr, problem.partner, problem.hops
    flow_to, flow_from = problem.flow_to, problem.flow_from
    s, change = tile[a], np.int64(0)
    for i in range(indptr[a], indptr[a + 1]):
        c = partner[i]
        if c != b:
            u = tile[c]
            change += flow_to[i] * (hops[t, u] - hops[s, u])
            change += flow_from[i] * (hops[u, t] - hops[u, s])
        else:
            change += flow_to[i] * (hops[t, s] - hops[s, t])
            change += flow_from[i] * (hops[s, t] - hops[t, s])
    if b < 0:
        return change
    for i in range(indptr[b], indptr[b + 1]):
        c = partner[i]
        if c != a:
            u = tile[c]
            change += flow_to[i] * (hops[s, u] - hops[t, u])
            change += flow_from[i] * (hops[u, s] - hops[u, t])
    return change


class _Lists(NamedTuple):
    """Clusters of each tile, as linked lists: the first of a tile, and who follows a cluster."""

    head: Any
    after: Any


@compiled
def _drawn_tile(a: int, tile: Any, near: Any, problem: Any) -> Any:
    """Draw a tile near one of a's partners; one time in eight any tile."""
    if np.random.randint(8) == 0:  # noqa: NPY002
        return np.random.randint(len(problem.slots))  # noqa: NPY002
    first, stop = problem.indptr[a], problem.indptr[a + 1]
    c = problem.partner[first + np.random.randint(stop - first)]  # noqa: NPY002
    return near[tile[c], np.random.randint(near.shape[1])]  # noqa: NPY002


@compiled
def _drawn_member(t: int, lists: Any) -> Any:
    """Draw one of the first clusters of tile t; -1 if it has none."""
    b = lists.head[t]
    for _ in range(np.random.randint(4)):  # noqa: NPY002
        if b >= 0 and lists.after[b] >= 0:
            b = lists.after[b]
    return b


@compiled
def _may_swap(a: int, b: int, s: int, t: int, problem: Any, rooms: Any) -> Any:
    """Tell whether cluster a on s and b on t may change places."""
    if b < 0 or not problem.fits[b, s]:
        return False
    need, ticks, room, load = problem.need, problem.ticks, rooms.input_room, rooms.load
    if room[t] + need[b] < need[a] or load[t] + ticks[b] < ticks[a]:
        return False
    return room[s] + need[a] >= need[b] and load[s] + ticks[a] >= ticks[b]


@compiled
def _relist(x: int, old: int, new: int, lists: Any) -> None:
    """Move cluster x from one tile's list to the head of another's."""
    head, after = lists.head, lists.after
    c = head[old]
    if c == x:
        head[old] = after[x]
    else:
        while after[c] != x:
            c = after[c]
        after[c] = after[x]
    after[x], head[new] = head[new], x


@compiled
def anneal(
    tile: Any, near: Any, problem: Any, seed: int, moves: int, hot: float, cold: float
) -> Any:
    """Return (best, value): the best binding met from ``tile`` on, which is changed in place.

    Parameters
    ----------
    tile : (K,) int64 array
        Tile of each cluster.
    near : (T, n) int64 array
        The nearest tiles of each tile.
    problem : BindingProblem
    hot, cold : float
        First and last temperature, in spike-hops.
    """
    np.random.seed(seed)  # noqa: NPY002 - the compiled generator's own state, not NumPy's
    k, tiles = len(tile), len(problem.slots)
    rooms = rooms_of(tile, problem)
    lists = _Lists(np.full(tiles, -1, dtype=np.int64), np.full(k, -1, dtype=np.int64))
    for a in range(k):
        lists.after[a], lists.head[tile[a]] = lists.head[tile[a]], a
    value = cost_of_all(tile, problem)
    best, least = tile.copy(), value
    temperature, falling = hot, (cold / hot) ** (256.0 / max(moves, 1))
    for step in range(moves):
        if step % 256 == 255:
            temperature *= falling
        a = np.random.randint(k)  # noqa: NPY002
        if problem.indptr[a + 1] == problem.indptr[a]:
            continue
        s, t = tile[a], _drawn_tile(a, tile, near, problem)
        if t == s or not problem.fits[a, t]:
            continue
        b = -1
        if not has_room(a, t, problem, rooms):
            b = _drawn_member(t, lists)
            if not _may_swap(a, b, s, t, problem, rooms):
                continue
        change = _moved(a, t, b, tile, problem)
        if change > 0 and np.random.random() >= np.exp(-change / temperature):  # noqa: NPY002
            continue
        value += change
        for x, old, new in ((a, s, t), (b, t, s)):
            if x >= 0:
                _relist(x, old, new, lists)
                tile[x] = new
                take(x, old, -1, problem, rooms)
                take(x, new, 1, problem, rooms)
        if value < least:
            least = value
            best[:] = tile
    return best, least
