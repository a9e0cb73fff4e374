"""Run one CP-SAT model: limits in; status, whole-number value and bound out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ortools.sat.python import cp_model

from formulations.solvers.leased_cores import leased_cores
from formulations.solvers.status import from_cpsat
from formulations.solvers.stopwatch import Stopwatch
from optmap.clock import did, is_counted
from optmap.model.outcome import SOLVED, Status

#: CP-SAT chooses its sub-solvers by their number; 8 is what its bounds need, also where they share
#: one core (docs/compare.md has the measurement). The limits have as many cores as threads.
WORKERS = 8


#: A search that shares little with CP-SAT's usual one: no presolve, no linear relaxation, no
#: symmetry, one worker, its own seed. What both prove, two different runs of the engine came to.
OTHER_SEARCH: dict[str, int | bool] = {
    "num_workers": 1,
    "cp_model_presolve": False,
    "linearization_level": 0,
    "symmetry_level": 0,
}
OTHER_SEED = 1_000_003

#: Deterministic time, about seconds, for what presolve and the first propagation see.
AT_ONCE = 0.02

#: Reads the variables of a solution.
OnSolution = Callable[[cp_model.CpSolverSolutionCallback], None]


@dataclass(frozen=True)
class CpsatRun:
    """What one run proved. ``value`` and ``bound`` are None where it says nothing."""

    status: Status
    solver: cp_model.CpSolver
    value: int | None
    bound: int | None


class _Watch(cp_model.CpSolverSolutionCallback):
    """Notes every better solution, with the bound at that moment."""

    def __init__(self, watch: Stopwatch, on_solution: OnSolution | None) -> None:
        super().__init__()
        self.watch, self.on_solution = watch, on_solution

    def on_solution_callback(self) -> None:
        """Note a new incumbent; the solver calls this."""
        if self.on_solution is not None:
            self.on_solution(self)
        bound = self.best_objective_bound
        whole = round(bound) if abs(bound) < 2**52 else None
        self.watch.note(round(self.objective_value), whole)


def run_cpsat(
    model: cp_model.CpModel,
    watch: Stopwatch,
    *,
    workers: int = WORKERS,
    interleave: bool = False,
    wall_s: float | None = None,
    on_solution: OnSolution | None = None,
    other_search: bool = False,
) -> CpsatRun:
    """Solve ``model``, which minimises whole numbers or only asks for feasibility.

    Parameters
    ----------
    workers : int
        CP-SAT's own knob; with ``interleave`` (or one worker) a run repeats exactly. The workers
        share as many cores as the limits have threads.
    wall_s : float, optional
        Less than the stopwatch has left, for one stage of several.
    on_solution : callable, optional
        Called at every better solution of a model that minimises.
    other_search : bool
        By ``OTHER_SEARCH``, to prove again what the usual search has proved.
    """
    solver = cp_model.CpSolver()
    seconds = watch.left if wall_s is None else min(wall_s, watch.left)
    if seconds <= 0:
        return CpsatRun(Status.UNKNOWN, solver, None, None)
    parameters = solver.parameters
    if is_counted():
        parameters.max_deterministic_time = seconds
    else:
        parameters.max_time_in_seconds = seconds
    parameters.num_workers = workers
    parameters.random_seed = watch.limits.seed % 2**31
    parameters.interleave_search = interleave or is_counted()
    parameters.catch_sigint_signal = False
    if other_search:
        for name, setting in OTHER_SEARCH.items():
            setattr(parameters, name, setting)
        parameters.random_seed = (watch.limits.seed + OTHER_SEED) % 2**31
    minimises = model.has_objective()
    if parameters.interleave_search and _is_infeasible_at_once(model):
        return CpsatRun(Status.INFEASIBLE, solver, None, None)
    with leased_cores(watch.limits.threads):
        status = from_cpsat(solver.solve(model, _Watch(watch, on_solution) if minimises else None))
    did(solver.response_proto.deterministic_time)
    if not minimises:
        return CpsatRun(status, solver, None, None)
    value = round(solver.objective_value) if status in SOLVED else None
    raw = solver.best_objective_bound
    bound = round(raw) if status is not Status.INFEASIBLE and abs(raw) < 2**52 else None
    if status is Status.UNKNOWN and bound is not None and bound <= 0:
        bound = None  # 0.0 is also what it answers when it knows nothing
    if value is not None or bound is not None:
        watch.note(value, bound)
    return CpsatRun(status, solver, value, bound)


def _is_infeasible_at_once(model: cp_model.CpModel) -> bool:
    """Tell whether one worker refutes a model in a moment.

    CP-SAT 9.15 ends the process ("heuristics.fixed_search != nullptr") where workers take turns at
    a model that is infeasible before any search.
    """
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_deterministic_time = AT_ONCE
    solver.parameters.catch_sigint_signal = False
    status = from_cpsat(solver.solve(model))
    did(solver.response_proto.deterministic_time)
    return status is Status.INFEASIBLE
