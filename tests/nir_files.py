"""NIR files for tests, written by the reference package, read without a child process."""

import io
from collections.abc import Callable
from pathlib import Path

import h5py
import nir
import numpy as np
import pytest

from optmap.readers import hdf5_child, nir_data, nir_file, nir_graph
from optmap.readers.hdf5 import Group, decode


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read HDF5 here: the child costs a second a file, and test_hdf5.py covers it."""

    def read(path: Path, expected: str) -> Group:
        out = io.BytesIO()
        hdf5_child.main(str(path), out)
        return decode(path, out.getvalue(), expected)

    monkeypatch.setattr(nir_graph, "read_tree", read)
    monkeypatch.setattr(nir_file, "read_tree", read)
    monkeypatch.setattr(nir_data, "read_tree", read)


@pytest.fixture
def write_nir(tmp_path: Path, in_process: None) -> Callable[..., Path]:
    """Return a function (nodes, edges) -> path of a .nir file, written without nir's own checks."""

    def write(nodes: dict[str, nir.NIRNode], edges: list[tuple[str, str]]) -> Path:
        path = tmp_path / "net.nir"
        # The package cannot write a missing input_shape; files of 2023 have none.
        shapeless = [
            name
            for name, node in nodes.items()
            if isinstance(node, nir.Conv1d | nir.Conv2d) and node.input_shape is None
        ]
        for name in shapeless:
            nodes[name].input_shape = np.array([0])
        nir.write(path, nir.NIRGraph(nodes=nodes, edges=edges, type_check=False))
        with h5py.File(path, "r+") as file:
            for name in shapeless:
                del file[f"node/nodes/{name}/input_shape"]
                nodes[name].input_shape = None
        return path

    return write


def lif(*shape: int) -> nir.LIF:
    """Return a LIF layer of a shape."""
    one = np.ones(shape)
    return nir.LIF(tau=one, r=one, v_leak=one * 0, v_threshold=one, v_reset=one * 0)


@pytest.fixture(name="lif")
def lif_fixture() -> Callable[..., nir.LIF]:
    """Return the function ``lif``."""
    return lif
