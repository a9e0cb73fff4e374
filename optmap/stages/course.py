"""One run of a method: its clock, what it has claimed so far, what it can fall back on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from math import inf
from typing import ParamSpec, TypeVar

from optmap.binding.contract import BINDERS
from optmap.clock import ending, now
from optmap.errors import CapacityError
from optmap.judge.binding_aware_graph import lower, refuse_short_buffers
from optmap.model.claim import Claim, Run
from optmap.model.cluster_graph import ClusterGraph, cluster_graph
from optmap.model.constraints import NONE, Constraints
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Binding, Clustering, Mapping, StaticOrders
from optmap.model.outcome import Limits, Outcome, Status, Value
from optmap.model.platform import Platform
from optmap.model.scope import Scope
from optmap.ordering.contract import ORDERERS
from optmap.sdf.cycle_ratio import maximum_cycle_ratio
from optmap.stages.constrain import repaired_binding

T = TypeVar("T")
P = ParamSpec("P")

#: What heuristic an exact stage starts from.
WARM_CLUSTERING, WARM_BINDING, WARM_ORDER = "overlap", "load-balance", "projection"
#: How the limit is divided among the stages that use a solver; unused time passes on.
WEIGHTS = {
    "clusters": 4,
    "traffic": 2,
    "tile_load_max": 2,
    "spike_hops": 1,
    "multicast_hops": 3,
    "period": 3,
}

Report = Callable[[Run], None]

#: A report is dear that takes more than this part of what is left, one in so many.
DEAR = 10.0

#: What a row says whose heuristics would have gone on.
ENDED_EARLY = "a heuristic was ended by the limit"


class ProvedInfeasibleError(CapacityError):
    """It was proved that no mapping of this kind exists."""


@dataclass
class Course:
    """What the stages of one run share.

    Parameters
    ----------
    platform, tokens
        What is mapped onto, and the token mode.
    limits : Limits
        For all stages together.
    report : callable
        Told of every complete mapping that is better than none.
    to_come : list of str
        The metrics that solvers of this run will minimise, in order.
    constraints : Constraints
        What the user demands of the mapping.
    """

    platform: Platform
    tokens: str
    limits: Limits
    report: Report
    to_come: list[str]
    constraints: Constraints = NONE
    started: float = field(default_factory=now)
    claims: list[Claim] = field(default_factory=list)
    seconds: list[tuple[str, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _graph: ClusterGraph | None = None
    _bindings: dict[str, tuple[ClusterGraph, Binding]] = field(default_factory=dict)
    _reported: Mapping | None = None
    _cost_s: float = 0.0

    @property
    def left(self) -> float:
        """Seconds until the limit; below 0 when it has passed."""
        return self.limits.wall_s - (now() - self.started)

    def expired(self) -> bool:
        """Tell whether the limit has passed."""
        return self.left <= 0

    def heuristically(
        self, stage: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run heuristics that end at the limit, timed; a note says where it ended one early."""
        with self._ended_by_the_limit():
            return self.timed(stage, function, *args, **kwargs)

    @contextmanager
    def _ended_by_the_limit(self) -> Iterator[None]:
        """Let heuristics end at the limit; a note says where it ended one early."""
        with ending(self.started + self.limits.wall_s) as end:
            yield
        if end.was_early and ENDED_EARLY not in self.notes:
            self.notes.append(ENDED_EARLY)

    def timed(self, stage: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function and note under a stage's name how long it took."""
        start = time.perf_counter()
        result = function(*args, **kwargs)
        self.seconds.append((stage, time.perf_counter() - start))
        return result

    def share(self, metric: str) -> Limits:
        """Return the limits of the solver that is about to start: its weight of what is left."""
        weights = [WEIGHTS[m] for m in self.to_come[self.to_come.index(metric) :]]
        self.to_come = self.to_come[self.to_come.index(metric) + 1 :]
        return replace(self.limits, wall_s=max(self.left * weights[0] / sum(weights), 0.1))

    def claim(
        self, metric: str, outcome: Outcome[T], scope: Scope, evaluated: Value | None
    ) -> None:
        """Keep what a stage says of itself, beside the judge's value for its solution."""
        if outcome.note:
            self.notes.append(f"{metric}: {outcome.note}")
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

    def graph_of(self, decomposition: Decomposition, clustering: Clustering) -> ClusterGraph:
        """Return the cluster graph, built once as long as the same clustering is asked for."""
        wanted = (decomposition, clustering)
        known = self._graph
        if known is None or known.made_of is None or known.made_of[0] is not wanted[0]:
            known = None
        if known is None or known.made_of is None or known.made_of[1] != clustering:
            known = cluster_graph(decomposition, clustering, self.platform, self.tokens)
            self._graph = known
        return known

    # what is known before a solver has found anything

    def bound_by(self, name: str, graph: ClusterGraph) -> Binding:
        """Return a heuristic binding that obeys the demands, made once for a cluster graph."""
        known = self._bindings.get(name)
        if known is None or known[0] is not graph:
            with self._ended_by_the_limit():  # a solver that starts from it is on the same clock
                found = BINDERS[name]()(graph, self.platform, seed=self.limits.seed)
            known = graph, repaired_binding(graph, self.platform, found)
            self._bindings[name] = known
        return known[1]

    def bound_by_any(self, names: Iterable[str], graph: ClusterGraph) -> Iterator[Binding]:
        """Yield the bindings of those heuristics that find one; elsewhere a solver still may."""
        for name in names:
            with suppress(CapacityError):
                yield self.bound_by(name, graph)

    def ordered_by(self, name: str, graph: ClusterGraph, binding: Binding) -> StaticOrders:
        """Return heuristic orders."""
        with self._ended_by_the_limit():
            return ORDERERS[name]()(graph, binding, self.platform, seed=self.limits.seed)

    def period(self, graph: ClusterGraph, binding: Binding, orders: StaticOrders) -> Value | None:
        """Return the judge's period."""
        return maximum_cycle_ratio(lower(graph, self.platform, binding, orders).graph)[0]

    def fall_back_on(
        self,
        decomposition: Decomposition,
        clustering: Clustering,
        bindings: Sequence[str] = (WARM_BINDING,),
    ) -> Mapping | None:
        """Report a mapping of a clustering by the first heuristic that binds it; None if none."""
        graph = self.graph_of(decomposition, clustering)
        try:
            refuse_short_buffers(graph, self.platform)
        except CapacityError:  # whoever comes to the schedule says so
            return None
        binding = next(self.bound_by_any(bindings, graph), None)
        if binding is None:
            return None
        orders = self.ordered_by(WARM_ORDER, graph, binding)
        mapping = Mapping(decomposition, clustering, binding, orders)
        self.report_mapping(mapping)
        return mapping

    def report_mapping(self, mapping: Mapping) -> None:
        """Report a complete mapping, with the claims so far.

        Judging one takes a while on large networks: the same one is reported again, for claims that
        were added since, only where that is a small part of the time that is left.
        """
        if self._is_reported(mapping) and DEAR * self._cost_s > self.left:
            return
        begun = now()
        self.report(Run(Status.FEASIBLE, mapping, tuple(self.claims), tuple(self.seconds)))
        self._reported, self._cost_s = mapping, now() - begun

    def _is_reported(self, mapping: Mapping) -> bool:
        last = self._reported
        return (
            last is not None
            and last.decomposition is mapping.decomposition
            and last.clustering == mapping.clustering
            and last.binding == mapping.binding
            and last.orders == mapping.orders
        )

    def reporter(
        self, decomposition: Decomposition, scope: Scope
    ) -> Callable[[Outcome[Clustering]], None]:
        """Return what a search tells of better clusterings: they are reported as mappings."""

        def report(outcome: Outcome[Clustering], found: Clustering) -> None:
            self.claim("clusters", outcome, scope, found.num_clusters)
            self.fall_back_on(decomposition, found)
            self.claims.pop()  # the stage's own claim is still to come

        return sparingly(report)


def sparingly(report: Callable[[Outcome[T], T], None]) -> Callable[[Outcome[T]], None]:
    """Return what passes solutions on for at most every tenth second: judging one takes a while."""
    last, cost = -inf, 0.0

    def on_better(outcome: Outcome[T]) -> None:
        nonlocal last, cost
        begun, found = now(), outcome.solution
        if found is None or begun - last < 10 * cost:
            return
        report(outcome, found)
        last = now()
        cost = last - begun

    return on_better
