"""Named bounds, nested search and large neighbourhood search, against enumeration."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import oracles
import pytest
from scheduling_instances import cluster_graph_of, equal_tiles, random_flows

from formulations.binding import cpsat as binding_cpsat
from formulations.binding import cpsat_model as binding_model
from formulations.binding import large_neighbourhood_search as binding_lns
from formulations.binding import parts_bound as binding_parts
from formulations.binding import russian_doll, russian_doll_kernel
from formulations.binding.bounds import hop_bounds
from formulations.binding.sets import BindingSets, fits_platform, load_of, spike_hops_of
from formulations.binding.spreading_bound import nearest_sums, set_sums, spreading_bound
from formulations.solvers.stopwatch import Stopwatch
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.outcome import Limits, Status
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile

LIMITS = Limits(wall_s=60.0)
#: More of the same, for long runs: enumeration covers the small cases of each run.
FULL_SEEDS = [pytest.param(seed, marks=pytest.mark.full) for seed in (1, 2)]
SHAPES = [("mesh", 3, 2), ("mesh", 4, 1), ("torus", 3, 2), ("mesh", 2, 2)]


def places(kind: str, width: int, height: int, slots: int = 1) -> Platform:
    tile = Tile(Crossbar(64, 64), slots=slots)
    return Platform("places", (tile,) * (width * height), Interconnect(kind, width, height))


def fewest_hops(graph: ClusterGraph, platform: Platform) -> int:
    """Return the optimum of one cluster a tile by trying every injection."""
    every = permutations(range(platform.num_tiles), graph.num_clusters)
    return min(spike_hops_of(graph, platform, Binding(np.array(t))) for t in every)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(4))
def test_nested_search_agrees_with_enumeration(shape: tuple[str, int, int], seed: int):
    platform = places(*shape)
    graph = random_flows(min(5, platform.num_tiles), seed)
    outcome = russian_doll.solve(graph, platform, LIMITS)
    assert outcome.status is Status.OPTIMAL
    assert outcome.claimed == outcome.bound == fewest_hops(graph, platform)
    assert outcome.solution is not None
    assert spike_hops_of(graph, platform, outcome.solution) == outcome.claimed


@pytest.mark.parametrize("seed", [0, *FULL_SEEDS])
def test_nested_search_agrees_with_cpsat(seed: int):
    graph, platform = random_flows(8, seed), places("mesh", 3, 3)
    by_solver = binding_cpsat.solve(graph, platform, LIMITS, objective="hops", workers=1)
    by_search = russian_doll.solve(graph, platform, LIMITS, warm=by_solver.solution)
    assert by_search.status is Status.OPTIMAL
    assert by_search.claimed == by_solver.claimed


def test_twelve_clusters_on_sixteen_tiles_are_proved():
    outcome = russian_doll.solve(random_flows(12, 0), places("mesh", 4, 4), LIMITS)
    assert (outcome.status, outcome.claimed) == (Status.OPTIMAL, 157)


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_threads_share_a_nested_search(monkeypatch, shape, seed: int, threads: int):
    monkeypatch.setattr(russian_doll_kernel, "MIN_SHARED", 2)
    platform = places(*shape)
    graph = random_flows(min(5, platform.num_tiles), seed)
    outcome = russian_doll.solve(graph, platform, Limits(60.0, threads))
    assert (outcome.status, outcome.claimed) == (Status.OPTIMAL, fewest_hops(graph, platform))


@pytest.mark.parametrize("seed", range(3))
def test_a_shared_search_proves_what_one_thread_proves(seed: int):
    graph, platform = random_flows(12, seed), places("mesh", 4, 4)
    alone, together = (russian_doll.solve(graph, platform, Limits(60.0, n)) for n in (1, 2))
    assert alone.status is together.status is Status.OPTIMAL
    assert alone.claimed == together.claimed == spike_hops_of(graph, platform, together.solution)


def test_a_search_may_stop_and_go_on_at_any_node():
    """On a 3 x 2 mesh, one node at a time: the optimum of every nested problem."""
    graph, platform = random_flows(5, 1), places("mesh", 3, 2)
    flow = BindingSets(graph, platform).flow_matrix
    nested = np.zeros(6, dtype=np.int64)
    for first in range(4, -1, -1):
        alone = np.arange(6, dtype=np.int64)[None, :]  # no automorphism but the identity
        problem = russian_doll_kernel.Problem(first, flow, platform.hops, nested, alone)
        state, value, finished, looks = russian_doll_kernel.begin(problem), 10**9, False, 0
        while not finished:
            value, finished = russian_doll_kernel.resume(problem, value, state, 1)
            looks += 1
        assert looks > 5 - first
        members = range(first, 5)
        nested[first] = value
        assert value == min(
            sum(int(flow[a, b] * platform.hops[t[a - first], t[b - first]])
                for a in members for b in members if a < b)
            for t in permutations(range(6), len(members))
        )  # fmt: skip
        placed = state.best_places[first:]
        assert len(set(placed.tolist())) == len(members)
    assert nested[0] == fewest_hops(graph, platform)


def by_enumeration(graph: ClusterGraph, platform: Platform):
    """Return a part solver that tries every injection of the part's clusters."""
    hops, flows = platform.hops, BindingSets(graph, platform).flows

    def solve(part: tuple[int, ...], watch: Stopwatch) -> tuple[int, bool]:
        inside = [
            (part.index(a), part.index(b), f) for (a, b), f in flows.items() if {a, b} <= {*part}
        ]
        every = permutations(range(platform.num_tiles), len(part))
        return min(sum(f * int(hops[t[a], t[b]]) for a, b, f in inside) for t in every), True

    return solve


@pytest.mark.parametrize("seed", range(12))
def test_bound_from_parts_is_one_and_no_worse_than_without(monkeypatch, seed: int):
    monkeypatch.setattr(binding_parts, "SMALLEST", 3)
    monkeypatch.setattr(binding_parts, "STEP", 1)
    graph, platform = random_flows(6, seed), places("mesh", 3, 2)
    sets, watch = BindingSets(graph, platform), Stopwatch(Limits(20.0))
    bound = binding_parts.parts_bound(sets, by_enumeration(graph, platform), watch)
    assert spreading_bound(sets, watch) <= bound <= fewest_hops(graph, platform)


@pytest.mark.parametrize(
    ("seed", "optimum"),
    [(0, 157), *(pytest.param(*case, marks=pytest.mark.full) for case in ((1, 139), (2, 134)))],
)
def test_bound_from_parts_knows_more(seed: int, optimum: int):
    graph, platform = random_flows(12, seed), places("mesh", 4, 4)
    sets, watch = BindingSets(graph, platform), Stopwatch(Limits(20.0))
    parts = []

    def solve(part: tuple[int, ...], left: Stopwatch) -> tuple[int, bool]:
        parts.append(part)
        return russian_doll.optimum_of_part(sets, part, left)

    bound = binding_parts.parts_bound(sets, solve, watch)
    assert spreading_bound(sets, watch) < bound <= optimum
    assert len(set(parts)) == len(parts)
    assert {len(part) for part in parts} >= {8, 10}


def test_a_part_that_is_not_finished_bounds_what_it_knows():
    sets = BindingSets(random_flows(12, 0), places("mesh", 4, 4))
    whole = tuple(range(12))
    assert russian_doll.optimum_of_part(sets, whole, Stopwatch(LIMITS)) == (157, True)
    least, optimal = russian_doll.optimum_of_part(sets, whole, Stopwatch(Limits(1e-9)))
    assert not optimal
    assert least <= 157


def test_a_search_without_hope_leaves_its_time_to_the_parts(monkeypatch):
    monkeypatch.setattr(russian_doll, "HOPEFUL", 0)
    monkeypatch.setattr(russian_doll, "HOPELESS_SHARE", 0.0)
    graph, platform = random_flows(12, 0), places("mesh", 4, 4)
    named = spreading_bound(BindingSets(graph, platform), Stopwatch(LIMITS))
    outcome = russian_doll.solve(graph, platform, LIMITS)
    assert outcome.solution is not None
    assert named < outcome.bound <= 157 <= outcome.claimed


def test_nested_search_says_what_it_is_for():
    graph = random_flows(4, 0)
    for platform in (
        equal_tiles(2, 2),
        places("mesh", 3, 1),
        places("mesh", 2, 2, slots=2),
        Platform(
            "one way",
            (Tile(Crossbar(64, 64), slots=1),) * 4,
            Interconnect("matrix", matrix=tuple(map(tuple, one_way(4)))),
        ),
    ):
        assert not russian_doll.applies(BindingSets(graph, platform))
        with pytest.raises(ValueError, match="one cluster to a tile"):
            russian_doll.solve(graph, platform, LIMITS)
    platform = places("mesh", 2, 2)
    assert russian_doll.solve(graph, platform, LIMITS, max_load=0).status is Status.INFEASIBLE
    spent = russian_doll.solve(graph, platform, Limits(wall_s=1e-9))
    assert (spent.status, spent.solution) == (Status.UNKNOWN, None)
    lone = cluster_graph_of([3], {})
    assert russian_doll.solve(lone, places("mesh", 1, 1), LIMITS).claimed == 0


def one_way(n: int) -> list[list[int]]:
    return [[(u - t) % n for u in range(n)] for t in range(n)]


@pytest.mark.parametrize("seed", range(40))
def test_named_bounds_hold_for_every_binding(seed: int):
    graph, platform = oracles.random_binding_case(seed)
    found = hop_bounds(BindingSets(graph, platform), Stopwatch(LIMITS))
    least = oracles.best_binding(graph, platform, "hops", None)
    for bound in found:
        assert least is None or bound.value <= least, bound.name


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_named_bounds_hold_and_bind_with_one_cluster_a_tile(shape, seed: int):
    platform = places(*shape)
    graph = random_flows(min(5, platform.num_tiles), seed)
    best = fewest_hops(graph, platform)
    found = {b.name: b.value for b in hop_bounds(BindingSets(graph, platform), Stopwatch(LIMITS))}
    assert all(value <= best for value in found.values())
    flows = sum(BindingSets(graph, platform).flows.values())
    assert found["degrees"] >= flows  # no tile holds two, so every spike travels a hop at least


@pytest.mark.parametrize("slots", [1, 2, None])
@pytest.mark.parametrize("seed", range(10))
def test_named_bounds_hold_where_a_detour_is_shorter(seed: int, slots: int | None):
    """A hop matrix may say 9 from tile to tile and 1 + 1 by way of a third."""
    drawn = np.triu(np.random.default_rng(seed).integers(1, 10, size=(5, 5)), 1)
    joined = Interconnect("matrix", matrix=tuple(map(tuple, (drawn + drawn.T).tolist())))
    platform = Platform("detours", (Tile(Crossbar(64, 64), slots=slots),) * 5, joined)
    graph = random_flows(5, seed)
    sets, best = BindingSets(graph, platform), oracles.best_binding(graph, platform, "hops")
    for bound in hop_bounds(sets, Stopwatch(LIMITS)):
        assert bound.value <= best, bound.name
    if slots == 1:
        outcome = russian_doll.solve(graph, platform, LIMITS)
        assert (outcome.status, outcome.claimed) == (Status.OPTIMAL, best)


@pytest.mark.parametrize("times", [10**10, 10**12, 10**14, 10**15])
def test_named_bounds_hold_beyond_the_whole_numbers_of_doubles(times: int):
    drawn, platform = random_flows(5, 4), places("mesh", 3, 2)
    graph = replace(drawn, spikes=drawn.spikes * times)
    best = fewest_hops(graph, platform)
    found = hop_bounds(BindingSets(graph, platform), Stopwatch(LIMITS))
    assert all(bound.value <= best for bound in found)
    assert max(bound.value for bound in found) > 0


def test_bounds_by_hand():
    # a star of five on a 3 x 3 mesh: four partners at one hop, the lightest at two
    channels = {(0, b): 10 * b for b in range(1, 6)}
    star = BindingSets(cluster_graph_of([1] * 6, channels), places("mesh", 3, 3))
    assert spreading_bound(star, Stopwatch(LIMITS)) == 50 + 40 + 30 + 20 + 2 * 10
    # a triangle has an even perimeter on a mesh
    ring = cluster_graph_of([1] * 3, {(0, 1): 5, (1, 2): 5, (0, 2): 5})
    assert spreading_bound(BindingSets(ring, places("mesh", 2, 2)), Stopwatch(LIMITS)) == 20


def test_sums_of_hops_are_those_of_the_best_places():
    for width, height in ((3, 3), (4, 2), (5, 1)):
        platform = places("mesh", width, height)
        hops, counts = platform.hops, np.ones(platform.num_tiles, dtype=np.int64)
        rho = nearest_sums(hops, counts, 5)
        for t in range(platform.num_tiles):
            nearest = sorted(hops[t].tolist())
            assert rho[t].tolist()[:5] == [sum(nearest[: k + 1]) for k in range(5)]
        sets = BindingSets(random_flows(4, 0), platform)
        sigma = set_sums(sets, counts, rho.min(axis=0).tolist())
        for k in range(1, 5):
            every = permutations(range(platform.num_tiles), k)
            best = min(sum(int(hops[a, b]) for a in s for b in s) // 2 for s in every)
            assert sigma[k] <= best


@pytest.mark.parametrize("seed", range(0, 40, 2))
def test_lns_keeps_every_capacity_and_reaches_the_optimum_of_small_cases(seed: int):
    graph, platform = oracles.random_binding_case(seed)
    cap = oracles.best_binding(graph, platform, "load", None)
    best = None if cap is None else oracles.best_binding(graph, platform, "hops", cap + 5)
    limits = Limits(wall_s=0.3, seed=seed)
    load = None if cap is None else cap + 5
    outcome = binding_lns.solve(graph, platform, limits, max_load=load)
    if outcome.solution is None:
        assert outcome.status is Status.UNKNOWN
        return
    assert best is not None
    assert fits_platform(graph, platform, outcome.solution)
    assert load is None or load_of(graph, platform, outcome.solution) <= load
    assert outcome.claimed == spike_hops_of(graph, platform, outcome.solution)
    assert outcome.bound <= best <= outcome.claimed


@pytest.mark.parametrize("seed", range(3))
def test_lns_comes_close_to_the_proved_optimum(seed: int):
    graph, platform = random_flows(12, seed), places("mesh", 4, 4)
    best = russian_doll.solve(graph, platform, LIMITS).claimed
    found = binding_lns.solve(graph, platform, Limits(wall_s=2.0)).claimed
    assert best <= found <= best * 1.1


def test_lns_improves_a_start_on_a_large_mesh():
    graph, platform = random_flows(200, 0), places("mesh", 32, 32)
    start = Binding(np.random.default_rng(0).permutation(1024)[:200])
    before = spike_hops_of(graph, platform, start)
    outcome = binding_lns.solve(graph, platform, Limits(wall_s=0.05), warm=start)
    assert outcome.solution is not None
    assert outcome.claimed == spike_hops_of(graph, platform, outcome.solution)
    assert outcome.claimed < before
    kept = binding_lns.solve(graph, platform, Limits(wall_s=1e-9), warm=start)
    assert kept.claimed == before


def test_lns_without_room_knows_nothing():
    graph = random_flows(5, 0)
    assert binding_lns.solve(graph, places("mesh", 2, 2), LIMITS).status is Status.UNKNOWN


def test_named_bound_in_the_solvers_changes_no_answer(monkeypatch):
    cases = [oracles.random_binding_case(seed) for seed in range(6)]
    solve = binding_cpsat.solve
    expected = [solve(*case, LIMITS, objective="hops", workers=1).claimed for case in cases]
    monkeypatch.setattr(binding_model.BindingModel, "respect_named_bound", lambda self, least: None)
    assert [solve(*case, LIMITS, objective="hops", workers=1).claimed for case in cases] == expected
