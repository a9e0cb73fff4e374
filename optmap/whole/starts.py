"""Where the search begins: what fast flows make of a network."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from optmap.binding.contract import BINDERS
from optmap.clustering.contract import CLUSTERERS
from optmap.decomposing.contract import DECOMPOSERS, decompose
from optmap.errors import CapacityError
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Binding, Clustering, Mapping
from optmap.model.scope import clustering_identity
from optmap.whole.convert import Placed
from optmap.whole.target import Expired, Target

#: Decomposition and clustering, the best ones first.
FLOWS = (
    ("spikes", "overlap"),
    ("tree", "overlap"),
    ("spikes", "song2020"),
    ("chain", "song2020"),
    ("tree", "song2020"),
    ("tree", "pacman"),
    ("spikes", "edgemap"),
    ("spikes", "spinemap"),
)
#: Bindings that are tried for each; then hill climbing from the better one.
BOUND_BY = ("load-balance", "force-directed")


def starts(target: Target, expired: Expired) -> Iterator[Mapping]:
    """Yield mappings with projected orders; no clustering twice."""
    seen: set[str] = set()
    for policy, clusterer in FLOWS:
        if seen and expired():
            return
        try:
            decomposition, clustering = _divided(target, policy, clusterer)
        except CapacityError:
            continue
        identity = clustering_identity(decomposition.identity, clustering)
        if identity not in seen:
            seen.add(identity)
            yield from _bound(target, decomposition, clustering, expired)


def _divided(target: Target, policy: str, clusterer: str) -> tuple[Decomposition, Clustering]:
    snn, platform, seed = target.snn, target.platform, target.seed
    if isinstance(snn, ClusteredSNN):  # it came clustered: nothing to divide
        rows = max(snn.max_fan_in, platform.max_rows)
        return decompose(snn, rows, "none"), snn.clustering
    decomposition = DECOMPOSERS[policy]()(snn, platform, seed=seed)
    return decomposition, CLUSTERERS[clusterer]()(decomposition, platform, seed=seed)


def _bound(
    target: Target, decomposition: Decomposition, clustering: Clustering, expired: Expired
) -> Iterator[Mapping]:
    """Yield mappings of one clustering."""
    anywhere = Binding(np.zeros(clustering.num_clusters, dtype=np.int32))
    graph = target.graph(Placed(decomposition, clustering, anywhere))
    for binder in BOUND_BY:
        try:
            binding = BINDERS[binder]()(graph, target.platform, seed=target.seed)
        except CapacityError:
            continue
        mapping = target.projected(Placed(decomposition, clustering, binding))[0]
        yield mapping
        if expired():
            return
        if binder == BOUND_BY[0]:
            yield target.climbed(mapping, graph, binding, expired)
