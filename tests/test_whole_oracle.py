"""The oracle itself: known counts, its reduction, and bounds it must not undercut."""

from __future__ import annotations

import numpy as np
import pytest
import whole_oracle
from whole_oracle import decompositions, least, least_period, random_whole_case, trees

from optmap.bounds.end_to_end import end_to_end_period_bound, fewest_clusters
from optmap.model.decomposition import violations
from optmap.model.snn import from_edges


def test_trees_are_counted_by_schroeders_fourth_problem():
    assert [len(list(trees(list(range(f)), 9))) for f in range(1, 6)] == [1, 1, 4, 26, 236]


def test_binary_trees_are_counted_by_double_factorials():
    assert [len(list(trees(list(range(f)), 2))) for f in range(2, 6)] == [1, 3, 15, 105]


def test_every_decomposition_is_valid_and_another_one():
    snn = from_edges([0, 1, 2, 3, 0, 1, 2], [4] * 4 + [5] * 3, 6, spikes=[1, 2, 4, 8, 1, 1])
    found = list(decompositions(snn, 3, "any"))
    assert len(found) == (26 - 1) * 4
    assert len(list(decompositions(snn, 3, "needed"))) == 25
    lists = set()
    for d in found:
        assert violations(snn, d) == []
        reads = [tuple(d.network.sources_of(u).tolist()) for u in range(d.network.num_neurons)]
        lists.add((tuple(reads), tuple(d.owner.tolist())))
    assert len(lists) == len(found)


@pytest.mark.parametrize("seed", [0, 3, 6, 9, 18, 21, 27, 33])
def test_an_inserted_unit_beside_its_reader_never_pays(seed: int, monkeypatch):
    case, metrics = random_whole_case(seed), ("clusters", "traffic", "spike_hops", "energy_pj")
    values = [least_period(*case), least(*case, metrics)]
    every = whole_oracle.clusterings
    monkeypatch.setattr(whole_oracle, "clusterings", lambda d, p, *_: every(d, p, absorb=False))
    assert [least_period(*case), least(*case, metrics)] == values


def test_splitting_a_neuron_that_fits_can_pay():
    case = random_whole_case(38)
    assert case[0].max_fan_in <= case[1].max_rows
    assert least_period(*case, split="any") < least_period(*case)


@pytest.mark.parametrize("seed", [0, 3, 9, 18, 21, 29, 38])
def test_bounds_end_to_end_hold_for_every_split(seed: int):
    snn, platform, tokens = random_whole_case(seed)
    period = least_period(snn, platform, tokens, split="any")
    clusters = least(snn, platform, tokens, ("clusters",), split="any")["clusters"]
    assert period is None or end_to_end_period_bound(snn, platform).value <= period
    assert clusters is None or fewest_clusters(snn, platform) <= clusters


def test_every_third_case_splits():
    cases = [random_whole_case(seed) for seed in range(60)]
    wide = [int(snn.max_fan_in) > platform.max_rows for snn, platform, _ in cases]
    assert np.array_equal(wide, [seed % 3 == 0 for seed in range(60)])
