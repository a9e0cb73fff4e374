"""The proved front against enumeration of every binding and order."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scheduling_instances import Instance, cluster_graph_of, equal_tiles, random_instance
from scheduling_oracle import best_period, feasible_bindings

from formulations.joint.pareto import Point, front_of, point_of, solve
from optmap.binding import load_balance as bind_load_balance
from optmap.judge.check import check_graph
from optmap.model.mapping import Binding, StaticOrders
from optmap.model.outcome import Limits, Status
from optmap.ordering import projection as order_projection

LIMITS = Limits(wall_s=600.0)  # no test waits for it
pytestmark = pytest.mark.wall_clock  # all end with a proof, or at once


def enumerated(case: Instance, prologue: bool = False) -> tuple[Point, ...]:
    """Return the front over all bindings; for a binding only its best period counts."""
    found = []
    hops = case.platform.hops
    for binding in feasible_bindings(case.graph, case.platform):
        tile = binding.tile_of
        period = best_period(case.graph, case.platform, binding, prologue=prologue)
        assert period is not None
        far = int(
            (case.graph.spikes * hops[tile[case.graph.source], tile[case.graph.target]]).sum()
        )
        found.append((Point(period, far, len(np.unique(tile))), (binding, StaticOrders(()))))
    return front_of(found).points


@pytest.mark.parametrize("seed", range(14))
def test_front_agrees_with_enumeration(seed: int):
    case = random_instance(seed, most_clusters=4)
    outcome = solve(case.graph, case.platform, LIMITS, workers=1)
    expected = enumerated(case)
    if not expected:
        assert outcome.status is Status.INFEASIBLE
        return
    assert outcome.status is Status.OPTIMAL
    assert outcome.solution is not None
    assert outcome.solution.points == expected
    for point, mapping in zip(outcome.solution.points, outcome.solution.mappings, strict=True):
        assert check_graph(case.graph, case.platform, *mapping) == []
        assert point_of(case.graph, case.platform, mapping) == point


@pytest.mark.full
@pytest.mark.parametrize("seed", range(14, 120))
def test_front_agrees_with_enumeration_on_many(seed: int):
    test_front_agrees_with_enumeration(seed)


@pytest.mark.parametrize("seed", [1, 3, 4, 6])
def test_front_with_prologue_agrees_with_enumeration(seed: int):
    case = random_instance(seed, most_clusters=3, most_tiles=2)
    outcome = solve(case.graph, case.platform, LIMITS, workers=1, prologue=True)
    assert outcome.solution is not None
    assert outcome.solution.points == enumerated(case, prologue=True)


def test_greedy_points_stand_on_the_same_picture():
    case = random_instance(9)
    binding = bind_load_balance.bind(case.graph, case.platform)
    orders = order_projection.order(case.graph, binding, case.platform)
    greedy = point_of(case.graph, case.platform, (binding, orders))
    assert greedy is not None
    front = solve(case.graph, case.platform, LIMITS, workers=1).solution
    assert front is not None
    assert greedy in front.points or any(p.dominates(greedy) for p in front.points)
    spent = solve(case.graph, case.platform, Limits(1e-9), known=[(binding, orders)])
    assert spent.status is Status.FEASIBLE
    assert spent.solution is not None
    assert spent.solution.points == (greedy,)


def test_without_time_or_mappings_nothing_is_known():
    case = random_instance(9)
    assert solve(case.graph, case.platform, Limits(1e-9)).status is Status.UNKNOWN
    full = Binding(np.zeros(case.graph.num_clusters))
    deadlock = StaticOrders((tuple(range(case.graph.num_clusters))[::-1], (), ()))
    known = [(full, deadlock)]
    assert solve(case.graph, case.platform, Limits(1e-9), known=known).solution is None


def test_dominance_and_equal_points():
    low, far, many = Point(Fraction(3), 5, 2), Point(Fraction(4), 2, 2), Point(Fraction(3), 5, 3)
    assert low.dominates(many)
    assert not low.dominates(far)
    assert not low.dominates(low)
    nothing = (Binding([]), StaticOrders(()))
    assert front_of([(p, nothing) for p in (many, low, far, low)]).points == (low, far)


def test_more_tiles_buy_a_shorter_period_and_cost_hops():
    graph = cluster_graph_of([5, 5], {(0, 1): 3})
    outcome = solve(graph, equal_tiles(2), LIMITS, workers=1)
    assert outcome.solution is not None
    assert outcome.solution.points == (Point(Fraction(5), 3, 2), Point(Fraction(10), 0, 1))


def test_hops_count_even_where_they_cost_no_time():
    # on three tiles in a row the busy middle of a chain belongs in the middle
    graph = cluster_graph_of([5, 6, 5], {(0, 1): 9, (1, 2): 9})
    outcome = solve(graph, equal_tiles(3, hop_ticks=0), LIMITS, workers=1)
    assert outcome.solution is not None
    assert Point(Fraction(9), 18, 3) in outcome.solution.points
