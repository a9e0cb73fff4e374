"""What a mapping costs besides time: crossbars, traffic, hops, link load, energy, area.

All values are exact (int or Fraction). Definitions, where the model leaves room:

- *external spikes*: spikes[i] for every neuron i and every cluster other than its own that reads it
  (multicast: once per reading cluster); *input deliveries*: the same for inputs; *traffic*: both.
- *spike hops*: spikes on each channel times the hops between its tiles.
- *energy*: spike (every unit's spikes), synapse (spikes times synapses times
  cells_per_synapse), route (spike hops), local (spikes delivered to a cluster on the tile that
  fired them, its own included); with prices of components (:mod:`optmap.model.components`) also
  reads of crossbars and leakage.
- *link load*: tokens over the busiest link of the XY routes per iteration, divided by what that
  link carries in one period at ni_tokens_per_tick; above 1 its time-division reservation is
  exceeded.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from optmap.compiled import compiled
from optmap.errors import CapacityError
from optmap.judge.binding_aware_graph import BindingAwareGraph, firing_times, remote_channels
from optmap.model.buffers import space_of
from optmap.model.cluster_graph import ClusterGraph, axons, cluster_of_source
from optmap.model.components import COMPONENTS, ComponentCost, built, read_price, tile_area
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Binding, Buffers, Clustering, Mapping
from optmap.model.platform import Platform
from optmap.model.snn import IntArray


@dataclass(frozen=True, slots=True)
class Traffic:
    """Spikes that enter clusters from outside, in its two parts."""

    external_spikes: int
    input_deliveries: int

    @property
    def total(self) -> int:
        """External spikes plus input deliveries."""
        return self.external_spikes + self.input_deliveries


def traffic(decomposition: Decomposition, clustering: Clustering) -> Traffic:
    """Return the traffic of a clustering; it depends on no tile."""
    network = decomposition.network
    source, cluster = axons(network, clustering)
    producer = cluster_of_source(network, clustering)[source]
    outside = producer == clustering.num_clusters
    spikes = network.spikes[source]
    return Traffic(int(spikes[(producer != cluster) & ~outside].sum()), int(spikes[outside].sum()))


def spike_hops(graph: ClusterGraph, platform: Platform, binding: Binding) -> int:
    """Return the spikes of every channel times the hops between its tiles, summed."""
    tile = binding.tile_of
    return int((graph.spikes * platform.hops_between(tile[graph.source], tile[graph.target])).sum())


@dataclass(frozen=True, slots=True)
class EnergySplit:
    """Picojoules per iteration, by cause."""

    spike_pj: Fraction
    synapse_pj: Fraction
    route_pj: Fraction
    local_pj: Fraction
    read_pj: Fraction = Fraction(0)
    leakage_pj: Fraction = Fraction(0)

    @property
    def total_pj(self) -> Fraction:
        """Sum of all."""
        fired = self.spike_pj + self.synapse_pj + self.route_pj + self.local_pj
        return fired + self.read_pj + self.leakage_pj


def computing_energy(decomposition: Decomposition, platform: Platform) -> tuple[Fraction, Fraction]:
    """Return the spike and the synapse energy: what every mapping of the decomposition pays."""
    network, price = decomposition.network, platform.energy
    fired = int(network.spikes[network.units].sum())
    events = int((network.spikes * network.fan_out).sum()) * platform.cells_per_synapse
    return price.spike_pj * fired, price.synapse_pj * events


def energy(
    mapping: Mapping, graph: ClusterGraph, platform: Platform, period: Fraction | None = None
) -> EnergySplit:
    """Return the energy of one iteration; ``period`` in ticks is what leakage lasts."""
    network, tile = mapping.decomposition.network, mapping.binding.tile_of
    spike_pj, synapse_pj = computing_energy(mapping.decomposition, platform)
    same_tile = tile[graph.source] == tile[graph.target]
    source, cluster = axons(network, mapping.clustering)
    own = cluster_of_source(network, mapping.clustering)[source] == cluster
    delivered = int(graph.spikes[same_tile].sum()) + int(network.spikes[source[own]].sum())
    reads = (cost.read_pj for cost in component_costs(graph, platform, mapping.binding))
    return EnergySplit(
        spike_pj,
        synapse_pj,
        platform.energy.route_pj * spike_hops(graph, platform, mapping.binding),
        platform.energy.local_pj * delivered,
        sum(reads, Fraction(0)),
        leakage_pj(platform, mapping.binding, period),
    )


def leakage_pj(platform: Platform, binding: Binding, period: Fraction | None) -> Fraction:
    """Return what the tiles in use leak in one period: mW times ns are pJ."""
    used = len(np.unique(binding.tile_of))
    return platform.energy.leakage_mw * used * (period or Fraction(0)) * platform.tick_ns


def component_costs(
    graph: ClusterGraph, platform: Platform, binding: Binding
) -> tuple[ComponentCost, ...]:
    """Return area and energy of every component that has a price, in the order of the list.

    Reads of a crossbar: the ticks of its clusters, without switch_ticks, divided by read_ticks.
    """
    costs, tile_of = [], binding.tile_of
    busy = np.zeros(platform.num_tiles, dtype=np.int64)
    np.add.at(busy, tile_of, graph.tau)
    used = np.unique(tile_of).tolist()
    read_ticks = platform.energy.read_ticks
    for component in COMPONENTS:
        price, per_read = getattr(platform.area, f"{component.key}_um2"), Fraction(0)
        built_here = sum(built(component, platform.tiles[t], platform) for t in used)
        area = price * (1 if component.area_of == "chip" and used else built_here)
        for t in used if read_ticks else ():
            one = read_price(component, platform.tiles[t], platform)
            per_read += one * int(busy[t]) / read_ticks
        if area or per_read:
            costs.append(ComponentCost(component.key, area, per_read))
    return tuple(costs)


def area_um2(platform: Platform, binding: Binding) -> Fraction:
    """Return the area of the tiles that hold a cluster, and of what the chip has once."""
    used = np.unique(binding.tile_of).tolist()
    once = platform.area.memory_um2 if used else Fraction(0)
    return sum((tile_area(platform, platform.tiles[t]) for t in used), once)


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and extreme of a quantity over clusters or tiles."""

    mean: Fraction
    extreme: Fraction


def utilisation(mapping: Mapping, graph: ClusterGraph, platform: Platform) -> dict[str, Spread]:
    """Return mean and minimum use of rows, columns and cells over the clusters."""
    rows = np.array(platform.rows_of)[mapping.binding.tile_of]
    columns = np.array(platform.columns_of)[mapping.binding.tile_of]
    network = mapping.decomposition.network
    synapses = np.zeros(graph.num_clusters, dtype=np.int64)
    np.add.at(synapses, mapping.clustering.cluster_of, network.fan_in[network.units])
    return {
        "row": _ratios(graph.rows, rows),
        "column": _ratios(graph.columns, columns),
        "synapse": _ratios(synapses, rows * columns),
    }


def _ratios(used: IntArray, available: IntArray) -> Spread:
    pairs, times = np.unique(np.stack((used, available), axis=1), axis=0, return_counts=True)
    ratios = [Fraction(u, a) for u, a in pairs.tolist()]  # few differ among many clusters
    total = sum((r * n for r, n in zip(ratios, times.tolist(), strict=True)), Fraction(0))
    return Spread(total / len(used), min(ratios))


def loads(bound: BindingAwareGraph, platform: Platform, binding: Binding) -> tuple[IntArray, ...]:
    """Return per tile the ticks its crossbar and its network interface are busy per iteration."""
    graph, tile = bound.clusters, binding.tile_of
    k = graph.num_clusters
    crossbar = np.zeros(platform.num_tiles, dtype=np.int64)
    np.add.at(crossbar, tile, bound.time[:k])
    interface = np.zeros(platform.num_tiles, dtype=np.int64)
    np.add.at(interface, tile[graph.source[bound.send_channel]], bound.time[k:])
    return crossbar, interface


def max_tile_load(graph: ClusterGraph, binding: Binding, platform: Platform) -> int:
    """Return the ticks per iteration of the busiest tile: a period no order can undercut."""
    load = np.zeros(platform.num_tiles, dtype=np.int64)
    np.add.at(load, binding.tile_of, firing_times(graph, binding.tile_of, platform))
    return int(load.max())


def buffer_use(
    graph: ClusterGraph, platform: Platform, binding: Binding, buffers: Buffers | None = None
) -> Fraction | None:
    """Return the fullest tile buffer as a share of its size; None where none is limited."""
    space = space_of(graph, platform, binding, buffers)
    tile, worst = binding.tile_of, None
    filled = np.zeros((2, platform.num_tiles), dtype=np.int64)
    np.add.at(filled[0], tile[graph.target], space.input)
    np.add.at(filled[1], tile[graph.source], space.output)
    for t, of in enumerate(platform.tiles):
        for used, size in ((filled[0, t], of.input_buffer), (filled[1, t], of.output_buffer)):
            if size is not None:
                share = Fraction(int(used), size)
                worst = share if worst is None else max(worst, share)
    return worst


def link_tokens(graph: ClusterGraph, platform: Platform, binding: Binding) -> IntArray | None:
    """Return tokens per iteration over each directed link of the XY routes.

    None for a hop matrix, and where tiles or links are out of use, so that routes are not XY.
    Link (t, d) leaves tile t towards d = 0 east, 1 west, 2 north (y + 1), 3 south; shape (T, 4).
    """
    if not routes_are_xy(platform):
        return None
    remote = remote_channels(graph, binding)
    tile = binding.tile_of.astype(np.int64)
    start, end = tile[graph.source[remote]], tile[graph.target[remote]]
    return link_loads(platform, start, end, graph.rate[remote], np.arange(len(remote)))


def routes_are_xy(platform: Platform) -> bool:
    """Tell whether routes go along x first: no hop matrix, no tile or link out of use."""
    net = platform.interconnect
    return net.width is not None and not net.dead_tiles and not net.dead_links


def refuse_other_routes(platform: Platform) -> None:
    """Raise CapacityError where no mapping has multicast hops, since routes are not XY."""
    if not routes_are_xy(platform):
        net = platform.interconnect
        parts = f"{len(net.dead_tiles)} tiles and {len(net.dead_links)} links out of use"
        found = "a hop matrix" if net.width is None else parts
        raise CapacityError(
            f"platform {platform.name!r}: multicast hops need XY routes, of a mesh or torus with"
            f" all in use; found {found}"
        )


def link_loads(
    platform: Platform, start: IntArray, end: IntArray, tokens: IntArray, group: IntArray
) -> IntArray:
    """Return tokens over each link of the XY routes, shape (T, 4); see :func:`link_tokens`.

    Parameters
    ----------
    start, end : (n,) int arrays
        Tiles.
    tokens : (n,) int64 array
        Of each route.
    group : (n,) int array
        Routes of one group, which stand together, count once on a link that they share.
    """
    net = platform.interconnect
    assert net.width is not None
    assert net.height is not None
    result: IntArray = _route(start, end, tokens, group, net.width, net.height, net.kind == "torus")
    return result


@compiled
def _route(
    start: Any, end: Any, tokens: Any, group: Any, width: Any, height: Any, torus: Any
) -> Any:
    """Walk every XY route, first along x, then along y; a torus takes the shorter way round."""
    load = np.zeros((width * height, 4), dtype=np.int64)
    last = np.full((width * height, 4), -1, dtype=np.int64)  # group that crossed a link
    for i in range(len(start)):
        x, y = start[i] % width, start[i] // width
        for axis in range(2):
            size = width if axis == 0 else height
            here = x if axis == 0 else y
            there = end[i] % width if axis == 0 else end[i] // width
            forward = there > here
            steps = abs(there - here)
            if torus and 2 * steps > size:
                forward, steps = not forward, size - steps
            for _ in range(steps):
                here_tile, way = y * width + x, 2 * axis + (0 if forward else 1)
                if last[here_tile, way] != group[i]:
                    load[here_tile, way] += tokens[i]
                    last[here_tile, way] = group[i]
                if axis == 0:
                    x = (x + (1 if forward else -1)) % width
                else:
                    y = (y + (1 if forward else -1)) % height
    return load
