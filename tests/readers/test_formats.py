"""Edge lists, numpy files, CARLsim text: same network, same arrays; bad files, one line."""

import os

import nir
import numpy as np
import pytest
import scipy.sparse

from optmap.errors import InputError
from optmap.model.snn import from_edges
from optmap.readers.arrays import ROW_READS, write_arrays
from optmap.readers.read import read_network


@pytest.fixture
def recurrent_weights():
    """Return random weights (reader x read) of 3 inputs and 9 neurons, loops included."""
    rng = np.random.default_rng(3)
    matrix = rng.uniform(0.1, 1, (12, 12)) * (rng.random((12, 12)) < 0.4)
    matrix[:3] = 0
    matrix[3, 3] = 1.0
    matrix[11, 11] = 0.5  # the last neuron has a synapse, so that every format sees it
    return matrix


def test_same_network_through_every_format(tmp_path, recurrent_weights, write_nir, lif):
    matrix = recurrent_weights
    post, pre = np.nonzero(matrix)
    expected = from_edges(pre, post, 12, weights=matrix[post, pre])
    rng = np.random.default_rng(1)
    shuffled = rng.permutation(len(pre))

    rows = [f" {pre[k]} ,{post[k]}, {float(matrix[post[k], pre[k]])!r}" for k in shuffled]
    (tmp_path / "edges.csv").write_text("source,target,weight\n" + "\n".join(rows) + "\n")
    (tmp_path / "bare.csv").write_text("\n".join(f"{pre[k]},{post[k]}" for k in shuffled))
    lines = [f"{i} " + " ".join(map(str, post[pre == i])) for i in rng.permutation(12)]
    (tmp_path / "connections.txt").write_text("\n".join(lines) + "\n")
    np.save(tmp_path / "dense.npy", matrix)
    np.save(tmp_path / "pairs.npy", np.stack([pre, post], axis=1)[shuffled])
    np.savez(tmp_path / "dense.npz", weights=matrix)
    np.savez(tmp_path / "pairs.npz", pre=pre, post=post, weights=matrix[post, pre])
    np.savez(tmp_path / "lists.npz", indptr=expected.indptr, indices=expected.indices)
    write_arrays(tmp_path / "own.npz", expected)
    for kind in ("csr", "csc", "coo"):
        sparse = scipy.sparse.csr_array(matrix).asformat(kind)
        scipy.sparse.save_npz(tmp_path / f"{kind}.npz", sparse)
    nodes = {
        "in": nir.Input(np.array([3])),
        "w_in": nir.Linear(matrix[3:, :3]),
        "lif": lif(9),
        "w_rec": nir.Affine(matrix[3:, 3:], np.zeros(9)),
        "out": nir.Output(np.array([9])),
    }
    edges = [("in", "w_in"), ("w_in", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "out")]
    write_nir(nodes, edges)

    files = sorted(tmp_path.iterdir())
    assert len(files) == 13
    for file in files:
        snn = read_network(file)
        assert snn == expected, file.name
        assert snn.spikes_origin == "assumed"
        is_matrix = file.stem == "dense" or file.stem in ("csr", "csc", "coo")
        assert (ROW_READS in snn.notes) == is_matrix, file.name
        if snn.weights is not None:
            assert np.array_equal(snn.weights, expected.weights), file.name


def test_own_file_keeps_everything(tmp_path):
    snn = read_network("gen:edges-8").with_spikes(np.arange(112), "counted by hand")
    write_arrays(tmp_path / "net.npz", snn)
    back = read_network(tmp_path / "net.npz")
    assert back == snn
    assert back.populations == snn.populations
    assert back.spikes_origin == "counted by hand"


# --- edge lists ---


def edges_of(tmp_path, text, **options):
    path = tmp_path / "list.csv"
    path.write_text(text, encoding="utf-8")
    snn = read_network(path, **options)
    pairs = list(zip(snn.indices.tolist(), snn.post_of_synapse().tolist(), strict=True))
    return snn, pairs


def test_names_are_stripped_and_sorted_naturally(tmp_path):
    snn, pairs = edges_of(tmp_path, "A10 , A9\nA9,B\n# remark, ignored\n\nB ,A10\n")
    assert pairs == [(2, 1), (0, 2), (1, 0)] or sorted(pairs) == [(0, 2), (1, 0), (2, 1)]
    assert snn.num_neurons == 3


def test_order_of_rows_does_not_matter(tmp_path):
    rows = ["x2,x10", "x10,y", "y,x2", "x2,x2"]
    first, _ = edges_of(tmp_path, "\n".join(rows))
    second, _ = edges_of(tmp_path, "\n".join(rows[::-1]))
    assert first == second
    assert first.num_synapses == 4, "a self-loop is a synapse"


def test_electrical_rows_count_both_ways_once(tmp_path):
    rows = ["a,b,3,electrical", "b,c,2,Electrical", "c,b,5,electrical", "a,c,1,chemical"]
    text = "\n".join(["Source,Target,Weight,Type", *rows])
    snn, pairs = edges_of(tmp_path, text)
    assert sorted(pairs) == [(0, 1), (0, 2), (1, 0), (1, 2), (2, 1)]
    weight = dict(zip(pairs, snn.weights.tolist(), strict=True))
    assert weight == {(0, 1): 3, (1, 0): 3, (1, 2): 2, (2, 1): 5, (0, 2): 1}


def test_parallel_rows_add_and_zero_weights_drop(tmp_path):
    text = "0,1,2.5\n0,1,1\n1,2,0\n0,2,1\n"
    snn, pairs = edges_of(tmp_path, text)
    assert pairs == [(0, 1), (0, 2)]
    assert snn.weights.tolist() == [3.5, 1]
    _, kept = edges_of(tmp_path, text, keep_zero_weights=True)
    assert kept == [(0, 1), (0, 2), (1, 2)]


@pytest.mark.parametrize(
    "text",
    [
        "a;b\nb;c\n",
        "a\tb\nb\tc\n",
        "\ufeffpre,post\na,b\nb,c\n",
        "target,weight,source\nb,1,a\nc,1,b\n",
        "a,b,chemical\nb,c,chemical\n",
        '"a","b"\r\n"b","c"\r\n',
    ],
)
def test_ways_to_write_a_list(tmp_path, text):
    _, pairs = edges_of(tmp_path, text)
    assert pairs == [(0, 1), (1, 2)]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "an empty file"),
        ("source,target\n", "no synapse"),
        ("a,b\nc\n", "line 2: found 1 cells"),
        ("a\n", "line 1: found 1 cells"),
        ("a,b,1,chemical,9\n", "line 1: found 5 cells"),
        ("a,b,1\nb,c,heavy\n", "line 2: found weight 'heavy'"),
        ("a,b,1\nb,c,nan\n", "line 2: found weight 'nan'"),
        ("source,target,weight\na,b,inf\n", "line 2: found weight 'inf'"),
        ("source,target,target\na,b,c\n", "2 pairs of columns"),
        ("source,target,weight,w\na,b,1,2\n", "columns of one meaning, 'weight', 'w'"),
        ("a,\n", "empty name"),
        ("0.5,1\n1,2\n", "neuron 0.5"),
        ("1e17,2e17\n2e17,3e17\n", "neuron 1e17"),
        ("-1,2\n", "neuron number -1"),
        ("a,b,0\n", "without synapses"),
        ("a\0,b\n", "zero bytes"),
    ],
)
def test_bad_lists_name_the_line(tmp_path, text, place):
    with pytest.raises(InputError) as caught:
        edges_of(tmp_path, text)
    assert place in str(caught.value)
    assert "list.csv" in str(caught.value)


def test_connectome(shared_data):
    """The published list: 7,379 rows, names with trailing blanks, gap junctions mostly twice."""
    path = shared_data / "connectome" / "c_elegans_herm_full_edgelist.csv"
    rows = [[c.strip() for c in row.split(",")] for row in path.read_text().splitlines()[1:]]
    pairs = {(a, b) for a, b, *_ in rows} | {(b, a) for a, b, _, t in rows if t == "electrical"}
    names = sorted({name for pair in pairs for name in pair})
    snn = read_network(path)
    assert snn.num_neurons == len(names) == 448
    assert snn.num_synapses == len(pairs) == 6_631
    assert snn.spikes_origin == "assumed"
    assert sum(1 for a, b in pairs if a == b) == (snn.indices == snn.post_of_synapse()).sum()


# --- numpy files ---


@pytest.mark.parametrize(
    ("arrays", "found"),
    [
        ({}, "arrays none"),
        ({"x": np.ones(3)}, "arrays x"),
        ({"weights": np.ones((2, 3))}, "shape (2, 3)"),
        ({"weights": np.ones(4)}, "shape (4,)"),
        ({"weights": np.array([["a"]])}, "not numbers"),
        ({"weights": np.full((2, 2), np.nan)}, "not finite"),
        ({"weights": np.zeros((3, 3))}, "without synapses"),
        ({"weights": np.zeros((0, 0))}, "0 neurons without synapses"),
        ({"weights": np.ones((1, 1)), "spikes": np.array([-1])}, "-1 spikes"),
        ({"weights": np.ones((1, 1)), "spikes": np.array([1, 2])}, "spikes of shape (2,)"),
        ({"weights": np.ones((1, 1)), "spikes": np.array([1.5])}, "not whole numbers"),
        ({"weights": np.ones((1, 1)), "spikes": np.array([2.0**60])}, "beyond 2^53"),
        ({"indptr": np.array([0, 2]), "indices": np.array([0, 2**32])}, "indices 0..4294967296"),
        ({"indptr": np.array([0, 3]), "indices": np.array([0])}, "indptr must ascend"),
        ({"indptr": np.array([0, 0, 2]), "indices": np.array([1, 0])}, "ascend strictly"),
        ({"indptr": np.zeros((0,), int), "indices": np.zeros(0, int)}, "no list"),
        ({"pre": np.array([0, 1]), "post": np.array([1])}, "pre has shape"),
        ({"pre": np.array([-1]), "post": np.array([0])}, "-1..0"),
        ({"pre": np.array([0.5]), "post": np.array([0])}, "not whole numbers"),
        ({"pre": np.array([0]), "post": np.array([5]), "num_neurons": np.array(3)}, "0..2"),
        (
            {"format": np.array("dia"), "shape": np.array([2, 2]), "data": np.ones(2)},
            "format 'dia'",
        ),
        (
            {"format": np.array("csr"), "shape": np.array([2, 2]), "data": np.ones(2)},
            "indices",
        ),
        (
            {"indptr": [0, 0, 1], "indices": [0], "pre": [0], "post": [1]},
            "both indptr, indices and pre, post",
        ),
    ],
)
def test_bad_arrays_say_what_was_found(tmp_path, arrays, found):
    path = tmp_path / "net.npz"
    np.savez(path, **arrays)
    with pytest.raises(InputError) as caught:
        read_network(path)
    assert found in str(caught.value)
    assert str(path) in str(caught.value)


def test_pickles_are_never_loaded(tmp_path):
    np.savez(tmp_path / "net.npz", weights=np.array([{"a": 1}], dtype=object))
    np.save(tmp_path / "net.npy", np.array([{"a": 1}], dtype=object))
    for name in ("net.npz", "net.npy"):
        with pytest.raises(InputError, match="no readable numpy file"):
            read_network(tmp_path / name)


@pytest.mark.parametrize("suffix", [".npz", ".npy"])
@pytest.mark.parametrize("part", [0, 0.3, 0.9])
def test_truncated_arrays_cost_one_line(tmp_path, suffix, part):
    whole = tmp_path / f"whole{suffix}"
    save = np.savez if suffix == ".npz" else np.save
    save(whole, np.random.default_rng(0).random((30, 30)))
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * part)])
    with pytest.raises(InputError) as caught:
        read_network(cut)
    assert "\n" not in str(caught.value)


def test_sparse_and_list_files_drop_zero_weights(tmp_path):
    path = tmp_path / "net.npz"
    np.savez(path, indptr=[0, 0, 2], indices=[0, 1], weights=[0.0, 2.0])
    assert read_network(path).num_synapses == 1
    assert read_network(path, keep_zero_weights=True).num_synapses == 2
    np.savez(path, pre=[0, 1], post=[1, 1], weights=[0.0, 2.0])
    assert read_network(path).num_synapses == 1
    assert read_network(path, keep_zero_weights=True).num_synapses == 2


# --- CARLsim ---


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("0 1\n1 x\n", "line 2: found '1 x'"),
        ("0 1.5\n", "line 1"),
        ("0 -1\n", "neuron -1"),
        ("0 999999999999\n", "neuron 999999999999"),
        ("0 99999999999999999999999\n", "line 1"),
        ("0\n1\n", "no synapse"),
    ],
)
def test_bad_connection_lines_are_named(tmp_path, text, place):
    path = tmp_path / "net.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=place):
        read_network(path)


# --- the door ---


def test_other_paths_are_refused(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)))
    for path, found in (
        (tmp_path / "missing.csv", "No such file"),
        (tmp_path, "a folder without csram"),
        (pipe, "no regular file"),
        (tmp_path / "binary.csv", "no UTF-8"),
        (tmp_path / ("x" * 300), "name too long"),
    ):
        with pytest.raises(InputError, match=found):
            read_network(path)
    with pytest.raises(InputError, match="unknown generator"):
        read_network("gen:")


def test_content_decides_where_the_suffix_does_not(tmp_path):
    np.savez(tmp_path / "net.npz", pre=[0], post=[1])
    (tmp_path / "net.npz").rename(tmp_path / "arrays.dat")
    (tmp_path / "list.dat").write_text("0,1\n")
    (tmp_path / "lines.dat").write_text("# CARLsim\n0 1\n")
    snns = [read_network(tmp_path / f"{n}.dat") for n in ("arrays", "list", "lines")]
    assert snns[0] == snns[1] == snns[2]


@pytest.mark.parametrize("suffix", ["csv", "txt", "dat", "npz", "npy", "tsv"])
def test_noise_is_read_or_refused(tmp_path, suffix):
    """Random bytes, and random characters that lists are made of."""
    rng = np.random.default_rng(len(suffix) + ord(suffix[0]))
    path = tmp_path / f"noise.{suffix}"
    lists = np.frombuffer(b'0123 ,;\t\n"ab.-#e', dtype=np.uint8)
    magic = {"npz": b"PK\x03\x04", "npy": b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f8', "}
    messages = []
    for trial in range(120):
        size = int(rng.integers(0, 60))
        noise = rng.choice(lists, size) if trial % 2 else rng.integers(0, 256, size, np.uint8)
        path.write_bytes(magic.get(suffix, b"") + noise.tobytes())
        try:
            assert read_network(path).num_synapses > 0
        except InputError as error:
            messages.append(str(error))
    assert messages
    assert all(len(message.splitlines()) == 1 for message in messages)


def test_arrays_are_found_by_the_words_of_a_header(tmp_path):
    np.savez(tmp_path / "n.npz", source=[0, 1], target=[1, 2], weight=[4.0, 5.0], delay=[1, 1])
    snn = read_network(str(tmp_path / "n.npz"))
    assert (snn.indices.tolist(), snn.weights.tolist()) == ([0, 1], [4.0, 5.0])
    assert "arrays left out: delay" in snn.notes
    np.savez(tmp_path / "big.npz", pre=[720575940603231916], post=[720575940603231917])
    assert read_network(str(tmp_path / "big.npz")).num_neurons == 2


def test_two_pairs_that_may_be_a_matrix_are_refused(tmp_path):
    np.save(tmp_path / "n.npy", np.array([[0, 1], [1, 0]]))
    with pytest.raises(InputError, match="matrix or two pairs"):
        read_network(str(tmp_path / "n.npy"))
    told = read_network(str(tmp_path / "n.npy"), options={"matrix_rows": "post"})
    assert told.num_synapses == 2
