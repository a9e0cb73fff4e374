"""Orders that run ahead by stages: what a tile sends is read by another tile one iteration later.

Pseudo-code::

    depth of a cluster = most changes of tile on a path to it over channels without tokens
    (clusters that read each other in a circle have one depth, the largest)
    for a width of 1, 2, ...: a stage is so many depths; the first width counts at which no
        channel's buffer is too small for the stages between its ends
    a cluster of stage s fires iteration n + (last stage - s) of its tile's round n, and so do
    its sends

Then few clusters wait, within a round, for another tile: chains from tile to tile, which otherwise
make tiles idle, are pipelined at once, where modulo scheduling (:mod:`optmap.ordering.prologue`)
places sends one by one. With a token to spare on every channel no such order deadlocks.

Complexity: O(E) for each depth.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from optmap.judge.binding_aware_graph import derived_sends
from optmap.model.buffers import iterations_held
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding, StaticOrders
from optmap.model.platform import Platform
from optmap.model.snn import IntArray


def staggered(
    graph: ClusterGraph, platform: Platform, binding: Binding, orders: StaticOrders
) -> Iterator[StaticOrders]:
    """Yield the orders of clusters with stages as offsets; nothing where there is but one stage.

    Parameters
    ----------
    orders : StaticOrders
        Which cluster fires after which; offsets and sends are made anew.
    """
    depth = depths(graph, binding)
    most = int(depth.max(initial=0))
    spare = iterations_held(graph, platform) - graph.initial - 1
    for width in range(1, most + 1):
        cuts = [(depth + shift) // width for shift in range(width)]
        fitting = [s for s in cuts if (s[graph.target] - s[graph.source] <= spare).all()]
        for stage in fitting:
            if stage.max() > stage.min():
                yield _ahead(graph, binding, orders, stage.max() - stage)
        if fitting:
            return


def _ahead(
    graph: ClusterGraph, binding: Binding, orders: StaticOrders, ahead: IntArray
) -> StaticOrders:
    sends = derived_sends(graph, binding, orders)
    return StaticOrders(
        orders.clusters,
        tuple(_from_zero(ahead, row) for row in orders.clusters),
        sends,
        tuple(_from_zero(ahead, [a for a, _ in row]) for row in sends),
    )


def depths(graph: ClusterGraph, binding: Binding) -> IntArray:
    """Return the depth of every cluster, shape (K,)."""
    k, tile = graph.num_clusters, binding.tile_of
    depth = np.zeros(k, dtype=np.int64)
    ones = np.ones(graph.num_channels, dtype=np.int8)
    read = sparse.csr_matrix((ones, (graph.source, graph.target)), shape=(k, k))
    circles, circle = csgraph.connected_components(read, connection="strong")
    free = graph.initial == 0
    a, b = graph.source[free], graph.target[free]
    step = (tile[a] != tile[b]).astype(np.int64)
    for _ in range(k):  # channels without tokens close no circle: at most K of them
        later = depth.copy()
        np.maximum.at(later, b, depth[a] + step)
        top = np.zeros(circles, dtype=np.int64)
        np.maximum.at(top, circle, later)
        if np.array_equal(top[circle], depth):
            break
        depth = top[circle]
    return depth


def _from_zero(ahead: IntArray, clusters: list[int] | tuple[int, ...]) -> tuple[int, ...]:
    if not clusters:
        return ()
    values = ahead[list(clusters)]
    return tuple((values - values.min()).tolist())
