"""The exact stages: where methods reach ``formulations``.

Each stage is a Protocol ``(problem, limits, *, start, on_better) -> Outcome`` and one list of
loaders: a loader imports its formulation, and with it a solver, when it is called, and its return
type is checked against the Protocol like everything else. ``on_better`` is told of better solutions
by column generation, neighbourhood search, bisection and Benders; the bindings, (P0b) and the MILP
of orders, which run one model each, tell nothing before they end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from optmap.model.cluster_graph import ClusterGraph
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Binding, Clustering, StaticOrders
from optmap.model.outcome import Limits, Outcome
from optmap.model.platform import Platform
from optmap.model.snn import SNN
from optmap.whole.contract import Whole, WholeMapper

Schedule = tuple[Binding, StaticOrders]


class FewestClusters(Protocol):
    """(P0a)."""

    def __call__(
        self,
        decomposition: Decomposition,
        platform: Platform,
        limits: Limits,
        /,
        *,
        start: Clustering | None = None,
        on_better: Callable[[Outcome[Clustering]], None] | None = None,
    ) -> Outcome[Clustering]:
        """Return a clustering of fewest clusters."""


class LeastTraffic(Protocol):
    """(P0b)."""

    def __call__(
        self,
        decomposition: Decomposition,
        platform: Platform,
        most: int,
        limits: Limits,
        /,
        *,
        start: Clustering | None = None,
        on_better: Callable[[Outcome[Clustering]], None] | None = None,
    ) -> Outcome[Clustering]:
        """Return a clustering of at most ``most`` clusters with least traffic."""


class TreeImprover(Protocol):
    """Change the leaves of a decomposition together with its clusters."""

    def __call__(
        self,
        snn: SNN,
        decomposition: Decomposition,
        platform: Platform,
        clustering: Clustering,
        limits: Limits,
    ) -> tuple[Decomposition, Clustering]:
        """Return units and clusters, no more of these than given."""


class ExactBinder(Protocol):
    """(B0b) with ``objective`` "load", (B0a) with "hops"."""

    def __call__(
        self,
        graph: ClusterGraph,
        platform: Platform,
        limits: Limits,
        /,
        *,
        objective: str,
        max_load: int | None = None,
        start: Binding | None = None,
        on_better: Callable[[Outcome[Binding]], None] | None = None,
    ) -> Outcome[Binding]:
        """Return a binding of least load or spike-hops, no tile busier than ``max_load`` ticks."""


class ExactMulticast(Protocol):
    """(B0d)."""

    def __call__(
        self, graph: ClusterGraph, platform: Platform, limits: Limits, /, *, start: Binding
    ) -> Outcome[Binding]:
        """Return a binding of fewest multicast hops; a bound for this clustering."""


class ExactOrderer(Protocol):
    """(S0): static orders of least period for a binding."""

    def __call__(
        self,
        graph: ClusterGraph,
        platform: Platform,
        binding: Binding,
        limits: Limits,
        /,
        *,
        start: StaticOrders | None = None,
        on_better: Callable[[Outcome[StaticOrders]], None] | None = None,
    ) -> Outcome[StaticOrders]:
        """Return the orders."""


class ExactScheduler(Protocol):
    """(J0): binding and static orders of least period together."""

    def __call__(
        self,
        graph: ClusterGraph,
        platform: Platform,
        limits: Limits,
        /,
        *,
        start: Schedule | None = None,
        on_better: Callable[[Outcome[Schedule]], None] | None = None,
    ) -> Outcome[Schedule]:
        """Return both."""


@dataclass(frozen=True, slots=True)
class ExactClustering:
    """(P0a), then (P0b) with as many clusters."""

    fewest: Callable[[], FewestClusters]
    least: Callable[[], LeastTraffic]


@dataclass(frozen=True, slots=True)
class ExactOrdering:
    """(S0), over orders with a prologue or without."""

    load: Callable[[], ExactOrderer]
    prologue: bool = False


@dataclass(frozen=True, slots=True)
class ExactSchedule:
    """(J0), over orders with a prologue or without."""

    load: Callable[[], ExactScheduler]
    prologue: bool = False


# clustering


#: (P0a) by one model, which tells nothing before it ends.
_OneModel = Callable[[Decomposition, Platform, Limits, Clustering | None], Outcome[Clustering]]


def _by_one_model(minimize: _OneModel) -> FewestClusters:
    return lambda decomposition, platform, limits, *, start=None, on_better=None: minimize(
        decomposition, platform, limits, start
    )


def _milp_fewest() -> FewestClusters:
    from formulations.clustering.milp import minimize_clusters

    return _by_one_model(minimize_clusters)


def _milp_twins() -> FewestClusters:
    from formulations.clustering.twins_milp import minimize_clusters

    return _by_one_model(minimize_clusters)


def _cpsat_twins() -> FewestClusters:
    from formulations.clustering.twins_cpsat import minimize_clusters

    return _by_one_model(minimize_clusters)


def _milp_least() -> LeastTraffic:
    from formulations.clustering.milp import minimize_traffic

    return lambda decomposition, platform, most, limits, *, start=None, on_better=None: (
        minimize_traffic(decomposition, platform, most, limits, start)
    )


def _cpsat_fewest() -> FewestClusters:
    from formulations.clustering.cpsat import minimize_clusters

    return _by_one_model(minimize_clusters)


def _cpsat_least() -> LeastTraffic:
    from formulations.clustering.cpsat import minimize_traffic

    return lambda decomposition, platform, most, limits, *, start=None, on_better=None: (
        minimize_traffic(decomposition, platform, most, limits, start)
    )


def _column_generation() -> FewestClusters:
    from formulations.clustering.relaxed import fewest_by_columns

    return fewest_by_columns


def _neighbourhoods_fewest() -> FewestClusters:
    from formulations.clustering.relaxed import fewest_by_neighbourhoods

    return fewest_by_neighbourhoods


def _neighbourhoods_least() -> LeastTraffic:
    from formulations.clustering.relaxed import least_traffic_by_neighbourhoods

    return least_traffic_by_neighbourhoods


def _leaves() -> TreeImprover:
    from formulations.clustering.leaves import optimise_leaves

    return optimise_leaves


# binding


def _milp_binding() -> ExactBinder:
    from formulations.binding.milp import solve

    return lambda graph, on, limits, *, objective, max_load=None, start=None, on_better=None: solve(
        graph, on, limits, objective=objective, max_load=max_load, warm=start
    )


def _cpsat_binding() -> ExactBinder:
    from formulations.binding.cpsat import solve

    return lambda graph, on, limits, *, objective, max_load=None, start=None, on_better=None: solve(
        graph, on, limits, objective=objective, max_load=max_load, warm=start
    )


def _searched_binding() -> ExactBinder:
    from formulations.binding.search import solve

    return lambda graph, on, limits, *, objective, max_load=None, start=None, on_better=None: solve(
        graph, on, limits, objective=objective, max_load=max_load, warm=start
    )


def _cpsat_multicast() -> ExactMulticast:
    from formulations.binding.multicast import solve

    return lambda graph, on, limits, *, start: solve(graph, on, limits, warm=start)


# orders


def _milp_order() -> ExactOrderer:
    from formulations.ordering.milp import solve

    return lambda graph, platform, binding, limits, *, start=None, on_better=None: solve(
        graph, platform, binding, limits, prologue=False, warm=start
    )


def _cpsat_order() -> ExactOrderer:
    from formulations.ordering.cpsat import solve

    return lambda graph, platform, binding, limits, *, start=None, on_better=None: solve(
        graph, platform, binding, limits, prologue=False, warm=start, report=on_better
    )


def _cpsat_order_prologue() -> ExactOrderer:
    from formulations.ordering.cpsat import solve

    return lambda graph, platform, binding, limits, *, start=None, on_better=None: solve(
        graph, platform, binding, limits, prologue=True, warm=start, report=on_better
    )


# binding and orders


def _joint() -> ExactScheduler:
    from formulations.joint.cpsat import solve

    return lambda graph, platform, limits, *, start=None, on_better=None: solve(
        graph, platform, limits, prologue=False, warm=start, report=on_better
    )


def _joint_prologue() -> ExactScheduler:
    from formulations.joint.cpsat import solve

    return lambda graph, platform, limits, *, start=None, on_better=None: solve(
        graph, platform, limits, prologue=True, warm=start, report=on_better
    )


def _benders() -> ExactScheduler:
    from formulations.joint.benders import solve

    return lambda graph, platform, limits, *, start=None, on_better=None: solve(
        graph, platform, limits, prologue=False, warm=start, report=on_better
    )


def _cover() -> WholeMapper:
    from formulations.whole.synapse_cover import BoundOnly

    return BoundOnly()


#: Clustering -> its two stages.
EXACT_CLUSTERINGS = {
    "milp": ExactClustering(_milp_fewest, _milp_least),
    "cpsat": ExactClustering(_cpsat_fewest, _cpsat_least),
    "milp-twins": ExactClustering(_milp_twins, _milp_least),
    "cpsat-twins": ExactClustering(_cpsat_twins, _cpsat_least),
    "colgen": ExactClustering(_column_generation, _neighbourhoods_least),
    "lns": ExactClustering(_neighbourhoods_fewest, _neighbourhoods_least),
}
#: Clustering that also changes the units -> loader.
TREE_IMPROVERS: dict[str, Callable[[], TreeImprover]] = {"leaves": _leaves}
#: Binding -> loader.
EXACT_BINDERS: dict[str, Callable[[], ExactBinder]] = {
    "milp": _milp_binding,
    "cpsat": _cpsat_binding,
    "search": _searched_binding,
}
#: Binding for fewest multicast hops -> loader.
EXACT_MULTICASTS: dict[str, Callable[[], ExactMulticast]] = {"multicast-cpsat": _cpsat_multicast}
#: Order -> its stage.
EXACT_ORDERINGS = {
    "milp": ExactOrdering(_milp_order),
    "cpsat": ExactOrdering(_cpsat_order),
    "cpsat-prologue": ExactOrdering(_cpsat_order_prologue, prologue=True),
}
#: Binding and order together -> its stage.
EXACT_SCHEDULES = {
    "joint": ExactSchedule(_joint),
    "joint-prologue": ExactSchedule(_joint_prologue, prologue=True),
    "benders": ExactSchedule(_benders),
}


def _whole_cpsat() -> WholeMapper:
    from formulations.whole.cpsat import without_prologue

    return without_prologue


def _whole_cpsat_prologue() -> WholeMapper:
    from formulations.whole.cpsat import with_prologue

    return with_prologue


#: Everything together -> loader.
EXACT_WHOLE: dict[str, Whole] = {
    "cover": Whole(_cover, whole_neurons=True, metrics=("clusters", "traffic", "period")),
    "cpsat": Whole(_whole_cpsat, prologue=False, metrics=("period",)),
    "cpsat-prologue": Whole(_whole_cpsat_prologue, metrics=("period",)),
}
