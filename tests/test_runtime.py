"""Admission: every guarantee judged after every event, and rejections change nothing."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from random_cases import random_graph

from optmap.model.cluster_graph import ClusterGraph
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.runtime.admission import Runtime
from optmap.runtime.application import Application, design, from_graph
from optmap.runtime.design_time import Comparison, designed, part_of
from optmap.runtime.placing import needs, place, whole
from optmap.runtime.policies import combined, common_period, on_wheel, wheel_period
from optmap.runtime.recheck import broken_promises
from optmap.runtime.state import State

WHEEL = 10_000


def chip(side: int = 4, **fields: Any) -> Platform:
    """Return side x side equal tiles of 64 slots."""
    return Platform(
        "chip",
        (Tile(Crossbar(128, 128), slots=64),) * side**2,
        Interconnect("mesh", side, side),
        hop_ticks=2,
        base_ticks=16,
        switch_ticks=3,
        ni_tokens_per_tick=Fraction(9, 5),
        **fields,
    )


def tightly_buffered(side: int, seed: int) -> Platform:
    """Return a chip whose buffers sometimes decide."""
    rng = np.random.default_rng(seed)
    tiles = tuple(
        Tile(Crossbar(128, 128), int(rng.integers(2000, 9000)), int(rng.integers(500, 9000)), 40)
        for _ in range(side**2)
    )
    return replace(chip(side), tiles=tiles)


def single(ticks: int, name: str = "one") -> Application:
    """Return an application of one cluster."""
    none = np.empty(0, dtype=np.int64)
    one = np.ones(1, dtype=np.int64)
    graph = ClusterGraph(np.array([ticks]), one, one, none, none, none, none)
    return from_graph(name, graph, chip())


def runtime(platform: Platform, policy: str) -> Runtime:
    return Runtime(platform, policy, WHEEL if policy == "wheel" else None)


@pytest.mark.parametrize("policy", ["exclusive", "lockstep", "wheel"])
@pytest.mark.parametrize("seed", range(2))
def test_every_guarantee_holds_after_every_event(policy: str, seed: int):
    rng = np.random.default_rng(seed)
    platform = tightly_buffered(4, seed) if seed % 2 else chip()
    manager = runtime(platform, policy)
    graphs = [random_graph(rng, int(rng.integers(20, 101))) for _ in range(6)]
    known = [from_graph(f"app{i}", graph, platform) for i, graph in enumerate(graphs)]
    verdicts = []
    for step in range(25):
        before, draw = manager.state, rng.random()
        if draw < 0.65:
            application = known[int(rng.integers(6))]
            best = max(application.total_ticks / 8, application.graph.tau.max())
            most = int(best * rng.choice([1.2, 2, 4, 8]) * (1 if policy == "exclusive" else 4))
            wish = Fraction(1, most) if rng.random() < 0.9 else None
            decision = manager.admit(application, wish, name=f"run{step}")
            verdicts.append(decision.admitted)
            if decision.admitted:
                assert decision.period is not None
                assert wish is None or 1 / decision.period >= wish
                assert manager.state.without(frozenset({f"run{step}"})).names() == before.names()
            else:
                assert decision.reason.split(":")[0]
                assert manager.state == before
        elif draw < 0.9 and before.running:
            manager.leave(str(rng.choice(before.names())))
        elif len(before.failed) < 3:
            tile = int(rng.choice([t for t in range(16) if t not in before.failed]))
            for decision in manager.rebind(tile):
                assert decision.admitted == (manager.state.get(decision.name) is not None)
        assert broken_promises(manager) == []
        assert all(0 <= share <= 1 for share in manager.utilisation())
    assert True in verdicts
    assert False in verdicts


def test_a_broken_promise_is_noticed():
    manager = Runtime(chip(2), "exclusive")
    application = from_graph("a", random_graph(np.random.default_rng(0), 12), chip(2))
    assert manager.admit(application, Fraction(1, 10**6)).admitted
    assert broken_promises(manager) == []
    (name, run), failed = manager.state.running[0], manager.state.failed
    for changed, word in (
        (replace(run, period=run.period + 1), "stated"),
        (replace(run, most_period=run.period - 1), "above the promised"),
    ):
        manager.state = State(((name, changed),), failed)
        assert any(word in text for text in broken_promises(manager))
    manager.state = State(((name, run), ("twin", run)), failed)
    assert any("is shared" in text for text in broken_promises(manager))
    manager.state = State(((name, run),), frozenset(run.tiles))
    assert any("has failed" in text for text in broken_promises(manager))


def test_leaving_frees_what_was_taken():
    manager = Runtime(chip(2), "exclusive")
    application = from_graph("a", random_graph(np.random.default_rng(0), 30), chip(2))
    empty = manager.state
    first = manager.admit(application, Fraction(1, 4000))
    manager.leave("a")
    assert manager.state == empty
    again = manager.admit(application, Fraction(1, 4000))
    assert (again.period, again.tiles) == (first.period, first.tiles)


def test_exclusive_takes_as_few_tiles_as_the_load_needs():
    platform = chip(2)
    none = np.empty(0, dtype=np.int64)
    ones = np.ones(4, dtype=np.int64)
    graph = ClusterGraph(10 * ones, ones, ones, none, none, none, none)
    application = from_graph("four", graph, replace(platform, switch_ticks=0))
    for most, tiles in ((40, 1), (20, 2), (10, 4)):
        manager = Runtime(replace(platform, switch_ticks=0), "exclusive")
        decision = manager.admit(application, Fraction(1, most))
        assert (decision.admitted, len(decision.tiles), decision.period) == (True, tiles, most)


@pytest.mark.parametrize(
    ("policy", "most", "reason"),
    [
        ("exclusive", 5, "throughput: cluster 0 alone takes 6 ticks, 5 ticks are allowed"),
        ("lockstep", 5, "throughput: cluster 0 alone"),
        ("wheel", 5, "throughput: cluster 0 alone"),
        ("exclusive", 7, "tiles: none is free"),
    ],
)
def test_the_reason_names_what_binds(policy: str, most: int, reason: str):
    manager = runtime(chip(1), policy)
    if "none is free" in reason:
        assert manager.admit(single(6), name="first").admitted
    decision = manager.admit(single(6), Fraction(1, most), name="second")
    assert not decision.admitted
    assert decision.reason.startswith(reason)


def test_lockstep_is_refused_in_the_name_of_whoever_bears_least():
    manager = Runtime(replace(chip(1), switch_ticks=0), "lockstep")
    assert manager.admit(single(6), Fraction(1, 10), name="hasty").admitted
    decision = manager.admit(single(5), Fraction(1, 100), name="patient")
    assert (
        decision.reason == "throughput: the common period would be 11 ticks, 'hasty' bears 10 ticks"
    )
    assert manager.admit(single(4), Fraction(1, 100), name="small").period == 10
    manager.leave("hasty")
    run = manager.state.get("small")
    assert run is not None
    assert run.period == 4


def test_slots_and_crossbars_are_reasons():
    platform = replace(chip(1), tiles=(Tile(Crossbar(128, 128), slots=1),))
    graph = random_graph(np.random.default_rng(0), 2)
    manager = Runtime(platform, "lockstep")
    assert (
        "slots: 2 are needed, 1 are left" in manager.admit(from_graph("a", graph, platform)).reason
    )
    small = replace(chip(1), tiles=(Tile(Crossbar(2, 2)),))
    reason = Runtime(small, "lockstep").admit(from_graph("a", graph, small)).reason
    assert reason.startswith("crossbars: cluster 0 needs")


@pytest.mark.parametrize(("slice_ticks", "wheel"), [(1, 3), (2, 5), (3, 4), (4, 4), (5, 9)])
def test_the_wheel_bound_is_the_worst_case_of_all_starts(slice_ticks: int, wheel: int):
    """Tick by tick: work starts at any place of the wheel and gets on in its slice only."""
    for ticks in range(1, 14):
        worst = 0
        for start in range(wheel):
            now, done = start, 0
            while done < ticks:
                done += now % wheel < slice_ticks
                now += 1
            worst = max(worst, now - start)
        assert on_wheel(np.array([ticks]), slice_ticks, wheel)[0] == worst


def test_a_larger_slice_never_lengthens_the_period():
    rng = np.random.default_rng(5)
    platform = chip(2)
    application = from_graph("a", random_graph(rng, 12), platform)
    tile_of = rng.integers(0, 4, 12)
    periods = [wheel_period(application, platform, tile_of, s, 400) for s in range(1, 401, 7)]
    assert periods == sorted(periods, reverse=True)


def test_the_wheel_serves_several_on_one_tile():
    manager = Runtime(replace(chip(1), switch_ticks=0), "wheel", 100)
    first = manager.admit(single(10), Fraction(1, 200), name="a")
    second = manager.admit(single(10), Fraction(1, 200), name="b")
    assert first.admitted
    assert second.admitted
    assert broken_promises(manager) == []
    left = manager.state.wheel_left(manager.platform, 100)
    assert 0 <= left[0] < 100


def test_placing_keeps_buffers_and_finds_what_exists():
    """Against enumeration: what it returns fits; it may miss a placement, but rarely."""
    found = possible = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        platform = chip(2)
        graph = random_graph(rng, 5)
        tokens = 2 * int(graph.rate.sum())
        tiles = tuple(
            Tile(Crossbar(128, 128), *(int(x) + 1 for x in rng.integers(0, tokens + 1, 2)), 3)
            for _ in range(4)
        )
        platform = replace(platform, tiles=tiles)
        application = from_graph("a", graph, platform)
        room = whole(platform)

        def fits(tile_of: np.ndarray, application=application, platform=platform, room=room):
            taken = needs(application, platform, tile_of)
            return all((t <= r).all() for t, r in zip(taken[:3], room[:3], strict=True))

        tile_of = place(application, platform, room, np.arange(4))
        assert tile_of is None or fits(tile_of)
        exists = any(fits(np.array(t)) for t in product(range(4), repeat=5))
        possible += exists
        found += tile_of is not None
    assert possible > 20
    assert found >= 0.8 * possible


def test_the_common_period_is_that_of_one_graph():
    platform = chip(2)
    manager = Runtime(platform, "lockstep")
    rng = np.random.default_rng(2)
    for i in range(3):
        assert manager.admit(from_graph(f"a{i}", random_graph(rng, 6), platform)).admitted
    graph, order, tile_of = combined(manager.state)
    assert graph.num_clusters == len(order) == len(tile_of) == 18
    assert {run.period for _, run in manager.state.running} == {
        common_period(manager.state, platform)
    }


def test_misuse_is_refused():
    manager = Runtime(chip(2), "exclusive")
    manager.admit(single(5), name="a")
    for wrong, words in (
        (lambda: Runtime(chip(2), "fair"), "policy 'fair'"),
        (lambda: Runtime(chip(2), "wheel"), "wheel_ticks"),
        (lambda: Runtime(chip(2), "lockstep", 5), "wheel_ticks"),
        (lambda: Runtime(chip(2), "wheel", 0), "wheel_ticks 0"),
        (lambda: manager.admit(single(5), name="a"), "runs already"),
        (lambda: manager.admit(single(5), Fraction(0), name="b"), "must be > 0"),
        (lambda: manager.leave("b"), "does not run"),
        (lambda: manager.rebind(4), "tiles are 0..3"),
        (lambda: [manager.rebind(1), manager.rebind(1)], "failed before"),
    ):
        with pytest.raises(ValueError, match=words):
            wrong()


def test_an_application_is_checked():
    graph = single(5).graph
    with pytest.raises(ValueError, match="no order"):
        Application("a", graph, np.array([1]), np.empty(0))
    empty = np.empty(0, dtype=np.int64)
    with pytest.raises(ValueError, match="no cluster"):
        Application("a", ClusterGraph(*[empty] * 7), empty, empty)


def test_design_stores_what_admission_needs():
    from optmap.clustering.overlap import partition
    from optmap.decomposing.contract import decompose
    from optmap.generators.generate import generate

    platform = chip(2)
    decomposition = decompose(generate("mlp-64-32-8"), 128, "tree")
    application = design("mlp", decomposition, partition(decomposition, platform), platform)
    assert Runtime(platform).admit(application, Fraction(1, 10**5)).admitted


def test_the_design_time_flow_runs_on_the_same_tiles():
    platform = chip(4)
    application = from_graph("a", random_graph(np.random.default_rng(1), 20), platform)
    decision = Runtime(platform).admit(application, Fraction(1, application.total_ticks // 3))
    assert decision.period is not None
    part = part_of(platform, decision.tiles)
    assert part.num_tiles == len(decision.tiles) > 1
    assert (part.hops == platform.hops[np.ix_(decision.tiles, decision.tiles)]).all()
    found = designed(application, platform, decision.tiles)
    assert found is not None
    period, seconds = found
    compared = Comparison("a", 2, decision.period, decision.seconds, period, seconds)
    assert compared.lost == 1 - period / decision.period
    none = replace(platform, tiles=(Tile(Crossbar(128, 128), slots=1),) * 16)
    assert designed(application, none, (0, 1)) is None
