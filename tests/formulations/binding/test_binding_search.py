"""Whatever solves it, a searched binding keeps the caps and is no worse than CP-SAT's."""

from __future__ import annotations

import oracles
import pytest
from scheduling_instances import equal_tiles, random_flows

from formulations.binding import cpsat as binding_cpsat
from formulations.binding import large_neighbourhood_search as binding_lns
from formulations.binding import search as binding_search
from formulations.binding import stages
from formulations.binding.sets import fits_platform, load_of, spike_hops_of
from optmap.binding import load_balance
from optmap.model.outcome import Limits, Status
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile

LIMITS = Limits(wall_s=20.0)


def mesh(side: int, slots: int) -> Platform:
    tiles = (Tile(Crossbar(64, 64), slots=slots),) * side**2
    return Platform("mesh", tiles, Interconnect("mesh", side, side))


@pytest.mark.parametrize("objective", ["load", "hops"])
@pytest.mark.parametrize("seed", range(12))
def test_agrees_with_enumeration(seed: int, objective: str):
    graph, platform = oracles.random_binding_case(seed)
    best = oracles.best_binding(graph, platform, objective, None)
    outcome = binding_search.solve(graph, platform, LIMITS, objective=objective)
    if best is None:
        assert outcome.status is Status.INFEASIBLE
        return
    assert outcome.status is Status.OPTIMAL
    assert outcome.claimed == best
    assert fits_platform(graph, platform, outcome.solution)


def test_one_cluster_a_tile_is_searched_nested():
    platform = mesh(4, slots=1)
    outcome = binding_search.solve(random_flows(12, 0), platform, LIMITS, objective="hops")
    assert (outcome.status, outcome.claimed) == (Status.OPTIMAL, 157)


@pytest.mark.parametrize("terms", [None, 0])
def test_what_cpsat_leaves_open_is_searched(monkeypatch, terms: int | None):
    graph, platform = random_flows(40, 1), mesh(5, slots=4)
    if terms is not None:
        monkeypatch.setattr(binding_search, "MAX_TERMS", terms)
    outcome = binding_search.solve(graph, platform, Limits(0.25), objective="hops", max_load=4000)
    assert outcome.status is Status.FEASIBLE
    assert outcome.claimed == spike_hops_of(graph, platform, outcome.solution)
    assert outcome.bound <= outcome.claimed
    balanced = load_balance.bind(graph, platform)
    assert 2 * outcome.claimed < spike_hops_of(graph, platform, balanced)
    assert load_of(graph, platform, outcome.solution) <= 4000
    seconds = [point.seconds for point in outcome.trace]
    assert seconds == sorted(seconds)


def test_what_nobody_finds_is_said(monkeypatch):
    graph, platform = random_flows(12, 0), equal_tiles(2, 2)
    outcome = binding_search.solve(graph, platform, LIMITS, objective="hops", max_load=1)
    assert outcome.status is Status.INFEASIBLE
    monkeypatch.setattr(binding_search, "MAX_TERMS", 0)
    monkeypatch.setattr(binding_lns, "MOST_IDLE_LOOKS", 1)
    outcome = binding_search.solve(graph, platform, LIMITS, objective="hops", max_load=1)
    assert outcome.status is Status.UNKNOWN


@pytest.mark.parametrize("objective", ["load", "hops"])
def test_a_model_too_large_for_the_time_left_is_not_built(monkeypatch, objective: str):
    graph, platform = random_flows(12, 0), mesh(4, 1)
    start = load_balance.bind(graph, platform)
    monkeypatch.setattr(stages, "TERMS_A_SECOND", 1)
    monkeypatch.setattr(stages, "LOAD_TERMS_A_SECOND", 1)
    monkeypatch.setattr(stages, "_model", lambda *_: pytest.fail("it was built"))
    found = binding_cpsat.solve(graph, platform, Limits(2), objective=objective, warm=start)
    assert found.solution is not None
    assert found.bound is not None
    assert found.bound <= found.claimed
    if found.status is Status.FEASIBLE:
        assert "s to build, " in found.note
