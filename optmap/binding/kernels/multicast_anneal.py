"""Annealing of multicast hops, in compiled code: items move between tiles or change places.

The links of a net's XY routes, shared ones once, are: those along the source's row, as far east and
as far west as some reader stands; then, in every column with a reader, those as far north and as
far south as one stands. A move changes the nets that its items are ends of, and no others.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from optmap.compiled import borrowing, compiled


class Grid(NamedTuple):
    """A mesh or torus, and how many items a tile may hold.

    Parameters
    ----------
    width, height, torus : int, int, bool
        Its shape.
    least, most : (T,) int64 arrays
        Items on each tile; a tile of ``least`` 0 may be empty.
    fits : (n, T) bool array
        Which item may stand where.
    """

    width: Any
    height: Any
    torus: Any
    least: Any
    most: Any
    fits: Any


@borrowing
def way(here: Any, there: Any, size: Any, torus: Any) -> Any:
    """Return the signed steps from one place of an axis to another."""
    steps = there - here
    if torus and 2 * abs(steps) > size:
        steps += -size if steps > 0 else size
    return steps


@borrowing
def links_of(net: Any, tile: Any, nets: Any, grid: Any, column: Any) -> Any:
    """Return the number of links of a net's route union; ``column`` is scratch, (3, width)."""
    home = tile[nets.source[net]]
    x, y = home % grid.width, home // grid.width
    east, west, upright = 0, 0, 0
    column[2, :] = 0
    for i in range(nets.ptr[net], nets.ptr[net + 1]):
        there = tile[nets.readers[i]]
        if there == home:
            continue
        across = there % grid.width
        steps = way(x, across, grid.width, grid.torus)
        east, west = max(east, steps), max(west, -steps)
        if column[2, across] == 0:
            column[0, across], column[1, across], column[2, across] = 0, 0, 1
        up = way(y, there // grid.width, grid.height, grid.torus)
        if up > column[0, across]:
            upright += up - column[0, across]
            column[0, across] = up
        if -up > column[1, across]:
            upright += -up - column[1, across]
            column[1, across] = -up
    return east + west + upright


@borrowing
def _change(item: Any, mark: Any, found: Any, tile: Any, nets: Any, grid: Any, work: Any) -> Any:
    """Count anew the nets of an item that bear another mark; return by how much spikes' hops grow.

    ``found`` holds how many nets were counted, then their numbers; ``work`` is (length, new length,
    last mark) by net and the scratch of :func:`links_of`.
    """
    length, new, last, column = work
    grown = np.int64(0)
    for i in range(nets.touch_ptr[item], nets.touch_ptr[item + 1]):
        net = nets.touching[i]
        if last[net] != mark:
            last[net] = mark
            new[net] = links_of(net, tile, nets, grid, column)
            grown += nets.weight[net] * (new[net] - length[net])
            found[0] += 1
            found[found[0]] = net
    return grown


@compiled
def target_of(item: Any, tile: Any, nets: Any, grid: Any) -> Any:
    """Draw a tile: that of an end of one of the item's nets, or beside it, or (1 in 8) any."""
    tiles = grid.width * grid.height
    first, stop = nets.touch_ptr[item], nets.touch_ptr[item + 1]
    if first == stop or np.random.randint(8) == 0:  # noqa: NPY002
        return np.random.randint(tiles)  # noqa: NPY002
    net = nets.touching[first + np.random.randint(stop - first)]  # noqa: NPY002
    lower, upper = nets.ptr[net], nets.ptr[net + 1]
    other = nets.source[net]
    if other == item and upper > lower:
        other = nets.readers[lower + np.random.randint(upper - lower)]  # noqa: NPY002
    t = tile[other]
    x = t % grid.width + np.random.randint(-1, 2)  # noqa: NPY002
    y = t // grid.width + np.random.randint(-1, 2)  # noqa: NPY002
    if grid.torus:
        return (y % grid.height) * grid.width + x % grid.width
    x, y = min(max(x, 0), grid.width - 1), min(max(y, 0), grid.height - 1)
    return y * grid.width + x


@compiled
def occupants(tile: Any, tiles: Any) -> Any:
    """Return (head, after, count): each tile's first item or -1, the item after each, how many."""
    head, after = np.full(tiles, -1, dtype=np.int64), np.full(len(tile), -1, dtype=np.int64)
    count = np.zeros(tiles, dtype=np.int64)
    for a in range(len(tile)):
        after[a], head[tile[a]] = head[tile[a]], a
        count[tile[a]] += 1
    return head, after, count


@borrowing
def relist(item: Any, old: Any, new: Any, head: Any, after: Any) -> None:
    """Move an item from one tile's list to the head of another's."""
    at = head[old]
    if at == item:
        head[old] = after[item]
    else:
        while after[at] != item:
            at = after[at]
        after[at] = after[item]
    after[item], head[new] = head[new], item


@compiled
def anneal(tile: Any, nets: Any, grid: Any, seed: Any, moves: Any, hot: Any, cold: Any) -> Any:
    """Return (best, hops): the best placement met from ``tile`` on, which is changed in place.

    Parameters
    ----------
    tile : (n,) int64 array
        Tile of each item.
    nets : Nets
    grid : Grid
    hot, cold : float
        First and last temperature, in spikes times links.
    """
    np.random.seed(seed)  # noqa: NPY002 - the compiled generator's own state, not NumPy's
    n, m, tiles = len(tile), len(nets.source), grid.width * grid.height
    column = np.zeros((3, grid.width), dtype=np.int64)
    length, new = np.zeros(m, dtype=np.int64), np.zeros(m, dtype=np.int64)
    work = (length, new, np.full(m, -1, dtype=np.int64), column)
    found = np.zeros(m + 1, dtype=np.int64)
    head, after, count = occupants(tile, tiles)
    hops = np.int64(0)
    for net in range(m):
        length[net] = links_of(net, tile, nets, grid, column)
        hops += nets.weight[net] * length[net]
    best, least = tile.copy(), hops
    heat, falling = hot, (cold / hot) ** (256.0 / max(moves, 1))
    for step in range(moves):
        if step % 256 == 255:
            heat *= falling
        a = np.random.randint(n)  # noqa: NPY002
        s, t = tile[a], target_of(a, tile, nets, grid)
        if s == t or not grid.fits[a, t]:
            continue
        b = -1
        if count[t] >= grid.most[t] or count[s] <= grid.least[s]:
            b = head[t]
            for _ in range(np.random.randint(4)):  # noqa: NPY002
                if b >= 0 and after[b] >= 0:
                    b = after[b]
            if b < 0 or not grid.fits[b, s]:
                continue
        found[0] = 0
        tile[a] = t
        if b >= 0:
            tile[b] = s
        grown = _change(a, step, found, tile, nets, grid, work)
        if b >= 0:
            grown += _change(b, step, found, tile, nets, grid, work)
        if grown > 0 and np.random.random() >= np.exp(-grown / heat):  # noqa: NPY002
            tile[a] = s
            if b >= 0:
                tile[b] = t
            continue
        hops += grown
        for i in range(1, found[0] + 1):
            length[found[i]] = new[found[i]]
        relist(a, s, t, head, after)
        if b >= 0:
            relist(b, t, s, head, after)
        else:
            count[s] -= 1
            count[t] += 1
        if hops < least:
            least = hops
            best[:] = tile
    return best, least
