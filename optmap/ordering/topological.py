"""Topological order along token-free channels, lowest index first (Kahn), projected.

Token-free channels form no cycle: inside a strongly connected component every channel holds a
token. Complexity: O(E + K log K).
"""

from __future__ import annotations

import heapq

import numpy as np

from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding, StaticOrders
from optmap.model.platform import Platform
from optmap.ordering.kernels.order_on_tiles import projected, token_free_successors


def order(
    graph: ClusterGraph, binding: Binding, platform: Platform, *, seed: int = 0
) -> StaticOrders:
    """Order topologically; nothing is random."""
    after, missing = token_free_successors(graph)
    ready = np.flatnonzero(missing == 0).tolist()
    sequence = []
    while ready:
        cluster = heapq.heappop(ready)
        sequence.append(cluster)
        for b in after.indices[after.indptr[cluster] : after.indptr[cluster + 1]]:
            missing[b] -= 1
            if missing[b] == 0:
                heapq.heappush(ready, int(b))
    return projected(np.array(sequence, dtype=np.int64), binding, platform)
