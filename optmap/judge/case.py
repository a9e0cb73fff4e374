"""One mapping of one network on one platform: everything that follows from it, each built once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from optmap.bounds.bound import Bound
from optmap.bounds.clusters import cluster_bounds
from optmap.bounds.end_to_end import end_to_end_bounds
from optmap.bounds.period import clustering_period_bounds
from optmap.bounds.spike_hops import hop_bounds
from optmap.bounds.traffic import traffic_bounds
from optmap.judge.binding_aware_graph import BindingAwareGraph, lower
from optmap.judge.check import Violation, graph_violations, input_violations, unit_violations
from optmap.judge.demands import demand_violations
from optmap.judge.evaluation import Evaluation, evaluation_of
from optmap.judge.metrics import computing_energy
from optmap.model.cluster_graph import ClusterGraph, cluster_graph
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.constraints import NONE, Constraints
from optmap.model.grade import Grade
from optmap.model.mapping import Mapping
from optmap.model.platform import Platform
from optmap.model.scope import END_TO_END, Place, Scope, place_of
from optmap.model.snn import SNN


@dataclass(frozen=True)
class Case:
    """A mapping beside what it is a mapping of.

    Parameters
    ----------
    snn : SNN
        The original network.
    platform : Platform
        The hardware model.
    tokens : str
        Token mode, ``dataflow`` or ``pipelined``.
    mapping : Mapping
        Well formed in itself; whether it fits is what is judged.
    constraints : Constraints
        What its user demands of it besides.
    """

    snn: SNN
    platform: Platform
    tokens: str
    mapping: Mapping
    constraints: Constraints = NONE

    @cached_property
    def graph(self) -> ClusterGraph:
        """The cluster graph."""
        made = self.mapping
        return cluster_graph(made.decomposition, made.clustering, self.platform, self.tokens)

    @cached_property
    def bound(self) -> BindingAwareGraph:
        """The binding-aware graph.

        Raises
        ------
        ValueError, CapacityError
            If the orders do not fit the binding, or buffers are too short.
        """
        made = self.mapping
        return lower(self.graph, self.platform, made.binding, made.orders, made.buffers)

    @cached_property
    def violations(self) -> tuple[Violation, ...]:
        """Every rule that the mapping breaks; empty if it can be executed."""
        made = self.mapping
        return (
            *unit_violations(self.snn, made.decomposition, self.platform),
            *input_violations(self.snn, self.platform),
            *graph_violations(
                self.graph,
                self.platform,
                made.binding,
                made.orders,
                lambda: self.bound,
                made.buffers,
            ),
            *demand_violations(self.snn, self.constraints, made),
        )

    @cached_property
    def evaluation(self) -> Evaluation | None:
        """What the mapping costs; None if it breaks a rule."""
        if self.violations:
            return None
        return evaluation_of(self.platform, self.mapping, self.bound)

    @cached_property
    def place(self) -> Place | None:
        """Where the mapping lies, for the scopes of bounds; None if it breaks a rule."""
        found = self.evaluation
        return None if found is None else place_of(self.mapping, found.max_tile_load)

    @cached_property
    def bounds(self) -> tuple[Bound, ...]:
        """The bounds that need no solver and cover the mapping."""
        platform, decomposition = self.platform, self.mapping.decomposition
        found = [*clustering_period_bounds(self.graph, platform), *hop_bounds(self.graph, platform)]
        if isinstance(self.snn, ClusteredSNN):  # its clustering is the only one there is
            found = [replace(bound, scope=END_TO_END) for bound in found]
            given = (("clusters", self.graph.num_clusters), ("traffic", self.graph.spikes.sum()))
            for metric, value in given:
                found.append(Bound(metric, "given", int(value), END_TO_END, Grade.CERTIFIED))
        else:
            found += cluster_bounds(decomposition, platform)
            found += traffic_bounds(decomposition, platform)
            found += bounds_of_any_mapping(self.snn, platform)
        energy = sum(computing_energy(decomposition, platform))
        units = Scope(units=decomposition.identity)
        found.append(Bound("energy_pj", "computing", energy, units, Grade.CERTIFIED))
        return tuple(found)


@lru_cache(maxsize=1)
def bounds_of_any_mapping(snn: SNN, platform: Platform) -> tuple[Bound, ...]:
    """Return what bounds every mapping alike; none where clusters are given.

    They say nothing of a method and take seconds on some networks: a run asks for them before any
    method's clock starts, and reports many mappings of one network.
    """
    return () if isinstance(snn, ClusteredSNN) else end_to_end_bounds(snn, platform)


@lru_cache(maxsize=1)
def last_case(
    snn: SNN, platform: Platform, tokens: str, mapping: Mapping, constraints: Constraints
) -> Case:
    """Return the case of a mapping, the same one as before where it is judged twice running.

    A run reports its best mapping when it finds it, and again at its end.
    """
    return Case(snn, platform, tokens, mapping, constraints)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the judge says: the broken rules, or the evaluation if there are none."""

    violations: tuple[Violation, ...]
    evaluation: Evaluation | None


def judge(
    snn: SNN,
    platform: Platform,
    mapping: Mapping,
    tokens: str,
    constraints: Constraints = NONE,
) -> Judgement:
    """Check ``mapping`` and, if nothing is broken, evaluate it."""
    case = Case(snn, platform, tokens, mapping, constraints)
    return Judgement(case.violations, case.evaluation)
