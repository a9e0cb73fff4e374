"""The design-time order: how one tile would fire all clusters of an application [S20].

The clusters are sorted by their start in the earliest periodic schedule of the
unbound graph at its lambda = max tau, without switch_ticks: the regime that self-timed execution
settles into. The model breaks ties topologically along token-free channels first; since every
firing takes at least one tick, a token-free channel makes its target start later, so that such ties
do not occur; then the larger tau comes first, then the lower index.
"""

from __future__ import annotations

import numpy as np

from optmap.model.cluster_graph import ClusterGraph
from optmap.model.snn import IntArray
from optmap.sdf.cycle_ratio import earliest_schedule, maximum_cycle_ratio
from optmap.sdf.marked_graph import MarkedGraph


def single_tile_order(graph: ClusterGraph) -> IntArray:
    """Return the clusters in the order in which one tile would fire them all, shape (K,)."""
    k = graph.num_clusters
    if k == 0:
        return np.empty(0, dtype=np.int64)
    every = np.arange(k)
    unbound = MarkedGraph(
        k,
        np.concatenate((every, graph.source)),
        np.concatenate((every, graph.target)),
        np.concatenate((graph.tau, graph.tau[graph.source])),
        np.concatenate((np.ones(k, dtype=np.int64), graph.initial)),
    )
    # max tau for a graph derived from spikes; a graph that came with its tokens may be slower
    period = maximum_cycle_ratio(unbound)[0]
    assert period is not None  # every cluster has its self-loop
    start = earliest_schedule(unbound, period)
    return np.lexsort((every, -graph.tau, start))
