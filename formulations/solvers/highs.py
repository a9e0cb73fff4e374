"""Run HiGHS on a model that PuLP built: options, scale, status; what both kinds of runs share.

HiGHS is right on all cases tried only with these options (version 1.14; 240 random least-load
models of 4 to 9 tasks, and the models of ``tests/formulations/solvers/test_wrong_solver.py``):

``presolve=off``
    Presolved, it calls a clustering model of eight units infeasible, or 8 optimal where 6 are
    enough, and ends another with kSolveError.
``mip_rel_gap = mip_abs_gap = 0``, feasibility tolerances of 10^-9, rows and objective scaled
    With loads of 10^5 beside binaries its bound stood above the optimum in 3 of 60 cases, with
    10^7 in 6 of 60 and its value was wrong in 11; scaled, none of either up to 10^7 and one value
    in 60 at 10^9. Tight tolerances without scaling are worse than none: rounding alone breaks rows.

Even so its floating-point bound is a claim, not a proof.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
import pulp

from formulations.solvers.status import from_highs
from formulations.solvers.stopwatch import Stopwatch
from optmap.clock import did, is_counted
from optmap.model.outcome import SOLVED, Status

#: Feasibility tolerance of rows, duals and whole numbers; rows are scaled to coefficients near 1.
TOLERANCE = 1e-9

#: What about a second of one core is counted as (:mod:`optmap.clock`).
NODES_A_UNIT, ITERATIONS_A_UNIT = 1_000, 20_000

OPTIONS: dict[str, str | float] = {
    "presolve": "off",
    "mip_rel_gap": 0.0,
    "mip_abs_gap": 0.0,
    "mip_feasibility_tolerance": TOLERANCE,
    "primal_feasibility_tolerance": TOLERANCE,
    "dual_feasibility_tolerance": TOLERANCE,
}


@dataclass(frozen=True)
class HighsRun:
    """What one run says, in floating-point numbers.

    Parameters
    ----------
    status : Status
        UNKNOWN where HiGHS failed; ``reason`` then says how.
    values : dict of str to float
        Every variable of a solution by name; empty without one.
    bound : float or None
        HiGHS's dual bound in the objective's own sense, its constant included.
    reason : str
        Why there is no solution, where HiGHS gave up by itself.
    """

    status: Status
    values: dict[str, float]
    bound: float | None
    reason: str = ""


#: Told (objective, bound) of every better solution, constants included.
Improved = Callable[[float, float], None]


def optimise(
    problem: pulp.LpProblem,
    watch: Stopwatch,
    *,
    hint: Mapping[str, float] | None = None,
    wall_s: float | None = None,
    improved: Improved | None = None,
) -> HighsRun:
    """Optimise ``problem``, which has a variable at least.

    Its clock is looked at rarely: in root cuts 14 s went by beyond a limit of 3 s. What must end
    in time runs in a process that can be killed.

    Parameters
    ----------
    hint : mapping, optional
        Values by variable name; a complete feasible assignment becomes the first incumbent.
    wall_s : float, optional
        Less than the stopwatch has left, for one stage of several.
    improved : callable, optional
        Told of every better solution while the search goes on.
    """
    model, scale = _model(problem, watch)
    variables = problem.variables()
    if hint is not None:
        known = [(i, hint[v.name]) for i, v in enumerate(variables) if v.name in hint]
        index = np.array([i for i, _ in known], dtype=np.int32)
        model.setSolution(len(known), index, np.array([x for _, x in known], dtype=np.float64))
    seconds = watch.left if wall_s is None else min(wall_s, watch.left)
    if seconds <= 0:
        return HighsRun(Status.UNKNOWN, {}, None)
    if is_counted():
        model.setOptionValue("mip_max_nodes", int(seconds * NODES_A_UNIT) + 1)
        model.setOptionValue("simplex_iteration_limit", int(seconds * ITERATIONS_A_UNIT) + 1)
    else:
        model.setOptionValue("time_limit", seconds)
    scale *= problem.sense  # HiGHS minimises the negated objective of a maximisation
    constant = float(problem.objective.constant)

    def record(event: Any) -> None:
        out = event.data_out
        if improved is not None:
            bound = out.mip_dual_bound * scale + constant
            improved(out.objective_function_value * scale + constant, bound)

    model.cbMipImprovingSolution.subscribe(record)
    model.run()
    info = model.getInfo()
    did(
        info.simplex_iteration_count / ITERATIONS_A_UNIT
        + max(info.mip_node_count, 0) / NODES_A_UNIT
    )
    return _read(problem, model, scale, constant)


def _model(problem: pulp.LpProblem, watch: Stopwatch) -> tuple[highspy.Highs, float]:
    """Return HiGHS with the scaled model and all options, and what its objective is to be times."""
    # a thread count that differs from the first one of the process is otherwise ignored by HiGHS,
    # which then returns nothing at all
    highspy.Highs.resetGlobalScheduler(True)
    solver = pulp.HiGHS(msg=False, threads=watch.limits.threads)
    solver.optionsDict["random_seed"] = watch.limits.seed % 2**31
    solver.createAndConfigureSolver(problem)
    solver.buildSolverModel(problem)
    model = problem.solverModel
    for option, value in OPTIONS.items():
        model.setOptionValue(option, value)
    lp = model.getLp()
    scale = _scale(lp)
    model.passModel(lp)
    return model, scale


def _scale(lp: highspy.HighsLp) -> float:
    """Divide rows and objective by powers of two near their largest number; the objective's back.

    Powers of two change no digit of a number.
    """
    value, row = np.array(lp.a_matrix_.value_), np.array(lp.a_matrix_.index_, dtype=np.int64)
    if lp.a_matrix_.format_ != highspy.MatrixFormat.kColwise:
        row = np.repeat(np.arange(lp.num_row_), np.diff(np.array(lp.a_matrix_.start_)))
    largest = np.zeros(lp.num_row_)
    np.maximum.at(largest, row, np.abs(value))
    factor = _power(largest)
    lp.a_matrix_.value_ = value / factor[row]
    lp.row_lower_ = np.array(lp.row_lower_) / factor
    lp.row_upper_ = np.array(lp.row_upper_) / factor
    cost = np.array(lp.col_cost_)
    scale = float(_power(np.abs(cost).max(initial=0.0, keepdims=True))[0])
    lp.col_cost_ = cost / scale
    return scale


def _power(largest: np.ndarray) -> np.ndarray:
    """Return the power of two not above each number, 1 for those below 1."""
    power: np.ndarray = np.exp2(np.floor(np.log2(np.maximum(largest, 1.0))))
    return power


def _read(problem: pulp.LpProblem, model: highspy.Highs, scale: float, constant: float) -> HighsRun:
    info, native = model.getInfo(), model.getModelStatus()
    feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    status = from_highs(native, bool(feasible))
    reason = ""
    if status is Status.UNKNOWN:
        reason = f"HiGHS {model.version()} ended with {native.name}"
    whole = problem.isMIP()
    raw = info.mip_dual_bound if whole else info.objective_function_value
    bound = float(raw) * scale + constant
    known = bool(np.isfinite(bound)) and (whole or status is Status.OPTIMAL)
    if status not in SOLVED:
        return HighsRun(status, {}, bound if known and status is Status.UNKNOWN else None, reason)
    column = model.getSolution().col_value
    values = {v.name: float(column[i]) for i, v in enumerate(problem.variables())}
    return HighsRun(status, values, bound if known else None, reason)
