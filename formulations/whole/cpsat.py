"""All decisions by CP-SAT: bisection on the period, ending with the Farey step.

The model is cpsat_model.py, with ``prologue`` cpsat_model_prologue.py; the search that ends in a
proof is ordering/period_search.py. Its first bounds are those of optmap.bounds.end_to_end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from formulations.joint import cpsat as joint
from formulations.ordering.farey import below
from formulations.ordering.period_search import Probe, search_period
from formulations.solvers.run_cpsat import WORKERS, CpsatRun, run_cpsat
from formulations.solvers.second_proof import graded, seconds_for
from formulations.solvers.stopwatch import Stopwatch
from formulations.whole.binding_model import BindingModel
from formulations.whole.cpsat_model import WholeModel
from formulations.whole.cpsat_model_prologue import WholePrologueModel
from formulations.whole.sets import WholeSets
from formulations.whole.start import (
    Start,
    period_of,
    searched_start,
    usable_start,
    warm_mapping,
)
from optmap.bounds.end_to_end import end_to_end_period_bound
from optmap.clock import now
from optmap.decomposing import none
from optmap.model.cluster_graph import cluster_graph
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.mapping import Mapping
from optmap.model.outcome import SOLVED, Limits, Outcome, Status, Value
from optmap.model.platform import Platform
from optmap.model.snn import SNN

#: Models above so many placements (units times clusters squared) are not built.
MOST_PLACEMENTS = 60_000
#: Networks of more neurons are not even counted.
MOST_NEURONS = 400
#: Part of the limit for mappings with no inserted unit that is not needed, before all are asked.
FIRST_SHARE = 0.25
#: What that may take, per unit and pair of clusters.
SECONDS_A_PLACEMENT = 0.01
#: Part of the limit, and seconds at most, for the search that the models start from.
SEARCH_SHARE, MOST_SEARCH_S = 0.1, 2.0
#: The search may shorten a period to this share of it, so that the model can be built after all.
HOPED = Fraction(4, 5)
#: Part of a test's seconds for its loads alone.
LOADS_SHARE = 0.4


def solve(
    snn: SNN,
    platform: Platform,
    tokens: str,
    limits: Limits,
    *,
    prologue: bool = False,
    start: Mapping | None = None,
    on_better: Callable[[Outcome[Mapping]], None] | None = None,
    workers: int = WORKERS,
) -> Outcome[Mapping]:
    """Return a mapping of least period over all decisions.

    Parameters
    ----------
    prologue : bool
        Search orders with a prologue (S2+) too; its bound then holds for these as well.
    start : Mapping, optional
        Where to start; ignored if it breaks a rule, or has a prologue where none is asked for.
        Without it, the best of a few heuristics.
    on_better : callable, optional
        Told the start before any model is built, and every better mapping.

    Notes
    -----
    A network that is too large for the model (:data:`MOST_PLACEMENTS`), and any on a platform with
    ``buffer_tokens``, gets its start back, with the bound that needs no solver. What the search
    proves beyond that bound is proved again by another search, within the limit
    (:mod:`formulations.solvers.second_proof`).
    """
    if isinstance(snn, ClusteredSNN):
        return _of_given_clusters(snn, platform, limits, prologue, start, workers)
    sets, watch = WholeSets(snn, platform, tokens), Stopwatch(limits, report=on_better)
    low = Fraction(end_to_end_period_bound(snn, platform).value)
    best = usable_start(sets, start, prologue) or warm_mapping(sets, limits.seed)
    if best is not None:
        watch.better(*best, low)
    note = sets.not_modelled
    if note or not fits_model(sets, best[1] if best else Fraction(sets.most_ticks)):
        if best is None:
            return graded(Outcome(Status.UNKNOWN, None, None, low, watch.trace, note=note), low)
        return graded(Outcome(Status.FEASIBLE, *best, low, watch.trace, note=note), low)
    search = _Search(sets, watch, prologue, workers, low)
    best = search.without_choice(best, low)
    ceiling = Fraction(sets.most_ticks) if best is None else best[1]
    outcome = search_period(
        watch,
        search.test,
        low,
        lambda least: sets.most_tokens(least, ceiling),
        best,
        ceiling,
        None if prologue or sets.has_choice(ceiling) else search.minimise,
    )
    return graded(outcome, low, search.below)


def without_prologue(
    snn: SNN,
    platform: Platform,
    tokens: str,
    limits: Limits,
    *,
    objective: str = "period",
    start: Mapping | None = None,
    on_better: Callable[[Outcome[Mapping]], None] | None = None,
) -> Outcome[Mapping]:
    """Return :func:`solve`'s mapping; another objective than the period is left open."""
    if objective != "period":
        return Outcome(Status.UNKNOWN)
    return _from_search(snn, platform, tokens, limits, False, start, on_better)


def with_prologue(
    snn: SNN,
    platform: Platform,
    tokens: str,
    limits: Limits,
    *,
    objective: str = "period",
    start: Mapping | None = None,
    on_better: Callable[[Outcome[Mapping]], None] | None = None,
) -> Outcome[Mapping]:
    """Return :func:`solve`'s mapping, prologues searched too."""
    if objective != "period":
        return Outcome(Status.UNKNOWN)
    return _from_search(snn, platform, tokens, limits, True, start, on_better)


def _from_search(
    snn: SNN,
    platform: Platform,
    tokens: str,
    limits: Limits,
    prologue: bool,
    start: Mapping | None,
    on_better: Callable[[Outcome[Mapping]], None] | None,
) -> Outcome[Mapping]:
    """Return :func:`solve`'s mapping from what the search finds in a share of the time.

    It gets all of it where the model will not be built.
    """
    begun = now()
    if not isinstance(snn, ClusteredSNN) and snn.num_units <= MOST_NEURONS:
        sets = WholeSets(snn, platform, tokens)
        for hoped in (HOPED, Fraction(1)):
            known = usable_start(sets, start, prologue)
            too_large = known is not None and not fits_model(sets, hoped * known[1])
            if hoped == 1 and not too_large:
                break
            left_s = limits.wall_s - (now() - begun)
            share_s = min(SEARCH_SHARE * limits.wall_s, MOST_SEARCH_S)
            part = replace(limits, wall_s=max(left_s if too_large else share_s, 1e-3))
            start = searched_start(sets, part, start, prologue, on_better) or start
            if too_large:
                break  # all of the time is gone
    left = replace(limits, wall_s=max(limits.wall_s - (now() - begun), 0.1))
    return solve(snn, platform, tokens, left, prologue=prologue, start=start, on_better=on_better)


def _of_given_clusters(
    snn: ClusteredSNN,
    platform: Platform,
    limits: Limits,
    prologue: bool,
    start: Mapping | None,
    workers: int,
) -> Outcome[Mapping]:
    """Return the best binding and orders: units and clusters came with the network."""
    units = none.decompose(snn, platform)
    graph = cluster_graph(units, snn.clustering, platform, "dataflow")
    warm = None if start is None else (start.binding, start.orders)
    found = joint.solve(
        graph,
        platform,
        limits,
        prologue=prologue,
        warm=warm,
        workers=workers,
        minimize_spike_hops=False,
    )
    if found.solution is None:
        return Outcome(found.status, bound=found.bound, trace=found.trace, grade=found.grade)
    mapping = Mapping(units, snn.clustering, *found.solution)
    return Outcome(
        found.status, mapping, found.claimed, found.bound, found.trace, grade=found.grade
    )


def fits_model(sets: WholeSets, period: Fraction) -> bool:
    """Tell whether the model at that period is small enough to be built."""
    return len(sets.neurons) <= MOST_NEURONS and placements(sets, period) <= MOST_PLACEMENTS


def placements(sets: WholeSets, period: Fraction) -> int:
    """Return places for units times places for clusters squared: the size of the model."""
    clusters = sets.most_clusters(period)
    units = sum(1 + sets.most_inserted(j, period) for j in sets.neurons)
    return units * clusters * clusters


@dataclass
class _Search:
    """The tests that :func:`search_period` asks for."""

    sets: WholeSets
    watch: Stopwatch
    prologue: bool
    workers: int
    low: Fraction
    known: Mapping | None = None

    def without_choice(self, best: Start | None, low: Fraction) -> Start | None:
        """Return the better of ``best`` and the best mapping with no unit that is not needed."""
        sets = replace(self.sets, needed_only=True)
        value = Fraction(sets.most_ticks) if best is None else best[1]
        self.known = None if best is None else best[0]
        least, most = -(-low // 1), -(-value // 1) - 1
        if least > most or not self.sets.has_choice(value) or not fits_model(sets, value):
            return best
        seconds = min(FIRST_SHARE * self.watch.left, SECONDS_A_PLACEMENT * placements(sets, value))
        probe, _ = self._least_whole(sets, least, most, seconds)
        if probe.solution is None or probe.period is None:
            return best
        self.known = probe.solution
        return probe.solution, probe.period

    def test(self, target: Fraction, seconds: float) -> Probe[Mapping]:
        """Look for a mapping of period ``target`` at most.

        Loads first: where no clustering has loads within ``target``, no order helps. Then the
        schedules without prologue, whose "no" means nothing where one is asked for.
        """
        if self._overloaded(target, seconds * LOADS_SHARE):
            return Probe(Status.INFEASIBLE)
        if not self.prologue:
            return self._probe(WholeModel(self.sets, target), seconds)
        plain = self._probe(WholeModel(self.sets, target), seconds / 3)
        if plain.solution is not None:
            return plain
        return self._probe(WholePrologueModel(self.sets, target), seconds * 2 / 3)

    def minimise(self, least: int, most: int, seconds: float) -> tuple[Probe[Mapping], int]:
        """Look for the least whole period in ``least``..``most``."""
        return self._least_whole(self.sets, least, most, seconds)

    def below(self, value: Value | None) -> Outcome[Mapping]:
        """Look by another search for a mapping of a period below ``value``; None: for any."""
        target = Fraction(self.sets.most_ticks if value is None else value)
        if value is not None:
            target = below(target, self.sets.most_tokens(self.low, target))
        seconds = seconds_for(self.watch)
        if seconds <= 0:
            return Outcome(Status.UNKNOWN)
        ended = self.watch.spent + seconds
        if self._overloaded(target, seconds * LOADS_SHARE, other_search=True):
            return Outcome(Status.INFEASIBLE)
        kind = WholePrologueModel if self.prologue else WholeModel
        model = kind(self.sets, target)
        probe = self._probe(model, ended - self.watch.spent, other_search=True)
        return Outcome(probe.status, probe.solution, probe.period)

    def _overloaded(self, target: Fraction, seconds: float, *, other_search: bool = False) -> bool:
        """Tell whether no mapping has loads within ``target``; loads are whole ticks."""
        model = BindingModel(self.sets, Fraction(target // 1))
        if model.impossible:
            return True
        model.build_units()
        model.build_loads()
        run = self._run(model, seconds, other_search)
        return run.status is Status.INFEASIBLE

    def _least_whole(
        self, sets: WholeSets, least: int, most: int, seconds: float
    ) -> tuple[Probe[Mapping], int]:
        model = WholeModel(sets, Fraction(most), least=least)
        if model.impossible:
            return Probe(Status.INFEASIBLE), most + 1
        model.build()
        if self.known is not None:
            model.hint(self.known)
        model.minimize_period()
        run = run_cpsat(model.cp, self.watch, workers=self.workers, wall_s=seconds)
        if run.status is Status.INFEASIBLE:
            return Probe(run.status), most + 1
        whole = max(run.bound or least, least)
        if run.status not in SOLVED:
            return Probe(run.status), whole
        return self._found(model.extract(run.solver)), whole

    def _probe(
        self, model: WholeModel, seconds: float, *, other_search: bool = False
    ) -> Probe[Mapping]:
        if model.impossible:
            return Probe(Status.INFEASIBLE)
        model.build()
        if self.known is not None:
            model.hint(self.known)
        run = self._run(model, seconds, other_search)
        return self._found(model.extract(run.solver)) if run.status in SOLVED else Probe(run.status)

    def _run(self, model: BindingModel, seconds: float, other_search: bool) -> CpsatRun:
        return run_cpsat(
            model.cp, self.watch, workers=self.workers, wall_s=seconds, other_search=other_search
        )

    def _found(self, mapping: Mapping) -> Probe[Mapping]:
        period = period_of(self.sets, mapping)
        if period is None:
            raise ValueError("the judge refuses a mapping of the whole model")
        self.known = mapping
        self.watch.better(mapping, period, None)
        return Probe(Status.FEASIBLE, mapping, period)
