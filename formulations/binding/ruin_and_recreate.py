"""Taking clusters out of a binding and putting them back where they cost least: compiled steps.

Sets, parameters and the search around them are those of large_neighbourhood_search.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from optmap.compiled import compiled

#: Stands for "not limited"; no sum of needs reaches it.
UNLIMITED = 2**60
#: At most so many clusters are taken out at once.
MOST_REMOVED = 14
#: Share of the tiles that are overlooked when a cluster is put back.
BLINKED = 0.05
#: Share of the steps that take out partners first, and how near the others must stand.
PARTNERS_FIRST, NEAR_HOPS = 0.6, 2


class BindingProblem(NamedTuple):
    """K clusters for T tiles, each cluster's partners in compressed rows.

    Parameters
    ----------
    indptr, partner : (K + 1,) and (pairs,) int64 arrays
        Clusters that each one exchanges spikes with.
    flow_to, flow_from : (pairs,) int64 arrays
        Spikes to and from the partner.
    hops : (T, T) int64 array
    fits : (K, T) bool array
        Whether the crossbar of a tile is large enough.
    slots, input_room : (T,) int64 arrays
        Clusters and tokens that a tile may hold.
    ticks, need : (K,) int64 arrays
        Load and tokens of each cluster.
    max_load : int
        Ticks that no tile may exceed.
    """

    indptr: Any
    partner: Any
    flow_to: Any
    flow_from: Any
    hops: Any
    fits: Any
    slots: Any
    ticks: Any
    need: Any
    input_room: Any
    max_load: int


class Rooms(NamedTuple):
    """What every tile has left: slots, tokens of its input buffer, ticks; (T,) int64 arrays."""

    slots: Any
    input_room: Any
    load: Any


class _Removed(NamedTuple):
    """Clusters taken out, the tiles they had, and which clusters they are."""

    clusters: Any
    old: Any
    inside: Any


@compiled
def has_room(a: int, t: int, problem: Any, rooms: Any) -> Any:
    """Tell whether tile t has a slot, tokens and ticks for cluster a."""
    if rooms.slots[t] < 1 or rooms.input_room[t] < problem.need[a]:
        return False
    return rooms.load[t] >= problem.ticks[a]


@compiled
def take(a: int, t: int, times: int, problem: Any, rooms: Any) -> None:
    """Take cluster a's room on tile t; ``times`` -1 gives it back."""
    rooms.slots[t] -= times
    rooms.input_room[t] -= times * problem.need[a]
    rooms.load[t] -= times * problem.ticks[a]


@compiled
def rooms_of(tile: Any, problem: Any) -> Any:
    """Return what the tiles have left beside the clusters of ``tile`` (-1: not placed)."""
    load = np.full(len(problem.slots), problem.max_load, dtype=np.int64)
    rooms = Rooms(problem.slots.copy(), problem.input_room.copy(), load)
    for a in range(len(tile)):
        if tile[a] >= 0:
            take(a, tile[a], 1, problem, rooms)
    return rooms


@compiled
def _cheapest(a: int, draw: float, tile: Any, problem: Any, rooms: Any) -> Any:
    """Return (tile, cost) of the cheapest tile with room for cluster a; tile -1 if none has."""
    hops, flow_to, flow_from = problem.hops, problem.flow_to, problem.flow_from
    chosen, least, ties = -1, np.int64(UNLIMITED), 0
    for t in range(len(rooms.slots)):
        if not problem.fits[a, t] or not has_room(a, t, problem, rooms):
            continue
        if chosen >= 0 and (draw * 7919.0 * (t + 1)) % 1.0 < BLINKED:
            continue  # now and then a tile is overlooked, so that equal removals differ
        cost = np.int64(0)
        for i in range(problem.indptr[a], problem.indptr[a + 1]):
            u = tile[problem.partner[i]]
            if u >= 0:
                cost += flow_to[i] * hops[t, u] + flow_from[i] * hops[u, t]
                if cost > least:
                    break
        if cost < least:
            chosen, least, ties = t, cost, 1
        elif cost == least:
            ties += 1
            if draw * ties % 1.0 * ties < 1.0:  # the newest of the tied ones, one time in `ties`
                chosen = t
    return chosen, least


@compiled
def cheapest_fit(tile: Any, order: Any, draws: Any, problem: Any) -> bool:
    """Fill ``tile`` greedily in the given order; False if a cluster finds no room."""
    rooms = rooms_of(tile, problem)
    for i in range(len(order)):
        a = order[i]
        t, _ = _cheapest(a, draws[i], tile, problem, rooms)
        if t < 0:
            return False
        tile[a] = t
        take(a, t, 1, problem, rooms)
    return True


@compiled
def _cost_of(a: int, tile: Any, problem: Any) -> Any:
    """Return the spike-hops between cluster a and its partners that have a tile."""
    hops, cost = problem.hops, np.int64(0)
    for i in range(problem.indptr[a], problem.indptr[a + 1]):
        u = tile[problem.partner[i]]
        if u >= 0:
            cost += problem.flow_to[i] * hops[tile[a], u] + problem.flow_from[i] * hops[u, tile[a]]
    return cost


@compiled
def cost_of_all(tile: Any, problem: Any) -> Any:
    """Return the spike-hops of a complete binding."""
    value = np.int64(0)
    for a in range(len(tile)):
        value += _cost_of(a, tile, problem)
    return value // 2


@compiled
def _choose(step: int, draw: Any, tile: Any, problem: Any, removed: Any) -> int:
    """Choose clusters to take out, in ``removed``; return how many.

    A random one, more often than not its partners breadth first, then what stands near it.
    """
    k, clusters, inside = len(tile), removed.clusters, removed.inside
    size = min(k, 4 + int(draw[0] * (MOST_REMOVED - 3)))
    seed = int(draw[1] * k)
    clusters[0] = seed
    inside[seed] = True
    num, i = 1, 0
    while draw[2] < PARTNERS_FIRST and num < size and i < num:
        first = problem.indptr[clusters[i]]
        span = problem.indptr[clusters[i] + 1] - first
        for j in range(span):
            b = problem.partner[first + (j + step) % span]
            if num < size and not inside[b]:
                clusters[num] = b
                inside[b] = True
                num += 1
        i += 1
    for j in range(k):
        if num >= size:
            break
        b = (j + step * 7) % k
        if not inside[b] and problem.hops[tile[seed], tile[b]] <= NEAR_HOPS:
            clusters[num] = b
            inside[b] = True
            num += 1
    return num


@compiled
def _take_out(num: int, tile: Any, problem: Any, rooms: Any, removed: Any) -> Any:
    """Take the removed clusters off their tiles; return the spike-hops that fall away."""
    saved = np.int64(0)
    for i in range(num):
        a = removed.clusters[i]
        saved += _cost_of(a, tile, problem)
        removed.old[i] = tile[a]
        take(a, tile[a], -1, problem, rooms)
        tile[a] = -1
    return saved


@compiled
def _put_back(num: int, draw: Any, tile: Any, problem: Any, rooms: Any, removed: Any) -> Any:
    """Put removed clusters where they cost least, in a random order; return (how many, cost)."""
    clusters, old, cost = removed.clusters, removed.old, np.int64(0)
    for i in range(num):
        j = i + int(draw[3 + i] * (num - i))  # exchange i with a later one
        clusters[i], clusters[j] = clusters[j], clusters[i]
        old[i], old[j] = old[j], old[i]
        a = clusters[i]
        t, more = _cheapest(a, draw[3 + i], tile, problem, rooms)
        if t < 0:
            return i, cost
        tile[a] = t
        take(a, t, 1, problem, rooms)
        cost += more
    return num, cost


@compiled
def _restore(num: int, placed: int, tile: Any, problem: Any, rooms: Any, removed: Any) -> None:
    """Give the removed clusters, of which the first have new tiles, their old tiles again."""
    for i in range(num):
        a = removed.clusters[i]
        if i < placed:
            take(a, tile[a], -1, problem, rooms)
        tile[a] = removed.old[i]
        take(a, tile[a], 1, problem, rooms)


@compiled
def ruin_and_recreate(tile: Any, draws: Any, least: int, deviation: int, problem: Any) -> Any:
    """Make one ruin-and-recreate step per row of ``draws`` (uniform in 0..1), in place.

    Parameters
    ----------
    tile : (K,) int64 array
        Tile of each cluster.
    draws : (steps, MOST_REMOVED + 3) float array
    least, deviation : int
        The best value known; how much worse than it a step may be.
    problem : BindingProblem

    Returns
    -------
    best, value
        The best binding met and its spike-hops.
    """
    rooms, value = rooms_of(tile, problem), cost_of_all(tile, problem)
    best, best_value = tile.copy(), value
    record = least if least < value else value
    ids = np.empty((2, MOST_REMOVED), dtype=np.int64)
    removed = _Removed(ids[0], ids[1], np.zeros(len(tile), dtype=np.bool_))
    for step in range(len(draws)):
        draw, before = draws[step], value
        num = _choose(step, draw, tile, problem, removed)
        value -= _take_out(num, tile, problem, rooms, removed)
        placed, cost = _put_back(num, draw, tile, problem, rooms, removed)
        value += cost
        if placed < num or (value > before and value > record + deviation):
            _restore(num, placed, tile, problem, rooms, removed)
            value = before
        elif value < best_value:
            best_value = value
            best[:] = tile
            record = value if value < record else record
        for i in range(num):
            removed.inside[removed.clusters[i]] = False
    return best, best_value
