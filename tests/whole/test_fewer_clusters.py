"""Cutting neurons where it saves rows: valid units, the rows that were counted, fewer clusters."""

from __future__ import annotations

import numpy as np
import pytest
from random_cases import case

from optmap.clock import counted, now
from optmap.clustering import overlap
from optmap.clustering.kernels.annealing_synapses import Cooling, anneal
from optmap.clustering.kernels.bundles import bundles_of
from optmap.clustering.kernels.synapse_clusters import cover_of, rows_dealt, tidy
from optmap.decomposing import tree
from optmap.instance import load
from optmap.model.decomposition import violations
from optmap.model.snn import SNN, from_edges
from optmap.whole.fewer_clusters import fewer_clusters, synapse_clusters, units_of


def network(seed: int) -> SNN:
    """Return 12 neurons that read 3 to 10 of 14 inputs and of each other."""
    rng = np.random.default_rng(seed)
    edges = [
        (int(i), 14 + j)
        for j in range(12)
        for i in rng.choice(26, size=rng.integers(3, 11), replace=False)
    ]
    pre, post = zip(*edges, strict=True)
    return from_edges(pre, post, 26)


def maps(most: int) -> SNN:
    """Return 6 windows of 3 on 8 points, as many inputs at each and neurons for each as said."""
    edges = [
        (most * (j + x) + m, 8 * most + most * j + k)
        for j in range(6)
        for x in range(3)
        for m in range(most)
        for k in range(most)
    ]
    pre, post = zip(*edges, strict=True)
    return from_edges(pre, post, 14 * most)


def test_bundles_are_complete():
    """Every synapse is in one bundle, and a bundle holds all pairs of its groups."""
    snn = maps(3)
    for most, number in ((1, 162), (2, 72), (3, 18), (9, 18)):
        bundles = bundles_of(snn, most)
        assert bundles.number == number
        held = np.bincount(bundles.bundle_of)
        assert np.array_equal(held, bundles.rows[bundles.source] * bundles.columns[bundles.post])
        assert bundles.rows.sum() == 24
        assert bundles.columns.sum() == 18
        labels = np.arange(bundles.number, dtype=np.int32)[bundles.bundle_of]
        assert np.array_equal(bundles.cluster_of(labels), np.arange(bundles.number))


@pytest.mark.parametrize(("seed", "most"), [*((seed, 1) for seed in range(6)), (6, 2), (7, 3)])
def test_rows_and_columns_are_those_of_the_units(seed: int, most: int):
    """After many moves, taken back or not, the counts are what the clusters really take."""
    snn, rng = network(seed) if most == 1 else maps(most), np.random.default_rng(seed)
    bundles = bundles_of(snn, most)
    start = rng.integers(4, size=bundles.number).astype(np.int32)
    cover = cover_of(bundles, start, 4, 16, 8)
    anneal(cover, Cooling(0, 3000, 3000, 2.0, 0.5, seed))
    fresh = cover_of(bundles, cover.cluster, 4, 16, 8)
    assert np.array_equal(cover.of_source, fresh.of_source)
    assert np.array_equal(cover.columns, fresh.columns)
    assert cover.rows.sum() == fresh.rows.sum()
    over = np.maximum(cover.rows - 16, 0).sum() + np.maximum(cover.columns - 8, 0).sum()
    assert cover.cost[1] == over
    before = cover.rows.copy()
    tidy(cover)
    assert (cover.rows <= before).all()
    for j in snn.units.tolist():
        dealt = rows_dealt(cover, int(bundles.group_of[j]))
        assert sum(dealt.values()) == len(dealt) - 1
    units, clustering = units_of(snn, 99, bundles, cover)
    assert violations(snn, units) == []
    reads = np.zeros((clustering.num_clusters, units.network.num_neurons), dtype=bool)
    for p, u in enumerate(units.network.units.tolist()):
        reads[clustering.cluster_of[p], units.network.sources_of(u)] = True
    used = cover.columns > 0
    assert sorted(reads.sum(axis=1)) == sorted(cover.rows[used])
    assert sorted(clustering.sizes) == sorted(cover.columns[used])


def test_a_filter_takes_fewer_crossbars_than_whole_neurons_can():
    """Six are fewest while neurons stay whole; and every step of the way is valid."""
    instance = load("filter_8")
    snn, platform = instance.snn, instance.platform
    units = tree.decompose(snn, platform)
    start = overlap.partition(units, platform)
    with counted():
        made = list(fewer_clusters(snn, platform, units, start, lambda: now() > 1.0, 0))
    numbers = [clustering.num_clusters for _, clustering in made]
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[-1] == 5 < 6 == start.num_clusters
    for found, clustering in made:
        assert violations(snn, found) == []
        assert clustering.sizes.max() <= platform.max_columns
        assert all(
            len(np.unique(np.concatenate([found.network.sources_of(int(u)) for u in held])))
            <= platform.max_rows
            for held in (found.network.units[m] for m in clustering.members())
        )


def test_what_reads_which_synapse_survives_a_decomposition():
    """Units of one neuron in one cluster become one piece; nothing is lost."""
    snn, platform = case(3)[:2]
    units = tree.decompose(snn, platform)
    labels = synapse_clusters(snn, units, overlap.partition(units, platform))
    assert labels.shape == (snn.num_synapses,)
    assert set(labels.tolist()) == set(range(int(labels.max()) + 1))
