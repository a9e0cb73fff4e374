"""Buffers in tokens: the front is that of enumerated capacities, each judged as a mapping is."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product
from random import Random

import numpy as np
import pytest
from random_mappings import random_case
from token_buffer_cases import placed

from formulations.buffers.front import space_front
from optmap.errors import CapacityError, DeadlockError
from optmap.judge.binding_aware_graph import lower
from optmap.judge.case import judge
from optmap.judge.check import check_graph
from optmap.mapping_json import from_dict, to_dict
from optmap.model.buffers import is_remote, space_of
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.interconnect import Interconnect
from optmap.model.mapping import Binding, Buffers, StaticOrders
from optmap.model.outcome import Limits
from optmap.model.platform import Crossbar, Platform, Tile
from optmap.sdf.cycle_ratio import maximum_cycle_ratio

LIMITS = Limits(60.0)


def period(case: tuple[ClusterGraph, Platform, Binding, StaticOrders], buffers: Buffers | None):
    graph, platform, binding, orders = case
    try:
        return maximum_cycle_ratio(lower(graph, platform, binding, orders, buffers).graph)[0]
    except (DeadlockError, CapacityError):
        return None


def enumerated(case: tuple[ClusterGraph, Platform, Binding, StaticOrders], most: int = 4):
    """Return {total: shortest period} over capacities of up to ``most`` iterations at each place.

    Every number of tokens between two whole iterations holds no more iterations: that is
    checked on the way by capacities of one token more.
    """
    graph, _, binding, _ = case
    ends = list(zip(graph.source.tolist(), graph.target.tolist(), graph.rate.tolist(),
                    is_remote(graph, binding).tolist(), strict=True))  # fmt: skip
    places = [range(1, most + 1) if far else (0,) for *_, far in ends]
    best: dict[int, Fraction] = {}
    for out in product(*places):
        for into in product(range(1, most + 1), repeat=len(ends)):
            rows = zip(ends, out, into, strict=True)
            buffers = Buffers(tuple((a, b, o * r, i * r) for (a, b, r, _), o, i in rows))
            found = period(case, buffers)
            if found is not None:
                total = sum(o + i for _, _, o, i in buffers.channels)
                best[total] = min(found, best.get(total, found))
    front, known = [], None
    for total in sorted(best):
        if known is None or best[total] < known:
            known = best[total]
            front.append((total, known))
    return front


SEEDS = [s for s in range(40) if sum(1 + is_remote(placed(s)[0], placed(s)[2])) <= 4]


@pytest.mark.parametrize("seed", SEEDS[:12])
def test_the_front_is_that_of_enumeration(seed: int) -> None:
    case = placed(seed)
    front, _ = space_front(*case, LIMITS)
    assert front.complete
    found = [(p.total, p.period) for p in front.points]
    assert found == enumerated(case)
    graph, platform, binding, _ = case
    for point in front.points:
        assert period(case, point.buffers) == point.period
        assert space_of(graph, platform, binding, point.buffers).total == point.total
        assert check_graph(*case, point.buffers) == []
        kept = space_front(*case, LIMITS, point.period)[1]
        assert kept is not None
        assert kept.total == kept.bound == point.total


@pytest.mark.full
@pytest.mark.parametrize("seed", [s for s in range(40, 600) if sum(
    1 + is_remote(placed(s)[0], placed(s)[2])) <= 4][:300])  # fmt: skip
def test_the_front_is_that_of_enumeration_300_times(seed: int) -> None:
    case = placed(seed)
    found = [(p.total, p.period) for p in space_front(*case, LIMITS)[0].points]
    assert found == enumerated(case)


def test_capacities_move_the_period_where_windows_cannot() -> None:
    """A pipeline of three on three tiles: one iteration of space stalls it, two do not."""
    graph = ClusterGraph(
        np.array([6, 6, 6]), np.ones(3, dtype=np.int64), np.ones(3, dtype=np.int64),
        np.array([0, 1], dtype=np.int32), np.array([1, 2], dtype=np.int32),
        np.array([3, 5]), np.array([0, 0]),
    )  # fmt: skip
    platform = Platform("three", (Tile(Crossbar(4, 4)),) * 3, Interconnect("mesh", 3, 1))
    binding = Binding(np.arange(3, dtype=np.int32))
    case = (graph, platform, binding, StaticOrders(((0,), (1,), (2,))))
    for windows in (2, 3, 9):
        wider = replace(platform, buffer_windows=windows)
        assert period((graph, wider, binding, case[3]), None) == 6
    points = space_front(*case, LIMITS)[0].points
    found = [(p.total, p.period) for p in points]
    assert found == [(16, 12), (21, 11), (26, 10), (29, 9), (32, 6)]
    assert space_of(graph, platform, binding, None).total == 32


def test_the_judge_names_capacities_that_are_short_missing_or_out_of_place() -> None:
    graph, platform, binding, orders = next(
        c for c in map(placed, range(99)) if is_remote(c[0], c[2]).any() and c[0].rate.min() > 1
    )
    good = space_front(graph, platform, binding, orders, LIMITS)[0].points[0].buffers
    a, b, out, into = good.channels[0]

    def said(*channels: tuple[int, int, int, int]) -> str:
        return str(check_graph(graph, platform, binding, orders, Buffers(channels))[0])

    assert "no capacity of channel" in said(*good.channels[1:])
    assert "which is not there" in said(*good.channels, (7, 8, 1, 1))
    assert "tokens of input space, needs" in said((a, b, out, 0), *good.channels[1:])
    with pytest.raises(ValueError, match="named twice"):
        Buffers(((0, 1, 1, 1), (0, 1, 2, 2)))
    with pytest.raises(ValueError, match="-1 and 3 tokens"):
        Buffers(((0, 1, -1, 3),))
    tight = replace(platform, tiles=tuple(replace(t, input_buffer=1) for t in platform.tiles))
    assert "tokens of input buffer" in str(
        check_graph(graph, tight, binding, orders, good)[0]
    ).replace("input_buffer", "input buffer")
    del into


@pytest.mark.parametrize("seed", range(20))
def test_a_mapping_carries_its_capacities(seed: int) -> None:
    case = random_case(Random(seed))
    snn, platform, plain, tokens = case.snn, case.platform, case.mapping, case.tokens
    graph = case.graph
    if judge(snn, platform, plain, tokens).violations:
        return
    front, _ = space_front(graph, platform, plain.binding, plain.orders, Limits(1.0))
    before = judge(snn, platform, plain, tokens).evaluation
    assert before is not None
    for point in front.points:
        made = replace(plain, buffers=point.buffers)
        assert from_dict(to_dict(made), snn).buffers == point.buffers
        after = judge(snn, platform, made, tokens).evaluation
        if after is not None:
            assert (after.period, after.buffer_tokens) == (point.period, point.total)
            assert after.traffic == before.traffic
