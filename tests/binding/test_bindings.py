"""Bindings: capacity kept, what fits is found, and each rule does what it says."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from random_cases import BINDINGS, ORDERS, case, limited, random_graph
from scheduling_instances import random_instance

from optmap.binding import force_directed as bind_force_directed
from optmap.binding import hill_climbing as bind_hill_climbing
from optmap.binding import load_balance as bind_load_balance
from optmap.binding import particle_swarm as bind_particle_swarm
from optmap.binding import round_robin as bind_round_robin
from optmap.binding.contract import BINDERS
from optmap.binding.kernels import tile_swaps
from optmap.binding.kernels.period_search import PeriodSearch
from optmap.binding.kernels.tile_shares import along, tile_shares
from optmap.binding.kernels.tile_swaps import improve
from optmap.clustering import random as partition_random
from optmap.decomposing.contract import decompose
from optmap.errors import CapacityError
from optmap.judge.binding_aware_graph import lower
from optmap.judge.check import check_graph
from optmap.judge.metrics import max_tile_load, spike_hops
from optmap.model.cluster_graph import ClusterGraph, cluster_graph
from optmap.model.mapping import Binding, StaticOrders
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.ordering.contract import ORDERERS
from optmap.ordering.kernels.order_on_tiles import projected
from optmap.ordering.kernels.single_tile import single_tile_order
from optmap.sdf.cycle_ratio import maximum_cycle_ratio


def clustered(seed: int) -> tuple[ClusterGraph, Platform]:
    """Return a small cluster graph on its platform, without limits."""
    snn, platform = case(seed)
    decomposition = decompose(snn, platform.max_rows, "tree")
    clustering = partition_random.partition(decomposition, platform, seed=seed)
    tokens = ("dataflow", "pipelined")[seed % 2]
    return cluster_graph(decomposition, clustering, platform, tokens), platform


def chain(*tau: int, spikes: int = 1) -> ClusterGraph:
    """Return clusters that feed each other in a row."""
    k = len(tau)
    a = np.arange(k - 1, dtype=np.int32)
    one = np.ones(k, dtype=np.int64)
    return ClusterGraph(
        np.array(tau), one, one, a, a + 1, np.full(k - 1, spikes), np.zeros(k - 1, dtype=np.int64)
    )


def mesh(width: int, height: int, **fields: Any) -> Platform:
    """Return equal tiles in a mesh."""
    tile = Tile(Crossbar(128, 128))
    return Platform(
        "mesh",
        (tile,) * (width * height),
        Interconnect("mesh", width, height),
        **fields,
    )


@pytest.mark.parametrize("name", BINDINGS)
def test_what_a_binding_returns_passes_the_check_with_every_order(name: str):
    bind, failed = BINDERS[name](), 0
    seeds = range({"hill-climbing": 15, "multicast": 6}.get(name, 70))  # these search longer
    for seed in seeds:
        graph, platform = clustered(seed)
        if seed % 3:
            platform = limited(platform, graph, seed)
        try:
            binding = bind(graph, platform, seed=seed)
        except CapacityError:
            failed += 1
            continue
        for order_name in ORDERS:
            orders = ORDERERS[order_name]()(graph, binding, platform, seed=seed)
            assert check_graph(graph, platform, binding, orders) == []
    assert failed < 0.6 * len(seeds)


@pytest.mark.parametrize("name", BINDINGS)
def test_slots_and_crossbars_that_suffice_are_found_by_every_binding(name: str):
    """Enumeration decides; the look-ahead over kinds of tiles is exact, so nothing is missed."""
    bind, verdicts = BINDERS[name](), []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        k, t = int(rng.integers(1, 6)), int(rng.integers(1, 4))
        graph = random_graph(rng, k)
        kinds = [Crossbar(64, 128), Crossbar(128, 64), Crossbar(128, 128)]
        tiles = tuple(
            Tile(kinds[int(rng.integers(3))], slots=int(rng.integers(1, 4))) for _ in range(t)
        )
        platform = Platform("kinds", tiles, Interconnect("mesh", t, 1))
        possible = any(
            all(graph.fits(platform)[a, u] for a, u in enumerate(tile_of))
            and all(tile_of.count(u) <= (tile.slots or k) for u, tile in enumerate(tiles))
            for tile_of in product(range(t), repeat=k)
        )
        verdicts.append(possible)
        if possible:
            bind(graph, platform, seed=seed)
        else:
            with pytest.raises(CapacityError, match=r"\d"):
                bind(graph, platform, seed=seed)
    assert 10 < sum(verdicts) < 55


def test_what_cannot_fit_is_refused_with_numbers():
    graph = chain(5, 5, 5)
    few = replace(mesh(2, 1), tiles=(Tile(Crossbar(8, 8), slots=1),) * 2)
    with pytest.raises(CapacityError, match=r"3 clusters fit only tiles of 8 x 8 .* have 2 slots"):
        bind_round_robin.bind(graph, few)
    short = replace(mesh(2, 1), tiles=(Tile(Crossbar(8, 8), input_buffer=1),) * 2)
    with pytest.raises(CapacityError, match="needs 2 tokens of an input buffer"):
        bind_round_robin.bind(graph, short)
    narrow = replace(mesh(2, 1), tiles=(Tile(Crossbar(8, 8), slots=2, output_buffer=1),) * 2)
    with pytest.raises(CapacityError, match="output buffers"):
        bind_round_robin.bind(chain(5, 5, 5), narrow)


def test_load_balance_puts_heavy_clusters_apart():
    graph = replace(chain(8, 8, 1, 1), spikes=np.zeros(3, dtype=np.int64))
    binding = bind_load_balance.bind(graph, mesh(2, 1))
    assert np.bincount(binding.tile_of, weights=graph.tau).tolist() == [9, 9]


def test_criticality_looks_at_cycles_of_two():
    """Clusters 1 and 2 exchange tokens both ways: their mean exceeds what cluster 2 has alone."""
    graph = ClusterGraph(
        np.array([5, 9, 2]),
        np.ones(3),
        np.ones(3),
        np.array([1, 2]),
        np.array([2, 1]),
        np.array([1, 1]),
        np.array([1, 1]),
    )
    assert bind_load_balance.by_criticality(graph) == [1, 2, 0]


def test_shares_are_even_where_slots_allow_it():
    platform = replace(
        mesh(3, 1), tiles=(Tile(Crossbar(8, 8), slots=1), *(Tile(Crossbar(8, 8)),) * 2)
    )
    assert tile_shares(chain(1, 1, 1), platform).tolist() == [1, 1, 1]
    assert tile_shares(chain(1, 1, 1, 1, 1, 1), platform).tolist() == [1, 3, 3]


def test_swaps_save_hops_and_keep_capacity(monkeypatch: pytest.MonkeyPatch):
    """And costs that are kept from move to move choose as those that are summed each time."""
    better = 0
    for seed in range(150):
        graph, platform = clustered(seed)
        if seed % 2:
            platform = limited(platform, graph, seed)
        if seed % 5 == 0:  # hops that differ by direction
            hops = np.random.default_rng(seed).integers(1, 6, (platform.num_tiles,) * 2)
            np.fill_diagonal(hops, 0)
            net = Interconnect("matrix", matrix=tuple(map(tuple, hops.tolist())))
            platform = replace(platform, interconnect=net)
        try:
            start = along(
                graph,
                platform,
                np.arange(graph.num_clusters),
                np.arange(platform.num_tiles),
                seed,
            )
        except CapacityError:
            continue
        end = improve(graph, platform, start, 20)
        with monkeypatch.context() as nothing_kept:
            nothing_kept.setattr(tile_swaps, "MOST_COSTS", 0)
            assert improve(graph, platform, start, 20) == end
        orders = projected(single_tile_order(graph), end, platform)
        assert check_graph(graph, platform, end, orders) == []
        saved = spike_hops(graph, platform, start) - spike_hops(graph, platform, end)
        assert saved >= 0
        better += saved > 0
    assert better > 30


def test_force_directed_placement_of_a_chain_is_a_walk():
    """Nine clusters in a row fit a 3 x 3 mesh with one hop between neighbours."""
    order = np.random.default_rng(3).permutation(9)
    graph = chain(*[4] * 9)
    shuffled = ClusterGraph(
        graph.tau,
        graph.rows,
        graph.columns,
        *(side[np.lexsort((order[1:], order[:-1]))] for side in (order[:-1], order[1:])),
        graph.spikes,
        graph.initial,
    )
    for one in (graph, shuffled):
        binding = bind_force_directed.bind(one, mesh(3, 3))
        assert spike_hops(one, mesh(3, 3), binding) == 8


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 2), (4, 4), (8, 8), (3, 5), (7, 2)])
def test_the_curve_visits_every_tile_once_and_steps_to_neighbours_on_squares(width, height):
    platform = mesh(width, height)
    curve = bind_force_directed.tile_curve(platform)
    assert sorted(curve.tolist()) == list(range(width * height))
    if width == height:
        assert all(platform.hops[a, b] == 1 for a, b in pairwise(curve))


def test_the_walk_on_a_hop_matrix_goes_to_the_nearest_tile():
    matrix = ((0, 5, 1), (5, 0, 2), (1, 2, 0))
    tiles = (Tile(Crossbar(8, 8)),) * 3
    platform = Platform("m", tiles, Interconnect("matrix", matrix=matrix))
    assert bind_force_directed.tile_curve(platform).tolist() == [0, 2, 1]


@pytest.mark.parametrize("size", [12, 400])
def test_the_spectral_order_unrolls_a_chain(size: int):
    """Both solvers, dense and iterative: the Fiedler vector of a path is monotone."""
    order = np.random.default_rng(1).permutation(size)
    sides = np.lexsort((order[1:], order[:-1]))
    one = np.ones(size, dtype=np.int64)
    graph = ClusterGraph(
        one, one, one, order[:-1][sides], order[1:][sides], 0 * one[1:], 0 * one[1:]
    )
    found = bind_force_directed.spectral_order(graph, seed=0)
    if size < bind_force_directed.DENSE:
        assert found.tolist() in (order.tolist(), order[::-1].tolist())
    else:
        place = np.empty(size)
        place[found] = np.arange(size)
        assert abs(np.corrcoef(place[order], np.arange(size))[0, 1]) > 0.9


def test_the_swarm_beats_its_start_and_is_one_cluster_a_tile():
    rng = np.random.default_rng(0)
    graph, platform = random_graph(rng, 16), mesh(4, 4)
    binding = bind_particle_swarm.bind(graph, platform, seed=1)
    assert sorted(binding.tile_of.tolist()) == list(range(16))
    start = along(graph, platform, np.arange(16), np.arange(16), 0)
    assert spike_hops(graph, platform, binding) < spike_hops(graph, platform, start)


def test_the_incremental_period_is_the_judges_after_every_move_and_undo():
    for seed in range(60):
        graph, platform = clustered(seed)
        if graph.num_clusters < 2 or platform.num_tiles < 2:
            continue
        rng = np.random.default_rng(seed)
        tile_of = rng.integers(0, platform.num_tiles, graph.num_clusters)
        sequence = single_tile_order(graph)
        search = PeriodSearch(graph, platform, sequence, tile_of)
        for _ in range(8):
            before = search.tile_of.copy(), search.period
            moved = rng.permutation(graph.num_clusters)[: int(rng.integers(1, 3))]
            search.move(moved, rng.integers(0, platform.num_tiles, len(moved)))
            assert search.period == judged(graph, platform, sequence, search.tile_of)
            assert set(search.critical_clusters()) <= set(range(graph.num_clusters))
            if rng.random() < 0.5:
                search.undo()
                assert (search.tile_of == before[0]).all()
                assert search.period == before[1]


def judged(graph, platform, sequence, tile_of):
    binding = Binding(tile_of.astype(np.int32))
    orders = projected(sequence, binding, platform)
    return maximum_cycle_ratio(lower(graph, platform, binding, orders).graph)[0]


def test_hill_climbing_never_lengthens_the_period_and_often_shortens_it():
    shorter = 0
    for seed in range(15):
        graph, platform = clustered(seed)
        start = bind_round_robin.bind(graph, platform)
        end = bind_hill_climbing.bind(graph, platform, seed=seed, start=start)
        if not graph.num_clusters:
            continue
        sequence = single_tile_order(graph)
        before = judged(graph, platform, sequence, start.tile_of)
        after = judged(graph, platform, sequence, end.tile_of)
        assert after <= before
        shorter += after < before
    assert shorter > 4


def test_hill_climbing_leaves_out_periods_that_improve_nothing(monkeypatch):
    """Moves whose loads and hops say enough are not evaluated: fewer periods, the same binding."""
    evaluated = [0, 0]
    move = PeriodSearch.move
    for seed in range(12):
        graph, platform = clustered(seed)
        found = []
        for number in range(2):

            def counted(self, clusters, tiles, number=number):
                evaluated[number] += 1
                return move(self, clusters, tiles)

            with monkeypatch.context() as patch:
                patch.setattr(PeriodSearch, "move", counted)
                if number:
                    patch.setattr(bind_hill_climbing._Climb, "_is_idle", lambda *_: False)
                found.append(bind_hill_climbing.bind(graph, platform, seed=seed).tile_of)
        assert np.array_equal(*found)
    assert 0 < evaluated[0] < 0.8 * evaluated[1]


def test_hill_climbing_finds_the_best_binding_of_small_graphs():
    """Against enumeration of all bindings under the projected order: how often, at least."""
    best = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        graph, platform = random_graph(rng, 5), mesh(2, 1)
        sequence = single_tile_order(graph)
        found = judged(
            graph, platform, sequence, bind_hill_climbing.bind(graph, platform, seed=seed).tile_of
        )
        every = [
            judged(graph, platform, sequence, np.array(tile_of))
            for tile_of in product(range(2), repeat=5)
        ]
        assert found >= min(every)
        best += found == min(every)
    assert best >= 20


def test_list_scheduling_fires_the_critical_cluster_first():
    """0 feeds a long tail, 1 does not: alone on a tile, 0 goes first although 1 is longer."""
    graph = ClusterGraph(
        np.array([2, 5, 9]),
        np.ones(3),
        np.ones(3),
        np.array([0]),
        np.array([2]),
        np.array([1]),
        np.array([0]),
    )
    binding, platform = Binding(np.array([0, 0, 1])), mesh(2, 1)
    listed = ORDERERS["list"]()(graph, binding, platform)
    assert listed.clusters == ((0, 1), (2,))
    plain = ORDERERS["topological"]()(graph, Binding(np.zeros(3)), platform)
    assert plain == StaticOrders(((0, 1, 2), ()))


def test_the_single_tile_order_is_by_start_then_longer_then_lower():
    graph = chain(3, 7, 2)
    assert single_tile_order(graph).tolist() == [0, 1, 2]
    free = replace(
        chain(3, 7, 7),
        source=np.array([], dtype=np.int32),
        target=np.array([], dtype=np.int32),
        spikes=np.array([]),
        initial=np.array([]),
    )
    assert single_tile_order(free).tolist() == [1, 2, 0]


def test_random_orders_differ_by_seed_and_cover_what_is_valid():
    one, edge = np.ones(3), np.ones(1)
    graph = ClusterGraph(one, one, one, 0 * edge, 2 * edge, edge, 0 * edge)
    order = ORDERERS["random"]()
    seen = {order(graph, Binding(np.zeros(3)), mesh(1, 1), seed=s).clusters[0] for s in range(60)}
    assert seen == {(0, 1, 2), (1, 0, 2), (0, 2, 1)}


def test_climbing_from_a_start_that_exceeds_slots_ends_and_is_no_slower():
    """``whole`` anneals without buffers: what it climbs from may not fit, and is put back as is."""
    tried = 0
    for seed in range(30):
        instance = random_instance(seed)
        graph = instance.graph
        slots = -(-graph.num_clusters // instance.platform.num_tiles)
        tiles = tuple(replace(tile, slots=slots) for tile in instance.platform.tiles)
        platform = replace(instance.platform, tiles=tiles)
        if graph.num_clusters < 3 or platform.num_tiles < 2:
            continue
        tried += 1
        start = Binding(np.zeros(graph.num_clusters, dtype=np.int32))
        found = bind_hill_climbing.bind(graph, platform, start=start, seed=seed)
        ticks = [max_tile_load(graph, binding, platform) for binding in (start, found)]
        assert ticks[1] <= ticks[0]
    assert tried > 10
