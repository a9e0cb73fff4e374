"""First come, first served: clusters in order, tile after tile.

Pseudo-code::

    share = an even part of the clusters per tile, rounded up
    for each cluster: the first tile, in order, that can take it and has fewer than share
    if there is none, the first tile that can take it

Complexity: O(K T). This is what placers do that see no traffic; clusters that follow each other,
hence often talk to each other, end up together.
"""

from __future__ import annotations

import numpy as np

from optmap.binding.kernels.tile_room import TileRoom, any_binding
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.platform import Platform


def bind(graph: ClusterGraph, platform: Platform, *, seed: int = 0) -> Binding:
    """Bind the clusters in order; ``seed`` matters only where the rule itself finds no room.

    Raises
    ------
    CapacityError
        If no binding was found, with the numbers.
    """
    room = TileRoom(graph, platform)
    share = -(-graph.num_clusters // platform.num_tiles)
    held = np.zeros(platform.num_tiles, dtype=np.int64)
    for cluster in range(graph.num_clusters):
        tiles = room.tiles_for(cluster)
        if not len(tiles):
            return any_binding(graph, platform, seed)
        free = tiles[held[tiles] < share]
        tile = int(free[0]) if len(free) else int(tiles[0])
        held[tile] += 1
        room.put(cluster, tile)
    return room.binding()
