"""One order at design time, projected onto the tiles at run time [S20]_.

Pseudo-code::

    s = the earliest periodic schedule of the unbound graph at its lambda = max tau
    sort the clusters by start; ties: larger tau, then lower index
    each tile fires its clusters in that order

The model breaks ties topologically along token-free channels first; since every firing takes at
least one tick, a token-free channel makes its target start later, so such ties do not occur.
A projection of one valid order cannot deadlock: all tiles agree with it.

Complexity: that of :func:`optmap.sdf.cycle_ratio.earliest_schedule`, then O(K log K).

References
----------
.. [S20] Song et al., "Compiling Spiking Neural Networks to Neuromorphic Hardware", LCTES 2020.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from optmap.evaluate.cluster_graph import ClusterGraph
from optmap.hardware import Platform
from optmap.heuristics.order_on_tiles import projected
from optmap.mapping import Binding, StaticOrders
from optmap.sdf.cycle_ratio import earliest_schedule
from optmap.sdf.marked_graph import MarkedGraph
from optmap.snn import IntArray


def order(
    graph: ClusterGraph, binding: Binding, platform: Platform, *, seed: int = 0
) -> StaticOrders:
    """Project the single-tile order; nothing is random."""
    return projected(single_tile_order(graph), binding, platform)


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
    start = earliest_schedule(unbound, Fraction(int(graph.tau.max())))
    return np.lexsort((every, -graph.tau, start))
