"""Brute force: answers by enumeration that share no code with what they judge."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from optmap.decomposing.contract import decompose
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.decomposition import Decomposition
from optmap.model.platform import Area, Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import SNN, from_edges


def set_partitions(n: int) -> Iterator[list[int]]:
    """Yield every partition of 0..n-1 once, as labels numbered by first appearance."""

    def extend(labels: list[int], used: int) -> Iterator[list[int]]:
        if len(labels) == n:
            yield labels
            return
        for k in range(used + 1):
            yield from extend([*labels, k], max(used, k + 1))

    yield from extend([], 0)


def fits_some(reads: list[set[int]], group: list[int], kinds: list[tuple[int, int]]) -> bool:
    """Tell whether units read few enough sources for one of the (rows, columns) kinds."""
    rows = len(set().union(*(reads[u] for u in group)))
    return any(rows <= r and len(group) <= c for r, c in kinds)


def traffic(network: SNN, labels: list[int]) -> int:
    """Count spikes into clusters, each source once a cluster, by plain sets."""
    units = network.units.tolist()
    home = dict(zip(units, labels, strict=True))
    entering = {
        (i, home[u])
        for u in units
        for i in network.sources_of(u).tolist()
        if home.get(i) != home[u]
    }
    return sum(int(network.spikes[i]) for i, _ in entering)


def feasible_partitions(decomposition: Decomposition, platform: Platform) -> Iterator[list[int]]:
    """Yield every clustering whose clusters each fit some crossbar of the platform."""
    network = decomposition.network
    reads = [set(network.sources_of(u).tolist()) for u in network.units]
    kinds = [
        (tile.crossbar.rows, tile.crossbar.columns // platform.cells_per_synapse)
        for tile in platform.tiles
    ]
    for labels in set_partitions(len(reads)):
        groups: dict[int, list[int]] = {}
        for u, k in enumerate(labels):
            groups.setdefault(k, []).append(u)
        if all(fits_some(reads, group, kinds) for group in groups.values()):
            yield labels


def fewest_clusters(decomposition: Decomposition, platform: Platform) -> int:
    """Return the optimum of (P0a)."""
    return min(max(p, default=-1) + 1 for p in feasible_partitions(decomposition, platform))


def least_traffic(decomposition: Decomposition, platform: Platform, most: int) -> int | None:
    """Return the optimum of (P0b) with at most ``most`` clusters; None if none fits."""
    return min(
        (
            traffic(decomposition.network, p)
            for p in feasible_partitions(decomposition, platform)
            if max(p, default=-1) < most
        ),
        default=None,
    )


def random_network(seed: int, units: int = 6, most_inputs: int = 4, most_fan_in: int = 4) -> SNN:
    """Return a small network with inputs, recurrence, self-loops and silent neurons."""
    rng = np.random.default_rng(seed)
    inputs = int(rng.integers(1, most_inputs + 1))
    n = inputs + int(rng.integers(1, units + 1))
    pre, post = [], []
    for u in range(inputs, n):
        size = int(rng.integers(1, min(most_fan_in, n) + 1))
        for i in rng.choice(n, size=size, replace=False).tolist():
            pre.append(i)
            post.append(u)
    return from_edges(pre, post, n, spikes=rng.integers(0, 6, size=n))


def mesh(crossbars: list[tuple[int, int]], width: int | None = None, **more: Any) -> Platform:
    """Return a mesh (one row by default) of tiles with the given crossbars."""
    wide = len(crossbars) if width is None else width
    tiles = tuple(Tile(Crossbar(r, c)) for r, c in crossbars)
    more.setdefault("area", Area(cell_um2=Fraction(1)))
    return Platform("test", tiles, Interconnect("mesh", wide, len(tiles) // wide), **more)


def random_partition_case(seed: int, units: int = 6) -> tuple[Decomposition, Platform]:
    """Return a small network, decomposed, and a platform of one to three kinds of crossbar."""
    rng = np.random.default_rng(seed + 10_000)
    rows, columns = int(rng.integers(2, 6)), int(rng.integers(1, 5))
    sizes = [(rows, columns)]
    if rng.random() < 0.5 and rows > 2:  # a second kind that is neither larger nor smaller
        sizes.append((int(rng.integers(2, rows)), columns + int(rng.integers(1, 4))))
    if rng.random() < 0.3:
        sizes.append((2, 1))
    network = random_network(seed, units=units, most_fan_in=min(rows, 4))
    return decompose(network, rows, "tree"), mesh(sizes)


def bindings(num_clusters: int, num_tiles: int) -> Iterator[tuple[int, ...]]:
    """Yield every assignment of clusters to tiles."""
    return product(range(num_tiles), repeat=num_clusters)


def binding_fits(graph: ClusterGraph, platform: Platform, tile_of: tuple[int, ...]) -> bool:
    """Tell whether slots, crossbars and buffers hold a binding, by plain counting."""
    channels = list(
        zip(graph.source.tolist(), graph.target.tolist(), graph.spikes.tolist(), strict=True)
    )
    for t, tile in enumerate(platform.tiles):
        here = [a for a, where in enumerate(tile_of) if where == t]
        if tile.slots is not None and len(here) > tile.slots:
            return False
        for a in here:
            columns = tile.crossbar.columns // platform.cells_per_synapse
            if graph.rows[a] > tile.crossbar.rows or graph.columns[a] > columns:
                return False
        windows, tokens = platform.buffer_windows, platform.buffer_tokens
        held = [windows * max(1, f) if tokens is None else tokens for _, _, f in channels]
        ends = [(tile_of[a], tile_of[b]) for a, b, _ in channels]
        into = sum(q for q, (_, v) in zip(held, ends, strict=True) if v == t)
        out = sum(q for q, (u, v) in zip(held, ends, strict=True) if u == t and v != t)
        if tile.input_buffer is not None and into > tile.input_buffer:
            return False
        if tile.output_buffer is not None and out > tile.output_buffer:
            return False
    return True


def binding_load(graph: ClusterGraph, platform: Platform, tile_of: tuple[int, ...]) -> int:
    """Return the largest tile load, switch_ticks on shared tiles included."""
    loads = []
    for t in range(platform.num_tiles):
        here = [int(graph.tau[a]) for a, where in enumerate(tile_of) if where == t]
        loads.append(sum(here) + (platform.switch_ticks * len(here) if len(here) > 1 else 0))
    return max(loads)


def binding_hops(graph: ClusterGraph, platform: Platform, tile_of: tuple[int, ...]) -> int:
    """Return the spike-hops."""
    channels = zip(graph.source.tolist(), graph.target.tolist(), graph.spikes.tolist(), strict=True)
    return sum(f * int(platform.hops[tile_of[a], tile_of[b]]) for a, b, f in channels)


def best_binding(
    graph: ClusterGraph, platform: Platform, objective: str, max_load: int | None = None
) -> int | None:
    """Return the optimum of (B0b) "load" or (B0a) "hops" under a load cap; None if none fits."""
    value = binding_load if objective == "load" else binding_hops
    return min(
        (
            value(graph, platform, tile_of)
            for tile_of in bindings(graph.num_clusters, platform.num_tiles)
            if binding_fits(graph, platform, tile_of)
            and (max_load is None or binding_load(graph, platform, tile_of) <= max_load)
        ),
        default=None,
    )


def random_binding_case(seed: int) -> tuple[ClusterGraph, Platform]:
    """Return a small cluster graph and a platform with some limits, mesh, torus or matrix."""
    rng = np.random.default_rng(seed + 20_000)
    k = int(rng.integers(1, 6))
    pairs = [(a, b) for a in range(k) for b in range(k) if a != b and rng.random() < 0.5]
    graph = ClusterGraph(
        rng.choice([1, 2, 3, 12], size=k),
        rng.integers(1, 4, size=k),
        rng.integers(1, 4, size=k),
        np.array([a for a, _ in pairs], dtype=np.int32),
        np.array([b for _, b in pairs], dtype=np.int32),
        rng.integers(0, 7, size=len(pairs)),
        rng.integers(0, 2, size=len(pairs)),
    )
    shape = str(rng.choice(["mesh", "mesh", "torus", "matrix"]))
    width, height = [(1, 3), (2, 2), (3, 1), (2, 1)][int(rng.integers(4))]
    num = width * height
    alike = bool(rng.random() < 0.5)
    limited = bool(rng.random() < 0.5)

    def tile() -> Tile:
        size = Crossbar(3, 3) if alike else Crossbar(*(int(x) for x in rng.integers(2, 4, size=2)))
        if not limited:
            return Tile(size)
        if alike:
            return Tile(size, 40, 24, 2)
        return Tile(
            size, int(rng.integers(10, 60)), int(rng.integers(10, 40)), int(rng.integers(1, 3))
        )

    if shape == "matrix":
        hops = rng.integers(1, 4, size=(num, num))
        np.fill_diagonal(hops, 0)
        joined = Interconnect("matrix", matrix=tuple(tuple(row) for row in hops.tolist()))
    else:
        joined = Interconnect(shape, width, height)
    tiles = tuple(tile() for _ in range(num))
    return graph, Platform("test", tiles, joined, switch_ticks=int(rng.integers(0, 4)))
