"""NIR: every node type against its own definition, decisions of this project, real files."""

from itertools import pairwise

import nir
import numpy as np
import pytest
from nir_reference import conv2d, dense_from, dense_of, dense_shape, weights

from optmap.readers.nir_file import read_model, read_nir
from optmap.readers.read import read_network

CHAINS = {
    "stride and padding": ((2, 7, 6), [conv2d(weights(3, 2, 3, 3), (7, 6), (2, 1), (1, 0))]),
    "padding same, even kernel": ((1, 5, 5), [conv2d(weights(2, 1, 4, 2), (5, 5), 1, "same")]),
    "padding valid": ((1, 5, 5), [conv2d(weights(2, 1, 3, 2), (5, 5), 1, "valid")]),
    "dilation": ((1, 8, 8), [conv2d(weights(1, 1, 3, 2), (8, 8), 1, 1, (2, 3))]),
    "groups": ((4, 4, 4), [conv2d(weights(6, 2, 3, 3), (4, 4), 1, 1, 1, 2)]),
    "no input_shape": ((2, 5, 5), [conv2d(weights(3, 2, 3, 3), None)]),
    "sum pooling": (
        (2, 4, 6),
        [nir.SumPool2d(np.array([2, 3]), np.array([2, 3]), np.array([0, 0]))],
    ),
    "average pooling, padded": (
        (2, 5, 5),
        [nir.AvgPool2d(np.array([3, 3]), np.array([2, 2]), np.array([1, 1]))],
    ),
    "pool, conv, pool, dense": (
        (1, 12, 12),
        [
            nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
            conv2d(weights(2, 1, 3, 3), (6, 6), 1, 1),
            nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
            nir.Scale(weights(2, 3, 3)),
            nir.Flatten(np.array([2, 3, 3]), 0, -1),
            nir.Affine(weights(4, 18), np.zeros(4)),
        ],
    ),
    "scale": ((5,), [nir.Scale(weights(5))]),
    "linear": ((5,), [nir.Linear(weights(3, 5))]),
}


@pytest.mark.parametrize("name", CHAINS)
def test_what_lies_between_neurons_becomes_synapses(name, write_nir, lif):
    shape, chain = CHAINS[name]
    expected = dense_of(chain, shape)
    nodes = {"in": nir.Input(np.array(shape))} | {f"op{i}": node for i, node in enumerate(chain)}
    out_shape = dense_shape(chain, shape)
    nodes |= {"lif": lif(*out_shape), "out": nir.Output(np.array(out_shape))}
    names = list(nodes)
    path = write_nir(nodes, list(pairwise(names)))

    snn = read_nir(path)
    inputs = int(np.prod(shape))
    assert [p.name for p in snn.populations] == ["in", "lif"]
    assert snn.num_neurons == inputs + len(expected)
    assert snn.num_synapses == np.count_nonzero(expected)
    assert np.allclose(dense_from(snn, inputs, snn.num_neurons - 1, inputs), expected, atol=1e-6)
    assert read_nir(path, keep_zero_weights=True) == snn, "no weight is zero, nothing to keep"


def test_conv1d_is_a_convolution_of_one_row(write_nir, lif):
    weight = weights(4, 2, 3)
    one = nir.Conv1d(9, weight, 2, 1, 2, 1, np.zeros(4))
    same = nir.Conv2d((1, 9), weight[:, :, None, :], (1, 2), (0, 1), (1, 2), 1, np.zeros(4))
    expected = dense_of([same], (2, 1, 9))
    nodes = {"in": nir.Input(np.array([2, 9])), "conv": one, "lif": lif(4, 4)}
    snn = read_nir(write_nir(nodes, [("in", "conv"), ("conv", "lif")]))
    assert np.allclose(dense_from(snn, 18, 33, 18), expected, atol=1e-6)


def test_every_neuron_kind_is_a_population(write_nir):
    one, zero = np.ones(3), np.zeros(3)
    kinds = {
        "I": nir.I(one),
        "IF": nir.IF(one, one, zero),
        "LI": nir.LI(one, one, zero),
        "LIF": nir.LIF(one, one, zero, one, zero),
        "CubaLI": nir.CubaLI(one, one, one, zero),
        "CubaLIF": nir.CubaLIF(one, one, one, zero, one, zero),
        "Threshold": nir.Threshold(one),
    }
    nodes = {"in": nir.Input(np.array([3]))} | kinds
    names = list(nodes)
    snn = read_nir(write_nir(nodes, list(pairwise(names))))
    assert [p.name for p in snn.populations] == names
    assert snn.num_synapses == 3 * len(kinds)  # edges without weights join one to one
    assert snn.sources_of(4).tolist() == [1]


def test_weighted_output_without_neurons_is_a_readout(write_nir):
    nodes = {
        "in": nir.Input(np.array([3])),
        "w": nir.Affine(weights(2, 3), np.zeros(2)),
        "out": nir.Output(np.array([2])),
    }
    path = write_nir(nodes, [("in", "w"), ("w", "out")])
    snn = read_nir(path)
    assert [p.name for p in snn.populations] == ["in", "out"]
    assert snn.num_synapses == 6
    assert read_model(path).layers[1].kind == "Readout"
    del nodes["out"]
    assert read_nir(write_nir(nodes, [("in", "w")])) == snn


def test_missing_input_is_added(write_nir, lif):
    nodes = {"w": nir.Linear(weights(3, 4)), "lif": lif(3)}
    snn = read_nir(write_nir(nodes, [("w", "lif")]))
    assert [(p.name, p.last + 1) for p in snn.populations] == [("w/input", 4), ("lif", 7)]


def test_parallel_paths_count_once_and_add_up(write_nir, lif):
    first, second = weights(2, 3), weights(2, 3)
    nodes = {
        "in": nir.Input(np.array([3])),
        "a": nir.Linear(first),
        "b": nir.Linear(second),
        "late": nir.Delay(np.array([0.0, 0.0, 2e-3])),
        "lif": lif(2),
    }
    edges = [("in", "a"), ("a", "lif"), ("in", "late"), ("late", "b"), ("b", "lif")]
    snn = read_nir(write_nir(nodes, edges))
    assert snn.num_synapses == 6
    assert np.allclose(dense_from(snn, 3, 4, 3), first + second, atol=1e-6)


def test_zero_weights_are_dropped_unless_kept(write_nir, lif):
    kernel = np.array([[[[1.0, 0.0], [0.0, 2.0]]]])
    matrix = np.array([[1.0, -1.0, 0.0, 0.0]])
    nodes = {
        "in": nir.Input(np.array([1, 3, 3])),
        "conv": conv2d(kernel, (3, 3)),
        "flat": nir.Flatten(np.array([1, 2, 2]), 0, -1),
        "w": nir.Linear(matrix),
        "lif": lif(1),
    }
    names = list(nodes)
    path = write_nir(nodes, list(pairwise(names)))
    dropped, kept = read_nir(path), read_nir(path, keep_zero_weights=True)
    assert dropped.sources_of(9).tolist() == [0, 1, 4, 5]
    assert kept.sources_of(9).tolist() == list(range(9))
    assert kept.weights[list(dropped.sources_of(9))].tolist() == dropped.weights.tolist()


def test_duplicate_edges_count_once(write_nir, lif):
    nodes = {"in": nir.Input(np.array([2])), "w": nir.Linear(weights(2, 2)), "lif": lif(2)}
    once = read_nir(write_nir(nodes, [("in", "w"), ("w", "lif")]))
    twice = read_nir(write_nir(nodes, [("in", "w"), ("w", "lif"), ("w", "lif")]))
    assert np.array_equal(once.weights, twice.weights)


def test_braille_network(shared_data):
    """Read through the child process, as users do."""
    snn = read_network(shared_data / "nir" / "braille_noDelay_bias_zero.nir")
    assert snn.num_neurons - snn.num_units == 12
    assert snn.num_units == 45
    assert snn.num_synapses == 1_710 + 456
    assert [p.name for p in snn.populations] == ["input", "lif1.lif", "lif2"]


def test_million_synapses_unroll_without_a_loop(write_nir, lif):
    """Counts and a sample of a large convolution; its time is measured by the benchmark."""
    weight = weights(32, 16, 3, 3)
    nodes = {
        "in": nir.Input(np.array([16, 16, 16])),
        "conv": conv2d(weight, (16, 16), 1, 1),
        "lif": lif(32, 16, 16),
    }
    snn = read_nir(write_nir(nodes, [("in", "conv"), ("conv", "lif")]))
    assert snn.num_synapses == 32 * 16 * 46**2
    neuron = 16 * 256 + 5 * 256 + 7 * 16 + 3  # map 5, row 7, column 3
    here = slice(snn.indptr[neuron], snn.indptr[neuron + 1])
    assert np.allclose(snn.weights[here], weight[5].reshape(-1), atol=1e-6)
    assert snn.indices[here][:3].tolist() == [6 * 16 + 2, 6 * 16 + 3, 6 * 16 + 4]
