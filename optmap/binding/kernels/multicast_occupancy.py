"""Multicast annealing on small grids: who stands where is kept by net, so that a move is cheap.

For every net the readers on each tile are counted, the rows with one are a bit mask by column, and
so are the columns. Tables say how many links a mask costs from where the source stands: a move
looks at two columns of a net rather than at all of its readers, and at nothing where the tiles it
leaves and enters keep a reader. :mod:`optmap.binding.kernels.multicast_anneal` does the same on any
grid and counts readers anew. Memory is nets times tiles.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from optmap.binding.kernels.multicast_anneal import Grid, occupants, relist, target_of, way
from optmap.binding.kernels.multicast_nets import Nets
from optmap.compiled import borrowing, compiled

#: Longest side whose masks have tables; counts kept, at most.
MAX_SIDE, MAX_COUNTS = 12, 40_000_000


class Occupancy(NamedTuple):
    """Where the readers of every net stand, and what its routes cost.

    Parameters
    ----------
    count : (M, T) int32 array
        Readers of net m on tile t.
    rows : (M, width) int64 array
        Rows with a reader, as bits, by column.
    columns : (M,) int64 array
        Columns with a reader, as bits.
    length : (M,) int64 array
        Links of the route union.
    along, across : (side, 2**side) int64 arrays
        Links of a mask of columns (rows) seen from a column (row).
    seen : (M,) int64 array
        Last mark of each net.
    """

    count: Any
    rows: Any
    columns: Any
    length: Any
    along: Any
    across: Any
    seen: Any


def is_small(nets: Nets, grid: Grid) -> bool:
    """Tell whether masks have tables here, and counts have room."""
    counts = len(nets.source) * grid.width * grid.height
    return bool(max(grid.width, grid.height) <= MAX_SIDE and counts <= MAX_COUNTS)


@compiled
def spans(size: Any, torus: Any) -> Any:
    """Return the links of every mask from every place of an axis, shape (size, 2**size)."""
    table = np.zeros((size, 1 << size), dtype=np.int64)
    for place in range(size):
        for mask in range(1 << size):
            ahead, behind = 0, 0
            for other in range(size):
                if mask >> other & 1:
                    steps = way(place, other, size, torus)
                    ahead, behind = max(ahead, steps), max(behind, -steps)
            table[place, mask] = ahead + behind
    return table


@borrowing
def _links(net: Any, home: Any, seat: Any, grid: Any) -> Any:
    """Return the links of a net whose source stands on tile ``home``."""
    y = home // grid.width
    total = seat.along[home % grid.width, seat.columns[net]]
    for x in range(grid.width):
        total += seat.across[y, seat.rows[net, x]]
    return total


@borrowing
def _leave(net: Any, s: Any, seat: Any, grid: Any) -> None:
    """Take a reader of a net from a tile."""
    seat.count[net, s] -= 1
    if seat.count[net, s] == 0:
        x = s % grid.width
        seat.rows[net, x] &= ~(1 << (s // grid.width))
        if seat.rows[net, x] == 0:
            seat.columns[net] &= ~(1 << x)


@borrowing
def _enter(net: Any, t: Any, seat: Any, grid: Any) -> None:
    """Put a reader of a net on a tile."""
    if seat.count[net, t] == 0:
        x = t % grid.width
        seat.rows[net, x] |= 1 << (t // grid.width)
        seat.columns[net] |= 1 << x
    seat.count[net, t] += 1


@borrowing
def _reader_moves(net: Any, home: Any, s: Any, t: Any, seat: Any, grid: Any) -> Any:
    """Return by how many links a net grows if one reader goes from tile s to t."""
    leaves, enters = seat.count[net, s] == 1, seat.count[net, t] == 0
    if not leaves and not enters:
        return 0
    width, y = grid.width, home // grid.width
    at, to = s % width, t % width
    old, new = seat.rows[net, at], seat.rows[net, to]
    left = old & ~(1 << (s // width)) if leaves else old
    if at == to:
        return seat.across[y, left | 1 << (t // width)] - seat.across[y, old]
    columns = seat.columns[net]
    after = columns & ~(1 << at) if left == 0 else columns
    trunk = seat.along[home % width]
    grown = trunk[after | 1 << to] - trunk[columns]
    grown += seat.across[y, left] - seat.across[y, old]
    return grown + seat.across[y, new | 1 << (t // width)] - seat.across[y, new]


@borrowing
def _both_move(net: Any, a: Any, b: Any, tile: Any, nets: Any, seat: Any, grid: Any) -> Any:
    """Return by how many links a net grows if its source, a or b, and the other change places."""
    reader = b if nets.source[net] == a else a
    s, t = tile[reader], tile[nets.source[net]]
    _leave(net, s, seat, grid)
    _enter(net, t, seat, grid)
    grown = _links(net, s, seat, grid) - seat.length[net]
    _leave(net, t, seat, grid)
    _enter(net, s, seat, grid)
    return grown


@borrowing
def _half(item: Any, t: Any, twice: Any, tile: Any, nets: Any, seat: Any, grid: Any) -> Any:
    """Return by how many spikes' hops the nets of one item alone grow if it goes to tile t.

    Nets marked ``twice`` are also the other item's.
    """
    grown = np.int64(0)
    for i in range(nets.touch_ptr[item], nets.touch_ptr[item + 1]):
        net = nets.touching[i]
        if seat.seen[net] == twice:
            continue
        home = tile[nets.source[net]]
        if nets.source[net] == item:
            grown += nets.weight[net] * (_links(net, t, seat, grid) - seat.length[net])
        else:
            grown += nets.weight[net] * _reader_moves(net, home, tile[item], t, seat, grid)
    return grown


@borrowing
def _grown(a: Any, b: Any, t: Any, mark: Any, tile: Any, nets: Any, seat: Any, grid: Any) -> Any:
    """Return by how many spikes' hops all nets grow if a goes to tile t and b (-1: none) to a's."""
    seen, twice, grown = seat.seen, mark + 1, np.int64(0)
    if b >= 0:
        for i in range(nets.touch_ptr[a], nets.touch_ptr[a + 1]):
            seen[nets.touching[i]] = mark
        for i in range(nets.touch_ptr[b], nets.touch_ptr[b + 1]):
            net = nets.touching[i]
            if seen[net] == mark:
                seen[net] = twice
                if nets.source[net] == a or nets.source[net] == b:
                    more = _both_move(net, a, b, tile, nets, seat, grid)
                    grown += nets.weight[net] * more
        grown += _half(b, tile[a], twice, tile, nets, seat, grid)
    return grown + _half(a, t, twice, tile, nets, seat, grid)


@borrowing
def _settle(item: Any, s: Any, t: Any, tile: Any, nets: Any, seat: Any, grid: Any) -> None:
    """Enter that an item went from tile s to t; its tile is t already."""
    for i in range(nets.touch_ptr[item], nets.touch_ptr[item + 1]):
        net = nets.touching[i]
        if nets.source[net] != item:
            _leave(net, s, seat, grid)
            _enter(net, t, seat, grid)
        seat.length[net] = _links(net, tile[nets.source[net]], seat, grid)


@compiled
def seated(tile: Any, nets: Any, grid: Any) -> Any:
    """Return the occupancy of a placement."""
    m, tiles = len(nets.source), grid.width * grid.height
    seat = Occupancy(
        np.zeros((m, tiles), dtype=np.int32),
        np.zeros((m, grid.width), dtype=np.int64),
        np.zeros(m, dtype=np.int64),
        np.zeros(m, dtype=np.int64),
        spans(grid.width, grid.torus),
        spans(grid.height, grid.torus),
        np.full(m, -1, dtype=np.int64),
    )
    for net in range(m):
        for i in range(nets.ptr[net], nets.ptr[net + 1]):
            _enter(net, tile[nets.readers[i]], seat, grid)
        seat.length[net] = _links(net, tile[nets.source[net]], seat, grid)
    return seat


@compiled
def anneal_small(
    tile: Any, nets: Any, grid: Any, seed: Any, moves: Any, hot: Any, cold: Any
) -> Any:
    """Return (best, hops): the best placement met from ``tile`` on, which is changed in place.

    Parameters and moves are those of :func:`optmap.binding.kernels.multicast_anneal.anneal`.
    """
    np.random.seed(seed)  # noqa: NPY002 - the compiled generator's own state, not NumPy's
    n, tiles = len(tile), grid.width * grid.height
    seat = seated(tile, nets, grid)
    head, after, count = occupants(tile, tiles)
    hops = np.sum(nets.weight * seat.length)
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
            for _ in range(np.random.randint(min(count[t], 4) + 1)):  # noqa: NPY002
                if b >= 0 and after[b] >= 0:
                    b = after[b]
            if b < 0 or not grid.fits[b, s]:
                continue
        grown = _grown(a, b, t, 2 * step, tile, nets, seat, grid)
        if grown > 0 and np.random.random() >= np.exp(-grown / heat):  # noqa: NPY002
            continue
        hops += grown
        tile[a] = t
        if b >= 0:
            tile[b] = s
        _settle(a, s, t, tile, nets, seat, grid)
        relist(a, s, t, head, after)
        if b >= 0:
            _settle(b, t, s, tile, nets, seat, grid)
            relist(b, t, s, head, after)
        else:
            count[s] -= 1
            count[t] += 1
        if hops < least:
            least = hops
            best[:] = tile
    return best, least
