"""Run one PuLP model with continuous variables by HiGHS: floating-point values and bound out.

:mod:`formulations.solvers.run_pulp` is for whole-number models, whose values it can round and
re-check; here the caller judges the solution by other means.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import highspy
import pulp

from formulations.solvers.status import from_highs
from formulations.solvers.stopwatch import Stopwatch
from optmap.model.outcome import SOLVED, Status


@dataclass(frozen=True)
class MixedRun:
    """What one run says; ``bound`` is the solver's dual bound in the objective's own sense."""

    status: Status
    values: dict[str, float]
    bound: float | None


def run_mixed(problem: pulp.LpProblem, watch: Stopwatch) -> MixedRun:
    """Optimise ``problem`` within what the stopwatch has left."""
    # As in run_pulp: HiGHS otherwise ignores a thread count that differs from the process's first.
    highspy.Highs.resetGlobalScheduler(True)
    solver = pulp.HiGHS(msg=False, gapRel=0.0, threads=watch.limits.threads)
    solver.optionsDict["random_seed"] = watch.limits.seed % 2**31
    solver.createAndConfigureSolver(problem)
    solver.buildSolverModel(problem)
    model, variables = problem.solverModel, problem.variables()
    if watch.left <= 0:
        return MixedRun(Status.UNKNOWN, {}, None)
    model.setOptionValue("time_limit", watch.left)
    model.run()
    info = model.getInfo()
    feasible = highspy.SolutionStatus.kSolutionStatusFeasible
    status = from_highs(model.getModelStatus(), bool(info.primal_solution_status == feasible))
    # HiGHS is given the negated objective of a maximisation.
    raw = info.mip_dual_bound if problem.isMIP() else info.objective_function_value
    bound = float(problem.sense * raw) + float(problem.objective.constant)
    known = math.isfinite(bound) and (problem.isMIP() or status is Status.OPTIMAL)
    if status not in SOLVED:
        return MixedRun(status, {}, bound if known and status is Status.UNKNOWN else None)
    column = model.getSolution().col_value
    values = {v.name: float(column[i]) for i, v in enumerate(variables)}
    return MixedRun(status, values, bound if known else None)
