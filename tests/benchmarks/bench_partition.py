"""Speed of exact clustering: time to proof, and crossbars found against bound, printed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # run alone, pytest does not load tests/

import oracles

from formulations.clustering import large_neighbourhood_search as partition_lns
from formulations.clustering.column_generation import solve as partition_colgen
from formulations.clustering.column_generation.pricing import Pricer
from optmap.clustering.kernels.classes import classes_of
from optmap.clustering.overlap import partition
from optmap.decomposing.contract import decompose
from optmap.generators.generate import generate
from optmap.model.outcome import Limits

#: (network, rows = columns, seconds)
PROOFS = [("gen:filter-16", 32, 5.0), ("gen:mlp-784-100-10", 128, 5.0), ("gen:filter-32", 64, 60.0)]
SEARCHES = [("gen:smooth-64", 128, 20.0), ("gen:edges-64", 128, 20.0), ("gen:lenet5-28", 128, 20.0)]


@pytest.mark.parametrize(("name", "size", "seconds"), PROOFS)
def test_time_to_proof(benchmark, name: str, size: int, seconds: float) -> None:
    decomposition, platform = decompose(generate(name), size, "tree"), oracles.mesh([(size, size)])
    warm = partition(decomposition, platform, seed=0)
    outcome = benchmark.pedantic(
        partition_colgen.solve,
        args=(decomposition, platform, Limits(wall_s=seconds), warm),
        rounds=1,
    )
    benchmark.extra_info |= {"found": outcome.claimed, "bound": outcome.bound}
    sys.stdout.write(f"\n{name}: {outcome.claimed} crossbars, bound {outcome.bound}\n")


@pytest.mark.parametrize(("name", "size", "seconds"), SEARCHES)
def test_search(benchmark, name: str, size: int, seconds: float) -> None:
    decomposition, platform = decompose(generate(name), size, "tree"), oracles.mesh([(size, size)])
    warm = partition(decomposition, platform, seed=0)
    outcome = benchmark.pedantic(
        partition_lns.solve,
        args=(decomposition, platform, Limits(wall_s=seconds), warm),
        rounds=1,
    )
    saved = 1 - outcome.claimed / warm.num_clusters
    sys.stdout.write(f"\n{name}: {warm.num_clusters} -> {outcome.claimed} ({saved:.0%} fewer)\n")


def test_one_heuristic_pricing_of_1024_units(benchmark) -> None:
    classes = classes_of(generate("gen:smooth-64"))
    pricer = Pricer(classes, 128, 128)
    prices = np.full(classes.num_classes, 40_000)
    pricer.heuristic(prices, 0, 10)
    found = benchmark(pricer.heuristic, prices, 0, 500)
    assert found.best > 0
