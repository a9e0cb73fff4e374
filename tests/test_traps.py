"""Traps of the installed versions: both solvers must live in one process, in either order."""

from __future__ import annotations

import subprocess
import sys

import pytest

CP_SAT = """
from ortools.sat.python import cp_model
model = cp_model.CpModel()
x = model.new_int_var(0, 9, "x")
model.add(2 * x >= 7)
model.minimize(x)
solver = cp_model.CpSolver()
solver.parameters.num_workers = 1
assert solver.solve(model) == cp_model.OPTIMAL
assert solver.value(x) == 4
"""
HIGHS = """
import highspy
h = highspy.Highs()
h.silent()
y = h.addIntegral(0, 9)
h.addConstr(2 * y >= 7)
h.minimize(y)
assert h.getModelStatus() == highspy.HighsModelStatus.kOptimal
assert round(h.val(y)) == 4
"""
PULP = """
import pulp
assert "HiGHS" in pulp.listSolvers(onlyAvailable=True)
"""


@pytest.mark.parametrize("code", [CP_SAT + HIGHS + PULP, HIGHS + CP_SAT + PULP])
def test_highs_and_cp_sat_share_a_process_in_either_order(code: str):
    """Both ship a libhighs: highspy 1.15 beside ortools 9.15 fails, PuLP then drops HiGHS."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
