"""How the joint CP-SAT model is searched: least period with a proof, fewest spike-hops at a period.

Shared by the joint method and the Pareto sweep; ``restrict`` posts what only the latter asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from formulations.joint.branch_and_bound import refuted
from formulations.joint.cpsat_model import JointModel
from formulations.joint.cpsat_model_prologue import JointPrologueModel
from formulations.joint.master import MasterModel
from formulations.joint.sets import JointSets, Solution
from formulations.joint.staged import StagedModel, circles
from formulations.joint.symmetry import canonical
from formulations.ordering.cpsat_model import OrderModel
from formulations.ordering.cpsat_model_prologue import PrologueModel
from formulations.ordering.farey import below
from formulations.ordering.period_search import Probe, search_period
from formulations.ordering.sets import OrderSets, best_start
from formulations.ordering.size import OutOfTimeError
from formulations.solvers.run_cpsat import WORKERS, run_cpsat
from formulations.solvers.second_proof import seconds_for
from formulations.solvers.stopwatch import Stopwatch
from optmap.model.grade import Grade
from optmap.model.mapping import Binding
from optmap.model.outcome import SOLVED, Limits, Outcome, Status, Value

#: From so many clusters times tiles, a binding along the data, then one of few sends, is ordered
#: before both are searched.
TWO_STAGES_FROM = 120
#: What that binding may take, per cluster and tile.
SECONDS_A_PLACE = 0.008
#: Bindings along the data that are tried with cycles of channels on several tiles.
FREE_ATTEMPTS = 4
#: What building the master takes, as a part of the joint model's time.
MASTER_PART = 0.4


def no_restriction(model: JointModel) -> None:
    """Post nothing."""


@dataclass(frozen=True)
class JointSearch:
    """One joint problem, its class of schedules, and the clock.

    Parameters
    ----------
    restrict : callable
        Posts further constraints on every model that is built.
    """

    sets: JointSets
    watch: Stopwatch
    prologue: bool = False
    workers: int = WORKERS
    restrict: Callable[[JointModel], None] = no_restriction

    def least_period(self, best: tuple[Solution, Fraction] | None) -> Outcome[Solution]:
        """Return a mapping of least period; ``best`` is a known one with its period."""
        sets, stages = self.sets, len(self.sets.clusters) * len(self.sets.tiles) >= TWO_STAGES_FROM
        first = None
        if best is None and stages:
            first = self._binding(sets.floor)
            best = self._any_orders(first or self._binding(sets.floor * 11 / 10))
        hint = None if best is None else best[0][0]

        def test(target: Fraction, seconds: float) -> Probe[Solution]:
            if stages:
                probe = self._along_the_data(target, seconds / 4)
                if probe.solution is not None:
                    return probe
                known = first if target == sets.floor else None
                binding = self._binding(target) if known is None else known
                probe = self._orders_of(binding, target, seconds / 4)
                if probe.solution is not None:
                    return probe
                seconds *= 1 / 2
            if not self.prologue:
                return self._probe(JointModel, target, hint, seconds)
            # Answers without prologue come sooner and are answers here too; a "no" means nothing.
            plain = self._probe(JointModel, target, hint, seconds / 3)
            if plain.solution is not None:
                return plain
            return self._probe(JointPrologueModel, target, hint, seconds * 2 / 3)

        def minimise(least: int, most: int, seconds: float) -> tuple[Probe[Solution], int]:
            if not self._leaves_time_for(1.0):
                return Probe(Status.UNKNOWN, ended=True), least
            model = JointModel(sets, Fraction(most), least=least)
            if model.impossible:
                return Probe(Status.INFEASIBLE), most + 1
            self._prepare(model, hint)
            model.minimize_period()
            run = run_cpsat(model.cp, self.watch, workers=self.workers, wall_s=seconds)
            if run.status is Status.INFEASIBLE:
                return Probe(run.status), most + 1
            whole = max(run.bound or least, least)
            if run.status not in SOLVED:
                return Probe(run.status), whole
            solution = model.extract(run.solver)
            return Probe(run.status, solution, sets.value_of(solution)), whole

        ceiling = Fraction(max(sets.most_ticks, 1))
        return search_period(
            self.watch,
            test,
            sets.floor,
            sets.most_tokens_from,
            best,
            ceiling,
            None if self.prologue or stages else minimise,
        )

    def _binding(self, target: Fraction) -> Binding | None:
        """Return a binding whose loads are within ``target`` and whose sends are few."""
        size = len(self.sets.clusters) * len(self.sets.tiles)
        seconds = min(size * SECONDS_A_PLACE, self.watch.left / 10)
        if seconds <= 0 or not self._leaves_time_for(MASTER_PART):
            return None
        master = MasterModel(self.sets, Fraction(max(int(target), 1)))
        if master.impossible:
            return None
        master.build()
        if self.restrict is not no_restriction:  # nothing else asks how far a send goes
            master.measure_hops()
        self.restrict(master)
        master.minimize_sends()
        limits = self.watch.limits
        own = Stopwatch(Limits(seconds, limits.threads, limits.seed))
        run = run_cpsat(master.cp, own, workers=self.workers)
        return master.binding(run.solver) if run.status in SOLVED else None

    def _along_the_data(self, target: Fraction, seconds: float) -> Probe[Solution]:
        """Look for a binding along the data, and for its orders; a "no" says nothing.

        Cycles of channels are kept together first, then free, so that another binding is another
        chance.
        """
        limits, until = self.watch.limits, self.watch.spent + seconds
        label = circles(self.sets)
        for attempt in range(1 + FREE_ATTEMPTS if len(set(label)) < len(label) else 1):
            left = until - self.watch.spent
            if left <= 0 or not self._leaves_time_for(MASTER_PART):
                break
            whole = Fraction(max(int(target), 1))
            model = StagedModel(self.sets, whole, together=attempt == 0)
            if model.impossible:
                break
            model.build()
            if self.restrict is not no_restriction:
                model.measure_hops()
            self.restrict(model)
            own = Stopwatch(Limits(left / 2, limits.threads, limits.seed + attempt))
            run = run_cpsat(model.cp, own, workers=self.workers)
            if run.status in SOLVED:
                probe = self._orders_of(model.binding(run.solver), target, left / 4)
                if probe.solution is not None:
                    return probe
            elif attempt:
                break
        return Probe(Status.UNKNOWN)

    def _any_orders(self, binding: Binding | None) -> tuple[Solution, Fraction] | None:
        """Return the binding with the orders of earliest starts, and their period."""
        if binding is None:
            return None
        orders, period = best_start(self._order_sets(binding), False, True, None)
        return (binding, orders), period

    def _orders_of(
        self, binding: Binding | None, target: Fraction, seconds: float
    ) -> Probe[Solution]:
        """Look for orders of one binding only; a "no" says nothing about the others."""
        if binding is None:
            return Probe(Status.UNKNOWN)
        sets = self._order_sets(binding)
        if sets.floor > target:
            return Probe(Status.UNKNOWN)
        # With a prologue, sometimes the one class of schedules is found sooner, then the other.
        kinds = (OrderModel, PrologueModel) if self.prologue else (OrderModel,)
        for kind in kinds:
            try:
                model = kind(sets, target, expired=lambda: self.watch.left <= 0)
            except OutOfTimeError:
                break
            if model.impossible:
                continue
            part = seconds / len(kinds)
            run = run_cpsat(model.build().cp, self.watch, workers=self.workers, wall_s=part)
            if run.status in SOLVED:
                orders = model.extract(run.solver)
                return Probe(run.status, (binding, orders), sets.period_of(orders))
        return Probe(Status.UNKNOWN)

    def _order_sets(self, binding: Binding) -> OrderSets:
        return OrderSets(self.sets.graph, self.sets.platform, binding)

    def _leaves_time_for(self, part: float) -> bool:
        """Tell whether longest paths and such a part of a joint model are done before the limit."""
        return self.sets.seconds_to_build(part) <= self.watch.processor(self.watch.left)

    def _prepare(self, model: JointModel, hint: Binding | None) -> None:
        model.build()
        self.restrict(model)
        if hint is not None:
            hint_binding(model, hint)

    def _probe(
        self, kind: type[JointModel], target: Fraction, hint: Binding | None, seconds: float
    ) -> Probe[Solution]:
        if not self._leaves_time_for(0.0):
            return Probe(Status.UNKNOWN, ended=True)
        model = kind(self.sets, target)
        if model.impossible:
            return Probe(Status.INFEASIBLE)
        if not self._leaves_time_for(1.0):
            return Probe(Status.UNKNOWN, ended=True)
        self._prepare(model, hint)
        run = run_cpsat(model.cp, self.watch, workers=self.workers, wall_s=seconds)
        if run.status not in SOLVED:
            return Probe(run.status)
        solution = model.extract(run.solver)
        return Probe(run.status, solution, self.sets.value_of(solution))

    def below(self, value: Value | None) -> Outcome[Solution]:
        """Look for a mapping below a period: by our own search, then by CP-SAT's other search.

        The second engine of :func:`formulations.solvers.second_proof.graded`.
        """
        if value is None:
            return Outcome(Status.UNKNOWN)
        sets = self.sets
        certified: Outcome[Solution] = Outcome(Status.INFEASIBLE, grade=Grade.CERTIFIED)
        target = below(Fraction(value), sets.most_tokens_from(sets.floor))
        until = self.watch.spent + seconds_for(self.watch)
        if not self.prologue and refuted(sets, target, expired=lambda: self.watch.spent >= until):
            return certified
        seconds = seconds_for(self.watch)
        if not self._leaves_time_for(0.0):
            return Outcome(Status.UNKNOWN)
        model = (JointPrologueModel if self.prologue else JointModel)(sets, target)
        if model.impossible:  # by longest paths in whole numbers
            return certified
        if seconds <= 0 or not self._leaves_time_for(1.0):
            return Outcome(Status.UNKNOWN)
        self._prepare(model, None)
        run = run_cpsat(model.cp, self.watch, wall_s=seconds, other_search=True)
        if run.status not in SOLVED:
            return Outcome(run.status)
        solution = model.extract(run.solver)
        return Outcome(Status.FEASIBLE, solution, sets.value_of(solution))

    def fewest_hops(
        self, period: Fraction, most: int | None, seconds: float, hint: Binding | None = None
    ) -> Outcome[Solution]:
        """Return a mapping of at most that period with as few spike-hops as the seconds allow.

        Parameters
        ----------
        most : int, optional
            Only mappings of at most so many spike-hops.
        """
        if not self._leaves_time_for(0.0):
            return Outcome(Status.UNKNOWN)
        model = (JointPrologueModel if self.prologue else JointModel)(self.sets, period)
        if model.impossible:
            return Outcome(Status.INFEASIBLE)
        if not self._leaves_time_for(1.0):
            return Outcome(Status.UNKNOWN)
        self._prepare(model, hint)
        if most is not None:
            model.limit_hops(most)
        model.minimize_spike_hops()
        limits = self.watch.limits
        own = Stopwatch(Limits(max(seconds, 1e-3), limits.threads, limits.seed))
        run = run_cpsat(model.cp, own, workers=self.workers)
        if run.status not in SOLVED:
            return Outcome(run.status)
        solution = model.extract(run.solver)
        hops = self.sets.spike_hops_of(solution[0])
        if run.value is None:  # no channel carries a spike, so there was nothing to minimise
            return Outcome(Status.OPTIMAL, solution, hops, hops)
        bound = hops if run.status is Status.OPTIMAL else run.bound or 0
        return Outcome(run.status, solution, hops, bound)


def hint_binding(model: JointModel, binding: Binding) -> None:
    """Suggest the tiles of a known binding, in the form that (B6) keeps."""
    image = canonical(binding, model.sets.group, model.sets.by_work)
    for (a, t), z in model.z.items():
        model.cp.add_hint(z, image[int(binding.tile_of[a])] == t)
