"""Spike files beside a network."""

import h5py
import nir
import numpy as np
import pytest

from optmap.errors import InputError
from optmap.readers.read import read_network
from optmap.readers.spikes import with_spike_file


@pytest.fixture
def snn():
    return read_network("gen:mlp-2-3")


def test_every_format_gives_the_same_profile(tmp_path, snn, in_process):
    counts = np.array([3, 0, 1, 4, 2])
    np.save(tmp_path / "s.npy", counts)
    np.savez(tmp_path / "s.npz", spikes=counts.astype(np.uint8))
    (tmp_path / "s.csv").write_text("neuron,spikes\n0,3\n2,1\n4,2\n3,4\n")
    (tmp_path / "s.txt").write_text("0 1 5 9\n2 0.5\n3 1 2\n3 3 4\n4 7 8\n# end\n")
    events = nir.NIRNodeData(
        {"spikes": nir.EventData(np.array([[0, 0, 0, -1]]), np.array([[1, 2, 3, np.inf]]), 2, 9.0)}
    )
    grid = np.zeros((1, 4, 3), dtype=bool)
    grid[0, 0, 0] = grid[0, :, 1] = grid[0, :2, 2] = True
    gridded = nir.NIRNodeData({"spikes": nir.TimeGriddedData(grid, 1.0)})
    data = nir.NIRGraphData({"input": events, "output": gridded})
    nir.write_data(tmp_path / "s.nir", data)
    for file in sorted(tmp_path.iterdir()):
        loaded = with_spike_file(snn, file)
        assert loaded.spikes.tolist() == counts.tolist(), file.name
        assert loaded.spikes_origin != "assumed"
        assert file.name in loaded.spikes_origin


def test_named_neurons_and_origin(tmp_path):
    (tmp_path / "net.csv").write_text("in,b10\nin,b9\n")
    (tmp_path / "s.csv").write_text("in, 7\nb9,1\n")
    assert read_network(tmp_path / "net.csv", spikes=tmp_path / "s.csv").spikes.tolist() == [
        1,
        0,
        7,
    ]
    np.savez(tmp_path / "s.npz", spikes=[1, 2, 3], spikes_origin="a recording")
    snn = read_network(tmp_path / "net.csv", spikes=tmp_path / "s.npz")
    assert (snn.spikes.tolist(), snn.spikes_origin) == ([1, 2, 3], "a recording")


def test_recordings_are_averaged_upwards_and_gaps_named(tmp_path, snn, in_process):
    index = np.array([[0, 0, 2, 2], [0, 2, 2, -1], [0, 0, -1, -1]])  # neuron 0: 5, neuron 2: 4
    events = nir.NIRNodeData({"spikes": nir.EventData(index, index * 1.0, 3, 9.0)})
    nir.write_data(tmp_path / "s.nir", nir.NIRGraphData({"output": events}))
    loaded = with_spike_file(snn, tmp_path / "s.nir")
    assert loaded.spikes.tolist() == [1, 1, 2, 0, 2]
    assert "mean of 3 samples" in loaded.spikes_origin
    assert "assumed for input" in loaded.spikes_origin


def test_nested_recordings_find_nested_nodes(tmp_path, write_nir, lif):
    inner = nir.NIRGraph(
        nodes={"i": nir.Input(np.array([2])), "n": lif(2), "o": nir.Output(np.array([2]))},
        edges=[("i", "n"), ("n", "o")],
        type_check=False,
    )
    network = write_nir({"in": nir.Input(np.array([2])), "cell": inner}, [("in", "cell")])
    with h5py.File(tmp_path / "s.nir", "w") as f:  # the package recurses for ever on these
        f.attrs["__type__"] = f.create_group("nodes/cell").attrs["__type__"] = "NIRGraphData"
        f.create_group("nodes/cell/nodes/n").attrs["__type__"] = "NIRNodeData"
        f["nodes/cell/nodes/n/observables/spikes/data"] = np.ones((1, 5, 2), dtype=bool)
    assert read_network(network, spikes=tmp_path / "s.nir").spikes.tolist() == [1, 1, 5, 5]


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("s.csv", "0\n", "line 1"),
        ("s.csv", "0,-1\n", "line 1"),
        ("s.csv", "9,1\n", "neuron '9'"),
        ("s.csv", "0,1\n0,2\n", "again"),
        ("s.csv", "0,99999999999999999999\n", "99999999999999999999"),
        ("s.csv", "id,count\n0,900000000000000\n1,900000000000000\n", "more than"),
        ("s.csv", "", "an empty file"),
        ("s.txt", "7 1\n", "neuron 7"),
        ("s.txt", "0 x\n", "line 1"),
        ("s.txt", "0 -1\n", "below 0"),
        ("s.npz", "no numpy", "no readable numpy"),
        ("s.nir", "no hdf5", "no readable HDF5"),
        ("missing.npz", None, "no such file"),
    ],
)
def test_bad_spike_files_cost_one_line(tmp_path, snn, in_process, name, text, found):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=found):
        with_spike_file(snn, tmp_path / name)


@pytest.mark.parametrize(
    ("spikes", "found"),
    [
        (np.ones(4, int), "shape"),
        (np.full(5, np.pi), "float64 numbers, no whole ones"),
        (np.full(5, -0.5), "-0.5 spikes"),
        (np.full((5, 5), 1), "axes with --spike-axes"),
        (np.full((5, 2), 1), "a list of events: --spike-columns"),
        (np.full((2, 4, 5), 1), "axes with --spike-axes"),
        (np.full((4, 5), 0.5), "no counts"),
        (np.array([1, 1, 1, 1, -2]), "-2 spikes"),
        (np.full(5, 2**63, dtype=np.uint64), "too large"),
    ],
)
def test_bad_spike_arrays_cost_one_line(tmp_path, snn, spikes, found):
    np.savez(tmp_path / "s.npz", spikes=spikes)
    with pytest.raises(InputError, match=found):
        with_spike_file(snn, tmp_path / "s.npz")
    np.savez(tmp_path / "s.npz", other=spikes)
    with pytest.raises(InputError, match="found other"):
        with_spike_file(snn, tmp_path / "s.npz")


def record(n=3, samples=1, steps=4):
    return nir.TimeGriddedData(np.ones((samples, steps, n)), 1.0)


@pytest.mark.parametrize(
    ("nodes", "found"),
    [
        ({"lif": {"spikes": record()}}, "no such population"),
        ({"output": {"spikes": record(4)}}, "data of shape"),
        ({"output": {"voltage": record()}}, "no observable named spikes"),
        ({"output": {"spikes": nir.TimeGriddedData(np.full((1, 1, 3), 0.5), 1.0)}}, "no counts"),
        (
            {"output": {"spikes": nir.EventData(np.array([[3]]), np.array([[1.0]]), 3, 9.0)}},
            "neuron 3",
        ),
        (
            {"output": {"spikes": nir.EventData(np.array([[1]]), np.array([[1.0]]), 9, 9.0)}},
            "9 neurons",
        ),
        (
            {"output": {"spikes": nir.EventData(np.array([[0.5]]), np.array([[1.0]]), 3, 9.0)}},
            "idx of",
        ),
    ],
)
def test_bad_recordings_name_the_node(tmp_path, snn, in_process, nodes, found):
    data = nir.NIRGraphData({name: nir.NIRNodeData(o) for name, o in nodes.items()})
    nir.write_data(tmp_path / "s.nir", data)
    with pytest.raises(InputError, match=found):
        with_spike_file(snn, tmp_path / "s.nir")


def test_a_graph_is_no_recording_and_the_other_way_round(tmp_path, snn, write_nir, lif):
    path = write_nir({"in": nir.Input(np.array([2])), "n": lif(2)}, [("in", "n")])
    with pytest.raises(InputError, match="another type"):
        with_spike_file(snn, path)
    spoken = nir.NIRNodeData({"spikes": record()})
    nir.write_data(tmp_path / "s.nir", nir.NIRGraphData({"output": spoken}))
    with pytest.raises(InputError, match="NIRData"):
        read_network(tmp_path / "s.nir")
