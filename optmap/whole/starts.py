"""Where the search begins: what fast flows make of a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from optmap.binding.contract import BINDERS
from optmap.clock import did
from optmap.clustering import blocks, multilevel
from optmap.clustering.contract import CLUSTERERS, cluster
from optmap.decomposing.contract import DECOMPOSERS, decompose
from optmap.errors import CapacityError
from optmap.judge.binding_aware_graph import refuse_short_buffers
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Binding, Clustering, Mapping
from optmap.model.scope import clustering_identity
from optmap.whole.convert import Placed
from optmap.whole.target import Expired, Target

#: Decomposition and clustering, the best ones first.
FLOWS = (
    ("spikes", "overlap"),
    ("spikes", "hyperedge-overlap"),
    ("tree", "overlap"),
    ("spikes", "song2020"),
    ("chain", "song2020"),
    ("tree", "hyperedge-overlap"),
    ("tree", "song2020"),
    ("tree", "pacman"),
    ("spikes", "edgemap"),
    ("spikes", "spinemap"),
)
#: What comes before them where networks are large and little traffic is wanted, and what part of
#: all time it may take.
FOR_TRAFFIC, FOR_TRAFFIC_SHARE = ("spikes", "multilevel"), 0.3
#: Bindings that are tried for each; hill climbing comes after the first.
BOUND_BY = ("load-balance", "force-directed")
#: Clusters times channels above which only the first is tried: one pass takes a second.
MOST_PULLS = 3_000_000
#: What cutting blocks takes, and what part of all time it may.
BLOCKS_SECONDS_A_SYNAPSE, BLOCKS_SHARE = 1.2e-4, 0.4


def starts(
    target: Target, expired: Expired, seconds: float, first: Expired | None = None
) -> Iterator[Mapping]:
    """Yield mappings with projected orders; no clustering twice.

    Parameters
    ----------
    first : callable, optional
        Says when the first flow must end, which is a method of its own: later than the others.
    seconds : float
        All the time there is: where fewest clusters are wanted, blocks are cut if they take less
        than BLOCKS_SHARE of it.
    """
    if isinstance(target.snn, ClusteredSNN):  # it came clustered: nothing to divide
        rows = max(target.snn.max_fan_in, target.platform.max_rows)
        units = decompose(target.snn, rows, "none")
        yield from bound(target, units, target.snn.clustering, expired)
        return
    seen: set[str] = set()
    cutting_s = target.snn.num_synapses * BLOCKS_SECONDS_A_SYNAPSE
    if target.objective == "clusters" and cutting_s < BLOCKS_SHARE * seconds:
        did(cutting_s)
        with suppress(CapacityError):
            units, clustering = blocks.partition(target.snn, target.platform, seed=target.seed)
            seen.add(clustering_identity(units.identity, clustering))
            yield from bound(target, units, clustering, expired)
    for decomposition, clusterer in _divisions(target, seconds):
        if seen and expired():
            return
        try:
            clustering = cluster(
                CLUSTERERS[clusterer](), decomposition, target.platform, seed=target.seed
            )
        except CapacityError:
            continue
        identity = clustering_identity(decomposition.identity, clustering)
        if identity not in seen:
            until = expired if seen or first is None else first
            seen.add(identity)
            yield from bound(target, decomposition, clustering, until)


def _divisions(target: Target, seconds: float) -> Iterator[tuple[Decomposition, str]]:
    """Yield units with a clusterer's name; units that several policies make only once with it."""
    network, platform = target.snn, target.platform
    wanted = target.objective == "traffic" and multilevel.worth_it(network)
    soon = wanted and multilevel.seconds_for(network, platform) < FOR_TRAFFIC_SHARE * seconds
    made: dict[str, Decomposition] = {}
    seen: set[tuple[str, str]] = set()
    for policy, clusterer in (*((FOR_TRAFFIC,) if soon else ()), *FLOWS):
        if policy not in made:
            units = DECOMPOSERS[policy]()(target.snn, target.platform, seed=target.seed)
            made[policy] = next((d for d in made.values() if d.identity == units.identity), units)
        key = made[policy].identity, clusterer
        if key not in seen:
            seen.add(key)
            yield made[policy], clusterer


def bound(
    target: Target, decomposition: Decomposition, clustering: Clustering, expired: Expired
) -> Iterator[Mapping]:
    """Yield mappings of one clustering: by heuristics, and climbed from a balanced binding."""
    anywhere = Binding(np.zeros(clustering.num_clusters, dtype=np.int32))
    graph = target.graph(Placed(decomposition, clustering, anywhere))
    try:
        refuse_short_buffers(graph, target.platform)
    except CapacityError:
        return
    wide = graph.num_clusters * graph.num_channels > MOST_PULLS
    for binder in BOUND_BY[:1] if wide else BOUND_BY:
        if binder != BOUND_BY[0] and expired():
            return
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
