"""Bounds without a solver: never above the optimum found by enumeration, and tight by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil

import numpy as np
import oracles
import pytest

from optmap.bounds import traffic
from optmap.bounds.bound import best
from optmap.bounds.clusters import cluster_bounds, counting_bounds, most_beside, overlap_bound
from optmap.bounds.period import period_bound, period_bounds
from optmap.bounds.traffic import traffic_bounds
from optmap.decomposing.contract import decompose
from optmap.model.snn import SNN, from_edges
from optmap.readers.read import read_network


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


def test_neurons_that_nobody_reads_take_no_memory(monkeypatch) -> None:
    rows, kernel = [], traffic._readers

    def counted(*arguments):
        rows.append(len(arguments[0]) - 1)
        return kernel(*arguments)

    pre, post = [0, 0, 1, 1, 4999], [2, 3, 2, 4999, 3]
    few = from_edges([0, 0, 1, 1, 4], [2, 3, 2, 4, 3], 5)
    many = from_edges(pre, post, 5000)
    monkeypatch.setattr(traffic, "_readers", counted)
    found = [traffic.pairwise_conflicts_bound(network, 2, 2) for network in (few, many)]
    assert (found, rows) == ([found[0]] * 2, [3, 3])


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


@pytest.mark.parametrize("seed", range(60))
def test_the_overlap_bound_is_what_its_docstring_says(seed: int) -> None:
    """Against its own text in plain sets: a weaker one would be as true, and not noticed."""
    network = oracles.random_network(seed, units=14, most_inputs=14, most_fan_in=9)
    rows, columns = 9 + seed % 4, 2 + seed % 4
    plain = plain_overlap(network, rows, columns)
    assert overlap_bound(network, rows, columns) == plain


def plain_overlap(network: SNN, rows: int, columns: int) -> int | None:
    reads = [set(network.sources_of(u).tolist()) for u in network.units.tolist()]
    if not any(3 * len(sources) >= rows for sources in reads):
        return None
    sums = []
    for least in (-(-rows // 3), rows // 2, 2 * rows // 3):
        chosen = [sources for sources in reads if len(sources) >= least]
        sums.append(sum(Fraction(1, most_together(u, chosen, rows, columns)) for u in chosen))
    return ceil(max(sums))


def most_together(unit: set[int], chosen: list[set[int]], rows: int, columns: int) -> int:
    """Return G_u: how many of ``chosen``, the unit among them, one crossbar may hold."""
    free = sum(sources <= unit for sources in chosen)
    room = rows - len(unit)
    beside = [sources for sources in chosen if 0 < len(sources - unit) <= room]
    if not beside:
        return min(free, columns)
    widest = max(map(len, beside))
    overlaps = [
        len(one & other)
        for one in beside
        for other in chosen
        if one is not other and len(other) <= widest
    ]
    costs, held = sorted(len(sources - unit) for sources in beside), 0
    for k in range(1, len(costs) + 1):
        if sum(costs[:k]) - k * (k - 1) // 2 * max(overlaps, default=0) > room:
            break
        held = k
    return min(free + held, columns)


def test_units_that_no_crossbar_holds_are_counted_one_each() -> None:
    """A limit below what any unit needs is for others to refuse; bounds divide by no zero."""
    network = from_edges([0, 1, 0, 1], [2, 2, 3, 3], 4)
    platform = oracles.mesh([(4, 2)])
    narrow = replace(platform, tiles=(replace(platform.tiles[0], synapses=1),))
    found = {b.name: b.value for b in cluster_bounds(decompose(network, 4, "none"), narrow)}
    assert (found["columns"], found["synapses"]) == (1, 4)


def test_a_table_of_pairs_is_left_out_where_it_costs_too_much(monkeypatch):
    """Four million synapses of two dense layers are refused by counting, in no time."""
    monkeypatch.setattr("optmap.bounds.clusters.MAX_PAIRS", 100)
    monkeypatch.setattr("optmap.bounds.conflicts.MAX_PAIRS", 100)
    snn = read_network("gen:mlp-12-6")
    platform = oracles.mesh([(16, 4)])
    found = cluster_bounds(decompose(snn, 16, "none"), platform)
    assert [bound.name for bound in found] == ["columns", "rows"]
    assert found == counting_bounds(decompose(snn, 16, "none"), platform)


def beside(fan_in, shared, rows, columns, sizes):
    """Return G_u by its definition; ``sizes`` are the fan-ins up to which units are looked at."""
    most = []
    for u in range(len(fan_in)):
        costs = {v: fan_in[v] - shared[u][v] for v in range(len(fan_in))}
        others = [v for v in costs if 0 < costs[v] <= rows - fan_in[u]]
        free = sum(cost == 0 for cost in costs.values())
        if others:
            widest = min(size for size in sizes if size >= max(fan_in[v] for v in others))
            near = [v for v in costs if fan_in[v] <= widest]
            largest = max((shared[a][b] for a in others for b in near if a != b), default=0)
            cheapest = sorted(costs[v] for v in others)
            for k in range(1, len(others) + 1):
                if sum(cheapest[:k]) - k * (k - 1) // 2 * largest > rows - fan_in[u]:
                    break
                free += 1
        most.append(min(free, columns))
    return most


@pytest.mark.parametrize(("count", "step"), [(8, 1), (32, 1), (33, 2), (64, 3), (70, 3)])
def test_units_beside_another_are_counted_by_steps_of_fan_in(count: int, step: int):
    """Units share more the more they read, so that it matters up to which fan-in is looked."""
    fan_in = 20 + np.random.default_rng(count).permutation(count)
    shared = (np.minimum.outer(fan_in, fan_in) - 20) // 20
    np.fill_diagonal(shared, fan_in)
    rows, sizes = 6 * (20 + count) // 5, sorted(fan_in.tolist())
    known = (fan_in.tolist(), shared.tolist(), rows, 99)
    stepped = beside(*known, [*sizes[::step], sizes[-1]])
    assert most_beside(fan_in, shared, rows, 99).tolist() == stepped
    assert all(a <= b for a, b in zip(beside(*known, sizes), stepped, strict=True)), "weaker only"
