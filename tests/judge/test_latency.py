"""Latency: by hand, then against every path in a schedule found by relaxation."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from random import Random

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_mappings import random_case

from optmap.errors import DeadlockError
from optmap.judge.binding_aware_graph import BindingAwareGraph, lower
from optmap.judge.evaluation import evaluate
from optmap.judge.latency import _furthest, latency
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding, StaticOrders
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.sdf.cycle_ratio import maximum_cycle_ratio


def bound(tau, channels, tile_of, orders, tokens, **changes) -> BindingAwareGraph:
    """Return the binding-aware graph of actors ``tau`` joined by one-spike channels."""
    k = len(tau)
    graph = ClusterGraph(
        tau,
        [1] * k,
        [1] * k,
        [a for a, _ in channels],
        [b for _, b in channels],
        [1] * len(channels),
        tokens,
    )
    tiles = len(orders)
    platform = Platform(
        "p", (Tile(Crossbar(4, 4)),) * tiles, Interconnect("mesh", tiles, 1), **changes
    )
    return lower(graph, platform, Binding(tile_of), StaticOrders(orders))


def of(graph: BindingAwareGraph, sources=(), sinks=()) -> tuple[Fraction, Fraction]:
    period = maximum_cycle_ratio(graph.graph)[0]
    return period, latency(graph, period, np.array(sources, int), np.array(sinks, int))


def test_a_chain_on_one_tile_takes_the_sum_of_its_times():
    graph = bound([3, 4, 5], [(0, 1), (1, 2)], [0, 0, 0], ((0, 1, 2),), [0, 0])
    assert of(graph, [0], [2]) == (12, 12)


def test_a_chain_over_two_tiles_adds_sends_and_hops():
    graph = bound([3, 4], [(0, 1)], [0, 1], ((0,), (1,)), [0], hop_ticks=7, buffer_windows=3)
    assert of(graph, [0], [1]) == (4, 3 + 1 + 7 + 4)


def test_an_initial_iteration_on_the_path_costs_one_period():
    """Both start at 0; the answer of window n leaves in round n + 1."""
    graph = bound([3, 4], [(0, 1)], [0, 1], ((0,), (1,)), [1], hop_ticks=0)
    assert of(graph, [0], [1]) == (4, 4 + 4)


def test_periods_that_are_no_whole_number_of_ticks_scale_exactly():
    """Two tokens on 0 -> send -> 1 -> send -> 0: (3 + 1 + 7 + 4 + 1 + 7) / 2; 0 starts at 1/2."""
    two = [(0, 1), (1, 0)]
    graph = bound([3, 4], two, [0, 1], ((0,), (1,)), [1, 1], hop_ticks=7, buffer_windows=4)
    assert of(graph, [0], [1]) == (Fraction(23, 2), 0 - Fraction(1, 2) + Fraction(23, 2) + 4)
    assert of(graph, [0], [0]) == (Fraction(23, 2), 3)


def test_in_a_recurrence_the_fewest_iterations_count():
    """0 -> 1 -> 2 -> 0 all hold one: 0 to 2 passes two of them, never five."""
    graph = bound([2, 2, 2], [(0, 1), (1, 2), (2, 0)], [0, 0, 0], ((0, 1, 2),), [1, 1, 1])
    period, found = of(graph, [0], [2])
    assert (period, found) == (6, 2 * 6 + 6)


def test_across_components_the_most_count():
    """0 -> 1 -> 2 holds two iterations, 0 -> 2 one: the last path completes the answer."""
    graph = bound([2, 2, 2], [(0, 1), (0, 2), (1, 2)], [0, 0, 0], ((0, 1, 2),), [1, 1, 1])
    assert of(graph, [0], [2]) == (6, 2 * 6 + 6)


def test_without_ends_every_cluster_counts_and_a_sink_no_source_reaches_does_not():
    graph = bound([3, 9, 5], [(0, 2)], [0, 1, 2], ((0,), (1,), (2,)), [0], hop_ticks=0)
    assert of(graph) == (9, 9)
    assert of(graph, [0], [1, 2]) == (9, 3 + 1 + 5)
    assert of(graph, [0], [1]) == (9, 0)


def earliest(graph: BindingAwareGraph, period: Fraction) -> list[Fraction]:
    """Return the least non-negative starts by relaxing all edges until nothing moves."""
    edges = graph.graph
    columns = (edges.source, edges.target, edges.delay, edges.tokens)
    every = list(zip(*(c.tolist() for c in columns), strict=True))
    start = [Fraction(0)] * edges.num_actors
    moved = True
    while moved:
        moved = False
        for u, v, d, t in every:
            if start[u] + d - period * t > start[v]:
                start[v] = start[u] + d - period * t
                moved = True
    return start


def brute_latency(graph: BindingAwareGraph, period, sources, sinks) -> Fraction:
    """Try every simple path: the fewest iterations inside components, the most across them."""
    clusters, start = graph.clusters, earliest(graph, period)
    tokens = dict(
        zip(
            zip(clusters.source.tolist(), clusters.target.tolist(), strict=True),
            clusters.initial.tolist(),
            strict=True,
        )
    )
    channels = nx.DiGraph()
    channels.add_nodes_from(range(clusters.num_clusters))
    channels.add_edges_from(tokens)
    component = {v: i for i, c in enumerate(nx.strongly_connected_components(channels)) for v in c}
    fewest: dict[tuple, int] = {}
    for a in sources:
        for b in sinks:
            paths = nx.all_simple_paths(channels, a, b) if a != b else [[a]]
            for path in paths:
                steps = list(pairwise(path))
                across = tuple(s for s in steps if component[s[0]] != component[s[1]])
                held = sum(tokens[s] for s in steps)
                key = (a, b, across)
                fewest[key] = min(held, fewest.get(key, held))
    return max(
        (
            start[b] + int(graph.time[b]) - start[a] + period * held
            for (a, b, _), held in fewest.items()
        ),
        default=Fraction(0),
    )


@pytest.mark.parametrize("prologue", [False, True])
@given(random=st.randoms(use_true_random=False))
def test_against_every_path(prologue: bool, random: Random):
    case = random_case(random, wild_orders=prologue, prologue=prologue)
    graph = lower(case.graph, case.platform, case.mapping.binding, case.mapping.orders)
    try:
        period = maximum_cycle_ratio(graph.graph)[0]
    except DeadlockError:
        return
    network = case.mapping.decomposition.network
    cluster_of = dict(
        zip(network.units.tolist(), case.mapping.clustering.cluster_of.tolist(), strict=True)
    )
    everyone = set(cluster_of.values())
    read = {i for u in cluster_of for i in network.sources_of(u).tolist()}
    sources = {
        k
        for u, k in cluster_of.items()
        if any(i not in cluster_of for i in network.sources_of(u).tolist())
    }
    sinks = {k for u, k in cluster_of.items() if u not in read}
    expected = brute_latency(graph, period, sources or everyone, sinks or everyone)
    assert evaluate(case.platform, case.mapping, case.tokens).latency == expected


def test_many_entries_of_a_large_recurrence_against_all_pairs():
    """More than 64 entries: several batches of bits; values beyond int64 stay exact."""
    rng, k = np.random.default_rng(5), 150
    pairs = {(i, (i + 1) % k) for i in range(k)}
    pairs |= {(int(a), int(b)) for a, b in rng.integers(0, k, (150, 2)) if a != b}
    source, target = np.array(sorted(pairs)).T
    ones = [1] * len(source)
    graph = ClusterGraph([1] * k, [1] * k, [1] * k, source, target, ones, ones)
    hops = nx.DiGraph(pairs)
    distance = dict(nx.all_pairs_shortest_path_length(hops))
    for scale in (1, 2**70):
        entering = {v: -int(rng.integers(0, 900)) * scale for v in range(0, k, 2)}
        found = _furthest(graph, entering, 70 * scale)
        for v in range(k):
            expected = max(x + 70 * scale * distance[u][v] for u, x in entering.items())
            assert found[v] == expected
