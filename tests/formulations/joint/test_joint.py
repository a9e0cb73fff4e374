"""Binding and orders together: CP-SAT = Benders = enumeration, family by family."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import permutations
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scheduling_instances import (
    Instance,
    cluster_graph_of,
    equal_tiles,
    lenet_mnist,
    random_instance,
    random_recurrent,
)
from scheduling_oracle import best_joint_period

from formulations.joint import benders as joint_benders
from formulations.joint import cpsat as joint_cpsat
from formulations.joint import search as joint_search
from formulations.joint import sets as joint_sets
from formulations.joint.cpsat_model import JointModel
from formulations.joint.cpsat_model_prologue import JointPrologueModel
from formulations.joint.sets import JointSets, Solution
from formulations.joint.symmetry import automorphisms, canonical, rules
from formulations.solvers.stopwatch import Stopwatch
from optmap.errors import CapacityError
from optmap.judge.binding_aware_graph import lower
from optmap.judge.check import check_graph
from optmap.model.mapping import Binding, StaticOrders
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.sdf.cycle_ratio import maximum_cycle_ratio

LIMITS = Limits(wall_s=600.0)  # no test waits for it
pytestmark = pytest.mark.wall_clock  # all end with a proof
BACK_ENDS = [joint_cpsat, joint_benders]
#: Seeds whose optimum lies above every simple bound, so that orders decide.
SHARP = (7, 19, 33, 41, 43, 51, 53, 57, 67, 69)


def solve(back_end: ModuleType, case: Instance, **more: object) -> Outcome[Solution]:
    return back_end.solve(case.graph, case.platform, LIMITS, workers=1, **more)


def assert_optimal(
    back_end: ModuleType, case: Instance, expected: Fraction | None, prologue: bool = False
) -> None:
    outcome = solve(back_end, case, prologue=prologue)
    if expected is None:
        assert outcome.status is Status.INFEASIBLE
        return
    assert outcome.status is Status.OPTIMAL
    assert outcome.claimed == outcome.bound == expected
    assert outcome.solution is not None
    binding, orders = outcome.solution
    assert check_graph(case.graph, case.platform, binding, orders) == []
    assert maximum_cycle_ratio(lower(case.graph, case.platform, binding, orders).graph)[0] == (
        expected
    )


def small_enough(seed: int, most_clusters: int) -> Instance:
    return random_instance(seed, most_clusters=most_clusters)


@pytest.mark.parametrize("seed", range(30))
def test_agrees_with_enumeration(seed: int):
    case = small_enough(seed, 5)
    expected = best_joint_period(case.graph, case.platform)
    for back_end in BACK_ENDS:
        assert_optimal(back_end, case, expected)


@pytest.mark.parametrize("seed", range(24))
def test_prologue_agrees_with_enumeration(seed: int):
    case = small_enough(seed, 3)
    expected = best_joint_period(case.graph, case.platform, prologue=True)
    for back_end in BACK_ENDS:
        assert_optimal(back_end, case, expected, prologue=True)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(300))
def test_agrees_with_enumeration_on_many(seed: int):
    case = small_enough(seed, 6)
    expected = best_joint_period(case.graph, case.platform)
    for back_end in BACK_ENDS:
        assert_optimal(back_end, case, expected)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(300))
def test_prologue_agrees_with_enumeration_on_many(seed: int):
    case = small_enough(seed, 4 if seed % 2 == 0 else 3)
    expected = best_joint_period(case.graph, case.platform, prologue=True)
    for back_end in BACK_ENDS:
        assert_optimal(back_end, case, expected, prologue=True)


@pytest.mark.parametrize("seed", range(1, 24, 3))
def test_back_ends_agree_beyond_enumeration(seed: int):
    case = random_instance(seed, most_clusters=7)
    for prologue in (False, True):
        first, second = (solve(b, case, prologue=prologue) for b in BACK_ENDS)
        assert (first.status, first.claimed, first.bound) == (
            second.status,
            second.claimed,
            second.bound,
        )


@pytest.mark.parametrize(("tiles", "expected"), [(1, 112), (2, 64), (3, 48), (4, 32)])
@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_published_lenet_mnist_graph(back_end: ModuleType, tiles: int, expected: int):
    """Seven actors of 16 ticks: ceil(7 / T) of them on one of T tiles, and no more than that."""
    shape = {1: (1, 1), 2: (2, 1), 3: (3, 1), 4: (2, 2)}[tiles]
    case = Instance(
        lenet_mnist(), equal_tiles(*shape, hop_ticks=3, ni_tokens_per_tick=Fraction(1)), Binding([])
    )
    outcome = solve(back_end, case)
    assert outcome.status is Status.OPTIMAL
    assert outcome.claimed == expected


@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_ten_clusters_on_three_tiles_are_proved(back_end: ModuleType):
    graph, platform = random_recurrent(10, 3, seed=1)
    outcome = solve(back_end, Instance(graph, platform, Binding([])), prologue=True)
    assert outcome.status is Status.OPTIMAL


def tight(**tile: Any) -> Instance:
    """Return three clusters for two tiles, one of which is as given."""
    graph = cluster_graph_of([4, 3, 2], {(0, 1): 2, (1, 2): 1})
    tiles = (Tile(Crossbar(64, 64)), Tile(Crossbar(64, 64), **tile))
    platform = Platform("tight", tiles, Interconnect("mesh", 2, 1))
    return Instance(graph, platform, Binding([]))


@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_nothing_fits(back_end: ModuleType):
    graph = cluster_graph_of([4, 3], {(0, 1): 2})
    tiles = (Tile(Crossbar(64, 64), slots=1, input_buffer=3),) * 2
    case = Instance(graph, Platform("full", tiles, Interconnect("mesh", 2, 1)), Binding([]))
    outcome = solve(back_end, case)
    assert outcome.status is Status.INFEASIBLE
    assert outcome.bound is None


@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_short_buffers_are_the_evaluators_refusal(back_end: ModuleType):
    graph = cluster_graph_of([4, 3], {(0, 1): 2, (1, 0): 1})
    case = Instance(graph, equal_tiles(2, buffer_windows=1), Binding([]))
    with pytest.raises(CapacityError, match="deadlocks"):
        solve(back_end, case)


@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_warm_start_is_kept_without_time(back_end: ModuleType):
    case = tight()
    best = solve(back_end, case)
    spent = Limits(wall_s=1e-9)
    kept = back_end.solve(case.graph, case.platform, spent, warm=best.solution)
    assert kept.solution == best.solution
    assert kept.claimed == best.claimed
    empty = back_end.solve(case.graph, case.platform, spent)
    assert (empty.status, empty.solution) == (Status.UNKNOWN, None)
    ahead = (Binding([0, 0, 0]), StaticOrders(((0, 1, 2), ()), ((0, 1, 0), ())))
    assert back_end.solve(case.graph, case.platform, spent, warm=ahead).solution is None


def test_of_equal_periods_the_one_of_fewer_hops():
    # 0 and 1 talk; 2 is long: any binding that leaves 2 alone has its period, together is cheaper
    graph = cluster_graph_of([2, 2, 9], {(0, 1): 5})
    case = Instance(graph, equal_tiles(3), Binding([]))
    outcome = solve(joint_cpsat, case)
    assert outcome.claimed == 9
    assert outcome.solution is not None
    tile = outcome.solution[0].tile_of
    assert tile[0] == tile[1] != tile[2]


NECESSARY = (
    "place_each_cluster_once",
    "respect_slots",
    "respect_crossbars",
    "link_channels",
    "respect_buffers",
    "measure_hops",
    "switch_on_shared_tiles",
    "start_after_channels",
    "fire_one_at_a_time",
    "send_one_at_a_time",
    "close_each_round",
)


@pytest.mark.parametrize("family", NECESSARY)
def test_dropping_a_necessary_family_is_noticed(family: str, monkeypatch):
    telling()
    monkeypatch.setattr(JointModel, family, lambda self: None)
    with pytest.raises((AssertionError, ValueError)):
        assert_agrees_with_the_other_method()


@cache
def telling() -> list[tuple[Instance, Fraction | None]]:
    """Return instances on which some family decides, with their best periods."""
    cases = [tight(slots=1), tight(input_buffer=3), tight(output_buffer=1), small_crossbar()]
    cases += [hop_bound(), switch_bound()]
    cases += [random_instance(s, most_clusters=5) for s in (7, 19, 21, 31, 39, 49, 67, 75)]
    known = [(case, best_joint_period(case.graph, case.platform)) for case in cases]
    larger = [random_instance(s, most_clusters=7) for s in (17, 85)]
    return known + [(case, solve(joint_benders, case).claimed) for case in larger]


def assert_agrees_with_the_other_method() -> None:
    """Compare the (possibly crippled) joint model with enumeration or Benders."""
    for case, expected in telling():
        assert_optimal(joint_cpsat, case, expected)


def small_crossbar() -> Instance:
    """Return a large cluster that fits one tile only, which it overloads with another."""
    case = tight()
    graph = case.graph
    rows = np.array([70, 1, 70])
    graph = type(graph)(
        graph.tau, rows, graph.columns, graph.source, graph.target, graph.spikes, graph.initial
    )
    tiles = (Tile(Crossbar(70, 64)), Tile(Crossbar(64, 64)))
    return Instance(graph, Platform("two kinds", tiles, Interconnect("mesh", 2, 1)), case.binding)


def hop_bound() -> Instance:
    """Return a recurrence whose period is made of hops, too long to share a tile."""
    graph = cluster_graph_of([9, 9], {(0, 1): 1, (1, 0): 1})
    return Instance(graph, equal_tiles(2, hop_ticks=7), Binding([]))


def switch_bound() -> Instance:
    """Return three clusters for two tiles that pay for switching."""
    return Instance(cluster_graph_of([4, 4, 4], {}), equal_tiles(2, switch_ticks=3), Binding([]))


@pytest.mark.parametrize("family", ["respect_loads", "break_tile_symmetry"])
def test_redundant_families_change_no_answer(family: str, monkeypatch):
    telling()
    monkeypatch.setattr(JointModel, family, lambda self: None)
    assert_agrees_with_the_other_method()


@pytest.mark.parametrize(
    "family", ["start_after_channels", "fire_one_at_a_time", "send_one_at_a_time"]
)
def test_dropping_a_necessary_family_with_prologue_is_noticed(family: str, monkeypatch):
    cases = [random_instance(s, most_clusters=5) for s in (*SHARP, 1, 3, 5, 9)]
    expected = [solve(joint_benders, case, prologue=True).claimed for case in cases]
    monkeypatch.setattr(JointPrologueModel, family, lambda self: None)
    monkeypatch.setattr(joint_search, "JointModel", JointPrologueModel)  # no help from the plain
    with pytest.raises((AssertionError, ValueError)):
        assert [solve(joint_cpsat, case, prologue=True).claimed for case in cases] == expected


def test_a_wrong_benders_cut_is_noticed(monkeypatch):
    """Cutting off one cluster's tile, rather than a proved conflict, loses optima."""
    telling()
    monkeypatch.setattr(
        joint_benders.OrderSubproblem, "conflict", lambda self, b, whole, target: [0]
    )
    with pytest.raises(AssertionError):
        assert_benders_is_right()


def assert_benders_is_right() -> None:
    """Compare Benders with enumeration."""
    for case, expected in telling()[:14]:
        assert_optimal(joint_benders, case, expected)


MESHES = [
    (equal_tiles(2, 2), 8),
    (equal_tiles(3, 1), 2),
    (equal_tiles(3, 2), 4),
    (equal_tiles(3, 3), 8),
    (equal_tiles(3, 3, kind="torus"), 72),
    (equal_tiles(4, 2, kind="torus"), 16),
]


@pytest.mark.parametrize(("platform", "size"), MESHES)
def test_automorphisms_form_the_known_group(platform: Platform, size: int):
    group = automorphisms(platform)
    assert len(group) == size
    products = {tuple(g[h[t]] for t in range(platform.num_tiles)) for g in group for h in group}
    assert products == set(group)


def test_tiles_that_differ_or_lie_differently_are_kept_apart():
    tiles = (Tile(Crossbar(8, 8)), Tile(Crossbar(8, 8)), Tile(Crossbar(9, 8)))
    row = Platform("row", tiles, Interconnect("mesh", 3, 1))
    assert automorphisms(row) == [(0, 1, 2)]
    assert automorphisms(row, hops_matter=False) == [(0, 1, 2), (1, 0, 2)]
    assert len(automorphisms(equal_tiles(3), hops_matter=False)) == 6
    matrix = Interconnect("matrix", matrix=((0, 1, 2), (1, 0, 3), (4, 5, 0)))
    assert len(automorphisms(Platform("m", (tiles[0],) * 3, matrix))) == 1


@pytest.mark.parametrize("platform", [p for p, _ in MESHES[:4]])
def test_rules_keep_one_of_every_class_of_equal_bindings(platform: Platform):
    group, n = automorphisms(platform), platform.num_tiles
    found = rules(group, n)
    rng = np.random.default_rng(0)
    for _ in range(200):
        tile = rng.integers(0, n, 4).tolist()
        g = canonical(Binding(np.array(tile)), group, range(4))
        assert obeys([g[t] for t in tile], found)
    for tile in permutations(range(n), 2):  # and they do cut something off
        if not obeys([*tile], found):
            return
    pytest.fail("no binding is cut off")


def obeys(tile: list[int], found: list) -> bool:
    for rule in found:
        if rule.given is not None and tile[0] != rule.given:
            continue
        first = next((t for t in tile if t in rule.moved), None)
        if first is not None and first not in rule.allowed:
            return False
    return True


def test_lower_bounds_hold_for_any_binding():
    case = random_instance(19)
    sets = JointSets(case.graph, case.platform)
    expected = best_joint_period(case.graph, case.platform)
    assert expected is not None
    assert sets.floor <= expected <= sets.most_ticks
    assert expected.denominator <= sets.most_tokens_from(sets.floor)


@pytest.mark.parametrize("seconds_a_term", [0.0, 1e9])
def test_no_joint_model_is_begun_that_the_limit_leaves_no_time_for(
    monkeypatch: pytest.MonkeyPatch, seconds_a_term: float
):
    """Terms that take for ever leave every probe open; with terms for nothing each one answers."""
    case = random_instance(SHARP[0])
    monkeypatch.setattr(joint_sets, "SECONDS_PER_TERM", seconds_a_term)
    built: list[JointModel] = []
    build = JointModel.build
    monkeypatch.setattr(JointModel, "build", lambda m: (built.append(m), build(m))[1])
    sets = JointSets(case.graph, case.platform)
    search = joint_search.JointSearch(sets, Stopwatch(LIMITS), workers=1)
    ceiling = Fraction(sets.most_ticks)
    fewest = search.fewest_hops(ceiling, None, 60.0)
    least = search.least_period(None)
    if seconds_a_term:
        assert (fewest.status, least.status, built) == (Status.UNKNOWN, Status.UNKNOWN, [])
    else:
        assert fewest.status is Status.OPTIMAL
        assert least.claimed == best_joint_period(case.graph, case.platform)
        assert built
