"""Mutated files of every format: a network or one InputError, nothing else, whatever is in them."""

from __future__ import annotations

import json
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

from optmap.errors import InputError
from optmap.instance import load
from optmap.judge.check import check
from optmap.mapping_json import from_dict
from optmap.model.platform_file import load_platform
from optmap.readers import hdf5
from optmap.readers.nir_data import read_nir_data
from optmap.readers.read import read_network
from optmap.readers.snn_hypergraph import write_hypergraph
from optmap.readers.spikes import with_spike_file

ROOT = Path(__file__).parents[2]
INSTANCES = ROOT / "instances"
FEW, MANY = 40, 1_000

INTERESTING = [0, 1, 2, 127, 128, 255, 2**15, 2**16, 2**31 - 1, 2**31, 2**32 - 1]
WORDS = [b"nan", b"inf", b"-1", b"1e999", b"99999999999999999999", b"0", b"", b"\0", b"\xff\xfe",
         b'"', b"[[[[", b"{", b"}", b"<", b"&x;", b",", b"\n", b"-0", b"1_0", b"2.5", b"true",
         b"<!DOCTYPE x>", b"0x10", b"1e400", b"4294967296"]  # fmt: skip


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return the file with a few accidents: cuts, flips, repeats, words out of place."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        kind, at = rng.randrange(9), rng.randrange(len(found) + 1)
        if kind == 0:
            del found[at:]
        elif kind == 1 and found:
            found[at % len(found)] ^= 1 << rng.randrange(8)
        elif kind == 2:
            found[at : at + rng.randrange(1, 9)] = rng.choice(WORDS)
        elif kind == 3:
            found[at : at + 4] = struct.pack("<I", rng.choice(INTERESTING))
        elif kind == 4:
            part = found[at : at + rng.randrange(1, 200)]
            found[at:at] = part * rng.randrange(1, 4)
        elif kind == 5:
            del found[at : at + rng.randrange(1, 60)]
        elif kind == 6:
            found[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 9)))
        elif kind == 7:
            digits = [i for i, c in enumerate(found) if 48 <= c <= 57]
            if digits:
                place = rng.choice(digits)
                found[place : place + 1] = rng.choice(WORDS)
        else:
            lines = bytes(found).split(b"\n")
            rng.shuffle(lines)
            found = bytearray(b"\n".join(lines))
    return bytes(found)


def one_line(error: InputError, where: str) -> None:
    text = str(error)
    assert len(text.splitlines()) == 1, text
    assert where in text, text
    assert len(text) < 2_000, text[:200]


def tries(read: Callable[[Path], object], seeds: list[Path], folder: Path, count: int) -> int:
    """Read ``count`` mutations; return how many were refused."""
    refused = 0
    for seed in seeds:
        data = seed.read_bytes()
        target = folder / f"mutated{seed.suffix}"
        for n in range(count):
            target.write_bytes(mutated(data, random.Random(f"{seed.name} {n}")))
            try:
                read(target)
            except InputError as error:
                refused += 1
                one_line(error, target.name)
    return refused


@pytest.fixture(scope="module")
def seeds(tmp_path_factory) -> dict[str, list[Path]]:
    """Return small good files of every format."""
    folder = tmp_path_factory.mktemp("seeds")
    (folder / "names.csv").write_text(
        "source,target,weight,type\n"
        + "".join(f"n{i},n{i * 7 % 11},{i}.5,chemical\n" for i in range(9))
    )
    (folder / "numbers.csv").write_text("".join(f"{i},{i * 5 % 12}\n" for i in range(12)))
    (folder / "lines.txt").write_text("0 3 4 5\n1 4 5\n# remark\n2 3 5 6\n")
    rng = np.random.default_rng(0)
    matrix = rng.random((9, 9)) * (rng.random((9, 9)) < 0.4)
    np.savez(folder / "dense.npz", weights=matrix, spikes=np.arange(9))
    np.savez_compressed(folder / "pairs.npz", pre=[0, 1, 2], post=[3, 3, 3], num_neurons=4)
    scipy.sparse.save_npz(folder / "sparse.npz", scipy.sparse.coo_array(matrix))
    np.save(folder / "dense.npy", matrix)
    snn = read_network(folder / "dense.npz")
    groups = {"population_names": ["a", "b"], "population_first": [0, 4], "population_last": [3, 8]}
    lists = {"indptr": snn.indptr, "indices": snn.indices, "weights": snn.weights}
    np.savez(folder / "lists.npz", **lists, **groups)
    write_hypergraph(folder / "net.snn", snn)
    shutil.copy(INSTANCES / "lenet_mnist_7.xml", folder / "graph.xml")
    kinds: dict[str, list[Path]] = {}
    for file in sorted(folder.iterdir()):
        kinds.setdefault(file.suffix[1:], []).append(file)
    return kinds


@pytest.mark.parametrize("kind", ["csv", "txt", "npz", "npy", "snn", "xml"])
def test_networks(kind: str, seeds, tmp_path):
    assert tries(read_network, seeds[kind], tmp_path, FEW) > FEW // 8


@pytest.mark.full
@pytest.mark.parametrize("kind", ["csv", "txt", "npz", "npy", "snn", "xml"])
def test_networks_at_length(kind: str, seeds, tmp_path):
    tries(read_network, seeds[kind], tmp_path, MANY)


SPIKES = {"s.csv": b"neuron,spikes\n0,3\n1,4\n2,0\n", "s.txt": b"0 1.5 2 3\n1 7\n"}


def spike_files(folder: Path, count: int) -> None:
    snn = read_network("gen:mlp-3-2")
    seeds = []
    for name, data in SPIKES.items():
        (folder / name).write_bytes(data)
        seeds.append(folder / name)
    np.savez(folder / "s.npz", spikes=np.arange(5), spikes_origin="counted")
    tries(lambda path: with_spike_file(snn, path), [*seeds, folder / "s.npz"], folder, count)


def test_spike_files(tmp_path):
    spike_files(tmp_path, FEW)


@pytest.mark.full
def test_spike_files_at_length(tmp_path):
    spike_files(tmp_path, MANY)


# --- instances, platforms, mappings ---


def toml_files(folder: Path, count: int) -> None:
    for name in ("platforms", "digits_mlp.nir", "digits_mlp_spikes.npz", "digits_mlp_values.npz"):
        source = INSTANCES / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    platforms = [INSTANCES / "platforms" / f"{n}.toml" for n in ("mixed_32_256", "tutorial_2x2")]
    tries(load_platform, platforms, folder, count)

    def whole(path: Path) -> None:
        instance = load(path)
        instance.digest()

    tries(whole, [INSTANCES / "digits_mlp.toml"], folder, count)


def test_platforms_and_instances(tmp_path):
    toml_files(tmp_path, FEW)


@pytest.mark.full
def test_platforms_and_instances_at_length(tmp_path):
    toml_files(tmp_path, MANY)


def mappings(count: int) -> None:
    """Mutate the JSON of a mapping, as text and as data; what still reads is judged, too."""
    snn, platform = (
        read_network("gen:mlp-9-8-3"),
        load_platform(INSTANCES / "platforms/mesh_2x2_16.toml"),
    )
    good = {
        "schema": 1,
        "decomposition": {"policy": "custom", "rows": 6, "inserted": [[9, [0, 1, 2, 3]]],
                          "replaced": {"9": [4, 5, 6, 7, 8, 20]}},
        "cluster_of": [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0],
        "tile_of": [0, 1],
        "orders": [[0], [1], [], []],
        "offsets": [[0], [0], [], []],
        "sends": [[[0, 1]], [], [], []],
    }  # fmt: skip
    plain = good | {
        "decomposition": {"policy": "tree", "rows": 16},
        "cluster_of": [0] * 8 + [1] * 3,
    }
    for which, document in enumerate((good, plain)):
        text = json.dumps(document).encode()
        for n in range(count):
            rng = random.Random(f"{which} {n}")
            if n % 2:
                data = changed(json.loads(text), rng)
            else:
                try:
                    data = json.loads(mutated(text, rng).decode("utf-8", "replace"))
                except (ValueError, RecursionError):
                    continue
            try:
                check(snn, platform, from_dict(data, snn, "mapping.json"), "dataflow")
            except InputError as error:
                one_line(error, "mapping.json")


def changed(data: dict, rng: random.Random) -> dict:
    """Return JSON data with one value replaced by something else."""
    places = []
    stack = [data]
    while stack:
        here = stack.pop()
        for key in here if isinstance(here, dict) else range(len(here)):
            places.append((here, key))
            if isinstance(here[key], dict | list):
                stack.append(here[key])
    holder, key = rng.choice(places)
    holder[key] = rng.choice(
        [None, -1, 10**30, 2**31, 1.5, "x", [], {}, [[]], True, [10**9], [-1], {"0": [0]}, 2, 3]
    )
    return data


def test_mappings():
    mappings(4 * FEW)


@pytest.mark.full
def test_mappings_at_length():
    mappings(2 * MANY)


# --- RANC folders ---

PARAMETERS = {"grid_dimension_x": 2, "grid_dimension_y": 1, "output_core_x_coordinate": 1,
              "output_core_y_coordinate": 0, "num_neurons": 2, "num_axons": 2, "num_weights": 2,
              "num_ticks": 2, "num_reset_modes": 2, "num_outputs": 2, "potential_width": 4,
              "weight_width": 4, "leak_width": 4, "threshold_width": 4, "max_dimension_x": 2,
              "max_dimension_y": 1}  # fmt: skip


def ranc_folder(folder: Path) -> None:
    folder.mkdir()
    (folder / "tb_spikehard_params.json").write_text(json.dumps(PARAMETERS))
    # connections, potential, reset, 2 weights, leak, thresholds, mode, dx, (dy), axon, tick
    fields = "11" + "0000" * 2 + "0001" * 2 + "0000" + "0001" + "1000" + "0" + "1" + "0" + "0"
    (folder / "csram_0.mem").write_text(f"{fields}\n{fields}\n")
    (folder / "tc_0.mem").write_text("0\n1\n")


def ranc(folder: Path, count: int) -> None:
    good = folder / "good"
    ranc_folder(good)
    names = sorted(p.name for p in good.iterdir())
    for n in range(count):
        rng = random.Random(f"ranc {n}")
        bad = folder / "bad"
        shutil.rmtree(bad, ignore_errors=True)
        shutil.copytree(good, bad)
        victim = bad / rng.choice(names)
        victim.write_bytes(mutated(victim.read_bytes(), rng))
        try:
            read_network(bad)
        except InputError as error:
            one_line(error, "bad")


def test_ranc_folders(tmp_path):
    ranc(tmp_path, FEW)


@pytest.mark.full
def test_ranc_folders_at_length(tmp_path):
    ranc(tmp_path, MANY)


# --- HDF5: one child for all tries, since starting one costs more than reading ---

CHILD = """
import io, sys
from optmap.readers.hdf5_child import main
for line in sys.stdin:
    out = io.BytesIO()
    most, path = line.rstrip("\\n").split(" ", 1)
    main(path, out, int(most))
    data = out.getvalue()
    sys.stdout.buffer.write(len(data).to_bytes(8, "little") + data)
    sys.stdout.buffer.flush()
"""


class Hdf5Child:
    """Answers like the child that reads a file, but lives on; a crash starts another one."""

    def __init__(self) -> None:
        self.process = self._start()
        self.crashes = 0

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, cwd=ROOT,
        )  # fmt: skip

    def run(self, command, **_options) -> subprocess.CompletedProcess[bytes]:
        """Stand in for ``subprocess.run`` of the reader."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(" ".join(command[3:5]).encode() + b"\n")
        self.process.stdin.flush()
        size = self.process.stdout.read(8)
        if len(size) < 8:
            self.close()
            self.crashes += 1
            self.process = self._start()
            return subprocess.CompletedProcess(command, -11, b"", b"")
        output = self.process.stdout.read(int.from_bytes(size, "little"))
        return subprocess.CompletedProcess(command, 0, output, b"")

    def close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            stream.close()
        self.process.wait()


@pytest.fixture
def hdf5_child(monkeypatch):
    child = Hdf5Child()
    monkeypatch.setattr(hdf5.subprocess, "run", child.run)
    yield child
    child.close()


def nir_files(folder: Path, count: int) -> None:
    h5py = pytest.importorskip("h5py")
    small = folder / "small.nir"
    with h5py.File(small, "w") as file:  # uncompressed, so that mutations reach the arrays
        file["version"] = "1.0"
        node = file.create_group("node")
        node["type"] = "NIRGraph"
        node["edges"] = [[b"in", b"w"], [b"w", b"lif"], [b"lif", b"out"]]
        nodes = node.create_group("nodes")
        for name, kind, arrays in (
            ("in", "Input", {"shape": [3]}),
            ("w", "Affine", {"weight": np.ones((2, 3)), "bias": np.zeros(2)}),
            ("lif", "LIF", {k: np.ones(2) for k in ("tau", "r", "v_leak", "v_threshold")}),
            ("out", "Output", {"shape": [2]}),
        ):
            group = nodes.create_group(name)
            group["type"] = kind
            for key, values in arrays.items():
                group[key] = values
    assert read_network(small).num_synapses == 6
    tries(read_network, [small, INSTANCES / "digits_recurrent.nir"], folder, count)
    snn = read_network(small)
    tries(lambda path: read_nir_data(path, snn), [small], folder, count // 4)


def test_nir_files(hdf5_child, tmp_path):
    nir_files(tmp_path, FEW)


@pytest.mark.full
def test_nir_files_at_length(hdf5_child, tmp_path):
    nir_files(tmp_path, MANY)


def test_the_stand_in_answers_like_the_reader(tmp_path):
    """What the fuzz reads through its own child is what a user's reader is told."""
    path = str(INSTANCES / "digits_recurrent.nir")
    command = [
        sys.executable,
        "-P",
        str(ROOT / "optmap" / "readers" / "hdf5_child.py"),
        "9999999",
        path,
        "10",
    ]
    told = subprocess.run(command, capture_output=True, check=True).stdout
    child = Hdf5Child()
    assert child.run(command).stdout == told
    child.close()
