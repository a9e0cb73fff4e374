"""Taking clusters out of a binding and putting them back where they cost least: compiled steps.

Sets, parameters and the search around them are those of large_neighbourhood_search.py. A problem is
a tuple (indptr, partner, flow_to, flow_from, hops, fits, slots, ticks, need, input_room, max_load):
each cluster's partners in compressed rows with the spikes to and from them, hops between tiles,
which cluster fits which crossbar, and what the clusters need and the tiles have.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from optmap.compiled import compiled

#: Stands for "not limited"; no sum of needs reaches it.
UNLIMITED = 2**60
#: At most so many clusters are taken out at once.
MOST_REMOVED = 14
#: Share of the tiles that are overlooked when a cluster is put back.
BLINKED = 0.05


@compiled
def _cheapest(
    a: int,
    draw: float,
    tile: Any,
    problem: Any,
    slots: Any,
    input_room: Any,
    load_room: Any,
) -> Any:
    """Return (tile, cost) of the cheapest tile with room for cluster a; tile -1 if none has."""
    indptr, partner, flow_to, flow_from, hops, fits, _, ticks, need, _, _ = problem
    chosen, least, ties = -1, np.int64(UNLIMITED), 0
    for t in range(len(slots)):
        if slots[t] < 1 or not fits[a, t] or input_room[t] < need[a] or load_room[t] < ticks[a]:
            continue
        if chosen >= 0 and (draw * 7919.0 * (t + 1)) % 1.0 < BLINKED:
            continue  # now and then a tile is overlooked, so that equal ruins differ
        cost = np.int64(0)
        for i in range(indptr[a], indptr[a + 1]):
            u = tile[partner[i]]
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
def first_fit(
    tile: Any,
    order: Any,
    draws: Any,
    problem: Any,
) -> bool:
    """Fill ``tile`` greedily in the given order; False if a cluster finds no room."""
    _, _, _, _, _, _, slots, ticks, need, input_room, max_load = problem
    slots_left, room_left = slots.copy(), input_room.copy()
    load_room = np.full(len(slots), max_load, dtype=np.int64)
    for i in range(len(order)):
        a = order[i]
        t, _ = _cheapest(a, draws[i], tile, problem, slots_left, room_left, load_room)
        if t < 0:
            return False
        tile[a] = t
        slots_left[t] -= 1
        room_left[t] -= need[a]
        load_room[t] -= ticks[a]
    return True


@compiled
def _cost_of(a: int, tile: Any, problem: Any) -> Any:
    """Return the spike-hops between cluster a and its partners that have a tile."""
    indptr, partner, flow_to, flow_from, hops, _, _, _, _, _, _ = problem
    cost = np.int64(0)
    for i in range(indptr[a], indptr[a + 1]):
        u = tile[partner[i]]
        if u >= 0:
            cost += flow_to[i] * hops[tile[a], u] + flow_from[i] * hops[u, tile[a]]
    return cost


@compiled
def ruin_and_recreate(
    tile: Any,
    draws: Any,
    least: int,
    deviation: int,
    problem: Any,
) -> Any:
    """Make one ruin-and-recreate step per row of ``draws`` (uniform in 0..1), in place.

    Returns
    -------
    best, value
        The best binding met and its spike-hops.
    """
    indptr, partner, _, _, hops, _, slots, ticks, need, input_room, max_load = problem
    k, num_tiles = len(tile), len(slots)
    slots_left, room_left = slots.copy(), input_room.copy()
    load_room = np.full(num_tiles, max_load, dtype=np.int64)
    value = np.int64(0)
    for a in range(k):
        t = tile[a]
        slots_left[t] -= 1
        room_left[t] -= need[a]
        load_room[t] -= ticks[a]
        value += _cost_of(a, tile, problem)
    value //= 2
    best, best_value = tile.copy(), value
    record = least if least < value else value
    removed = np.empty(MOST_REMOVED, dtype=np.int64)
    old = np.empty(MOST_REMOVED, dtype=np.int64)
    inside = np.zeros(k, dtype=np.bool_)
    for step in range(len(draws)):
        draw = draws[step]
        size = min(k, 4 + int(draw[0] * (MOST_REMOVED - 3)))
        seed = int(draw[1] * k)
        removed[0] = seed
        inside[seed] = True
        num = 1
        if draw[2] < 0.6:  # partners, breadth first
            i = 0
            while num < size and i < num:
                a = removed[i]
                span = indptr[a + 1] - indptr[a]
                for j in range(span):
                    b = partner[indptr[a] + (j + step) % span]
                    if num < size and not inside[b]:
                        removed[num] = b
                        inside[b] = True
                        num += 1
                i += 1
        for j in range(k):  # what stands near fills up the rest
            if num >= size:
                break
            b = (j + step * 7) % k
            if not inside[b] and hops[tile[seed], tile[b]] <= 2:
                removed[num] = b
                inside[b] = True
                num += 1
        before = value
        for i in range(num):
            a = removed[i]
            value -= _cost_of(a, tile, problem)
            t = tile[a]
            old[i] = t
            slots_left[t] += 1
            room_left[t] += need[a]
            load_room[t] += ticks[a]
            tile[a] = -1
        placed = 0
        for i in range(num):  # in a random order: exchange i with a later one
            j = i + int(draw[3 + i] * (num - i))
            removed[i], removed[j] = removed[j], removed[i]
            old[i], old[j] = old[j], old[i]
            a = removed[i]
            t, cost = _cheapest(a, draw[3 + i], tile, problem, slots_left, room_left, load_room)
            if t < 0:
                break
            tile[a] = t
            slots_left[t] -= 1
            room_left[t] -= need[a]
            load_room[t] -= ticks[a]
            value += cost
            placed += 1
        if placed < num or (value > before and value > record + deviation):
            for i in range(num):
                a = removed[i]
                if i < placed:
                    t = tile[a]
                    slots_left[t] += 1
                    room_left[t] += need[a]
                    load_room[t] += ticks[a]
            for i in range(num):
                a, t = removed[i], old[i]
                tile[a] = t
                slots_left[t] -= 1
                room_left[t] -= need[a]
                load_room[t] -= ticks[a]
            value = before
        elif value < best_value:
            best_value = value
            best[:] = tile
            record = value if value < record else record
        for i in range(num):
            inside[removed[i]] = False
    return best, best_value
