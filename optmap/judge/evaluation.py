"""One mapping in, everything that is reported about it out; the only source of ranked values."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from optmap.errors import DeadlockError
from optmap.judge.binding_aware_graph import BindingAwareGraph, Reason, lower
from optmap.judge.latency import latency
from optmap.judge.metrics import (
    EnergySplit,
    Spread,
    Traffic,
    area_um2,
    buffer_use,
    component_costs,
    energy,
    link_tokens,
    loads,
    spike_hops,
    traffic,
    utilisation,
)
from optmap.judge.multicast import (
    Multicast,
    connectivity,
    deliveries,
    multicast,
    spike_latency,
)
from optmap.model.buffers import space_of
from optmap.model.cluster_graph import axons, cluster_graph
from optmap.model.components import ComponentCost
from optmap.model.mapping import Mapping
from optmap.model.platform import Platform
from optmap.model.snn import IntArray

#: Columns that rows of earlier versions lack: a stored row has all of them, or none.
ADDED = (
    "connectivity",
    "multicast_hops",
    "multicast_link_max",
    "multicast_link_variance",
    "spike_latency_mean",
    "spike_latency_max",
)


@dataclass(frozen=True, slots=True)
class CycleStep:
    """One edge of the critical cycle: who waits for whom, how long, why."""

    source: str
    target: str
    delay: int
    tokens: int
    reason: str

    def __str__(self) -> str:
        """Return the step as reports print it."""
        tokens = f", {self.tokens} token{'s' if self.tokens != 1 else ''}" if self.tokens else ""
        return f"{self.source} -> {self.target} [{self.reason}, {self.delay} ticks{tokens}]"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything the judge says about one mapping; exact values.

    ``period`` and ``latency`` are ticks, None when the network has no cluster. ``loads`` are ticks
    per iteration, mean and maximum over the tiles in use. ``buffer_tokens`` is the space of all
    channels together.
    """

    clusters: int
    tiles_used: int
    traffic: Traffic
    spike_hops: int
    period: Fraction | None
    latency: Fraction | None
    critical_cycle: tuple[CycleStep, ...]
    energy: EnergySplit
    area_um2: Fraction
    components: tuple[ComponentCost, ...]
    utilisation: dict[str, Spread]
    tile_load: Spread | None
    ni_load: Spread | None
    link_load: Fraction | None
    buffer_use: Fraction | None
    buffer_tokens: int
    connectivity: int
    multicast: Multicast | None
    spike_latency: Spread | None
    spikes_origin: str

    @property
    def throughput(self) -> Fraction | None:
        """Iterations per tick; None where nothing bounds it."""
        return 1 / self.period if self.period else None

    @property
    def max_tile_load(self) -> int:
        """Ticks of the busiest tile; 0 without any cluster."""
        return 0 if self.tile_load is None else int(self.tile_load.extreme)

    def row(self) -> dict[str, object]:
        """Return the values as one flat row for tables; fractions stay exact."""
        flat: dict[str, object] = {
            "clusters": self.clusters,
            "tiles_used": self.tiles_used,
            "traffic": self.traffic.total,
            "external_spikes": self.traffic.external_spikes,
            "input_deliveries": self.traffic.input_deliveries,
            "spike_hops": self.spike_hops,
            "period": self.period,
            "throughput": self.throughput,
            "latency": self.latency,
            "energy_pj": self.energy.total_pj,
            "energy_spike_pj": self.energy.spike_pj,
            "energy_synapse_pj": self.energy.synapse_pj,
            "energy_route_pj": self.energy.route_pj,
            "energy_local_pj": self.energy.local_pj,
            "area_um2": self.area_um2,
            "link_load_max": self.link_load,
            "buffer_use_max": self.buffer_use,
            "connectivity": self.connectivity,
            "multicast_hops": self.multicast.hops if self.multicast else None,
            "multicast_link_max": self.multicast.busiest if self.multicast else None,
            "multicast_link_variance": self.multicast.variance if self.multicast else None,
        }
        spreads = (
            ("tile_load", self.tile_load),
            ("ni_load", self.ni_load),
            ("spike_latency", self.spike_latency),
        )
        for name, spread in spreads:
            flat[f"{name}_mean"] = spread.mean if spread else None
            flat[f"{name}_max"] = spread.extreme if spread else None
        for name in ("row", "column", "synapse"):
            use = self.utilisation.get(name)
            flat[f"{name}_use_mean"] = use.mean if use else None
            flat[f"{name}_use_min"] = use.extreme if use else None
        for part in self.components:
            flat[f"area_{part.key}_um2"] = part.area_um2
            if self.energy.read_pj:
                flat[f"energy_{part.key}_pj"] = part.read_pj
        if self.energy.leakage_pj:
            flat["energy_leakage_pj"] = self.energy.leakage_pj
        return flat


def evaluate(platform: Platform, mapping: Mapping, tokens: str) -> Evaluation:
    """Return what a valid mapping costs.

    Parameters
    ----------
    platform : Platform
        The hardware model.
    mapping : Mapping
        A mapping that :func:`optmap.judge.check.check` passes.
    tokens : str
        Token mode, ``dataflow`` or ``pipelined``.

    Raises
    ------
    DeadlockError
        If some cycle holds no token; its message names the actors.
    ValueError, CapacityError
        If the mapping is not well formed for this platform.
    """
    graph = cluster_graph(mapping.decomposition, mapping.clustering, platform, tokens)
    bound = lower(graph, platform, mapping.binding, mapping.orders, mapping.buffers)
    return evaluation_of(platform, mapping, bound)


def evaluation_of(platform: Platform, mapping: Mapping, bound: BindingAwareGraph) -> Evaluation:
    """Return what a valid mapping costs, given its binding-aware graph; see :func:`evaluate`."""
    graph, decomposition, clustering = bound.clusters, mapping.decomposition, mapping.clustering
    period, critical = critical_cycle(bound)
    crossbar, interface = loads(bound, platform, mapping.binding)
    used = np.unique(mapping.binding.tile_of)
    occupied = graph.num_clusters > 0
    read = deliveries(decomposition, clustering)
    links = link_tokens(graph, platform, mapping.binding)
    link_load = None
    if period and links is not None:
        link_load = int(links.max()) / (period * platform.ni_tokens_per_tick)
    return Evaluation(
        clusters=graph.num_clusters,
        tiles_used=len(used),
        traffic=traffic(decomposition, clustering),
        spike_hops=spike_hops(graph, platform, mapping.binding),
        period=period,
        latency=None if period is None else latency(bound, period, *_ends(mapping)),
        critical_cycle=critical,
        energy=energy(mapping, graph, platform, period),
        components=component_costs(graph, platform, mapping.binding),
        area_um2=area_um2(platform, mapping.binding),
        utilisation=utilisation(mapping, graph, platform) if occupied else {},
        tile_load=_spread(crossbar[used]) if occupied else None,
        ni_load=_spread(interface[used]) if occupied else None,
        link_load=link_load,
        buffer_use=buffer_use(graph, platform, mapping.binding, mapping.buffers),
        buffer_tokens=space_of(graph, platform, mapping.binding, mapping.buffers).total,
        connectivity=connectivity(read),
        multicast=multicast(read, platform, mapping.binding),
        spike_latency=spike_latency(read, platform, mapping.binding),
        spikes_origin=decomposition.network.spikes_origin,
    )


def critical_cycle(bound: BindingAwareGraph) -> tuple[Fraction | None, tuple[CycleStep, ...]]:
    """Return the period of a binding-aware graph and the cycle that causes it, in words."""
    marked = bound.graph
    try:
        period, cycle = bound.critical
    except DeadlockError as error:
        names = [bound.name_of(int(marked.source[e])) for e in error.cycle]
        raise DeadlockError(error.cycle, names) from None
    steps = tuple(
        CycleStep(
            bound.name_of(int(marked.source[e])),
            bound.name_of(int(marked.target[e])),
            int(marked.delay[e]),
            int(marked.tokens[e]),
            Reason(bound.reason[e]).word,
        )
        for e in cycle
    )
    return period, steps


def _ends(mapping: Mapping) -> tuple[IntArray, IntArray]:
    """Return the clusters that read an input, and those that hold a unit nobody reads."""
    network, cluster_of = mapping.decomposition.network, mapping.clustering.cluster_of
    source, cluster = axons(network, mapping.clustering)
    reading = np.unique(cluster[~network.is_unit[source]]).astype(np.int64)
    return reading, np.unique(cluster_of[network.fan_out[network.units] == 0])


def _spread(values: IntArray) -> Spread:
    return Spread(Fraction(int(values.sum()), len(values)), Fraction(int(values.max())))
