"""What the search minimises, as the judge counts it, and how a placement gets its orders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from optmap.binding import hill_climbing, multicast
from optmap.judge.binding_aware_graph import lower
from optmap.judge.check import check
from optmap.judge.evaluation import evaluate
from optmap.model.cluster_graph import ClusterGraph, cluster_graph
from optmap.model.mapping import Binding, Mapping, StaticOrders
from optmap.model.outcome import Value
from optmap.model.platform import Platform
from optmap.model.snn import SNN
from optmap.ordering import projection, prologue
from optmap.ordering.kernels.stages import staggered
from optmap.sdf.cycle_ratio import maximum_cycle_ratio
from optmap.whole.convert import Placed

Expired = Callable[[], bool]

#: Moves of a binding's annealing for multicast hops, for each cluster.
MULTICAST_MOVES = 500


@dataclass(frozen=True, slots=True)
class Target:
    """One network, platform, token mode, and the column of the judge's row to minimise."""

    snn: SNN
    platform: Platform
    tokens: str
    objective: str
    seed: int
    _last: list[ClusterGraph] = field(default_factory=list, compare=False, repr=False)

    def graph(self, placed: Placed) -> ClusterGraph:
        """Return the cluster graph of a placement; the last one is kept: it is asked for often."""
        units, clustering = placed.decomposition, placed.clustering
        known = self._last[0].made_of if self._last else None
        if known is None or known[0] is not units or known[1] != clustering:
            self._last[:] = [cluster_graph(units, clustering, self.platform, self.tokens)]
        return self._last[0]

    def period(self, graph: ClusterGraph, placed: Placed, orders: StaticOrders) -> Value:
        """Return the exact period; 0 where nothing bounds it."""
        bound = lower(graph, self.platform, placed.binding, orders)
        return maximum_cycle_ratio(bound.graph)[0] or 0

    def period_of(self, mapping: Mapping) -> Value:
        """Return the exact period of a mapping; 0 where nothing bounds it."""
        placed = Placed(mapping.decomposition, mapping.clustering, mapping.binding)
        return self.period(self.graph(placed), placed, mapping.orders)

    def value(self, mapping: Mapping) -> Value:
        """Return what is minimised.

        Raises
        ------
        ValueError
            If the judge has no such number.
        """
        if self.objective == "period":
            return self.period_of(mapping)
        row = evaluate(self.platform, mapping, self.tokens).row()
        if self.objective not in row:
            raise ValueError(f"objective {self.objective!r}: expected one of {', '.join(row)}")
        value = row[self.objective]
        return value if isinstance(value, Value) else 0

    def projected(self, placed: Placed) -> tuple[Mapping, ClusterGraph]:
        """Return a placement with the projected order, which cannot deadlock."""
        graph = self.graph(placed)
        orders = projection.order(graph, placed.binding, self.platform)
        return _mapping(placed, orders), graph

    def keeps_limits(self, placed: Placed) -> bool:
        """Tell whether a placement keeps to what the moves do not know.

        That is axons out, fan-outs, F, and recurrences, which want room in short buffers.
        """
        platform = self.platform
        short = platform.buffer_windows < 2 or platform.buffer_tokens is not None
        if not (short or platform.limits_outgoing):
            return True
        mapping, _ = self.projected(placed)
        return not check(self.snn, self.platform, mapping, self.tokens)

    def with_prologue(
        self, mapping: Mapping, graph: ClusterGraph, expired: Expired, most_trials: int
    ) -> Mapping:
        """Return the mapping with orders that run ahead where that shortens the period."""
        orders = prologue.order(
            graph,
            mapping.binding,
            self.platform,
            seed=self.seed,
            start=mapping.orders,
            expired=expired,
            most_trials=most_trials,
        )
        return replace(mapping, orders=orders)

    def staggered(self, mapping: Mapping, graph: ClusterGraph) -> Iterator[Mapping]:
        """Yield the mapping with its orders in stages; nothing where nothing waits for a tile."""
        for orders in staggered(graph, self.platform, mapping.binding, mapping.orders):
            yield replace(mapping, orders=orders)

    def climbed(
        self, mapping: Mapping, graph: ClusterGraph, start: Binding | None, expired: Expired
    ) -> Mapping:
        """Return the mapping after hill climbing from a binding, or a balanced one, projected.

        Raises
        ------
        CapacityError
            If no start is given and no balanced binding was found.
        """
        binding = hill_climbing.bind(
            graph, self.platform, seed=self.seed, start=start, expired=expired
        )
        orders = projection.order(graph, binding, self.platform)
        return replace(mapping, binding=binding, orders=orders)

    def prices(self) -> npt.NDArray[np.float64]:
        """Return the prices of a spike, a synapse, a hop and a local delivery in the annealing."""
        if self.objective == "multicast_hops":
            return np.array([0.0, 0.0, 1.0, 0.0])
        price = self.platform.energy
        synapse = price.synapse_pj * self.platform.cells_per_synapse
        prices = (price.spike_pj, synapse, price.route_pj, price.local_pj)
        return (
            np.array([float(x) for x in prices]) if self.objective == "energy_pj" else np.zeros(4)
        )

    def multicast(self, mapping: Mapping, graph: ClusterGraph) -> Mapping:
        """Return the mapping with its clusters on tiles of few multicast hops, projected."""
        moves = MULTICAST_MOVES * graph.num_clusters
        binding = multicast.bind(
            graph, self.platform, seed=self.seed, start=mapping.binding, runs=(moves,)
        )
        orders = projection.order(graph, binding, self.platform)
        return replace(mapping, binding=binding, orders=orders)


def _mapping(placed: Placed, orders: StaticOrders) -> Mapping:
    return Mapping(placed.decomposition, placed.clustering, placed.binding, orders)
