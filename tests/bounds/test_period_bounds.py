"""Bounds on the period against every decomposition, clustering, binding and order tried."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil
from random import Random

import networkx as nx
import numpy as np
import oracles
import pytest
from random_mappings import random_network
from scheduling_instances import equal_tiles, random_instance
from scheduling_oracle import best_joint_period

from optmap.bounds.end_to_end import (
    end_to_end_period_bound,
    end_to_end_period_bounds,
    fewest_clusters,
    fewest_spikes_read,
    fewest_units,
)
from optmap.bounds.period import (
    _shortest_way,
    clustering_period_bound,
    clustering_period_bounds,
    period_bounds,
    recurrence_bound,
)
from optmap.decomposing.contract import decompose
from optmap.errors import FanInError
from optmap.model.cluster_graph import ClusterGraph, cluster_graph
from optmap.model.decomposition import custom
from optmap.model.mapping import compact
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import SNN, from_edges


def random_platform(random: Random) -> Platform:
    """Return one to three tiles of two or three rows and columns, with times of every kind."""
    tiles = random.randint(1, 3)
    return Platform(
        "small",
        tuple(Tile(Crossbar(random.randint(2, 3), random.randint(1, 3))) for _ in range(tiles)),
        Interconnect("mesh", tiles, 1),
        base_ticks=random.randint(1, 4),
        event_ticks=random.randint(0, 3),
        switch_ticks=random.randint(0, 2),
    )


def random_split(random: Random, snn: SNN, rows: int):
    """Return a decomposition that cuts fan-ins at random, short ones too."""
    inserted, replaced = [], {}
    for j in snn.units.tolist():
        reads = snn.sources_of(j).tolist()
        random.shuffle(reads)
        while len(reads) > rows or (len(reads) > 2 and random.random() < 0.3):
            size = random.randint(2, min(rows, len(reads) - 1))
            inserted.append((j, reads[:size]))
            reads = [*reads[size:], snn.num_neurons + len(inserted) - 1]
            random.shuffle(reads)
        replaced[j] = reads
    return custom(snn, rows, inserted, replaced)


def decompositions(random: Random, snn: SNN, rows: int):
    for policy in ("chain", "tree", "none"):
        try:
            yield decompose(snn, rows, policy)
        except FanInError:
            continue
    yield random_split(random, snn, rows)
    yield random_split(random, snn, rows)


@pytest.mark.parametrize("seed", range(30))
def test_no_mapping_beats_the_end_to_end_bound(seed: int):
    random = Random(seed)
    snn, platform = random_network(random, most_neurons=4), random_platform(random)
    bound = end_to_end_period_bound(snn, platform)
    tried = 0
    for decomposition in decompositions(random, snn, platform.max_rows):
        assert decomposition.num_units >= fewest_units(snn, platform)
        if decomposition.num_units > 6:
            continue
        for labels in oracles.feasible_partitions(decomposition, platform):
            graph = cluster_graph(decomposition, compact(labels), platform, "dataflow")
            assert graph.num_clusters >= fewest_clusters(snn, platform)
            read = int((graph.tau - platform.base_ticks).sum())
            assert read >= platform.event_ticks * fewest_spikes_read(snn, platform)
            if random.random() < 4 / (1 + tried):  # enumerating bindings takes long: a sample
                period = best_joint_period(graph, platform) if graph.num_clusters <= 4 else None
                if period is not None:
                    assert period >= bound.value
                    assert period >= clustering_period_bound(graph, platform).value
            tried += 1


def test_end_to_end_bounds_by_hand():
    # neurons 6 and 7 read inputs 0..5, R = 4, C' = 1: each needs 2 units, hence 4 clusters
    snn = from_edges([*range(6), *range(6)], [6] * 6 + [7] * 6, 8, spikes=[1, 2, 3, 4, 5, 6, 1, 1])
    platform = Platform(
        "by hand",
        (Tile(Crossbar(4, 1)),) * 3,
        Interconnect("mesh", 3, 1),
        base_ticks=10,
        event_ticks=2,
        switch_ticks=1,
    )
    assert fewest_units(snn, platform) == 4
    assert fewest_clusters(snn, platform) == 4
    # every input is read twice (21 spikes each time); the three smallest pass an inserted unit
    assert fewest_spikes_read(snn, platform) == 2 * 21 + 2 * (1 + 2 + 3)
    values = {b.name: b.value for b in end_to_end_period_bounds(snn, platform)}
    work = 4 * 10 + 2 * 54 + 1 * (4 - 3 + 1)
    assert values == {"widest": 10 + 2 * 21, "work": -(-work // 3), "crowd": 2 * 11}


def test_a_network_without_units_is_bounded_by_nothing():
    snn = from_edges([], [], 3)
    assert end_to_end_period_bound(snn, equal_tiles(2)).value == 0


@pytest.mark.parametrize("seed", range(30))
def test_no_binding_beats_the_bounds_of_a_clustering(seed: int):
    case = random_instance(seed, most_clusters=4)
    period = best_joint_period(case.graph, case.platform)
    for bound in clustering_period_bounds(case.graph, case.platform):
        assert period is None or bound.value <= period
    recurrence = recurrence_bound(case.graph, case.platform)
    assert recurrence is None or period is None or recurrence <= period


def ring(tau: list[int], spikes: int) -> ClusterGraph:
    """Return clusters in a directed ring."""
    k = len(tau)
    ends = sorted((a, (a + 1) % k) for a in range(k))
    return ClusterGraph(
        np.array(tau),
        np.ones(k),
        np.ones(k),
        np.array([a for a, _ in ends]),
        np.array([b for _, b in ends]),
        np.full(k, spikes),
        np.ones(k),
    )


def test_a_recurrence_pays_for_leaving_its_tile():
    platform = equal_tiles(2, hop_ticks=3)
    # together 9 + 9 ticks; apart (9 + 9 + 2 * (7 + 3)) / 2 = 19
    assert recurrence_bound(ring([9, 9], 7), platform) == 18
    # apart (9 + 9 + 2 * (4 + 3)) / 2 = 16, more than either alone
    graph = ring([9, 9], 4)
    assert recurrence_bound(graph, platform) == 16
    assert clustering_period_bound(graph, platform).name == "recurrence"
    assert best_joint_period(graph, platform) == 16
    # of three in a ring two sends are certain: (9 + 9 + 9 + 2 * 7) / 3
    assert recurrence_bound(ring([9, 9, 9], 4), platform) == Fraction(41, 3)


def test_one_tile_has_no_sends():
    assert recurrence_bound(ring([9, 9], 4), equal_tiles(1)) is None
    assert recurrence_bound(random_instance(0).graph, equal_tiles(1)) is None


@pytest.mark.parametrize("seed", range(80))
def test_period_bounds_are_what_their_docstring_says(seed: int):
    """In plain loops: a weaker bound would be as true, and not noticed."""
    graph, platform = oracles.random_binding_case(seed)
    platform = replace(platform, switch_ticks=seed % 4)
    tau, switch = graph.tau.tolist(), platform.switch_ticks
    tiles = [t for t in range(platform.num_tiles) if platform.tiles[t].in_use]
    alone = len(tiles) - 1
    extra = switch * (len(tau) - alone) if len(tau) > len(tiles) else 0
    expected = [("actor", max(tau)), ("load", ceil(Fraction(sum(tau) + extra, len(tiles))))]
    homes = [frozenset(np.flatnonzero(row).tolist()) for row in graph.fits(platform)]
    for some in {home for home in homes if home}:
        work = sum(t for t, home in zip(tau, homes, strict=True) if home <= some)
        expected.append(("load", ceil(Fraction(work, len(some)))))
    if len(tau) > len(tiles):
        longest = sorted(tau, reverse=True)
        expected.append(("pair", longest[alone] + longest[alone + 1] + 2 * switch))
    found = [(bound.name, bound.value) for bound in period_bounds(graph, platform)]
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize("seed", range(80))
def test_a_recurrence_bound_above_something_is_the_bound_or_none(seed: int):
    """Parts that prove nothing better are left early; what is said must not change."""
    graph, platform = oracles.random_binding_case(seed)
    graph = replace(graph, initial=np.ones_like(graph.initial))  # a token on each channel inside
    whole = recurrence_bound(graph, platform)
    for known in range(-1, 40):
        found = recurrence_bound(graph, platform, above=known)
        assert found == (whole if whole is not None and whole > known else None)


def test_a_way_back_has_as_few_channels_as_networkx_finds():
    asked = 0
    for seed in range(20):
        rng = Random(seed)
        graph = nx.gnm_random_graph(rng.randint(2, 30), rng.randint(10, 90), seed, directed=True)
        for members in nx.strongly_connected_components(graph):
            part = graph.subgraph(members).copy()
            after = {v: list(part.succ[v]) for v in part}
            before = {v: list(part.pred[v]) for v in part}
            for a, b in part.edges if len(members) > 1 else ():
                way = _shortest_way(after, before, b, a)
                assert (way[0], way[-1]) == (b, a)
                assert nx.is_path(part, way)
                assert len(way) - 1 == nx.shortest_path_length(part, b, a)
                asked += 1
    assert asked > 200
