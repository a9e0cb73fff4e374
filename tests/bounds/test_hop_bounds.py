"""Bounds on spike-hops without a solver: by hand, against enumeration, and in the rows."""

from __future__ import annotations

from dataclasses import replace

import oracles
import pytest
from scheduling_instances import cluster_graph_of, equal_tiles

from optmap.bounds import spike_hops
from optmap.bounds.spike_hops import flows, gilmore_lawler, hop_bounds, lines_crossed, min_cut
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile

RING = {(0, 1): 5, (1, 2): 5, (2, 3): 5, (0, 3): 5}


def mesh(width: int, height: int, slots: int | None) -> Platform:
    tile = Tile(Crossbar(64, 64), slots=slots)
    return Platform("mesh", (tile,) * (width * height), Interconnect("mesh", width, height))


def test_half_of_what_each_cluster_must_pay():
    star = cluster_graph_of([1] * 6, {(0, b): 10 * b for b in range(1, 6)})
    # half of the star (160), and of each ray seen alone (150)
    assert gilmore_lawler(star, mesh(3, 3, 1)) == 155


def test_lines_that_separate_clusters_are_crossed_by_a_cut():
    ring = cluster_graph_of([1] * 4, RING)
    assert lines_crossed(ring, mesh(4, 1, 1)) == 3
    assert min_cut(ring, mesh(4, 1, 1)) == 30  # each line by at least 2 * 5
    assert lines_crossed(ring, mesh(4, 1, 2)) == 0  # two tiles hold everything, on either side
    assert min_cut(ring, mesh(2, 1, 2)) == 10
    assert min_cut(ring, equal_tiles(4)) == 0  # all of them may share a tile
    two_pairs = cluster_graph_of([1] * 4, {(0, 1): 5, (2, 3): 5})
    assert min_cut(two_pairs, mesh(4, 1, 1)) == 0  # nothing need cross the middle


def test_nothing_is_said_where_one_tile_holds_everything():
    ring = cluster_graph_of([1] * 4, RING)
    assert hop_bounds(ring, mesh(2, 2, None)) == ()
    assert hop_bounds(ring, mesh(2, 2, 4)) == ()
    assert hop_bounds(cluster_graph_of([], {}), mesh(2, 2, 1)) == ()
    assert {b.name for b in hop_bounds(ring, mesh(4, 1, 1))} == {"gilmore-lawler", "min-cut"}


def test_flows_of_both_directions_add_up_only_where_hops_do_not_tell_them_apart():
    both = cluster_graph_of([1] * 2, {(0, 1): 5, (1, 0): 7})
    assert flows(both, mesh(2, 1, 1)) == {(0, 1): 12}
    one_way = Interconnect("matrix", matrix=((0, 1), (2, 0)))
    platform = Platform("one way", (Tile(Crossbar(64, 64), slots=1),) * 2, one_way)
    assert flows(both, platform) == {(0, 1): 5, (1, 0): 7}
    assert gilmore_lawler(both, platform) <= oracles.best_binding(both, platform, "hops") == 17


@pytest.mark.parametrize("slots", [1, 2, None])
@pytest.mark.parametrize("seed", range(40))
def test_every_binding_pays_at_least_the_bounds(seed: int, slots: int | None):
    graph, platform = oracles.random_binding_case(seed)
    platform = replace(platform, tiles=tuple(replace(t, slots=slots) for t in platform.tiles))
    least = oracles.best_binding(graph, platform, "hops")
    for bound in hop_bounds(graph, platform):
        assert bound.value > 0
        assert least is None or bound.value <= least, bound.name


def test_what_is_too_large_is_left_out_and_nothing_smaller(monkeypatch: pytest.MonkeyPatch):
    ring, line = cluster_graph_of([1] * 4, RING), mesh(4, 1, 1)
    cut, assigned = min_cut(ring, line), gilmore_lawler(ring, line)
    for most, expected in ((4 * 4, cut), (4 * 4 - 1, 0)):  # clusters times flows
        monkeypatch.setattr(spike_hops, "MAX_CUT", most)
        assert min_cut(ring, line) == expected
    for most, expected in ((2 * 20 * 3, assigned), (2 * 20 * 3 - 1, 0)):  # flows twice, 3 hops
        monkeypatch.setattr(spike_hops, "MAX_EXACT", most)
        assert gilmore_lawler(ring, line) == expected
    monkeypatch.undo()
    for most, expected in ((4, assigned), (3, 0)):
        monkeypatch.setattr(spike_hops, "MAX_PLACES", most)
        assert gilmore_lawler(ring, line) == expected
    assert min(cut, assigned) > 0
