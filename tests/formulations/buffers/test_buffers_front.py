"""The front by cycles and covers: that of enumeration and of the SDF kernel; bounds wherever."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from dataflow_front import dataflow_front
from token_buffer_cases import placed

from formulations.buffers import front as front_module
from formulations.buffers.blocking_cycles import unblocked
from formulations.buffers.cycle_cover import Row, Target, dual_bound, rows_of
from formulations.buffers.front import FrontSearch, space_front
from formulations.buffers.places import Cycle, places_of
from formulations.solvers.stopwatch import Stopwatch
from optmap.clock import counted
from optmap.judge.binding_aware_graph import lower
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.interconnect import Interconnect
from optmap.model.mapping import Binding, StaticOrders
from optmap.model.outcome import Limits
from optmap.model.platform import Crossbar, Platform, Tile
from optmap.sdf.cycle_ratio import maximum_cycle_ratio

LIMITS = Limits(60.0)


def larger(seed: int) -> tuple[ClusterGraph, Platform, Binding, StaticOrders]:
    """Return eight to twelve clusters on three tiles, a third of the channels with tokens."""
    rng = np.random.default_rng(seed)
    k, tiles = int(rng.integers(8, 13)), 3
    pairs = [(a, b) for a in range(k) for b in range(k) if a != b and rng.random() < 0.2]
    initial = np.array([1 if a > b else int(rng.random() < 0.3) for a, b in pairs])
    graph = ClusterGraph(
        rng.integers(1, 30, size=k), np.ones(k, dtype=np.int64), np.ones(k, dtype=np.int64),
        np.array([a for a, _ in pairs], dtype=np.int32),
        np.array([b for _, b in pairs], dtype=np.int32),
        rng.integers(1, 12, size=len(pairs)), initial,
    )  # fmt: skip
    chip = Platform(
        "three", (Tile(Crossbar(4, 4)),) * tiles, Interconnect("mesh", tiles, 1), hop_ticks=1
    )
    binding = Binding(rng.integers(0, tiles, size=k).astype(np.int32))
    orders = tuple(tuple(np.flatnonzero(binding.tile_of == t).tolist()) for t in range(tiles))
    return graph, chip, binding, StaticOrders(orders)


@pytest.mark.parametrize("seed", range(60))
def test_the_front_is_that_of_the_dataflow_kernel(seed: int) -> None:
    case = placed(seed) if seed < 40 else larger(seed)
    front, _ = space_front(*case, LIMITS)
    assert front.complete
    assert [(p.total, p.period) for p in front.points] == dataflow_front(*case)
    assert all(p.is_proved for p in front.points)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(60, 400))
def test_the_front_is_that_of_the_dataflow_kernel_many_times(seed: int) -> None:
    test_the_front_is_that_of_the_dataflow_kernel(seed)
    case = larger(seed)
    found = [(p.total, p.period) for p in space_front(*case, LIMITS)[0].points]
    assert found == dataflow_front(*case)


@pytest.mark.parametrize("seed", range(40, 52))
def test_wherever_the_limit_ends_it_the_bounds_hold(seed: int) -> None:
    case = larger(seed)
    truth = dataflow_front(*case)
    for millionths in (50, 400, 1_500, 6_000, 20_000):
        with counted():
            asked = truth[len(truth) // 2][1]
            front, own = space_front(*case, Limits(millionths / 1e6), asked)
        points = front.points
        for p in points:
            least = min(total for total, period in truth if period <= p.period)
            assert p.bound <= least <= p.total
            assert maximum_cycle_ratio(lower(*case, p.buffers).graph)[0] == p.period
        if front.all_below is not None:
            below = [(t, p) for t, p in truth if t < front.all_below]
            assert below == [(p.total, p.period) for p in points[: len(below)]]
            assert front.all_below <= truth[-1][0]
        else:
            assert [(p.total, p.period) for p in points] == truth
        if own is not None:
            least = min(total for total, period in truth if period <= asked)
            assert own.bound <= least <= own.total
        if points:
            assert points[-1].period == truth[-1][1] or len(points) == 1
    assert front.complete


def test_a_period_asked_for_gets_its_fewest_tokens() -> None:
    case = larger(41)
    truth = dataflow_front(*case)
    for total, period in truth:
        assert space_front(*case, LIMITS, period)[1].total == total
    assert space_front(*case, LIMITS, truth[-1][1] - Fraction(1, 9))[1] is None
    assert space_front(*case, LIMITS, 2 * truth[0][1])[1].total == truth[0][0]


def test_prices_of_cycles_prove_no_more_than_a_cover_takes() -> None:
    rng = np.random.default_rng(5)
    tight = 0
    for _ in range(12):
        rate = rng.integers(1, 9, size=5)
        rows = [
            Row(tuple(sorted(rng.permutation(5)[: rng.integers(1, 4)].tolist())), int(n))
            for n in rng.integers(1, 4, size=4)
        ]
        least = min(
            int((rate * x).sum())
            for x in map(np.array, product(range(4), repeat=5))
            if all(x[list(row.places)].sum() >= row.need for row in rows)
        )
        bound = dual_bound(rows, rate)
        assert bound <= least
        tight += bound == least
    assert tight > 3
    assert dual_bound([], rate) == 0


def test_prices_that_charge_a_place_too_much_are_lowered(monkeypatch) -> None:
    """Whatever the linear program says, the bound is one."""

    class Wrong:
        x = np.array([9.0, 9.0])

    monkeypatch.setattr("formulations.buffers.cycle_cover.linprog", lambda *_, **__: Wrong)
    rows = [Row((0, 1), 1), Row((1, 2), 1)]
    assert 0 < dual_bound(rows, np.array([4, 5, 4])) <= 5


def test_targets_ask_for_whole_tokens() -> None:
    assert [Target().tokens(d) for d in (0, 9)] == [1, 1]
    at, below = Target(Fraction(3, 2)), Target(Fraction(3, 2), below=True)
    assert [at.tokens(d) for d in (1, 3, 4)] == [1, 2, 3]
    assert [below.tokens(d) for d in (1, 3, 4)] == [1, 3, 3]
    assert (at.is_met(Fraction(3, 2)), below.is_met(Fraction(3, 2))) == (True, False)
    assert not Target().is_met(None)
    cycles = [Cycle(10, 1, (0, 2)), Cycle(4, 0, (0, 2)), Cycle(1, 1, (1,))]
    assert rows_of(cycles, at) == [Row((0, 2), 6)]


def test_grades_say_who_vouches(monkeypatch) -> None:
    case = larger(41)
    places = places_of(*case)
    points = space_front(*case, LIMITS)[0].points
    assert {p.grade.value for p in points} <= {"certified", "two solvers"}
    monkeypatch.setattr(front_module, "dual_bound", lambda *_: 0)
    again = space_front(*case, LIMITS)[0].points
    assert {p.grade.value for p in again if p.bound > places.least_total} == {"two solvers"}
    search = FrontSearch(places, Stopwatch(LIMITS))
    least = search.least(Target())
    search.watch = Stopwatch(Limits(1e-9))
    assert search.grade(Target(), least).value == "claimed"


@pytest.mark.parametrize("seed", range(40, 60))
def test_room_is_added_until_nothing_is_blocked(seed: int) -> None:
    places = places_of(*larger(seed))
    extra = np.zeros(places.num_places, dtype=np.int64)
    dead = places.slowest(extra)[0] is None
    cycles = unblocked(places, extra)
    assert places.slowest(extra)[0] is not None
    assert bool(cycles) == dead == bool(extra.any())
    for cycle in cycles:
        assert (cycle.tokens, bool(cycle.places)) == (0, True)
        assert extra[list(cycle.places)].sum() >= 1
    assert unblocked(places, extra) == []
