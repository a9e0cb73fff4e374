"""The bound on clusters by singular values against enumeration."""

from __future__ import annotations

from itertools import combinations, islice

import numpy as np
import pytest
from random_cases import equal_fan_in, equal_tiles
from whole_oracle import decompositions, least, random_whole_case

from optmap.bounds import end_to_end_spectral
from optmap.bounds.end_to_end import end_to_end_cluster_bounds
from optmap.bounds.end_to_end_spectral import (
    Held,
    _most_in,
    _singular_square,
    clusters_by_singular_value,
    held_by_one,
)


@pytest.mark.parametrize("seed", range(12))
def test_no_crossbar_holds_more(seed: int, monkeypatch):
    """With every weight one: all sources and neurons of 7 x 6, what they read, and who is whole."""
    monkeypatch.setattr(end_to_end_spectral, "_scaled", lambda table: table * (1 << 10))
    snn = equal_fan_in(7, 6, 2 + seed % 4, seed)
    neurons, rows = np.arange(7, 13), 6
    held = held_by_one(snn, neurons, rows, 5)
    assert isinstance(held, Held)
    table = np.zeros((7, 6), dtype=np.int64)
    table[snn.indices, snn.post_of_synapse() - 7] = 1
    table = table[table.any(axis=1)]
    for a in range(1, min(rows, len(table)) + 1):
        for some in combinations(range(len(table)), a):
            on = table[list(some)]
            whole = int((on.sum(axis=0) == table.sum(axis=0)).sum())
            sums = np.sort(on.sum(axis=0))[::-1]
            for b in range(1, 6):
                assert (1 << 10) * int(sums[:b].sum()) <= held.weight[a, b]
                assert held.roots[a, b] >= min(b, rows - a + whole)


@pytest.mark.parametrize("seed", range(6))
def test_no_singular_value_is_larger(seed: int):
    m = np.random.default_rng(seed).integers(-900, 900, (9 + seed, 12)).astype(float)
    square, least = _singular_square(m), np.linalg.svd(m)[1][0] ** 2
    assert square is not None
    assert least <= square <= 1.01 * least


def test_what_clusters_hold_together():
    """Of budget 5: sizes 2 and 3 are worth 3 and 7."""
    assert _most_in([0, 0, 3, 7], 2, 5) == 10
    assert _most_in([0, 0, 3, 7], 1, 5) == 7
    assert _most_in([0, 0, 3, 7], 3, 4) == 7


@pytest.mark.parametrize("seed", range(60))
def test_no_decomposition_and_clustering_has_fewer_clusters(seed: int):
    snn, platform, tokens = random_whole_case(seed, 5)
    bound = clusters_by_singular_value(snn, platform)
    few = len(list(islice(decompositions(snn, platform.max_rows, "any"), 9))) < 9
    value = least(snn, platform, tokens, ("clusters",), "any" if few else "needed").get("clusters")
    assert bound is None or value is None or bound <= value


def test_random_networks_need_more_than_others_prove():
    snn, platform = equal_fan_in(200, 200, 40, 0), equal_tiles(128, 128)
    found = {b.name: b.value for b in end_to_end_cluster_bounds(snn, platform)}
    assert found["any decomposition"] == 2
    assert found["singular value"] == 3 or found["singular value"] == 4


def test_large_networks_are_left_out(monkeypatch):
    snn, platform = equal_fan_in(20, 30, 5, 1), equal_tiles(8, 8)
    assert clusters_by_singular_value(snn, platform) is not None
    monkeypatch.setattr(end_to_end_spectral, "MOST_SIDE", 10)
    assert clusters_by_singular_value(snn, platform) is None
