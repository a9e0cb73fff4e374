"""The bisection's bound against tests that are left open by their limit."""

from __future__ import annotations

from fractions import Fraction

from formulations.ordering.period_search import Probe, search_period
from formulations.solvers.stopwatch import Stopwatch
from optmap.model.outcome import Limits, Status

FLOOR, KNOWN = Fraction(91), ("known", Fraction(95))


def one(low: Fraction) -> int:
    """Whole periods only."""
    return 1


def test_a_floor_left_open_is_not_proved_by_the_search_above_it():
    """The minimiser starts above the floor that was given up, so it says nothing about it."""

    def leave_open(target: Fraction, seconds: float) -> Probe[str]:
        return Probe(Status.UNKNOWN)

    def minimise(least: int, most: int, seconds: float) -> tuple[Probe[str], int]:
        return Probe(Status.FEASIBLE, "better", Fraction(93)), least

    watch = Stopwatch(Limits(wall_s=0.4))  # no second pass
    outcome = search_period(watch, leave_open, FLOOR, one, KNOWN, Fraction(200), minimise)
    assert (outcome.status, outcome.claimed, outcome.bound) == (Status.FEASIBLE, 93, FLOOR)


def test_an_open_target_is_tried_again_with_the_time_that_is_left():
    asked = []

    def test(target: Fraction, seconds: float) -> Probe[str]:
        asked.append(target)
        if target > FLOOR:
            return Probe(Status.INFEASIBLE)
        return Probe(Status.UNKNOWN if asked.count(target) == 1 else Status.INFEASIBLE)

    watch = Stopwatch(Limits(wall_s=60.0))
    outcome = search_period(watch, test, FLOOR, one, KNOWN, Fraction(200))
    assert asked.count(FLOOR) == 2
    assert (outcome.status, outcome.claimed, outcome.bound) == (Status.OPTIMAL, 95, 95)
