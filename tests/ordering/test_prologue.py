"""The prologue heuristic: valid, never worse than its start, close to the exact optimum."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scheduling_instances import (
    Instance,
    cluster_graph_of,
    equal_tiles,
    random_instance,
    random_recurrent,
)
from scheduling_oracle import best_period

from optmap.errors import DeadlockError
from optmap.judge.binding_aware_graph import lower
from optmap.judge.check import check_graph
from optmap.model.mapping import Binding, StaticOrders
from optmap.ordering import projection as order_projection
from optmap.ordering import random as order_random
from optmap.ordering.prologue import _Problem, order
from optmap.sdf.cycle_ratio import maximum_cycle_ratio


def period(case: Instance, orders: StaticOrders) -> Fraction:
    ratio, _ = maximum_cycle_ratio(lower(case.graph, case.platform, case.binding, orders).graph)
    assert ratio is not None
    return ratio


def violations(case: Instance, orders: StaticOrders) -> set[str]:
    """Return what the checker finds, capacities of the random binding aside."""
    found = check_graph(case.graph, case.platform, case.binding, orders)
    return {v.kind for v in found} - {"slots", "input_buffer", "output_buffer"}


def test_three_actors_in_a_chain():
    graph = cluster_graph_of([8, 6, 1], {(0, 1): 1, (1, 2): 1})
    case = Instance(graph, equal_tiles(2), Binding(np.array([1, 0, 1])))
    projected = order_projection.order(case.graph, case.binding, case.platform)
    assert period(case, projected) == 19
    found = order(case.graph, case.binding, case.platform, start=projected)
    assert period(case, found) == 9
    assert found.has_prologue


@pytest.mark.parametrize("seed", range(40))
def test_valid_and_never_worse_than_the_start(seed: int):
    case = random_instance(seed, most_clusters=9)
    arguments = case.graph, case.binding, case.platform
    for start in (order_projection.order(*arguments), order_random.order(*arguments, seed=seed)):
        found = order(*arguments, seed=seed, start=start)
        assert violations(case, found) == set()
        assert period(case, found) <= period(case, start)
        assert found == order(*arguments, seed=seed, start=start)
    assert violations(case, order(*arguments)) == set()


@pytest.mark.parametrize("seed", range(1, 30, 2))
def test_reaches_the_optimum_of_enumeration(seed: int):
    case = random_instance(seed, most_clusters=4, most_tiles=2)
    best = best_period(case.graph, case.platform, case.binding, prologue=True)
    assert best is not None
    assert best <= period(case, order(case.graph, case.binding, case.platform)) <= best * 21 / 20


@pytest.mark.parametrize("seed", range(3))
def test_a_hundred_clusters_reach_the_load_of_a_tile(seed: int):
    graph, _ = random_recurrent(100, 4, seed)
    platform = equal_tiles(3, 3, hop_ticks=3)
    binding = Binding(np.random.default_rng(seed).integers(0, 9, 100))
    case = Instance(graph, platform, binding)
    load = max(int(graph.tau[binding.tile_of == t].sum()) for t in range(9))
    assert period(case, order(graph, binding, platform)) == load


def test_a_start_with_prologue_and_sends_is_read_as_it_is():
    case = random_instance(17)
    first = order(case.graph, case.binding, case.platform)
    problem = _Problem.of(case.graph, case.binding, case.platform)
    assert problem.orders(problem.rounds_of(first)) == first
    again = order(case.graph, case.binding, case.platform, start=first)
    assert period(case, again) <= period(case, first)


def test_default_sends_are_the_evaluators():
    for seed in range(20):
        case = random_instance(seed, most_clusters=8)
        start = order_random.order(case.graph, case.binding, case.platform, seed=seed)
        problem = _Problem.of(case.graph, case.binding, case.platform)
        assert problem.period(problem.rounds_of(start))[0] == period(case, start)


def test_nothing_to_order_and_a_start_that_deadlocks():
    platform = equal_tiles(2)
    none = cluster_graph_of([], {})
    assert order(none, Binding([]), platform) == StaticOrders(((), ()))
    graph = cluster_graph_of([2, 3], {(0, 1): 1})
    with pytest.raises(DeadlockError):
        order(graph, Binding([0, 0]), platform, start=StaticOrders(((1, 0), ())))
