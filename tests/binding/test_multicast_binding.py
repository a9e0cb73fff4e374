"""Multicast binding: the annealed value against the judge's, both searches against enumeration."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from random import Random

import numpy as np
import pytest
from random_mappings import random_case

from formulations.binding.multicast import MulticastModel, multicast_hops_of, nets_of, solve
from formulations.binding.sets import BindingSets
from optmap.binding.kernels.multicast_anneal import links_of
from optmap.binding.kernels.multicast_nets import cluster_nets, unit_nets
from optmap.binding.multicast import annealed, bind, grid_of
from optmap.judge.multicast import deliveries, multicast
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.outcome import Limits, Status
from optmap.model.platform import Interconnect, Platform, Tile

KINDS = (("mesh", 3, 2), ("mesh", 2, 2), ("torus", 3, 2), ("mesh", 4, 1), ("torus", 4, 3))


def cases(number: int, kind: str, width: int, height: int) -> list[tuple[ClusterGraph, Platform]]:
    """Return random clusterings of two clusters or more on a grid of unlimited tiles."""
    random, found = Random(number), []
    while len(found) < number:
        case = random_case(random)
        if case.graph.num_clusters < 2 or case.graph.num_clusters > 5:
            continue
        tile = Tile(case.platform.tiles[0].crossbar)
        net = Interconnect(kind, width, height)
        platform = replace(case.platform, interconnect=net, tiles=(tile,) * net.num_tiles)
        if case.graph.fits(platform).all():
            found.append((case.graph, platform))
    return found


def judged(graph: ClusterGraph, platform: Platform, binding: Binding) -> int:
    assert graph.made_of is not None
    return multicast(deliveries(*graph.made_of), platform, binding).hops


def kernel_hops(nets, grid, tile) -> int:
    column = np.zeros((3, grid.width), dtype=np.int64)
    return sum(
        int(nets.weight[n]) * links_of(n, tile, nets, grid, column) for n in range(len(nets.weight))
    )


@pytest.mark.parametrize(("kind", "width", "height"), KINDS)
def test_the_kernel_counts_what_the_judge_counts(kind: str, width: int, height: int):
    rng = np.random.default_rng(7)
    for graph, platform in cases(8, kind, width, height):
        nets, most = cluster_nets(graph), np.full(platform.num_tiles, 9)
        grid = grid_of(platform, most * 0, most, graph.fits(platform))
        tile = rng.integers(platform.num_tiles, size=graph.num_clusters)
        expected = judged(graph, platform, Binding(tile))
        assert kernel_hops(nets, grid, tile) == expected
        if kind == "mesh":
            assert multicast_hops_of(nets_of(graph), width, tile.tolist()) == expected
        if len(nets.weight):
            best, hops = annealed(nets, grid, tile.astype(np.int64), 1, (2000,))
            assert hops == judged(graph, platform, Binding(best)) <= expected


def test_nets_of_units_count_what_a_cluster_for_each_tile_counts():
    rng = np.random.default_rng(3)
    for graph, platform in cases(8, "mesh", 3, 2):
        network = graph.made_of[0].network
        nets, most = unit_nets(network), np.full(6, 99)
        fits = np.ones((network.num_units, 6), dtype=bool)
        of_cluster = rng.integers(6, size=graph.num_clusters)
        tile = of_cluster[graph.made_of[1].cluster_of]
        grid = grid_of(platform, most * 0, most, fits)
        assert kernel_hops(nets, grid, tile) == judged(graph, platform, Binding(of_cluster))


@pytest.mark.parametrize("slots", [1, 2])
def test_cpsat_proves_what_enumeration_finds(slots: int):
    for graph, platform in cases(3, "mesh", 3, 2):
        tiles = tuple(replace(t, slots=slots) for t in platform.tiles)
        platform = replace(platform, tiles=tiles)
        fewest = min(
            judged(graph, platform, Binding(list(tile_of)))
            for tile_of in product(range(6), repeat=graph.num_clusters)
            if max(map(tile_of.count, tile_of)) <= slots
        )
        found = solve(graph, platform, Limits(20.0), workers=1)
        assert (found.status, found.claimed, found.bound) == (Status.OPTIMAL, fewest, fewest)
        assert judged(graph, platform, found.solution) == fewest
        near = bind(graph, platform)
        assert max(np.bincount(near.tile_of)) <= slots
        assert judged(graph, platform, near) >= fewest


def test_without_crossed_lines_the_model_proves_too_little():
    graph, platform = cases(1, "mesh", 3, 2)[0]
    platform = replace(platform, tiles=tuple(replace(t, slots=1) for t in platform.tiles))
    model = MulticastModel(BindingSets(graph, platform), nets_of(graph))
    model.build()
    assert not model.crossed
    model.cross_lines()
    assert len(model.crossed) == len(nets_of(graph)) * (2 * 2 + 2 * 3 * 1)


def test_a_torus_is_refused_by_name():
    graph, platform = cases(1, "torus", 3, 2)[0]
    with pytest.raises(ValueError, match="multicast hops need a mesh"):
        solve(graph, platform, Limits(1.0))


@pytest.mark.wall_clock
def test_a_model_too_large_for_the_limit_keeps_what_was_known():
    graph, platform = cases(1, "mesh", 3, 2)[0]
    known = bind(graph, platform)
    found = solve(graph, platform, Limits(1e-9), warm=known)
    assert found.note.startswith("no model of multicast hops: ")
    assert (found.status, found.solution) == (Status.FEASIBLE, known)
    assert solve(graph, platform, Limits(1e-9)).status is Status.UNKNOWN
