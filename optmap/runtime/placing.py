"""Bind one application in a fraction of a millisecond: the binding of admission."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from optmap.binding.kernels.tile_room import any_binding, limits
from optmap.compiled import borrowing, compiled
from optmap.errors import CapacityError
from optmap.model.buffers import tokens_held
from optmap.model.capacity import UNLIMITED, shares_memory
from optmap.model.platform import Platform
from optmap.model.snn import IndexArray, IntArray
from optmap.runtime.application import Application


class Room(NamedTuple):
    """What every tile has left: program slots, buffer tokens; and the ticks there; (T,) each."""

    slots: IntArray
    input_tokens: IntArray
    output_tokens: IntArray
    ticks: IntArray


def whole(platform: Platform) -> Room:
    """Return the room of an empty platform.

    Raises
    ------
    CapacityError
        If programs stay resident in memory that they share: no room is kept of it here.
    """
    if shares_memory(platform):
        raise CapacityError("admission does not know that programs stay resident in their tiles")
    tiles = platform.tiles
    return Room(
        limits([t.slots for t in tiles]),
        limits([t.input_buffer for t in tiles]),
        limits([t.output_buffer for t in tiles]),
        np.zeros(len(tiles), dtype=np.int64),
    )


def needs(application: Application, platform: Platform, tile_of: IntArray) -> Room:
    """Return what a bound application takes of every tile."""
    graph, tiles = application.graph, platform.num_tiles
    tokens = tokens_held(graph, platform)
    source, target = tile_of[graph.source], tile_of[graph.target]
    remote = source != target
    taken = Room(*(np.zeros(tiles, dtype=np.int64) for _ in range(4)))
    np.add.at(taken.slots, tile_of, 1)
    np.add.at(taken.input_tokens, target, tokens)
    np.add.at(taken.output_tokens, source[remote], tokens[remote])
    np.add.at(taken.ticks, tile_of, graph.tau)
    return taken


def place(
    application: Application, platform: Platform, room: Room, tiles: IntArray
) -> IntArray | None:
    """Return a tile for every cluster, among ``tiles``, or None where the rule finds none.

    Clusters that fit the fewest tiles come first, then those of largest tau; each goes to the tile
    where ticks so far plus the ticks it would send to, and be sent from, other tiles are the least.
    Where that ends in a dead end the largest input buffer comes first, then a search with repair.
    O(K (T + d)) for d channels a cluster. A heuristic: None is no proof that there is no binding.
    """
    graph = application.graph
    fits = graph.fits(platform)[:, tiles]
    tokens = tokens_held(graph, platform)
    input_need = np.zeros(graph.num_clusters, dtype=np.int64)
    np.add.at(input_need, graph.target, tokens)
    ptr, edges = _incident(graph.source, graph.target, graph.num_clusters)
    sent = application.send_ticks
    channels = Channels(graph.source, graph.target, tokens, sent, ptr, edges)
    for largest_first in (graph.tau, input_need):
        tile_of = np.full(graph.num_clusters, -1, dtype=np.int64)
        order = np.lexsort((-largest_first, fits.sum(axis=1)))
        left = Left(*(part.copy() for part in (*_tile_parts(room), room.ticks)))
        if _place(order, fits, tiles.astype(np.int64), graph.tau, channels, left, tile_of):
            return tile_of
    return _searched(application, platform, room, tiles)


def _searched(
    application: Application, platform: Platform, room: Room, tiles: IntArray
) -> IntArray | None:
    """Search with repair on the platform that is left; slower, where buffers or slots are tight."""
    if (room.slots[tiles] >= application.graph.num_clusters).all() and all(
        (left[tiles] >= UNLIMITED // 2).all() for left in (room.input_tokens, room.output_tokens)
    ):
        return None  # only the crossbars decide, and they were looked at
    open_tiles = tiles[(room.slots[tiles] > 0) & (room.input_tokens[tiles] > 0)]
    open_tiles = open_tiles[room.output_tokens[open_tiles] > 0]
    if not len(open_tiles):
        return None
    parts = dict(zip(("input_buffer", "output_buffer", "slots"), _tile_parts(room), strict=True))
    left = tuple(
        replace(platform.tiles[t], **{f: _limit(part[t]) for f, part in parts.items()})
        for t in open_tiles.tolist()
    )
    net = platform.interconnect.among(open_tiles.tolist())
    try:
        binding = any_binding(application.graph, replace(platform, tiles=left, interconnect=net), 0)
    except CapacityError:
        return None
    found: IntArray = open_tiles[binding.tile_of].astype(np.int64)
    return found


def _tile_parts(room: Room) -> tuple[IntArray, IntArray, IntArray]:
    """Return the room in the order of a tile's fields: input, output, slots."""
    return room.input_tokens, room.output_tokens, room.slots


def _limit(value: np.int64) -> int | None:
    return None if value >= UNLIMITED // 2 else int(value)


def _incident(source: IndexArray, target: IndexArray, clusters: int) -> tuple[IntArray, IntArray]:
    """Return the channels of every cluster, both directions, as compressed lists."""
    ends = np.concatenate((source, target))
    order = np.argsort(ends, kind="stable")
    ptr = np.searchsorted(ends[order], np.arange(clusters + 1))
    return ptr, order % max(len(source), 1)


class Channels(NamedTuple):
    """Channels of an application: ends, tokens to hold, ticks to send; and those of each cluster.

    Cluster a has the channels ``edges[ptr[a]:ptr[a + 1]]``, both directions.
    """

    source: Any
    target: Any
    tokens: Any
    send_ticks: Any
    ptr: Any
    edges: Any


class Left(NamedTuple):
    """What is left on every tile: input and output buffers, slots; and the ticks spent."""

    input_tokens: Any
    output_tokens: Any
    slots: Any
    ticks: Any


@compiled
def _place(
    order: Any, fits: Any, tiles: Any, tau: Any, channels: Channels, left: Left, tile_of: Any
) -> Any:
    """Fill ``tile_of``, using up what is left; tell whether every cluster found a tile."""
    source, target, send_ticks = channels.source, channels.target, channels.send_ticks
    tokens, ptr, edges = channels.tokens, channels.ptr, channels.edges
    slots, input_room, ticks = left.slots, left.input_tokens, left.ticks
    local = np.zeros(len(slots), dtype=np.int64)  # send ticks saved by sitting on the tile
    for a in order:
        input_need = 0
        exchanged = 0
        for p in range(ptr[a], ptr[a + 1]):
            e = edges[p]
            other = target[e] if source[e] == a else source[e]
            if target[e] == a:
                input_need += tokens[e]
            if tile_of[other] >= 0:
                local[tile_of[other]] += send_ticks[e]
                exchanged += send_ticks[e]
        best, best_cost = -1, 0
        for i in range(len(tiles)):
            t = tiles[i]
            if not fits[a, i] or slots[t] < 1 or input_room[t] < input_need:
                continue
            cost = ticks[t] + tau[a] + exchanged - local[t]
            if best >= 0 and cost >= best_cost:
                continue
            _send(channels, a, t, 1, left.output_tokens, tile_of)
            if _none_short(channels, a, t, left.output_tokens, tile_of):
                best, best_cost = t, cost
            _send(channels, a, t, -1, left.output_tokens, tile_of)
        for p in range(ptr[a], ptr[a + 1]):
            e = edges[p]
            other = target[e] if source[e] == a else source[e]
            if tile_of[other] >= 0:
                local[tile_of[other]] = 0
        if best < 0:
            return False
        _send(channels, a, best, 1, left.output_tokens, tile_of)
        slots[best] -= 1
        input_room[best] -= input_need
        ticks[best] += tau[a]
        tile_of[a] = best
    return True


@borrowing
def _send(channels: Channels, a: Any, t: Any, sign: Any, output_room: Any, tile_of: Any) -> Any:
    """Take (or give back) the output buffers for cluster a on tile t, among bound clusters."""
    source, target, tokens = channels.source, channels.target, channels.tokens
    for p in range(channels.ptr[a], channels.ptr[a + 1]):
        e = channels.edges[p]
        if source[e] == a:
            other = tile_of[target[e]]
            if other >= 0 and other != t:
                output_room[t] -= sign * tokens[e]
        else:
            other = tile_of[source[e]]
            if other >= 0 and other != t:
                output_room[other] -= sign * tokens[e]


@borrowing
def _none_short(channels: Channels, a: Any, t: Any, output_room: Any, tile_of: Any) -> Any:
    """Tell whether tile t and the tiles of a's bound partners keep to their output buffers."""
    if output_room[t] < 0:
        return False
    source, target = channels.source, channels.target
    for p in range(channels.ptr[a], channels.ptr[a + 1]):
        e = channels.edges[p]
        other = tile_of[target[e] if source[e] == a else source[e]]
        if other >= 0 and output_room[other] < 0:
            return False
    return True
