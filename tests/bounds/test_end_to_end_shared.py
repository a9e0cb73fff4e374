"""The bound on clusters by shared sources against enumeration."""

from __future__ import annotations

from itertools import combinations, islice

import numpy as np
import pytest
from random_cases import equal_fan_in, equal_tiles
from scipy import sparse
from whole_oracle import decompositions, least, random_whole_case

from optmap.bounds import end_to_end_shared
from optmap.bounds.end_to_end import end_to_end_bounds, fewest_clusters
from optmap.bounds.end_to_end_shared import clusters_by_shared_sources, most_read
from optmap.model.snn import from_edges


@pytest.mark.parametrize("seed", range(12))
def test_no_crossbar_holds_more_synapses(seed: int):
    rng = np.random.default_rng(seed)
    table = (rng.random((6, 7)) < rng.choice([0.3, 0.5, 0.8])).astype(np.int64)
    most = most_read(sparse.csr_matrix(table), table.sum(axis=0), 7, 6)
    for a in range(8):
        for b in range(7):
            held = max(
                int(np.sort(table[list(chosen)].sum(axis=0))[::-1][:a].sum())
                for chosen in combinations(range(6), b)
            )
            assert held <= most[a, b]


@pytest.mark.parametrize("seed", range(60))
def test_no_decomposition_and_clustering_has_fewer_clusters(seed: int):
    snn, platform, tokens = random_whole_case(seed, 5)
    bound = clusters_by_shared_sources(snn, platform)
    few = len(list(islice(decompositions(snn, platform.max_rows, "any"), 9))) < 9
    value = least(snn, platform, tokens, ("clusters",), "any" if few else "needed").get("clusters")
    assert bound is None or value is None or bound <= value


def test_random_networks_need_more_than_their_rows():
    snn, platform = equal_fan_in(100, 200, 10, 0), equal_tiles(32, 64)
    fewest, shared = fewest_clusters(snn, platform), clusters_by_shared_sources(snn, platform)
    assert shared is not None
    assert shared > fewest
    values = [b.value for b in end_to_end_bounds(snn, platform) if b.metric == "clusters"]
    assert shared in values


def test_a_dense_layer_by_hand():
    # 8 neurons read 8 sources on 4 x 4 crossbars: no more than a b synapses stand on a rows and b
    # columns, so that K >= (64 - 8 y) / (16 - 8 y + 4 y), which is 6 at y = 2
    pre, post = [i for _ in range(8) for i in range(8)], [8 + j for j in range(8) for _ in range(8)]
    assert clusters_by_shared_sources(from_edges(pre, post, 16), equal_tiles(4, 4)) == 6


def test_networks_that_share_too_many_sources_are_left_out(monkeypatch):
    snn, platform = equal_fan_in(20, 30, 5, 1), equal_tiles(8, 8)
    assert clusters_by_shared_sources(snn, platform) is not None
    monkeypatch.setattr(end_to_end_shared, "MOST_PAIRS", 10)
    assert clusters_by_shared_sources(snn, platform) is None
    monkeypatch.setattr(end_to_end_shared, "MOST_NEURONS", 10)
    assert clusters_by_shared_sources(snn, platform) is None
