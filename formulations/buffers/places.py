"""The places of buffers as edges of the binding-aware graph, whose tokens are the decision.

A channel holds tokens at its consumer's tile, and, where its ends stand on different tiles, at its
producer's as well. Each place is one credit edge: with room for w iterations it holds w tokens less
those at the start. Everything else of the graph is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from optmap.clock import did
from optmap.errors import DeadlockError
from optmap.judge.binding_aware_graph import Reason, lower
from optmap.model.buffers import is_remote
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding, Buffers, StaticOrders
from optmap.model.platform import Platform
from optmap.sdf.cycle_ratio import maximum_cycle_ratio
from optmap.sdf.marked_graph import MarkedGraph

#: Edges of a graph whose slowest cycle is found in about a second.
EDGES_A_UNIT = 50_000_000

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cycle:
    """A cycle of the graph with the least room everywhere.

    Parameters
    ----------
    delay, tokens : int
        Sums along it: ticks, and iterations.
    places : tuple of int
        Those whose room it passes; an iteration more in one of them is a token more.
    """

    delay: int
    tokens: int
    places: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Places:
    """All places of a mapping.

    Parameters
    ----------
    marked : MarkedGraph
        The binding-aware graph with the least room at every place.
    edge, channel : (P,) int64 arrays
        Credit edge of each place, and channel.
    is_input : (P,) bool array
        Whether it is at the consumer's tile.
    rate : (P,) int64 array
        Tokens of an iteration.
    least : (P,) int64 array
        Iterations below which nothing could move, or what is there at the start has no room.
    place_of : (m,) int64 array
        Place of each edge, -1 for those that are none.
    clusters : ClusterGraph
        Whose channels they are.
    """

    marked: MarkedGraph
    edge: Ints
    channel: Ints
    is_input: npt.NDArray[np.bool_]
    rate: Ints
    least: Ints
    place_of: Ints
    clusters: ClusterGraph

    @property
    def num_places(self) -> int:
        """Number of places P."""
        return len(self.edge)

    @property
    def least_total(self) -> int:
        """Tokens of the least room everywhere."""
        return int((self.rate * self.least).sum())

    def total(self, extra: Ints) -> int:
        """Return the tokens of ``extra`` iterations at each place, shape (P,), above the least."""
        return int((self.rate * (self.least + extra)).sum())

    def slowest(self, extra: Ints) -> tuple[Fraction | None, Cycle]:
        """Return the period with so much room (None: a deadlock), and the cycle it comes from."""
        tokens = self.marked.tokens.copy()
        tokens[self.edge] += extra
        did(len(tokens) / EDGES_A_UNIT)
        m = self.marked
        try:
            graph = MarkedGraph(m.num_actors, m.source, m.target, m.delay, tokens)
            period, edges = maximum_cycle_ratio(graph)
        except DeadlockError as error:
            period, edges = None, error.cycle
        return period, self.cycle(edges)

    def cycle(self, edges: Sequence[int] | Ints) -> Cycle:
        """Return the cycle of some edges."""
        at, m = np.asarray(edges, dtype=np.int64), self.marked
        places = self.place_of[at]
        passed = tuple(sorted(places[places >= 0].tolist()))
        return Cycle(int(m.delay[at].sum()), int(m.tokens[at].sum()), passed)

    def buffers(self, extra: Ints) -> Buffers:
        """Return the capacities in tokens."""
        graph = self.clusters
        space: npt.NDArray[Any] = np.zeros((graph.num_channels, 2), dtype=np.int64)
        space[self.channel, self.is_input.astype(np.int64)] = self.rate * (self.least + extra)
        ends = zip(graph.source.tolist(), graph.target.tolist(), space.tolist(), strict=True)
        return Buffers(tuple((a, b, out, into) for a, b, (out, into) in ends))


def places_of(
    graph: ClusterGraph, platform: Platform, binding: Binding, orders: StaticOrders
) -> Places:
    """Return the places of a mapping whose orders have no prologue."""
    remote = is_remote(graph, binding)
    least = np.maximum(1, graph.initial)
    columns = (graph.source, graph.target, graph.rate, remote, least)
    rows = zip(*(c.tolist() for c in columns), strict=True)
    held = Buffers(tuple((a, b, r if far else 0, w * r) for a, b, r, far, w in rows))
    bound = lower(graph, platform, binding, orders, held)
    # credits in the order of the rule book: channels that stay, sends to producers, to sends
    near, far = np.flatnonzero(~remote), np.flatnonzero(remote)
    channel = np.concatenate((near, far, far))
    is_input = np.repeat([True, False, True], [len(near), len(far), len(far)])
    edge = np.flatnonzero(bound.reason == Reason.BUFFER)
    place_of = np.full(bound.graph.num_edges, -1, dtype=np.int64)
    place_of[edge] = np.arange(len(edge))
    return Places(
        bound.graph,
        edge,
        channel,
        is_input,
        graph.rate[channel],
        np.where(is_input, least[channel], 1),
        place_of,
        graph,
    )
