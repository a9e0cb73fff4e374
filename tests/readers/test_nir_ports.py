"""NIR graphs that say less, or otherwise, than they mean: ports, size-one shapes, bias currents."""

import h5py
import nir
import numpy as np
import pytest
import scipy.sparse

from optmap.errors import InputError
from optmap.readers.in_memory import from_scipy
from optmap.readers.nir_file import read_model, read_nir
from optmap.simulation.simulate import Convention, simulate


def linear(rows, columns, seed=0):
    return nir.Linear(np.random.default_rng(seed).uniform(0.1, 1, (rows, columns)))


def test_a_layer_that_nothing_drives_takes_columns(write_nir, lif):
    nodes = {"free": lif(2, 3, 3), "flat": nir.Flatten({"input": np.array([2, 3, 3])}, 0),
             "w": linear(4, 18), "out": lif(4)}  # fmt: skip
    snn = read_nir(write_nir(nodes, [("free", "flat"), ("flat", "w"), ("w", "out")]))
    assert (snn.num_neurons, snn.num_units, snn.num_synapses) == (22, 22, 72)
    assert snn.self_driven.tolist() == list(range(18))
    assert "18 neurons read nothing" in snn.notes[0]


def test_a_neuron_whose_weights_are_zero_is_driven_by_its_bias(write_nir, lif):
    weight = np.array([[1.0, 2.0], [0.0, 0.0]])
    nodes = {"in": nir.Input(np.array([2])), "w": nir.Affine(weight, np.array([0.0, 5.0])),
             "out": lif(2)}  # fmt: skip
    path = write_nir(nodes, [("in", "w"), ("w", "out")])
    snn = read_nir(path)
    assert (snn.units.tolist(), snn.self_driven.tolist()) == ([2, 3], [3])
    kept = read_nir(path, keep_zero_weights=True)
    assert (kept.units.tolist(), kept.self_driven.tolist()) == ([2, 3], [])


def test_a_self_driven_layer_is_simulated(write_nir, lif):
    nodes = {"in": nir.Input(np.array([1])), "w": nir.Affine(np.zeros((1, 1)), np.array([3.0])),
             "n": nir.IF(np.ones(1), np.ones(1))}  # fmt: skip
    model = read_model(write_nir(nodes, [("in", "w"), ("w", "n")]))
    silent = np.zeros((10, 1, 1))
    result = simulate(model, {"in": silent}, Convention(dt=0.5, reset="subtract"))
    assert result.spikes[0].tolist() == [0, 10]


def cell(declared_in, declared_out, size):
    inner = {"input": nir.Input(np.array([declared_in])), "w": linear(size, 8, 1),
             "lif": nir.IF(np.ones(size), np.ones(size)),
             "output": nir.Output(np.array([declared_out]))}  # fmt: skip
    edges = [("input", "w"), ("w", "lif"), ("lif", "output")]
    return nir.NIRGraph(nodes=inner, edges=edges, type_check=False)


@pytest.mark.parametrize(("given", "out"), [(5, 8), (8, 3), (5, 3), (8, 8)])
def test_ports_that_their_neighbours_contradict(write_nir, lif, given, out):
    nodes = {"in": nir.Input(np.array([5])), "fc1": linear(8, 5), "hidden": cell(given, out, 8),
             "fc2": linear(3, 8, 2), "last": lif(3)}  # fmt: skip
    edges = [("in", "fc1"), ("fc1", "hidden"), ("hidden", "fc2"), ("fc2", "last")]
    snn = read_nir(write_nir(nodes, edges))
    assert (snn.num_neurons, snn.num_synapses) == (5 + 8 + 3, 5 * 8 + 8 * 3)
    assert len(snn.notes) == (given != 8) + (out != 8)


def test_neighbours_that_do_not_agree_are_refused(write_nir, lif):
    nodes = {"in": nir.Input(np.array([5])), "fc1": linear(7, 5), "hidden": cell(5, 8, 8),
             "last": lif(8)}  # fmt: skip
    edges = [("in", "fc1"), ("fc1", "hidden"), ("hidden", "last")]
    with pytest.raises(InputError, match="7 values from hidden/input"):
        read_nir(write_nir(nodes, edges))


def test_size_one_shapes_speak_for_a_layer(write_nir, lif):
    nodes = {"in": nir.Input(np.array([10])), "a": linear(7, 10), "l1": lif(1),
             "b": linear(3, 7), "l2": lif(1), "out": nir.Output(np.array([1]))}  # fmt: skip
    edges = [("in", "a"), ("a", "l1"), ("l1", "b"), ("b", "l2"), ("l2", "out")]
    snn = read_nir(write_nir(nodes, edges))
    assert (snn.num_neurons, snn.num_units, snn.num_synapses) == (20, 10, 91)


@pytest.mark.parametrize("stored", [0, [0], [0, 3]])
def test_a_flatten_that_stores_no_shape(tmp_path, write_nir, lif, stored):
    nodes = {"in": nir.Input(np.array([2, 3])),
             "flat": nir.Flatten({"input": np.array([2, 3])}, 0),
             "w": linear(4, 6), "out": lif(4)}  # fmt: skip
    path = write_nir(nodes, [("in", "flat"), ("flat", "w"), ("w", "out")])
    with h5py.File(path, "r+") as file:
        del file["node/nodes/flat/input_type"]
        file["node/nodes/flat/input_type"] = np.array(stored)
    assert read_nir(path).num_synapses == 24


def test_paths_that_cancel_are_no_synapse_as_in_every_reader(write_nir, lif):
    weight = np.array([[1.0, 2.0]])
    nodes = {"in": nir.Input(np.array([2])), "plus": nir.Linear(weight),
             "minus": nir.Linear(np.array([[-1.0, 1.0]])), "late": nir.Delay(np.full(1, 0.1)),
             "out": lif(1)}  # fmt: skip
    edges = [("in", "plus"), ("in", "minus"), ("minus", "late"), ("plus", "out"), ("late", "out")]
    path = write_nir(nodes, edges)
    snn = read_nir(path)
    assert (snn.indices.tolist(), snn.weights.tolist()) == ([1], [3.0])
    assert snn.notes == ("delays do not count",)
    assert read_nir(path, keep_zero_weights=True).indices.tolist() == [0, 1]
    twice = scipy.sparse.coo_array(([1.0, -1.0, 3.0], ([2, 2, 2], [0, 0, 1])), shape=(3, 3))
    assert from_scipy(twice) == snn
    delays = [p.delay_s for layer in read_model(path).layers for p in layer.paths]
    assert sorted(delays) == pytest.approx([0.0, 0.1])


def test_what_a_small_file_cannot_mean_is_refused_before_memory_is_taken(write_nir, lif):
    kernel = nir.Conv2d((2000, 2000), np.ones((8, 1, 3, 3)), 1, 1, 1, 1, np.zeros(8))
    nodes = {"in": nir.Input(np.array([1, 2000, 2000])), "c": kernel}
    with pytest.raises(InputError, match=r"in all nodes|synapses, expected at most"):
        read_nir(write_nir(nodes, [("in", "c")]))
    wide = {"in": nir.Input(np.array([40_000])), "a": nir.Linear(np.ones((1, 40_000))),
            "b": nir.Linear(np.ones((40_000, 1))), "out": lif(40_000)}  # fmt: skip
    path = write_nir(wide, [("in", "a"), ("a", "b"), ("b", "out")])
    with pytest.raises(InputError, match="1600000000 synapses when multiplied out"):
        read_nir(path)
