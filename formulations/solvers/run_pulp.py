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

import pulp

from formulations.solvers.highs import optimise
from formulations.solvers.status import from_cbc, whole_bound
from formulations.solvers.stopwatch import Stopwatch
from optmap.model.outcome import SOLVED, Status


@dataclass(frozen=True)
class PulpRun:
    """What one run proved; ``values`` holds every variable of a solution, by name.

    ``bound`` is derived from the solver's floating-point bound, so it is as sound as that is; it
    may contradict ``value``. ``reason`` says why there is no solution where the solver failed.
    """

    status: Status
    values: dict[str, int]
    value: int | None
    bound: int | None
    reason: str = ""


def run_highs(
    problem: pulp.LpProblem,
    watch: Stopwatch,
    *,
    hint: Mapping[str, int] | None = None,
    wall_s: float | None = None,
) -> PulpRun:
    """Minimise a whole-number ``problem``; parameters as :func:`formulations.solvers.highs`'s."""
    if not problem.variables():  # HiGHS calls a model without columns empty, not solved
        return _solved(problem, watch, Status.OPTIMAL, {}, None)

    def improved(value: float, bound: float) -> None:
        watch.note(round(value), whole_bound(bound))

    run = optimise(problem, watch, hint=hint, wall_s=wall_s, improved=improved)
    bound = None if run.bound is None else whole_bound(run.bound)
    if run.status not in SOLVED:
        return PulpRun(run.status, {}, None, bound, run.reason)
    values = {name: round(value) for name, value in run.values.items()}
    return _solved(problem, watch, run.status, values, bound)


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
    """Recompute the value from the rounded solution; one that then breaks a row is none."""
    broken = _broken_row(problem, values)
    if broken is not None:
        return PulpRun(Status.UNKNOWN, {}, None, None, f"its solution breaks {broken} once rounded")
    objective = problem.objective
    value = sum(round(c) * values[v.name] for v, c in objective.items()) + round(objective.constant)
    bound = value if status is Status.OPTIMAL else bound
    watch.note(value, bound)
    return PulpRun(status, values, value, bound)


def _broken_row(problem: pulp.LpProblem, values: dict[str, int]) -> str | None:
    """Return the first row that whole-number ``values`` break, by name or number."""
    for number, row in enumerate(problem.constraints()):
        left = sum(round(c) * values[v.name] for v, c in row.items()) + round(row.constant)
        if not {-1: left <= 0, 0: left == 0, 1: left >= 0}[row.sense]:
            return str(row.name or f"row {number}")
    return None
