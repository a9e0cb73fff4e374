"""Where the search begins: the flow that is there already, divisions by levels, then the others."""

from __future__ import annotations

import numpy as np
import pytest

from optmap.clustering import multilevel, overlap
from optmap.decomposing.spikes import decompose
from optmap.judge.check import check
from optmap.model.mapping import Binding, Clustering, Mapping
from optmap.model.outcome import Limits
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import SNN, from_edges
from optmap.whole.convert import Placed
from optmap.whole.search import search
from optmap.whole.starts import starts
from optmap.whole.target import Target

PLATFORM = Platform("p", (Tile(Crossbar(40, 12)),) * 4, Interconnect("mesh", 2, 2))
LONG = 1000.0


def grid(width: int, seed: int) -> SNN:
    """Return neurons of a torus that read what is near, in a random order."""
    name = np.random.default_rng(seed).permutation(width * width)
    x, y = np.divmod(np.arange(width * width), width)
    steps = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if (a, b) != (0, 0)]
    near = [(x + a) % width * width + (y + b) % width for a, b in steps]
    pre, post = name[np.concatenate(near)], name[np.tile(np.arange(width * width), len(steps))]
    spikes = np.random.default_rng(seed).integers(1, 9, width * width)
    return from_edges(pre, post, width * width, spikes=spikes)


@pytest.fixture
def large(monkeypatch) -> SNN:
    """Return a network of neighbourhoods that counts as large."""
    monkeypatch.setattr(multilevel, "LARGE", 0)
    return grid(9, 0)


def first_flow(snn: SNN) -> Mapping:
    """Return what the method makes before the search begins."""
    units = decompose(snn, PLATFORM)
    clustering = overlap.partition(units, PLATFORM)
    binding = Binding(np.arange(clustering.num_clusters, dtype=np.int32) % 4)
    return Target(snn, PLATFORM, "dataflow", "period", 0).projected(
        Placed(units, clustering, binding)
    )[0]


def clusterings(
    snn: SNN, objective: str, seconds: float, start: Mapping | None
) -> list[Clustering]:
    """Return the clusterings of all starts, each once, in their order."""
    found: list[Clustering] = []
    target = Target(snn, PLATFORM, "dataflow", objective, 0)
    for mapping in starts(target, lambda: False, seconds, start=start):
        assert check(snn, PLATFORM, mapping, "dataflow") == []
        if mapping.clustering not in found:
            found.append(mapping.clustering)
    return found


@pytest.mark.parametrize("given", [True, False])
def test_divisions_by_levels_come_after_the_other_flows_where_they_fit(large: SNN, given: bool):
    start = first_flow(large)
    by_levels = multilevel.partition(start.decomposition, PLATFORM)
    first = start if given else None
    found = clusterings(large, "period", LONG, first)
    assert len(found) > 2
    assert (found[0], found[-1]) == (start.clustering, by_levels)
    assert by_levels not in clusterings(large, "period", 1e-3, first)
    assert clusterings(large, "traffic", LONG, first)[0] == by_levels


def test_small_networks_do_without_divisions_by_levels():
    snn = grid(6, 1)
    by_levels = multilevel.partition(decompose(snn, PLATFORM), PLATFORM)
    assert by_levels not in clusterings(snn, "period", LONG, None)


def test_the_search_is_no_worse_than_divisions_by_levels_and_repeats(large: SNN):
    target = Target(large, PLATFORM, "dataflow", "period", 0)
    start = first_flow(large)
    found = [search(large, PLATFORM, "dataflow", Limits(0.3), start=start) for _ in range(2)]
    assert found[0].claimed == found[1].claimed
    assert found[0].solution == found[1].solution
    assert found[0].claimed is not None
    begun = starts(target, lambda: False, LONG, start=start)
    assert found[0].claimed <= min(map(target.value, begun))


def test_the_graph_of_a_placement_is_built_once_until_another_is_asked_for(large: SNN):
    target, mapping = Target(large, PLATFORM, "dataflow", "period", 0), first_flow(large)
    placed = Placed(mapping.decomposition, mapping.clustering, mapping.binding)
    graph = target.graph(placed)
    elsewhere = Placed(
        placed.decomposition, placed.clustering, Binding(mapping.binding.tile_of[::-1])
    )
    assert target.graph(elsewhere) is graph
    other = multilevel.partition(mapping.decomposition, PLATFORM)
    assert target.graph(Placed(placed.decomposition, other, mapping.binding)) is not graph
    assert target.value(mapping) == Target(large, PLATFORM, "dataflow", "period", 0).value(mapping)
