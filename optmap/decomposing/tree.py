"""``tree``: the sorted inputs are cut into ceil(f / R) runs whose lengths differ by at most one.

Each run is a unit, a run of one input passes through; again while what remains exceeds R. Equal
fan-in sets are cut equally, so that the leaves of different neurons share rows.
"""

from __future__ import annotations

from optmap.decomposing.kernels.cut import cut
from optmap.model.capacity import unit_fan_in
from optmap.model.decomposition import Decomposition, Parameters
from optmap.model.platform import Platform
from optmap.model.snn import SNN


def decompose(snn: SNN, platform: Platform, *, seed: int = 0) -> Decomposition:
    """Cut every fan-in above the largest R into a tree; ``seed`` decides nothing."""
    return cut(snn, unit_fan_in(snn, platform), "tree")


def rebuild(snn: SNN, rows: int, parameters: Parameters) -> Decomposition:
    """Cut at ``rows``; there are no parameters.

    Examples
    --------
    >>> from optmap.model.snn import from_edges
    >>> snn = from_edges([0, 1, 2, 3, 4], [5, 5, 5, 5, 5], 6)
    >>> tree = rebuild(snn, 3, {})
    >>> [tree.network.sources_of(u).tolist() for u in tree.network.units]
    [[6, 7], [0, 1], [2, 3, 4]]
    """
    return cut(snn, rows, "tree")
