"""The solution that every method returns: decomposition, clustering, binding, static orders.

Each part can be built only if it is well formed in itself; whether it fits a network and a platform
is :mod:`optmap.judge.check`'s question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optmap.model.decomposition import Decomposition
from optmap.model.snn import IndexArray, IntArray, frozen


@dataclass(frozen=True, eq=False)
class Clustering:
    """``cluster_of[p]`` is the cluster of unit ``network.units[p]``: 0..K-1, none empty."""

    cluster_of: IndexArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "cluster_of", frozen(self.cluster_of, np.int32))
        if self.cluster_of.ndim != 1:
            raise ValueError(f"cluster_of has shape {self.cluster_of.shape}")
        if len(self.cluster_of):
            if self.cluster_of.min() < 0:
                raise ValueError(f"cluster {self.cluster_of.min()} is below 0")
            # labels at or above the number of units would only make the count array huge
            held = np.bincount(np.minimum(self.cluster_of, len(self.cluster_of)))
            empty = np.flatnonzero(held == 0)
            if len(empty):
                raise ValueError(f"cluster {empty[0]} has no unit")

    @property
    def num_clusters(self) -> int:
        """Number of clusters K."""
        return int(self.cluster_of.max()) + 1 if len(self.cluster_of) else 0

    @property
    def sizes(self) -> IntArray:
        """Number of units in each cluster, shape (K,)."""
        return np.bincount(self.cluster_of, minlength=self.num_clusters)

    def members(self) -> list[IndexArray]:
        """Return the unit positions of each cluster, ascending."""
        order = np.argsort(self.cluster_of, kind="stable").astype(np.int32)
        return np.split(order, np.cumsum(self.sizes)[:-1]) if len(order) else []

    def __eq__(self, other: object) -> bool:
        """Compare by value."""
        if not isinstance(other, Clustering):
            return NotImplemented
        return np.array_equal(self.cluster_of, other.cluster_of)

    def __hash__(self) -> int:
        """Hash by value."""
        return hash(self.cluster_of.tobytes())


def compact(labels: Sequence[int] | IntArray | IndexArray) -> Clustering:
    """Return a clustering with any integer labels renumbered 0..K-1 by first appearance."""
    _, first, inverse = np.unique(np.asarray(labels), return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int32)
    rank[np.argsort(first)] = np.arange(len(first))
    return Clustering(rank[inverse])


@dataclass(frozen=True, eq=False)
class Binding:
    """``tile_of[k]`` is the tile whose crossbar runs cluster k."""

    tile_of: IndexArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "tile_of", frozen(self.tile_of, np.int32))
        if self.tile_of.ndim != 1:
            raise ValueError(f"tile_of has shape {self.tile_of.shape}, not that of a list")
        below = np.flatnonzero(self.tile_of < 0)
        if len(below):
            raise ValueError(f"cluster {below[0]} on tile {self.tile_of[below[0]]}, below 0")

    def __eq__(self, other: object) -> bool:
        """Compare by value."""
        return (
            np.array_equal(self.tile_of, other.tile_of)
            if isinstance(other, Binding)
            else NotImplemented
        )

    def __hash__(self) -> int:
        """Hash by value."""
        return hash(self.tile_of.tobytes())


Channel = tuple[int, int]


@dataclass(frozen=True, slots=True)
class StaticOrders:
    """In which order each tile fires its clusters, and each network interface sends.

    Parameters
    ----------
    clusters : tuple of tuple of int
        Per tile, its clusters in firing order; the cycle then starts again. Rotating a list is
        another order: the token of the cycle stands before its first entry.
    offsets : tuple of tuple of int, optional
        Prologue: entry o >= 0 fires iteration n + o in the tile's round n. None: all 0.
    sends : tuple of tuple of (producer, consumer), optional
        Per tile, the channels its network interface sends, in order. None: derived (the producers'
        place in the order, then the consumer's index).
    send_offsets : tuple of tuple of int, optional
        Prologue of the sends; needs ``sends``. None: all 0.
    """

    clusters: tuple[tuple[int, ...], ...]
    offsets: tuple[tuple[int, ...], ...] | None = None
    sends: tuple[tuple[Channel, ...], ...] | None = None
    send_offsets: tuple[tuple[int, ...], ...] | None = None

    def __post_init__(self) -> None:
        _refuse_repeated(self.clusters)
        if self.offsets is not None:
            _check_offsets(self.clusters, self.offsets, "offsets")
        if self.sends is not None:
            named = [channel for order in self.sends for channel in order]
            if len(self.sends) != len(self.clusters):
                given = f"{len(self.sends)} tiles, not {len(self.clusters)}"
                raise ValueError(f"send orders for {given}")
            twice = [channel for channel, times in Counter(named).items() if times > 1]
            if twice:
                raise ValueError("send orders: channel {} -> {} is named twice".format(*twice[0]))
        if self.send_offsets is not None:
            if self.sends is None:
                raise ValueError("send_offsets without sends")
            _check_offsets(self.sends, self.send_offsets, "send_offsets")

    @property
    def has_prologue(self) -> bool:
        """Tell whether any entry runs ahead."""
        ahead = (*(self.offsets or ()), *(self.send_offsets or ()))
        return any(o for row in ahead for o in row)


def _refuse_repeated(orders: Sequence[Sequence[int]]) -> None:
    """Raise ValueError, naming cluster and tile, for one that stands twice or is below 0."""
    on: dict[int, int] = {}
    for tile, order in enumerate(orders):
        for cluster in order:
            if cluster < 0:
                raise ValueError(f"static orders: cluster {cluster} on tile {tile} is below 0")
            if cluster in on:
                both = f"tile {tile}" if on[cluster] == tile else f"tiles {on[cluster]} and {tile}"
                raise ValueError(f"static orders: cluster {cluster} is named twice, on {both}")
            on[cluster] = tile


def _check_offsets(
    orders: Sequence[Sequence[object]], offsets: Sequence[Sequence[int]], name: str
) -> None:
    if [len(row) for row in orders] != [len(row) for row in offsets]:
        raise ValueError(f"{name}: one entry per entry of the orders expected")
    if any(o < 0 for row in offsets for o in row):
        raise ValueError(f"{name}: offsets must be >= 0")


@dataclass(frozen=True, slots=True)
class Buffers:
    """Capacities of channels in tokens; see :mod:`optmap.model.buffers`.

    Parameters
    ----------
    channels : tuple of (producer, consumer, output, input)
        Tokens at the producer's tile, 0 where both clusters share a tile, and at the consumer's.
    """

    channels: tuple[tuple[int, int, int, int], ...]

    def __post_init__(self) -> None:
        if len({channel[:2] for channel in self.channels}) != len(self.channels):
            raise ValueError("buffers: a channel is named twice")
        for a, b, output, into in self.channels:
            if min(a, b, output, into) < 0:
                raise ValueError(f"buffers of channel {a} -> {b}: {output} and {into} tokens")


@dataclass(frozen=True, slots=True)
class Mapping:
    """A complete mapping onto a platform; ``buffers`` None: as large as the platform says."""

    decomposition: Decomposition
    clustering: Clustering
    binding: Binding
    orders: StaticOrders
    buffers: Buffers | None = None

    def __post_init__(self) -> None:
        units, clusters = self.decomposition.num_units, self.clustering.num_clusters
        if len(self.clustering.cluster_of) != units:
            given = len(self.clustering.cluster_of)
            missing = _first(given, units, "unit")
            raise ValueError(f"clusters for {given} units, not {units}{missing}")
        if len(self.binding.tile_of) != clusters:
            given = len(self.binding.tile_of)
            missing = _first(given, clusters, "cluster")
            raise ValueError(f"tiles for {given} clusters, not {clusters}{missing}")


#: What a solver decides: one stage, binding and orders, or everything.
Decided = Clustering | Binding | StaticOrders | tuple[Binding, StaticOrders] | Mapping


def _first(given: int, expected: int, what: str) -> str:
    """Name the first that is missing, or that is too many."""
    if given < expected:
        return f": {what} {given} has none"
    return f": there is no {what} {expected}"
