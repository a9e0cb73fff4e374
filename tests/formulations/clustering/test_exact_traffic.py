"""Traffic by annealing: exact bookkeeping, always feasible, and often the optimum."""

from __future__ import annotations

from dataclasses import replace

import oracles
import pytest

from formulations.clustering import cpsat as partition_cpsat
from formulations.clustering import large_neighbourhood_search as partition_lns
from formulations.clustering.sets import first_fit, kinds_worth_having, traffic_of
from formulations.solvers.run_cpsat import run_cpsat
from optmap.bounds.traffic import traffic_bound
from optmap.clustering.kernels.annealing_traffic import reduce_traffic
from optmap.clustering.overlap import partition
from optmap.decomposing.contract import decompose
from optmap.generators.generate import generate
from optmap.model.outcome import Limits, Status


@pytest.mark.parametrize("seed", range(60))
def test_annealing_stays_feasible_and_between_start_and_optimum(seed: int) -> None:
    decomposition, platform = oracles.random_partition_case(seed)
    network, kinds = decomposition.network, kinds_worth_having(platform)
    fitting = {tuple(p) for p in oracles.feasible_partitions(decomposition, platform)}
    start = first_fit(network, kinds, decomposition.visit_order)
    least = oracles.least_traffic(decomposition, platform, start.num_clusters)
    found = reduce_traffic(network, start, kinds, moves=5_000, seed=seed)
    labels = found.cluster_of.tolist()
    assert tuple(labels) in fitting
    assert found.num_clusters <= start.num_clusters
    assert least <= oracles.traffic(network, labels) <= traffic_of(network, start)


def test_the_optimum_is_found_on_nearly_all_small_networks() -> None:
    hits = 0
    for seed in range(40):
        decomposition, platform = oracles.random_partition_case(seed)
        kinds = kinds_worth_having(platform)
        start = first_fit(decomposition.network, kinds, decomposition.visit_order)
        least = oracles.least_traffic(decomposition, platform, start.num_clusters)
        found = reduce_traffic(decomposition.network, start, kinds, moves=5_000, seed=1)
        hits += traffic_of(decomposition.network, found) == least
    assert hits >= 32


@pytest.mark.parametrize("seed", range(12))
def test_small_networks_are_proved(seed: int) -> None:
    decomposition, platform = oracles.random_partition_case(seed)
    warm = first_fit(decomposition.network, kinds_worth_having(platform), decomposition.visit_order)
    most = warm.num_clusters
    outcome = partition_lns.minimize_traffic(
        decomposition, platform, most, Limits(wall_s=10.0), warm, workers=1
    )
    least = oracles.least_traffic(decomposition, platform, most)
    assert (outcome.status, outcome.claimed, outcome.bound) == (Status.OPTIMAL, least, least)
    assert oracles.traffic(decomposition.network, outcome.solution.cluster_of.tolist()) == least


def test_a_search_lowers_the_traffic_of_a_filter() -> None:
    """12 crossbars of 32 x 32: fewer spikes enter than in the overlap heuristic's clustering."""
    decomposition, platform = (
        decompose(generate("gen:filter-16"), 32, "none"),
        oracles.mesh([(32, 32)]),
    )
    warm = partition(decomposition, platform, seed=0)
    before = traffic_of(decomposition.network, warm)
    limits = Limits(wall_s=1.0)
    outcome = partition_lns.minimize_traffic(
        decomposition, platform, warm.num_clusters, limits, warm
    )
    assert outcome.solution.num_clusters <= warm.num_clusters
    assert outcome.bound <= outcome.claimed == traffic_of(decomposition.network, outcome.solution)
    assert outcome.claimed < before
    fewer = warm.num_clusters - 1
    outcome = partition_lns.minimize_traffic(decomposition, platform, fewer, limits, warm)
    assert (outcome.status, outcome.solution) == (Status.UNKNOWN, None)


@pytest.mark.parametrize("seed", range(6))
def test_a_value_is_measured_on_the_clustering_not_taken_from_the_solver(seed: int, monkeypatch):
    """A run that its limit stopped may count axons that no unit reads any more."""
    decomposition, platform = oracles.random_partition_case(seed)
    network = decomposition.network
    start = first_fit(network, kinds_worth_having(platform), decomposition.visit_order)

    def loose(*given, **named):
        run = run_cpsat(*given, **named)
        return replace(run, status=Status.FEASIBLE, value=run.value + 7, bound=0)

    monkeypatch.setattr(partition_cpsat, "run_cpsat", loose)
    most, limits = start.num_clusters, Limits(wall_s=10.0)
    outcome = partition_cpsat.minimize_traffic(decomposition, platform, most, limits, workers=1)
    least = oracles.least_traffic(decomposition, platform, most)
    assert outcome.claimed == least
    assert outcome.bound == traffic_bound(decomposition, platform).value
