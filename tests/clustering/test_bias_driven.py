"""Units that read nothing, which a bias drives: they take a column, and no method trips on them."""

from __future__ import annotations

import numpy as np
import pytest
from random_cases import PARTITIONS, case, misfits

from optmap.clustering import song2020_published
from optmap.clustering.contract import CLUSTERERS
from optmap.clustering.kernels.annealing_clusters import shrink
from optmap.clustering.kernels.annealing_traffic import reduce_traffic
from optmap.clustering.kernels.classes import classes_of
from optmap.decomposing.contract import decompose
from optmap.model.decomposition import violations
from optmap.model.mapping import Clustering
from optmap.model.snn import SNN, from_edges


@pytest.mark.parametrize("name", PARTITIONS)
def test_every_clustering_gives_them_a_place(name: str):
    for seed in range(24):
        snn, platform = case(seed, driven=True)
        decomposition = decompose(snn, platform.max_rows, "tree")
        clustering = CLUSTERERS[name]()(decomposition, platform, seed=0)
        assert len(clustering.cluster_of) == decomposition.num_units
        assert misfits(decomposition, clustering, platform) == []


def test_so_does_the_published_code():
    for seed in range(24):
        snn, platform = case(seed, driven=True)
        decomposition, clustering = song2020_published.partition(snn, platform)
        assert violations(snn, decomposition) == []
        assert misfits(decomposition, clustering, platform) == []


def _two_readers_and_four_that_read_nothing() -> SNN:
    driven = np.arange(3, 7)
    return from_edges([0, 0], [1, 2], 7, spikes=np.ones(7, dtype=np.int64), self_driven=driven)


def test_annealing_moves_them_anywhere():
    """Six units, three columns: two clusters, of which each has a place left in the start."""
    network = _two_readers_and_four_that_read_nothing()
    start = Clustering(np.array([0, 1, 0, 1, 2, 2]))
    found = shrink(classes_of(network), start, 4, 3, moves=1000, seed=0)
    assert found is not None
    assert sorted(found.sizes.tolist()) == [3, 3]
    assert shrink(classes_of(network), start, 4, 2, moves=1000, seed=0) is None


def test_without_a_synapse_there_is_no_traffic_to_reduce():
    network = from_edges([], [], 3, self_driven=[0, 1, 2])
    start = Clustering(np.array([0, 1, 1]))
    assert reduce_traffic(network, start, ((2, 2),), moves=10, seed=0) == start
