"""The methods of the tables, as data: which decomposition, clustering, binding and order each uses.

A method runs its stages one after the other within one limit; every stage's claim (value, bound
and the scope for which the bound holds) is kept and compared with the judge. Modules are named, not
imported, so that a heuristic row does not pay for loading a solver.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from optmap.decompose import Decomposition, decompose
from optmap.errors import CapacityError
from optmap.evaluate.bounds import best, cluster_bounds
from optmap.evaluate.cluster_graph import ClusterGraph, cluster_graph
from optmap.evaluate.metrics import max_tile_load, spike_hops, traffic
from optmap.hardware import Platform
from optmap.mapping import Binding, Clustering, Mapping, StaticOrders
from optmap.method import Limits, Outcome, Status, TracePoint, Value
from optmap.snn import SNN


@dataclass(frozen=True, slots=True)
class Method:
    """One row of the tables.

    Parameters
    ----------
    name : str
        As users type it.
    decomposition : str
        ``chain``, ``tree`` or ``none``.
    clustering, binding, order : str
        Keys of the stage tables below.
    about : str
        One line for ``--help``.
    """

    name: str
    decomposition: str
    clustering: str
    binding: str
    order: str
    about: str

    @property
    def exact(self) -> bool:
        """Tell whether some stage claims bounds from a solver."""
        return self.clustering in EXACT_PARTITIONS or self.binding in EXACT_BINDINGS


#: Stage name -> module with ``partition(decomposition, platform, seed=)``.
PARTITIONS = {
    "greedy": "optmap.heuristics.partition_song2020",
    "populations": "optmap.heuristics.partition_pacman",
    "random": "optmap.heuristics.partition_random",
}
#: Stage name -> module with ``minimize_clusters`` (P0a) and ``minimize_traffic`` (P0b).
EXACT_PARTITIONS = {
    "milp": "formulations.partition_milp",
    "cpsat": "formulations.partition_cpsat",
}
#: Stage name -> module with ``bind(graph, platform, seed=)``.
BINDINGS = {
    "load-balance": "optmap.heuristics.bind_load_balance",
    "first-come": "optmap.heuristics.bind_first_come",
    "random": "optmap.heuristics.bind_random",
}
#: Stage name -> module with ``solve(graph, platform, limits, objective=...)``, (B0b) then (B0a).
EXACT_BINDINGS = {
    "milp": "formulations.binding_milp",
    "cpsat": "formulations.binding_cpsat",
}
#: Stage name -> module with ``order(graph, binding, platform, seed=)``.
ORDERS = {
    "projection": "optmap.heuristics.order_projection",
    "topological": "optmap.heuristics.order_topological",
    "random": "optmap.heuristics.order_random",
}

METHODS: dict[str, Method] = {
    m.name: m
    for m in (
        Method("random", "tree", "random", "random", "random", "random first fit, the floor"),
        Method("pacman", "tree", "populations", "first-come", "topological", "PACMAN's way"),
        Method(
            "song2020", "chain", "greedy", "load-balance", "projection", "the published greedy flow"
        ),
        Method(
            "song2020-tree",
            "tree",
            "greedy",
            "load-balance",
            "projection",
            "the same on tree decomposition",
        ),
        Method("milp", "tree", "milp", "milp", "projection", "exact stages by PuLP and HiGHS"),
        Method("cpsat", "tree", "cpsat", "cpsat", "projection", "exact stages by CP-SAT"),
    )
}


def method_named(name: str) -> Method:
    """Return the method of that name; ValueError with the known names otherwise."""
    if name not in METHODS:
        raise ValueError(f"method {name!r}: expected one of {', '.join(METHODS)}")
    return METHODS[name]


@dataclass(frozen=True, slots=True)
class Claim:
    """What one stage says it reached and proved.

    ``metric`` names a column of the judge's row, ``evaluated`` is the judge's own value for the
    stage's solution. ``scope`` says in words for what the bound holds; a bound on traffic holds for
    clusterings of at most ``max_clusters`` clusters.
    """

    metric: str
    status: Status
    value: Value | None
    bound: Value | None
    evaluated: Value | None
    scope: str
    max_clusters: int | None = None
    trace: tuple[TracePoint, ...] = ()

    @property
    def holds(self) -> bool:
        """Tell whether the judge agrees with the claimed value, and the bound with both."""
        agrees = self.value == self.evaluated
        return agrees and (self.bound is None or self.value is None or self.bound <= self.value)


@dataclass(frozen=True, slots=True)
class Run:
    """What a method returns: a mapping or the reason there is none, claims, seconds per stage."""

    status: Status
    mapping: Mapping | None
    claims: tuple[Claim, ...] = ()
    seconds: tuple[tuple[str, float], ...] = ()
    reason: str = ""


Report = Callable[[Run], None]


def run(
    method: Method, snn: SNN, platform: Platform, tokens: str, limits: Limits, report: Report
) -> Run:
    """Run all stages of a method.

    Parameters
    ----------
    limits : Limits
        For all stages together; a stage gets its share of what is left.
    report : callable
        Called with a complete :class:`Run` whenever there is a better mapping to fall back on, so
        that a killed run loses nothing.

    Raises
    ------
    FanInError
        Decomposition ``none`` and a neuron that needs it.
    """
    return _Flow(method, platform, tokens, limits, report).run(snn)


class _Flow:
    """The stages of one run, with its clock and what it has claimed so far."""

    def __init__(
        self, method: Method, platform: Platform, tokens: str, limits: Limits, report: Report
    ) -> None:
        self.method, self.platform, self.tokens = method, platform, tokens
        self.limits, self.report = limits, report
        self.started = time.perf_counter()
        self.claims: list[Claim] = []
        self.seconds: list[tuple[str, float]] = []

    def run(self, snn: SNN) -> Run:
        decomposition = self._timed(
            "decomposition", decompose, snn, self.platform.max_rows, self.method.decomposition
        )
        proved = best(cluster_bounds(decomposition, self.platform))
        slots = self.platform.total_slots
        if slots is not None and proved is not None and proved.value > slots:
            return self._nothing(
                Status.INFEASIBLE,
                f"the platform has {slots} slots; every clustering of the"
                f" {decomposition.policy} decomposition needs at least {proved.value}"
                f" ({proved.name})",
            )
        try:
            clustering = self._timed("clustering", self._cluster, decomposition)
            graph = cluster_graph(decomposition, clustering, self.platform, self.tokens)
            binding = self._timed("binding", self._bind, decomposition, clustering, graph)
            orders = self._timed("order", self._order, graph, binding)
        except CapacityError as error:
            return self._nothing(Status.UNKNOWN, str(error))
        return self._found(Mapping(decomposition, clustering, binding, orders))

    def _timed(self, stage: str, function: Callable[..., Any], *arguments: Any) -> Any:
        start = time.perf_counter()
        result = function(*arguments)
        self.seconds.append((stage, time.perf_counter() - start))
        return result

    def _nothing(self, status: Status, reason: str) -> Run:
        return Run(status, None, tuple(self.claims), tuple(self.seconds), reason)

    def _found(self, mapping: Mapping) -> Run:
        proved = self.method.exact and all(c.status is Status.OPTIMAL for c in self.claims)
        status = Status.OPTIMAL if proved and self.claims else Status.FEASIBLE
        return Run(status, mapping, tuple(self.claims), tuple(self.seconds))

    def _share(self, part: float) -> Limits:
        """Return limits with ``part`` of the time that is left, at least a tenth of a second."""
        left = self.limits.wall_s - (time.perf_counter() - self.started)
        return replace(self.limits, wall_s=max(left * part, 0.1))

    def _cluster(self, decomposition: Decomposition) -> Clustering:
        name = self.method.clustering
        if name in PARTITIONS:
            return self._partition(name, decomposition)
        warm = self._partition("greedy", decomposition)
        self._fall_back_on(decomposition, warm)
        module = import_module(EXACT_PARTITIONS[name])
        scope = f"{decomposition.policy} decomposition, R = {decomposition.rows}"
        fewest: Outcome[Clustering] = module.minimize_clusters(
            decomposition, self.platform, self._share(0.4), warm
        )
        found = fewest.solution
        self._claim("clusters", fewest, scope, found.num_clusters if found else None)
        warm = found or warm
        most = warm.num_clusters
        least: Outcome[Clustering] = module.minimize_traffic(
            decomposition, self.platform, most, self._share(0.5), warm
        )
        found = least.solution
        evaluated = traffic(decomposition, found).total if found else None
        self._claim("traffic", least, f"{scope}, at most {most} clusters", evaluated, most)
        return found or warm

    def _partition(self, name: str, decomposition: Decomposition) -> Clustering:
        clustering: Clustering = import_module(PARTITIONS[name]).partition(
            decomposition, self.platform, seed=self.limits.seed
        )
        return clustering

    def _fall_back_on(self, decomposition: Decomposition, clustering: Clustering) -> None:
        """Report the greedy mapping of a clustering, should the solver be killed."""
        graph = cluster_graph(decomposition, clustering, self.platform, self.tokens)
        try:
            binding = self._heuristic_binding("load-balance", graph)
        except CapacityError:
            return
        orders = self._order(graph, binding)
        mapping = Mapping(decomposition, clustering, binding, orders)
        self.report(Run(Status.FEASIBLE, mapping, tuple(self.claims), tuple(self.seconds)))

    def _claim(
        self,
        metric: str,
        outcome: Outcome[Any],
        scope: str,
        evaluated: Value | None,
        max_clusters: int | None = None,
    ) -> None:
        value, bound = outcome.claimed, outcome.bound
        self.claims.append(
            Claim(
                metric,
                outcome.status,
                value,
                bound,
                evaluated,
                scope,
                max_clusters,
                outcome.trace,
            )
        )

    def _bind(
        self, decomposition: Decomposition, clustering: Clustering, graph: ClusterGraph
    ) -> Binding:
        name = self.method.binding
        if name in BINDINGS:
            return self._heuristic_binding(name, graph)
        self._fall_back_on(decomposition, clustering)
        try:
            warm: Binding | None = self._heuristic_binding("load-balance", graph)
        except CapacityError:  # the solver may still find a binding that the heuristic missed
            warm = None
        module = import_module(EXACT_BINDINGS[name])
        lightest: Outcome[Binding] = module.solve(
            graph, self.platform, self._share(0.5), objective="load", warm=warm
        )
        found = lightest.solution
        load = max_tile_load(graph, found, self.platform) if found else None
        self._claim("tile_load_max", lightest, "this clustering", load)
        warm = found or warm
        if warm is None:
            raise CapacityError(
                f"no binding of {graph.num_clusters} clusters found on {self.platform.name!r}:"
                f" {lightest.status.value}"
            )
        cap = max_tile_load(graph, warm, self.platform)
        nearest: Outcome[Binding] = module.solve(
            graph, self.platform, self._share(0.9), objective="hops", max_load=cap, warm=warm
        )
        found = nearest.solution
        hops = spike_hops(graph, self.platform, found) if found else None
        self._claim("spike_hops", nearest, f"this clustering, tile load at most {cap}", hops)
        return found or warm

    def _heuristic_binding(self, name: str, graph: ClusterGraph) -> Binding:
        binding: Binding = import_module(BINDINGS[name]).bind(
            graph, self.platform, seed=self.limits.seed
        )
        return binding

    def _order(self, graph: ClusterGraph, binding: Binding) -> StaticOrders:
        orders: StaticOrders = import_module(ORDERS[self.method.order]).order(
            graph, binding, self.platform, seed=self.limits.seed
        )
        return orders
