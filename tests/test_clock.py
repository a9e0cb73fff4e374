"""Counted work in place of a clock: it repeats, and passes by looks alone too."""

from __future__ import annotations

import numpy as np
import pytest

from optmap.clock import LOOK, MILLION, counted, did, ending, is_counted, left_s, now, over
from optmap.flow import run
from optmap.methods import method_named
from optmap.model.claim import Run
from optmap.model.outcome import Limits
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import SNN, from_edges
from optmap.stages.course import ENDED_EARLY


@pytest.mark.wall_clock
def test_work_passes_by_what_is_done_and_by_looks() -> None:
    assert not is_counted()
    did(5.0)  # nothing to count
    with counted():
        begun = now()
        did(1.5)
        assert now() - begun == pytest.approx(1.5 + LOOK / MILLION)
        with counted():
            assert now() == LOOK / MILLION
        assert now() - begun < 2
    assert not is_counted()


def network() -> tuple[SNN, Platform]:
    """Return 12 units that read three random ones of 30 neurons each, and 2 x 2 small tiles."""
    rng = np.random.default_rng(3)
    pre = [int(i) for _ in range(12) for i in rng.choice(30, 3, replace=False)]
    post = [6 + u for u in range(12) for _ in range(3)]
    platform = Platform("small", (Tile(Crossbar(8, 4)),) * 4, Interconnect("mesh", 2, 2))
    return from_edges(pre, post, 30, spikes=rng.integers(1, 50, 30)), platform


def told(method: str, work: int) -> tuple[object, ...]:
    """Return all that a run says of itself but seconds."""
    reports: list[Run] = []
    found = run(method_named(method), *network(), "dataflow", Limits(work=work), reports.append)
    claims = [(c.metric, c.status, c.value, c.bound, c.grade) for c in found.claims]
    assert found.mapping is not None
    mapping = found.mapping
    tiles = mapping.binding.tile_of.tolist()
    return claims, mapping.clustering.cluster_of.tolist(), tiles, mapping.orders


@pytest.mark.parametrize("method", ["lns", pytest.param("milp", marks=pytest.mark.full)])
def test_the_same_work_gives_the_same_of_everything(method: str) -> None:
    assert told(method, 1) == told(method, 1)


def test_work_is_a_whole_number_from_one() -> None:
    with pytest.raises(ValueError, match="found 0 units of work, expected 1 or more"):
        Limits(work=0)


@pytest.mark.wall_clock
def test_heuristics_end_where_somebody_said_when() -> None:
    assert (over(), left_s()) == (False, float("inf"))
    with ending(now() + 1000) as end:
        assert not over()
        with ending(now() - 1) as inner:
            assert over()
        assert (inner.was_early, end.was_early, over()) == (True, False, False)
    with counted(), ending(now() - 1):
        assert not over(), "counted work is not for heuristics"


@pytest.mark.wall_clock
@pytest.mark.parametrize("method", ["multicast", "spinemap", "overlap-prologue"])
def test_a_heuristic_that_the_limit_ends_has_a_mapping_and_says_so(method: str) -> None:
    found = run(method_named(method), *network(), "dataflow", Limits(1e-9), lambda _: None)
    assert found.mapping is not None
    assert found.reason == ENDED_EARLY
    whole = run(method_named(method), *network(), "dataflow", Limits(1e6), lambda _: None)
    assert whole.reason == ""


@pytest.mark.wall_clock
@pytest.mark.parametrize("method", ["song2020/joint", "cpsat"])
def test_what_a_solver_starts_from_is_on_its_clock(method: str) -> None:
    """Hill climbing went on for as long as it liked before the joint model."""
    found = run(method_named(method), *network(), "dataflow", Limits(1e-9), lambda _: None)
    assert found.mapping is not None
    assert (ENDED_EARLY in found.reason) == (method == "song2020/joint")


@pytest.mark.wall_clock
def test_a_partitioner_that_knows_no_limit_is_not_begun_without_time() -> None:
    found = run(method_named("hypergraph"), *network(), "dataflow", Limits(1e-9), lambda _: None)
    assert found.mapping is not None
    assert found.reason == ENDED_EARLY
