"""Grades: exact arithmetic before solvers, two engines before one, contradictions kept."""

from __future__ import annotations

import pytest

from formulations.solvers.second_proof import graded
from optmap.model.grade import Grade
from optmap.model.outcome import Outcome, Status, Value

OPTIMAL = Outcome(Status.OPTIMAL, "eight", 8, 8)


def says(outcome: Outcome[str], asked: list[Value | None] | None = None) -> object:
    def again(value: Value | None) -> Outcome[str]:
        if asked is not None:
            asked.append(value)
        return outcome

    return again


def never(value: Value | None) -> Outcome[str]:
    raise AssertionError(f"asked about {value}")


def test_a_bound_without_a_solver_needs_no_second_engine() -> None:
    found = graded(OPTIMAL, 8, never)
    assert (found.status, found.bound, found.grade) == (Status.OPTIMAL, 8, Grade.CERTIFIED)


def test_a_better_bound_without_a_solver_takes_the_place_of_a_claimed_one() -> None:
    found = graded(Outcome(Status.FEASIBLE, "nine", 9, 3), 5, never)
    assert (found.status, found.bound, found.grade) == (Status.FEASIBLE, 5, Grade.CERTIFIED)
    found = graded(Outcome(Status.UNKNOWN), 5, never)
    assert (found.status, found.bound, found.grade) == (Status.UNKNOWN, 5, Grade.CERTIFIED)


@pytest.mark.parametrize("own", [Grade.CLAIMED, Grade.CERTIFIED])
def test_two_engines_or_our_own_search(own: Grade) -> None:
    asked: list[Value | None] = []
    found = graded(OPTIMAL, 7, says(Outcome(Status.INFEASIBLE, grade=own), asked))
    expected = Grade.CERTIFIED if own is Grade.CERTIFIED else Grade.TWO_SOLVERS
    assert (asked, found.bound, found.grade) == ([8], 8, expected)


def test_what_the_second_leaves_open_stays_claimed() -> None:
    assert graded(OPTIMAL, 7, says(Outcome(Status.UNKNOWN))).grade is Grade.CLAIMED
    assert graded(OPTIMAL, None).grade is Grade.CLAIMED


def test_a_first_engine_that_is_wrong_contradicts_itself() -> None:
    found = graded(OPTIMAL, 5, says(Outcome(Status.FEASIBLE, "six", 6)))
    assert (found.solution, found.claimed, found.bound) == ("six", 6, 8)
    assert found.contradicts
    assert found.status is Status.FEASIBLE
    assert found.grade is Grade.CLAIMED


def test_a_wrong_infeasible_becomes_the_solution_that_exists() -> None:
    nothing: Outcome[str] = Outcome(Status.INFEASIBLE)
    assert graded(nothing, 3, says(Outcome(Status.FEASIBLE, "six", 6))).claimed == 6
    assert graded(nothing, 3, says(Outcome(Status.INFEASIBLE))).grade is Grade.TWO_SOLVERS
