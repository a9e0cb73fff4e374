"""Where the search begins: what fast flows make of a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import numpy as np

from optmap.binding import hill_climbing
from optmap.binding.contract import BINDERS
from optmap.clock import did, now
from optmap.clustering import blocks, multilevel
from optmap.clustering.contract import CLUSTERERS, cluster
from optmap.decomposing.contract import DECOMPOSERS, decompose
from optmap.errors import CapacityError
from optmap.judge.binding_aware_graph import refuse_short_buffers
from optmap.judge.metrics import max_tile_load
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
#: What comes after them where networks are large, before them where little traffic is wanted, and
#: what part of all time it may take in each case.
BY_LEVELS, LEVELS_SHARE, FOR_TRAFFIC_SHARE = ("spikes", "multilevel"), 0.1, 0.3
#: Objectives that depend on the clustering alone.
DIVIDED_ANEW = frozenset(("clusters", "traffic"))
#: Share of all time in which flows are only bound: after that the best of them climbs.
EARLY_SHARE = 0.05
#: Bindings that are tried for each; hill climbing comes before the second.
BOUND_BY = ("load-balance", "force-directed")
#: Clusters times channels above which only the first is tried: one pass takes a second.
MOST_PULLS = 3_000_000
#: What cutting blocks takes, and what part of all time it may.
BLOCKS_SECONDS_A_SYNAPSE, BLOCKS_SHARE = 1.2e-4, 0.4


def starts(
    target: Target,
    expired: Expired,
    seconds: float,
    first: Expired | None = None,
    start: Mapping | None = None,
) -> Iterator[Mapping]:
    """Yield mappings with projected orders; no clustering twice.

    Flows that take next to no time are all bound before the one of the least busiest tile climbs.

    Parameters
    ----------
    first : callable, optional
        Says when the first climb must end: later than the others.
    seconds : float
        All the time there is: where fewest clusters are wanted, blocks are cut if they take less
        than BLOCKS_SHARE of it.
    start : Mapping, optional
        What the first flow has made already: its clustering is bound before any other is made,
        except where clusters or traffic are minimised, which other bindings do not change.
    """
    if isinstance(target.snn, ClusteredSNN):  # it came clustered: nothing to divide
        rows = max(target.snn.max_fan_in, target.platform.max_rows)
        units = decompose(target.snn, rows, "none")
        yield from bound(target, units, target.snn.clustering, expired)
        return
    divided, until = _clusterings(target, expired, seconds, start), first or expired
    begun = last = now()
    longest, placed = 0.0, list[tuple[int, list[Mapping]]]()
    for units, clustering in divided:
        here: list[Mapping] = []
        for mapping in _placed(target, units, clustering):
            yield mapping
            if until():
                return
            here.append(mapping)
        if here:
            placed.append((min(_busiest(target, mapping) for mapping in here), here))
        longest, last = max(longest, now() - last), now()
        if placed and last - begun + longest > EARLY_SHARE * seconds:
            break
    for _, here in sorted(placed, key=lambda flow: flow[0]):
        yield from _climbed(target, here, until)
        until = expired
        if expired():
            return
    for units, clustering in divided:
        yield from bound(target, units, clustering, expired)


def _busiest(target: Target, mapping: Mapping) -> int:
    """Return the ticks of the busiest tile, which no orders get below."""
    graph = target.graph(Placed(mapping.decomposition, mapping.clustering, mapping.binding))
    return max_tile_load(graph, mapping.binding, target.platform)


def _clusterings(
    target: Target, expired: Expired, seconds: float, start: Mapping | None
) -> Iterator[tuple[Decomposition, Clustering]]:
    """Yield units with a clustering, none twice, as long as there is time; one in any case."""
    seen: set[str] = set()

    def is_new(units: Decomposition, clustering: Clustering) -> bool:
        identity = clustering_identity(units.identity, clustering)
        known = identity in seen
        seen.add(identity)
        return not known

    if start is not None and target.objective not in DIVIDED_ANEW:
        is_new(start.decomposition, start.clustering)
        yield start.decomposition, start.clustering
    cutting_s = target.snn.num_synapses * BLOCKS_SECONDS_A_SYNAPSE
    if target.objective == "clusters" and cutting_s < BLOCKS_SHARE * seconds:
        did(cutting_s)
        with suppress(CapacityError):
            made = blocks.partition(target.snn, target.platform, seed=target.seed)
            if is_new(*made):
                yield made
    for units, clusterer in _divisions(target, seconds, bool(seen)):
        if seen and expired():
            return
        with suppress(CapacityError):
            clustering = cluster(CLUSTERERS[clusterer](), units, target.platform, seed=target.seed)
            if is_new(units, clustering):
                yield units, clustering


def _divisions(
    target: Target, seconds: float, has_first: bool
) -> Iterator[tuple[Decomposition, str]]:
    """Yield units with a clusterer's name; units that several policies make only once with it."""
    made: dict[str, Decomposition] = {}
    seen: set[tuple[str, str]] = set()
    for policy, clusterer in _flows(target, seconds, has_first):
        if policy not in made:
            units = DECOMPOSERS[policy]()(target.snn, target.platform, seed=target.seed)
            made[policy] = next((d for d in made.values() if d.identity == units.identity), units)
        key = made[policy].identity, clusterer
        if key not in seen:
            seen.add(key)
            yield made[policy], clusterer


def _flows(target: Target, seconds: float, has_first: bool) -> tuple[tuple[str, str], ...]:
    """Return decompositions and clusterings by name, those that are there already last."""
    first, others = FLOWS[:1], FLOWS[1:]
    network, for_traffic = target.snn, target.objective == "traffic"
    share = FOR_TRAFFIC_SHARE if for_traffic else LEVELS_SHARE
    soon = multilevel.worth_it(network)
    soon = soon and multilevel.seconds_for(network, target.platform) < share * seconds
    flows = (*others, *first) if has_first else FLOWS
    if not soon:
        return flows
    return (BY_LEVELS, *flows) if for_traffic else (*flows, BY_LEVELS)


def bound(
    target: Target, decomposition: Decomposition, clustering: Clustering, expired: Expired
) -> Iterator[Mapping]:
    """Yield mappings of one clustering: by heuristics, and climbed from the better of two."""
    found: list[Mapping] = []
    for mapping in _placed(target, decomposition, clustering):
        yield mapping
        if expired():
            return
        found.append(mapping)
    if found:
        yield from _climbed(target, found, expired)


def _placed(
    target: Target, decomposition: Decomposition, clustering: Clustering
) -> Iterator[Mapping]:
    """Yield a clustering bound by load balancing, then with ticks alone balanced, which may fail.

    Both take no time to speak of, and either may have the shorter period.
    """
    anywhere = Placed(decomposition, clustering, _nowhere(clustering))
    graph = target.graph(anywhere)
    with suppress(CapacityError):
        refuse_short_buffers(graph, target.platform)
        for binder in (BINDERS[BOUND_BY[0]](), hill_climbing.balanced):
            binding = binder(graph, target.platform, seed=target.seed)
            yield target.projected(replace(anywhere, binding=binding))[0]


def _nowhere(clustering: Clustering) -> Binding:
    return Binding(np.zeros(clustering.num_clusters, dtype=np.int32))


def _climbed(target: Target, found: list[Mapping], expired: Expired) -> Iterator[Mapping]:
    """Yield what climbing makes of the better one of a clustering, and a binding by forces."""
    periods = [target.period_of(mapping) for mapping in found]
    mapping = found[int(np.argmin(np.array(periods, dtype=object)))]
    placed = Placed(mapping.decomposition, mapping.clustering, mapping.binding)
    graph = target.graph(placed)
    yield target.climbed(mapping, graph, mapping.binding, expired)
    wide = graph.num_clusters * graph.num_channels > MOST_PULLS
    if wide or expired():
        return
    with suppress(CapacityError):
        binding = BINDERS[BOUND_BY[1]]()(graph, target.platform, seed=target.seed)
        yield target.projected(replace(placed, binding=binding))[0]
