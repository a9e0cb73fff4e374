"""Clustered networks on small platforms: random ones, the published LeNet-MNIST graph, targets."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from optmap.model.cluster_graph import ClusterGraph, initial_iterations
from optmap.model.mapping import Binding
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile

#: The published 7-actor LeNet-MNIST graph: channel -> tokens per firing, and as many at the start.
LENET_ACTORS = (0, 1, 2, 3, 4, 5, 7)
LENET_CHANNELS = {
    (0, 1): 2,
    (0, 2): 2,
    (1, 0): 2,
    (1, 5): 2,
    (2, 1): 3,
    (2, 5): 3,
    (3, 1): 1,
    (3, 5): 1,
    (4, 0): 2,
    (4, 1): 2,
    (5, 3): 3,
    (5, 1): 3,
    (7, 0): 1,
}


@dataclass(frozen=True)
class Instance:
    """A clustered network, a platform, and a random binding that may break capacities."""

    graph: ClusterGraph
    platform: Platform
    binding: Binding


def cluster_graph_of(
    tau: list[int], channels: dict[tuple[int, int], int], tokens: str = "dataflow"
) -> ClusterGraph:
    """Return actors of the given times and channels of the given spikes; one row, one column."""
    k, pairs = len(tau), sorted(channels)
    a = np.array([p[0] for p in pairs], dtype=np.int64)
    b = np.array([p[1] for p in pairs], dtype=np.int64)
    ones = np.ones(k, dtype=np.int64)
    spikes = np.array([channels[p] for p in pairs], dtype=np.int64)
    initial = initial_iterations(k, a, b, tokens)
    return ClusterGraph(np.array(tau, dtype=np.int64), ones, ones, a, b, spikes, initial)


def equal_tiles(width: int, height: int = 1, *, kind: str = "mesh", **values: Any) -> Platform:
    """Return a platform of equal, large tiles; ``values`` are fields of the platform."""
    tiles = (Tile(Crossbar(64, 64)),) * (width * height)
    return Platform("test", tiles, Interconnect(kind, width, height), **values)


def random_instance(seed: int, most_clusters: int = 6, most_tiles: int = 3) -> Instance:
    """Return sends, buffers, recurrences, hop delays and both token modes, all small.

    Odd seeds are sharp: no fewer clusters and tiles than needed, mostly forward channels, so that
    orders matter.
    """
    rng = np.random.default_rng(seed)
    sharp = bool(seed % 2)
    k = int(rng.integers(most_clusters - 1 if sharp else 1, most_clusters + 1))
    num_tiles = int(rng.integers(2 if sharp else 1, most_tiles + 1))
    backward = rng.random() < (0.2 if sharp else 0.5)
    channels: dict[tuple[int, int], int] = {}
    for _ in range(int(rng.integers(k if sharp else k // 2, 2 * k + 1))):
        a, b = sorted(int(x) for x in rng.integers(0, k, 2))
        if a != b:
            pair = (b, a) if backward and rng.random() < 0.15 else (a, b)
            channels[pair] = int(rng.integers(0, 5))
    tokens = "dataflow" if rng.random() < (0.9 if sharp else 0.5) else "pipelined"
    windows = int(rng.integers(2, 4))
    graph = cluster_graph_of(rng.integers(1, 10, k).tolist(), channels, tokens)
    most = windows * int(graph.rate.sum()) + 1

    def limit(chance: float, low: int, high: int) -> int | None:
        drawn, value = rng.random() < chance, int(rng.integers(low, max(high, low + 1)))
        return value if drawn and not sharp else None

    tiles = tuple(
        Tile(
            Crossbar(64, 64),
            input_buffer=limit(0.2, max(most // 2, 1), most),
            output_buffer=limit(0.2, max(most // 3, 1), most),
            slots=limit(0.2, 1, k + 1),
        )
        for _ in range(num_tiles)
    )
    if rng.random() < 0.6:
        tiles = tiles[:1] * num_tiles
    platform = Platform(
        f"random {seed}",
        tiles,
        Interconnect("mesh", num_tiles, 1),
        hop_ticks=int(rng.integers(0, 4)),
        ni_tokens_per_tick=Fraction(int(rng.integers(1, 4)), int(rng.integers(1, 3))),
        switch_ticks=int(rng.integers(0, 3)) * int(rng.integers(0, 2)),
        buffer_windows=windows,
    )
    binding = Binding(rng.integers(0, num_tiles, k).astype(np.int32))
    return Instance(graph, platform, binding)


def lenet_mnist() -> ClusterGraph:
    """Return the published graph: 16 ticks an actor, one iteration of tokens on every channel."""
    index = {actor: i for i, actor in enumerate(LENET_ACTORS)}
    channels = {(index[a], index[b]): rate for (a, b), rate in LENET_CHANNELS.items()}
    return cluster_graph_of([16] * len(LENET_ACTORS), channels, "pipelined")


def random_recurrent(num_clusters: int, num_tiles: int, seed: int) -> tuple[ClusterGraph, Platform]:
    """Return the issue's size targets: degree 2, every fifth channel against the order.

    Each cluster (5..30 ticks) draws two partners; of the pairs drawn, those against the index order
    are turned with probability 0.8, so that some close recurrences. 1..5 tokens a channel, one hop
    one tick, one token a tick; tiles in a row, four of them in a square.
    """
    rng = np.random.default_rng(seed)
    tau = rng.integers(5, 31, num_clusters).tolist()
    channels: dict[tuple[int, int], int] = {}
    for a in range(num_clusters):
        for _ in range(2):
            b = int(rng.integers(0, num_clusters))
            if a != b:
                keep = a < b or rng.random() < 0.2
                channels[(a, b) if keep else (b, a)] = int(rng.integers(1, 6))
    width, height = (2, 2) if num_tiles == 4 else (num_tiles, 1)
    return cluster_graph_of(tau, channels), equal_tiles(width, height)


def random_flows(num_clusters: int, seed: int) -> ClusterGraph:
    """Return a random graph of degree 2 for binding: two partners each, 1..9 spikes a channel."""
    rng = np.random.default_rng(seed)
    channels: dict[tuple[int, int], int] = {}
    for a in range(num_clusters):
        others = [b for b in range(num_clusters) if b != a]
        for b in rng.choice(others, 2, replace=False).tolist():
            channels[a, b] = int(rng.integers(1, 10))
    return cluster_graph_of([1] * num_clusters, channels)
