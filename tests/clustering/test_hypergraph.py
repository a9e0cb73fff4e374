"""Hypergraph partitioning with repair: fits, repeats for a seed, and finds a proved optimum."""

from math import inf

import pytest
from random_cases import case, misfits

from optmap.bounds.bound import best
from optmap.bounds.clusters import cluster_bounds
from optmap.clustering import hypergraph as partition_hypergraph
from optmap.clustering.kernels.mt_kahypar import Hypergraph, Wanted, partitioned
from optmap.decomposing.contract import decompose
from optmap.generators.generate import generate
from optmap.model.decomposition import Decomposition
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


def filter_16() -> tuple[Decomposition, Platform]:
    """Return 64 units and tiles of 32 columns."""
    tiles = (Tile(Crossbar(32, 32)),) * 4
    platform = Platform("p", tiles, Interconnect("mesh", 2, 2))
    return decompose(generate("filter-16"), 32, "tree"), platform


@pytest.mark.parametrize("rounds", [0, 1])
def test_the_limit_ends_the_partitioner_and_what_there_is_is_repaired(
    rounds: int, monkeypatch: pytest.MonkeyPatch
):
    """It is the best round so far, or blocks of units in order; whoever set the limit is told."""
    given: list[float] = []
    ends: list[float] = []

    def within(graph: Hypergraph, wanted: Wanted, seconds: float) -> list[int] | None:
        given.append(seconds)
        return partitioned(graph, wanted) if len(given) <= rounds else None

    monkeypatch.setattr(partition_hypergraph, "QUICK_S", -1.0)
    monkeypatch.setattr(partition_hypergraph, "partitioned_within", within)
    monkeypatch.setattr(partition_hypergraph, "left_s", lambda: 5.0)
    monkeypatch.setattr(partition_hypergraph, "over", lambda s: bool(ends.append(s)))
    decomposition, platform = filter_16()
    clustering = partition_hypergraph.partition(decomposition, platform)
    assert misfits(decomposition, clustering, platform) == []
    beside = partition_hypergraph.BESIDE_S * decomposition.network.num_synapses
    assert given[: rounds + 1] == [5.0 - beside] * (rounds + 1)
    assert 2 * beside in ends


@pytest.mark.parametrize(("left", "apart"), [(inf, False), (0.9, False), (0.1, True)])
def test_only_what_comes_near_the_limit_runs_in_a_process_of_its_own(
    left: float, apart: bool, monkeypatch: pytest.MonkeyPatch
):
    """529 pins are expected to take 18 ms, a second round as long as a clock says."""
    ran: list[float | None] = []

    def blocks(graph: Hypergraph, _: Wanted, seconds: float | None = None) -> list[int]:
        ran.append(seconds)
        return [0] * graph.num_nodes

    clock = iter(range(0, 400, 40))
    monkeypatch.setattr(partition_hypergraph, "partitioned", blocks)
    monkeypatch.setattr(partition_hypergraph, "partitioned_within", blocks)
    monkeypatch.setattr(partition_hypergraph, "left_s", lambda: left)
    monkeypatch.setattr(partition_hypergraph, "now", lambda: next(clock))
    partition_hypergraph.partition(*filter_16())
    assert [seconds is not None for seconds in ran] == [apart, True, True]
