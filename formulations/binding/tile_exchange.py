"""Whole tiles change places: fewer spike-hops (B0a) while every tile's load stays what it is.

Under a load cap near the least one (B0b) hardly any cluster can move or change places. The clusters
of two equal tiles together always can: slots, buffers' needs and ticks move along with them, only
distances change. What is left is quadratic assignment over the tiles.

Pseudo-code::

    flows between tiles: the spikes between their clusters
    from the places as they are, and from RESTARTS random ones of equal tiles:
        repeat: make the exchange of two equal tiles that saves most
        until none saves anything
    return the best places met

An exchange is chosen among all in O(T^2) by the change of cost of [1]_, as one matrix.

References
----------
.. [1] R. E. Burkard, M. Dell'Amico, S. Martello, "Assignment Problems", SIAM 2009, chapter 8
   (pair exchange for quadratic assignment).
"""

from __future__ import annotations

import numpy as np

from optmap.clock import did
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.platform import Platform
from optmap.model.snn import BoolArray, IntArray

#: Random places to start from besides the ones as they are.
RESTARTS = 7
#: More tiles are left as they are: an exchange costs O(T^2), and hundreds of them are made.
MOST_TILES = 128
#: Entries of the matrix of changes that about a second of one core is counted as.
ENTRIES_A_UNIT = 3e7


def exchanged(
    graph: ClusterGraph, platform: Platform, tile_of: IntArray, rng: np.random.Generator
) -> IntArray:
    """Return a binding with the same clusters together, tiles' places chosen for spike-hops.

    Parameters
    ----------
    tile_of : (K,) int64 array
        The binding; not changed.
    rng : numpy.random.Generator
        Draws the random places.

    Returns
    -------
    (K,) int64 array
        Never more spike-hops than ``tile_of``. Output buffers and users' constraints, which depend
        on places, are the caller's to check.
    """
    tiles = platform.num_tiles
    if not 2 <= tiles <= MOST_TILES:
        return tile_of.copy()
    flows = np.zeros((tiles, tiles), dtype=np.int64)
    np.add.at(flows, (tile_of[graph.source], tile_of[graph.target]), graph.spikes)
    np.fill_diagonal(flows, 0)  # within a tile nothing hops
    hops = platform.hops.astype(np.int64)
    kinds = _kinds(platform)
    equal = kinds[:, None] == kinds[None, :]
    best, least = _improved(np.arange(tiles), flows, hops, equal)
    for _ in range(RESTARTS):
        place, cost = _improved(_shuffled(kinds, rng), flows, hops, equal)
        if cost < least:
            best, least = place, cost
    return best[tile_of]


def _kinds(platform: Platform) -> IntArray:
    """Return a number for every tile, the same for equal ones."""
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(tile, len(numbers)) for tile in platform.tiles])


def _shuffled(kinds: IntArray, rng: np.random.Generator) -> IntArray:
    """Return random places: equal tiles change among themselves."""
    place = np.arange(len(kinds))
    for kind in range(int(kinds.max()) + 1):
        own = np.flatnonzero(kinds == kind)
        place[own] = rng.permutation(own)
    return place


def _improved(
    place: IntArray, flows: IntArray, hops: IntArray, equal: BoolArray
) -> tuple[IntArray, int]:
    """Return places that no exchange of two equal tiles improves, and their spike-hops.

    ``place[t]`` is where the clusters of tile t stand. With h the hops between places, exchanging r
    and s changes the cost by ``moved[r, s] - moved[r, r] + moved[s, r] - moved[s, s]``, where
    ``moved[r, s]`` is what r's flows cost if only r stood where s does, and by what r and s
    exchange with each other, which that counts as if they stood in one place.
    """
    while True:
        did(flows.size / ENTRIES_A_UNIT)
        h = hops[np.ix_(place, place)]
        moved = flows @ h.T + flows.T @ h
        own = np.diag(moved)
        change = moved + moved.T - own[:, None] - own[None, :]
        change += (flows + flows.T) * (h + h.T)
        change[~equal] = 0
        r, s = np.unravel_index(int(change.argmin()), change.shape)
        if change[r, s] >= 0:
            return place, int((flows * h).sum())
        place[[r, s]] = place[[s, r]]
