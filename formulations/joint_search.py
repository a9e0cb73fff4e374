"""How the joint CP-SAT model is searched: least period with a proof, fewest spike-hops at a period.

Shared by the joint method and the Pareto sweep; ``restrict`` posts what only the latter asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from formulations.joint_model import JointModel
from formulations.joint_model_prologue import JointPrologueModel
from formulations.joint_sets import JointSets, Solution
from formulations.joint_symmetry import canonical
from formulations.order_period_search import Probe, search_period
from formulations.run_cpsat import WORKERS, run_cpsat
from formulations.stopwatch import Stopwatch
from optmap.mapping import Binding
from optmap.method import SOLVED, Limits, Outcome, Status


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
        sets = self.sets
        hint = None if best is None else best[0][0]

        def test(target: Fraction, seconds: float) -> Probe[Solution]:
            if not self.prologue:
                return self._probe(JointModel(sets, target), hint, seconds)
            # Answers without prologue come sooner and are answers here too; a "no" means nothing.
            plain = self._probe(JointModel(sets, target), hint, seconds / 3)
            if plain.solution is not None:
                return plain
            return self._probe(JointPrologueModel(sets, target), hint, seconds * 2 / 3)

        def minimise(least: int, most: int, seconds: float) -> tuple[Probe[Solution], int]:
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
            None if self.prologue else minimise,
        )

    def _prepare(self, model: JointModel, hint: Binding | None) -> None:
        model.build()
        self.restrict(model)
        if hint is not None:
            hint_binding(model, hint)

    def _probe(self, model: JointModel, hint: Binding | None, seconds: float) -> Probe[Solution]:
        if model.impossible:
            return Probe(Status.INFEASIBLE)
        self._prepare(model, hint)
        run = run_cpsat(model.cp, self.watch, workers=self.workers, wall_s=seconds)
        if run.status not in SOLVED:
            return Probe(run.status)
        solution = model.extract(run.solver)
        return Probe(run.status, solution, self.sets.value_of(solution))

    def fewest_hops(
        self, period: Fraction, most: int | None, seconds: float, hint: Binding | None = None
    ) -> Outcome[Solution]:
        """Return a mapping of at most that period with as few spike-hops as the seconds allow.

        Parameters
        ----------
        most : int, optional
            Only mappings of at most so many spike-hops.
        """
        model = (JointPrologueModel if self.prologue else JointModel)(self.sets, period)
        if model.impossible:
            return Outcome(Status.INFEASIBLE)
        self._prepare(model, hint)
        if most is not None:
            model.limit_hops(most)
        model.economise()
        limits = self.watch.limits
        own = Stopwatch(Limits(max(seconds, 1e-3), limits.threads, limits.seed))
        run = run_cpsat(model.cp, own, workers=self.workers)
        if run.status not in SOLVED:
            return Outcome(run.status)
        solution = model.extract(run.solver)
        hops = self.sets.spike_hops_of(solution[0])
        if run.value is None:  # no channel carries a spike, so there was nothing to minimise
            return Outcome(Status.OPTIMAL, solution, hops, hops)
        bound = hops if run.status is Status.OPTIMAL else min(run.bound or 0, hops)
        return Outcome(run.status, solution, hops, bound)


def hint_binding(model: JointModel, binding: Binding) -> None:
    """Suggest the tiles of a known binding, in the form that (B6) keeps."""
    image = canonical(binding, model.sets.group, model.sets.by_work)
    for (a, t), z in model.z.items():
        model.cp.add_hint(z, image[int(binding.tile_of[a])] == t)
