"""Bounds without a solver: never above the optimum found by enumeration, and tight by hand."""

from __future__ import annotations

import oracles
import pytest

from optmap.decompose import decompose
from optmap.evaluate.bounds import (
    best,
    cluster_bounds,
    period_bound,
    period_bounds,
    traffic_bounds,
)
from optmap.snn import from_edges


@pytest.mark.parametrize("seed", range(60))
def test_partition_bounds_are_below_the_optimum(seed: int) -> None:
    decomposition, platform = oracles.random_partition_case(seed)
    fewest = oracles.fewest_clusters(decomposition, platform)
    assert all(b.value <= fewest for b in cluster_bounds(decomposition, platform))
    quietest = oracles.least_traffic(decomposition, platform, decomposition.num_units)
    assert all(b.value <= quietest for b in traffic_bounds(decomposition, platform))


@pytest.mark.parametrize("seed", range(60))
def test_period_bounds_are_below_every_load(seed: int) -> None:
    """The period is at least every tile's load and every actor; the bounds stay below both."""
    graph, platform = oracles.random_binding_case(seed)
    least = oracles.best_binding(graph, platform, "load")
    if least is None:
        return
    least = max(least, int(graph.tau.max()))
    assert all(b.value <= least for b in period_bounds(graph, platform))


def test_dense_layer_rows_and_columns() -> None:
    """3 neurons read the same 4 inputs, crossbar 4 x 2: two crossbars, every input on both."""
    edges = [(i, 4 + j) for i in range(4) for j in range(3)]
    network = from_edges([a for a, _ in edges], [b for _, b in edges], 7)
    decomposition, platform = decompose(network, 4, "none"), oracles.mesh([(4, 2)])
    found = {b.name: b.value for b in cluster_bounds(decomposition, platform)}
    assert found == {"columns": 2, "rows": 2, "overlap": 2}
    (traffic,) = traffic_bounds(decomposition, platform)
    assert traffic.value == 8 == oracles.least_traffic(decomposition, platform, 2)


def test_own_readers_cost_nothing() -> None:
    """Unit 1 is read by itself and by unit 2: with two columns all of it stays inside."""
    network = from_edges([0, 1, 1], [1, 1, 2], 3, spikes=[1, 5, 1])
    decomposition, platform = decompose(network, 4, "none"), oracles.mesh([(4, 2)])
    (traffic,) = traffic_bounds(decomposition, platform)
    assert traffic.value == 1
    narrow = oracles.mesh([(4, 1)])
    (traffic,) = traffic_bounds(decomposition, narrow)
    assert traffic.value == 6  # 5 spikes to unit 2, 1 from the input


def test_three_actors_on_two_tiles() -> None:
    graph, _ = oracles.random_binding_case(1)
    assert period_bound(graph, oracles.mesh([(9, 9)] * 9)).value == max(graph.tau)


def test_best_of_nothing_is_nothing() -> None:
    assert best([]) is None


def test_units_that_share_nothing_stand_alone_in_pairs() -> None:
    """Six units of three private sources each, five rows: one a crossbar; rows alone say four."""
    edges = [(3 * u + i, 18 + u) for u in range(6) for i in range(3)]
    network = from_edges([a for a, _ in edges], [b for _, b in edges], 24)
    decomposition, platform = decompose(network, 5, "none"), oracles.mesh([(5, 5)])
    found = {b.name: b.value for b in cluster_bounds(decomposition, platform)}
    assert found == {"columns": 2, "rows": 4, "overlap": 6}
    assert oracles.fewest_clusters(decomposition, platform) == 6
