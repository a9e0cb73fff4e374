"""The rule book: every edge by hand, with its delay, tokens and reason."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from small_mapping import MAPPING, PLATFORM

from optmap.errors import CapacityError, DeadlockError
from optmap.judge.binding_aware_graph import (
    BindingAwareGraph,
    Reason,
    derived_sends,
    firing_times,
    lower,
    remote_channels,
)
from optmap.model.cluster_graph import ClusterGraph, cluster_graph
from optmap.model.mapping import Binding, StaticOrders
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.sdf.cycle_ratio import maximum_cycle_ratio

GRAPH = cluster_graph(MAPPING.decomposition, MAPPING.clustering, PLATFORM, "dataflow")
BINDING, ORDERS = MAPPING.binding, MAPPING.orders

# sends: 4 is 0 -> 3, 5 is 1 -> 2, 6 is 2 -> 1; 39, 39, 18, 24 are the taus with switch_ticks
SELF = [(k, k, d, 1, "self") for k, d in enumerate((39, 39, 18, 24, 1, 1, 4))]
SAME_TILE = [
    (0, 1, 39, 0, "data"),
    (1, 0, 39, 3, "buffer"),
    (2, 3, 18, 0, "data"),
    (3, 2, 24, 3, "buffer"),
]
OTHER_TILE = [
    (0, 4, 39, 0, "data"),
    (4, 3, 1 + 2 * 5, 0, "data"),
    (4, 0, 1, 3, "buffer"),
    (3, 4, 24, 3, "buffer"),
    (1, 5, 39, 0, "data"),
    (5, 2, 1 + 2 * 5, 1, "data"),
    (5, 1, 1, 3, "buffer"),
    (2, 5, 18, 2, "buffer"),
    (2, 6, 18, 0, "data"),
    (6, 1, 4 + 3 * 5, 1, "data"),
    (6, 2, 4, 3, "buffer"),
    (1, 6, 39, 2, "buffer"),
]
CLUSTER_ORDERS = [
    (0, 1, 39, 0, "order"),
    (1, 0, 39, 1, "order"),
    (2, 3, 18, 0, "order"),
    (3, 2, 24, 1, "order"),
]
SEND_ORDERS = [(4, 5, 1, 0, "send_order"), (5, 4, 1, 1, "send_order")]


def edges(bound: BindingAwareGraph) -> list[tuple[int, int, int, int, str]]:
    graph = bound.graph
    words = [Reason(r).word for r in bound.reason]
    columns = (graph.source, graph.target, graph.delay, graph.tokens)
    return sorted(zip(*(c.tolist() for c in columns), words, strict=True))


def test_every_edge_of_the_small_mapping():
    bound = lower(GRAPH, PLATFORM, BINDING, ORDERS)
    assert edges(bound) == sorted(SELF + SAME_TILE + OTHER_TILE + CLUSTER_ORDERS + SEND_ORDERS)
    assert bound.time.tolist() == [39, 39, 18, 24, 1, 1, 4]
    assert bound.send_channel.tolist() == [1, 2, 3]
    assert bound.num_sends == 3
    names = [bound.name_of(actor) for actor in range(7)]
    assert names[3:] == ["cluster 3", "send 0 -> 3", "send 1 -> 2", "send 2 -> 1"]


def test_pipelined_tokens_lie_at_the_consumer_and_take_its_space():
    graph = cluster_graph(MAPPING.decomposition, MAPPING.clustering, PLATFORM, "pipelined")
    found = edges(lower(graph, PLATFORM, BINDING, ORDERS))
    for edge in (
        (0, 1, 39, 1, "data"),
        (1, 0, 39, 2, "buffer"),
        (0, 4, 39, 0, "data"),
        (4, 3, 11, 1, "data"),
        (4, 0, 1, 3, "buffer"),
        (3, 4, 24, 2, "buffer"),
    ):
        assert edge in found


def test_rotating_an_order_moves_its_token():
    orders = StaticOrders(((0, 1), (3, 2)), sends=(((1, 2), (0, 3)), ((2, 1),)))
    found = edges(lower(GRAPH, PLATFORM, BINDING, orders))
    rotated = [(3, 2, 24, 0, "order"), (2, 3, 18, 1, "order")]
    rotated += [(5, 4, 1, 0, "send_order"), (4, 5, 1, 1, "send_order")]
    kept = SELF + SAME_TILE + OTHER_TILE + CLUSTER_ORDERS[:2]
    assert found == sorted(kept + rotated)


def test_offsets_shift_the_tokens_of_orders_and_only_those():
    orders = StaticOrders(
        ((0, 1), (2, 3)),
        offsets=((1, 0), (0, 2)),
        sends=(((0, 3), (1, 2)), ((2, 1),)),
        send_offsets=((0, 1), (3,)),
    )
    found = edges(lower(GRAPH, PLATFORM, BINDING, orders))
    shifted = [
        (0, 1, 39, -1, "order"),
        (1, 0, 39, 2, "order"),
        (2, 3, 18, 2, "order"),
        (3, 2, 24, -1, "order"),
        (4, 5, 1, 1, "send_order"),
        (5, 4, 1, 0, "send_order"),
    ]
    assert found == sorted(SELF + SAME_TILE + OTHER_TILE + shifted)


def test_three_in_an_order_close_with_one_token():
    graph = chain(3, [2, 3, 4])
    bound = lower(graph, platform_of(1), Binding([0, 0, 0]), StaticOrders(((0, 1, 2),)))
    ordered = [e for e in edges(bound) if e[4] == "order"]
    assert ordered == [(0, 1, 2, 0, "order"), (1, 2, 3, 0, "order"), (2, 0, 4, 1, "order")]


def test_sends_follow_their_producers_place_then_the_consumers_index():
    graph = ClusterGraph(
        [1] * 5, [1] * 5, [1] * 5, [0, 0, 1, 1, 2], [3, 4, 3, 4, 4], [1] * 5, [0] * 5
    )
    binding = Binding([0, 0, 0, 1, 2])
    orders = StaticOrders(((1, 2, 0), (3,), (4,)))
    expected = (((1, 3), (1, 4), (2, 4), (0, 3), (0, 4)), (), ())
    assert derived_sends(graph, binding, orders) == expected
    platform = platform_of(3)
    given = lower(graph, platform, binding, replace(orders, sends=expected))
    assert edges(given) == edges(lower(graph, platform, binding, orders))


def test_switch_ticks_are_paid_where_a_tile_is_shared():
    assert firing_times(GRAPH, Binding([0, 0, 1, 0]).tile_of, PLATFORM).tolist() == [39, 39, 17, 24]
    assert firing_times(GRAPH, BINDING.tile_of, PLATFORM).tolist() == [39, 39, 18, 24]
    assert remote_channels(GRAPH, Binding([0, 0, 1, 0])).tolist() == [2, 3, 4]


def test_the_largest_send_rounds_up():
    slow = replace(PLATFORM, ni_tokens_per_tick=Fraction(3, 4))
    assert lower(GRAPH, slow, BINDING, ORDERS).time[4:].tolist() == [2, 3, 10]


def chain(length: int, tau: list[int], spikes: list[int] | None = None) -> ClusterGraph:
    """Return clusters that each feed the next."""
    channels = length - 1
    return ClusterGraph(
        tau,
        [1] * length,
        [1] * length,
        range(channels),
        range(1, length),
        spikes or [1] * channels,
        [0] * channels,
    )


def platform_of(tiles: int, **changes: object) -> Platform:
    tile = Tile(Crossbar(4, 4))
    return Platform("p", (tile,) * tiles, Interconnect("mesh", tiles, 1), **changes)


def period(graph: ClusterGraph, platform: Platform, orders: StaticOrders) -> Fraction | None:
    """Return the period, None for a deadlock."""
    bound = lower(graph, platform, Binding([1, 0, 1]), orders)
    try:
        return maximum_cycle_ratio(bound.graph)[0]
    except DeadlockError:
        return None


def best_with_offsets(graph: ClusterGraph, platform: Platform) -> Fraction:
    """Return the least period over both orders of tile 1 and all offsets up to 3."""
    found = []
    for order, ahead in product(((0, 2), (2, 0)), product(range(4), repeat=2)):
        orders = StaticOrders(((1,), order), offsets=((0,), ahead))
        found.append(period(graph, platform, orders))
    return min(p for p in found if p is not None)


def test_software_pipelining_takes_the_models_chain_from_20_to_9():
    """docs/model.md: tau 8, 6, 1 on tiles 1, 0, 1. 20 = 15 ticks of firing + 5 on the way."""
    on_the_way = {}
    for spikes, hop_ticks in product(product((1, 2, 3), repeat=2), (0, 1, 2)):
        graph, platform = chain(3, [8, 6, 1], [*spikes]), platform_of(2, hop_ticks=hop_ticks)
        plain = period(graph, platform, StaticOrders(((1,), (0, 2))))
        on_the_way[spikes, hop_ticks] = sum(spikes) + 2 * hop_ticks
        assert plain == 15 + on_the_way[spikes, hop_ticks]
        assert period(graph, platform, StaticOrders(((1,), (2, 0)))) is None
        assert best_with_offsets(graph, platform) == 9
    twenty = {case for case, ticks in on_the_way.items() if ticks == 5}
    assert twenty == {((1, 2), 1), ((2, 1), 1), ((2, 3), 0), ((3, 2), 0)}


def test_one_window_cannot_hold_an_initial_iteration():
    with pytest.raises(CapacityError, match="channel 1 -> 2 with 1 initial"):
        lower(GRAPH, replace(PLATFORM, buffer_windows=1), BINDING, ORDERS)
    line = chain(3, [1, 2, 3])
    lower(line, platform_of(1, buffer_windows=1), Binding([0] * 3), StaticOrders(((0, 1, 2),)))


@pytest.mark.parametrize(
    ("orders", "words"),
    [
        (StaticOrders(((0, 1), (2,))), "hold 3 clusters, the mapping has 4"),
        (StaticOrders(((0, 1, 2), (3,))), "tile 0 names cluster 2"),
        (StaticOrders(((0, 1), (2, 4))), "tile 1 names cluster 4"),
        (StaticOrders(((0, 1), (), (2, 3))), "tile 2 names cluster 2"),
        (replace(ORDERS, sends=(((0, 3),), ((2, 1),))), "hold 2 channels, the mapping sends 3"),
        (replace(ORDERS, sends=(((0, 3), (1, 2), (2, 1)), ())), "tile 0 names channel"),
        (replace(ORDERS, sends=(((0, 1), (1, 2)), ((2, 1),))), "which is not sent"),
        (replace(ORDERS, sends=(((0, 9), (1, 2)), ((2, 1),))), "which is not sent"),
    ],
)
def test_orders_that_do_not_cover_the_binding_are_refused(orders: StaticOrders, words: str):
    with pytest.raises(ValueError, match=words):
        lower(GRAPH, PLATFORM, BINDING, orders)


def test_sends_that_leave_64_bits_are_refused():
    crawling = replace(PLATFORM, ni_tokens_per_tick=Fraction(1, 2**70))
    with pytest.raises(ValueError, match="sends for"):
        lower(GRAPH, crawling, BINDING, ORDERS)


def test_no_cluster_is_no_edge():
    empty = ClusterGraph([], [], [], [], [], [], [])
    bound = lower(empty, platform_of(2), Binding(np.array([])), StaticOrders(((), ())))
    assert (bound.graph.num_actors, bound.graph.num_edges) == (0, 0)
