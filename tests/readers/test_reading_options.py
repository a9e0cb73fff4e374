"""Options of reading: matrices by their rows, options of other formats refused, the API's way."""

from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse

import optmap as om
from optmap.errors import InputError
from optmap.readers.arrays import ROW_DRIVES, ROW_READS, write_arrays
from optmap.readers.formats import FORMATS
from optmap.readers.options import OPTION_HELP, OPTION_NAMES, ReadOptions, as_options
from optmap.readers.read import read_network


@pytest.fixture
def drives():
    """Return weights (driver x reader): 0 drives 1 and 2, 2 drives 1 and itself."""
    return np.array([[0, 2.0, 3.0], [0, 0, 0], [0, 4.0, 5.0]])


def matrices(folder: Path, matrix: np.ndarray) -> list[Path]:
    np.save(folder / "a.npy", matrix)
    np.savez(folder / "b.npz", weights=matrix)
    for kind in ("csr", "csc", "coo"):
        scipy.sparse.save_npz(folder / f"{kind}.npz", scipy.sparse.csr_array(matrix).asformat(kind))
    scipy.io.mmwrite(folder / "m.mtx", scipy.sparse.coo_array(matrix))
    return sorted(folder.iterdir())


def test_rows_of_a_matrix_are_read_as_told(tmp_path, drives):
    for file in matrices(tmp_path, drives):
        pre = read_network(file, options={"matrix_rows": "pre"})
        assert [pre.sources_of(i).tolist() for i in range(3)] == [[], [0, 2], [0, 2]], file.name
        assert pre.weights.tolist() == [2, 4, 3, 5], file.name
        post = read_network(file, options={"matrix_rows": "post"})
        if file.suffix != ".npy":  # three rows of three numbers may be a list of synapses
            assert read_network(file) == post
        assert [post.sources_of(i).tolist() for i in range(3)] == [[1, 2], [], [1, 2]]
        if file.suffix != ".mtx":
            assert (ROW_DRIVES in pre.notes, ROW_READS in pre.notes) == (True, False)


def test_spikes_of_an_archive_stay_with_their_neurons(tmp_path, drives):
    np.savez(tmp_path / "n.npz", weights=drives, spikes=[7, 8, 9], self_driven=[0])
    snn = read_network(tmp_path / "n.npz", options={"matrix_rows": "pre"})
    assert (snn.spikes.tolist(), snn.self_driven.tolist()) == ([7, 8, 9], [0])


def test_lists_of_synapses_have_no_rows(tmp_path):
    write_arrays(tmp_path / "n.npz", om.read_network("gen:mlp-3-2"))
    np.save(tmp_path / "pairs.npy", np.array([[0, 1], [1, 2], [0, 2]]))
    for name in ("n.npz", "pairs.npy"):
        for rows in ("pre", "post"):
            with pytest.raises(InputError, match="--matrix-rows"):
                read_network(tmp_path / name, options={"matrix_rows": rows})


@pytest.mark.parametrize("option", ["columns", "matrix_rows", "parameters"])
def test_options_of_other_formats_are_refused(tmp_path, option):
    value = {"columns": "pre,post", "matrix_rows": "pre", "parameters": "num_axons=4"}[option]
    for kind in FORMATS:
        if option in kind.options or kind.suffixes == ("a folder",):
            continue
        file = tmp_path / f"net{kind.suffixes[0]}"
        file.write_text("0 1 2\n")
        with pytest.raises(InputError, match="--format"):
            read_network(file, options={"format": kind.name, option: value})


def test_the_library_takes_what_the_command_line_takes(tmp_path):
    (tmp_path / "e.csv").write_text("axon,dendrite,n\n0,2,3\n1,2,1\n")
    np.save(tmp_path / "s.npy", np.ones((4, 3), dtype=np.int64))
    reading = {"columns": ["axon", "dendrite", "n"], "spike_axes": "TN"}
    spikes = str(tmp_path / "s.npy")
    asked = [om.map_network(str(tmp_path / "e.csv"), "dynap_se", spikes=spikes, reading=reading)]
    chip = om.read_platform("dynap_se")
    asked.append(om.map_network(str(tmp_path / "e.csv"), chip, spikes=spikes, reading=reading))
    snn = om.read_network(tmp_path / "e.csv", options={"columns": "axon,dendrite,n"})
    asked.append(om.map_network(snn, chip, spikes=spikes, reading={"spike_axes": "TN"}))
    assert [found.exact["traffic"] for found in asked] == [8, 8, 8]
    for wrong in ({"colums": "a"}, {"matrix_rows": "row"}):
        with pytest.raises(InputError):
            om.map_network(str(tmp_path / "e.csv"), "dynap_se", reading=wrong)
    with pytest.raises(InputError, match="instance"):
        om.map_network("mlp_tiny", reading=reading)


def test_options_survive_as_text():
    given = dict.fromkeys(OPTION_NAMES, "pre")
    given |= {"spike_axes": "TN", "spike_window": "1/3", "columns": "a,b", "spike_columns": "c,d"}
    options = as_options(given)
    assert options == as_options(options)
    assert options == as_options(options.to_dict())
    assert set(OPTION_HELP) == set(OPTION_NAMES) == set(ReadOptions.__dataclass_fields__)


def test_the_page_lists_formats_and_options_of_the_code():
    page = (Path(__file__).parents[2] / "docs" / "networks.md").read_text()
    for kind in FORMATS:
        suffixes = ", ".join(s if s == "a folder" else f"`{s}`" for s in kind.suffixes)
        assert f"| `{kind.name}` | {suffixes} | {kind.help} |" in page
    for name, text in OPTION_HELP.items():
        assert f"| `--{name.replace('_', '-')} TEXT` | {text} |" in page


def test_numbers_of_several_populations_are_no_names(tmp_path):
    head = "source_population,source_node_id,target_population,target_node_id,syn_weight\n"
    (tmp_path / "one.csv").write_text(head + "v1,0,v1,1,2\nv1,0,v1,2,3\n")
    (tmp_path / "two.csv").write_text(head + "v1,0,v1,1,2\nlgn,0,v1,2,3\n")
    assert read_network(tmp_path / "one.csv").num_synapses == 2
    with pytest.raises(InputError, match="populations lgn, v1"):
        read_network(tmp_path / "two.csv")
    (tmp_path / "s.csv").write_text("population,node_ids,timestamps\na,0,1\na,1,2\n")
    spikes = tmp_path / "s.csv"
    assert read_network(tmp_path / "one.csv", spikes=spikes).spikes.tolist() == [1, 1, 0]
    spikes.write_text("population,node_ids,timestamps\na,0,1\nb,0,2\n")
    with pytest.raises(InputError, match="populations a, b"):
        read_network(tmp_path / "one.csv", spikes=spikes)
