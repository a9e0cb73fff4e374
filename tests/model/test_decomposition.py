"""Decomposition: small cases by hand, then what holds for every network."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_mappings import random_network

from optmap.decomposing.contract import REBUILDERS, decompose
from optmap.errors import FanInError
from optmap.model.decomposition import Decomposition, custom, custom_arrays, violations
from optmap.model.snn import SNN, Population, from_edges


def reader(fan_in: int, spikes: list[int] | None = None) -> SNN:
    """Return one neuron, the last, that reads ``fan_in`` inputs."""
    return from_edges(range(fan_in), [fan_in] * fan_in, fan_in + 1, spikes=spikes)


def lists(decomposition: Decomposition) -> dict[int, list[int]]:
    """Return what every unit reads."""
    network = decomposition.network
    return {int(u): network.sources_of(u).tolist() for u in network.units}


def test_a_network_that_fits_is_returned_itself():
    snn = reader(4)
    for policy in REBUILDERS:
        same = decompose(snn, 4, policy)
        assert same.network is snn
        assert (same.num_inserted, same.num_units, same.policy) == (0, 1, policy)


def test_chain_of_seven_inputs_through_three_rows():
    chain = decompose(reader(7, [1, 2, 4, 8, 16, 32, 64, 5]), 3, "chain")
    assert lists(chain) == {8: [0, 1, 2], 9: [3, 4, 8], 7: [5, 6, 9]}
    assert chain.network.spikes[7:].tolist() == [5, 7, 31]
    assert chain.owner.tolist() == [*range(8), 7, 7]


def test_tree_of_seven_inputs_through_three_rows_cuts_even_runs():
    tree = decompose(reader(7, [1, 2, 4, 8, 16, 32, 64, 5]), 3, "tree")
    assert lists(tree) == {8: [0, 1], 9: [2, 3], 10: [4, 5, 6], 7: [8, 9, 10]}
    assert tree.network.spikes[7:].tolist() == [5, 3, 12, 112]


def test_two_rows_make_a_binary_tree_and_a_run_of_one_passes_through():
    assert lists(decompose(reader(3), 2, "tree")) == {4: [1, 2], 3: [0, 4]}
    assert lists(decompose(reader(5), 2, "tree")) == {
        6: [1, 2],
        7: [3, 4],
        8: [6, 7],
        5: [0, 8],
    }
    assert lists(decompose(reader(4), 2, "chain")) == {5: [0, 1], 6: [2, 5], 4: [3, 6]}


def test_a_tree_grows_a_second_level_when_its_combiner_does_not_fit():
    tree = decompose(reader(10), 3, "tree")
    assert lists(tree) == {
        11: [0, 1],
        12: [2, 3, 4],
        13: [5, 6],
        14: [7, 8, 9],
        15: [11, 12],
        16: [13, 14],
        10: [15, 16],
    }


def test_a_neuron_may_read_itself_through_its_parts():
    snn = from_edges([0, 1, 2, 3, 4], [4] * 5, 5, spikes=[1, 1, 1, 1, 9])
    assert lists(decompose(snn, 3, "tree")) == {5: [0, 1], 6: [2, 3, 4], 4: [5, 6]}
    assert decompose(snn, 3, "tree").network.spikes[6] == 11


def test_none_refuses_and_names_neuron_population_fan_in_and_rows():
    snn = from_edges([0, 1, 2], [3] * 3, 4, populations=(Population("out", 3, 3),))
    with pytest.raises(FanInError) as error:
        decompose(snn, 2, "none")
    found = error.value
    assert (found.neuron, found.population, found.fan_in, found.rows) == (3, "out", 3, 2)


@pytest.mark.parametrize(("rows", "policy"), [(1, "tree"), (0, "chain"), (3, "best")])
def test_too_few_rows_and_unknown_policies_are_refused(rows: int, policy: str):
    with pytest.raises(ValueError, match="decomposition"):
        decompose(reader(4), rows, policy)


def test_inserted_units_get_populations_of_their_own():
    snn = from_edges(
        [0, 1, 2] * 3,
        [3] * 3 + [4] * 3 + [5] * 3,
        6,
        populations=(Population("a", 3, 3), Population("b", 5, 5)),
    )
    chain = decompose(snn, 2, "chain").network
    names = [chain.population_of(j) for j in range(chain.num_neurons)]
    assert names == ["rest"] * 3 + ["a", "rest", "b", "a/parts", "rest", "b/parts"]


def test_visit_order_goes_by_owner_parts_before_the_neuron():
    snn = from_edges([0, 1, 2, 0, 1, 2, 3], [3, 3, 3, 4, 4, 4, 5], 6)
    d = decompose(snn, 2, "chain")
    assert d.network.units.tolist() == [3, 4, 5, 6, 7]
    assert d.network.units[d.visit_order].tolist() == [6, 3, 7, 4, 5]


@pytest.mark.parametrize("policy", ["chain", "tree"])
@given(random=st.randoms(use_true_random=False), rows=st.integers(2, 5))
def test_what_holds_for_every_decomposition(policy: str, random: Random, rows: int):
    snn = random_network(random, 12)
    d = decompose(snn, rows, policy)
    network = d.network
    assert violations(snn, d) == []
    assert network.max_fan_in <= rows
    for j in range(snn.num_neurons):
        assert raw_sources(d, j) == snn.sources_of(j).tolist()
    for u in range(snn.num_neurons, network.num_neurons):
        sources = network.sources_of(u)
        assert len(sources) >= 2
        assert network.spikes[u] == network.spikes[sources].sum()
        assert network.fan_out[u] == 1
    for j in np.flatnonzero(snn.fan_in > rows):
        parts = int((d.owner == j).sum()) - 1
        f = int(snn.fan_in[j])
        # a unit turns at most R sums into one, so that no policy gets by with fewer
        assert parts >= -(-(f - 1) // (rows - 1)) - 1
        if policy == "chain":
            assert parts == -(-(f - 1) // (rows - 1)) - 1


@given(random=st.randoms(use_true_random=False), rows=st.integers(2, 5))
def test_a_tree_cuts_equal_fan_ins_equally(random: Random, rows: int):
    inputs = sorted(random.sample(range(20), random.randint(1, 20)))
    snn = from_edges(inputs * 2, [20] * len(inputs) + [21] * len(inputs), 22)
    d = decompose(snn, rows, "tree")
    first = raw_leaves(d, 20)
    assert first == raw_leaves(d, 21)
    depth = [len(leaf) for leaf in first]
    assert max(depth, default=0) - min(depth, default=0) <= 1


def raw_sources(d: Decomposition, unit: int) -> list[int]:
    """Return, sorted, the original neurons that reach ``unit`` through inserted units."""
    found: list[int] = []
    for i in d.network.sources_of(unit).tolist():
        found += [i] if i < d.num_neurons else raw_sources(d, i)
    return sorted(found)


def raw_leaves(d: Decomposition, owner: int) -> list[list[int]]:
    """Return what the owner's units of the lowest level read."""
    parts = [u for u in np.flatnonzero(d.owner == owner) if u >= d.num_neurons]
    read = [d.network.sources_of(u).tolist() for u in parts]
    return [sources for sources in read if max(sources) < d.num_neurons]


def test_custom_lists_can_share_what_a_policy_would_not():
    snn = reader(5, [1, 2, 3, 4, 5, 6])
    d = custom(snn, 3, [(5, [4, 0]), (5, [6, 2])], {5: [7, 1, 3]})
    assert lists(d) == {6: [0, 4], 7: [2, 6], 5: [1, 3, 7]}
    assert d.network.spikes.tolist() == [1, 2, 3, 4, 5, 6, 6, 9]
    assert d.policy == "custom"


@pytest.mark.parametrize(
    ("rows", "inserted", "replaced", "words"),
    [
        (3, [(5, [0, 1])], {5: [2, 3, 4, 6]}, "fan-in 4 above 3"),
        (3, [(5, [0, 1, 2])], {5: [3, 6]}, "neuron 5 does not read each"),
        (3, [(5, [0, 1, 2])], {5: [2, 3, 6]}, "some neuron does not read each"),
        (3, [(5, [0, 1, 2])], {5: [2, 3, 4]}, "unit 6 is read by 0"),
        (3, [(5, [0, 1]), (5, [2, 3, 6])], {5: [4, 6, 7]}, "unit 6 is read by 2"),
        (3, [(5, [0, 1, 7]), (5, [2, 3])], {5: [4, 6]}, "unit 6 reads itself or a later"),
        (3, [(5, [0, 1, 6]), (5, [2, 3])], {5: [4, 7]}, "unit 6 reads itself or a later"),
        (3, [(5, [0, 1, -1])], {5: [2, 3, 6]}, "unit 6 reads itself or a later"),
        (3, [(4, [0, 1, 2])], {5: [3, 4, 6]}, "of another neuron"),
        (3, [(9, [0, 1, 2])], {5: [3, 4, 6]}, "another owner"),
        (3, [(5, [0, 1, 2])], {6: [3, 4, 6]}, "replaced neuron 6"),
        (3, [(5, [0, 1, 2])], {-1: [3, 4, 6]}, "replaced neuron -1"),
        (3, [(5, [0, 1, 2.5])], {5: [3, 4, 6]}, "indices|whole numbers"),
        (3, [(5, [0, 1, 1])], {5: [2, 3, 6]}, "ascend strictly"),
        (4, [(5, [0, 1, 2]), (5, [])], {5: [3, 4, 6, 7]}, "unit 7 of split neuron 5 reads nothing"),
        (3, [(5, [0]), (5, [1, 2, 6])], {5: [3, 4, 7]}, "unit 6 of split neuron 5 reads one"),
        (5, [(5, [0, 1, 2, 3, 4])], {5: [6]}, "unit 5 of split neuron 5 reads one"),
        (1, [], {}, "at least 2 rows|above 1 rows"),
        (3, [], {}, "fan-in 5 above 3"),
    ],
)
def test_custom_lists_that_change_a_sum_are_refused(rows, inserted, replaced, words):
    custom(reader(5), 3, [(5, [0, 1, 2])], {5: [3, 4, 6]})
    with pytest.raises((ValueError, TypeError), match=words):
        custom(reader(5), rows, inserted, replaced)


def test_custom_owners_ascend():
    snn = from_edges([0, 1, 2] * 2, [3] * 3 + [4] * 3, 5)
    with pytest.raises(ValueError, match="ascending owner"):
        custom(snn, 2, [(4, [0, 1]), (3, [0, 1])], {3: [2, 6], 4: [2, 5]})


@pytest.mark.parametrize("policy", ["chain", "tree"])
@given(random=st.randoms(use_true_random=False), rows=st.integers(2, 5))
def test_custom_arrays_of_a_policy_make_the_same_network(policy: str, random: Random, rows: int):
    snn = random_network(random, 12)
    d = decompose(snn, rows, policy)
    again = custom_arrays(snn, rows, d.network.indptr, d.network.indices, d.owner)
    assert again.network == d.network
    assert again.policy == "custom"


def test_sums_that_feed_themselves_are_found_though_every_count_is_right():
    """Silent inputs hide the loop from the spike counts: only the order of units shows it."""
    snn = reader(3, [0, 0, 0, 1])
    network = SNN([0, 0, 0, 0, 1, 3, 5], [0, 1, 5, 2, 4], [0, 0, 0, 1, 0, 0])
    loop = Decomposition("custom", 2, network, [0, 1, 2, 3, 3, 3], 4)
    assert any("not an earlier one" in text for text in violations(snn, loop))


def test_a_decomposition_of_another_network_is_found():
    snn = reader(5, [1, 2, 3, 4, 5, 6])
    good = decompose(snn, 3, "tree")
    assert violations(snn, good) == []
    assert "6 neurons, network has 5" in violations(reader(4), good)[0]
    louder = snn.with_spikes([1, 2, 3, 4, 5, 7], "given")
    assert violations(louder, good) == ["decomposition changes the spikes of an original neuron"]
    quiet = replace(good, network=good.network.with_spikes([1, 2, 3, 4, 5, 6, 0, 0], "given"))
    assert all("its inputs" in text for text in violations(snn, quiet))
    assert len(violations(snn, quiet)) == 2
    stolen = replace(good, owner=[0, 1, 2, 3, 5, 5, 5, 5])
    assert "another owner" in violations(snn, stolen)[0]


@pytest.mark.parametrize("change", [{"policy": ""}, {"owner": [0, 1]}, {"rows": 2}, {"rows": 1}])
def test_a_decomposition_that_contradicts_itself_cannot_be_built(change: dict):
    good = decompose(reader(5), 3, "tree")
    with pytest.raises(ValueError, match=r"decomposition|owners|fan-in"):
        replace(good, **change)
