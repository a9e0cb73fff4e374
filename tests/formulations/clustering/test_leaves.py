"""Optimised tree leaves: still the same sums, still fitting, never worse, sometimes fewer."""

from __future__ import annotations

import numpy as np
import oracles
import pytest

from formulations.clustering.leaves import optimise_leaves
from optmap.clustering.overlap import partition
from optmap.decomposing.contract import decompose
from optmap.flow import run
from optmap.judge.check import check
from optmap.methods import METHODS
from optmap.model.decomposition import violations
from optmap.model.outcome import Limits
from optmap.model.snn import SNN, from_edges


def reservoir(seed: int, inputs: int = 6, neurons: int = 24, readouts: int = 3) -> SNN:
    """Return random neurons of fan-in 5 and readouts that read all of them."""
    rng = np.random.default_rng(seed)
    pre, post = [], []
    for j in range(inputs, inputs + neurons):
        pre += rng.choice(inputs + neurons, size=5, replace=False).tolist()
        post += [j] * 5
    for j in range(inputs + neurons, inputs + neurons + readouts):
        pre += list(range(inputs, inputs + neurons))
        post += [j] * neurons
    return from_edges(pre, post, inputs + neurons + readouts)


@pytest.mark.parametrize("seed", range(10))
def test_the_sums_stay_and_the_crossbars_fit(seed: int) -> None:
    snn, platform = reservoir(seed), oracles.mesh([(9, 8)])
    tree = decompose(snn, 9, "tree")
    before = partition(tree, platform, seed=0)
    new, after = optimise_leaves(snn, tree, platform, before, Limits(wall_s=0.3))
    assert after.num_clusters <= before.num_clusters
    assert violations(snn, new) == []
    reads = [set(new.network.sources_of(u).tolist()) for u in new.network.units]
    assert all(oracles.fits_some(reads, m.tolist(), [(9, 8)]) for m in after.members())


def test_leaves_on_rows_that_are_there_save_crossbars() -> None:
    """Some of these reservoirs need fewer crossbars once leaves follow the axons."""
    saved = []
    for seed in range(6):
        snn, platform = reservoir(seed), oracles.mesh([(9, 8)])
        tree = decompose(snn, 9, "tree")
        before = partition(tree, platform, seed=0)
        _, after = optimise_leaves(snn, tree, platform, before, Limits(wall_s=0.3))
        saved.append(before.num_clusters - after.num_clusters)
    assert max(saved) > 0


def test_without_long_fan_ins_nothing_changes() -> None:
    decomposition, platform = oracles.random_partition_case(2)
    before = partition(decomposition, platform, seed=0)
    snn = decomposition.network
    assert optimise_leaves(snn, decomposition, platform, before, Limits()) == (
        decomposition,
        before,
    )


def test_the_method_leaves_maps_with_no_more_clusters_than_overlap() -> None:
    snn, platform = reservoir(5), oracles.mesh([(9, 8)])
    fewest = {}
    for name in ("overlap", "leaves"):
        done = run(METHODS[name], snn, platform, "dataflow", Limits(wall_s=1.0), lambda _: None)
        assert done.mapping is not None
        assert check(snn, platform, done.mapping, "dataflow") == []
        fewest[name] = done.mapping.clustering.num_clusters
    assert fewest["leaves"] <= fewest["overlap"]
