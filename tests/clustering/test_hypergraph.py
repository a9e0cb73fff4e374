"""Hypergraph partitioning with repair: fits, repeats for a seed, and finds a proved optimum."""

import pytest
from random_cases import case, misfits

from optmap.bounds.bound import best
from optmap.bounds.clusters import cluster_bounds
from optmap.clustering import hypergraph as partition_hypergraph
from optmap.decomposing.contract import decompose
from optmap.generators.generate import generate
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile

pytest.importorskip("mtkahypar", reason="the extra [partition] is not installed")


def test_it_fits_on_random_networks_and_respects_the_bounds():
    for seed in range(40):
        snn, platform = case(seed)
        decomposition = decompose(snn, platform.max_rows, "tree")
        clustering = partition_hypergraph.partition(decomposition, platform, seed=seed)
        assert misfits(decomposition, clustering, platform) == []
        proved = best(cluster_bounds(decomposition, platform))
        assert clustering.num_clusters >= proved.value


def test_a_filter_needs_the_twelve_crossbars_that_are_proved():
    tiles = (Tile(Crossbar(32, 32)),) * 4
    platform = Platform("p", tiles, Interconnect("mesh", 2, 2))
    decomposition = decompose(generate("filter-16"), 32, "tree")
    one = partition_hypergraph.partition(decomposition, platform, seed=1)
    assert 12 <= one.num_clusters <= 14
    assert one == partition_hypergraph.partition(decomposition, platform, seed=1)


def test_no_round_begins_that_the_limit_leaves_no_time_for(monkeypatch: pytest.MonkeyPatch):
    """The partitioner knows no limit: the second round has 7 blocks instead of 5, as the third."""
    needed: list[float] = []
    clock = iter([0.0, 7.0, 10.0, 12.0])
    monkeypatch.setattr(partition_hypergraph, "now", lambda: next(clock))
    monkeypatch.setattr(
        partition_hypergraph, "over", lambda s: (needed.append(s), len(needed) == 2)[1]
    )
    snn, platform = case(3)
    decomposition = decompose(snn, platform.max_rows, "tree")
    assert partition_hypergraph.partition(decomposition, platform).num_clusters
    assert needed == pytest.approx([7.0 * (7 / 5) ** 0.4] * 2)
