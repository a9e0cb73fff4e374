"""No star and no bound of any method is beaten by enumeration, nor by another method.

Tiny random instances, every method that comes with optmap, every bound that a row brings: each is
held against the enumerated optimum of the very scope that it claims (all mappings, these units,
this clustering, this binding) and against every value that any other row reached in that scope.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import pytest
from oracles import best_binding, fewest_clusters, least_traffic
from scheduling_oracle import best_joint_period, best_period
from whole_oracle import least, least_period, random_whole_case

from optmap.api import instance_of
from optmap.bounds.bound import Bound
from optmap.errors import CapacityError, FanInError
from optmap.experiment.row import Row
from optmap.experiment.run.in_process import judged
from optmap.experiment.run.job import Job
from optmap.experiment.run.sweep import finish
from optmap.experiment.tables.gaps import all_gaps, covering, shared_bounds
from optmap.flow import run
from optmap.instance import Instance
from optmap.methods import METHODS
from optmap.model.claim import Run
from optmap.model.cluster_graph import ClusterGraph, cluster_graph
from optmap.model.grade import Grade
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits, Status

#: Units of the random networks, at most; enumeration with a prologue is for fewer clusters.
MOST_UNITS, MOST_AHEAD = 4, 2
#: Methods that end by the clock get less of it: nothing is lost, they find all at once.
LIMITS = Limits(wall_s=4.0)
SHORT = Limits(wall_s=0.05)


@dataclass
class Case:
    """One random instance, the rows of methods on it, the optima that were enumerated."""

    instance: Instance
    rows: list[Row] = field(default_factory=list)
    mappings: dict[str, Mapping] = field(default_factory=dict)
    optima: dict[tuple[object, ...], Fraction | None] = field(default_factory=dict)

    @cached_property
    def units(self) -> int:
        return self.instance.snn.num_units

    def add(self, method: str) -> Row | None:
        """Run a method; None where it refuses the instance."""
        known = METHODS[method]
        limits = SHORT if known.whole else LIMITS
        job = Job("random", self.instance.digest(), instance_of(self.instance)[1], method, limits)
        kept: list[Mapping] = []

        def solved() -> Run:
            snn, platform = self.instance.snn, self.instance.platform
            try:
                found = run(known, snn, platform, self.instance.tokens, limits, lambda _: None)
            except ValueError as error:
                if isinstance(error, (CapacityError, FanInError)):
                    return Run(Status.UNKNOWN, None, reason=str(error))
                raise
            if found.mapping is not None:
                kept.append(found.mapping)
            return found

        row, _ = finish(job, judged(job, self.instance, solved))
        assert row.check != "mismatch", f"{method}: {row.reason}"
        if not row.accepted:
            assert row.check != "violation", f"{method}: {row.reason}"
            return row
        self.mappings[row.key] = kept[-1]
        self.rows.append(row)
        return row

    def optimum(self, metric: str, bound: Bound, mapping: Mapping) -> Fraction | None:
        """Return the enumerated least value in a bound's scope; None where nobody enumerates it."""
        key = (metric, bound.scope)
        if key not in self.optima:
            found = self._enumerated(metric, bound, mapping)
            self.optima[key] = None if found is None else Fraction(found)
        return self.optima[key]

    def _enumerated(self, metric: str, bound: Bound, mapping: Mapping) -> int | Fraction | None:
        scope, platform = bound.scope, self.instance.platform
        case = (self.instance.snn, platform, self.instance.tokens)
        if scope.stage == "end to end":
            few = self.units < 4 and self.instance.snn.max_fan_in <= 3  # few trees, that is
            split = "any" if few and scope.splits_above is None else "needed"
            if metric == "period":
                ahead = scope.prologue and self.units <= MOST_AHEAD
                return least_period(*case, prologue=ahead, split=split)
            known = metric in ("clusters", "traffic", "spike_hops", "energy_pj")
            return least(*case, (metric,), split)[metric] if known else None
        decomposition = mapping.decomposition
        if scope.stage == "units":
            if metric == "clusters":
                return fewest_clusters(decomposition, platform)
            most = scope.max_clusters or decomposition.network.num_units
            return least_traffic(decomposition, platform, most) if metric == "traffic" else None
        graph = cluster_graph(decomposition, mapping.clustering, platform, self.instance.tokens)
        return self._scheduled(metric, bound, mapping, graph)

    def _scheduled(
        self, metric: str, bound: Bound, mapping: Mapping, graph: ClusterGraph
    ) -> int | Fraction | None:
        scope, platform = bound.scope, self.instance.platform
        ahead = scope.prologue and graph.num_clusters <= MOST_AHEAD
        if metric == "period" and scope.stage == "binding":
            return best_period(graph, platform, mapping.binding, prologue=ahead)
        if metric == "period":
            return best_joint_period(graph, platform, prologue=ahead)
        objective = {"tile_load_max": "load", "spike_hops": "hops"}.get(metric)
        if objective is None:
            return None
        return best_binding(graph, platform, objective, scope.max_load)


def solved(seed: int, methods: Iterator[str] | tuple[str, ...]) -> Case:
    snn, platform, tokens = random_whole_case(seed, MOST_UNITS)
    case = Case(instance_of(snn, platform, tokens=tokens)[0])
    for method in methods:
        case.add(method)
    return case


def check(case: Case) -> tuple[int, int]:
    """Hold every bound and star against the others; return how many bounds and stars there were."""
    bounds = stars = 0
    for row in case.rows:
        mapping = case.mappings[row.key]
        for bound in row.proved:
            least_value = case.optimum(bound.metric, bound, mapping)
            if least_value is not None:
                bounds += 1
                assert bound.value <= least_value, (row.method, bound, least_value)
        for metric in row.metrics:
            reached = row.value(metric)
            for bound in covering(row, metric, shared_bounds(case.rows)):
                proved = reached is None or bound.value <= reached
                assert proved, (row.method, metric, reached, bound)
    for gap in all_gaps(case.rows):
        assert gap.to_bound is None or gap.to_bound >= 0, gap
        if gap.proved is None or gap.bound is None:
            continue
        stars += 1
        row = next(row for row in case.rows if row.key == gap.key)
        assert gap.proved in (Grade.CERTIFIED, Grade.TWO_SOLVERS)
        least_value = case.optimum(gap.metric, gap.bound, case.mappings[row.key])
        assert least_value is None or gap.value <= least_value, (gap, least_value)
    return bounds, stars


HEURISTICS = tuple(n for n, m in METHODS.items() if not (m.uses_solver or m.whole))
EXACT = tuple(n for n, m in METHODS.items() if m.uses_solver or m.whole)
EVERY = tuple(n for n in (*HEURISTICS, *EXACT) if n not in ("imported", "hypergraph"))


@pytest.mark.parametrize("seed", [2, 3])
def test_stars_and_bounds_hold_on_a_tiny_instance(seed: int) -> None:
    bounds, stars = check(solved(seed, ("random", "song2020", "overlap", "milp", "cpsat", "cover")))
    assert bounds > 20
    assert stars >= 1


@pytest.mark.full
@pytest.mark.parametrize("first", range(0, 1000, 10))
def test_no_star_of_a_thousand_instances_is_beaten(first: int) -> None:
    """Every method on ten instances a part, half a minute of a core: 1,000 in all."""
    found = {seed: check(solved(seed, EVERY)) for seed in range(first, first + 10)}
    assert sum(bounds for bounds, _ in found.values()) > 1_000
    assert sum(stars for _, stars in found.values()) > 100
