"""Units by spikes: small cases by hand, then what holds for every network and plan."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_mappings import random_network

from optmap.decomposing.kernels.split_by_spikes import fan_in_classes, split_by_spikes
from optmap.model.decomposition import Decomposition, violations
from optmap.model.snn import SNN, from_edges


def reader(spikes: list[int]) -> SNN:
    """Return one neuron, the last, that reads inputs of the given spikes."""
    f = len(spikes)
    return from_edges(range(f), [f] * f, f + 1, spikes=[*spikes, 1])


def lists(decomposition: Decomposition) -> dict[int, list[int]]:
    """Return what every unit reads."""
    network = decomposition.network
    return {int(u): network.sources_of(u).tolist() for u in network.units}


def test_the_loudest_are_read_directly_and_the_rest_through_even_leaves():
    split = split_by_spikes(reader([5, 0, 0, 9, 0, 0, 7]), 4, {7: (2,)})
    assert lists(split) == {8: [0, 1], 9: [2, 4, 5], 7: [3, 6, 8, 9]}
    assert split.network.spikes[7:].tolist() == [1, 5, 0]
    assert (split.policy, split.parameters) == ("spikes", {"direct": {"7": [2]}})


def test_a_level_in_between_reads_its_own_loudest_directly():
    split = split_by_spikes(reader([1, 2, 3, 4, 5, 6, 7]), 3, {7: (2, 2)})
    assert lists(split) == {8: [0, 1, 2], 9: [3, 4, 8], 7: [5, 6, 9]}
    assert split.network.spikes[8:].tolist() == [6, 15]


def test_combiners_join_more_leaves_than_rows_are_free():
    split = split_by_spikes(reader([9] + [1] * 9), 3, {10: (2,)})
    assert max(len(reads) for reads in lists(split).values()) <= 3
    assert 0 in lists(split)[10]
    assert violations(reader([9] + [1] * 9), split) == []


def test_neurons_that_read_nearly_the_same_are_cut_equally():
    """Each of 12 neurons reads all others: leaves of different neurons share their sources."""
    pre, post = zip(*[(i, j) for i in range(12) for j in range(12) if i != j], strict=True)
    snn = from_edges(pre, post, 12, spikes=range(12))
    (only,) = fan_in_classes(snn, 6)
    assert only.common is not None
    assert only.common.tolist() == list(range(12))
    split = split_by_spikes(snn, 6, {11: (3,)})
    inserted = range(12, split.network.num_neurons)
    leaves = [set(split.network.sources_of(u).tolist()) for u in inserted]
    assert max(map(len, {frozenset(leaf) for leaf in leaves})) <= 5
    assert set().union(*leaves) == set(range(9))
    assert not any(a & set(range(4)) and a & set(range(4, 9)) for a in leaves)


def test_a_network_that_fits_is_returned_itself():
    snn = reader([1, 2])
    assert split_by_spikes(snn, 2, {}).network is snn


@pytest.mark.parametrize("direct", [{}, {7: ()}, {7: (4,)}, {7: (-1,)}, {7: (2, 4)}])
def test_a_plan_that_does_not_fit_is_refused_with_its_numbers(direct):
    with pytest.raises(ValueError, match="fan-in 7"):
        split_by_spikes(reader([1] * 7), 4, direct)


@given(st.randoms(use_true_random=False))
def test_every_plan_computes_the_same_sums(random: Random):
    snn = random_network(random)
    rows = random.randint(2, 5)
    levels = {
        c.fan_in: tuple(random.randrange(rows) for _ in range(random.randint(1, 3)))
        for c in fan_in_classes(snn, rows)
    }
    split = split_by_spikes(snn, rows, levels)
    assert violations(snn, split) == []
    assert split.network.max_fan_in <= rows
    for c in fan_in_classes(snn, rows):
        if c.common is not None:
            continue
        for j in c.neurons:
            sources = snn.sources_of(int(j))
            loudest = sources[np.lexsort((sources, -snn.spikes[sources]))][: levels[c.fan_in][0]]
            assert set(loudest) <= set(split.network.sources_of(int(j)))
