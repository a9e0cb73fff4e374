"""Native statuses: every one known or refused, both solvers in one process, limits reported."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import highspy
import oracles
import pulp
import pytest
from ortools.sat.python import cp_model

from formulations.solvers.run_cpsat import run_cpsat
from formulations.solvers.run_pulp import PulpRun, run_cbc, run_highs
from formulations.solvers.status import from_cbc, from_cpsat, from_highs, whole_bound
from formulations.solvers.stopwatch import Stopwatch
from optmap.clock import counted
from optmap.model.outcome import Limits, Status


def test_what_each_native_status_means() -> None:
    assert from_cpsat(cp_model.OPTIMAL) is Status.OPTIMAL
    assert from_cpsat(cp_model.FEASIBLE) is Status.FEASIBLE
    assert from_cpsat(cp_model.INFEASIBLE) is Status.INFEASIBLE
    assert from_cpsat(cp_model.UNKNOWN) is Status.UNKNOWN
    assert from_highs(highspy.HighsModelStatus.kOptimal, True) is Status.OPTIMAL
    assert from_highs(highspy.HighsModelStatus.kTimeLimit, True) is Status.FEASIBLE
    assert from_highs(highspy.HighsModelStatus.kTimeLimit, False) is Status.UNKNOWN
    assert from_highs(highspy.HighsModelStatus.kSolveError, True) is Status.UNKNOWN
    assert from_cbc(pulp.LpSolutionIntegerFeasible) is Status.FEASIBLE


def test_an_unknown_status_raises() -> None:
    with pytest.raises(ValueError, match="model is wrong"):
        from_cpsat(cp_model.MODEL_INVALID)
    with pytest.raises(ValueError, match="kModelError"):
        from_highs(highspy.HighsModelStatus.kModelError, False)
    with pytest.raises(ValueError, match="sol_status"):
        from_cbc(pulp.LpSolutionUnbounded)


def test_a_bound_gives_the_tolerance_away() -> None:
    assert whole_bound(11.000001) == 11
    assert whole_bound(11.0001) == 12
    assert whole_bound(float("inf")) is None


@pytest.mark.parametrize(
    ("bound", "whole"),
    [
        (5e-7, 0),
        (1.0000015, 2),
        (1000.0005, 1000),
        (1000.002, 1001),
        (-1000.0005, -1000),
        (3.0 * 2**50, 3 * 2**50 - 3 * 2**50 // 10**6),
        (2.0**52, None),
        (-(2.0**52), None),
        (float("nan"), None),
        (float("-inf"), None),
    ],
)
def test_the_tolerance_is_relative_above_one(bound: float, whole: int | None) -> None:
    """Above 2^52 a float no longer tells whole numbers apart; below, every bound says something."""
    assert whole_bound(bound) == whole


@pytest.mark.parametrize("first", ["highspy", "ortools.sat.python.cp_model"])
def test_both_solvers_share_a_process_in_either_order(first: str) -> None:
    """Highspy 1.15 could not (or-tools issue 5246); PuLP would silently lose HiGHS."""
    both = ["highspy", "ortools.sat.python.cp_model"]
    order = [first, *(m for m in both if m != first)]
    code = (
        f"import {order[0]}, {order[1]}, pulp\n"
        "from ortools.sat.python import cp_model\n"
        "assert pulp.HiGHS(msg=False).available()\n"
        "m = cp_model.CpModel(); x = m.new_int_var(0, 3, 'x'); m.maximize(x)\n"
        "s = cp_model.CpSolver(); s.solve(m); assert s.objective_value == 3\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=900)


def _covering(back_end: str) -> tuple[pulp.LpProblem, list[pulp.LpVariable]]:
    """Min 5 + x0 + x1 + x2 with each pair covered: value 7."""
    problem = pulp.LpProblem(back_end, pulp.LpMinimize)
    x = [problem.add_variable(f"x{i}", 0, 1, pulp.LpInteger) for i in range(3)]
    problem.setObjective(pulp.lpSum(x) + 5)
    for i in range(3):
        problem += x[i] + x[(i + 1) % 3] >= 1
    return problem, x


@pytest.mark.parametrize("run", [run_highs, run_cbc])
@pytest.mark.parametrize("threads", [1, 2])
def test_the_objective_constant_is_not_lost(run: Callable[..., PulpRun], threads: int) -> None:
    problem, _ = _covering("constant")
    found = run(problem, Stopwatch(Limits(threads=threads)), hint={"x0": 1, "x1": 1, "x2": 0})
    assert (found.status, found.value, found.bound) == (Status.OPTIMAL, 7, 7)


@pytest.mark.parametrize("run", [run_highs, run_cbc])
def test_infeasible_is_not_unknown(run: Callable[..., PulpRun]) -> None:
    problem, x = _covering("infeasible")
    problem += x[0] + x[1] + x[2] <= 1
    found = run(problem, Stopwatch(Limits()))
    assert (found.status, found.value, found.bound) == (Status.INFEASIBLE, None, None)


def test_no_time_is_unknown_without_value_or_bound() -> None:
    watch = Stopwatch(Limits(wall_s=1e-9))
    assert run_highs(_covering("late")[0], watch).status is Status.UNKNOWN
    model = cp_model.CpModel()
    model.minimize(model.new_int_var(1, 2, "x"))
    late = run_cpsat(model, watch)
    assert (late.status, late.value, late.bound) == (Status.UNKNOWN, None, None)


def test_workers_in_turns_say_infeasible_and_live() -> None:
    """CP-SAT 9.15 ends the process where workers take turns at what propagation refutes."""
    model = cp_model.CpModel()
    x = model.new_int_var(0, 1, "x")
    model.add(x >= 1)
    model.add(x <= 0)
    with counted():
        found = run_cpsat(model, Stopwatch(Limits()))
    assert (found.status, found.value, found.bound) == (Status.INFEASIBLE, None, None)


@pytest.mark.wall_clock  # HiGHS counts no work inside one long node
def test_a_stopped_solve_has_an_incumbent_below_which_its_bound_stays() -> None:
    """What a time limit stops is never called optimal without a bound that meets the value."""
    from formulations.clustering import milp as partition_milp
    from optmap.decomposing.contract import decompose

    network = oracles.random_network(4, units=60, most_inputs=40, most_fan_in=6)
    decomposition, platform = decompose(network, 8, "none"), oracles.mesh([(8, 4)])
    for wall_s in (0.5, 2.0, 8.0, 32.0, 128.0):  # a busy machine finds its first one later
        limits = Limits(wall_s=wall_s)
        outcome = partition_milp.minimize_clusters(decomposition, platform, limits)
        if outcome.solution is not None:
            break
    assert outcome.status in (Status.FEASIBLE, Status.OPTIMAL)
    assert outcome.bound is None or outcome.bound <= outcome.claimed
    assert outcome.solution.num_clusters == outcome.claimed
