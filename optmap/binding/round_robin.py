"""Round robin: cluster after cluster to tile after tile, one each, then again from the front.

Pseudo-code::

    for each cluster: the next tile, cyclically after the last one used, that can take it

Complexity: O(K T).
"""

from __future__ import annotations

import numpy as np

from optmap.binding.kernels.tile_room import TileRoom, any_binding
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.platform import Platform


def bind(graph: ClusterGraph, platform: Platform, *, seed: int = 0) -> Binding:
    """Deal the clusters out; ``seed`` matters only where the rule itself finds no room.

    Raises
    ------
    CapacityError
        If no binding was found, with the numbers.
    """
    room = TileRoom(graph, platform)
    following = 0
    for cluster in range(graph.num_clusters):
        tiles = room.tiles_for(cluster)
        if not len(tiles):
            return any_binding(graph, platform, seed)
        tile = int(tiles[np.argmin((tiles - following) % platform.num_tiles)])
        room.put(cluster, tile)
        following = tile + 1
    return room.binding()
