"""Plain partition formulations against enumeration, alone, family by family, and each other."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import oracles
import pytest
from ortools.sat.python import cp_model

from formulations.clustering import cpsat as partition_cpsat
from formulations.clustering import milp as partition_milp
from formulations.clustering.sets import PartitionSets, first_fit, kinds_worth_having, traffic_of
from optmap.decomposing.contract import decompose
from optmap.model.mapping import Clustering
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.snn import from_edges

LIMITS = Limits(wall_s=60.0)
SEEDS = range(24)
BACK_ENDS = [partition_cpsat, partition_milp]
NECESSARY = [
    "place_each_unit_once",
    "respect_columns",
    "link_axons",
    "respect_rows",
    "choose_one_kind",
    "link_remote_axons",
]
REDUNDANT = ["break_cluster_symmetry", "imply_axon_copies"]


def few(back_end: ModuleType, seed: int, warm: Clustering | None = None) -> Outcome[Clustering]:
    more = {"workers": 1} if back_end is partition_cpsat else {}
    case = oracles.random_partition_case(seed)
    return back_end.minimize_clusters(*case, LIMITS, warm, **more)


def quiet(back_end: ModuleType, seed: int, most: int) -> Outcome[Clustering]:
    more = {"workers": 1} if back_end is partition_cpsat else {}
    return back_end.minimize_traffic(*oracles.random_partition_case(seed), most, LIMITS, **more)


def assert_agrees(back_end: ModuleType, seed: int) -> None:
    """Formulation and enumeration tell one story, for both objectives."""
    decomposition, platform = oracles.random_partition_case(seed)
    fitting = {tuple(p) for p in oracles.feasible_partitions(decomposition, platform)}
    expected = oracles.fewest_clusters(decomposition, platform)
    outcome = few(back_end, seed)
    assert outcome.status is Status.OPTIMAL
    assert tuple(outcome.solution.cluster_of.tolist()) in fitting
    assert outcome.solution.num_clusters == outcome.claimed == outcome.bound == expected
    for most in (expected - 1, expected, expected + 1):
        if most < 1:
            continue
        least = oracles.least_traffic(decomposition, platform, most)
        outcome = quiet(back_end, seed, most)
        if least is None:
            assert outcome.status is Status.INFEASIBLE
            continue
        assert outcome.status is Status.OPTIMAL
        labels = outcome.solution.cluster_of.tolist()
        assert tuple(labels) in fitting
        value = oracles.traffic(decomposition.network, labels)
        assert value == outcome.claimed == outcome.bound == least
        assert value == traffic_of(decomposition.network, outcome.solution)


def assert_all_agree(back_end: ModuleType) -> None:
    for seed in SEEDS:
        assert_agrees(back_end, seed)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_agrees_with_enumeration(back_end: ModuleType, seed: int) -> None:
    assert_agrees(back_end, seed)


@pytest.mark.parametrize("seed", range(6))
def test_cbc_is_of_the_same_opinion(seed: int) -> None:
    case = oracles.random_partition_case(seed)
    outcome = partition_milp.minimize_clusters(*case, LIMITS, solver="cbc")
    assert outcome.claimed == outcome.bound == oracles.fewest_clusters(*case)


def test_rows_family_alone() -> None:
    """(P3)+(P4): one unit reads three sources, so two rows cannot hold it."""
    network = from_edges([0, 1, 2], [3, 3, 3], 4)
    model = partition_cpsat.PartitionModel(PartitionSets(network, ((2, 3),), 1))
    model.link_axons()
    model.respect_rows()
    assert cp_model.CpSolver().solve(model.cp) == cp_model.OPTIMAL
    model.cp.add(model.x[0, 0] == 1)
    assert cp_model.CpSolver().solve(model.cp) == cp_model.INFEASIBLE


@pytest.mark.parametrize("family", NECESSARY)
@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_dropping_a_necessary_family_is_noticed(
    back_end: ModuleType, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(back_end.PartitionModel, family, lambda self: None)
    with pytest.raises((AssertionError, ValueError)):
        assert_all_agree(back_end)


@pytest.mark.parametrize("family", REDUNDANT)
@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_a_redundant_family_changes_no_answer(
    back_end: ModuleType, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(back_end.PartitionModel, family, lambda self: None)
    for seed in list(SEEDS)[:6]:
        assert_agrees(back_end, seed)


@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_a_hint_is_a_complete_feasible_assignment(back_end: ModuleType) -> None:
    """Fixing every hinted value leaves the model feasible, with the hint's own objective."""
    decomposition, platform = oracles.random_partition_case(3)
    kinds = kinds_worth_having(platform)
    start = first_fit(decomposition.network, kinds, np.arange(decomposition.num_units))
    sets = PartitionSets(decomposition.network, kinds, start.num_clusters)
    model = back_end.PartitionModel(sets).build()
    model.link_remote_axons()
    model.minimize_traffic()
    expected = traffic_of(decomposition.network, start)
    if back_end is partition_milp:
        hint = model.hint(start)
        variables = model.milp.variables()
        assert {v.name for v in variables} == set(hint)
        for v in variables:
            v.setInitialValue(hint[v.name])
        assert model.milp.valid()
        assert model.milp.objective.value() == expected
        return
    model.hint(start)
    solver = cp_model.CpSolver()
    solver.parameters.fix_variables_to_their_hinted_value = True
    assert solver.solve(model.cp) == cp_model.OPTIMAL
    assert solver.objective_value == expected


@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_a_network_too_large_is_not_even_built(back_end: ModuleType) -> None:
    """4,000 units of fan-in 100 on crossbars of 2 columns: 10^9 terms; columns alone need 2,000."""
    pre = np.tile(np.arange(100), 4000)
    network = from_edges(pre, np.repeat(np.arange(100, 4100), 100), 4100)
    decomposition, platform = decompose(network, 128, "none"), oracles.mesh([(128, 2)])
    limits = Limits(wall_s=5.0)
    outcome = back_end.minimize_clusters(decomposition, platform, limits)
    assert outcome.status is Status.UNKNOWN
    warm = Clustering(np.arange(4000) // 2)
    outcome = back_end.minimize_clusters(decomposition, platform, limits, warm)
    assert (outcome.status, outcome.claimed, outcome.bound) == (Status.OPTIMAL, 2000, 2000)
    outcome = back_end.minimize_traffic(decomposition, platform, 2000, limits, warm)
    assert outcome.claimed == traffic_of(network, warm) == 200_000


@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_an_empty_network_needs_no_cluster(back_end: ModuleType) -> None:
    decomposition, platform = decompose(from_edges([], [], 3), 4, "none"), oracles.mesh([(4, 4)])
    outcome = back_end.minimize_clusters(decomposition, platform, LIMITS)
    assert (outcome.status, outcome.claimed, outcome.bound) == (Status.OPTIMAL, 0, 0)
    outcome = back_end.minimize_traffic(decomposition, platform, 1, LIMITS)
    assert (outcome.status, outcome.claimed, outcome.bound) == (Status.OPTIMAL, 0, 0)
