"""The search over all decisions: valid, never worse than its start, as good as enumeration."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import pytest
from random_cases import case
from scheduling_oracle import holds

from formulations.whole import benders as whole_benders
from formulations.whole import cpsat as whole_cpsat
from optmap.binding import multicast
from optmap.clock import counted, did, left_s, now
from optmap.clustering import overlap
from optmap.decomposing import tree
from optmap.decomposing.spikes import decompose
from optmap.errors import CapacityError
from optmap.generators.generate import generate
from optmap.judge.binding_aware_graph import lower
from optmap.judge.check import check
from optmap.judge.evaluation import evaluate
from optmap.judge.multicast import deliveries
from optmap.judge.multicast import multicast as multicast_of
from optmap.methods import METHODS
from optmap.model.cluster_graph import ClusterGraph, cluster_graph
from optmap.model.mapping import Binding, Mapping, StaticOrders, compact
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import SNN, from_edges
from optmap.sdf.cycle_ratio import maximum_cycle_ratio
from optmap.whole.annealing import Annealing
from optmap.whole.convert import Placed
from optmap.whole.search import _Search, search
from optmap.whole.starts import starts
from optmap.whole.target import Target

Found = list[Outcome[Mapping]]


def searched(
    snn: SNN,
    platform: Platform,
    work: float = 0.05,
    objective: str = "period",
    start: Mapping | None = None,
) -> tuple[Outcome[Mapping], Found]:
    """Search for an amount of counted work."""
    told: Found = []
    with counted():
        outcome = search(
            snn,
            platform,
            "dataflow",
            Limits(wall_s=work),
            objective=objective,
            start=start,
            on_better=told.append,
        )
    return outcome, told


OBJECTIVES = ["period", "traffic", "energy_pj", "clusters", "multicast_hops"]


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("seed", [0, 1, 3, 4, 5])
def test_what_is_returned_is_valid_and_the_best_that_was_told(seed: int, objective: str):
    snn, platform = case(seed)
    try:
        outcome, told = searched(snn, platform, objective=objective)
    except CapacityError:
        pytest.skip("nothing fits this platform")
    assert outcome.status is Status.FEASIBLE
    assert outcome.solution is not None
    assert check(snn, platform, outcome.solution, "dataflow") == []
    row = evaluate(platform, outcome.solution, "dataflow").row()
    assert outcome.claimed == (row[objective] or 0)
    values = [o.claimed for o in told]
    assert values == sorted(set(values), reverse=True)
    assert values[-1] == outcome.claimed
    assert [p.incumbent for p in outcome.trace] == values


def test_a_seed_and_an_amount_of_work_give_one_result():
    snn, platform = case(3)
    first, second = (searched(snn, platform)[0] for _ in range(2))
    assert first.claimed == second.claimed
    assert first.solution is not None
    assert second.solution is not None
    assert first.solution.clustering == second.solution.clustering
    assert first.solution.binding == second.solution.binding


def test_it_is_never_worse_than_its_start():
    snn, platform = case(3)
    good = searched(snn, platform, work=0.2)[0]
    again = searched(snn, platform, work=1e-3, start=good.solution)[0]
    assert good.claimed is not None
    assert again.claimed is not None
    assert again.claimed <= good.claimed


def enumerated(snn: SNN, platform: Platform) -> Fraction:
    """Return the shortest period of all clusterings, bindings and orders of the neurons."""
    units = decompose(snn, platform)
    best = None
    for labels in itertools.product(range(units.num_units), repeat=units.num_units):
        if any(x > max(labels[:i], default=-1) + 1 for i, x in enumerate(labels)):
            continue  # the same clusters by other names
        clustering = compact(labels)
        graph = cluster_graph(units, clustering, platform, "dataflow")
        for tiles in itertools.product(range(platform.num_tiles), repeat=graph.num_clusters):
            if not all(holds(graph, platform, a, t) for a, t in enumerate(tiles)):
                continue
            held = [[k for k, t in enumerate(tiles) if t == u] for u in range(platform.num_tiles)]
            for orders in itertools.product(*map(itertools.permutations, held)):
                bound = lower(graph, platform, Binding(list(tiles)), StaticOrders(tuple(orders)))
                try:
                    period = maximum_cycle_ratio(bound.graph)[0]
                except ValueError:
                    continue
                if period is not None and (best is None or period < best):
                    best = period
    assert best is not None
    return best


def small_cases() -> list[int]:
    """Return seeds of networks of 2 to 4 units on 2 tiles or more, nothing to split."""
    found = []
    for seed in range(400):
        snn, platform = case(seed, 6)
        fits = snn.max_fan_in <= min(platform.rows_of)
        if fits and 2 <= snn.num_units <= 4 and 2 <= platform.num_tiles <= 3:
            found.append(seed)
    return found[:8]


@pytest.mark.parametrize("seed", small_cases())
def test_small_networks_get_the_enumerated_optimum_or_better_with_a_prologue(seed: int):
    snn, platform = case(seed, 6)
    outcome, _ = searched(snn, platform, work=0.4)
    assert outcome.claimed is not None
    assert outcome.claimed <= enumerated(snn, platform)


def test_the_method_is_known_by_its_name():
    assert METHODS["whole"].whole == "search"


@pytest.mark.parametrize("limits", [{"axons_out": 40}, {"axons_out": 9}, {"fan_out": 5}])
def test_limits_of_what_leaves_a_crossbar_are_kept(limits: dict[str, int]):
    """Moves do not know them: what breaks them is dropped, and wide ones change nothing."""
    snn, platform = case(3)
    tiles = tuple(replace(tile, **limits) for tile in platform.tiles)
    try:
        outcome, _ = searched(snn, replace(platform, tiles=tiles))
    except CapacityError:
        pytest.skip("nothing fits this platform")
    assert outcome.solution is not None
    assert check(snn, replace(platform, tiles=tiles), outcome.solution, "dataflow") == []
    if limits == {"axons_out": 40}:
        assert outcome.claimed == searched(snn, platform)[0].claimed


@pytest.mark.full
def test_multicast_hops_are_no_more_than_bound_afterwards():
    """Clusters chosen with the tiles in mind do no worse than the same start bound for few hops."""
    snn = generate("gen:reservoir-2d-64-8")
    tile = Tile(Crossbar(64, 8), slots=1)
    platform = Platform("nine", (tile,) * 9, Interconnect("mesh", 3, 3), event_ticks=1)
    found, _ = searched(snn, platform, work=1.5, objective="multicast_hops")
    assert check(snn, platform, found.solution, "dataflow") == []
    row = evaluate(platform, found.solution, "dataflow").row()
    assert found.claimed == row["multicast_hops"]
    decomposition = tree.decompose(snn, platform)
    clustering = overlap.partition(decomposition, platform)
    graph = cluster_graph(decomposition, clustering, platform, "dataflow")
    bound = multicast.bind(graph, platform)
    links = multicast_of(deliveries(decomposition, clustering), platform, bound)
    assert 0 < found.claimed < links.hops


def test_channels_hold_so_many_tokens_and_no_more():
    pairs = [(a + 6 * k, b + 6 * (k + 1)) for k in range(2) for a in range(6) for b in range(6)]
    sources, targets = zip(*[p for p in pairs if sum(p) % 3], strict=True)
    snn = from_edges(sources, targets, 18, spikes=[1 + i % 4 for i in range(18)])
    roomy = Platform("p", (Tile(Crossbar(8, 8), slots=4),) * 4, Interconnect("mesh", 2, 2))
    tight = replace(roomy, buffer_tokens=24)
    found, told = searched(snn, tight, work=0.5)
    for one in (found, *told):
        assert check(snn, tight, one.solution, "dataflow") == []
    for model in (whole_cpsat, whole_benders):  # they know windows only, and say so
        given = model.solve(snn, tight, "dataflow", Limits(wall_s=60.0), start=found.solution)
        assert given.claimed == found.claimed
        assert "buffer_tokens" in given.note


@pytest.mark.parametrize("judging", [0.02, 0.06, 0.3])
def test_no_step_begins_after_the_limit(monkeypatch, judging: float):
    """Where judging is most of the work, nothing but the mapping to fall back on is judged late."""
    limit, late = 0.1, []
    platform = Platform("p", (Tile(Crossbar(16, 8)),) * 4, Interconnect("mesh", 2, 2))
    snn = generate("filter-8")
    start = next(starts(Target(snn, platform, "dataflow", "period", 0), lambda: True, limit))

    def judged(self: Target, mapping: Mapping) -> Fraction | int | None:
        if now() - begun > limit:
            late.append(mapping)
        did(judging)
        return evaluate(self.platform, mapping, self.tokens).period

    monkeypatch.setattr("optmap.whole.search.TINY", 0)
    monkeypatch.setattr(Target, "value", judged)
    with counted():
        begun = now()
        found = search(snn, platform, "dataflow", Limits(limit), start=start)
        assert now() - begun < limit + 2.5 * judging
    assert found.solution is not None
    assert len(late) <= 1


def test_what_waits_for_orders_gets_them_before_a_round_that_may_be_the_last(monkeypatch):
    """What the first round makes better waits; the second takes all the time that is left."""
    rounds, ordered = iter([0.1, 10.0]), []
    heights = iter([(9.0, 0.0)])

    def annealed(*_: object) -> float:
        did(next(rounds))
        return 10_000 / 0.9

    snn = generate("filter-8")
    platform = Platform("p", (Tile(Crossbar(16, 8)),) * 4, Interconnect("mesh", 2, 2))
    target = Target(snn, platform, "dataflow", "period", 0)
    start = next(starts(target, lambda: True, 1.0))
    placed = Placed(start.decomposition, start.clustering, start.binding)
    monkeypatch.setattr("optmap.whole.search.annealed", annealed)
    monkeypatch.setattr("optmap.whole.search.spread_out", lambda *_: False)
    monkeypatch.setattr(Annealing, "height", lambda _: next(heights, (8.0, 0.0)))
    monkeypatch.setattr(_Search, "_stage", lambda *_: None)
    monkeypatch.setattr(_Search, "_schedule", lambda _, found: ordered.append(found))
    with counted():
        run = _Search(target, Limits(1.0), None)
        run.offer(start)
        run.candidates.append((1.0, placed))
        run.improve()
    assert len(ordered) == 1


@pytest.mark.wall_clock
def test_tiles_of_few_multicast_hops_are_sought_on_the_clock(monkeypatch: pytest.MonkeyPatch):
    left: list[float] = []

    def bind(graph: ClusterGraph, platform: Platform, *, start: Binding, **_: object) -> Binding:
        left.append(left_s())
        return start

    monkeypatch.setattr(multicast, "bind", bind)
    tile = Tile(Crossbar(8, 8))
    platform = Platform("four", (tile,) * 4, Interconnect("mesh", 2, 2))
    search(generate("mlp-9-9-9"), platform, "dataflow", Limits(0.2), objective="multicast_hops")
    assert left, "a tiny network comes to it, late or not"
    assert max(left) < 0.2
