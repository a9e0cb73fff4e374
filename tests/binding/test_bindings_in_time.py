"""Bindings of many clusters: every step that grows with them asks whether the limit has passed."""

from __future__ import annotations

import numpy as np
import pytest

from optmap.binding import force_directed, hill_climbing
from optmap.binding.kernels import tile_swaps
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile


def mesh(width: int, height: int) -> Platform:
    """Return equal tiles."""
    tiles = (Tile(Crossbar(8, 8)),) * (width * height)
    return Platform("m", tiles, Interconnect("mesh", width, height))


def graph_of(tau: list[int], *pairs: tuple[int, int]) -> ClusterGraph:
    """Return clusters that feed each other, one spike a channel."""
    one, ends = np.ones(len(tau), dtype=np.int64), np.array(pairs, dtype=np.int32).reshape(-1, 2)
    spikes = np.ones(len(pairs), dtype=np.int64)
    return ClusterGraph(np.array(tau), one, one, ends[:, 0], ends[:, 1], spikes, 0 * spikes)


def ring(size: int) -> ClusterGraph:
    """Return a line of clusters, numbered anyhow, closed to a ring by a last channel."""
    order = np.random.default_rng(2).permutation(size)
    pairs = sorted(zip(order.tolist(), np.roll(order, -1).tolist(), strict=True))
    return graph_of([1] * size, *pairs)


def test_hill_climbing_asks_where_no_exchange_is_worth_trying():
    """Every move and every exchange of 6 + 4 and 5 + 5 ticks makes one tile take more than 10."""
    asked: list[bool] = []
    start = Binding(np.array([0, 0, 1, 1], dtype=np.int32))
    found = hill_climbing.bind(
        graph_of([6, 4, 5, 5]), mesh(2, 1), start=start, expired=lambda: bool(asked.append(True))
    )
    assert found == start
    assert len(asked) >= 2


def test_the_second_order_is_not_begun_late(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(force_directed, "DENSE", 4)
    monkeypatch.setattr(force_directed, "over", lambda: True)
    monkeypatch.setattr(force_directed, "spectral_order", lambda *_: pytest.fail("begun"))
    assert len(force_directed.bind(ring(12), mesh(3, 2)).tile_of) == 12


def test_the_eigensolver_ends_with_the_limit(monkeypatch: pytest.MonkeyPatch):
    """Its clusters are laid as they are numbered; without a limit they are not."""
    graph = ring(40)
    looks: list[int] = []
    monkeypatch.setattr(force_directed, "DENSE", 4)
    unlimited = force_directed.spectral_order(graph, 0)
    monkeypatch.setattr(force_directed, "over", lambda: looks.append(1) or len(looks) > 3)
    ended = force_directed.spectral_order(graph, 0)
    assert ended.tolist() == list(range(40)) != unlimited.tolist()
    assert len(looks) == 4


def test_components_that_the_limit_leaves_no_time_for_stay_as_numbered(
    monkeypatch: pytest.MonkeyPatch,
):
    lines = [(3 * i + a, 3 * i + b) for i in range(20) for a, b in ((0, 2), (2, 1))]
    graph = graph_of([1] * 60, *sorted(lines))
    monkeypatch.setattr(force_directed, "DENSE", 4)
    whole = force_directed.spectral_order(graph, 0)
    assert sorted(whole.tolist()) == list(range(60)) != whole.tolist()
    monkeypatch.setattr(force_directed, "over", lambda: True)
    assert force_directed.spectral_order(graph, 0).tolist() == list(range(60))


def test_the_pass_of_swaps_after_which_the_limit_has_passed_is_the_last(
    monkeypatch: pytest.MonkeyPatch,
):
    passes: list[int] = []
    monkeypatch.setattr(tile_swaps, "_pass", lambda *_: not passes.append(1))
    monkeypatch.setattr(tile_swaps, "over", lambda: len(passes) == 2)
    start = Binding(np.arange(6, dtype=np.int32))
    assert tile_swaps.improve(ring(6), mesh(3, 2), start, 9) == start
    assert len(passes) == 2
