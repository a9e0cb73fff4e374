"""Neurons that fire by themselves: a column and no row, in bounds, heuristics and exact methods."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import oracles
import pytest

from formulations.clustering import cpsat, milp
from optmap.bounds.clusters import cluster_bounds
from optmap.clustering import overlap, song2020
from optmap.decomposing.contract import decompose
from optmap.model.outcome import Limits


def case(seed: int):
    """Return a random partition case some of whose inputs drive themselves."""
    decomposition, platform = oracles.random_partition_case(seed, units=4)
    network = decomposition.network
    inputs = np.flatnonzero(network.fan_in == 0)
    driven = inputs[: 1 + seed % max(1, len(inputs))]
    network = replace(network, self_driven=driven.astype(np.int32))
    return decompose(network, decomposition.rows, "none"), platform


@pytest.mark.parametrize("seed", range(12))
def test_every_way_counts_their_columns(seed: int):
    decomposition, platform = case(seed)
    assert decomposition.num_units > len(decomposition.network.self_driven)
    fewest = oracles.fewest_clusters(decomposition, platform)
    for heuristic in (overlap, song2020):
        found = heuristic.partition(decomposition, platform, seed=0)
        assert found.num_clusters >= fewest
        assert found.cluster_of.tolist() in list(
            oracles.feasible_partitions(decomposition, platform)
        )
    exact = cpsat.minimize_clusters(decomposition, platform, Limits(60.0), workers=1)
    assert exact.claimed == exact.bound == fewest
    least = oracles.least_traffic(decomposition, platform, fewest)
    quiet = milp.minimize_traffic(decomposition, platform, fewest, Limits(60.0))
    assert quiet.claimed == quiet.bound == least
    for bound in cluster_bounds(decomposition, platform):
        assert bound.value <= fewest, bound.name
