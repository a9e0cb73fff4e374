"""What must always hold (docs/model.md), on random mappings."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_mappings import Case, global_order, projected, random_case

from optmap.errors import DeadlockError
from optmap.judge.binding_aware_graph import BindingAwareGraph, Reason, derived_sends, lower
from optmap.judge.check import check
from optmap.judge.evaluation import Evaluation, evaluate
from optmap.judge.metrics import loads, max_tile_load
from optmap.model.mapping import Binding, Clustering, Mapping, StaticOrders
from optmap.model.platform import Interconnect
from optmap.sdf.cycle_ratio import maximum_cycle_ratio
from optmap.sdf.marked_graph import MarkedGraph

RANDOMS = st.randoms(use_true_random=False)


def bound_graph(case: Case) -> BindingAwareGraph:
    return lower(case.graph, case.platform, case.mapping.binding, case.mapping.orders)


def period(graph: MarkedGraph) -> Fraction | float:
    """Return the period; a deadlock is the worst of all."""
    try:
        ratio, _ = maximum_cycle_ratio(graph)
    except DeadlockError:
        return float("inf")
    assert ratio is not None
    return ratio


def columns(graph: MarkedGraph) -> list[list[int]]:
    return [c.tolist() for c in (graph.source, graph.target, graph.delay, graph.tokens)]


@given(random=RANDOMS)
def test_an_edge_more_or_a_tick_more_never_lowers_the_period(random: Random):
    graph = bound_graph(random_case(random, wild_orders=random.random() < 0.5)).graph
    before, n = period(graph), graph.num_actors
    source, target, delay, tokens = columns(graph)
    edge = (random.randrange(n), random.randrange(n), random.randint(0, 20), random.randint(0, 3))
    more = [[*c, x] for c, x in zip((source, target, delay, tokens), edge, strict=True)]
    assert period(MarkedGraph(n, *more)) >= before
    delay[random.randrange(len(delay))] += random.randint(1, 9)
    assert period(MarkedGraph(n, source, target, delay, tokens)) >= before


@given(random=RANDOMS)
def test_a_token_more_never_raises_the_period(random: Random):
    graph = bound_graph(random_case(random, wild_orders=random.random() < 0.5)).graph
    source, target, delay, tokens = columns(graph)
    tokens[random.randrange(len(tokens))] += 1
    assert period(MarkedGraph(graph.num_actors, source, target, delay, tokens)) <= period(graph)


@given(random=RANDOMS)
def test_an_actor_inserted_in_an_order_never_lowers_the_period(random: Random):
    """X -> y with t tokens becomes x -> z -> y; z has a time and a self-loop of its own."""
    bound = bound_graph(random_case(random, wild_orders=random.random() < 0.5))
    ordered = np.flatnonzero(bound.reason >= Reason.ORDER).tolist()
    if not ordered:
        return
    source, target, delay, tokens = columns(bound.graph)
    e, z, time = random.choice(ordered), bound.graph.num_actors, random.randint(1, 20)
    to_y, own = (z, target[e], time, tokens[e]), (z, z, time, 1)
    target[e], tokens[e] = z, 0
    old = (source, target, delay, tokens)
    longer = [[*c, x, y] for c, x, y in zip(old, to_y, own, strict=True)]
    assert period(MarkedGraph(z + 1, *longer)) >= period(bound.graph)


@given(random=RANDOMS)
def test_the_period_is_at_least_every_load_and_every_execution_time(random: Random):
    bound = bound_graph(case := random_case(random, prologue=random.random() < 0.5))
    found = period(bound.graph)
    crossbar, interface = loads(bound, case.platform, case.mapping.binding)
    assert found >= max(crossbar.max(), interface.max(), bound.time.max())
    assert crossbar.max() == max_tile_load(case.graph, case.mapping.binding, case.platform)


@given(random=RANDOMS)
def test_projections_of_one_valid_order_never_deadlock_on_the_smallest_buffers(random: Random):
    case = random_case(random)
    least = 1 + int(case.graph.initial.max(initial=0))
    case = replace(case, platform=replace(case.platform, buffer_windows=least))
    for _ in range(3):
        assert check(case.snn, case.platform, case.mapping, case.tokens) == []
        order = global_order(case.graph, random)
        tiles = projected(order, case.mapping.binding, case.platform.num_tiles)
        case = case.with_orders(StaticOrders(tiles))


@given(random=RANDOMS)
def test_without_tiles_the_period_is_the_largest_execution_time(random: Random):
    graph = random_case(random).graph
    every = range(graph.num_clusters)
    unbound = MarkedGraph(
        graph.num_clusters,
        [*every, *graph.source.tolist()],
        [*every, *graph.target.tolist()],
        [*graph.tau.tolist(), *graph.tau[graph.source].tolist()],
        [*(1 for _ in every), *graph.initial.tolist()],
    )
    assert period(unbound) == graph.tau.max()


def with_matrix(case: Case, order: list[int]) -> Case:
    """Return the case with tile ``order[i]`` in place i of a hop matrix, mapping unchanged."""
    hops = case.platform.hops[np.ix_(order, order)].tolist()
    platform = replace(
        case.platform,
        tiles=tuple(case.platform.tiles[t] for t in order),
        interconnect=Interconnect("matrix", matrix=tuple(map(tuple, hops))),
    )
    return replace(case, platform=platform)


def renumbered(case: Case, cluster: list[int], place: list[int]) -> Mapping:
    """Return the mapping with cluster k called ``cluster[k]`` and tile t called ``place[t]``."""
    mapping, old = case.mapping, case.mapping.orders
    tile_of = [0] * len(cluster)
    for k, t in enumerate(mapping.binding.tile_of.tolist()):
        tile_of[cluster[k]] = place[t]
    at = [place.index(t) for t in range(len(place))]
    return replace(
        mapping,
        clustering=Clustering([cluster[k] for k in mapping.clustering.cluster_of.tolist()]),
        binding=Binding(tile_of),
        orders=StaticOrders(
            tuple(tuple(cluster[k] for k in old.clusters[t]) for t in at),
            old.offsets and tuple(old.offsets[t] for t in at),
            tuple(tuple((cluster[a], cluster[b]) for a, b in old.sends[t]) for t in at),
            old.send_offsets and tuple(old.send_offsets[t] for t in at),
        ),
    )


def values(found: Evaluation) -> Evaluation:
    """Return the evaluation without the names that renumbering changes."""
    return replace(found, critical_cycle=())


def with_explicit_sends(case: Case) -> Case:
    orders = case.mapping.orders
    if orders.sends is None:
        sends = derived_sends(case.graph, case.mapping.binding, orders)
        case = case.with_orders(replace(orders, sends=sends))
    return case


@pytest.mark.parametrize("prologue", [False, True])
@given(random=RANDOMS)
def test_renumbering_clusters_and_tiles_changes_nothing(prologue: bool, random: Random):
    case = random_case(random, wild_orders=prologue, prologue=prologue)
    case = with_explicit_sends(with_matrix(case, list(range(case.platform.num_tiles))))
    cluster = random.sample(range(case.graph.num_clusters), case.graph.num_clusters)
    place = random.sample(range(case.platform.num_tiles), case.platform.num_tiles)
    at = [place.index(t) for t in range(len(place))]
    other = replace(with_matrix(case, at), mapping=renumbered(case, cluster, place))
    if period(bound_graph(case).graph) == float("inf"):
        assert period(bound_graph(other).graph) == float("inf")
        return
    before = evaluate(case.platform, case.mapping, case.tokens)
    after = evaluate(other.platform, other.mapping, other.tokens)
    assert values(after) == values(before)


@given(random=RANDOMS)
def test_mirroring_a_mesh_or_a_torus_changes_nothing_link_load_included(random: Random):
    case = with_explicit_sends(random_case(random))
    net = case.platform.interconnect
    if net.kind == "matrix":
        return
    width, height = net.width, net.height
    place = [y * width + width - 1 - x for y in range(height) for x in range(width)]
    if random.random() < 0.5:
        place = [(height - 1 - t // width) * width + t % width for t in range(width * height)]
    mapping = renumbered(case, list(range(case.graph.num_clusters)), place)
    tiles = tuple(case.platform.tiles[place.index(t)] for t in range(len(place)))
    mirrored = replace(case.platform, tiles=tiles)
    assert values(evaluate(mirrored, mapping, case.tokens)) == values(
        evaluate(case.platform, case.mapping, case.tokens)
    )


@given(random=RANDOMS)
def test_derived_and_explicit_sends_agree(random: Random):
    case = random_case(random)
    explicit = with_explicit_sends(case)
    assert explicit.mapping.orders.sends is not None
    assert evaluate(case.platform, case.mapping, case.tokens) == evaluate(
        explicit.platform, explicit.mapping, explicit.tokens
    )


@pytest.mark.parametrize("factor", [3, 2**46])
@given(random=RANDOMS)
def test_slower_ticks_scale_period_and_latency_however_large(factor: int, random: Random):
    case = random_case(random, prologue=random.random() < 0.3)
    slow = replace(case.platform, ni_tokens_per_tick=Fraction(1, random.randint(1, 3)))
    case = replace(case, platform=slow)
    if period(bound_graph(case).graph) == float("inf"):
        return
    scaled = replace(
        slow,
        hop_ticks=slow.hop_ticks * factor,
        base_ticks=slow.base_ticks * factor,
        event_ticks=slow.event_ticks * factor,
        switch_ticks=slow.switch_ticks * factor,
        ni_tokens_per_tick=slow.ni_tokens_per_tick / factor,
    )
    before = evaluate(slow, case.mapping, case.tokens)
    after = evaluate(scaled, case.mapping, case.tokens)
    assert after.period == before.period * factor
    assert after.latency == before.latency * factor
    assert after.link_load == before.link_load
