"""(T0) Least buffer space for a period: CP-SAT = the SDF kernel's search, tile buffers included."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest
from dataflow_front import dataflow_front
from token_buffer_cases import placed

from formulations.buffers.cpsat import BufferSets, least_space
from optmap.judge.binding_aware_graph import lower
from optmap.judge.check import check_graph
from optmap.model.buffers import is_remote
from optmap.model.mapping import Buffers
from optmap.model.outcome import Limits, Status
from optmap.sdf.cycle_ratio import maximum_cycle_ratio

LIMITS = Limits(60.0)
pytestmark = pytest.mark.wall_clock  # all end with a proof


def compare(seed: int) -> None:
    case = placed(seed)
    points = dataflow_front(*case)
    for n, (total, period) in enumerate(points):
        found = least_space(BufferSets(*case, period), LIMITS, workers=1)
        assert (found.status, found.claimed) == (Status.OPTIMAL, total)
        assert found.solution is not None
        reached = maximum_cycle_ratio(lower(*case, found.solution).graph)[0]
        assert reached is not None
        assert reached <= period
        if n:  # a little slower than the point before is as dear as this one
            between = (points[n - 1][1] + period) / 2
            least = least_space(BufferSets(*case, between), LIMITS, workers=1)
            assert least.claimed == total
    if points:
        faster = points[-1][1] - Fraction(1, 7)
        found = least_space(BufferSets(*case, faster), LIMITS, workers=1)
        assert found.status is Status.INFEASIBLE


@pytest.mark.parametrize("seed", range(6))
def test_least_space_is_that_of_the_front(seed: int) -> None:
    compare(seed)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(6, 300))
def test_least_space_is_that_of_the_front_many_times(seed: int) -> None:
    compare(seed)


@pytest.mark.parametrize("seed", [0, 4, 6, 9])
def test_tile_buffers_are_limits(seed: int) -> None:
    graph, platform, binding, orders = placed(seed)
    period = dataflow_front(graph, platform, binding, orders)[-1][1]
    have = int(graph.rate.max()) + 1
    tiles = tuple(replace(t, input_buffer=have, output_buffer=have) for t in platform.tiles)
    chip = replace(platform, tiles=tiles)
    columns = (graph.source, graph.target, graph.rate, is_remote(graph, binding))
    ends = list(zip(*(c.tolist() for c in columns), strict=True))
    for slow in (1, 2, 3):
        truth = None
        counts = [range(1, have // r + 1) for _, _, r, _ in ends]
        outs = [n if far else (0,) for n, (*_, far) in zip(counts, ends, strict=True)]
        for out, into in product(product(*outs), product(*counts)):
            rows = zip(ends, out, into, strict=True)
            buffers = Buffers(tuple((a, b, o * r, i * r) for (a, b, r, _), o, i in rows))
            if check_graph(graph, chip, binding, orders, buffers):
                continue
            marked = lower(graph, chip, binding, orders, buffers).graph
            total = sum(o + i for _, _, o, i in buffers.channels)
            if (maximum_cycle_ratio(marked)[0] or 0) <= slow * period:
                truth = total if truth is None else min(truth, total)
        found = least_space(BufferSets(graph, chip, binding, orders, slow * period), LIMITS)
        assert found.claimed == truth
        assert found.status is (Status.INFEASIBLE if truth is None else Status.OPTIMAL)
