"""Sets and parameters of the order formulations (README.md, S), shared by all back-ends.

Sets         I tasks: clusters 0..K-1 on their tile's crossbar, then sends on its network interface;
             resources, each a set of tasks that exclude each other
Parameters   time_a ticks; edges (a, b, delay, tokens) of (S1): exactly the evaluator's edges
             (:mod:`optmap.judge.binding_aware_graph`) except those of the orders
Period       lambda; a start s_a of iteration 0 repeats every lambda ticks
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import numpy as np

from optmap.errors import DeadlockError
from optmap.judge.binding_aware_graph import BindingAwareGraph, Reason, lower
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding, StaticOrders
from optmap.model.platform import Platform
from optmap.sdf.cycle_ratio import earliest_schedule, maximum_cycle_ratio
from optmap.sdf.marked_graph import MarkedGraph


class Edge(NamedTuple):
    """Firing n of ``target`` starts ``delay`` ticks after firing n - tokens of ``source``."""

    source: int
    target: int
    delay: int
    tokens: int


@dataclass(frozen=True)
class OrderSets:
    """One order problem: a clustered network bound to tiles, ready to loop over.

    Raises
    ------
    CapacityError
        From the evaluator, if a buffer cannot hold a channel's initial tokens and one window.
    """

    graph: ClusterGraph
    platform: Platform
    binding: Binding

    @cached_property
    def unordered(self) -> BindingAwareGraph:
        """The evaluator's graph under some order, used for all that does not depend on it."""
        tile = self.binding.tile_of
        lists = [np.flatnonzero(tile == t).tolist() for t in range(self.platform.num_tiles)]
        orders = StaticOrders(tuple(map(tuple, lists)))
        return lower(self.graph, self.platform, self.binding, orders)

    @property
    def tasks(self) -> range:
        """I."""
        return range(len(self.unordered.time))

    @cached_property
    def time(self) -> list[int]:
        """Execution time of every task, switch_ticks included."""
        return [int(t) for t in self.unordered.time]

    @cached_property
    def edges(self) -> list[Edge]:
        """The edges of (S1); self-loops are left out, lambda >= time_a stands in ``floor``."""
        g, reason = self.unordered.graph, self.unordered.reason
        kept = (reason == Reason.DATA) | (reason == Reason.BUFFER)
        columns = (c[kept].tolist() for c in (g.source, g.target, g.delay, g.tokens))
        return [Edge(*row) for row in zip(*columns, strict=True)]

    @cached_property
    def crossbars(self) -> list[list[int]]:
        """Per tile, its clusters, ascending."""
        tile = self.binding.tile_of
        return [np.flatnonzero(tile == t).tolist() for t in range(self.platform.num_tiles)]

    @cached_property
    def channel_of(self) -> dict[int, tuple[int, int]]:
        """The channel (producer, consumer) of every send task."""
        k, graph = self.graph.num_clusters, self.graph
        return {
            k + i: (int(graph.source[e]), int(graph.target[e]))
            for i, e in enumerate(self.unordered.send_channel)
        }

    @cached_property
    def interfaces(self) -> list[list[int]]:
        """Per tile, the sends of its network interface, by (producer, consumer)."""
        sends: list[list[int]] = [[] for _ in range(self.platform.num_tiles)]
        for s, (a, _) in self.channel_of.items():
            sends[int(self.binding.tile_of[a])].append(s)
        return sends

    @property
    def resources(self) -> list[list[int]]:
        """The resources on which an order is to be decided: those with two tasks at least."""
        return [group for group in (*self.crossbars, *self.interfaces) if len(group) > 1]

    @cached_property
    def without_orders(self) -> MarkedGraph:
        """The evaluator's graph with self-loops, data and buffer edges, and no order."""
        g, kept = self.unordered.graph, self.unordered.reason <= Reason.BUFFER
        return MarkedGraph(
            g.num_actors, g.source[kept], g.target[kept], g.delay[kept], g.tokens[kept]
        )

    @cached_property
    def floor(self) -> Fraction:
        """No order has a smaller period, with or without prologue: loads, and cycles of (S1)."""
        ratio, _ = maximum_cycle_ratio(self.without_orders)
        loads = [sum(self.time[a] for a in group) for group in self.resources]
        return max([ratio or Fraction(0), *map(Fraction, loads)])

    @cached_property
    def most_ticks(self) -> int:
        """The most ticks on a simple cycle under any order: each task left by its longest edge.

        With non-negative tokens no period exceeds it, since a cycle without deadlock holds a token.
        """
        longest = list(self.time)
        for a, _, delay, _ in self.edges:
            longest[a] = max(longest[a], delay)
        return sum(longest)

    def most_tokens_from(self, low: Fraction) -> int:
        """Return Q: no period that is at least ``low`` has a larger denominator.

        The period is D / N of a simple cycle and at least ``low``, so N <= most_ticks / low.
        """
        return max(1, int(self.most_ticks / low)) if low else 1

    def period_of(self, orders: StaticOrders) -> Fraction | None:
        """Return the evaluator's period of ``orders``; None if they deadlock."""
        try:
            return maximum_cycle_ratio(self.graph_under(orders))[0] or Fraction(0)
        except DeadlockError:
            return None

    def graph_under(self, orders: StaticOrders) -> MarkedGraph:
        """Return the evaluator's graph under ``orders``."""
        return lower(self.graph, self.platform, self.binding, orders).graph

    def earliest_orders(self, free_sends: bool) -> StaticOrders:
        """Return a valid start: tasks by their earliest start without orders.

        Every token-free edge makes its target start later, so lists by start cannot deadlock.
        """
        starts = earliest_schedule(self.without_orders, self.floor).tolist()
        return self.orders_by(starts, None, free_sends)

    def orders_by(
        self, rank: Sequence[float], wrap: Sequence[int] | None, free_sends: bool
    ) -> StaticOrders:
        """Return the orders that sort every resource by ``rank`` (a start, in any unit).

        With ``wrap``, task a starts ``wrap[a]`` periods after the round that ``rank`` places it in:
        it lags, and the offset of an entry is the largest wrap of its resource minus its own.
        """
        crossbars = [sorted(g, key=lambda a: (rank[a], a)) for g in self.crossbars]
        interfaces = [sorted(g, key=lambda a: (rank[a], a)) for g in self.interfaces]
        sends = tuple(tuple(self.channel_of[s] for s in group) for group in interfaces)
        return StaticOrders(
            tuple(map(tuple, crossbars)),
            None if wrap is None else tuple(_offsets(group, wrap) for group in crossbars),
            sends if free_sends else None,
            None if wrap is None else tuple(_offsets(group, wrap) for group in interfaces),
        )

    def orders_of_rounds(self, starts: Sequence[int], period: int) -> StaticOrders:
        """Return the orders of a schedule with prologue: start = period * wrap + place."""
        return self.orders_by([s % period for s in starts], [s // period for s in starts], True)


def _offsets(group: list[int], wrap: Sequence[int]) -> tuple[int, ...]:
    latest = max((wrap[a] for a in group), default=0)
    return tuple(latest - wrap[a] for a in group)


def best_start(
    sets: OrderSets, prologue: bool, free_sends: bool, warm: StaticOrders | None
) -> tuple[StaticOrders, Fraction]:
    """Return the better of ``warm``, where it may be used, and the order of earliest starts.

    Raises
    ------
    ValueError
        ``prologue`` without ``free_sends``: with a prologue, rotating an order changes nothing but
        the default send order, so that this class of schedules chooses its sends.
    """
    if prologue and not free_sends:
        raise ValueError("orders with a prologue choose their sends: free_sends must be True")
    best = sets.earliest_orders(free_sends)
    value = sets.period_of(best)
    if value is None:
        raise AssertionError("an order by earliest starts deadlocked")
    usable = warm is not None and (prologue or not warm.has_prologue)
    if warm is not None and usable and (free_sends or warm.sends is None):
        period = sets.period_of(warm)
        if period is not None and period < value:
            return warm, period
    return best, value
