"""A capacity in tokens for every channel of a platform: judged as stated, searched as judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from oracles import best_binding
from scheduling_instances import cluster_graph_of, equal_tiles, random_instance
from scheduling_oracle import best_joint_period

from formulations.binding import cpsat as binding_cpsat
from formulations.binding import milp as binding_milp
from formulations.joint import benders as joint_benders
from formulations.joint import cpsat as joint_cpsat
from optmap.binding.contract import BINDERS
from optmap.binding.kernels.period_search import PeriodSearch
from optmap.errors import CapacityError, InputError
from optmap.judge.binding_aware_graph import lower, refuse_short_buffers
from optmap.judge.check import check_graph
from optmap.model.buffers import is_remote, space_of
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding, Buffers, StaticOrders
from optmap.model.outcome import Limits, Status
from optmap.model.platform import Platform
from optmap.model.platform_file import load_platform
from optmap.ordering import projection
from optmap.ordering.kernels.single_tile import single_tile_order
from optmap.sdf.cycle_ratio import maximum_cycle_ratio
from optmap.variants import grid, read_platform

LIMITS = Limits(wall_s=600.0)  # no test waits for it
pytestmark = pytest.mark.wall_clock  # all end with a proof


def period(graph: ClusterGraph, platform: Platform, binding: Binding, orders: StaticOrders):
    return maximum_cycle_ratio(lower(graph, platform, binding, orders).graph)[0]


def with_tokens(seed: int, most_clusters: int = 5) -> tuple[ClusterGraph, Platform]:
    """Return a random case whose channels hold from too few tokens to many windows."""
    case = random_instance(seed, most_clusters=most_clusters)
    top = int(case.graph.rate.max(initial=1))
    tokens = int(np.random.default_rng(seed).choice([top, 2 * top, 2 * top + 1, 5 * top, 2**40]))
    return case.graph, replace(case.platform, buffer_tokens=tokens)


def test_whole_iterations_that_fit_count() -> None:
    graph = cluster_graph_of([4, 6], {(0, 1): 3})
    binding, orders = Binding(np.array([0, 1], dtype=np.int32)), StaticOrders(((0,), (1,)))
    # one iteration of room: the send waits for the consumer's end, 3 + 1 hop + 6
    for tokens, expected in ((3, 10), (5, 10), (6, 6), (300, 6)):
        platform = equal_tiles(2, buffer_tokens=tokens)
        assert period(graph, platform, binding, orders) == expected
        assert space_of(graph, platform, binding, None).total == 2 * tokens
    with pytest.raises(CapacityError, match="buffer_tokens 2 on channel 0 -> 1: needs 3"):
        period(graph, equal_tiles(2, buffer_tokens=2), binding, orders)
    ring = cluster_graph_of([4, 6], {(0, 1): 3, (1, 0): 2})
    refuse_short_buffers(ring, equal_tiles(2, buffer_tokens=6))
    with pytest.raises(CapacityError, match="needs 6, 3 an iteration, with 1 iterations"):
        refuse_short_buffers(ring, equal_tiles(2, buffer_tokens=5))


def test_tile_buffers_are_filled_with_what_channels_hold() -> None:
    graph = cluster_graph_of([1, 1, 1], {(0, 2): 1, (1, 2): 5})
    tiles = equal_tiles(2).tiles
    platform = equal_tiles(2, buffer_tokens=7)
    platform = replace(platform, tiles=(tiles[0], replace(tiles[1], input_buffer=13)))
    binding, orders = Binding(np.array([0, 0, 1], dtype=np.int32)), StaticOrders(((0, 1), (2,)))
    (found,) = check_graph(graph, platform, binding, orders)
    assert found.message.startswith("tile 1 needs 14 tokens of input buffer, has 13")


@pytest.mark.parametrize("seed", range(40))
def test_equals_the_same_capacities_stated_by_the_mapping(seed: int) -> None:
    graph, platform = with_tokens(seed)
    try:
        refuse_short_buffers(graph, platform)
        binding = BINDERS["load-balance"]()(graph, platform, seed=seed)
    except CapacityError:
        return
    orders = projection.order(graph, binding, platform)
    n, ends = platform.buffer_tokens, zip(graph.source.tolist(), graph.target.tolist(), strict=True)
    rows = zip(ends, is_remote(graph, binding).tolist(), strict=True)
    stated = Buffers(tuple((a, b, n * far, n) for (a, b), far in rows))
    own = lower(graph, platform, binding, orders).graph
    other = lower(graph, replace(platform, buffer_tokens=None), binding, orders, stated).graph
    assert np.array_equal(own.tokens, other.tokens)
    assert np.array_equal(own.delay, other.delay)
    if graph.num_clusters > 1:
        searched = PeriodSearch(graph, platform, single_tile_order(graph), binding.tile_of)
        assert searched.period == period(graph, platform, binding, orders)


@pytest.mark.parametrize("seed", range(12))
def test_joint_formulations_agree_with_enumeration(seed: int) -> None:
    graph, platform = with_tokens(seed, 4)
    try:
        refuse_short_buffers(graph, platform)
    except CapacityError:
        for back_end in (joint_cpsat, joint_benders):
            with pytest.raises(CapacityError, match="buffer_tokens"):
                back_end.solve(graph, platform, LIMITS, workers=1)
        return
    for prologue in (False, seed % 3 == 0 and graph.num_clusters < 4):
        expected = best_joint_period(graph, platform, prologue=prologue)
        for back_end in (joint_cpsat, joint_benders):
            found = back_end.solve(graph, platform, LIMITS, workers=1, prologue=prologue)
            if expected is None:
                assert found.status is Status.INFEASIBLE
                continue
            assert found.claimed == found.bound == expected
            assert check_graph(graph, platform, *found.solution) == []


@pytest.mark.parametrize("seed", range(5))
def test_bindings_keep_tile_buffers(seed: int) -> None:
    graph, platform = with_tokens(seed)
    few = min(platform.buffer_tokens, 1000)
    room = few * max(1, graph.num_channels // 2)
    tiles = tuple(replace(t, input_buffer=room, output_buffer=room) for t in platform.tiles)
    platform = replace(platform, tiles=tiles, buffer_tokens=few)
    expected = best_binding(graph, platform, "load")
    for solver in (binding_cpsat, binding_milp):
        found = solver.solve(graph, platform, LIMITS, objective="load")
        assert found.claimed == expected
    for name, load in BINDERS.items():
        try:
            binding = load()(graph, platform, seed=seed)
        except CapacityError:
            continue
        orders = projection.order(graph, binding, platform)
        broken = {v.kind for v in check_graph(graph, platform, binding, orders)}
        assert broken <= {"buffer_windows"}, name


def test_a_file_states_one_of_the_two(tmp_path: Path) -> None:
    text = 'schema = 1\nname = "p"\n[interconnect]\nkind = "mesh"\nwidth = 1\nheight = 1\n'
    text += "[[tiles]]\nrows = 4\ncolumns = 4\n[buffers]\n"
    text += "buffer_tokens = {value = 9, source = 'assumed'}\n"
    file = tmp_path / "p.toml"
    file.write_text(text)
    platform = load_platform(file)
    assert platform.buffer_tokens == 9
    assert "buffer_tokens=9" in platform.extras
    assert platform.sources["buffers.buffer_tokens"] == "assumed"
    file.write_text(text + "buffer_windows = 2\n")
    with pytest.raises(InputError, match="not both"):
        load_platform(file)


def test_an_axis_changes_it() -> None:
    assert read_platform("dynap_se:buffers_tokens=64").buffer_tokens == 64
    assert [p["buffers_tokens"] for p in grid("buffers_tokens=64..256x2")] == [64, 128, 256]
    for text in ("buffers=2,buffers_tokens=9", "buffers_tokens=9,buffers=2"):
        with pytest.raises(InputError, match="one of the two"):
            list(grid(text))
        with pytest.raises(InputError, match="one of the two"):
            read_platform(f"dynap_se:{text}")
    with pytest.raises(InputError, match="buffer_tokens 0"):
        read_platform("dynap_se:buffers_tokens=0")
