"""A heuristic row builds its graphs twice: once by the flow, once by the judge's second look."""

from __future__ import annotations

import pytest

from optmap.experiment.run.description import describe
from optmap.experiment.run.job import Job
from optmap.experiment.run.source import Source
from optmap.flow import run
from optmap.instance import Instance
from optmap.judge.binding_aware_graph import BindingAwareGraph
from optmap.methods import METHODS
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.outcome import Limits
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
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
    row = describe(result, INSTANCE, Job("two", "", Source(), name, limits))
    assert row["check"] == "ok"
    assert 1 <= built["clusters"] <= 2
    assert 1 <= built["bound"] <= 2
