"""Conflict explanation: the relaxations really fit, and what is called proved is."""

from __future__ import annotations

from dataclasses import replace

import oracles

from formulations.clustering.explain import Relaxation, explain
from optmap.clustering.overlap import partition
from optmap.decomposing.contract import decompose
from optmap.model.outcome import Limits
from optmap.model.platform import Platform
from optmap.model.snn import SNN, Population, from_edges


def dense(inputs: int, neurons: int) -> SNN:
    edges = [(i, inputs + j) for i in range(inputs) for j in range(neurons)]
    n = inputs + neurons
    layers = (Population("in", 0, inputs - 1), Population("out", inputs, n - 1))
    return from_edges([a for a, _ in edges], [b for _, b in edges], n, populations=layers)


def with_slots(shape: tuple[int, int], slots: int) -> Platform:
    platform = oracles.mesh([shape])
    return replace(platform, tiles=(replace(platform.tiles[0], slots=slots),))


def test_a_layer_of_twelve_on_two_crossbars_of_five() -> None:
    """12 neurons, 5 columns, 2 slots: 3 crossbars, or 6 columns, or no number of rows."""
    conflict = explain(dense(4, 12), with_slots((4, 5), 2), "none", Limits(wall_s=4.0), partition)
    assert conflict is not None
    assert (conflict.slots, conflict.needed) == (2, 3)
    assert conflict.by_population == (("out", 3),)
    crossbars, rows, columns, together = conflict.relaxations
    assert crossbars == Relaxation("crossbars", 2, 3, 3)
    assert columns == Relaxation("columns", 5, 6, 6)
    assert columns.proved
    assert rows.enough is None
    assert (together.enough, together.columns) == (5, (5, 7))  # 5 x 6.25, rounded up
    assert "6 instead of 5 suffice (proved smallest)" in str(columns)


def test_rows_and_columns_are_raised_together_where_neither_helps_alone() -> None:
    """60 sources into 60 neurons, one crossbar of 32 x 32: only both sides at once hold them."""
    layers = (Population("in", 0, 59), Population("out", 60, 119))
    pairs = [(a, b) for a in range(60) for b in range(60, 120)]
    snn = from_edges(*zip(*pairs, strict=True), 120, populations=layers)
    conflict = explain(snn, with_slots((32, 32), 1), "tree", Limits(wall_s=2.0), partition)
    assert conflict is not None
    _, rows, columns, together = conflict.relaxations
    assert rows.enough is None
    assert columns.enough is None
    assert (together.enough, together.columns) == (60, (32, 60))
    assert "60 x 60 instead of 32 x 32 suffice (proved smallest)" in str(together)


def test_what_fits_has_no_conflict() -> None:
    assert (
        explain(dense(4, 10), with_slots((4, 5), 2), "none", Limits(wall_s=4.0), partition) is None
    )
    assert explain(dense(4, 12), oracles.mesh([(4, 5)]), "none", Limits(), partition) is None


def test_every_relaxation_that_is_offered_fits() -> None:
    snn = oracles.random_network(2, units=12, most_inputs=8)
    assert snn.num_units > 2
    platform = with_slots((4, 2), 1)
    conflict = explain(snn, platform, "none", Limits(wall_s=4.0), partition)
    assert conflict is not None
    for change in conflict.relaxations:
        if change.enough is None:
            continue
        assert change.needed <= change.enough
        if change.what == "crossbars":
            continue
        shape = (change.enough, 2) if change.what == "rows" else (4, change.enough)
        if change.columns is not None:
            shape = (change.enough, change.columns[1])
        wider = oracles.mesh([shape])
        assert partition(decompose(snn, shape[0], "none"), wider, seed=0).num_clusters <= 1
