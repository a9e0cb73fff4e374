"""Fewest clusters by units that are made for sharing: blocks of the connectivity, then ``overlap``.

Pseudo-code::

    keep the tree with the clusters of overlap
    for several least sizes of a piece, blocks that are closed or not:
        cut by blocks (optmap.decomposing.blocks), cluster by overlap
        keep it if it takes fewer clusters

So it takes no more clusters than ``overlap`` on the tree, and splits a neuron that fits a crossbar
only where that saves one. Networks of more than MOST synapses stay with the tree.

Complexity: that of ``overlap`` for each try, and of the blocks.

Source: this project's own.
"""

from __future__ import annotations

from optmap.clustering import overlap
from optmap.decomposing import blocks, tree
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.platform import Platform
from optmap.model.snn import SNN

#: Fewest synapses of a piece, and whether blocks are closed; FEW of them on networks above MANY.
TRIED = ((4.0, False), (16.0, False), (2.0, True), (2.0, False), (0.0, False), (8.0, False))
FEW = 3
#: Numbers of synapses; above MOST nothing is tried: a try takes a second for some 10^5.
MANY, MOST = 200_000, 1_000_000


def partition(snn: SNN, platform: Platform, *, seed: int = 0) -> tuple[Decomposition, Clustering]:
    """Decompose and cluster together.

    Raises
    ------
    CapacityError
        If some unit fits no crossbar.
    """
    units = tree.decompose(snn, platform, seed=seed)
    clusters = overlap.partition(units, platform, seed=seed)
    if not 0 < snn.num_synapses <= MOST:
        return units, clusters
    for least, closed in TRIED[: FEW if snn.num_synapses > MANY else None]:
        cut = blocks.decompose(snn, platform, seed=seed, least=least, closed=closed)
        packed = overlap.partition(cut, platform, seed=seed)
        if packed.num_clusters < clusters.num_clusters:
            units, clusters = cut, packed
    return units, clusters
