"""Run one PuLP model by HiGHS (or CBC as a second opinion): status, values and bound out.

PuLP builds the model; its own reading of the result is not used (see
:mod:`formulations.solvers.status`).
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import highspy
import numpy as np
import pulp

from formulations.solvers.status import from_cbc, from_highs, whole_bound
from formulations.solvers.stopwatch import Stopwatch
from optmap.model.outcome import SOLVED, Status


@dataclass(frozen=True)
class PulpRun:
    """What one run proved; ``values`` holds every variable of a solution, by name.

    ``bound`` is derived from the solver's floating-point bound, so it is as sound as that is.
    """

    status: Status
    values: dict[str, int]
    value: int | None
    bound: int | None


def run_highs(
    problem: pulp.LpProblem,
    watch: Stopwatch,
    *,
    hint: Mapping[str, int] | None = None,
    wall_s: float | None = None,
) -> PulpRun:
    """Minimise a whole-number ``problem`` by HiGHS.

    Its clock is looked at rarely: in root cuts 14 s went by beyond a limit of 3 s. What must end
    in time runs in a process that can be killed.

    Parameters
    ----------
    hint : mapping, optional
        Values by variable name; a complete feasible assignment becomes the first incumbent.
    wall_s : float, optional
        Less than the stopwatch has left, for one stage of several.
    """
    # a thread count that differs from the first one of the process is otherwise ignored by HiGHS,
    # which then returns nothing at all
    highspy.Highs.resetGlobalScheduler(True)
    solver = pulp.HiGHS(msg=False, gapRel=0.0, threads=watch.limits.threads)
    solver.optionsDict["random_seed"] = watch.limits.seed % 2**31
    solver.createAndConfigureSolver(problem)
    solver.buildSolverModel(problem)
    model, variables = problem.solverModel, problem.variables()
    constant = round(problem.objective.constant)
    if not variables:  # HiGHS calls a model without columns empty, not solved
        return _solved(problem, watch, Status.OPTIMAL, {}, None)
    if hint is not None:
        known = [(i, hint[v.name]) for i, v in enumerate(variables) if v.name in hint]
        index = np.array([i for i, _ in known], dtype=np.int32)
        model.setSolution(len(known), index, np.array([x for _, x in known], dtype=np.float64))
    seconds = watch.left if wall_s is None else min(wall_s, watch.left)
    if seconds <= 0:
        return PulpRun(Status.UNKNOWN, {}, None, None)
    model.setOptionValue("time_limit", seconds)

    def improved(event: Any) -> None:
        out = event.data_out
        bound = whole_bound(out.mip_dual_bound)
        watch.note(
            round(out.objective_function_value) + constant,
            None if bound is None else bound + constant,
        )

    model.cbMipImprovingSolution.subscribe(improved)
    model.run()
    info = model.getInfo()
    has_solution = bool(
        info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    )
    status = from_highs(model.getModelStatus(), has_solution)
    bound = whole_bound(info.mip_dual_bound)
    bound = None if bound is None else bound + constant
    if status not in SOLVED:
        return PulpRun(status, {}, None, bound if status is Status.UNKNOWN else None)
    column = model.getSolution().col_value
    values = {v.name: round(column[i]) for i, v in enumerate(variables)}
    return _solved(problem, watch, status, values, bound)


def run_cbc(
    problem: pulp.LpProblem, watch: Stopwatch, *, hint: Mapping[str, int] | None = None
) -> PulpRun:
    """Minimise a whole-number ``problem`` by the CBC that PuLP ships.

    Its dual bound stands only in its log, rounded to three decimals: 0.001 is given away.
    """
    if watch.left <= 0:
        return PulpRun(Status.UNKNOWN, {}, None, None)
    constant = round(problem.objective.constant)
    for variable in problem.variables():
        if hint is not None and variable.name in hint:
            variable.setInitialValue(hint[variable.name])
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "cbc.log"
        solver = pulp.COIN_CMD(
            path=pulp.PULP_CBC_CMD.pulp_cbc_path,
            msg=False,
            timeLimit=max(watch.left, 0.1),
            threads=watch.limits.threads if watch.limits.threads > 1 else None,
            warmStart=hint is not None,
            gapRel=0.0,
            logPath=str(log),
            options=[f"randomS {watch.limits.seed % 2**31}"],
        )
        solver.tmpDir = folder
        problem.solve(solver)
        found = re.findall(r"Lower bound:\s+(-?[0-9.]+)", log.read_text(encoding="utf-8"))
    status = from_cbc(problem.sol_status)
    bound = whole_bound(float(found[-1]) - 1e-3) if found else None
    bound = None if bound is None else bound + constant
    if status not in SOLVED:
        return PulpRun(status, {}, None, bound if status is Status.UNKNOWN else None)
    values = {v.name: round(v.varValue or 0) for v in problem.variables()}
    return _solved(problem, watch, status, values, bound)


def _solved(
    problem: pulp.LpProblem,
    watch: Stopwatch,
    status: Status,
    values: dict[str, int],
    bound: int | None,
) -> PulpRun:
    """Recompute the value from the rounded solution; a rounded solution that fails is refused."""
    for row in problem.constraints():
        left = sum(round(c) * values[v.name] for v, c in row.items()) + round(row.constant)
        if not {-1: left <= 0, 0: left == 0, 1: left >= 0}[row.sense]:
            raise ValueError(f"the solver's solution breaks {row.name} once rounded")
    objective = problem.objective
    value = sum(round(c) * values[v.name] for v, c in objective.items()) + round(objective.constant)
    bound = value if status is Status.OPTIMAL else bound
    if bound is not None:
        bound = min(bound, value)  # floating-point bounds may stand a hair above the incumbent
    watch.note(value, bound)
    return PulpRun(status, values, value, bound)
