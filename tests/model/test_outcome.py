"""The contract: statuses, values and bounds are separate facts that cannot contradict."""

from __future__ import annotations

from fractions import Fraction

import pytest

from optmap.model.outcome import SOLVED, Limits, Outcome, Status


@pytest.mark.parametrize("status", Status)
def test_a_solution_is_there_exactly_when_the_status_says_so(status: Status):
    solved = status in SOLVED
    Outcome(status, "s" if solved else None)
    with pytest.raises(ValueError, match=status.value):
        Outcome(status, None if solved else "s")


def test_values_need_a_solution_and_bounds_stay_below_them():
    Outcome(Status.UNKNOWN, bound=3)
    Outcome(Status.FEASIBLE, "s", 5, Fraction(9, 2))
    Outcome(Status.FEASIBLE, "s", 5, 5)
    with pytest.raises(ValueError, match="without a solution"):
        Outcome(Status.UNKNOWN, claimed=3)


def test_a_bound_above_the_value_is_kept_and_seen_and_never_optimal():
    assert Outcome(Status.FEASIBLE, "s", 5, 6).contradicts
    assert not Outcome(Status.FEASIBLE, "s", 5, 5).contradicts
    assert not Outcome(Status.UNKNOWN, bound=6).contradicts
    with pytest.raises(ValueError, match="differ"):
        Outcome(Status.OPTIMAL, "s", 5, 6)


@pytest.mark.parametrize("bound", [None, 4, Fraction(29, 6)])
def test_optimal_means_value_and_bound_are_equal(bound: int | Fraction | None):
    Outcome(Status.OPTIMAL, "s", 5, Fraction(5))
    with pytest.raises(ValueError, match="differ"):
        Outcome(Status.OPTIMAL, "s", 5, bound)


@pytest.mark.parametrize(
    "wrong",
    [
        {"wall_s": 0.0},
        {"wall_s": -1.0},
        {"wall_s": float("nan")},
        {"wall_s": float("inf")},
        {"threads": 0},
        {"seed": -1},
        {"memory_mb": 0},
        {"work": 0},
        {"work": -3},
    ],
)
def test_limits_that_allow_nothing_are_refused(wrong: dict):
    Limits(wall_s=0.1, threads=1, seed=0, memory_mb=1)
    with pytest.raises(ValueError, match="limits"):
        Limits(**wrong)


def test_limits_that_nobody_names():
    limits = Limits()
    assert (limits.wall_s, limits.threads, limits.seed) == (60.0, 1, 0)
    assert (limits.memory_mb, limits.work) == (None, None)
    assert Limits(work=1).work == 1
    assert Limits(seed=1, threads=2, memory_mb=2, work=2).seed == 1


@pytest.mark.parametrize("name", ["wall_s", "threads", "seed"])
def test_a_limit_that_is_no_number_is_named(name: str):
    wrong: dict[str, object] = {"wall_s": 1.0, name: "3"}
    with pytest.raises(ValueError, match=f"found {name} '3', expected a number"):
        Limits(**wrong)  # type: ignore[arg-type]  # what a caller may do
