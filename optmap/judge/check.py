"""Does a mapping fit its network and platform? Every violation is listed, not only the first.

A mapping that passes can be executed: every unit sits on one crossbar that is large enough, slots
and buffers suffice, every tile has an order of exactly its clusters, and no cycle is token-free.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from optmap.errors import CapacityError, DeadlockError
from optmap.judge.binding_aware_graph import BindingAwareGraph, lower, remote_channels
from optmap.model.buffers import is_remote, space_of
from optmap.model.capacity import (
    AXONS_OUT,
    FAN_OUT,
    have,
    on_tiles,
    overfull,
    stated,
    tile_memory,
    too_wide,
)
from optmap.model.cluster_graph import ClusterGraph, cluster_graph
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.decomposition import Decomposition
from optmap.model.decomposition import violations as decomposition_violations
from optmap.model.mapping import Binding, Buffers, Mapping, StaticOrders
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IntArray


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: its kind, and a sentence with the numbers."""

    kind: str
    message: str

    def __str__(self) -> str:
        """Return "kind: message"."""
        return f"{self.kind}: {self.message}"


def check(snn: SNN, platform: Platform, mapping: Mapping, tokens: str) -> list[Violation]:
    """Return every rule that ``mapping`` breaks; an empty list means it can be executed.

    Parameters
    ----------
    snn : SNN
        The original network.
    tokens : str
        Token mode, ``dataflow`` or ``pipelined``.
    """
    graph = cluster_graph(mapping.decomposition, mapping.clustering, platform, tokens)
    return [
        *unit_violations(snn, mapping.decomposition, platform),
        *input_violations(snn, platform),
        *check_graph(graph, platform, mapping.binding, mapping.orders, mapping.buffers),
    ]


def unit_violations(snn: SNN, decomposition: Decomposition, platform: Platform) -> list[Violation]:
    """Return what keeps the units from computing the network's sums, or being one each."""
    found = [Violation("decomposition", t) for t in decomposition_violations(snn, decomposition)]
    wide = "" if isinstance(snn, ClusteredSNN) else too_wide(decomposition.network, platform)
    return [*found, Violation("fan_in", wide)] if wide else found


def input_violations(snn: SNN, platform: Platform) -> list[Violation]:
    """Return the inputs that sit on no core although the platform wants them to."""
    outside = np.flatnonzero(~snn.is_unit & (snn.fan_out > 0))
    if not platform.inputs_on_cores or not len(outside):
        return []
    text = f"{len(outside)} inputs, the first is neuron {outside[0]}, sit on no core"
    return [Violation("inputs", f"{text}; make them units: SNN.with_inputs_on_cores()")]


def check_graph(
    graph: ClusterGraph,
    platform: Platform,
    binding: Binding,
    orders: StaticOrders,
    buffers: Buffers | None = None,
) -> list[Violation]:
    """Return every rule that a binding with orders breaks for a clustered network."""

    def bound() -> BindingAwareGraph:
        return lower(graph, platform, binding, orders, buffers)

    return graph_violations(graph, platform, binding, orders, bound, buffers)


def graph_violations(
    graph: ClusterGraph,
    platform: Platform,
    binding: Binding,
    orders: StaticOrders,
    bound: Callable[[], BindingAwareGraph],
    buffers: Buffers | None = None,
) -> list[Violation]:
    """Return the same; ``bound`` gives the binding-aware graph, asked for only if it exists."""
    tile_of = binding.tile_of
    wild = np.flatnonzero(tile_of >= platform.num_tiles)
    if len(wild):
        return [
            Violation(
                "tile", f"cluster {k} on tile {tile_of[k]}, tiles are 0..{platform.num_tiles - 1}"
            )
            for k in wild
        ]
    found = _crossbars(graph, platform, binding) + _slots(platform, binding)
    for limit, t, programs, need, there in overfull(tile_memory(graph.needs, platform), tile_of):
        what = f"tile {t} needs {need} {limit.unit} for its {programs} resident programs"
        found.append(Violation(limit.field, f"{what}, has {there}"))
    try:
        found += buffer_violations(graph, platform, binding, buffers)
    except ValueError as error:
        return [*found, Violation("buffers", str(error))]
    broken = _orders(binding, orders, platform.num_tiles) + _sends(graph, binding, orders)
    found += broken
    if not broken:
        found += _executes(bound)
    return found


def _crossbars(graph: ClusterGraph, platform: Platform, binding: Binding) -> list[Violation]:
    """Return what the crossbars cannot hold: rows, columns, and whatever else the tiles limit."""
    tile_of, found = binding.tile_of, []
    in_use = np.isin(tile_of, platform.in_use)
    for k in np.flatnonzero(~in_use):
        where = f"cluster {k} on tile {tile_of[k]}, which is out of use"
        found.append(Violation("tile", where))
    needs: list[tuple[str, str, IntArray, IntArray]] = [
        ("rows", "rows", graph.rows, np.array(platform.rows_of)),
        ("columns", "columns", graph.columns, np.array(platform.columns_of)),
    ]
    if len(graph.needs):
        for limit, need, offered in zip(stated(platform), graph.needs, have(platform), strict=True):
            needs.append((limit.field, limit.unit, need, offered))
    for limit, need in ((AXONS_OUT, graph.axons_out), (FAN_OUT, graph.fan_out)):
        needs.append((limit.field, limit.unit, need, on_tiles(platform, limit)))
    for kind, unit, need, offered in needs:
        for k in np.flatnonzero(in_use & (need > offered[tile_of])):
            t = tile_of[k]
            found.append(
                Violation(kind, f"cluster {k} needs {need[k]} {unit}, tile {t} has {offered[t]}")
            )
    return found


def _slots(platform: Platform, binding: Binding) -> list[Violation]:
    held = np.bincount(binding.tile_of, minlength=platform.num_tiles)
    return [
        Violation("slots", f"tile {t} holds {held[t]} clusters, it has {tile.slots} slots")
        for t, tile in enumerate(platform.tiles)
        if tile.slots is not None and held[t] > tile.slots and tile.in_use
    ]


def buffer_violations(
    graph: ClusterGraph, platform: Platform, binding: Binding, buffers: Buffers | None = None
) -> list[Violation]:
    """Return the tile buffers that overflow, with the channel that makes each overflow.

    Raises
    ------
    ValueError
        If ``buffers`` are capacities of other channels.
    """
    found = []
    space, remote = space_of(graph, platform, binding, buffers), is_remote(graph, binding)
    sides = (
        ("input_buffer", binding.tile_of[graph.target], np.ones_like(remote), space.input),
        ("output_buffer", binding.tile_of[graph.source], remote, space.output),
    )
    for name, tile_of_channel, counted, need in sides:
        for t, tile in enumerate(platform.tiles):
            have = getattr(tile, name)
            if have is None:
                continue
            channels = np.flatnonzero(counted & (tile_of_channel == t))
            total = np.cumsum(need[channels])
            if len(total) and total[-1] > have:
                e = channels[int(np.searchsorted(total, have, side="right"))]
                channel = f"{graph.source[e]} -> {graph.target[e]} with {need[e]} tokens"
                words = name.replace("_", " ")
                message = f"tile {t} needs {total[-1]} tokens of {words}, has {have}"
                found.append(Violation(name, f"{message}; channel {channel} exceeds it"))
    return found


def _orders(binding: Binding, orders: StaticOrders, num_tiles: int) -> list[Violation]:
    if len(orders.clusters) != num_tiles:
        return [Violation("order", f"{len(orders.clusters)} orders for {num_tiles} tiles")]
    found = []
    for t, order in enumerate(orders.clusters):
        held = set(np.flatnonzero(binding.tile_of == t).tolist())
        found += _differences("order", f"tile {t}", "cluster", sorted(held), order)
    return found


def _sends(graph: ClusterGraph, binding: Binding, orders: StaticOrders) -> list[Violation]:
    if orders.sends is None:
        return []
    expected: list[list[tuple[int, int]]] = [[] for _ in orders.sends]
    for e in remote_channels(graph, binding):
        t = int(binding.tile_of[graph.source[e]])
        if t < len(expected):
            expected[t].append((int(graph.source[e]), int(graph.target[e])))
    found = []
    for t, order in enumerate(orders.sends):
        found += _differences("send_order", f"tile {t}", "channel", expected[t], order)
    return found


def _differences(
    kind: str, where: str, what: str, expected: Sequence[object], given: Sequence[object]
) -> list[Violation]:
    here, there = set(expected), set(given)
    missing = [x for x in expected if x not in there]
    extra = [x for x in given if x not in here]
    return [Violation(kind, f"{where}'s order lacks {what} {x}") for x in missing] + [
        Violation(kind, f"{where}'s order names {what} {x}, which is not there") for x in extra
    ]


def _executes(make: Callable[[], BindingAwareGraph]) -> list[Violation]:
    try:
        bound = make()
    except CapacityError as error:
        return [Violation("buffer_windows", str(error))]
    try:
        _ = bound.critical
    except DeadlockError as error:
        names = [bound.name_of(int(bound.graph.source[e])) for e in error.cycle]
        return [Violation("deadlock", str(DeadlockError(error.cycle, names)))]
    return []
