"""Bounds without a solver: never above the optimum found by enumeration, and tight by hand."""

from __future__ import annotations

import oracles
import pytest

from optmap.bounds.bound import best
from optmap.bounds.clusters import cluster_bounds
from optmap.bounds.period import period_bound, period_bounds
from optmap.bounds.traffic import traffic_bounds
from optmap.decomposing.contract import decompose
from optmap.model.snn import from_edges


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
    assert [t.value for t in traffic_bounds(decomposition, platform)] == [8, 8]
    assert oracles.least_traffic(decomposition, platform, 2) == 8


def test_own_readers_cost_nothing() -> None:
    """Unit 1 is read by itself and by unit 2: with two columns all of it stays inside."""
    network = from_edges([0, 1, 1], [1, 1, 2], 3, spikes=[1, 5, 1])
    decomposition, platform = decompose(network, 4, "none"), oracles.mesh([(4, 2)])
    assert [t.value for t in traffic_bounds(decomposition, platform)] == [1, 1]
    narrow = oracles.mesh([(4, 1)])
    # 5 spikes to unit 2, 1 from the input
    assert [t.value for t in traffic_bounds(decomposition, narrow)] == [6, 6]


def test_leaves_that_fill_their_rows_never_meet_their_root() -> None:
    """Two leaves of four inputs and their root: every partial sum is traffic."""
    edges = [(i, 8 + (i >= 4)) for i in range(8)] + [(8, 10), (9, 10)]
    network = from_edges([a for a, _ in edges], [b for _, b in edges], 11, spikes=[1] * 8 + [9] * 3)
    decomposition, platform = decompose(network, 4, "none"), oracles.mesh([(4, 3)])
    found = {b.name: b.value for b in traffic_bounds(decomposition, platform)}
    assert found == {"readers": 8, "apart": 8 + 18}
    assert oracles.least_traffic(decomposition, platform, 3) == 26


def test_only_one_of_the_leaves_that_exclude_each_other_saves_its_spikes() -> None:
    """Three leaves of four inputs and their root: 7 rows hold the root and one leaf, not two."""
    edges = [(i, 12 + i // 4) for i in range(12)] + [(12 + i, 15) for i in range(3)]
    spikes = [1] * 12 + [5, 7, 6, 1]
    network = from_edges([a for a, _ in edges], [b for _, b in edges], 16, spikes=spikes)
    decomposition = decompose(network, 7, "none")
    found = {b.name: b.value for b in traffic_bounds(decomposition, oracles.mesh([(7, 4)]))}
    assert found == {"readers": 12, "apart": 12 + 5 + 6}
    assert oracles.least_traffic(decomposition, oracles.mesh([(7, 4)]), 4) == 23


def test_pairwise_conflicts_never_say_less_than_readers_and_often_more() -> None:
    more = 0
    for seed in range(60):
        readers, conflicts = traffic_bounds(*oracles.random_partition_case(seed))
        assert conflicts.value >= readers.value
        more += conflicts.value > readers.value
    assert more >= 20


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
    assert found == {"columns": 2, "rows": 4, "overlap": 6, "separate": 6}
    assert oracles.fewest_clusters(decomposition, platform) == 6


def test_parts_that_never_meet_are_rounded_up_each() -> None:
    """Two teams of three, five sources each shared within a team, R = 6, C = 2: two and two."""
    edges = [(5 * t + i, 10 + 3 * t + u) for t in range(2) for u in range(3) for i in range(5)]
    network = from_edges([a for a, _ in edges], [b for _, b in edges], 16)
    decomposition, platform = decompose(network, 6, "none"), oracles.mesh([(6, 2)])
    found = {b.name: b.value for b in cluster_bounds(decomposition, platform)}
    assert found == {"columns": 3, "rows": 4, "overlap": 3, "separate": 4}
    assert oracles.fewest_clusters(decomposition, platform) == 4
