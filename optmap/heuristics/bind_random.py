"""Random binding: clusters in random order, each to a random tile that can take it.

Complexity: O(K T).
"""

from __future__ import annotations

import numpy as np

from optmap.evaluate.cluster_graph import ClusterGraph
from optmap.hardware import Platform
from optmap.heuristics.tile_room import TileRoom, any_binding
from optmap.mapping import Binding


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
