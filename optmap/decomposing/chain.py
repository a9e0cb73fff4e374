"""``chain`` [B20]_: unit 1 reads R inputs, each later one the previous unit and R - 1 more inputs.

References
----------
.. [B20] Balaji et al., "Enabling Resource-Aware Mapping of Spiking Neural Networks via Spatial
   Decomposition", 2020, arXiv 2009.09298.
"""

from __future__ import annotations

from optmap.decomposing.kernels.cut import cut
from optmap.model.capacity import unit_fan_in
from optmap.model.decomposition import Decomposition, Parameters
from optmap.model.platform import Platform
from optmap.model.snn import SNN


def decompose(snn: SNN, platform: Platform, *, seed: int = 0) -> Decomposition:
    """Cut every fan-in above the largest R into a chain; ``seed`` decides nothing."""
    return cut(snn, unit_fan_in(snn, platform), "chain")


def rebuild(snn: SNN, rows: int, parameters: Parameters) -> Decomposition:
    """Cut at ``rows``; there are no parameters.

    Examples
    --------
    >>> from optmap.model.snn import from_edges
    >>> snn = from_edges([0, 1, 2, 3, 4], [5, 5, 5, 5, 5], 6)
    >>> chain = rebuild(snn, 3, {})
    >>> [chain.network.sources_of(u).tolist() for u in chain.network.units]
    [[3, 4, 6], [0, 1, 2]]
    """
    return cut(snn, rows, "chain")
