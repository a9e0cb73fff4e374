"""The cost model of the decomposition by spikes, against plain search and what it is for."""

from __future__ import annotations

import itertools
from math import ceil, inf
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_mappings import random_network

from optmap.clustering import overlap
from optmap.decomposing.contract import decompose as decompose_evenly
from optmap.decomposing.spikes import Costs, _cheapest, decompose, direct_sources
from optmap.model.cluster_graph import cluster_graph
from optmap.model.decomposition import violations
from optmap.model.mapping import Clustering
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import SNN, from_edges


def platform(rows: int, columns: int) -> Platform:
    tile = Tile(Crossbar(rows, columns))
    return Platform("p", (tile,), Interconnect("mesh", 1, 1), base_ticks=16, event_ticks=1)


def dense(spikes: np.ndarray, outputs: int) -> SNN:
    """Return one dense layer over inputs of the given spikes."""
    f = len(spikes)
    pre, post = np.tile(np.arange(f), outputs), f + np.repeat(np.arange(outputs), f)
    return from_edges(
        pre, post, f + outputs, spikes=np.concatenate((spikes, np.ones(outputs, int)))
    )


def plain_cost(total: np.ndarray, levels: tuple[int, ...], n: float, costs: Costs) -> float:
    """Return what a plan costs, level by level as the docstring says; infinite if it cannot be."""
    f, p, ticks = len(total) - 1, 0, 0.0
    for h, d in enumerate(levels):
        last = h == len(levels) - 1
        if f - p <= costs.rows or (not last and (d == 0 or f - p - d <= 0)):
            return inf
        rest, left = total[f] - total[p + d], f - p - d
        leaves = ceil(left / costs.rows)
        runs, passes = leaves, 1
        while runs > costs.rows - d:
            runs, passes = ceil(runs / costs.rows), passes + 1
        own = runs if last else 1
        q = min(costs.columns, (costs.rows - d) // own)
        ticks += costs.event_ticks * (ceil(n / q) * (total[p + d] - total[p]) + n * rest)
        ticks += costs.base_ticks * (n * own + ceil(n / q) * d) / costs.rows
        if last:
            ticks += costs.event_ticks * rest * (ceil(n / costs.columns) + n * (passes - 1))
            ticks += costs.base_ticks * leaves * ceil(n / costs.columns)
        p += d
    return ticks


@pytest.mark.parametrize("seed", range(12))
def test_the_plan_chosen_is_the_cheapest_of_all(seed: int):
    rng = np.random.default_rng(seed)
    rows, columns = int(rng.integers(2, 6)), int(rng.integers(1, 6))
    f, n = int(rng.integers(rows + 1, 3 * rows)), int(rng.integers(1, 9))
    spikes = np.sort(rng.integers(0, 20, f) ** 2)[::-1]
    costs = Costs(rows, columns, 3, 1)
    snn, made = dense(spikes, n), platform(rows, columns)
    total = np.concatenate(([0.0], np.cumsum(spikes)))
    every = [plan for depth in range(1, 4) for plan in itertools.product(range(rows), repeat=depth)]
    chosen, last = _cheapest(total, float(n), costs)
    plan, done = [], 0
    while not plan or not last[done - plan[-1]]:
        plan.append(int(chosen[done]))
        done += plan[-1]
    best = min(plain_cost(total, p, n, costs) for p in every)
    assert plain_cost(total, tuple(plan), n, costs) == pytest.approx(best)
    assert violations(snn, decompose(snn, made)) == []


def test_loud_sources_stay_out_of_leaves_where_the_work_falls():
    """64 inputs, some loud, 32 outputs, R = 32: less work than the even tree, clustered alike."""
    rng = np.random.default_rng(1)
    snn, made = dense((rng.exponential(1.0, 64) ** 3 * 5).astype(int), 32), platform(32, 32)

    def work(decomposition) -> int:
        clustering = overlap.partition(decomposition, made)
        return int(cluster_graph(decomposition, clustering, made, "dataflow").tau.sum())

    assert 2 * work(decompose(snn, made)) < work(decompose_evenly(snn, 32, "tree"))


@settings(max_examples=30)
@given(st.randoms(use_true_random=False))
def test_any_network_can_be_decomposed_and_clustered(random: Random):
    snn = random_network(random)
    made = platform(random.randint(2, 5), random.randint(1, 5))
    split = decompose(snn, made)
    assert violations(snn, split) == []
    assert set(split.parameters.get("direct", {})) == set(map(str, direct_sources(snn, made)))
    alone = Clustering(np.arange(split.num_units, dtype=np.int32))
    assert cluster_graph(split, alone, made, "dataflow").rows.max(initial=0) <= made.max_rows
