"""Orders in stages: they never deadlock, and pipeline a chain over tiles at once."""

from __future__ import annotations

import numpy as np
from scheduling_instances import (
    Instance,
    cluster_graph_of,
    equal_tiles,
    random_instance,
)

from optmap.judge.binding_aware_graph import lower
from optmap.judge.check import check_graph
from optmap.model.mapping import Binding, StaticOrders
from optmap.ordering import projection
from optmap.ordering.kernels.stages import depths, staggered
from optmap.sdf.cycle_ratio import maximum_cycle_ratio


def in_stages(case: Instance) -> list[StaticOrders]:
    orders = projection.order(case.graph, case.binding, case.platform)
    return list(staggered(case.graph, case.platform, case.binding, orders))


def test_a_chain_from_tile_to_tile_runs_as_fast_as_the_busiest_tile():
    graph = cluster_graph_of([8, 6, 1], {(0, 1): 1, (1, 2): 1})
    case = Instance(graph, equal_tiles(2), Binding(np.array([1, 0, 1])))
    assert depths(graph, case.binding).tolist() == [0, 1, 2]
    (orders,) = in_stages(case)
    ratio, _ = maximum_cycle_ratio(lower(graph, case.platform, case.binding, orders).graph)
    assert ratio == 9  # by projection 19


def test_a_short_cut_that_no_buffer_holds_makes_stages_wider():
    graph = cluster_graph_of([4, 4, 4], {(0, 1): 1, (0, 2): 1, (1, 2): 1})
    case = Instance(graph, equal_tiles(3), Binding(np.array([0, 1, 2])))
    assert depths(graph, case.binding).tolist() == [0, 1, 2]
    assert len(in_stages(case)) == 2  # depths {0, 1}, {2} and {0}, {1, 2}


def test_one_tile_has_one_stage():
    graph = cluster_graph_of([8, 6, 1], {(0, 1): 1, (1, 2): 1})
    assert in_stages(Instance(graph, equal_tiles(2), Binding(np.zeros(3, dtype=int)))) == []


def test_no_order_in_stages_deadlocks():
    found = 0
    for seed in range(100):
        case = random_instance(seed)
        for orders in in_stages(case):
            kinds = {v.kind for v in check_graph(case.graph, case.platform, case.binding, orders)}
            assert kinds <= {"slots", "input_buffer", "output_buffer"}, seed
            found += 1
    assert found > 20
