"""Distances with tiles and links out of use, and chips: a second time, by networkx."""

from __future__ import annotations

import random

import networkx as nx
import numpy as np
import pytest

from formulations.joint.symmetry import automorphisms
from optmap.errors import CapacityError
from optmap.model.interconnect import Interconnect
from optmap.model.platform import Crossbar, Platform, Tile

TILE = Tile(Crossbar(4, 4))


def plain(net: Interconnect) -> nx.Graph:
    """Return the tiles in use and their links, each with its hops."""
    width, height = net.width or 1, net.height or 1
    graph = nx.grid_2d_graph(width, height, periodic=net.kind == "torus")
    across, along = net.chip or (width, height)
    links = nx.Graph()
    links.add_nodes_from(t for t in range(width * height) if t not in net.dead_tiles)
    for (x, y), (u, v) in graph.edges:
        a, b = y * width + x, v * width + u
        cut = (a, b) in net.dead_links or (b, a) in net.dead_links
        if a != b and a in links and b in links and not cut:
            leaves = (x // across, y // along) != (u // across, v // along)
            links.add_edge(a, b, hops=net.chip_hops if leaves else 1, chip=int(leaves))
    return links


@pytest.mark.parametrize("seed", range(60))
def test_distances_are_those_of_the_graph_that_is_left(seed: int) -> None:
    rng = random.Random(seed)
    width, height = rng.randrange(1, 5), rng.randrange(1, 5)
    kind, tiles = rng.choice(("mesh", "torus")), width * height
    whole = plain(Interconnect(kind, width, height))
    links = rng.sample(sorted(whole.edges), min(rng.randrange(3), len(whole.edges)))
    more = {
        "dead_tiles": tuple(t for t in range(1, tiles) if rng.random() < 0.15),
        "dead_links": tuple(links),
        "chip": rng.choice((None, (2, 1), (2, 2))),
        "chip_hops": rng.randrange(1, 4),
    }
    net = Interconnect(kind, width, height, **more)
    left = plain(net)
    platform_tiles = (TILE,) * tiles
    if not nx.is_connected(left):
        with pytest.raises(ValueError, match="cannot be reached"):
            Platform("cut", platform_tiles, net)
        return
    platform = Platform("left", platform_tiles, net, hop_ticks=2, chip_hop_ticks=7)
    assert platform.in_use == tuple(sorted(left.nodes))
    for a in left:
        for b, hops in nx.single_source_dijkstra_path_length(left, a, weight="hops").items():
            assert platform.hops[a, b] == hops
            paths = nx.all_shortest_paths(left, a, b, weight="hops")
            few = min(sum(left.edges[e]["chip"] for e in nx.utils.pairwise(p)) for p in paths)
            ticks = 2 * (hops - few * net.chip_hops) + 7 * few
            assert platform.latency[a, b] == ticks


def test_what_is_out_of_use_leaves_fewer_symmetries() -> None:
    whole = Platform("whole", (TILE,) * 4, Interconnect("mesh", 2, 2), hop_ticks=1)
    assert len(automorphisms(whole)) == 8
    tile = Platform("t", (TILE,) * 4, Interconnect("mesh", 2, 2, dead_tiles=(3,)), hop_ticks=1)
    assert {g[3] for g in automorphisms(tile)} == {3}
    assert len(automorphisms(tile)) == 2
    link = Interconnect("mesh", 2, 2, dead_links=((0, 1),))
    line = Platform("l", (TILE,) * 4, link, hop_ticks=1)
    assert line.hops[0, 1] == 3
    assert sorted(automorphisms(line)) == [(0, 1, 2, 3), (1, 0, 3, 2)]


@pytest.mark.parametrize("kind", ["mesh", "torus"])
def test_hops_of_pairs_are_those_of_the_matrix(kind: str):
    net = Interconnect(kind, 5, 4)
    tiles = np.arange(20)
    assert (net.between(tiles[:, None], tiles) == net.hops()).all()
    for other in (
        Interconnect(kind, 5, 4, dead_links=((0, 1),)),
        Interconnect(kind, 5, 4, chip=(2, 2), chip_hops=3),
    ):
        assert other.between(tiles, tiles) is None


def test_ten_thousand_tiles_need_no_matrix():
    tile = Tile(Crossbar(8, 4), slots=1)
    chip = Platform("large", (tile,) * 10_000, Interconnect("mesh", 100, 100), hop_ticks=2)
    a, b = np.array([0, 9_999, 150]), np.array([9_999, 0, 50])
    assert chip.hops_between(a, b).tolist() == [198, 198, 1]
    assert chip.latency_between(a, b).tolist() == [396, 396, 2]
    assert (chip.least_hops, chip.least_latency, chip.has_latency) == (1, 2, True)
    with pytest.raises(CapacityError, match="10000 tiles: the hops between every two"):
        _ = chip.hops


def test_least_hops_skip_tiles_out_of_use():
    tile, none = Tile(Crossbar(8, 4), slots=1), Tile(Crossbar(8, 4), slots=0)
    chip = Platform("rows", (tile, none, none, tile, none, tile), Interconnect("mesh", 3, 2))
    expected = min(chip.hops[a, b] for a in chip.in_use for b in chip.in_use if a != b)
    assert chip.least_hops == expected == 1
    alone = Platform("one", (tile, none), Interconnect("mesh", 2, 1))
    assert alone.least_hops == 0
