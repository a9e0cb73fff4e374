"""Run a method: its stages one after the other within one limit, every claim judged.

A stage's claim is its value, the bound it proved and the scope for which that bound holds. Whenever
a better complete mapping is known it is reported, so that a run that is killed loses nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from math import inf
from typing import Any, TypeVar

from optmap.bounds.bound import best
from optmap.bounds.clusters import cluster_bounds
from optmap.decomposing.contract import POLICIES, decompose
from optmap.errors import CapacityError
from optmap.judge.binding_aware_graph import lower, refuse_short_buffers
from optmap.judge.metrics import max_tile_load, spike_hops, traffic
from optmap.methods import (
    BINDINGS,
    DECOMPOSING_PARTITIONS,
    EXACT_BINDINGS,
    EXACT_ORDERS,
    EXACT_PARTITIONS,
    IMPROVED_TREES,
    IMPROVING_ORDERS,
    JOINT,
    ORDERS,
    PARTITIONS,
    Method,
)
from optmap.model.claim import Claim, Run
from optmap.model.cluster_graph import ClusterGraph, cluster_graph
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Binding, Clustering, Mapping, StaticOrders
from optmap.model.outcome import Limits, Outcome, Status, Value
from optmap.model.platform import Platform
from optmap.model.scope import Scope
from optmap.model.snn import SNN
from optmap.sdf.cycle_ratio import maximum_cycle_ratio

T = TypeVar("T")

#: What heuristic an exact stage starts from.
WARM_PARTITION, WARM_BINDING, WARM_ORDER = "overlap", "load-balance", "projection"
WARM_JOINT, WARM_HOPS = ("load-balance", "hill-climbing"), "force-directed"
#: How the limit is divided among the stages that use a solver; unused time passes on.
WEIGHTS = {"clusters": 4, "traffic": 2, "tile_load_max": 2, "spike_hops": 1, "period": 3}

Report = Callable[[Run], None]


def run(
    method: Method,
    snn: SNN,
    platform: Platform,
    tokens: str,
    limits: Limits,
    report: Report,
    placement: Mapping | None = None,
) -> Run:
    """Run all stages of a method.

    Parameters
    ----------
    limits : Limits
        For all stages together; a stage gets its share of what is left.
    report : callable
        Called with a complete :class:`Run` whenever there is a better mapping to fall back on.
    placement : Mapping, optional
        What the method "imported" takes clusters and tiles from.

    Raises
    ------
    FanInError
        Decomposition ``none`` and a neuron that needs it.
    """
    return _Flow(method, platform, tokens, limits, report, placement).run(snn)


class _Flow:
    """The stages of one run, with its clock and what it has claimed so far."""

    def __init__(
        self,
        method: Method,
        platform: Platform,
        tokens: str,
        limits: Limits,
        report: Report,
        placement: Mapping | None,
    ) -> None:
        self.placement = placement
        self.method, self.platform, self.tokens = method, platform, tokens
        self.limits, self.report = limits, report
        self.started = time.perf_counter()
        self.claims: list[Claim] = []
        self.seconds: list[tuple[str, float]] = []
        self.to_come = _solver_stages(method)

    def run(self, snn: SNN) -> Run:
        try:
            decomposition, clustering = self._timed("clustering", self._divide, snn)
            graph = cluster_graph(decomposition, clustering, self.platform, self.tokens)
            refuse_short_buffers(graph, self.platform)  # no binding and no order would help
            binding, orders = self._schedule(decomposition, clustering, graph)
        except CapacityError as error:
            status = Status.INFEASIBLE if isinstance(error, _ProvedError) else Status.UNKNOWN
            return Run(status, None, tuple(self.claims), tuple(self.seconds), str(error))
        mapping = Mapping(decomposition, clustering, binding, orders)
        proved = bool(self.claims) and all(c.status is Status.OPTIMAL for c in self.claims)
        status = Status.OPTIMAL if proved else Status.FEASIBLE
        return Run(status, mapping, tuple(self.claims), tuple(self.seconds))

    def _timed(self, stage: str, function: Callable[..., Any], *arguments: Any) -> Any:
        start = time.perf_counter()
        result = function(*arguments)
        self.seconds.append((stage, time.perf_counter() - start))
        return result

    def _share(self, metric: str) -> Limits:
        """Return the limits of the stage that is about to start: its weight of what is left."""
        left = self.limits.wall_s - (time.perf_counter() - self.started)
        weights = [WEIGHTS[m] for m in self.to_come[self.to_come.index(metric) :]]
        self.to_come = self.to_come[self.to_come.index(metric) + 1 :]
        return replace(self.limits, wall_s=max(left * weights[0] / sum(weights), 0.1))

    def _claim(
        self,
        metric: str,
        outcome: Outcome[Any],
        scope: Scope,
        evaluated: Value | None,
    ) -> None:
        self.claims.append(
            Claim(
                metric,
                outcome.status,
                outcome.claimed,
                outcome.bound,
                evaluated,
                scope,
                outcome.grade,
                outcome.trace,
                outcome.certificate,
            )
        )

    # clustering

    def _divide(self, snn: SNN) -> tuple[Decomposition, Clustering]:
        if isinstance(snn, ClusteredSNN):  # it came clustered: nothing to divide
            rows = max(snn.max_fan_in, self.platform.max_rows)
            return decompose(snn, rows, "none"), snn.clustering
        name = self.method.clustering
        if self.placement is not None:
            return self.placement.decomposition, self.placement.clustering
        if name in DECOMPOSING_PARTITIONS:
            module = import_module(DECOMPOSING_PARTITIONS[name])
            pair: tuple[Decomposition, Clustering] = module.partition(
                snn, self.platform, seed=self.limits.seed
            )
            return pair
        chosen, _ = POLICIES[self.method.decomposition]()
        decomposition = chosen(snn, self.platform, seed=self.limits.seed)
        if name in IMPROVED_TREES:
            start = self._partition(WARM_PARTITION, decomposition)
            half = replace(self.limits, wall_s=self.limits.wall_s / 2)
            improve = import_module(IMPROVED_TREES[name]).optimise_leaves
            pair = improve(snn, decomposition, self.platform, start, half)
            return pair
        self._refuse_too_few_slots(decomposition)
        if name in PARTITIONS:
            return decomposition, self._partition(name, decomposition)
        return decomposition, self._solve_partition(*EXACT_PARTITIONS[name], decomposition)

    def _refuse_too_few_slots(self, decomposition: Decomposition) -> None:
        proved = best(cluster_bounds(decomposition, self.platform))
        slots = self.platform.total_slots
        if slots is not None and proved is not None and proved.value > slots:
            raise _ProvedError(
                f"the platform has {slots} slots; every clustering of the {decomposition.policy}"
                f" decomposition needs at least {proved.value} ({proved.name})"
            )

    def _partition(self, name: str, decomposition: Decomposition) -> Clustering:
        clustering: Clustering = import_module(PARTITIONS[name]).partition(
            decomposition, self.platform, seed=self.limits.seed
        )
        return clustering

    def _solve_partition(
        self, fewest_by: str, least_by: str, decomposition: Decomposition
    ) -> Clustering:
        warm = self._partition(WARM_PARTITION, decomposition)
        self._fall_back_on(decomposition, warm)
        scope = Scope(units=decomposition.identity)
        fewest = self._fewest_clusters(fewest_by, decomposition, warm, scope)
        found = fewest.solution
        clusters = found.num_clusters if found else None
        self._claim("clusters", fewest, scope, clusters)
        if found is not None:
            self._fall_back_on(decomposition, found)
        warm = found or warm
        most = warm.num_clusters
        least: Outcome[Clustering] = import_module(least_by).minimize_traffic(
            decomposition, self.platform, most, self._share("traffic"), warm
        )
        found = least.solution
        evaluated = traffic(decomposition, found).total if found else None
        self._claim("traffic", least, replace(scope, max_clusters=most), evaluated)
        return found or warm

    def _fewest_clusters(
        self, module_name: str, decomposition: Decomposition, warm: Clustering, scope: Scope
    ) -> Outcome[Clustering]:
        """Solve (P0a)."""
        module, limits = import_module(module_name), self._share("clusters")
        arguments = (decomposition, self.platform, limits, warm)
        if self.method.clustering not in ("colgen", "lns"):
            found: Outcome[Clustering] = module.minimize_clusters(*arguments)
        else:
            found = module.solve(*arguments, report=self._reporter(decomposition, scope))
        return found

    def _reporter(
        self, decomposition: Decomposition, scope: Scope
    ) -> Callable[[Outcome[Clustering]], None]:
        """Return what a search tells of better clusterings: they are reported as mappings.

        Binding and judging one takes a while, so that at most every tenth second goes there.
        """
        last, cost = -inf, 0.0

        def hear(outcome: Outcome[Clustering]) -> None:
            nonlocal last, cost
            begun, found = time.perf_counter(), outcome.solution
            if found is None or begun - last < 10 * cost:
                return
            self._claim("clusters", outcome, scope, found.num_clusters)
            self._fall_back_on(decomposition, found)
            self.claims.pop()  # the stage's own claim is still to come
            last = time.perf_counter()
            cost = last - begun

        return hear

    def _fall_back_on(self, decomposition: Decomposition, clustering: Clustering) -> None:
        """Report a heuristic mapping of a clustering, should the solver be killed."""
        graph = cluster_graph(decomposition, clustering, self.platform, self.tokens)
        try:
            refuse_short_buffers(graph, self.platform)
            binding = self._heuristic_binding(WARM_BINDING, graph)
        except CapacityError:  # the solver may still find one; there is nothing to report
            return
        orders = self._heuristic_order(WARM_ORDER, graph, binding)
        mapping = Mapping(decomposition, clustering, binding, orders)
        self.report(Run(Status.FEASIBLE, mapping, tuple(self.claims), tuple(self.seconds)))

    # binding and order

    def _schedule(
        self, decomposition: Decomposition, clustering: Clustering, graph: ClusterGraph
    ) -> tuple[Binding, StaticOrders]:
        if self.placement is not None:
            binding = self.placement.binding
            return binding, self._heuristic_order(self.method.order, graph, binding)
        if self.method.binding in JOINT:
            self._fall_back_on(decomposition, clustering)
            both: tuple[Binding, StaticOrders] = self._timed(
                "binding and order", self._solve_joint, graph
            )
            return both
        if self.method.binding in EXACT_BINDINGS:
            self._fall_back_on(decomposition, clustering)
            binding = self._timed("binding", self._solve_binding, graph)
        else:
            binding = self._timed("binding", self._heuristic_binding, self.method.binding, graph)
        if self.method.order in EXACT_ORDERS:
            orders = self._timed("order", self._solve_order, graph, binding)
        else:
            orders = self._timed("order", self._heuristic_order, self.method.order, graph, binding)
        return binding, orders

    def _solve_joint(self, graph: ClusterGraph) -> tuple[Binding, StaticOrders]:
        warm = self._warm_schedule(graph)
        prologue = self.method.binding.endswith("prologue")
        outcome: Outcome[tuple[Binding, StaticOrders]] = import_module(
            JOINT[self.method.binding]
        ).solve(graph, self.platform, self._share("period"), prologue=prologue, warm=warm)
        found = outcome.solution
        scope = replace(graph.scope, prologue=prologue)
        self._claim("period", outcome, scope, self._period(graph, *found) if found else None)
        return self._found(found or warm, graph, outcome.status)

    def _warm_schedule(self, graph: ClusterGraph) -> tuple[Binding, StaticOrders] | None:
        """Return the heuristic schedule of the shortest period; None if no heuristic found any."""
        found = [
            (binding, self._heuristic_order(WARM_ORDER, graph, binding))
            for binding in self._heuristic_bindings(WARM_JOINT, graph)
        ]
        return min(found, key=lambda pair: self._period(graph, *pair) or 0, default=None)

    def _found(self, solution: T | None, graph: ClusterGraph, status: Status) -> T:
        if solution is not None:
            return solution
        text = f"no binding of {graph.num_clusters} clusters on {self.platform.name!r}"
        if status is Status.INFEASIBLE:
            raise _ProvedError(f"{text}: proved infeasible for this clustering")
        raise CapacityError(f"{text} was found")

    def _solve_binding(self, graph: ClusterGraph) -> Binding:
        warm = next(self._heuristic_bindings((WARM_BINDING,), graph), None)
        module = import_module(EXACT_BINDINGS[self.method.binding])
        lightest: Outcome[Binding] = module.solve(
            graph, self.platform, self._share("tile_load_max"), objective="load", warm=warm
        )
        found = lightest.solution
        load = max_tile_load(graph, found, self.platform) if found else None
        self._claim("tile_load_max", lightest, graph.scope, load)
        warm = self._found(found or warm, graph, lightest.status)
        cap = max_tile_load(graph, warm, self.platform)
        for near in self._heuristic_bindings((WARM_HOPS,), graph):
            if max_tile_load(graph, near, self.platform) <= cap:
                warm = min(warm, near, key=lambda b: spike_hops(graph, self.platform, b))
        alone = all(t.slots == 1 for t in self.platform.tiles)  # then every binding has this load
        share = self._share("spike_hops")
        nearest: Outcome[Binding] = module.solve(
            graph, self.platform, share, objective="hops", max_load=cap, warm=warm
        )
        found = nearest.solution
        hops = spike_hops(graph, self.platform, found) if found else None
        scope = graph.scope if alone else replace(graph.scope, max_load=cap)
        self._claim("spike_hops", nearest, scope, hops)
        return found or warm

    def _heuristic_bindings(self, names: Iterable[str], graph: ClusterGraph) -> Iterator[Binding]:
        """Yield those that find any; where none does, a solver still may."""
        for name in names:
            with suppress(CapacityError):
                yield self._heuristic_binding(name, graph)

    def _heuristic_binding(self, name: str, graph: ClusterGraph) -> Binding:
        binding: Binding = import_module(BINDINGS[name]).bind(
            graph, self.platform, seed=self.limits.seed
        )
        return binding

    def _solve_order(self, graph: ClusterGraph, binding: Binding) -> StaticOrders:
        warm = self._heuristic_order(WARM_ORDER, graph, binding)
        prologue = self.method.order.endswith("prologue")
        outcome: Outcome[StaticOrders] = import_module(EXACT_ORDERS[self.method.order]).solve(
            graph, self.platform, binding, self._share("period"), prologue=prologue, warm=warm
        )
        found = outcome.solution
        period = self._period(graph, binding, found) if found else None
        self._claim("period", outcome, _of_binding(graph, binding, prologue), period)
        return found or warm

    def _heuristic_order(self, name: str, graph: ClusterGraph, binding: Binding) -> StaticOrders:
        if name in IMPROVING_ORDERS:
            start = self._heuristic_order(WARM_ORDER, graph, binding)
            improved: StaticOrders = import_module(IMPROVING_ORDERS[name]).order(
                graph, binding, self.platform, seed=self.limits.seed, start=start
            )
            return improved
        orders: StaticOrders = import_module(ORDERS[name]).order(
            graph, binding, self.platform, seed=self.limits.seed
        )
        return orders

    def _period(self, graph: ClusterGraph, binding: Binding, orders: StaticOrders) -> Value | None:
        return maximum_cycle_ratio(lower(graph, self.platform, binding, orders).graph)[0]


class _ProvedError(CapacityError):
    """It was proved that no mapping of this kind exists."""


def _of_binding(graph: ClusterGraph, binding: Binding, prologue: bool) -> Scope:
    return Scope(binding=graph.identity_of(binding), prologue=prologue)


def _solver_stages(method: Method) -> list[str]:
    """Return the metrics that the method's solver stages minimise, in order."""
    stages = []
    if method.clustering in EXACT_PARTITIONS:
        stages += ["clusters", "traffic"]
    if method.binding in EXACT_BINDINGS:
        stages += ["tile_load_max", "spike_hops"]
    if method.binding in JOINT or method.order in EXACT_ORDERS:
        stages.append("period")
    return stages
