"""Is there a binding below a value? CP-SAT on the model of (B1)-(B8), as a second engine."""

from __future__ import annotations

from dataclasses import dataclass

from formulations.binding.cpsat_model import BindingModel
from formulations.binding.sets import BindingSets, load_weight, value_of
from formulations.solvers.run_cpsat import run_cpsat
from formulations.solvers.second_proof import seconds_for
from formulations.solvers.stopwatch import Stopwatch
from optmap.model.mapping import Binding
from optmap.model.outcome import SOLVED, Outcome, Status, Value


@dataclass(frozen=True)
class Below:
    """The question, for one objective under a cap on the load, or none.

    Parameters
    ----------
    other_search : bool
        Whether the first engine was CP-SAT too.
    """

    sets: BindingSets
    objective: str
    max_load: int | None
    watch: Stopwatch
    other_search: bool

    def __call__(self, value: Value | None) -> Outcome[Binding]:
        """Look for a binding below ``value``; None: for any."""
        seconds = seconds_for(self.watch)
        most = None if value is None else int(value) - 1
        if seconds <= 0:
            return Outcome(Status.UNKNOWN)
        model = self._model(most)
        run = run_cpsat(model.cp, self.watch, wall_s=seconds, other_search=self.other_search)
        if run.status not in SOLVED:
            return Outcome(run.status)
        found, sets = model.extract(run.solver), self.sets
        reached = value_of(sets.graph, sets.platform, found, self.objective)
        return Outcome(Status.FEASIBLE, found, reached)

    def _model(self, most: int | None) -> BindingModel:
        weight, cap = load_weight(self.objective), self.max_load
        if weight is None and most is not None:
            cap = most if cap is None else min(most, cap)
        model = BindingModel(self.sets, cap).build()
        model.break_tile_symmetry(self.objective)
        if weight is not None:
            model.measure_hops()
            if most is not None:
                model.cap(weight, most)
        return model
