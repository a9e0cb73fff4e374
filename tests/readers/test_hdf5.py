"""HDF5 of strangers: whatever the file does, the caller gets a tree or one line."""

import sys

import h5py
import numpy as np
import pytest

from optmap.errors import InputError
from optmap.readers import hdf5
from optmap.readers.hdf5 import read_tree
from optmap.readers.read import read_network


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "good.nir"
    with h5py.File(path, "w") as f:
        f.attrs["kind"] = "test"
        group = f.create_group("node")
        group.create_dataset("type", data="NIRGraph", dtype=h5py.string_dtype())
        group.create_dataset("weights", data=np.arange(6000.0).reshape(60, 100), compression="gzip")
        group.create_dataset("edges", data=[["a", "b"], ["b", "ü"]], dtype=h5py.string_dtype())
        group.create_dataset("nothing", data=h5py.Empty("f4"))
        group.create_dataset("whole", data=np.int16(-3))
    return path


def test_tree_comes_back_whole(file):
    tree = read_tree(file, "a test")
    node = tree.groups["node"]
    assert str(tree.attributes["kind"].item()) == "test"
    assert node.text("type") == "NIRGraph"
    assert np.array_equal(node.values["weights"], np.arange(6000.0).reshape(60, 100))
    assert node.values["edges"].tolist() == [["a", "b"], ["b", "ü"]]
    assert node.values["whole"].item() == -3
    assert "nothing" not in node.values


def test_a_file_is_read_again_by_a_child_only_where_it_was_changed(file, monkeypatch):
    children = []
    start = hdf5.subprocess.run
    monkeypatch.setattr(
        hdf5.subprocess, "run", lambda *args, **how: children.append(1) or start(*args, **how)
    )
    first = read_tree(file, "a test").groups["node"].values["weights"]
    first[:] = -1.0  # nobody else's
    again = read_tree(file, "a test").groups["node"].values["weights"]
    assert np.array_equal(again, np.arange(6000.0).reshape(60, 100))
    assert len(children) == 1
    with h5py.File(file, "a") as f:
        f["node/weights"][0, 0] = 7.0
    assert read_tree(file, "a test").groups["node"].values["weights"][0, 0] == 7.0
    assert len(children) == 2


def test_what_lies_in_other_files_is_not_read(tmp_path):
    """External storage and virtual datasets name any file of this machine."""
    (tmp_path / "secret.bin").write_bytes(np.arange(8.0).tobytes())
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other.create_dataset("data", data=np.arange(8.0))
    path = tmp_path / "curious.nir"
    with h5py.File(path, "w") as f:
        group = f.create_group("node")
        group.create_dataset("own", data=np.arange(8.0))
        storage = [(str(tmp_path / "secret.bin"), 0, 64)]
        group.create_dataset("external", (8,), "f8", external=storage)
        layout = h5py.VirtualLayout(shape=(8,), dtype="f8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "data", shape=(8,))
        group.create_virtual_dataset("virtual", layout)
    assert list(read_tree(path, "a test").groups["node"].values) == ["own"]


@pytest.mark.parametrize("part", [0.02, 0.5, 0.99])
def test_truncated_files_cost_one_line(file, tmp_path, part):
    data = file.read_bytes()
    cut = tmp_path / "cut.nir"
    cut.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(InputError) as caught:
        read_tree(cut, "a test")
    assert "\n" not in str(caught.value)
    assert str(cut) in str(caught.value)


def test_flipped_bytes_give_a_tree_or_one_line(file, tmp_path, monkeypatch):
    """Six files, each with one corrupt stretch; an endless read counts as damage too."""
    monkeypatch.setattr(hdf5, "TIMEOUT_S", 20)
    data = np.frombuffer(file.read_bytes(), dtype=np.uint8)
    rng = np.random.default_rng(5)
    refused: list[str] = []
    for _ in range(6):
        bad = data.copy()
        start = int(rng.integers(8, len(bad) - 40))
        bad[start : start + 40] = rng.integers(0, 256, 40)
        path = tmp_path / "bad.nir"
        path.write_bytes(bad.tobytes())
        try:
            read_tree(path, "a test")
        except InputError as error:
            refused.append(str(error))
    assert refused
    assert not any("\n" in line for line in refused)


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crashed on it with signal 11"),
        ("import time; time.sleep(60)", "without end"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "read for 1 s without end"),
        ("raise SystemExit('out of luck')", "out of luck"),
    ],
)
def test_death_of_the_reader_costs_one_line(file, tmp_path, monkeypatch, program, found):
    child = tmp_path / "child.py"
    child.write_text(program)
    monkeypatch.setattr(hdf5, "_CHILD", child)
    monkeypatch.setattr(hdf5, "TIMEOUT_S", 1)
    monkeypatch.setattr(hdf5, "BUSY", 3)
    with pytest.raises(InputError, match=found):
        read_tree(file, "a test")


def test_the_reader_has_processor_time_of_its_own(file, monkeypatch):
    """On a busy machine a whole file takes long by the clock: it is not damaged."""
    child = hdf5._CHILD.read_text()
    endless = child.replace("    main(sys.argv[2]", "    while True: pass\n    main(sys.argv[2]")
    assert endless != child
    stuck = file.with_name("stuck.py")
    stuck.write_text(endless)
    monkeypatch.setattr(hdf5, "_CHILD", stuck)
    monkeypatch.setattr(hdf5, "TIMEOUT_S", 1)
    monkeypatch.setattr(hdf5, "BUSY", 600)
    with pytest.raises(InputError, match="read for 1 s without end"):
        read_tree(file, "a test")


def test_links_and_claims_of_size_are_refused(tmp_path):
    """Neither other files nor terabytes are touched."""
    linked = tmp_path / "linked.nir"
    with h5py.File(linked, "w") as f:
        f["node"] = h5py.ExternalLink("/etc/passwd", "/")
    with pytest.raises(InputError, match="a link at node"):
        read_tree(linked, "a test")
    huge = tmp_path / "huge.nir"
    with h5py.File(huge, "w") as f:
        f.create_dataset("weights", shape=(10**7, 10**6), dtype="f8", chunks=(1000, 1000))
    with pytest.raises(InputError, match="bytes of arrays"):
        read_tree(huge, "a test")
    looped = tmp_path / "looped.nir"
    with h5py.File(looped, "w") as f:
        f["again"] = f["/"]
    with pytest.raises(InputError, match="nested deeper"):
        read_tree(looped, "a test")


def test_other_files_are_named(tmp_path):
    text = tmp_path / "text.nir"
    text.write_text("hello")
    for path in (text, tmp_path / "missing.nir", tmp_path):
        with pytest.raises(InputError) as caught:
            read_tree(path, "a test")
        assert str(path) in str(caught.value)
    empty = tmp_path / "empty.nir"
    empty.touch()
    with pytest.raises(InputError, match="an empty file"):
        read_network(empty)


def test_the_child_needs_no_project_on_its_path(file, monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    assert read_tree(file, "a test").groups
