"""Fewest clusters by units that are made for sharing: blocks of the connectivity, then ``overlap``.

Pseudo-code::

    keep the tree with the clusters of overlap
    cut the neurons that fit no crossbar by blocks, for several least sizes of a piece, blocks that
        are closed or not (optmap.decomposing.blocks); cluster by overlap; keep what takes fewest
    the same with all neurons cut; keep what takes a tenth fewer than that

So it takes no more clusters than ``overlap`` on the tree. A neuron that fits is split only where
much is saved: every inserted unit sums spikes that are read once more, which costs time and energy.
Networks of more than MOST synapses stay with the tree. No try is begun that would pass the limit
(:func:`optmap.clock.over`): it is expected to take as long as the longest before it.

Complexity: that of ``overlap`` for each try, and of the blocks.

Source: this project's own.
"""

from __future__ import annotations

from optmap.clock import now, over
from optmap.clustering import overlap
from optmap.decomposing import blocks, tree
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.platform import Platform
from optmap.model.snn import SNN

#: Fewest synapses of a piece, and whether blocks are closed; FEW of them on networks above MANY.
TRIED = ((4.0, False), (16.0, False), (2.0, True), (2.0, False), (0.0, False), (8.0, False))
FEW = 3
#: What splitting neurons that fit must save, as a part of the clusters.
WORTH = 0.1
#: Numbers of synapses; above MOST nothing is tried: a try takes a second for some 10^5.
MANY, MOST = 200_000, 1_000_000
#: Seconds a synapse that the first try is expected to take; measured 1.4 to 2.2 millionths.
FIRST_S = 2e-6


def partition(snn: SNN, platform: Platform, *, seed: int = 0) -> tuple[Decomposition, Clustering]:
    """Decompose and cluster together.

    Raises
    ------
    CapacityError
        If some unit fits no crossbar.
    """
    units = tree.decompose(snn, platform, seed=seed)
    best = units, overlap.partition(units, platform, seed=seed)
    if not 0 < snn.num_synapses <= MOST:
        return best
    for split_all, least_saved in ((False, 0.0), (True, WORTH)):
        if split_all or snn.max_fan_in > platform.max_rows:
            found = _fewest(snn, platform, split_all, seed)
            if found and found[1].num_clusters < (1 - least_saved) * best[1].num_clusters:
                best = found
    return best


def _fewest(
    snn: SNN, platform: Platform, split_all: bool, seed: int
) -> tuple[Decomposition, Clustering] | None:
    """Return the units of blocks, and their clusters, that take fewest of all that are tried.

    None if the limit leaves no time for one.
    """
    found: list[tuple[Decomposition, Clustering]] = []
    longest = FIRST_S * snn.num_synapses
    for least, closed in TRIED[: FEW if snn.num_synapses > MANY else None]:
        if over(longest):
            break
        begun = now()
        units = blocks.decompose(
            snn, platform, seed=seed, least=least, closed=closed, split_all=split_all
        )
        found.append((units, overlap.partition(units, platform, seed=seed)))
        longest = max(longest, now() - begun)
    return min(found, key=lambda made: made[1].num_clusters, default=None)
