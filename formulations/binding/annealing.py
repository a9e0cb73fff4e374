"""Annealing of a binding's spike-hops (B0a): clusters move or change places, in compiled code.

Pseudo-code::

    repeat ``moves`` times, the temperature falling geometrically:
        draw a cluster and a tile: one near a partner's, or (one time in eight) any
        move the cluster there if slot, crossbar, input buffer and load allow it, else let it
        change places with a cluster of that tile if they allow that
        accept a change of cost c > 0 with probability exp(-c / temperature)

A step costs O(partners). Problems are the tuples of ruin_and_recreate.py; output buffers, which
depend on where partners stand, are the caller's to check. Deterministic for a seed and a number of
moves.

References
----------
S. Kirkpatrick, C. D. Gelatt, M. P. Vecchi, "Optimization by simulated annealing", Science 220,
1983; for quadratic assignment D. T. Connolly, European Journal of Operational Research 46, 1990.
"""

from __future__ import annotations

from typing import Any

import numpy as np

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
    indptr, partner, flow_to, flow_from, hops, _, _, _, _, _, _ = problem
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


@compiled
def anneal(
    tile: Any, near: Any, problem: Any, seed: int, moves: int, hot: float, cold: float
) -> Any:
    """Return (best, value): the best binding met from ``tile`` on, which is changed in place."""
    np.random.seed(seed)  # noqa: NPY002 - the compiled generator's own state, not NumPy's
    indptr, partner, flow_to, flow_from, hops, fits, slots, ticks, need, input_room, most = problem
    k, tiles = len(tile), len(slots)
    slots_left, room, load = slots.copy(), input_room.copy(), np.full(tiles, most, dtype=np.int64)
    head, after = np.full(tiles, -1, dtype=np.int64), np.full(k, -1, dtype=np.int64)
    value = np.int64(0)
    for a in range(k):
        t = tile[a]
        slots_left[t] -= 1
        room[t] -= need[a]
        load[t] -= ticks[a]
        after[a], head[t] = head[t], a
        for i in range(indptr[a], indptr[a + 1]):
            u = tile[partner[i]]
            value += flow_to[i] * hops[t, u] + flow_from[i] * hops[u, t]
    value //= 2
    best, least = tile.copy(), value
    temperature, falling = hot, (cold / hot) ** (256.0 / max(moves, 1))
    for step in range(moves):
        if step % 256 == 255:
            temperature *= falling
        a = np.random.randint(k)  # noqa: NPY002
        span = indptr[a + 1] - indptr[a]
        if span == 0:
            continue
        s = tile[a]
        if np.random.randint(8) == 0:  # noqa: NPY002
            t = np.random.randint(tiles)  # noqa: NPY002
        else:
            c = partner[indptr[a] + np.random.randint(span)]  # noqa: NPY002
            t = near[tile[c], np.random.randint(near.shape[1])]  # noqa: NPY002
        if t == s or not fits[a, t]:
            continue
        b = -1
        if slots_left[t] < 1 or room[t] < need[a] or load[t] < ticks[a]:
            b = head[t]
            for _ in range(np.random.randint(4)):  # noqa: NPY002
                if b >= 0 and after[b] >= 0:
                    b = after[b]
            if b < 0 or not fits[b, s]:
                continue
            if room[t] + need[b] < need[a] or load[t] + ticks[b] < ticks[a]:
                continue
            if room[s] + need[a] < need[b] or load[s] + ticks[a] < ticks[b]:
                continue
        change = _moved(a, t, b, tile, problem)
        if change > 0 and np.random.random() >= np.exp(-change / temperature):  # noqa: NPY002
            continue
        value += change
        for x, old, new in ((a, s, t), (b, t, s)):
            if x < 0:
                continue
            c = head[old]
            if c == x:
                head[old] = after[x]
            else:
                while after[c] != x:
                    c = after[c]
                after[c] = after[x]
            after[x], head[new] = head[new], x
            tile[x] = new
            slots_left[old] += 1
            slots_left[new] -= 1
            room[old] += need[x]
            room[new] -= need[x]
            load[old] += ticks[x]
            load[new] -= ticks[x]
        if value < least:
            least = value
            best[:] = tile
    return best, least
