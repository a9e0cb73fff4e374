"""A heuristic row builds its graphs twice: once by the flow, once by the judge's second look."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from optmap.bounds import clusters, traffic
from optmap.bounds.bound import Bound
from optmap.bounds.end_to_end import end_to_end_bounds
from optmap.decomposing.contract import decompose
from optmap.experiment.run import solve
from optmap.experiment.run.description import describe
from optmap.experiment.run.job import Job
from optmap.experiment.run.source import Source
from optmap.flow import run
from optmap.instance import Instance
from optmap.judge import case
from optmap.judge.binding_aware_graph import BindingAwareGraph
from optmap.methods import METHODS
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.outcome import Limits
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import SNN
from optmap.ordering.contract import ORDER_IMPROVERS

TILE = Tile(Crossbar(8, 8))
INSTANCE = Instance(
    "two", "gen:mlp-17-9-3", Platform("two", (TILE, TILE), Interconnect("mesh", 2, 1))
)
HEURISTICS = [
    name
    for name, m in METHODS.items()
    if not (m.uses_solver or m.whole or m.clustering in ("imported", "hypergraph", "leaves"))
    and m.order not in ORDER_IMPROVERS
]


@pytest.mark.parametrize("name", HEURISTICS)
def test_both_graphs_are_built_at_most_twice(name: str, monkeypatch: pytest.MonkeyPatch):
    built = {"clusters": 0, "bound": 0}
    checked, made = ClusterGraph.__post_init__, BindingAwareGraph.__init__

    def count_clusters(self) -> None:
        built["clusters"] += 1
        checked(self)

    def count_bound(self, *args, **fields) -> None:
        built["bound"] += 1
        made(self, *args, **fields)

    monkeypatch.setattr(ClusterGraph, "__post_init__", count_clusters)
    monkeypatch.setattr(BindingAwareGraph, "__init__", count_bound)
    limits = Limits(30.0)
    result = run(METHODS[name], INSTANCE.snn, INSTANCE.platform, "dataflow", limits, lambda _: None)
    job = Job("two", "", Source(), name, limits)
    row = describe(result, INSTANCE, job)
    assert row["check"] == "ok"
    assert describe(result, INSTANCE, job) == row, "reported again at its end: nothing is built"
    assert 1 <= built["clusters"] <= 2
    assert 1 <= built["bound"] <= 2


def test_bounds_of_any_mapping_are_made_once_and_before_the_clock(monkeypatch: pytest.MonkeyPatch):
    out, said = io.StringIO(), []

    def bounds(snn: SNN, platform: Platform) -> tuple[Bound, ...]:
        said.append(out.getvalue())
        return end_to_end_bounds(snn, platform)

    monkeypatch.setattr(case, "end_to_end_bounds", bounds)
    monkeypatch.setattr(solve, "warm_up_for", lambda *_: None)
    case.bounds_of_any_mapping.cache_clear()
    source = Source(network="gen:mlp-17-9-3", platform="mesh_2x2_16")
    digest = source.load().digest()
    for name in ("song2020-tree", "pacman"):
        solve.solve(Job("two", digest, source, name, Limits(30.0)), out)
    assert said == [""], "no clock had started"
    words = [line for line in out.getvalue().splitlines() if not line.startswith("{")]
    assert words == ["ready", "ready"]


def test_a_method_that_cannot_keep_the_demands_is_refused_before_anything_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    demands = tmp_path / "demands.toml"
    demands.write_text('pin = [{ neurons = "17", tile = 0 }]\n')
    monkeypatch.setattr(solve, "warm_up_for", lambda *_: pytest.fail("compiled first"))
    source = Source(network="gen:mlp-17-9-3", platform="mesh_2x2_16", constraints=str(demands))
    out = io.StringIO()
    solve.solve(Job("two", source.load().digest(), source, "whole", Limits(30.0)), out)
    row = json.loads(out.getvalue())
    assert row["status"] == "unsupported"
    assert "does not respect the constraints pin" in row["reason"]


def test_what_pairs_of_units_prove_is_found_once_for_all_mappings(monkeypatch: pytest.MonkeyPatch):
    asked = []
    monkeypatch.setattr(clusters, "overlap_bound", lambda *_: asked.append("overlap"))
    monkeypatch.setattr(traffic, "readers_bound", lambda *_: asked.append("readers") or 0)
    units = decompose(INSTANCE.snn, 8, "tree")
    for _ in range(3):
        clusters.cluster_bounds(units, INSTANCE.platform)
        traffic.traffic_bounds(units, INSTANCE.platform)
    assert asked == ["overlap", "readers"]
