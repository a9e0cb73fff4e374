"""One order at design time, projected onto the tiles at run time [S20]_.

Pseudo-code::

    once, at design time: the order in which one tile would fire all clusters
    each tile fires its clusters in that order, whatever the binding

A projection of one valid order cannot deadlock: all tiles agree with it. The order itself is
:func:`optmap.ordering.kernels.single_tile.single_tile_order`. Complexity of projecting: O(K log K).

References
----------
.. [S20] Song et al., "Compiling Spiking Neural Networks to Neuromorphic Hardware", LCTES 2020.
"""

from __future__ import annotations

from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding, StaticOrders
from optmap.model.platform import Platform
from optmap.ordering.kernels.order_on_tiles import projected
from optmap.ordering.kernels.single_tile import single_tile_order


def order(
    graph: ClusterGraph, binding: Binding, platform: Platform, *, seed: int = 0
) -> StaticOrders:
    """Project the single-tile order; nothing is random."""
    return projected(single_tile_order(graph), binding, platform)
