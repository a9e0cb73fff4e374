"""Every exact stage in the lists of optmap.exact, on a small problem, against enumeration."""

from __future__ import annotations

import oracles
import pytest
from scheduling_instances import random_instance
from scheduling_oracle import best_joint_period, best_period

from optmap.clustering.contract import CLUSTERERS
from optmap.exact import EXACT_BINDERS, EXACT_CLUSTERINGS, EXACT_ORDERINGS, EXACT_SCHEDULES
from optmap.judge.check import check_graph
from optmap.model.outcome import Limits, Outcome, Value

LIMITS = Limits(wall_s=30.0)
SHARP = random_instance(27, most_clusters=4, most_tiles=2)


def brackets(outcome: Outcome, least: Value) -> bool:
    """Tell whether the optimum lies between what was proved and what was reached."""
    reached = outcome.claimed is not None and outcome.claimed >= least
    return reached and (outcome.bound is None or outcome.bound <= least)


@pytest.mark.parametrize("name", EXACT_CLUSTERINGS)
def test_clusterings_bracket_the_optimum(name: str):
    decomposition, platform = oracles.random_partition_case(3)
    start = CLUSTERERS["overlap"]()(decomposition, platform, seed=0)
    stage, reports = EXACT_CLUSTERINGS[name], []
    fewest = stage.fewest()(decomposition, platform, LIMITS, start=start, on_better=reports.append)
    assert brackets(fewest, oracles.fewest_clusters(decomposition, platform))
    assert all(better.solution is not None for better in reports)
    most = start.num_clusters
    least = stage.least()(decomposition, platform, most, LIMITS, start=start)
    assert brackets(least, oracles.least_traffic(decomposition, platform, most))
    assert least.solution.num_clusters <= most


@pytest.mark.parametrize("name", EXACT_BINDERS)
def test_bindings_bracket_the_optimum(name: str):
    graph, platform = oracles.random_binding_case(4)
    solve = EXACT_BINDERS[name]()
    for objective, cost in (("load", oracles.binding_load), ("hops", oracles.binding_hops)):
        fitting = [
            cost(graph, platform, tiles)
            for tiles in oracles.bindings(graph.num_clusters, platform.num_tiles)
            if oracles.binding_fits(graph, platform, tiles)
        ]
        assert brackets(solve(graph, platform, LIMITS, objective=objective), min(fitting))


@pytest.mark.parametrize("name", EXACT_ORDERINGS)
def test_orders_bracket_the_optimum(name: str):
    stage = EXACT_ORDERINGS[name]
    graph, platform, binding = SHARP.graph, SHARP.platform, SHARP.binding
    least = best_period(graph, platform, binding, prologue=stage.prologue)
    reports: list[Outcome] = []
    outcome = stage.load()(graph, platform, binding, LIMITS, on_better=reports.append)
    assert all(better.claimed >= outcome.claimed for better in reports)
    assert brackets(outcome, least)
    assert check_graph(graph, platform, binding, outcome.solution) == []


@pytest.mark.parametrize("name", EXACT_SCHEDULES)
def test_schedules_bracket_the_optimum(name: str):
    stage = EXACT_SCHEDULES[name]
    graph, platform = SHARP.graph, SHARP.platform
    least = best_joint_period(graph, platform, prologue=stage.prologue)
    reports: list[Outcome] = []
    outcome = stage.load()(graph, platform, LIMITS, on_better=reports.append)
    assert reports, "it found the first schedule itself"
    assert reports[-1].claimed == outcome.claimed
    assert brackets(outcome, least)
    assert check_graph(graph, platform, *outcome.solution) == []
