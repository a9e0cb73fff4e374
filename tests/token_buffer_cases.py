"""Small graphs on tiles with orders, by seed: cases for buffers in tokens."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from optmap.model.cluster_graph import ClusterGraph
from optmap.model.interconnect import Interconnect
from optmap.model.mapping import Binding, StaticOrders
from optmap.model.platform import Crossbar, Platform, Tile


def placed(seed: int) -> tuple[ClusterGraph, Platform, Binding, StaticOrders]:
    """Return up to four clusters with few channels on up to three tiles, orders of all."""
    rng = np.random.default_rng(seed)
    k, tiles = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    pairs = [(a, b) for a in range(k) for b in range(k) if a != b]
    pairs = sorted(pairs[i] for i in rng.permutation(len(pairs))[: int(rng.integers(1, 4))])
    initial = rng.integers(0, 2, size=len(pairs))
    initial[[i for i, (a, b) in enumerate(pairs) if a > b]] = 1
    graph = ClusterGraph(
        rng.integers(1, 9, size=k),
        np.ones(k, dtype=np.int64),
        np.ones(k, dtype=np.int64),
        np.array([a for a, _ in pairs], dtype=np.int32),
        np.array([b for _, b in pairs], dtype=np.int32),
        rng.integers(0, 4, size=len(pairs)),
        initial,
    )
    platform = Platform(
        "three",
        (Tile(Crossbar(4, 4)),) * tiles,
        Interconnect("mesh", tiles, 1),
        hop_ticks=int(rng.integers(0, 4)),
        ni_tokens_per_tick=Fraction(int(rng.integers(1, 4)), 2),
    )
    binding = Binding(rng.integers(0, tiles, size=k).astype(np.int32))
    orders = tuple(tuple(np.flatnonzero(binding.tile_of == t).tolist()) for t in range(tiles))
    return graph, platform, binding, StaticOrders(orders)
