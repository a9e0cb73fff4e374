"""Own branch and bound against enumeration: refutes exactly what lies below the best period."""

from __future__ import annotations

from fractions import Fraction
from types import ModuleType

import numpy as np
import pytest
from scheduling_instances import cluster_graph_of, equal_tiles, random_instance
from scheduling_oracle import best_joint_period, best_period

from formulations.joint.branch_and_bound import refuted as joint_refuted
from formulations.joint.sets import JointSets
from formulations.ordering import cpsat, milp
from formulations.ordering.branch_and_bound import refuted
from formulations.ordering.farey import below
from formulations.ordering.sets import OrderSets
from optmap.model.grade import Grade
from optmap.model.mapping import Binding
from optmap.model.outcome import Limits, Status


@pytest.mark.parametrize("seed", range(60))
def test_orders_exist_from_the_best_period_on(seed: int) -> None:
    case = random_instance(seed)
    best = best_period(case.graph, case.platform, case.binding)
    assert best is not None
    sets = OrderSets(case.graph, case.platform, case.binding)
    for period in (best, best + Fraction(1, 7), best * 2):
        assert refuted(sets, period) is False
    if best > 0:
        most = sets.most_tokens_from(sets.floor)
        for period in (below(best, most), best * Fraction(99, 100), best / 2):
            assert refuted(sets, period) is True


@pytest.mark.parametrize("seed", range(30))
def test_mappings_exist_from_the_best_period_on(seed: int) -> None:
    case = random_instance(seed, most_clusters=4)
    best = best_joint_period(case.graph, case.platform)
    sets = JointSets(case.graph, case.platform)
    if best is None:  # nothing fits the buffers at all
        assert joint_refuted(sets, Fraction(10**6)) is True
        return
    assert joint_refuted(sets, best) is False
    if best > 0:
        assert joint_refuted(sets, below(best, sets.most_tokens_from(sets.floor))) is True


def test_few_nodes_leave_it_open() -> None:
    seeds = (random_instance(seed) for seed in range(40))
    answers = set()
    for case in seeds:
        best = best_period(case.graph, case.platform, case.binding)
        assert best is not None
        sets = OrderSets(case.graph, case.platform, case.binding)
        answers.add(refuted(sets, best * Fraction(99, 100), nodes=0))
    assert answers == {None, True}


def test_a_search_that_the_limit_ends_leaves_it_open() -> None:
    case = random_instance(1, most_clusters=4)
    best = best_joint_period(case.graph, case.platform)
    assert best is not None
    sets = JointSets(case.graph, case.platform)
    target = below(best, sets.most_tokens_from(sets.floor))
    assert joint_refuted(sets, target) is True
    assert joint_refuted(sets, target, expired=lambda: True) is None


def test_numbers_beyond_64_bits_are_left_open() -> None:
    graph = cluster_graph_of([2**45, 2**45], {(0, 1): 1})
    binding = Binding(np.array([0, 0], dtype=np.int32))
    sets = OrderSets(graph, equal_tiles(1), binding)
    assert refuted(sets, Fraction(2**52, 2**10 + 1)) is None


@pytest.mark.parametrize("back_end", [cpsat, milp])
def test_what_a_solver_proves_here_is_certified(back_end: ModuleType) -> None:
    """Seed 7's best order is not one that comes for free."""
    case = random_instance(7)
    found = back_end.solve(case.graph, case.platform, case.binding, Limits())
    assert (found.status, found.grade) == (Status.OPTIMAL, Grade.CERTIFIED)
    ahead = back_end.solve(case.graph, case.platform, case.binding, Limits(), prologue=True)
    assert ahead.grade in (Grade.CERTIFIED, Grade.TWO_SOLVERS)
