"""Small random networks and platforms for the heuristics, by seed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np

from optmap.binding.contract import BINDERS
from optmap.clustering.contract import CLUSTERERS
from optmap.model.cluster_graph import ClusterGraph, initial_iterations
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import SNN, Population, from_edges
from optmap.ordering.contract import ORDERERS

#: Every registered heuristic, but those that need an extra (tests/clustering/test_hypergraph.py).
PARTITIONS = tuple(name for name in CLUSTERERS if name != "hypergraph")
BINDINGS, ORDERS = tuple(BINDERS), tuple(ORDERERS)


@cache
def case(seed: int, most_neurons: int = 15, driven: bool = False) -> tuple[SNN, Platform]:
    """Return a network (recurrent, with self-synapses and silent neurons) and a mixed platform.

    With ``driven``, every third neuron from the last on reads nothing, and is a unit all the same.
    """
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, most_neurons + 1))
    inputs = int(rng.integers(1, 3))
    reads = rng.random((n, n)) < rng.random() * 0.5 + 0.1
    reads[:, :inputs] = False
    if driven:
        reads[:, : inputs - 1 : -3] = False
    pre, post = np.nonzero(reads)
    half = inputs + (n - inputs) // 2
    populations = [Population("input", 0, inputs - 1)]
    if half > inputs:
        populations.append(Population("first", inputs, half - 1))
    alone = inputs + np.flatnonzero(~reads[:, inputs:].any(axis=0)) if driven else ()
    spikes = rng.integers(0, 9, n)
    snn = from_edges(pre, post, n, spikes=spikes, populations=populations, self_driven=alone)
    rows = int(rng.integers(2, 6))
    width, height = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    tiles = [Tile(Crossbar(rows, 2))]
    for _ in range(width * height - 1):
        smaller = rows if rng.random() < 0.7 else int(rng.integers(2, rows + 1))
        tiles.append(Tile(Crossbar(smaller, int(rng.integers(1, 5)))))
    platform = Platform(
        "random",
        tuple(tiles),
        Interconnect("torus" if rng.random() < 0.3 else "mesh", width, height),
        hop_ticks=int(rng.integers(0, 3)),
        ni_tokens_per_tick=Fraction(int(rng.integers(1, 9)), int(rng.integers(1, 5))),
        base_ticks=int(rng.integers(1, 9)),
        event_ticks=int(rng.integers(0, 2)),
        switch_ticks=int(rng.integers(0, 3)),
    )
    return snn, platform


def limited(platform: Platform, graph: ClusterGraph, seed: int) -> Platform:
    """Return the platform with random slots and buffers, sometimes too small for ``graph``."""
    rng = np.random.default_rng(seed)
    tokens = 2 * int(graph.rate.sum()) + 1

    def maybe(value: float) -> int | None:
        return max(1, int(value)) if rng.random() < 0.5 else None

    tiles = tuple(
        Tile(
            tile.crossbar,
            maybe(tokens * rng.random()),
            maybe(tokens * rng.random() * 0.7),
            maybe(rng.integers(1, graph.num_clusters + 2)),
        )
        for tile in platform.tiles
    )
    return replace(platform, tiles=tiles)


def misfits(decomposition: Decomposition, clustering: Clustering, platform: Platform) -> list[int]:
    """Return the clusters that fit no crossbar, by plain sets."""
    network = decomposition.network
    found = []
    for k, members in enumerate(clustering.members()):
        rows = len({int(i) for p in members for i in network.sources_of(network.units[p])})
        if not any(rows <= r and len(members) <= c for r, c in platform.kinds):
            found.append(k)
    return found


def random_graph(rng: np.random.Generator, clusters: int) -> ClusterGraph:
    """Return a cluster graph of a given size, mostly forward, sometimes with cycles."""
    a = rng.integers(0, clusters, 3 * clusters)
    b = rng.integers(0, clusters, 3 * clusters)
    if rng.random() < 0.7:
        a, b = np.minimum(a, b), np.maximum(a, b)
    keys = np.unique(a[a != b] * clusters + b[a != b])
    a, b = keys // clusters, keys % clusters
    return ClusterGraph(
        rng.integers(20, 200, clusters),
        rng.integers(10, 129, clusters),
        rng.integers(1, 129, clusters),
        a.astype(np.int32),
        b.astype(np.int32),
        rng.integers(0, 60, len(a)),
        initial_iterations(clusters, a, b, "dataflow"),
    )


def equal_fan_in(inputs: int, neurons: int, fan_in: int, seed: int) -> SNN:
    """Return neurons that each read so many inputs."""
    rng = np.random.default_rng(seed)
    pre = [int(i) for _ in range(neurons) for i in rng.choice(inputs, fan_in, replace=False)]
    post = [inputs + j for j in range(neurons) for _ in range(fan_in)]
    return from_edges(pre, post, inputs + neurons)


def equal_tiles(rows: int, columns: int) -> Platform:
    """Return four tiles in a row, of one crossbar each."""
    return Platform("equal", (Tile(Crossbar(rows, columns)),) * 4, Interconnect("mesh", 4, 1))
