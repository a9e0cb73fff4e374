"""Binding formulations against enumeration, family by family, and each other."""

from __future__ import annotations

from types import ModuleType

import oracles
import pytest
from scheduling_instances import cluster_graph_of

from formulations.binding import cpsat as binding_cpsat
from formulations.binding import cpsat_model as binding_model
from formulations.binding import milp as binding_milp
from formulations.binding.sets import BindingSets
from formulations.binding.stages import Backend, Found, least_cost
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile

LIMITS = Limits(wall_s=60.0)
SEEDS = range(40)
BACK_ENDS = [binding_cpsat, binding_milp]
MODELS = {binding_cpsat: binding_model.BindingModel, binding_milp: binding_milp.BindingModel}
NECESSARY = [
    "place_each_cluster_once",
    "respect_slots",
    "respect_crossbars",
    "respect_input_buffers",
    "respect_output_buffers",
    "respect_load",
]


def solve(
    back_end: ModuleType,
    graph: ClusterGraph,
    platform: Platform,
    objective: str,
    max_load: int | None = None,
    warm: Binding | None = None,
) -> Outcome[Binding]:
    more = {"workers": 1} if back_end is binding_cpsat else {}
    return back_end.solve(
        graph, platform, LIMITS, objective=objective, max_load=max_load, warm=warm, **more
    )


def assert_agrees(back_end: ModuleType, seed: int) -> None:
    """Formulation and enumeration tell one story: load first, then hops under the best load."""
    graph, platform = oracles.random_binding_case(seed)
    max_load = None
    for objective in ("load", "hops"):
        expected = oracles.best_binding(graph, platform, objective, max_load)
        outcome = solve(back_end, graph, platform, objective, max_load)
        if expected is None:
            assert outcome.status is Status.INFEASIBLE
            return
        assert outcome.status is Status.OPTIMAL
        tile_of = tuple(outcome.solution.tile_of.tolist())
        assert oracles.binding_fits(graph, platform, tile_of)
        if objective == "load":
            max_load = value = oracles.binding_load(graph, platform, tile_of)
        else:
            value = oracles.binding_hops(graph, platform, tile_of)
            assert oracles.binding_load(graph, platform, tile_of) <= max_load
        assert value == outcome.claimed == outcome.bound == expected


def assert_all_agree(back_end: ModuleType) -> None:
    for seed in SEEDS:
        assert_agrees(back_end, seed)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_agrees_with_enumeration(back_end: ModuleType, seed: int) -> None:
    assert_agrees(back_end, seed)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_weighted_sum_agrees_with_enumeration(back_end: ModuleType, seed: int) -> None:
    """(B0c): a tick of load costs three spike-hops."""
    graph, platform = oracles.random_binding_case(seed)
    expected = min(
        (
            oracles.binding_hops(graph, platform, t) + 3 * oracles.binding_load(graph, platform, t)
            for t in oracles.bindings(graph.num_clusters, platform.num_tiles)
            if oracles.binding_fits(graph, platform, t)
        ),
        default=None,
    )
    outcome = solve(back_end, graph, platform, "hops+3load")
    assert (outcome.claimed, outcome.bound) == (expected, expected)
    if expected is None:
        assert outcome.status is Status.INFEASIBLE
        return
    assert outcome.status is Status.OPTIMAL
    tile = tuple(outcome.solution.tile_of.tolist())
    hops, load = (f(graph, platform, tile) for f in (oracles.binding_hops, oracles.binding_load))
    assert hops + 3 * load == expected


@pytest.mark.parametrize("family", NECESSARY)
@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_dropping_a_necessary_family_is_noticed(
    back_end: ModuleType, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MODELS[back_end], family, lambda self: None)
    with pytest.raises((AssertionError, ValueError)):
        assert_all_agree(back_end)


@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_without_hops_the_spike_hops_are_noticed(
    back_end: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MODELS[back_end], "measure_hops", lambda self: None)
    with pytest.raises((AssertionError, KeyError)):
        assert_all_agree(back_end)


@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_tile_symmetry_changes_no_answer(
    back_end: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MODELS[back_end], "break_tile_symmetry", lambda self, objective: None)
    for seed in list(SEEDS)[:8]:
        assert_agrees(back_end, seed)


def test_distances_that_a_solver_left_too_long_are_not_claimed() -> None:
    """(B5) bounds distances from below only: an incumbent of a stopped solver may exceed them."""
    graph, platform = oracles.random_binding_case(0)
    best = solve(binding_milp, graph, platform, "hops")
    binding, value = best.solution, best.claimed
    assert binding is not None
    assert isinstance(value, int)
    found = Found(Status.FEASIBLE, binding, value + 100, value)
    slack = Backend(binding_milp.BindingModel, lambda *_: found, is_cpsat=False)
    outcome = least_cost(slack, graph, platform, LIMITS, "hops")
    assert outcome.claimed == value
    assert outcome.status is Status.OPTIMAL


def test_first_tiles_are_a_fundamental_domain() -> None:
    """(B6): every tile is carried into the domain by a symmetry that keeps all hops."""
    graph = oracles.random_binding_case(0)[0]
    for kind, x, y in [("mesh", 3, 3), ("mesh", 4, 2), ("mesh", 1, 3), ("torus", 3, 4)]:
        platform = Platform("m", (Tile(Crossbar(2, 2)),) * (x * y), Interconnect(kind, x, y))
        kept = set(BindingSets(graph, platform).first_tiles)
        hops = platform.hops
        profile = {t: sorted(hops[t].tolist()) for t in range(x * y)}
        # equal sorted hop profiles are necessary for a symmetry; each profile must be kept once
        assert {tuple(profile[t]) for t in kept} == {tuple(p) for p in profile.values()}
    mixed = Platform(
        "m",
        (Tile(Crossbar(2, 2)), Tile(Crossbar(2, 3)), Tile(Crossbar(2, 2))),
        Interconnect("mesh", 3, 1),
    )
    assert BindingSets(graph, mixed).first_tiles == [0, 1, 2]


@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_hops_without_triangle_inequality(back_end: ModuleType) -> None:
    """The heavy flows go over the two short ways, 5 + 5, the light one over the 9 hops."""
    joined = Interconnect("matrix", matrix=((0, 1, 9), (1, 0, 1), (9, 1, 0)))
    platform = Platform("detour", (Tile(Crossbar(64, 64), slots=1),) * 3, joined)
    graph = cluster_graph_of([1] * 3, {(0, 1): 5, (1, 2): 5, (0, 2): 1})
    outcome = solve(back_end, graph, platform, "hops")
    assert (outcome.status, outcome.claimed) == (Status.OPTIMAL, 19)


@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_a_feasible_start_is_never_lost(back_end: ModuleType) -> None:
    graph, platform = oracles.random_binding_case(2)
    for tile_of in oracles.bindings(graph.num_clusters, platform.num_tiles):
        if oracles.binding_fits(graph, platform, tile_of):
            break
    else:
        pytest.fail("the case has no feasible binding")
    no_time = Limits(wall_s=1e-9)
    outcome = back_end.solve(graph, platform, no_time, objective="hops", warm=Binding(tile_of))
    assert outcome.claimed == oracles.binding_hops(graph, platform, tile_of)
    # without hops it is optimal by the bounds that need no solver
    assert outcome.status is (Status.FEASIBLE if outcome.claimed else Status.OPTIMAL)
    with pytest.raises(ValueError, match="objective 'speed'"):
        solve(back_end, graph, platform, "speed")
