"""From a mapping to the binding-aware graph: the rule book that judges every method alike.

After docs/model.md and [St07]_. Every edge carries (delay, tokens, reason): firing n of its
target starts no earlier than ``delay`` after the start of firing n - ``tokens`` of its source.

- ``self``: an actor never overlaps itself (delay its time, one token).
- A platform or a mapping may state capacities in tokens (:mod:`optmap.model.buffers`); iterations
  that fit into them then stand in place of buffer_windows below.
- Channel (a, b) on one tile: ``data`` a -> b (delay tau_a, its initial iterations i); credit
  ``buffer`` b -> a (delay tau_b, buffer_windows - i).
- Channel (a, b) from tile u to v: a send actor s on u's network interface, time
  ceil(r_ab / ni_tokens_per_tick); ``data`` a -> s (tau_a, 0) and s -> b (send time + hops *
  hop_ticks, i); credits s -> a (send time, buffer_windows) and b -> s (tau_b, buffer_windows - i).
- ``order``: x -> y for neighbours in a tile's static order (tau_x, o_y - o_x), and last -> first
  (tau_last, 1 + o_first - o_last); ``send_order`` likewise on each network interface. Offsets o are
  the prologue, 0 without one; a single edge may then hold negative tokens, a cycle may not.

The same edges stand twice more, each as a second computation that must agree with this one: as
columns that a search changes (:mod:`optmap.binding.kernels.period_search`), and as rows (S1) over
variables (:mod:`formulations.joint.cpsat_model`, :mod:`formulations.whole.cpsat_model`). Tests
compare the periods; what a search or a solver claims is judged here.

References
----------
.. [St07] Stuijk, "Predictable Mapping of Streaming Applications on Multiprocessors", TU Eindhoven,
   2007, chapters 6 and 8 (binding-aware SDFG, static-order schedules).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt

from optmap.errors import CapacityError
from optmap.model.buffers import is_remote, iterations_held, space_of
from optmap.model.cluster_graph import MAX_TICKS, ClusterGraph
from optmap.model.mapping import Binding, Buffers, Channel, StaticOrders
from optmap.model.platform import Platform
from optmap.model.snn import IndexArray, IntArray
from optmap.sdf.cycle_ratio import maximum_cycle_ratio
from optmap.sdf.marked_graph import MarkedGraph


class Reason(IntEnum):
    """Why an edge of the binding-aware graph is there."""

    SELF = 0
    DATA = 1
    BUFFER = 2
    ORDER = 3
    SEND_ORDER = 4

    @property
    def word(self) -> str:
        """The reason as reports print it."""
        return self.name.lower()


@dataclass(frozen=True, eq=False)
class BindingAwareGraph:
    """The marked graph of a mapping; actors 0..K-1 are clusters, K.. are sends.

    Parameters
    ----------
    graph : MarkedGraph
        Edges with delays in ticks and tokens in iterations.
    reason : (m,) uint8 array
        :class:`Reason` of each edge.
    time : (K + S,) int64 array
        Execution time of each actor: tau with switch_ticks, then the send times.
    send_channel : (S,) int32 array
        Channel of the cluster graph that each send actor serves.
    clusters : ClusterGraph
        The graph that was bound.
    """

    graph: MarkedGraph
    reason: npt.NDArray[np.uint8]
    time: IntArray
    send_channel: IndexArray
    clusters: ClusterGraph

    @property
    def num_sends(self) -> int:
        """Number of send actors S."""
        return len(self.send_channel)

    @cached_property
    def critical(self) -> tuple[Fraction | None, list[int]]:
        """The period, and the edges of a cycle that causes it (:func:`maximum_cycle_ratio`)."""
        return maximum_cycle_ratio(self.graph)

    def name_of(self, actor: int) -> str:
        """Return "cluster 3", or "send 3 -> 5"."""
        k = self.clusters.num_clusters
        if actor < k:
            return f"cluster {actor}"
        channel = self.send_channel[actor - k]
        return f"send {self.clusters.source[channel]} -> {self.clusters.target[channel]}"


def firing_times(
    graph: ClusterGraph, tile_of: IntArray | IndexArray, platform: Platform
) -> IntArray:
    """Return tau of every cluster, switch_ticks included where its tile holds several."""
    sharing = np.bincount(tile_of, minlength=platform.num_tiles)[tile_of] > 1
    times: IntArray = graph.tau + platform.switch_ticks * sharing
    return times


def remote_channels(graph: ClusterGraph, binding: Binding) -> IntArray:
    """Return the indices of the channels whose ends stand on different tiles, ascending."""
    return np.flatnonzero(is_remote(graph, binding))


def derived_sends(
    graph: ClusterGraph, binding: Binding, orders: StaticOrders
) -> tuple[tuple[Channel, ...], ...]:
    """Return the default send orders: by the producers' place, then the consumer's index."""
    remote = remote_channels(graph, binding)
    a, b = graph.source[remote], graph.target[remote]
    return tuple(
        tuple(zip(a[sent].tolist(), b[sent].tolist(), strict=True))
        for sent in _derived(graph, remote, binding, orders)
    )


def _derived(
    graph: ClusterGraph, remote: IntArray, binding: Binding, orders: StaticOrders
) -> list[IntArray]:
    """Return per tile which of the ``remote`` channels it sends, in the default order."""
    place = np.zeros(graph.num_clusters, dtype=np.int64)
    for order in orders.clusters:
        place[list(order)] = np.arange(len(order))
    a, b = graph.source[remote], graph.target[remote]
    tile = binding.tile_of[a]
    sorted_sends = np.lexsort((b, place[a], tile))
    per_tile = np.bincount(tile, minlength=len(orders.clusters))
    return np.split(sorted_sends, np.cumsum(per_tile)[:-1])


def refuse_short_buffers(graph: ClusterGraph, platform: Platform) -> None:
    """Raise CapacityError if a channel cannot hold its own initial tokens and one window."""
    if not graph.num_channels:
        return
    if platform.buffer_tokens is not None:
        _refuse_few_tokens(graph, platform.buffer_tokens)
        return
    worst = int(graph.initial.argmax())
    need = 1 + int(graph.initial[worst])
    if platform.buffer_windows < need:
        raise CapacityError(
            f"buffer_windows {platform.buffer_windows} on channel {graph.source[worst]} ->"
            f" {graph.target[worst]} with {need - 1} initial iterations deadlocks; needs {need}"
        )


def _refuse_few_tokens(graph: ClusterGraph, have: int) -> None:
    needs = (1 + graph.initial) * graph.rate
    worst = int(needs.argmax())
    if needs[worst] > have:
        raise CapacityError(
            f"buffer_tokens {have} on channel {graph.source[worst]} -> {graph.target[worst]}: needs"
            f" {needs[worst]}, {graph.rate[worst]} an iteration, with {graph.initial[worst]}"
            " iterations at the start"
        )


def lower(
    graph: ClusterGraph,
    platform: Platform,
    binding: Binding,
    orders: StaticOrders,
    buffers: Buffers | None = None,
) -> BindingAwareGraph:
    """Return the binding-aware graph of a mapping.

    Parameters
    ----------
    graph : ClusterGraph
        Actors and channels.
    binding, orders
        Each cluster's tile, and for every tile an order of exactly its clusters (and, where given,
        of exactly the channels it sends); :func:`optmap.judge.check.check` lists violations.
    buffers : Buffers, optional
        Capacities of its channels in tokens; None: what the platform gives each.

    Raises
    ------
    CapacityError
        If the platform gives some channel less than 1 + its initial iterations, or the mapping less
        than one iteration or the initial ones.
    ValueError
        If the orders do not cover the binding, or the capacities not the channels.
    """
    _refuse_wrong_orders(binding, orders)
    held_out, held_in = _iterations(graph, platform, binding, buffers)
    k, tile = graph.num_clusters, binding.tile_of
    tau = firing_times(graph, tile, platform)
    remote = remote_channels(graph, binding)
    send_ticks = _send_ticks(graph.rate[remote], platform)
    time = np.concatenate((tau, send_ticks))
    edges = _Edges()

    actors = np.arange(len(time))
    edges.add(actors, actors, time, np.ones_like(actors), Reason.SELF)

    local = np.flatnonzero(tile[graph.source] == tile[graph.target])
    a, b, initial = graph.source[local], graph.target[local], graph.initial[local]
    edges.add(a, b, tau[a], initial, Reason.DATA)
    edges.add(b, a, tau[b], held_in[local] - initial, Reason.BUFFER)

    a, b, initial = graph.source[remote], graph.target[remote], graph.initial[remote]
    s = k + np.arange(len(remote))
    latency = platform.latency_between(tile[a], tile[b])
    edges.add(a, s, tau[a], np.zeros_like(s), Reason.DATA)
    edges.add(s, b, send_ticks + latency, initial, Reason.DATA)
    edges.add(s, a, send_ticks, held_out[remote], Reason.BUFFER)
    edges.add(b, s, tau[b], held_in[remote] - initial, Reason.BUFFER)

    _add_orders(edges, orders.clusters, orders.offsets, time, Reason.ORDER)
    send_actors: Sequence[Sequence[int] | IntArray]
    if orders.sends is None:
        send_actors = [k + sent for sent in _derived(graph, remote, binding, orders)]
    else:
        send_of = dict(zip(zip(a.tolist(), b.tolist(), strict=True), s.tolist(), strict=True))
        send_actors = _actors_of(orders.sends, send_of)
        _refuse_wrong_sends(orders.sends, binding, len(remote))
    _add_orders(edges, send_actors, orders.send_offsets, time, Reason.SEND_ORDER)
    marked, reason = edges.build(len(time))
    return BindingAwareGraph(marked, reason, time, remote.astype(np.int32), graph)


def _actors_of(
    sends: Sequence[Sequence[Channel]], send_of: Mapping[Channel, int]
) -> list[list[int]]:
    """Return the send actors of send orders; ValueError for a channel that is not sent."""
    try:
        return [[send_of[channel] for channel in order] for order in sends]
    except KeyError as error:
        raise ValueError(f"send order names channel {error.args[0]}, which is not sent") from None


def _iterations(
    graph: ClusterGraph, platform: Platform, binding: Binding, buffers: Buffers | None
) -> tuple[IntArray, IntArray]:
    """Return how many iterations of tokens each channel's output and input space hold."""
    if buffers is None:
        refuse_short_buffers(graph, platform)
        held = iterations_held(graph, platform)
        return held, held
    space = space_of(graph, platform, binding, buffers)
    remote = is_remote(graph, binding)
    least = np.maximum(1, graph.initial) * graph.rate
    for words, have, need in (
        ("input", space.input, least),
        ("output", space.output, np.where(remote, graph.rate, 0)),
    ):
        short = np.flatnonzero(have < need)
        if len(short):
            e = int(short[0])
            raise CapacityError(
                f"channel {graph.source[e]} -> {graph.target[e]} has {have[e]} tokens of {words}"
                f" space, needs {need[e]}: {graph.rate[e]} tokens an iteration,"
                f" {graph.initial[e]} iterations at the start"
            )
    return space.output // graph.rate, space.input // graph.rate


def _send_ticks(tokens: IntArray, platform: Platform) -> IntArray:
    """Return ceil(tokens / ni_tokens_per_tick) for every send, in exact integers."""
    amounts, which, counts = np.unique(tokens, return_inverse=True, return_counts=True)
    ticks = [platform.send_ticks(t) for t in amounts.tolist()]
    total = sum(t * count for t, count in zip(ticks, counts.tolist(), strict=True))
    if total > MAX_TICKS:
        raise ValueError(f"one iteration sends for {total} ticks, above {MAX_TICKS}")
    return np.array(ticks, dtype=np.int64)[which]


def _refuse_wrong_orders(binding: Binding, orders: StaticOrders) -> None:
    """Refuse orders that are no order of exactly each tile's clusters (a cluster is named once)."""
    tile_of = binding.tile_of.tolist()
    ordered = sum(map(len, orders.clusters))
    if ordered != len(tile_of):
        raise ValueError(f"static orders hold {ordered} clusters, the mapping has {len(tile_of)}")
    for t, order in enumerate(orders.clusters):
        for k in order:
            if k >= len(tile_of) or tile_of[k] != t:
                raise ValueError(f"the order of tile {t} names cluster {k}, which is not there")


def _refuse_wrong_sends(
    sends: Sequence[Sequence[Channel]], binding: Binding, num_sends: int
) -> None:
    """Refuse send orders that are no order of exactly the channels each tile sends."""
    sent = sum(map(len, sends))
    if sent != num_sends:
        raise ValueError(f"send orders hold {sent} channels, the mapping sends {num_sends}")
    for t, order in enumerate(sends):
        for a, b in order:
            if binding.tile_of[a] != t:
                raise ValueError(f"the send order of tile {t} names channel {(a, b)} of another")


def _add_orders(
    edges: _Edges,
    orders: Sequence[Sequence[int] | IntArray],
    offsets: Sequence[Sequence[int]] | None,
    time: IntArray,
    reason: Reason,
) -> None:
    """Add the cycle of every order; an order of one entry is its actor's self-loop already."""
    for i, order in enumerate(orders):
        if len(order) < 2:
            continue
        x = np.array(order, dtype=np.int64)
        o = np.zeros(len(x), dtype=np.int64) if offsets is None else np.array(offsets[i])
        tokens = np.roll(o, -1) - o
        tokens[-1] += 1
        edges.add(x, np.roll(x, -1), time[x], tokens, reason)


class _Edges:
    """Edges of the graph under construction, as columns."""

    def __init__(self) -> None:
        self.columns: tuple[list[IntArray], ...] = ([], [], [], [])
        self.reasons: list[npt.NDArray[np.uint8]] = []

    def add(
        self,
        source: IntArray | IndexArray,
        target: IntArray | IndexArray,
        delay: IntArray,
        tokens: IntArray,
        reason: Reason,
    ) -> None:
        for column, values in zip(self.columns, (source, target, delay, tokens), strict=True):
            column.append(np.asarray(values, dtype=np.int64))
        self.reasons.append(np.full(len(source), reason, dtype=np.uint8))

    def build(self, num_actors: int) -> tuple[MarkedGraph, npt.NDArray[np.uint8]]:
        source, target, delay, tokens = (np.concatenate(column) for column in self.columns)
        graph = MarkedGraph(
            num_actors, source.astype(np.int32), target.astype(np.int32), delay, tokens
        )
        return graph, np.concatenate(self.reasons)
