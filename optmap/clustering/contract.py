"""What a clustering heuristic is, and the one list of them; each is imported when it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from optmap.errors import CapacityError
from optmap.model.capacity import stated
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.platform import Platform
from optmap.model.snn import SNN


class Clusterer(Protocol):
    """Give every unit a cluster that some crossbar can hold."""

    def __call__(
        self, decomposition: Decomposition, platform: Platform, *, seed: int = 0
    ) -> Clustering:
        """Return the clusters; CapacityError if some unit fits no crossbar."""


class Divider(Protocol):
    """Choose units and clusters together."""

    def __call__(
        self, snn: SNN, platform: Platform, *, seed: int = 0
    ) -> tuple[Decomposition, Clustering]:
        """Return both; CapacityError if some unit fits no crossbar."""


def _song2020() -> Clusterer:
    from optmap.clustering.song2020 import partition

    return partition


def _pacman() -> Clusterer:
    from optmap.clustering.pacman import partition

    return partition


def _random() -> Clusterer:
    from optmap.clustering.random import partition

    return partition


def _spinemap() -> Clusterer:
    from optmap.clustering.spinemap import partition

    return partition


def _overlap() -> Clusterer:
    from optmap.clustering.overlap import partition

    return partition


def _edgemap() -> Clusterer:
    from optmap.clustering.edgemap import partition

    return partition


def _hyperedge_overlap() -> Clusterer:
    from optmap.clustering.hyperedge_overlap import partition

    return partition


def _hypergraph() -> Clusterer:
    from optmap.clustering.hypergraph import partition

    return partition


def _multilevel() -> Clusterer:
    from optmap.clustering.multilevel import partition

    return partition


def _published() -> Divider:
    from optmap.clustering.song2020_published import partition

    return partition


def _blocks() -> Divider:
    from optmap.clustering.blocks import partition

    return partition


def cluster(
    clusterer: Clusterer, decomposition: Decomposition, platform: Platform, *, seed: int = 0
) -> Clustering:
    """Return what a clusterer makes of the units, held to every limit that the platform states.

    Clusterers know rows and columns. Where the platform states more, the clusterer is given the
    columns that its limits leave at most, and what still exceeds a limit is divided
    (:mod:`optmap.clustering.kernels.within_limits`). Without such limits it is the clusterer alone.

    Raises
    ------
    CapacityError
        If some unit fits no crossbar, with the numbers.
    """
    if not stated(platform):
        return _sending(decomposition, clusterer(decomposition, platform, seed=seed), platform)
    from optmap.clustering.kernels.within_limits import columns_left, within_limits

    found = clusterer(decomposition, columns_left(decomposition.network, platform), seed=seed)
    return _sending(decomposition, within_limits(decomposition, found, platform), platform)


def _sending(
    decomposition: Decomposition, clustering: Clustering, platform: Platform
) -> Clustering:
    """Return the clustering held to axons out, where the platform limits them."""
    if not any(tile.axons_out for tile in platform.tiles):
        return clustering
    from optmap.clustering.kernels.within_limits import within_axons_out

    return within_axons_out(decomposition, clustering, platform)


def divided(
    divider: Divider, snn: SNN, platform: Platform, *, seed: int = 0
) -> tuple[Decomposition, Clustering]:
    """Return what a divider makes of a network, its clusters held to every limit like others'."""
    decomposition, found = divider(snn, platform, seed=seed)
    if not stated(platform):
        return decomposition, _sending(decomposition, found, platform)
    from optmap.clustering.kernels.within_limits import within_limits

    found = within_limits(decomposition, found, platform)
    return decomposition, _sending(decomposition, found, platform)


def refuse_overfull(
    decomposition: Decomposition, clustering: Clustering, platform: Platform, who: str
) -> None:
    """Refuse a clustering that no crossbars of the platform can hold.

    This is what every clustering passes, whoever made it, before it is bound: the limits that a
    method does not know end here, by name. Hook for limits that no set of units decides alone.

    Raises
    ------
    CapacityError
        Naming the limit, the cluster, what it needs and what there is.
    """
    from optmap.clustering.kernels.within_limits import exceeded

    text = exceeded(decomposition, clustering, platform)
    if text:
        raise CapacityError(f"{who} does not keep to the limits of {platform.name!r}: {text}")


#: Clustering of given units -> loader.
CLUSTERERS: dict[str, Callable[[], Clusterer]] = {
    "song2020": _song2020,
    "pacman": _pacman,
    "random": _random,
    "spinemap": _spinemap,
    "overlap": _overlap,
    "edgemap": _edgemap,
    "hyperedge-overlap": _hyperedge_overlap,
    "hypergraph": _hypergraph,
    "multilevel": _multilevel,
}
#: Clustering that chooses the units too -> loader.
DIVIDERS: dict[str, Callable[[], Divider]] = {
    "song2020-published": _published,
    "blocks": _blocks,
}
