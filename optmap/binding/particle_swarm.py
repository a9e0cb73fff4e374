"""Particle swarm on spike hops: the placement of SpiNeMap [1]_.

Pseudo-code::

    30 particles, each a vector of K positions drawn at random
    repeat a fixed number of times:
        a particle's placement: clusters sorted by position fill the tiles, an even share each
        remember each particle's best and the swarm's best placement by spike hops
        velocity = w velocity + c1 r1 (own best - position) + c2 r2 (swarm's best - position)

Complexity: O(30 (K log K + E)) per iteration.

Departures from the publication: positions are decoded by rank, so that every particle is a valid
placement of equal tiles; a placement that breaks a crossbar, slot or buffer counts as worse than
any that does not, and the swarm starts with one valid placement.

References
----------
.. [1] Balaji et al., "Mapping Spiking Neural Networks to Neuromorphic Hardware", IEEE TVLSI 28(1),
   2020.
.. [2] Kennedy and Eberhart, "Particle Swarm Optimization", ICNN 1995.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from optmap.binding.kernels.tile_shares import along, tile_shares
from optmap.clock import over
from optmap.model.buffers import tokens_held
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.platform import Platform
from optmap.model.snn import IntArray

PARTICLES = 30
ITERATIONS = 100
INERTIA, OWN, SWARM = 0.72, 1.49, 1.49

Floats = npt.NDArray[np.float64]


def bind(graph: ClusterGraph, platform: Platform, *, seed: int = 0) -> Binding:
    """Place for few spike hops from ``seed``.

    Raises
    ------
    CapacityError
        If no binding was found, with the numbers.
    """
    k = graph.num_clusters
    first = along(graph, platform, np.arange(k), np.arange(platform.num_tiles), seed)
    if k < 2 or platform.num_tiles < 2:
        return first
    rng = np.random.default_rng(seed)
    seats = np.repeat(np.arange(platform.num_tiles), tile_shares(graph, platform))[:k]
    position = rng.random((PARTICLES, k))
    velocity = rng.random((PARTICLES, k)) - 0.5
    best_of, best_value = position.copy(), np.full(PARTICLES, np.iinfo(np.int64).max)
    found, found_value = (
        first.tile_of.astype(np.int64),
        _hops(graph, platform, first.tile_of[None])[0],
    )
    # the valid start, as positions: ranks of the clusters by tile
    leader: Floats = np.empty(k)
    leader[np.argsort(found, kind="stable")] = (np.arange(k) + 0.5) / k
    for iteration in range(ITERATIONS):
        if iteration and over():
            break
        tiles = np.empty((PARTICLES, k), dtype=np.int64)
        ranked = np.argsort(position, axis=1, kind="stable")
        np.put_along_axis(tiles, ranked, np.broadcast_to(seats, tiles.shape), axis=1)
        value = _hops(graph, platform, tiles)
        value[~_valid(graph, platform, tiles)] = np.iinfo(np.int64).max
        better = value < best_value
        best_value[better], best_of[better] = value[better], position[better]
        top = int(np.argmin(value))
        if value[top] < found_value:
            found, found_value, leader = tiles[top].copy(), value[top], position[top].copy()
        own, swarm = rng.random((2, PARTICLES, k))
        velocity = INERTIA * velocity + OWN * own * (best_of - position)
        velocity += SWARM * swarm * (leader - position)
        position = position + np.clip(velocity, -1, 1)
    return Binding(found.astype(np.int32))


def _hops(graph: ClusterGraph, platform: Platform, tiles: npt.NDArray[np.integer]) -> IntArray:
    """Return the spike hops of every placement, one per row."""
    hops = platform.hops_between(tiles[:, graph.source], tiles[:, graph.target])
    value: IntArray = hops @ graph.spikes
    return value


def _valid(
    graph: ClusterGraph, platform: Platform, tiles: npt.NDArray[np.integer]
) -> npt.NDArray[np.bool_]:
    """Tell which placements, one per row, keep crossbars and buffers (slots they keep anyway)."""
    good: npt.NDArray[np.bool_]
    good = graph.fits(platform)[np.arange(graph.num_clusters), tiles].all(axis=1)
    tokens = tokens_held(graph, platform)
    a, b = tiles[:, graph.source], tiles[:, graph.target]
    for t, tile in enumerate(platform.tiles):
        if tile.input_buffer is not None:
            good &= (b == t) @ tokens <= tile.input_buffer
        if tile.output_buffer is not None:
            good &= ((a == t) & (b != t)) @ tokens <= tile.output_buffer
    return good
