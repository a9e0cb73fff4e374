"""What the flow promises: a mapping before any model; what is left out, and what is wrong, said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from optmap import exact
from optmap.binding import load_balance
from optmap.binding.contract import BINDERS
from optmap.flow import run
from optmap.instance import Instance, load
from optmap.judge.case import judge
from optmap.methods import METHODS
from optmap.model.claim import Run
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.shipped import shipped_instances
from optmap.stages.course import Course

TILE = Tile(Crossbar(8, 8))
PLATFORM = Platform("two", (TILE, TILE), Interconnect("mesh", 2, 1))
INSTANCE = Instance("two", "gen:mlp-17-9-3", PLATFORM)
SOLVING = [name for name, method in METHODS.items() if method.uses_solver]


class Stages:
    """Solvers that find nothing, and note whether a mapping was reported before they began."""

    def __init__(self) -> None:
        self.reported: list[Run] = []
        self.began_with: list[int] = []

    def load(self):
        def nothing(*problem, start=None, on_better=None, **more):
            self.began_with.append(len(self.reported))
            return Outcome(Status.UNKNOWN, note="nothing was built")

        return nothing


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Stages:
    """Put a stage that finds nothing in the place of every exact one."""
    made = Stages()
    both = exact.ExactClustering(made.load, made.load)
    for known, stage in (
        (exact.EXACT_CLUSTERINGS, both),
        (exact.EXACT_BINDERS, made.load),
        (exact.EXACT_MULTICASTS, made.load),
        (exact.EXACT_ORDERINGS, exact.ExactOrdering(made.load)),
        (exact.EXACT_SCHEDULES, exact.ExactSchedule(made.load)),
    ):
        for name in known:
            monkeypatch.setitem(known, name, stage)
    for name, stage in exact.EXACT_WHOLE.items():
        monkeypatch.setitem(exact.EXACT_WHOLE, name, replace(stage, load=made.load))
    return made


@pytest.mark.parametrize("name", SOLVING)
def test_a_mapping_is_reported_before_any_solver_begins(name: str, stages: Stages):
    limits = Limits(30.0)
    result = run(METHODS[name], INSTANCE.snn, PLATFORM, "dataflow", limits, stages.reported.append)
    assert stages.began_with
    assert min(stages.began_with) >= 1
    for known in (*stages.reported, result):
        assert known.mapping is not None
        assert judge(INSTANCE.snn, PLATFORM, known.mapping, "dataflow").violations == ()
    assert result.status is Status.FEASIBLE
    assert result.reason.count("nothing was built") == len(stages.began_with) == len(result.claims)


def test_a_proof_that_a_known_mapping_cannot_be_is_a_mismatch(monkeypatch: pytest.MonkeyPatch):
    def load():
        return lambda *problem, start=None, on_better=None: Outcome(Status.INFEASIBLE)

    monkeypatch.setitem(exact.EXACT_ORDERINGS, "cpsat", exact.ExactOrdering(load))
    limits = Limits(30.0)
    result = run(
        METHODS["song2020/order"], INSTANCE.snn, PLATFORM, "dataflow", limits, lambda _: None
    )
    (claim,) = result.claims
    assert result.mapping is not None
    assert not claim.holds


def test_a_bound_above_what_is_known_is_a_mismatch_with_both_numbers(
    monkeypatch: pytest.MonkeyPatch,
):
    def load():
        def wrong(graph, platform, binding, limits, *, start=None, on_better=None):
            return Outcome(Status.FEASIBLE, start, 10**6, 10**9)

        return wrong

    monkeypatch.setitem(exact.EXACT_ORDERINGS, "cpsat", exact.ExactOrdering(load))
    limits = Limits(30.0)
    result = run(
        METHODS["song2020/order"], INSTANCE.snn, PLATFORM, "dataflow", limits, lambda _: None
    )
    (claim,) = result.claims
    assert (claim.value, claim.bound) == (10**6, 10**9)
    assert not claim.holds


def test_the_same_mapping_is_reported_again_only_where_that_is_cheap(
    monkeypatch: pytest.MonkeyPatch,
):
    clock = [0.0]
    monkeypatch.setattr("optmap.stages.course.now", lambda: clock[0])
    reports: list[Run] = []

    def report(found: Run) -> None:
        reports.append(found)
        clock[0] += 0.2

    made = [
        run(METHODS[name], INSTANCE.snn, PLATFORM, "dataflow", Limits(), lambda _: None).mapping
        for name in ("song2020", "random")
    ]
    for limit_s, expected in ((1.0, 2), (100.0, 3)):
        reports.clear()
        clock[0] = 0.0
        course = Course(PLATFORM, "dataflow", Limits(limit_s), report, [], started=0.0)
        for mapping in (made[0], made[0], made[1]):
            assert mapping is not None
            course.report_mapping(mapping)
        assert len(reports) == expected


@pytest.mark.parametrize("name", ["whole-multicast", "multicast-cpsat"])
def test_hops_that_no_mapping_of_a_platform_has_are_refused(name: str):
    instance = load(shipped_instances()["lenet_mnist_7"])  # distances are given, no routes
    made = run(
        METHODS[name], instance.snn, instance.platform, instance.tokens, Limits(5.0), lambda _: None
    )
    assert made.status is Status.UNKNOWN
    assert "multicast hops need XY routes" in made.reason
    assert made.reason.endswith("all in use; found a hop matrix")
    assert not made.claims


def test_a_heuristic_binds_a_cluster_graph_once(monkeypatch: pytest.MonkeyPatch):
    """A stage falls back on it, then starts from it; it takes a second where clusters are many."""
    asked: list[str] = []
    bind = load_balance.bind

    def binder(graph: ClusterGraph, platform: Platform, *, seed: int = 0) -> Binding:
        asked.append("load-balance")
        return bind(graph, platform, seed=seed)

    monkeypatch.setitem(BINDERS, "load-balance", lambda: binder)
    result = run(
        METHODS["song2020-tree"], INSTANCE.snn, PLATFORM, "dataflow", Limits(), lambda _: None
    )
    assert result.mapping is not None
    made = Course(PLATFORM, "dataflow", Limits(), lambda _: None, [])
    graphs = [made.graph_of(result.mapping.decomposition, result.mapping.clustering)] * 3
    asked.clear()
    one, *others = (made.bound_by("load-balance", graph) for graph in graphs)
    assert asked == ["load-balance"]
    assert all(other is one for other in others)


def test_no_other_binding_is_looked_for_after_the_limit(monkeypatch: pytest.MonkeyPatch):
    """One of few hops takes a second where clusters are many; another is known by then."""
    monkeypatch.setattr(Course, "expired", lambda self: True)
    refuse = pytest.fail
    monkeypatch.setitem(BINDERS, "force-directed", lambda: lambda *_, **__: refuse("late"))
    result = run(
        METHODS["song2020/hops"], INSTANCE.snn, PLATFORM, "dataflow", Limits(0.1), lambda _: None
    )
    assert result.mapping is not None
