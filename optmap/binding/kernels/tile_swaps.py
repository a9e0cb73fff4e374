"""Improve a placement: moves and swaps between near tiles while spike hops fall."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from optmap.binding.kernels.tile_room import limits
from optmap.binding.kernels.tile_shares import tile_shares
from optmap.clock import over
from optmap.compiled import borrowing, compiled
from optmap.model.buffers import tokens_held
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.interconnect import MAX_MATRIX_TILES
from optmap.model.mapping import Binding
from optmap.model.platform import Platform
from optmap.model.snn import IndexArray, IntArray

#: Costs of clusters on tiles that are kept; beyond them, each is summed when it is asked for.
MOST_COSTS = 50_000_000
#: What a tile without clusters promises.
NOTHING = -(1 << 60)


class Placement(NamedTuple):
    """Clusters on tiles, with what each tile has left.

    ``partner[ptr[a]:ptr[a + 1]]`` are the clusters at the other end of a's channels, ``outgoing``
    and ``incoming`` the spikes on them (one of the two is 0), ``sent`` and ``received`` the tokens
    they take in buffers. ``cost[a, t]`` are the spike hops of a's channels if it were on tile t,
    others where they are; ``promise[t, u]`` is no less than what any cluster on tile t would save
    by going to u. Both are (0, 0) where that is more than MOST_COSTS numbers.
    """

    ptr: IntArray
    partner: IndexArray
    outgoing: IntArray
    incoming: IntArray
    sent: IntArray
    received: IntArray
    input_need: IntArray
    fits: IntArray
    tile_of: IntArray
    room: IntArray
    input_room: IntArray
    output_room: IntArray
    hops: IntArray
    cost: IntArray
    promise: IntArray


class Lists(NamedTuple):
    """The clusters of each tile, in the order in which they came.

    Those of tile t are in ``member[begin[t]:end[t]]``, -1 where one went; ``place`` is where each
    is. There is space for twice as many as the tile takes, so that gaps are closed now and then.
    """

    begin: IntArray
    end: IntArray
    member: IntArray
    place: IntArray


def improve(graph: ClusterGraph, platform: Platform, binding: Binding, passes: int) -> Binding:
    """Return a binding with at most as many spike hops, by moves and swaps.

    Every cluster in turn is pulled towards its partners: the tiles at most one hop from its own or
    from the tile of a partner are tried, and the move or swap that saves most is made. Crossbars,
    slots, shares (:mod:`optmap.binding.kernels.tile_shares`) and buffers are kept throughout.

    A tile is looked through only where one of its clusters may save more in exchange than the best
    move so far: what every cluster would cost on every tile is kept.

    Chips of more tiles than matrices of hops are made for keep the binding.

    Complexity: O(K d) per pass for d tiles near a cluster and its partners, O(s) for a tile of s
    clusters that is looked through, and O(d T) for each cluster that is moved.
    """
    if graph.num_clusters < 2 or not 2 <= platform.num_tiles <= MAX_MATRIX_TILES:
        return binding
    placement = _placement(graph, platform, binding)
    near_ptr, near = _near_tiles(platform.hops)
    for number in range(passes):
        if (number and over()) or not _pass(placement, near_ptr, near):
            break
    return Binding(placement.tile_of.astype(np.int32))


def _placement(graph: ClusterGraph, platform: Platform, binding: Binding) -> Placement:
    k, tiles = graph.num_clusters, platform.num_tiles
    tokens = tokens_held(graph, platform)
    ends = np.concatenate((graph.source, graph.target))
    others = np.concatenate((graph.target, graph.source))
    zero = np.zeros_like(tokens)
    order = np.lexsort((others, ends))
    tile_of = binding.tile_of.astype(np.int64)
    remote = tile_of[graph.source] != tile_of[graph.target]
    input_need = np.zeros(k, dtype=np.int64)
    np.add.at(input_need, graph.target, tokens)
    input_used, output_used = np.zeros(tiles, dtype=np.int64), np.zeros(tiles, dtype=np.int64)
    np.add.at(input_used, tile_of, input_need)
    np.add.at(output_used, tile_of[graph.source[remote]], tokens[remote])
    held = np.bincount(tile_of, minlength=tiles)
    fits = graph.fits(platform)
    ptr, partner = np.searchsorted(ends[order], np.arange(k + 1)), others[order]
    outgoing = np.concatenate((graph.spikes, zero))[order]
    incoming = np.concatenate((zero, graph.spikes))[order]
    known = max(k, tiles) * tiles <= MOST_COSTS
    placement = Placement(
        ptr,
        partner,
        outgoing,
        incoming,
        np.concatenate((tokens, zero))[order],
        np.concatenate((zero, tokens))[order],
        input_need,
        fits.astype(np.int64),
        tile_of,
        np.maximum(tile_shares(graph, platform), held) - held,
        limits([t.input_buffer for t in platform.tiles]) - input_used,
        limits([t.output_buffer for t in platform.tiles]) - output_used,
        platform.hops,
        np.zeros((k, tiles) if known else (0, 0), dtype=np.int64),
        np.full((tiles, tiles) if known else (0, 0), NOTHING, dtype=np.int64),
    )
    if known:
        _sum_costs(placement)
    return placement


def _near_tiles(hops: IntArray) -> tuple[IntArray, IntArray]:
    """Return, per tile, the tiles at the least distance that occurs from it, and itself."""
    away = np.where(np.eye(len(hops), dtype=np.bool_), np.iinfo(np.int64).max, hops)
    near = (hops <= away.min(axis=1)[:, None]) | np.eye(len(hops), dtype=np.bool_)
    row, column = np.nonzero(near)
    return np.searchsorted(row, np.arange(len(hops) + 1)), column


@compiled
def _sum_costs(placement: Any) -> None:
    """Fill in the spike hops of every cluster on every tile, and what tiles promise."""
    ptr, partner, hops, cost = placement.ptr, placement.partner, placement.hops, placement.cost
    for a in range(len(placement.tile_of)):
        for p in range(ptr[a], ptr[a + 1]):
            other = placement.tile_of[partner[p]]
            for tile in range(len(hops)):
                cost[a, tile] += placement.outgoing[p] * hops[tile, other]
                cost[a, tile] += placement.incoming[p] * hops[other, tile]
        _promise(placement, a)


@borrowing
def _promise(placement: Any, a: Any) -> None:
    """Let a tile promise no less than what its cluster a would save elsewhere."""
    here, cost, promise = placement.tile_of[a], placement.cost, placement.promise
    for tile in range(len(promise)):
        promise[here, tile] = max(promise[here, tile], cost[a, here] - cost[a, tile])


@borrowing
def _pull(placement: Any, a: Any, new: Any) -> None:
    """Let the costs of a's partners follow its move to a new tile."""
    old, hops, cost = placement.tile_of[a], placement.hops, placement.cost
    if not len(cost):
        return
    for p in range(placement.ptr[a], placement.ptr[a + 1]):
        b, sent, received = placement.partner[p], placement.incoming[p], placement.outgoing[p]
        for tile in range(len(hops)):
            cost[b, tile] += sent * (hops[tile, new] - hops[tile, old])
            cost[b, tile] += received * (hops[new, tile] - hops[old, tile])
        _promise(placement, b)


@borrowing
def _cost(placement: Any, a: Any, tile: Any, swapped: Any) -> Any:
    """Return the spike hops of cluster a on ``tile``; ``swapped`` (or -1) takes a's place."""
    tile_of, hops, partner = placement.tile_of, placement.hops, placement.partner
    total = 0
    for p in range(placement.ptr[a], placement.ptr[a + 1]):
        other = tile_of[a] if partner[p] == swapped else tile_of[partner[p]]
        total += placement.outgoing[p] * hops[tile, other]
        total += placement.incoming[p] * hops[other, tile]
    return total


@borrowing
def _swap_saves(placement: Any, a: Any, b: Any, joined: Any) -> Any:
    """Return how many spike hops fall away when two clusters on different tiles change places.

    ``joined``: there is a channel between them. If not, both costs are known without a sum.
    """
    here, there, cost = placement.tile_of[a], placement.tile_of[b], placement.cost
    if len(cost) and not joined:
        return cost[a, here] - cost[a, there] + cost[b, there] - cost[b, here]
    saved = _cost(placement, a, here, -1) + _cost(placement, b, there, -1)
    saved -= _cost(placement, a, there, b) + _cost(placement, b, here, a)
    # channels between the two were counted from both ends, before and after
    for p in range(placement.ptr[a], placement.ptr[a + 1]):
        if placement.partner[p] == b:
            change = placement.hops[here, there] - placement.hops[there, here]
            saved -= (placement.outgoing[p] - placement.incoming[p]) * change
    return saved


@borrowing
def _shift(placement: Any, a: Any, tile: Any) -> Any:
    """Move cluster a; rooms follow, whether they suffice or not."""
    old = placement.tile_of[a]
    for p in range(placement.ptr[a], placement.ptr[a + 1]):
        other = placement.tile_of[placement.partner[p]]
        sent, received = placement.sent[p], placement.received[p]
        if other != old:
            placement.output_room[old] += sent
            placement.output_room[other] += received
        if other != tile:
            placement.output_room[tile] -= sent
            placement.output_room[other] -= received
    placement.input_room[old] += placement.input_need[a]
    placement.input_room[tile] -= placement.input_need[a]
    placement.room[old] += 1
    placement.room[tile] -= 1
    placement.tile_of[a] = tile


@borrowing
def _in_order(placement: Any, a: Any) -> Any:
    """Tell whether cluster a fits its tile, and that tile and its partners' tiles are not over."""
    tile = placement.tile_of[a]
    if placement.fits[a, tile] == 0 or placement.input_room[tile] < 0:
        return False
    if placement.room[tile] < 0 or placement.output_room[tile] < 0:
        return False
    for p in range(placement.ptr[a], placement.ptr[a + 1]):
        if placement.output_room[placement.tile_of[placement.partner[p]]] < 0:
            return False
    return True


@borrowing
def _try_move(placement: Any, a: Any, tile: Any, saved: Any, best: Any) -> Any:
    """Return ``best`` = (saved, tile, other), or the move of a to ``tile`` if it fits."""
    here = placement.tile_of[a]
    _shift(placement, a, tile)
    if _in_order(placement, a):
        best = np.int64(saved), np.int64(tile), np.int64(-1)
    _shift(placement, a, here)
    return best


@borrowing
def _try_swap(placement: Any, a: Any, b: Any, joined: Any, best: Any) -> Any:
    """Return ``best`` = (saved, tile, other), or the swap of a and b if it saves more and fits."""
    here, tile = placement.tile_of[a], placement.tile_of[b]
    saved = _swap_saves(placement, a, b, joined)
    if saved <= best[0]:
        return best
    _shift(placement, a, tile)
    _shift(placement, b, here)
    if _in_order(placement, a) and _in_order(placement, b):
        best = np.int64(saved), np.int64(tile), np.int64(b)
    _shift(placement, b, tile)
    _shift(placement, a, here)
    return best


@borrowing
def _best_on(
    placement: Any, a: Any, tile: Any, now: Any, lists: Any, partner_of: Any, best: Any
) -> Any:
    """Return the better of ``best`` and what moving a to a tile, or swapping it there, saves.

    ``partner_of[b]`` is a where b is a partner of a. Who came last is looked at first.
    """
    here, cost, fits, member = placement.tile_of[a], placement.cost, placement.fits, lists.member
    known = len(cost) > 0
    if placement.room[tile] > 0:
        saved = now - (cost[a, tile] if known else _cost(placement, a, tile, -1))
        if saved > best[0]:
            best = _try_move(placement, a, tile, saved, best)
    gain, most = np.int64(0), np.int64(NOTHING)
    if known:
        gain = now - cost[a, tile]
        if gain + placement.promise[tile, here] <= best[0]:
            return best
    for at in range(lists.end[tile] - 1, lists.begin[tile] - 1, -1):
        b = member[at]
        if b < 0:
            continue
        if known:
            saved = cost[b, tile] - cost[b, here]
            most = max(most, saved)
            if gain + saved <= best[0] and partner_of[b] != a:
                continue  # to call what tries it takes longer than to know that it saves less
        if fits[b, here]:
            best = _try_swap(placement, a, b, partner_of[b] == a, best)
    if known:
        placement.promise[tile, here] = most
    return best


@compiled
def _pass(placement: Any, near_ptr: Any, near: Any) -> Any:
    """Give every cluster a turn; tell whether anything moved."""
    ptr, partner, tile_of = placement.ptr, placement.partner, placement.tile_of
    clusters, tiles = len(tile_of), len(placement.room)
    seen = np.full(tiles, -1, dtype=np.int64)
    partner_of = np.full(clusters, -1, dtype=np.int64)
    lists = _lists(placement)
    changed = False
    for a in range(clusters):
        here = tile_of[a]
        now = _cost(placement, a, here, -1)
        for p in range(ptr[a], ptr[a + 1]):
            partner_of[partner[p]] = a
        best = np.int64(0), np.int64(-1), np.int64(-1)
        for p in range(ptr[a] - 1, ptr[a + 1]):
            centre = here if p < ptr[a] else tile_of[partner[p]]
            for tile in near[near_ptr[centre] : near_ptr[centre + 1]]:
                if tile == here or seen[tile] == a or placement.fits[a, tile] == 0:
                    continue
                seen[tile] = a
                best = _best_on(placement, a, tile, now, lists, partner_of, best)
        _, best_tile, best_other = best
        if best_tile < 0:
            continue
        changed = True
        _relist(lists, a, best_tile)
        _pull(placement, a, best_tile)
        _shift(placement, a, best_tile)
        _promise(placement, a)
        if best_other >= 0:
            _relist(lists, best_other, here)
            _pull(placement, best_other, here)
            _shift(placement, best_other, here)
            _promise(placement, best_other)
    return changed


@compiled
def _lists(placement: Any) -> Any:
    """Return the clusters of each tile, by number."""
    clusters, tiles = len(placement.tile_of), len(placement.room)
    most = placement.room.copy()
    for a in range(clusters):
        most[placement.tile_of[a]] += 1
    begin = np.zeros(tiles + 1, dtype=np.int64)
    for tile in range(tiles):
        begin[tile + 1] = begin[tile] + 2 * most[tile] + 2
    place = np.empty(clusters, dtype=np.int64)
    lists = Lists(begin, begin[:tiles].copy(), np.empty(begin[tiles], dtype=np.int64), place)
    for a in range(clusters):
        _append(lists, a, placement.tile_of[a])
    return lists


@borrowing
def _append(lists: Any, a: Any, tile: Any) -> None:
    """Put a cluster at the end of a tile's list; gaps are closed where there is no space left."""
    if lists.end[tile] == lists.begin[tile + 1]:
        end = lists.begin[tile]
        for at in range(end, lists.begin[tile + 1]):
            b = lists.member[at]
            if b >= 0:
                lists.member[end] = b
                lists.place[b] = end
                end += 1
        lists.end[tile] = end
    lists.member[lists.end[tile]] = a
    lists.place[a] = lists.end[tile]
    lists.end[tile] += 1


@borrowing
def _relist(lists: Any, a: Any, new: Any) -> None:
    """Move a cluster from the list it is in to another tile's."""
    lists.member[lists.place[a]] = -1
    _append(lists, a, new)
