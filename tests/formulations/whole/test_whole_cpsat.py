"""The whole model against enumeration of every decision, each family, and its start."""

from __future__ import annotations

from math import prod
from types import ModuleType

import pytest
from whole_oracle import least_period, random_whole_case

from formulations.whole import benders, cpsat, start
from optmap.instance import load
from optmap.judge.case import judge
from optmap.model.grade import Grade
from optmap.model.outcome import Limits, Outcome, Status

LIMITS = Limits(600.0)  # no test waits for it

#: Trees of a neuron with so many sources.
TREES = {0: 1, 1: 1, 2: 1, 3: 4, 4: 26}


def trees_of(seed: int) -> int:
    """Return how many decompositions a random case has, before R cuts some."""
    return prod(TREES[int(f)] for f in random_whole_case(seed)[0].fan_in)


def enumerable(seeds: range, trees: int, units: int = 6) -> list[int]:
    """Return the seeds whose cases can be enumerated in a second or so."""
    small = [s for s in seeds if random_whole_case(s)[0].num_units <= units]
    return [s for s in small if trees_of(s) <= trees]


def assert_optimal(seed: int, prologue: bool = False, method: ModuleType = cpsat) -> None:
    snn, platform, tokens = random_whole_case(seed)
    expected = least_period(snn, platform, tokens, prologue=prologue, split="any")
    found = method.solve(snn, platform, tokens, LIMITS, prologue=prologue, workers=1)
    if expected is None:
        assert found.status is Status.INFEASIBLE
        return
    assert (found.status, found.claimed, found.bound) == (Status.OPTIMAL, expected, expected)
    if method is cpsat:  # nothing rests on one run's word
        assert found.grade in (Grade.CERTIFIED, Grade.TWO_SOLVERS)
    assert found.solution is not None
    verdict = judge(snn, platform, found.solution, tokens)
    assert verdict.violations == ()
    assert verdict.evaluation is not None
    assert verdict.evaluation.period == expected


@pytest.mark.parametrize("seed", enumerable(range(45), 5))
def test_the_optimum_over_all_decisions_is_that_of_enumeration(seed: int):
    assert_optimal(seed)


@pytest.mark.parametrize("seed", enumerable(range(45), 5, units=3))
def test_with_prologue_too(seed: int):
    assert_optimal(seed, prologue=True)


@pytest.mark.parametrize("seed", enumerable(range(3, 30), 5, units=4))
def test_benders_reaches_the_same(seed: int):
    assert_optimal(seed, method=benders)


@pytest.mark.full
@pytest.mark.parametrize("seed", enumerable(range(430), 40)[:300])
def test_three_hundred_cases(seed: int):
    assert_optimal(seed)


@pytest.mark.full
@pytest.mark.parametrize("seed", enumerable(range(430), 40, units=4)[:150])
def test_hundred_and_fifty_cases_with_prologue(seed: int):
    assert_optimal(seed, prologue=True)


@pytest.mark.full
@pytest.mark.parametrize("seed", enumerable(range(430), 40)[:300])
def test_three_hundred_cases_by_benders(seed: int):
    assert_optimal(seed, method=benders)


def test_a_false_optimum_is_contradicted_by_the_second_search(monkeypatch):
    """A first search that stops too early and calls its start optimal is found out."""
    seed = next(s for s in enumerable(range(45), 5) if improves(s))
    snn, platform, tokens = random_whole_case(seed)
    sets = cpsat.WholeSets(snn, platform, tokens)
    worse = cpsat.warm_mapping(sets, 0)
    assert worse is not None

    def too_early(watch, test, low, tokens_of, best, ceiling, minimise):
        return Outcome(Status.OPTIMAL, best[0], best[1], best[1])

    monkeypatch.setattr(cpsat, "search_period", too_early)
    monkeypatch.setattr(cpsat._Search, "without_choice", lambda self, best, low: best)
    found = cpsat.solve(snn, platform, tokens, LIMITS, workers=1)
    assert found.contradicts
    assert found.claimed is not None
    assert found.claimed < worse[1] == found.bound
    assert (found.status, found.grade) == (Status.FEASIBLE, Grade.CLAIMED)


def improves(seed: int) -> bool:
    """Tell whether the heuristics miss the optimum of a case."""
    snn, platform, tokens = random_whole_case(seed)
    start = cpsat.warm_mapping(cpsat.WholeSets(snn, platform, tokens), 0)
    least = least_period(snn, platform, tokens, split="any")
    return start is not None and least is not None and least < start[1]


def test_a_network_too_large_for_the_model_gets_the_whole_limit_of_the_search(monkeypatch):
    instance = load("filter_8")
    snn, platform, limits = instance.snn, instance.platform, Limits(1.0)
    given: list[float] = []
    search = start.search

    def noted(*arguments, **more):
        given.append(arguments[3].wall_s)
        return search(*arguments, **more)

    monkeypatch.setattr(start, "search", noted)
    monkeypatch.setattr(cpsat, "MOST_PLACEMENTS", 0)
    warm = cpsat.warm_mapping(cpsat.WholeSets(snn, platform, instance.tokens), 0)
    assert warm is not None
    told: list[Outcome] = []
    found = cpsat.without_prologue(
        snn, platform, instance.tokens, limits, start=warm[0], on_better=told.append
    )
    assert given[0] > 0.9 * limits.wall_s
    assert (found.status, found.grade) == (Status.FEASIBLE, Grade.CERTIFIED)
    assert found.solution is not None
    assert not found.solution.orders.has_prologue
    verdict = judge(snn, platform, found.solution, instance.tokens)
    assert verdict.evaluation is not None
    assert verdict.evaluation.period == found.claimed == min(o.claimed for o in told)


def test_a_network_that_fits_the_model_leaves_its_time_to_the_solver(monkeypatch):
    instance, given = load("ring_12"), []
    monkeypatch.setattr(start, "search", lambda *a, **_: given.append(a[3].wall_s))
    cpsat.without_prologue(instance.snn, instance.platform, instance.tokens, Limits(2.0))
    assert given == [0.1 * 2.0]


#: Shipped instances of 12 to 40 units: units, whether some fan-in exceeds the rows, the optimum.
SHIPPED = {
    "ring_12": (12, False, 154),
    "ring_14_readout": (15, True, 195),
    "adder_8": (16, False, 162),
    "ring_18_readout": (19, True, 192),
    "ring_24": (24, False, 180),
}


@pytest.mark.full
@pytest.mark.parametrize("name", SHIPPED)
def test_the_optimum_of_shipped_instances_is_proved(name: str):
    units, wide, optimum = SHIPPED[name]
    instance = load(name)
    snn, platform = instance.snn, instance.platform
    assert snn.num_units == units
    assert (snn.max_fan_in > platform.max_rows) == wide
    found = cpsat.without_prologue(snn, platform, instance.tokens, LIMITS)
    assert (found.status, found.claimed) == (Status.OPTIMAL, optimum)
    assert found.grade in (Grade.CERTIFIED, Grade.TWO_SOLVERS)
