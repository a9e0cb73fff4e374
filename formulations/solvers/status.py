"""What the solvers' own statuses mean, in one place (nothing else reads a native status).

Traps that this file exists for, each seen with the installed versions: PuLP's ``status`` says
"Optimal" for a run that the time limit stopped, so it is never read; HiGHS's own model status is,
and for CBC PuLP's ``sol_status``. CP-SAT answers 0.0 for value and bound of a run without either.
An objective's constant does not reach HiGHS and CBC, so values are recomputed from the solution.
A status that is not listed here raises: it is a fact nobody has looked at yet.
"""

from __future__ import annotations

import math

import highspy
import pulp
from ortools.sat.python import cp_model

from optmap.model.outcome import Status

_CPSAT = {
    cp_model.OPTIMAL: Status.OPTIMAL,
    cp_model.FEASIBLE: Status.FEASIBLE,
    cp_model.INFEASIBLE: Status.INFEASIBLE,
    cp_model.UNKNOWN: Status.UNKNOWN,
}  # MODEL_INVALID is a bug of a formulation and stays unknown here

_HIGHS_PROVED = {
    highspy.HighsModelStatus.kOptimal: Status.OPTIMAL,
    highspy.HighsModelStatus.kInfeasible: Status.INFEASIBLE,
}
_HIGHS_STOPPED = {
    highspy.HighsModelStatus.kTimeLimit,
    highspy.HighsModelStatus.kIterationLimit,
    highspy.HighsModelStatus.kSolutionLimit,
    highspy.HighsModelStatus.kInterrupt,
    highspy.HighsModelStatus.kMemoryLimit,
    highspy.HighsModelStatus.kObjectiveBound,
    highspy.HighsModelStatus.kObjectiveTarget,
}
#: HiGHS gave up by itself: nothing is known, whatever it holds.
_HIGHS_FAILED = {
    highspy.HighsModelStatus.kSolveError,
    highspy.HighsModelStatus.kPresolveError,
    highspy.HighsModelStatus.kPostsolveError,
    highspy.HighsModelStatus.kUnknown,
}

_CBC = {
    pulp.LpSolutionOptimal: Status.OPTIMAL,
    pulp.LpSolutionIntegerFeasible: Status.FEASIBLE,
    pulp.LpSolutionInfeasible: Status.INFEASIBLE,
    pulp.LpSolutionNoSolutionFound: Status.UNKNOWN,
}


def from_cpsat(native: object) -> Status:
    """Return what a CP-SAT status means.

    Raises
    ------
    ValueError
        For MODEL_INVALID and for any status this project has not met.
    """
    for known, status in _CPSAT.items():
        if native == known:
            return status
    raise ValueError(f"CP-SAT answered {native!r}: the model is wrong")


def from_highs(native: object, has_solution: bool) -> Status:
    """Return what a HiGHS model status means, given whether it holds an integer solution.

    Raises
    ------
    ValueError
        For a status this project has not met; a model that cannot be loaded is a bug of ours.
    """
    if native in _HIGHS_PROVED:
        return _HIGHS_PROVED[native]
    if native in _HIGHS_STOPPED:
        return Status.FEASIBLE if has_solution else Status.UNKNOWN
    if native in _HIGHS_FAILED:
        return Status.UNKNOWN
    raise ValueError(f"HiGHS answered {native!r}")


def from_cbc(sol_status: int) -> Status:
    """Return what PuLP's ``sol_status`` after CBC means (its ``status`` folds facts).

    Raises
    ------
    ValueError
        For a status this project has not met.
    """
    if sol_status not in _CBC:
        raise ValueError(f"CBC answered sol_status {sol_status}")
    return _CBC[sol_status]


def whole_bound(bound: float) -> int | None:
    """Return the integer that a floating-point lower bound of an integer objective proves.

    Rounded up after giving away the solvers' own tolerance (10^-6, relative above 1), so that a
    bound a hair above an integer does not become the next one. None if the bound says nothing.

    Examples
    --------
    >>> whole_bound(2.3), whole_bound(3.0000001), whole_bound(float("-inf"))
    (3, 3, None)
    """
    if not math.isfinite(bound) or abs(bound) >= 2**52:
        return None
    return math.ceil(bound - 1e-6 * max(1.0, abs(bound)))
