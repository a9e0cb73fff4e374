"""Blocks take no more clusters than overlap on the tree, and far fewer where neurons share rows."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from random_cases import misfits
from random_mappings import random_network

from optmap.clock import ending, now
from optmap.clustering import blocks, overlap
from optmap.decomposing.contract import decompose
from optmap.instance import load
from optmap.model.decomposition import violations
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.shipped import instance_file


def test_never_more_clusters_than_overlap_on_the_tree():
    for seed in range(60):
        snn = random_network(Random(seed))
        tile = Tile(Crossbar(3 + seed % 6, 1 + seed % 5))
        platform = Platform("p", (tile,), Interconnect("mesh", 1, 1))
        units, clusters = blocks.partition(snn, platform, seed=seed)
        assert violations(snn, units) == []
        assert misfits(units, clusters, platform) == []
        tree = overlap.partition(decompose(snn, tile.crossbar.rows, "tree"), platform, seed=seed)
        assert clusters.num_clusters <= tree.num_clusters


@pytest.mark.parametrize(
    ("name", "most", "before"),
    [("sigma_delta", 6, 44), ("pursuit", 4, 5), ("graph_net", 32, 61), ("digits_recurrent", 7, 8)],
)
def test_fewer_clusters_than_the_best_known_before(name: str, most: int, before: int):
    instance = load(instance_file(name))
    units, clusters = blocks.partition(instance.snn, instance.platform)
    assert clusters.num_clusters <= most < before
    assert violations(instance.snn, units) == []
    assert misfits(units, clusters, instance.platform) == []
    assert np.bincount(clusters.cluster_of).max() <= instance.platform.max_columns


@pytest.mark.wall_clock
def test_after_the_limit_nothing_is_tried_and_the_tree_stays():
    instance = load(instance_file("graph_net"))
    with ending(now() - 1) as end:
        _, clusters = blocks.partition(instance.snn, instance.platform)
    assert end.was_early
    platform = instance.platform
    tree = overlap.partition(decompose(instance.snn, platform.max_rows, "tree"), platform)
    assert np.array_equal(clusters.cluster_of, tree.cluster_of)
