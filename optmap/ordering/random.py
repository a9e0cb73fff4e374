"""A random valid order: at each step a random cluster whose token-free producers have all fired.

Complexity: O(E + K).
"""

from __future__ import annotations

import numpy as np

from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding, StaticOrders
from optmap.model.platform import Platform
from optmap.ordering.kernels.order_on_tiles import projected, token_free_successors


def order(
    graph: ClusterGraph, binding: Binding, platform: Platform, *, seed: int = 0
) -> StaticOrders:
    """Order at random from ``seed``; the projection of one valid order cannot deadlock."""
    rng = np.random.default_rng(seed)
    after, missing = token_free_successors(graph)
    ready = np.flatnonzero(missing == 0).tolist()
    sequence = []
    while ready:
        at = int(rng.integers(len(ready)))
        ready[at], ready[-1] = ready[-1], ready[at]
        cluster = ready.pop()
        sequence.append(cluster)
        for b in after.indices[after.indptr[cluster] : after.indptr[cluster + 1]]:
            missing[b] -= 1
            if missing[b] == 0:
                ready.append(int(b))
    return projected(np.array(sequence, dtype=np.int64), binding, platform)
