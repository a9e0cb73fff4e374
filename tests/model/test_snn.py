"""The network: what it holds, and every broken array it refuses."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from optmap.decomposing.contract import decompose
from optmap.model.snn import (
    MAX_TOTAL_EVENTS,
    MAX_TOTAL_SPIKES,
    SNN,
    SPIKES_ASSUMED,
    Population,
    from_edges,
    frozen,
)

INDPTR, INDICES, SPIKES = [0, 0, 0, 2, 4], [0, 1, 0, 2], [3, 0, 5, 1]
GOOD = {"indptr": INDPTR, "indices": INDICES, "spikes": SPIKES}


def test_what_a_small_network_holds():
    snn = SNN(**GOOD, populations=(Population("in", 0, 1), Population("out", 3, 3)))
    assert (snn.num_neurons, snn.num_synapses, snn.num_units, snn.max_fan_in) == (4, 4, 2, 2)
    assert snn.units.tolist() == [2, 3]
    assert snn.fan_in.tolist() == [0, 0, 2, 2]
    assert snn.fan_out.tolist() == [2, 1, 1, 0]
    assert snn.sources_of(3).tolist() == [0, 2]
    assert snn.post_of_synapse().tolist() == [2, 2, 3, 3]
    assert [snn.population_of(j) for j in range(4)] == ["in", "in", "rest", "out"]
    assert repr(snn) == "SNN(4 neurons, 4 synapses, 2 inputs, spikes: assumed)"


def test_an_empty_network_and_one_neuron_that_reads_itself():
    empty = SNN([0], [], [])
    assert (empty.num_neurons, empty.num_units, empty.max_fan_in) == (0, 0, 0)
    assert from_edges([], [], 0) == empty
    own = from_edges([0], [0], 1)
    assert own.num_units == 1
    assert own.sources_of(0).tolist() == [0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"indptr": [0, 0, 2, 4]}, r"indptr has shape \(4,\) for 4"),
        ({"indptr": [[0, 0, 0, 2, 4]]}, "indptr has shape"),
        ({"indptr": [1, 1, 1, 2, 4]}, "ascend from 0"),
        ({"indptr": [0, 0, 0, 2, 3]}, "ascend from 0"),
        ({"indptr": [0, 0, 3, 2, 4]}, "ascend from 0"),
        ({"indptr": [0, 9 * 10**18, -9 * 10**18, 2, 4]}, "ascend from 0"),
        ({"indptr": [0, 0, 0, 2.5, 4]}, "whole numbers"),
        ({"indices": [0, 4, 0, 2]}, "neuron 4; neurons are 0..3"),
        ({"indices": [-1, 1, 0, 2]}, "neuron -1; neurons are 0..3"),
        ({"indices": [0, 0, 0, 2]}, "ascend strictly"),
        ({"indices": [1, 0, 0, 2]}, "ascend strictly"),
        ({"indices": [0, 1, 2, 0]}, "ascend strictly"),
        ({"indices": [0, 2**32 + 1, 0, 2]}, "fit int32"),
        ({"indices": [0.5, 1, 0, 2]}, "whole numbers"),
        ({"indices": [[0, 1], [0, 2]]}, "not lists"),
        ({"indices": ["0", "1", "0", "2"]}, "whole numbers"),
        ({"spikes": [3, 0, -5, 1]}, "neuron 2 has -5 spikes"),
        ({"spikes": [3, 0, 1.5, 1]}, "whole numbers"),
        ({"spikes": [3, 0, float("nan"), 1]}, "whole numbers"),
        ({"spikes": [3, 0, float("inf"), 1]}, "whole numbers"),
        ({"spikes": [3, 0, True, None]}, "whole numbers"),
        ({"spikes": np.array([True, False, True, True])}, "whole numbers"),
        ({"spikes": [3, 0, 2**64, 1]}, "whole numbers"),
        ({"spikes": np.array([3, 0, 2**64 - 1, 1], dtype=np.uint64)}, "fit int64"),
        ({"spikes": [[3, 0], [5, 1], [0, 0], [0, 0]]}, "not lists"),
        ({"spikes": [MAX_TOTAL_SPIKES, 0, 1, 0]}, "spikes in one iteration"),
        ({"weights": [1.0, 2.0]}, "weights have shape"),
        ({"weights": [1.0, 2.0, np.nan, 0.0]}, "finite"),
        ({"weights": [1.0, 2.0, np.inf, 0.0]}, "finite"),
        ({"populations": (Population("a", 0, 4),)}, "leaves 0..3"),
        ({"populations": (Population("a", 0, 2), Population("b", 2, 3))}, "overlaps"),
        ({"populations": (Population("b", 2, 3), Population("a", 0, 1))}, "overlaps"),
    ],
)
def test_broken_arrays_are_refused_with_their_numbers(change: dict, words: str):
    SNN(**GOOD)
    with pytest.raises(ValueError, match=words):
        SNN(**(GOOD | change))


@pytest.mark.parametrize(("first", "last"), [(-1, 2), (3, 2)])
def test_a_population_runs_forward(first: int, last: int):
    with pytest.raises(ValueError, match="population 'p'"):
        Population("p", first, last)


def test_totals_that_would_wrap_in_64_bits_are_refused():
    with pytest.raises(ValueError, match="spikes in one iteration"):
        SNN(np.zeros(8193), [], np.full(8192, 2**50))
    readers = 2**11
    spikes = np.zeros(readers + 1, dtype=np.int64)
    spikes[0] = MAX_TOTAL_EVENTS // readers
    star = ([0] * readers, range(1, readers + 1), readers + 1)
    assert from_edges(*star, spikes=spikes).num_synapses == readers
    spikes[0] += 1
    with pytest.raises(ValueError, match="synaptic events"):
        from_edges(*star, spikes=spikes)


def test_a_network_cannot_be_changed_through_its_arrays_or_its_arguments():
    indices = np.array(INDICES, dtype=np.int32)
    snn = SNN(INDPTR, indices, SPIKES)
    indices[0] = 1
    assert snn.indices.tolist() == INDICES
    with pytest.raises(ValueError, match="read-only"):
        snn.spikes[0] = 9
    with pytest.raises(FrozenInstanceError):
        snn.spikes = np.zeros(4)
    view = np.arange(4, dtype=np.int64)[:3]
    kept = frozen(view, np.int64)
    view[0] = 7
    assert kept.tolist() == [0, 1, 2]


def test_whole_floats_and_other_integer_types_are_exact_and_welcome():
    assert SNN(np.array(INDPTR, dtype=np.float64), INDICES, np.float32(SPIKES)) == SNN(**GOOD)
    assert frozen(np.array([1, 2], dtype=np.uint8), np.int64).dtype == np.int64


def test_from_edges_merges_parallel_synapses_and_adds_their_weights():
    snn = from_edges([1, 0, 1], [2, 2, 2], 3, weights=[0.5, 1.0, 0.25])
    assert snn.sources_of(2).tolist() == [0, 1]
    assert snn.weights is not None
    assert snn.weights.tolist() == [1.0, 0.75]


def test_from_edges_drops_zero_weights_unless_told():
    edges = ([0, 1], [2, 2], 3)
    assert from_edges(*edges, weights=[0.0, 1.0]).sources_of(2).tolist() == [1]
    kept = from_edges(*edges, weights=[0.0, 1.0], keep_zero_weights=True)
    assert kept.sources_of(2).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([0, 1], [2], 3), "pre has shape"),
        (([[0]], [[2]], 3), "pre has shape"),
        (([0, 3], [2, 2], 3), "neurons 0..3; neurons are 0..2"),
        (([0, -1], [2, 2], 3), "neurons -1..2"),
        (([0, 0.5], [2, 2], 3), "whole numbers"),
    ],
)
def test_from_edges_refuses_what_is_no_synapse_list(arguments: tuple, words: str):
    with pytest.raises(ValueError, match=words):
        from_edges(*arguments)
    with pytest.raises(ValueError, match="weights of shape"):
        from_edges([0], [1], 2, weights=[1.0, 2.0])


def test_where_spikes_come_from_is_said():
    assert from_edges([0], [1], 2).spikes_origin == SPIKES_ASSUMED
    assert from_edges([0], [1], 2).spikes.tolist() == [1, 1]
    assert from_edges([0], [1], 2, spikes=[4, 2]).spikes_origin == "given"
    again = from_edges([0], [1], 2).with_spikes([7, 8], "recorded")
    assert (again.spikes.tolist(), again.spikes_origin) == ([7, 8], "recorded")


def test_equality_and_digest_see_connectivity_and_spikes_only():
    snn = SNN(**GOOD)
    renamed = SNN(**GOOD, populations=(Population("p", 0, 3),), weights=[1, 2, 3, 4])
    assert snn == renamed
    assert hash(snn) == hash(renamed)
    assert snn.digest() == renamed.digest()
    for other in (
        SNN(INDPTR, [0, 1, 1, 2], SPIKES),
        SNN([0, 0, 1, 2, 4], INDICES, SPIKES),
        snn.with_spikes([3, 0, 5, 2], "given"),
    ):
        assert snn != other
        assert snn.digest() != other.digest()
    assert snn != "SNN"


def test_a_self_driven_neuron_takes_a_column_and_an_input_does_not():
    edges = ([0, 1, 1], [2, 2, 3])
    plain = from_edges(*edges, 4)
    driven = from_edges(*edges, 4, self_driven=[1], notes=["one has a bias"])
    assert (plain.units.tolist(), driven.units.tolist()) == ([2, 3], [1, 2, 3])
    assert driven != plain
    assert driven.digest() != plain.digest()
    assert driven.with_spikes([1, 1, 1, 1], "x").units.tolist() == [1, 2, 3]
    assert driven.with_notes("two").notes == ("one has a bias", "two")
    assert plain.digest() == from_edges(*edges, 4, self_driven=[]).digest()
    cut = decompose(from_edges([0, 1, 2], [3, 3, 3], 4, self_driven=[2]), 2, "tree")
    assert cut.network.units.tolist() == [2, 3, 4], "decomposition keeps who is driven"


@pytest.mark.parametrize(
    ("driven", "found"),
    [([2], "reads other"), ([4], "neurons are 0..3"), ([1, 1], "ascends"), ([-1], "neurons are")],
)
def test_wrong_self_driven_neurons_are_refused(driven, found):
    with pytest.raises(ValueError, match=found):
        from_edges([0, 1], [2, 2], 4, self_driven=driven)


def test_pairs_that_cancel_leave_no_synapse():
    assert from_edges([0, 0, 1], [2, 2, 2], 3, weights=[1, -1, 1]).indices.tolist() == [1]
    kept = from_edges([0, 0, 1], [2, 2, 2], 3, weights=[1, -1, 1], keep_zero_weights=True)
    assert kept.indices.tolist() == [0, 1]
