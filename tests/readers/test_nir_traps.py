"""NIR: the traps of real files, and inconsistent ones refused by node or edge."""

from itertools import pairwise

import h5py
import nir
import numpy as np
import pytest
from nir_reference import conv2d, weights

from optmap.errors import InputError
from optmap.readers.nir_file import read_model, read_nir


def test_order_comes_from_the_edges_not_the_names(write_nir, lif):
    """HDF5 sorts names as text: 0, 1, 10, 2. Twelve layers of different sizes show the order."""
    nodes: dict[str, nir.NIRNode] = {"in": nir.Input(np.array([2]))}
    edges, last, size = [], "in", 2
    for i in range(12):
        nodes[str(2 * i)] = nir.Linear(weights(size + 1, size))
        nodes[str(2 * i + 1)] = lif(size + 1)
        edges += [(last, str(2 * i)), (str(2 * i), str(2 * i + 1))]
        last, size = str(2 * i + 1), size + 1
    snn = read_nir(write_nir(nodes, edges[::-1]))
    assert [p.name for p in snn.populations] == ["in", *[str(2 * i + 1) for i in range(12)]]
    assert [p.last - p.first + 1 for p in snn.populations] == list(range(2, 15))


def test_names_break_ties_naturally_and_inputs_come_first(write_nir, lif):
    nodes = {f"lif{i}": lif(2) for i in (10, 9, 2)} | {
        "zz": nir.Input(np.array([2])),
        "sum": lif(2),
    }
    edges = [(f"lif{i}", "sum") for i in (9, 10, 2)] + [("zz", "lif9"), ("zz", "lif10")]
    snn = read_nir(write_nir(nodes, edges))
    assert [p.name for p in snn.populations] == ["zz", "lif2", "lif9", "lif10", "sum"]


def test_length_one_parameters_speak_for_the_layer(write_nir):
    """The size comes from what the layer reads, here behind a loop and a per-map threshold."""
    one = np.ones(1)
    small = nir.LIF(tau=one, r=one, v_leak=one, v_threshold=one, v_reset=one)
    maps = np.ones((2, 1, 1))
    per_map = nir.IF(r=maps, v_threshold=maps, v_reset=maps)
    nodes = {
        "in": nir.Input(np.array([1, 4, 4])),
        "conv": conv2d(weights(2, 1, 3, 3), None),
        "if": per_map,
        "flat": nir.Flatten(None, 0, -1),
        "w": nir.Linear(weights(5, 8)),
        "lif": small,
        "rec": nir.Linear(weights(5, 5)),
        "out": nir.Output(np.array([5])),
    }
    nodes["flat"].input_type = {"input": np.array([2, 2, 2])}
    names = ["in", "conv", "if", "flat", "w", "lif", "out"]
    edges = [*pairwise(names), ("lif", "rec"), ("rec", "lif")]
    snn = read_nir(write_nir(nodes, edges))
    assert [(p.name, p.last - p.first + 1) for p in snn.populations] == [
        ("in", 16), ("if", 8), ("lif", 5),
    ]  # fmt: skip
    assert snn.num_synapses == 8 * 9 + 5 * 8 + 5 * 5


def test_batch_dimension_of_one_is_dropped(write_nir, lif):
    nodes = {
        "in": nir.Input(np.array([1, 2, 4, 4])),
        "conv": conv2d(weights(3, 2, 3, 3), (4, 4)),
        "lif": lif(1, 3, 2, 2),
        "w": nir.Linear(weights(2, 12)),
        "out": nir.Output(np.array([1, 2])),
    }
    names = list(nodes)
    snn = read_nir(write_nir(nodes, list(pairwise(names))))
    assert snn.num_synapses == 12 * 18 + 24


def test_one_neuron_without_dimensions(write_nir, lif):
    nodes = {"in": nir.Input(np.array([], dtype=int)), "w": nir.Linear(np.ones((1, 1)))}
    snn = read_nir(write_nir(nodes | {"lif": lif(1)}, [("in", "w"), ("w", "lif")]))
    assert (snn.num_neurons, snn.num_synapses) == (2, 1)


def test_flat_parameters_after_a_picture(write_nir, lif):
    """Some writers flatten early; the order of values is the same, so nothing is ambiguous."""
    scale = weights(8)
    nodes = {
        "in": nir.Input(np.array([2, 2, 2])),
        "scale": nir.Scale(scale),
        "delay": nir.Delay(np.arange(8.0)),
        "lif": lif(8),
    }
    names = list(nodes)
    path = write_nir(nodes, list(pairwise(names)))
    assert np.allclose(read_nir(path).weights, scale)
    assert len(read_model(path).layers[1].paths) == 8, "one path a delay"


def test_numbers_may_be_scalars_or_arrays(write_nir, lif):
    weight = weights(2, 1, 3, 3)
    nodes = {
        "in": nir.Input(np.array([1, 6, 6])),
        "conv": conv2d(
            weight, np.array([6, 6]), np.array([1, 1]), np.array([1, 1]), np.array([1, 1])
        ),
        "pool": nir.SumPool2d(np.array([2]), np.array([2]), np.array([0])),
        "lif": lif(2, 3, 3),
    }
    names = list(nodes)
    snn = read_nir(write_nir(nodes, list(pairwise(names))))
    assert snn.max_fan_in == 16  # 3 x 3 seen through 2 x 2
    assert snn.num_units == 18


def test_pooling_multiplies_the_fan_in(write_nir, lif):
    """A 3 x 3 convolution over 64 maps behind a 2 x 2 pooling reads 2,304 neurons."""
    nodes = {
        "in": nir.Input(np.array([64, 6, 6])),
        "pool": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "conv": conv2d(weights(2, 64, 3, 3), (3, 3)),
        "lif": lif(2, 1, 1),
    }
    names = list(nodes)
    snn = read_nir(write_nir(nodes, list(pairwise(names))))
    assert snn.max_fan_in == 64 * 36


def nested(lif, inner_name="lif", size=3):
    inner = {
        "input": nir.Input(np.array([size])),
        inner_name: lif(size),
        "w_rec": nir.Linear(weights(size, size)),
        "output": nir.Output(np.array([size])),
    }
    edges = [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")]
    return nir.NIRGraph(nodes=inner, edges=edges, type_check=False)


def test_recurrence_is_a_loop_of_edges_flat_or_nested(write_nir, lif):
    nodes = {
        "in": nir.Input(np.array([2])),
        "w": nir.Linear(weights(3, 2)),
        "cell": nested(lif),
        "v": nir.Linear(weights(4, 3)),
        "lif2": lif(4),
        "out": nir.Output(np.array([4])),
    }
    names = list(nodes)
    deep = read_nir(write_nir(nodes, list(pairwise(names))))
    assert [p.name for p in deep.populations] == ["in", "cell/lif", "lif2"]
    assert deep.num_synapses == 6 + 9 + 12
    flat = nodes.copy()
    inner = flat.pop("cell").nodes
    flat |= {"cell": inner["lif"], "w_rec": inner["w_rec"]}
    edges = [*pairwise(names), ("cell", "w_rec"), ("w_rec", "cell")]
    assert read_nir(write_nir(flat, edges)) == deep


def test_nested_graph_with_wrong_inner_edges_is_refused(write_nir, lif):
    """Files of NIR's own paper: the inner edges say lif, the node is stored as lif1."""
    nodes = {"in": nir.Input(np.array([3])), "cell": nested(lif, "lif1")}
    path = write_nir(nodes, [("in", "cell")])
    with pytest.raises(InputError) as caught:
        read_nir(path)
    message = str(caught.value)
    assert str(path) in message
    assert "edge cell/" in message
    assert "no node 'cell/lif'" in message
    assert "lif1" in message


def test_v_reset_and_w_in_may_be_missing(write_nir, lif, monkeypatch):
    one = np.ones(2)
    cuba = nir.CubaLIF(one, one, one, one * 0, one, one * 0)
    path = write_nir({"in": nir.Input(np.array([2])), "n": cuba}, [("in", "n")])
    with h5py.File(path, "r+") as f:
        del f["node/nodes/n/v_reset"]
        del f["node/nodes/n/w_in"]
    assert read_nir(path).num_synapses == 2


def test_old_convolution_without_input_shape(write_nir, lif):
    nodes = {"in": nir.Input(np.array([1, 5, 5])), "conv": conv2d(weights(2, 1, 3, 3), None)}
    path = write_nir(nodes | {"lif": lif(2, 3, 3)}, [("in", "conv"), ("conv", "lif")])
    assert read_nir(path).num_synapses == 2 * 81


# --- refusals ---


def mixed(first, second):
    """Return a LIF layer whose parameters have two shapes, which the package itself refuses."""
    node = nir.LIF(first, first, first, first, first)
    node.tau = second
    return node


def broken(lif):
    """Return (nodes, edges, what the message must hold) of inconsistent graphs."""
    w32, i2, i3 = nir.Linear(weights(3, 2)), nir.Input(np.array([2])), nir.Input(np.array([3]))
    conv = conv2d(weights(2, 3, 3, 3), (4, 4))
    image = nir.Input(np.array([2, 4, 4]))
    pool = nir.SumPool2d(np.array([9, 9]), np.array([1, 1]), np.array([0, 0]))
    word = conv2d(weights(1, 2, 3, 3), (4, 4), 2, "same")
    bias = nir.Conv2d((4, 4), weights(3, 2, 1, 1), 1, 0, 1, 1, np.zeros(2))
    return {
        "edge to nowhere": ({"in": i2, "lif": lif(2)}, [("in", "liv")], "edge in -> liv"),
        "sizes differ": ({"in": i3, "w": w32}, [("in", "w")], "edge in -> w"),
        "layer of another size": (
            {"in": i2, "w": w32, "lif": lif(4)},
            [("in", "w"), ("w", "lif")],
            "edge w -> lif",
        ),
        "other order of dimensions": (
            {"in": nir.Input(np.array([4, 4, 2])), "lif": lif(2, 4, 4)},
            [("in", "lif")],
            "edge in -> lif",
        ),
        "maps differ": ({"in": image, "conv": conv}, [("in", "conv")], "edge in -> conv"),
        "window too large": ({"in": image, "pool": pool}, [("in", "pool")], "node pool"),
        "same with a stride": ({"in": image, "conv": word}, [("in", "conv")], "node conv"),
        "bias of another size": ({"in": image, "conv": bias}, [("in", "conv")], "node conv"),
        "loop without neuron": (
            {"in": i2, "a": nir.Linear(np.eye(2)), "b": nir.Linear(np.eye(2)), "lif": lif(2)},
            [("in", "a"), ("a", "b"), ("b", "a"), ("b", "lif")],
            "no neuron on it",
        ),
        "parameters of different sizes": (
            {"in": i2, "n": nir.Threshold(np.ones(2)), "lif": mixed(np.ones(2), np.ones(3))},
            [("in", "n"), ("n", "lif")],
            "node lif",
        ),
        "parameters per row of a picture": (
            {"in": image, "lif": mixed(np.ones((1, 4, 1)), np.ones((3, 1, 1)))},
            [("in", "lif")],
            "edge in -> lif",
        ),
        "sources of different sizes": (
            {"in": i2, "in2": i3, "flat": nir.Flatten(np.array([2]), 0, -1), "lif": lif(2)},
            [("in", "flat"), ("in2", "flat"), ("flat", "lif")],
            "edge in2 -> flat",
        ),
        "kernel of too few dimensions": (
            {"in": image, "conv": conv2d(weights(3, 2, 3), (4, 4))},
            [("in", "conv")],
            "node conv",
        ),
        "weights that overflow": (
            {"in": i2, "w": nir.Linear(np.full((2, 2), 1e300)), "lif": lif(2)},
            [("in", "w"), ("w", "lif")],
            "weights must be finite",
        ),
        "shape nobody tells": (
            {"flat": nir.Flatten(np.array([1]), 0, -1), "pool": pool, "lif": lif(1)},
            [("pool", "lif")],
            "node pool",
        ),
        "not finite": (
            {"in": i2, "w": nir.Linear(np.array([[np.nan, 1.0]]))},
            [("in", "w")],
            "node w",
        ),
    }


@pytest.mark.parametrize("case", list(broken(lambda *shape: None)))
def test_inconsistent_graphs_name_node_or_edge(case, write_nir, lif):
    nodes, edges, place = broken(lif)[case]
    path = write_nir(nodes, edges)
    with pytest.raises(InputError) as caught:
        read_nir(path)
    assert place in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_graph_whose_edges_are_lost_is_refused(write_nir, lif):
    """Else the weights would get an invented input and readouts, and the neurons no synapse."""
    nodes = {"in": nir.Input(np.array([2])), "w": nir.Linear(weights(3, 2)), "lif": lif(3)}
    path = write_nir(nodes, list(pairwise(nodes)))
    with h5py.File(path, "r+") as f:
        del f["node/edges"]
    with pytest.raises(InputError, match="edges: found nothing, expected pairs"):
        read_nir(path)


def test_files_that_are_no_graph_are_refused(tmp_path, in_process):
    path = tmp_path / "odd.nir"
    for build, found in (
        (lambda f: None, "no group 'node'"),
        (lambda f: f.create_group("node").create_dataset("type", data="LIF"), "type LIF"),
        (lambda f: f.create_group("node").create_dataset("type", data="NIRGraph"), "no node"),
    ):
        with h5py.File(path, "w") as f:
            build(f)
        with pytest.raises(InputError, match=found):
            read_nir(path)
    with h5py.File(path, "w") as f:
        node = f.create_group("node/nodes/a")
        f["node"].create_dataset("type", data="NIRGraph")
        node.create_dataset("type", data="Quantum")
    with pytest.raises(InputError, match="'Quantum'"):
        read_nir(path)
    with h5py.File(path, "r+") as f:
        del f["node/nodes/a/type"]
        f["node/nodes/a"].create_dataset("type", data="LIF")
    with pytest.raises(InputError, match="no 'tau'"):
        read_nir(path)
