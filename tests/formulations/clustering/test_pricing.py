"""Exact pricing, classes, symmetry and annealing against brute force on small random networks."""

from __future__ import annotations

from itertools import product

import numpy as np
import oracles
import pytest
from ortools.sat.python import cp_model

from formulations.clustering.color_refinement import refine
from formulations.clustering.column_generation.pricing import WORK_PER_SECOND, Pricer
from formulations.clustering.verify_certificate import pricing_model
from optmap.clustering.kernels.annealing_clusters import shrink, shrink_repeatedly
from optmap.clustering.kernels.classes import classes_of
from optmap.decomposing.contract import decompose
from optmap.generators.generate import generate
from optmap.model.mapping import Clustering, compact
from optmap.model.snn import SNN, from_edges


def with_twins(seed: int) -> SNN:
    """Return a random network some of whose units are copied two or three times."""
    rng = np.random.default_rng(seed)
    base = oracles.random_network(seed, units=5)
    pre, post = base.indices.tolist(), base.post_of_synapse().tolist()
    n = base.num_neurons
    for u in base.units.tolist():
        for _ in range(int(rng.integers(0, 3))):
            pre += base.sources_of(u).tolist()
            post += [n] * len(base.sources_of(u))
            n += 1
    return from_edges(pre, post, n, spikes=rng.integers(0, 5, size=n))


def worth_by_enumeration(network: SNN, prices: list[int], rows: int, columns: int) -> int:
    """Try every set of units."""
    reads = [set(network.sources_of(u).tolist()) for u in network.units]
    best = 0
    for chosen in product([False, True], repeat=len(reads)):
        inside = [u for u, c in enumerate(chosen) if c]
        if len(inside) <= columns and len(set().union(*(reads[u] for u in inside))) <= rows:
            best = max(best, sum(prices[u] for u in inside))
    return best


@pytest.mark.parametrize("seed", range(60))
def test_exact_pricing_finds_the_worth_of_a_crossbar(seed: int) -> None:
    network = with_twins(seed)
    rng = np.random.default_rng(seed)
    classes = classes_of(network)
    prices = rng.integers(0, 50, size=classes.num_classes)
    rows, columns = int(rng.integers(3, 7)), int(rng.integers(1, 6))
    by_unit = [0] * network.num_units
    for q, members in enumerate(classes.members):
        for p in members:
            by_unit[p] = int(prices[q])
    expected = worth_by_enumeration(network, by_unit, rows, columns)
    pricer = Pricer(classes, rows, columns)
    assert pricer.bound(prices, 0, 10.0) == expected
    assert pricer.bound(prices, expected + 3, 10.0) <= expected + 3
    found = pricer.heuristic(prices, 0, 1000)
    assert found.complete
    assert found.best == expected
    for choice in found.choices:
        assert sum(choice.values()) <= columns
        assert classes.rows_of(list(choice)) <= rows
        assert all(0 < n <= classes.size[q] for q, n in choice.items())
    solver = cp_model.CpSolver()
    assert solver.solve(pricing_model(network, tuple(by_unit), rows, columns)) == cp_model.OPTIMAL
    assert -solver.objective_value == expected


@pytest.mark.parametrize("seed", range(30))
def test_a_bound_never_lies_even_when_time_is_short(seed: int) -> None:
    """Whatever is cut short, the bound stays above the worth of every crossbar."""
    network = with_twins(seed)
    classes = classes_of(network)
    prices = np.full(classes.num_classes, 7)
    worth = worth_by_enumeration(network, [7] * network.num_units, 4, 3)
    assert Pricer(classes, 4, 3).bound(prices, 0, 1e-9) >= worth
    beam = Pricer(classes, 4, 3).heuristic(prices, 0, 1)
    assert beam.best <= worth


def test_beams_are_as_narrow_as_the_time_is_short() -> None:
    """Where classes are 4,096 a beam of 2,000 labels takes a second, and colgen sends many."""
    classes = classes_of(decompose(generate("gen:filter-32"), 64, "tree").network)
    pricer, prices = Pricer(classes, 64, 64), np.ones(classes.num_classes, dtype=np.int64)
    assert pricer.heuristic(prices, 0, 2000).work > 400 * classes.num_classes
    for labels in (400, 100, 1):
        seconds = labels * classes.num_classes / WORK_PER_SECOND
        assert pricer.heuristic(prices, 0, 2000, seconds).work <= labels * classes.num_classes


@pytest.mark.parametrize("seed", range(30))
def test_classes_lose_nothing(seed: int) -> None:
    """Rows by groups equal rows by sources; columns and clusterings translate both ways."""
    network = with_twins(seed)
    classes = classes_of(network)
    for q, members in enumerate(classes.members):
        lists = {tuple(network.sources_of(int(network.units[p])).tolist()) for p in members}
        assert len(lists) == 1
        assert classes.fan_in[q] == len(lists.pop())
    rng = np.random.default_rng(seed)
    clustering = compact(rng.integers(0, 3, size=network.num_units))
    columns = classes.columns_of(clustering)
    again = classes.clustering(columns)
    assert again.sizes.tolist() == clustering.sizes.tolist()
    for column, members in zip(columns, clustering.members(), strict=True):
        read = set()
        for p in members:
            read |= set(network.sources_of(int(network.units[p])).tolist())
        assert classes.rows_of(list(column)) == len(read)
    with pytest.raises(ValueError, match="exactly once"):
        classes.clustering(columns[1:])


def test_refinement_knows_a_line_by_its_ends() -> None:
    """Five units in a line, each sharing an input with the next: ends, next to them, middle."""
    edges = [(i, 6 + u) for u in range(5) for i in (u, u + 1)]
    network = from_edges([a for a, _ in edges], [b for _, b in edges], 11)
    classes = classes_of(network)
    assert refine(classes, 0).max() == 0
    assert refine(classes, None).tolist() == [0, 1, 2, 1, 0]


def _grid(size: int) -> SNN:
    """Return size x size units, each reading its four corners of a grid of inputs."""
    side = size + 1
    edges = [
        (r * side + c, side * side + y * size + x)
        for y in range(size)
        for x in range(size)
        for r in (y, y + 1)
        for c in (x, x + 1)
    ]
    return from_edges([a for a, _ in edges], [b for _, b in edges], side * side + size * size)


def test_annealing_packs_a_grid_into_squares() -> None:
    """36 units, 9 inputs a crossbar: nine 2 x 2 squares fit, strips of two would need eighteen."""
    network = _grid(6)
    classes = classes_of(network)
    start = Clustering(np.arange(36) // 2)
    reports: list[Clustering] = []
    found = shrink_repeatedly(
        classes, start, 9, 9, least=9, seconds=20.0, seed=0, on_better=reports.append
    )
    assert found.num_clusters == 9
    assert [c.num_clusters for c in reports] == list(range(17, 8, -1))
    assert all(classes.rows_of(list(c)) <= 9 for c in classes.columns_of(found))
    assert shrink(classes, found, 9, 9, moves=20_000, seed=1) is None
    again = shrink(classes, start, 9, 9, moves=100_000, seed=3)
    assert again == shrink(classes, start, 9, 9, moves=100_000, seed=3)
