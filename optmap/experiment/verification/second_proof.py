"""A bound proved again: without a solver, by its certificate, or by solving its stage once more.

What none of them proves again within its limit is not refuted either: it rests on a solver's word,
is counted as such, and is no reason for a star.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Any

from optmap.bounds.bound import Bound
from optmap.exact import (
    EXACT_BINDERS,
    EXACT_CLUSTERINGS,
    EXACT_MULTICASTS,
    EXACT_ORDERINGS,
    EXACT_SCHEDULES,
    EXACT_WHOLE,
)
from optmap.exact_questions import binding_floor
from optmap.instance import Instance
from optmap.model.cluster_graph import ClusterGraph, cluster_graph
from optmap.model.grade import Grade
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits, Outcome, Value

#: Another seed than any row's, so that a solver does not repeat its own mistake.
SECOND_SEED = 104_729


class Word(Enum):
    """What is known of a bound now."""

    PROVED_AT_ONCE = "proved without solving anything again"
    PROVED = "proved by solving again"
    REFUTED = "refuted"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class SecondProof:
    """What became of one bound, by what, and how far that can be trusted."""

    word: Word
    by: str
    grade: Grade = Grade.CLAIMED

    @property
    def deserves(self) -> Grade | None:
        """The grade of a bound that was proved so; None if it was not.

        Proved by solving again it has two witnesses, or an own search of ours.
        """
        if self.word is Word.PROVED:
            return self.grade if self.grade is Grade.CERTIFIED else Grade.TWO_SOLVERS
        return Grade.CERTIFIED if self.word is Word.PROVED_AT_ONCE else None

    def vouches_for(self, grade: Grade) -> bool:
        """Tell whether a bound that was proved so deserves a grade.

        What was proved again has a second witness; certified is what needs no solver, or what an
        own search of ours has exhausted again.
        """
        if grade is Grade.CLAIMED or self.word is Word.PROVED_AT_ONCE:
            return True
        return self.word is Word.PROVED and (
            grade is Grade.TWO_SOLVERS or self.grade is Grade.CERTIFIED
        )


def prove_bound(
    bound: Bound, mapping: Mapping, instance: Instance, own: Iterable[Bound], limits: Limits
) -> SecondProof:
    """Try to prove a bound again, the cheapest way first.

    Parameters
    ----------
    bound : Bound
        As a stage of the mapping's method claims it; its scope names the mapping's identities.
    own : iterable of Bound
        Bounds that were computed or proved just now.
    limits : Limits
        For solving the stage again; the seed should be another than the row's.
    """
    for known in own:
        same = known.metric == bound.metric and bound.scope.within(known.scope)
        if same and known.value >= bound.value:
            return SecondProof(Word.PROVED_AT_ONCE, known.name, Grade.CERTIFIED)
    again = _solved_again(bound, mapping, instance, limits)
    if again.value is not None and again.value < bound.value:
        return SecondProof(Word.REFUTED, f"{again.by} reached {again.value}")
    if again.bound is not None and again.bound >= bound.value:
        return SecondProof(Word.PROVED, again.by, again.grade)
    low = "nothing" if again.bound is None else again.bound
    return SecondProof(Word.OPEN, f"{again.by} proved {low}")


@dataclass(frozen=True, slots=True)
class Found:
    """What solving a stage once more reached and proved, and which solver did it."""

    value: Value | Fraction | None = None
    bound: Value | Fraction | None = None
    by: str = "nobody"
    grade: Grade = Grade.CLAIMED

    def settles(self, bound: Bound) -> bool:
        """Tell whether this proves a bound, or refutes it."""
        proves = self.bound is not None and self.bound >= bound.value
        return proves or (self.value is not None and self.value < bound.value)


def _found(outcome: Outcome[Any], by: str) -> Found:
    return Found(outcome.claimed, outcome.bound, by, outcome.grade)


def _solved_again(bound: Bound, mapping: Mapping, instance: Instance, limits: Limits) -> Found:
    """Solve the stage of a bound again, from the mapping that is known."""
    platform, scope = instance.platform, bound.scope
    decomposition, clustering = mapping.decomposition, mapping.clustering
    start = None if mapping.orders.has_prologue and not scope.prologue else mapping
    if scope.stage == "end to end":
        return _whole_again(bound, start, instance, limits)
    if scope.stage == "units":
        return _clustering_again(bound, mapping, instance, limits)
    graph = cluster_graph(decomposition, clustering, platform, instance.tokens)
    if bound.metric == "period" and scope.stage == "binding":
        name = "cpsat-prologue" if scope.prologue else "cpsat"
        order, orders = EXACT_ORDERINGS[name].load(), None if start is None else start.orders
        return _found(order(graph, platform, mapping.binding, limits, start=orders), name)
    if bound.metric == "period":
        name = "joint-prologue" if scope.prologue else "joint"
        schedule = EXACT_SCHEDULES[name].load()
        both = None if start is None else (start.binding, start.orders)
        return _found(schedule(graph, platform, limits, start=both), name)
    if bound.metric == "multicast_hops":
        name = "multicast-cpsat"
        nearest = EXACT_MULTICASTS[name]()
        return _found(nearest(graph, platform, limits, start=mapping.binding), name)
    if bound.metric in ("tile_load_max", "spike_hops"):
        return _binding_again(bound, mapping, graph, instance, limits)
    return Found()


def _binding_again(
    bound: Bound, mapping: Mapping, graph: ClusterGraph, instance: Instance, limits: Limits
) -> Found:
    """Bind again; what is certified by counting, or by the searched binding, is certified so."""
    objective = "load" if bound.metric == "tile_load_max" else "hops"
    platform, certified = instance.platform, bound.grade is Grade.CERTIFIED
    if certified:
        floor = binding_floor(graph, platform, limits, objective)
        if floor >= bound.value:
            return Found(None, floor, "counting", Grade.CERTIFIED)
    name = "search" if certified else "cpsat"
    outcome = EXACT_BINDERS[name]()(
        graph,
        platform,
        limits,
        objective=objective,
        max_load=bound.scope.max_load,
        start=mapping.binding,
    )
    return _found(outcome, name)


def _whole_again(bound: Bound, start: Mapping | None, instance: Instance, limits: Limits) -> Found:
    if bound.metric != "period" or bound.scope.splits_above is not None:
        return Found()
    name = "cpsat-prologue" if bound.scope.prologue else "cpsat"
    solve = EXACT_WHOLE[name].load()
    outcome = solve(instance.snn, instance.platform, instance.tokens, limits, start=start)
    return _found(outcome, f"whole-{name}")


#: Clusterings that prove a bound again, in the order in which they are asked: stage and its name.
CLUSTERS_AGAIN = (("colgen", "column generation"), ("cpsat", "cpsat"))
TRAFFIC_AGAIN = (("lns", "prices"), ("cpsat", "cpsat"))


def _clustering_again(bound: Bound, mapping: Mapping, instance: Instance, limits: Limits) -> Found:
    """Cluster again; a second engine is asked where the first neither proves nor refutes."""
    decomposition, start = mapping.decomposition, mapping.clustering
    platform, found = instance.platform, Found()
    engines = {"clusters": CLUSTERS_AGAIN, "traffic": TRAFFIC_AGAIN}.get(bound.metric, ())
    for name, by in engines:
        if bound.metric == "clusters":
            fewest = EXACT_CLUSTERINGS[name].fewest()
            outcome = fewest(decomposition, platform, limits, start=start)
        else:
            most = bound.scope.max_clusters or start.num_clusters
            least = EXACT_CLUSTERINGS[name].least()
            outcome = least(decomposition, platform, most, limits, start=start)
        found = _found(outcome, by)
        if found.settles(bound):
            break
    return found
