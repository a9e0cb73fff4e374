"""Nested search looks at one of all placements that automorphisms map to each other."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scheduling_instances import random_flows

from formulations.binding import russian_doll
from formulations.binding.russian_doll_kernel import resume
from formulations.binding.russian_doll_nodes import Problem, begin
from formulations.binding.sets import sets_of
from optmap.model.outcome import Limits, Status
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile

PLENTY = 10**6


def platform_of(kind: str, width: int, height: int) -> Platform:
    tiles = (Tile(Crossbar(64, 64), slots=1),) * (width * height)
    return Platform("one a tile", tiles, Interconnect(kind, width, height))


def nodes_of(flow, hops, group) -> tuple[int, int]:
    """Return the least spike-hops and the nodes that a search without nested optima needs."""
    inside = np.zeros(len(flow) + 1, dtype=np.int64)
    problem = Problem(0, flow, hops, inside, group)
    state, value, nodes, finished = begin(problem), PLENTY, 0, False
    while not finished:
        value, finished = resume(problem, value, state, 1)
        nodes += 1
    return value, nodes


@pytest.mark.parametrize(
    ("kind", "width", "height", "times"),
    [("mesh", 3, 3, 6), ("mesh", 3, 2, 3), ("mesh", 7, 1, 1.5), ("torus", 3, 3, 30)],
)
@pytest.mark.parametrize("seed", range(3))
def test_fewer_placements_are_looked_at(
    kind: str, width: int, height: int, times: float, seed: int
):
    """Nearly all automorphisms fix nothing, so that they save that many times; same optimum."""
    sets = sets_of(random_flows(5, seed), platform_of(kind, width, height))
    flow, hops = sets.flow_matrix, np.ascontiguousarray(sets.platform.hops)
    identity = np.arange(len(hops), dtype=np.int64)[None]
    least, all_nodes = nodes_of(flow, hops, identity)
    value, nodes = nodes_of(flow, hops, russian_doll.tile_group(sets))
    assert value == least == enumerated(flow, hops)
    assert times * nodes < all_nodes


def enumerated(flow, hops) -> int:
    """Return the least spike-hops over all placements."""
    best = PLENTY
    for places in permutations(range(len(hops)), len(flow)):
        best = min(best, int((flow * hops[np.ix_(places, places)]).sum()) // 2)
    return best


def test_the_whole_method_keeps_the_optimum():
    for kind in ("mesh", "torus"):
        platform = platform_of(kind, 3, 2)
        for seed in range(3):
            graph = random_flows(5, seed)
            sets = sets_of(graph, platform)
            outcome = russian_doll.solve(graph, platform, Limits(60.0))
            assert outcome.status is Status.OPTIMAL
            assert outcome.claimed == enumerated(sets.flow_matrix, sets.platform.hops)
