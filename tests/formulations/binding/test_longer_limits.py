"""Nested search under a longer limit: no weaker bound, no less time for the bound from parts."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
from scheduling_instances import random_flows

from formulations.binding import russian_doll, russian_doll_kernel
from formulations.binding.sets import sets_of
from formulations.solvers.stopwatch import Stopwatch
from optmap.clock import counted
from optmap.model.outcome import Limits, Status
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile


def places(width: int, height: int) -> Platform:
    tiles = (Tile(Crossbar(64, 64), slots=1),) * (width * height)
    return Platform("places", tiles, Interconnect("mesh", width, height))


@pytest.mark.parametrize("seed", range(2))
def test_a_longer_limit_takes_nothing_from_any_bound(monkeypatch: pytest.MonkeyPatch, seed: int):
    """Seconds are counted: so many nodes in each."""
    monkeypatch.setattr(russian_doll_kernel, "NODES_A_UNIT", 2_000)
    monkeypatch.setattr(russian_doll_kernel, "NODES_A_LOOK", 40)
    left: list[float] = []

    def parts_bound(_sets: object, _solve: object, watch: Stopwatch) -> int:
        left.append(watch.left)
        return 0

    monkeypatch.setattr(russian_doll, "parts_bound", parts_bound)
    monkeypatch.setattr(russian_doll, "MOVES_A_UNIT", 10**7)
    bounds, graph = [], random_flows(14, seed)
    for seconds in (2, 4, 8, 16, 32, 64):
        with counted():
            outcome = russian_doll.solve(graph, places(4, 4), Limits(float(seconds)))
        if outcome.status is Status.OPTIMAL:
            break
        assert outcome.bound is not None
        bounds.append(outcome.bound)
    assert bounds == sorted(bounds)
    assert len(set(bounds)) > 2
    assert all(later > earlier - 0.02 for earlier, later in pairwise(left))  # looks are coarse
    assert outcome.status is Status.OPTIMAL


@pytest.mark.parametrize("seed", range(4))
def test_every_step_of_a_bound_holds(monkeypatch: pytest.MonkeyPatch, seed: int):
    """Problems that are given up early bound those further out, and the whole, by enumeration."""
    sets = sets_of(random_flows(5, seed), places(3, 2))
    flow, hops = sets.flow_matrix, sets.platform.hops
    least = min(
        int((flow * hops[np.ix_(t, t)]).sum()) // 2 for t in map(list, permutations(range(6), 5))
    )
    monkeypatch.setattr(russian_doll_kernel, "NODES_A_LOOK", 1)
    monkeypatch.setattr(russian_doll_kernel, "NODES_A_UNIT", 10)
    bounds = set()
    for nodes in range(1, 60, 2):
        with counted():
            search = russian_doll._Search(flow, sets, 0)
            search.run(Stopwatch(Limits(nodes / 10)), None, 0, 1e-6)
        assert search.floor() <= least
        assert not search.proved or search.floor() == least
        bounds.add(search.floor())
    assert len(bounds) > 1
