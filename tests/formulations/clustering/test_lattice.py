"""Shapes on a lattice: above every set of cells; a filter's crossbars proved, and again."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import oracles
import pytest

from formulations.clustering import large_neighbourhood_search as partition_lns
from formulations.clustering.column_generation import solve as column_generation
from formulations.clustering.column_generation.lattice import certificate_of, lattice_of
from formulations.clustering.verify_certificate import verify
from formulations.solvers.stopwatch import Stopwatch
from optmap.clustering.overlap import partition
from optmap.decomposing.contract import decompose
from optmap.generators.generate import generate
from optmap.model.grade import Grade
from optmap.model.outcome import Limits, Status
from optmap.model.snn import SNN, from_edges

LIMITS = Limits(600.0)  # no test waits for it


def windows(height: int, width: int, side: int, missing: str) -> SNN:
    """Return a layer of windows of side + 1 lines, every ``side``; lines that are not there."""
    top, bottom, left, right = (end in missing for end in ("top", "bottom", "left", "right"))
    lines = height * side + 1 - top - bottom
    places = width * side + 1 - left - right
    pre, post = [], []
    for i in range(height):
        for j in range(width):
            for r in range(i * side - top, i * side - top + side + 1):
                for c in range(j * side - left, j * side - left + side + 1):
                    if 0 <= r < lines and 0 <= c < places:
                        pre.append(r * places + c)
                        post.append(lines * places + i * width + j)
    return from_edges(np.array(pre), np.array(post), lines * places + height * width)


CASES = [
    (3, 4, 2, ""),
    (4, 3, 2, "top left"),
    (3, 3, 2, "top"),
    (3, 4, 1, "left"),
    (3, 4, 1, "top left"),
    (3, 3, 3, "top left"),
    (4, 3, 2, "bottom left"),
    (3, 4, 3, "bottom right"),
    (2, 5, 2, "right"),
]


@pytest.mark.parametrize(("height", "width", "side", "missing"), CASES)
def test_no_set_of_cells_is_worth_more(height: int, width: int, side: int, missing: str):
    """All sets of cells, three random prices; with equal prices the bound is met somewhere."""
    network = windows(height, width, side, missing)
    lattice = lattice_of(network)
    assert lattice is not None
    assert (lattice.side, lattice.shape) == (side, (height, width))
    assert lattice.top is ("top" in missing or "bottom" in missing)
    reads = [frozenset(network.sources_of(u).tolist()) for u in network.units.tolist()]
    sets = [held for n in range(1, 13) for held in combinations(range(len(reads)), n)]
    rows = np.array([len(frozenset().union(*(reads[u] for u in held))) for held in sets])
    rng, met = np.random.default_rng(height + width + side), 0
    some = range(len(reads[-1]), int(rows.max()) + 1, 3)
    for prices in (np.ones(len(reads), dtype=np.int64), *rng.integers(0, 20, (3, len(reads)))):
        worth = np.array([int(prices[list(held)].sum()) for held in sets])
        for most in some:
            best = int(worth[rows <= most].max(initial=0))
            bound = lattice.worth(prices, most)
            assert bound >= best
            met += bound == best
    assert met > len(some)


def test_what_is_no_lattice_is_none():
    dense = generate("gen:mlp-8-4")
    assert lattice_of(dense) is None
    network = windows(3, 4, 2, "top")
    pre, post = network.indices, network.post_of_synapse()
    one_less = from_edges(pre[1:], post[1:], network.num_neurons)
    assert lattice_of(one_less) is None
    moved = np.where(pre == 5, 6, pre)
    assert lattice_of(from_edges(moved, post, network.num_neurons)) is None
    both = windows(3, 4, 2, "top bottom")
    assert lattice_of(both) is None


def filter_16():
    decomposition = decompose(generate("gen:filter-16"), 32, "none")
    platform = oracles.mesh([(32, 32)])
    return decomposition, platform, partition(decomposition, platform, seed=0)


def test_prices_of_shapes_are_a_certificate_that_is_proved_again():
    decomposition, platform, _ = filter_16()
    found = certificate_of(decomposition, ((32, 32),), 12, Stopwatch(LIMITS), 600.0)
    assert found is not None
    assert found.bound == 12  # 4 by columns and rows
    verdict = verify(found, decomposition, platform, LIMITS, workers=1)
    assert (verdict.holds, verdict.why) == (True, "shapes on a lattice")
    less = replace(found, worth=found.worth * 9 // 10)
    assert verify(less, decomposition, platform, Limits(0.2), workers=1).holds is not True


def test_searches_take_the_bound(monkeypatch):
    decomposition, platform, start = filter_16()
    found = partition_lns.solve(decomposition, platform, Limits(60.0), start)
    assert (found.status, found.claimed, found.bound) == (Status.OPTIMAL, 12, 12)
    assert found.grade is Grade.CERTIFIED
    assert found.certificate is not None
    monkeypatch.setattr(column_generation._Run, "search", lambda *_: None)
    monkeypatch.setattr(column_generation, "DEPTHS", ())
    found = column_generation.solve(decomposition, platform, Limits(60.0), start)
    assert (found.claimed, found.bound, found.grade) == (12, 12, Grade.CERTIFIED)
