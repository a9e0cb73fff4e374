"""Who vouches for an outcome's bound: exact arithmetic, two engines, or one solver's word.

A floating-point solver's bound is never a proof by itself, and one run of an exact solver is one
program's word. What is optimal, or infeasible, is therefore asked again of another engine, within
what is left of the limit: is there anything below the value? HiGHS's claims are asked of CP-SAT,
CP-SAT's of a search that shares little with the first
(:data:`formulations.solvers.run_cpsat.OTHER_SEARCH`).
Where the second finds something better the outcome keeps the first one's bound beside it and
contradicts itself, for all to see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from formulations.solvers.stopwatch import Stopwatch
from optmap.model.grade import Grade
from optmap.model.outcome import SOLVED, Outcome, Status, Value

S = TypeVar("S")

#: The second engine's time: a part of what is left, and at most so many times what was spent.
SHARE, TIMES, LEAST_S = 0.5, 2.0, 0.5

#: Looks for a solution below a value (None: for any), by another engine.
Again = Callable[[Value | None], Outcome[S]]


def seconds_for(watch: Stopwatch) -> float:
    """Return what the second engine may take: twice what the first took, and half of the rest."""
    return min(SHARE * watch.left, LEAST_S + TIMES * watch.spent)


def graded(outcome: Outcome[S], floor: Value | None, again: Again[S] | None = None) -> Outcome[S]:
    """Return the outcome with a grade for its bound.

    Parameters
    ----------
    floor : int or Fraction, optional
        A bound by exact arithmetic, without any solver. Where it is no worse than the outcome's it
        takes its place.
    again : callable, optional
        The second engine; asked only where the outcome is optimal above ``floor``, or infeasible.
    """
    bound, infeasible = outcome.bound, outcome.status is Status.INFEASIBLE
    if floor is not None and not infeasible and (bound is None or bound <= floor):
        return _certified(outcome, floor)
    if again is None or outcome.status not in (Status.OPTIMAL, Status.INFEASIBLE):
        return outcome
    other = again(outcome.claimed)
    if other.status is Status.INFEASIBLE:
        return replace(outcome, grade=max(other.grade, Grade.TWO_SOLVERS, key=_strength))
    if other.status not in SOLVED:
        return outcome
    status = Status.FEASIBLE
    return Outcome(status, other.solution, other.claimed, bound, outcome.trace)


def _certified(outcome: Outcome[S], floor: Value) -> Outcome[S]:
    status = outcome.status
    if status in SOLVED:
        status = Status.OPTIMAL if outcome.claimed == floor else Status.FEASIBLE
    return replace(outcome, status=status, bound=floor, grade=Grade.CERTIFIED)


def _strength(grade: Grade) -> int:
    return -list(Grade).index(grade)
