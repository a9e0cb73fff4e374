"""Stuck cells: placement inside a crossbar against enumeration, and what it does to spikes."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

import optmap as om
from optmap.instance import load
from optmap.model.platform import Crossbar
from optmap.readers.nir_file import read_model
from optmap.simulation.encode import bernoulli
from optmap.simulation.faults import (
    FaultRates,
    best_columns,
    draw_faults,
    in_order,
    losses,
    lost_weight,
    place_around,
    without,
)
from optmap.simulation.simulate import Convention, simulate

INSTANCES = Path(__file__).parents[2] / "instances"


def case(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rows, columns = int(rng.integers(2, 5)), int(rng.integers(2, 5))
    sources, units = int(rng.integers(1, rows + 1)), int(rng.integers(1, columns + 1))
    weight = rng.integers(0, 4, size=(sources, units)).astype(np.float64)
    return weight, rng.random((rows, columns)) < 0.35


@pytest.mark.parametrize("seed", range(40))
def test_columns_are_the_enumerated_best_and_rows_never_make_it_worse(seed: int) -> None:
    weight, stuck = case(seed)
    rows = np.arange(len(weight))
    every = permutations(range(stuck.shape[1]), weight.shape[1])
    best = min(lost_weight(weight, stuck, rows, np.array(c)) for c in every)
    found = best_columns(weight, stuck, rows)
    assert found.lost == best
    assert len(set(found.column_of.tolist())) == weight.shape[1]
    both = place_around(weight, stuck)
    assert both.lost <= best <= in_order(weight, stuck).lost
    assert both.lost == lost_weight(weight, stuck, both.row_of, both.column_of)
    overall = min(
        lost_weight(weight, stuck, np.array(r), np.array(c))
        for r in permutations(range(stuck.shape[0]), weight.shape[0])
        for c in permutations(range(stuck.shape[1]), weight.shape[1])
    )
    assert overall <= both.lost


def test_faults_are_drawn_by_seed_and_as_often_as_told() -> None:
    crossbar, rates = Crossbar(200, 100), FaultRates(cells=0.1, rows=0.05)
    stuck = draw_faults(crossbar, rates, 3)
    assert np.array_equal(stuck, draw_faults(crossbar, rates, 3))
    assert not np.array_equal(stuck, draw_faults(crossbar, rates, 4))
    assert 0.1 < stuck.mean() < 0.2
    with pytest.raises(ValueError, match=r"cells 1\.5 is no share"):
        FaultRates(cells=1.5)
    with pytest.raises(ValueError, match=r"\(3, 1\) sources and units on a crossbar of \(2, 2\)"):
        in_order(np.ones((3, 1)), np.zeros((2, 2), dtype=np.bool_))


def test_placing_around_faults_keeps_spikes_that_placing_in_order_loses() -> None:
    """A trained network, one cell in a hundred stuck and one row in fifty dead."""
    instance = load(INSTANCES / "digits_mlp.toml")
    found = om.map_network(instance, method="song2020-tree")
    assert found.mapping is not None
    rates = FaultRates(cells=0.01, rows=0.02)
    kept, plain = (
        losses(found.mapping, instance.platform, rates, 7, around=around)
        for around in (True, False)
    )
    assert losses(found.mapping, instance.platform, FaultRates(), 7).lost == 0
    assert kept.lost < plain.lost
    model = read_model(INSTANCES / "digits_mlp.nir")
    assert len(plain.pairs) <= plain.lost + 200
    with np.load(INSTANCES / "digits_mlp_values.npz") as data:
        values = data["values"][:40]
    frames = {model.layers[0].name: bernoulli(values, 16, seed=0)}
    rule = Convention(1e-4)
    whole = simulate(model, frames, rule).spikes
    changed = [
        int(np.abs(simulate(without(model, one.pairs), frames, rule).spikes - whole).sum())
        for one in (kept, plain)
    ]
    assert changed[0] < changed[1]
    assert np.array_equal(simulate(without(model, []), frames, rule).spikes, whole)


def test_a_lost_partial_sum_loses_all_that_it_sums() -> None:
    snn = om.from_edges([0, 1, 2, 3], [4, 4, 4, 4], 5)
    platform = om.Platform("p", (om.Tile(om.Crossbar(2, 2)),) * 3, om.Interconnect("mesh", 3, 1))
    found = om.map_network(snn, platform, "song2020-tree")
    assert found.mapping is not None
    every = losses(found.mapping, platform, FaultRates(columns=1.0), 0)
    assert every.pairs.tolist() == [[0, 4], [1, 4], [2, 4], [3, 4]]
    assert every.lost == found.mapping.decomposition.network.num_synapses
