"""What is left on the tiles while clusters are being bound: crossbar fit, slots, buffers.

A channel holds what the platform gives it (:mod:`optmap.model.buffers`). It takes that much of the
input buffer of its consumer's tile wherever the producer is, and of the output buffer of its
producer's tile if the consumer is elsewhere. So the input need of a cluster is its own, while the
output need follows the cut.

Slots are looked after ahead of time: binding a cluster must leave enough slots of large enough
crossbars for all that are still unbound. With few kinds of tiles that is Hall's condition over the
sets of kinds, checked exactly.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from optmap.errors import CapacityError
from optmap.model.buffers import tokens_held
from optmap.model.capacity import AXONS_OUT, FAN_OUT, UNLIMITED, crossbars_of, on_tiles, stated
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.platform import Platform
from optmap.model.snn import IndexArray, IntArray

#: Beyond so many kinds of tiles the sets of kinds are not enumerated; slots are then only counted.
MAX_KINDS_AHEAD = 6


class TileRoom:
    """The tiles with the clusters bound so far.

    Parameters
    ----------
    graph : ClusterGraph
        The clusters to bind and their channels.
    platform : Platform
        Where to.

    Attributes
    ----------
    tile_of : (K,) int64 array
        Tile of each cluster; -1 while it is unbound.

    Raises
    ------
    CapacityError
        If crossbars and slots can never suffice, with the numbers.
    """

    def __init__(self, graph: ClusterGraph, platform: Platform) -> None:
        self.graph, self.platform = graph, platform
        k, tiles = graph.num_clusters, platform.tiles
        self.tile_of: IntArray = np.full(k, -1, dtype=np.int64)
        self.slots = limits([t.slots for t in tiles])
        self.input_room = limits([t.input_buffer for t in tiles])
        self.output_room = limits([t.output_buffer for t in tiles])
        self.tokens: IntArray = tokens_held(graph, platform)
        self.input_need = _sums(graph.target, self.tokens, k)
        self.out_of = _by_end(graph.source, k)
        self.into = _by_end(graph.target, k)
        self.bounded_output = bool((self.output_room < UNLIMITED).any())
        sent = (on_tiles(platform, limit).tolist() for limit in (AXONS_OUT, FAN_OUT))
        of_tile = list(zip(crossbars_of(platform), *sent, strict=True))
        kinds = sorted(set(of_tile))
        self.kind_of_tile = np.array([kinds.index(kind) for kind in of_tile])
        self.fits_kind = graph.fits(platform)[:, [of_tile.index(kind) for kind in kinds]]
        self._refuse_misfits()
        self.slots_of_kind = _sums(self.kind_of_tile, np.minimum(self.slots, k), len(kinds))
        self.look_ahead = len(kinds) <= MAX_KINDS_AHEAD and bool((self.slots < k).any())
        if self.look_ahead:
            sets = np.arange(1 << len(kinds))
            self.mask = self.fits_kind @ (1 << np.arange(len(kinds)))
            self.waiting = np.bincount(self.mask, minlength=len(sets))
            self.inside = (sets[None, :] & ~sets[:, None] == 0).astype(np.int64)
            self.member = sets[:, None] >> np.arange(len(kinds)) & 1
            self._refuse_lack_of_slots(kinds)
        elif self.slots_of_kind.sum() < k:
            raise CapacityError(
                f"{k} clusters need as many slots, all tiles have {self.slots.sum()}"
            )

    def _refuse_misfits(self) -> None:
        misfits = np.flatnonzero(~self.fits_kind.any(axis=1))
        if len(misfits):
            c = misfits[0]
            needs = "".join(
                f" and {need} {limit.unit}"
                for limit, need in zip(stated(self.platform), self.graph.needs[:, c], strict=False)
            )
            raise CapacityError(
                f"cluster {c} of {self.graph.rows[c]} rows and {self.graph.columns[c]} columns"
                f"{needs} fits no tile; the largest crossbars are {self.platform.kinds[:3]}"
            )

    def _refuse_lack_of_slots(self, kinds: list[tuple[tuple[int, ...], int, int]]) -> None:
        need, have = self.inside @ self.waiting, self.member @ self.slots_of_kind
        lacking = np.flatnonzero(need > have)
        if len(lacking):
            chosen = lacking[-1]
            sizes = [k[0][:2] for h, k in enumerate(kinds) if chosen >> h & 1]
            # tiles out of use are of no size, and one size may have tiles of several limits
            names = dict.fromkeys(f"{rows} x {columns}" for rows, columns in sizes if rows)
            raise CapacityError(
                f"{need[chosen]} clusters fit only tiles of {', '.join(names)} (rows x columns),"
                f" which have {have[chosen]} slots"
            )

    def tiles_for(self, cluster: int) -> IntArray:
        """Return the tiles that can take an unbound cluster now, ascending."""
        good = self.fits_kind[cluster][self.kind_of_tile] & (self.slots > 0)
        good &= self.input_room >= self.input_need[cluster]
        if self.look_ahead and good.any():
            need, have = self.inside @ self.waiting, self.member @ self.slots_of_kind
            need -= self.inside[:, self.mask[cluster]]
            spoken_for = self.member[need >= have].any(axis=0)  # kinds whose last slots are needed
            good &= ~spoken_for[self.kind_of_tile]
        if self.bounded_output and good.any():
            good &= self._output_fits(cluster)
        return np.flatnonzero(good)

    def _output_fits(self, cluster: int) -> npt.NDArray[np.bool_]:
        """Tell for every tile whether the output buffers bear the cluster there."""
        sent = self._bound_tokens(self.out_of[cluster], self.graph.target)
        own = sent.sum() - sent  # what the cluster sends to other tiles
        received = self._bound_tokens(self.into[cluster], self.graph.source)
        short = received > self.output_room  # producers that cannot send here from elsewhere
        # the producers on the same tile send nothing, so a tile may only itself be short
        others_short = short.sum() - short
        fits: npt.NDArray[np.bool_] = (own <= self.output_room) & (others_short == 0)
        return fits

    def _bound_tokens(self, edges: IntArray, end: IndexArray) -> IntArray:
        """Return, per tile, the tokens of those ``edges`` whose other end is bound there."""
        tiles = self.tile_of[end[edges]]
        bound = tiles >= 0
        return _sums(tiles[bound], self.tokens[edges][bound], self.platform.num_tiles)

    def put(self, cluster: int, tile: int) -> None:
        """Bind an unbound cluster."""
        self._move(cluster, tile, -1)
        self.tile_of[cluster] = tile

    def take(self, cluster: int) -> int:
        """Unbind a cluster and return the tile it was on."""
        tile = int(self.tile_of[cluster])
        self.tile_of[cluster] = -1
        self._move(cluster, tile, 1)
        return tile

    def _move(self, cluster: int, tile: int, sign: int) -> None:
        self.slots[tile] += sign
        self.slots_of_kind[self.kind_of_tile[tile]] += sign
        self.input_room[tile] += sign * self.input_need[cluster]
        if self.look_ahead:
            self.waiting[self.mask[cluster]] += sign
        if not self.bounded_output:
            return
        sent = self._bound_tokens(self.out_of[cluster], self.graph.target)
        self.output_room[tile] += sign * (sent.sum() - sent[tile])
        received = self._bound_tokens(self.into[cluster], self.graph.source)
        received[tile] = 0
        self.output_room += sign * received

    def no_tile_for(self, cluster: int) -> CapacityError:
        """Return the error that says why a cluster found no tile."""
        fitting = np.flatnonzero(self.fits_kind[cluster][self.kind_of_tile] & (self.slots > 0))
        bound = int((self.tile_of >= 0).sum())
        text = f"no tile found for cluster {cluster} after {bound} of {len(self.tile_of)}: "
        if not len(fitting):
            return CapacityError(text + "no fitting crossbar has a slot left")
        room = int(self.input_room[fitting].max())
        if room < self.input_need[cluster]:
            return CapacityError(
                text
                + f"it needs {self.input_need[cluster]} tokens of an input buffer, the roomiest"
                f" fitting tile has {room} left"
            )
        out = int(self.tokens[self.out_of[cluster]].sum())
        return CapacityError(
            text + f"it sends up to {out} tokens through output buffers, the roomiest tile has"
            f" {int(self.output_room.max())} left"
        )

    def binding(self) -> Binding:
        """Return the binding, once every cluster has a tile."""
        return Binding(self.tile_of.astype(np.int32))


def limits(values: list[int | None]) -> IntArray:
    """Return limits as an array, UNLIMITED where there is none."""
    return np.array([UNLIMITED if v is None else v for v in values], dtype=np.int64)


def _sums(place: IntArray | IndexArray, amounts: IntArray, size: int) -> IntArray:
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, place, amounts)
    return total


def _by_end(ends: IndexArray, num_clusters: int) -> list[IntArray]:
    """Return, per cluster, the channels that have it at this end."""
    order = np.argsort(ends, kind="stable")
    cuts = np.searchsorted(ends[order], np.arange(1, num_clusters))
    return np.split(order, cuts) if num_clusters else []


def any_binding(graph: ClusterGraph, platform: Platform, seed: int) -> Binding:
    """Return some binding that fits, where a method's own rule found none.

    Largest need of input buffer first, each to the fitting tile with most room; a cluster that
    finds no tile pushes one out at random, which is then bound anew (bounded number of pushes).

    Raises
    ------
    CapacityError
        If none was found; the numbers are those of the cluster that was stuck last.
    """
    room, rng = TileRoom(graph, platform), np.random.default_rng(seed)
    total = graph.num_clusters
    pending = [int(c) for c in np.lexsort((np.arange(total), -room.input_need))[::-1]]
    pushes = 10 * total + 100
    while pending:
        cluster = pending.pop()
        tiles = room.tiles_for(cluster)
        if len(tiles):
            room.put(cluster, int(tiles[np.argmax(room.input_room[tiles])]))
            continue
        fitting = room.fits_kind[cluster][room.kind_of_tile]
        bound = np.flatnonzero((room.tile_of >= 0) & fitting[room.tile_of])
        if not pushes or not len(bound):
            raise room.no_tile_for(cluster)
        pushes -= 1
        pushed = int(rng.choice(bound))
        room.take(pushed)
        pending.insert(int(rng.integers(len(pending) + 1)), pushed)
        pending.append(cluster)
    return room.binding()
