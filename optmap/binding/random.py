"""Random binding: clusters in random order, each to a random tile that can take it.

Complexity: O(K T).
"""

from __future__ import annotations

import numpy as np

from optmap.binding.kernels.tile_room import TileRoom, any_binding
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.platform import Platform


def bind(graph: ClusterGraph, platform: Platform, *, seed: int = 0) -> Binding:
    """Bind at random from ``seed``.

    Raises
    ------
    CapacityError
        If no binding was found, with the numbers.
    """
    room, rng = TileRoom(graph, platform), np.random.default_rng(seed)
    for cluster in rng.permutation(graph.num_clusters).tolist():
        tiles = room.tiles_for(cluster)
        if not len(tiles):
            return any_binding(graph, platform, seed)
        room.put(cluster, int(rng.choice(tiles)))
    return room.binding()
