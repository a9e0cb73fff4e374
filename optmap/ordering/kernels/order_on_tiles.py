"""From one order of all clusters to an order per tile."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding, StaticOrders
from optmap.model.platform import Platform
from optmap.model.snn import IntArray


def projected(sequence: IntArray, binding: Binding, platform: Platform) -> StaticOrders:
    """Return, per tile, its clusters in the order of ``sequence``."""
    tiles = binding.tile_of[sequence]
    by_tile = np.argsort(tiles, kind="stable")
    cuts = np.searchsorted(tiles[by_tile], np.arange(1, platform.num_tiles))
    parts = np.split(sequence[by_tile], cuts)
    return StaticOrders(tuple(tuple(int(k) for k in part) for part in parts))


def token_free_successors(graph: ClusterGraph) -> tuple[sparse.csr_matrix, IntArray]:
    """Return the token-free channels as a sparse matrix, and how many enter each cluster."""
    free = graph.initial == 0
    k = graph.num_clusters
    ones = np.ones(int(free.sum()), dtype=np.int8)
    matrix = sparse.csr_matrix((ones, (graph.source[free], graph.target[free])), shape=(k, k))
    return matrix, np.bincount(graph.target[free], minlength=k)
