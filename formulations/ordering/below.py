"""Is there an order below a period? Own branch and bound first, then CP-SAT as a second engine."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from formulations.ordering.branch_and_bound import refuted
from formulations.ordering.cpsat_model import OrderModel
from formulations.ordering.cpsat_model_prologue import PrologueModel
from formulations.ordering.farey import below
from formulations.ordering.sets import OrderSets
from formulations.ordering.size import why_not_built
from formulations.solvers.run_cpsat import run_cpsat
from formulations.solvers.second_proof import seconds_for
from formulations.solvers.stopwatch import Stopwatch
from optmap.model.grade import Grade
from optmap.model.mapping import StaticOrders
from optmap.model.outcome import SOLVED, Outcome, Status, Value


@dataclass(frozen=True)
class Below:
    """The question, for one class of schedules.

    Parameters
    ----------
    other_search : bool
        Whether the first engine was CP-SAT too.
    """

    sets: OrderSets
    prologue: bool
    free_sends: bool
    watch: Stopwatch
    other_search: bool

    def __call__(self, value: Value | None) -> Outcome[StaticOrders]:
        """Look for orders of a period below ``value``; what our own search proves is certified."""
        if value is None:
            return Outcome(Status.UNKNOWN)
        sets = self.sets
        target = below(Fraction(value), sets.most_tokens_from(sets.floor))
        if not self.prologue and self.free_sends and refuted(sets, target):
            return Outcome(Status.INFEASIBLE, grade=Grade.CERTIFIED)
        return self._by_cpsat(target)

    def _by_cpsat(self, target: Fraction) -> Outcome[StaticOrders]:
        seconds = seconds_for(self.watch)
        if seconds <= 0 or why_not_built(self.sets.resources, len(self.sets.tasks), seconds):
            return Outcome(Status.UNKNOWN)
        model: OrderModel | PrologueModel = (
            PrologueModel(self.sets, target)
            if self.prologue
            else OrderModel(self.sets, target, self.free_sends)
        )
        if model.impossible:  # by longest paths in whole numbers
            return Outcome(Status.INFEASIBLE, grade=Grade.CERTIFIED)
        cp = model.build().cp
        run = run_cpsat(cp, self.watch, wall_s=seconds, other_search=self.other_search)
        if run.status not in SOLVED:
            return Outcome(run.status)
        found = model.extract(run.solver)
        return Outcome(Status.FEASIBLE, found, self.sets.period_of(found))
