"""How many clusters a tile gets where the objective alone would put all on one tile.

Spike hops are least, namely 0, with everything on one tile. The placement heuristics therefore give
every tile at most an even share of the clusters: one where the tiles suffice, as their publications
assume, and ceil(K / T) otherwise. Where slots or crossbars do not allow an even share, the others
take more.
"""

from __future__ import annotations

import numpy as np

from optmap.binding.kernels.tile_room import TileRoom, any_binding
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.platform import Platform
from optmap.model.snn import IntArray


def tile_shares(graph: ClusterGraph, platform: Platform) -> IntArray:
    """Return the most clusters each tile gets, shape (T,); together they hold all clusters."""
    slots = np.array(
        [graph.num_clusters if t.slots is None else t.slots for t in platform.tiles], dtype=np.int64
    )
    share = -(-graph.num_clusters // len(platform.in_use))
    while share < graph.num_clusters and np.minimum(slots, share).sum() < graph.num_clusters:
        share += 1
    return np.minimum(slots, share)


def along(
    graph: ClusterGraph, platform: Platform, clusters: IntArray, tiles: IntArray, seed: int
) -> Binding:
    """Bind ``clusters``, in order, along ``tiles``, an even share to each.

    A cluster that does not fit where it would stand goes to the nearest tile, by hops, that takes
    it within its share, else to any that takes it.

    Raises
    ------
    CapacityError
        If no binding was found, with the numbers.
    """
    room, left = TileRoom(graph, platform), tile_shares(graph, platform)
    at, every = 0, np.arange(platform.num_tiles)
    apart = platform.hops_between(tiles[at], every)
    for cluster in clusters.tolist():
        while at < len(tiles) - 1 and left[tiles[at]] == 0:
            at += 1
            apart = platform.hops_between(tiles[at], every)
        possible = room.tiles_for(cluster)
        if not len(possible):
            return any_binding(graph, platform, seed)
        within = possible[left[possible] > 0]
        choice = within if len(within) else possible
        tile = int(choice[np.argmin(apart[choice])])
        left[tile] -= 1
        room.put(cluster, tile)
    return room.binding()
