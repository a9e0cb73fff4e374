"""NIR: every node type against the layer's own definition, every trap of real files, refusals."""

from itertools import pairwise

import h5py
import nir
import numpy as np
import pytest

from optmap.errors import InputError
from optmap.sources.nir_file import read_model, read_nir
from optmap.sources.read import read_network

RNG = np.random.default_rng(11)


def weights(*shape):
    """Return weights none of which is zero."""
    return RNG.uniform(0.5, 1.5, shape) * RNG.choice([-1, 1], shape)


def conv2d(weight, shape, stride=1, padding=0, dilation=1, groups=1):
    return nir.Conv2d(shape, weight, stride, padding, dilation, groups, np.zeros(len(weight)))


# --- the reference: layers as functions, by loops ---


def apply_conv(node, x):
    """Return the textbook convolution of x (C, H, W)."""
    pads, strides, dilations = (
        np.broadcast_to(value, 2).tolist() if not isinstance(value, str) else value
        for value in (node.padding, node.stride, node.dilation)
    )
    w = node.weight
    if pads == "same":
        spans = [d * (k - 1) for d, k in zip(dilations, w.shape[2:], strict=True)]
        pads = [(span // 2, span - span // 2) for span in spans]
    elif pads == "valid":
        pads = [(0, 0), (0, 0)]
    else:
        pads = [(p, p) for p in pads]
    x = np.pad(x, [(0, 0), *pads])
    (kh, kw), (dh, dw), (sh, sw) = w.shape[2:], dilations, strides
    rows = (x.shape[1] - dh * (kh - 1) - 1) // sh + 1
    columns = (x.shape[2] - dw * (kw - 1) - 1) // sw + 1
    out = np.zeros((len(w), rows, columns))
    each, made = w.shape[1], len(w) // node.groups
    for c in range(len(w)):
        seen = x[c // made * each : c // made * each + each]
        for i in range(rows):
            for j in range(columns):
                window = seen[
                    :,
                    i * sh : i * sh + dh * (kh - 1) + 1 : dh,
                    j * sw : j * sw + dw * (kw - 1) + 1 : dw,
                ]
                out[c, i, j] = (window * w[c]).sum()
    return out


def apply_pool(node, x):
    """Return sum or average pooling of x (C, H, W), padding counted in."""
    (kh, kw), (sh, sw), (ph, pw) = (
        np.broadcast_to(v, 2).tolist() for v in (node.kernel_size, node.stride, node.padding)
    )
    x = np.pad(x, [(0, 0), (ph, ph), (pw, pw)])
    rows, columns = (x.shape[1] - kh) // sh + 1, (x.shape[2] - kw) // sw + 1
    out = np.zeros((len(x), rows, columns))
    for i in range(rows):
        for j in range(columns):
            out[:, i, j] = x[:, i * sh : i * sh + kh, j * sw : j * sw + kw].sum(axis=(1, 2))
    return out / (kh * kw) if isinstance(node, nir.AvgPool2d) else out


def apply(node, x):
    """Return what a node that is no neuron gives for x."""
    if isinstance(node, nir.Conv2d):
        return apply_conv(node, x)
    if isinstance(node, nir.SumPool2d | nir.AvgPool2d):
        return apply_pool(node, x)
    if isinstance(node, nir.Affine | nir.Linear):
        return node.weight @ x.reshape(-1)
    if isinstance(node, nir.Scale):
        return node.scale * x
    return x.reshape(-1)


def dense_of(nodes, shape):
    """Return the matrix of a chain of nodes by pushing unit vectors through it."""
    columns = []
    for i in range(int(np.prod(shape))):
        x = np.zeros(int(np.prod(shape)))
        x[i] = 1
        x = x.reshape(shape)
        for node in nodes:
            x = apply(node, x)
        columns.append(x.reshape(-1))
    return np.stack(columns, axis=1)


def dense_from(snn, first_post, last_post, num_inputs):
    """Return the weights of a population's synapses from the first neurons as a full matrix."""
    matrix = np.zeros((snn.num_neurons, snn.num_neurons))
    matrix[snn.post_of_synapse(), snn.indices] = snn.weights
    return matrix[first_post : last_post + 1, :num_inputs]


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


def dense_shape(chain, shape):
    x = np.zeros(shape)
    for node in chain:
        x = apply(node, x)
    return x.shape


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


# --- traps of real files ---


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


# --- decisions of this project ---


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


# --- real and large files ---


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
