"""Files that claim more than they hold: refused in a second, in a few megabytes, in one line."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from optmap.command_line import guarded
from optmap.errors import InputError
from optmap.map import main
from optmap.readers.numpy_file import load_arrays

ROOT = Path(__file__).parents[2]
PLATFORM = ROOT / "instances" / "platforms" / "dynap_se.toml"

#: Address space: what python with the project's imports reserves, and a gigabyte to read a file.
MEMORY = 4_000_000_000


def header(text: str) -> bytes:
    """Return a .npy header that says what it likes."""
    padded = text.ljust(118) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded.encode()


def zipped_zeros(path: Path) -> None:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("weights.npy", "w", force_zip64=True) as member,
    ):
        member.write(header("{'descr': '<f8', 'fortran_order': False, 'shape': (8000, 8000), }"))
        block = bytes(1_000_000)
        for _ in range(100):
            member.write(block)


def claiming_npz(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        shape = "{'descr': '<f8', 'fortran_order': False, 'shape': (900000, 900000), }"
        archive.writestr("weights.npy", header(shape) + bytes(64))


def twice_npz(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the name stands twice is what is meant
        for _ in range(2):
            text = "{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }"
            archive.writestr("pre.npy", header(text) + bytes(8))


def hdf5_bomb(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["version"] = "1.0"
        node = file.create_group("node")
        node["type"] = "NIRGraph"
        group = node.create_group("nodes/w")
        group["type"] = "Linear"
        group.create_dataset(
            "weight", shape=(30_000, 30_000), dtype="f8", chunks=(1_000, 1_000), compression="gzip"
        )


def lzma_npz(path: Path) -> None:
    """Pack by a method whose blocks unfold at once, whatever size the archive says."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        shape = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000, 1000), }"
        archive.writestr("weights.npy", header(shape) + bytes(8_000_000))


def claiming_member(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        shape = "{'descr': '<f8', 'fortran_order': False, 'shape': (30000, 30000), }"
        archive.writestr("weights.npy", header(shape) + bytes(1_000_000))


def nir_of(path: Path, **arrays) -> None:
    """Write a NIR file of an Input and a convolution, or of a Linear of other arrays."""
    with h5py.File(path, "w") as file:
        file["version"] = "1.0"
        node = file.create_group("node")
        node["type"] = "NIRGraph"
        source, kernel = node.create_group("nodes/in"), node.create_group("nodes/c")
        source["type"], source["shape"] = "Input", arrays.pop("shape")
        kernel["type"] = "Conv2d"
        ones = dict.fromkeys(("stride", "padding", "dilation", "groups"), 1)
        for name, value in (ones | arrays).items():
            kernel[name] = value
        node["edges"] = np.array([["in", "c"]], dtype=object)


def long_strings(path: Path) -> None:
    """Strings that are never written: each is the fill value, a megabyte, stored once."""
    nir_of(path, shape=[1, 8, 8], weight=np.ones((1, 1, 3, 3)))
    with h5py.File(path, "r+") as file:
        del file["node/edges"]
        kind = h5py.string_dtype()
        file["node"].create_dataset("edges", (40_000, 2), kind, fillvalue="x" * 1_000_000)


def deep_xml(path: Path) -> None:
    path.write_text("<sdf3>" + "<a>" * 200_000 + "</a>" * 200_000 + "</sdf3>")


def laughing_xml(path: Path) -> None:
    entities = '<!ENTITY a0 "ha">' + "".join(
        f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12)
    )
    path.write_text(f"<!DOCTYPE sdf3 [{entities}]><sdf3 type='sdf'>&a11;</sdf3>")


def reading_xml(path: Path) -> None:
    path.write_text('<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]><sdf3>&f;</sdf3>')


def ranc_grid(path: Path) -> None:
    path.mkdir()
    fields = dict.fromkeys(
        ("grid_dimension_x", "grid_dimension_y", "num_neurons", "num_axons"), 2**20
    )
    others = ("num_weights", "num_ticks", "num_reset_modes", "num_outputs", "potential_width",
              "weight_width", "leak_width", "threshold_width", "max_dimension_x",
              "max_dimension_y")  # fmt: skip
    fields |= dict.fromkeys(others, 4)
    fields |= {"output_core_x_coordinate": 0, "output_core_y_coordinate": 0}
    (path / "tb_spikehard_params.json").write_text(json.dumps(fields))
    (path / "csram_0.mem").write_text("1\n")


def written(data: bytes):
    return lambda path: path.write_bytes(data)


def holes_npy(path: Path) -> None:
    """Pairs of 10^8 synapses that nobody wrote: a sparse file."""
    with path.open("wb") as file:
        header = {"descr": "<i8", "fortran_order": False, "shape": (10**8, 2)}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 16 * 10**8)


def holes_npz(path: Path) -> None:
    """Write an archive of two small arrays with gigabytes of nothing in its middle."""
    np.savez(path, pre=np.arange(9), post=np.arange(9))
    with path.open("r+b") as file:
        tail = path.read_bytes()[-500:]
        file.truncate(3 * 10**9)
        file.seek(3 * 10**9)
        file.write(tail)


def idle_snn(path: Path) -> None:
    """Name 4.9 million nodes in 5 MB, most of which nothing drives or reads."""
    edges = np.zeros((312_500, 4), dtype="<u4")
    edges[:, 0], edges[:, 1] = 1, np.arange(312_500)
    edges[:, 2], edges[:, 3] = 4_899_999, np.float32(2).view("u4")
    path.write_bytes(struct.pack("<II", 4_900_000, len(edges)) + edges.tobytes())


HOSTILE = {
    "zeros.npz": zipped_zeros,
    "claim.npz": claiming_npz,
    "claim.npy": written(
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (9000000000,), }")
    ),
    "wide.npz": lambda p: np.savez(p, pre=[0], post=[1], num_neurons=2_000_000_000),
    "wide.npy": lambda p: np.save(p, np.array([[0, 2_000_000_000]])),
    "nan.npz": lambda p: np.savez(p, pre=[0], post=[1], weights=[np.nan]),
    "bomb.nir": hdf5_bomb,
    "cut.nir": written((ROOT / "instances" / "digits_mlp.nir").read_bytes()[:9_000]),
    "nodes.snn": written(struct.pack("<II", 2**32 - 1, 0)),
    "edges.snn": written(struct.pack("<II", 3, 2**32 - 1)),
    "targets.snn": written(struct.pack("<IIII", 3, 1, 2**32 - 1, 0) + bytes(8)),
    "nan.snn": written(struct.pack("<IIIIIf", 3, 1, 1, 0, 1, float("nan"))),
    "after.snn": written(struct.pack("<IIIIIf", 3, 1, 1, 0, 1, 2.0) + bytes(4)),
    "node.snn": written(struct.pack("<IIIIIf", 3, 1, 1, 0, 3, 2.0)),
    "odd.snn": written(bytes(9)),
    "empty.snn": written(struct.pack("<IIII", 900_000_000, 1, 1_250_000, 0) + bytes(5_000_004)),
    "idle.snn": idle_snn,
    "lzma.npz": lzma_npz,
    "member.npz": claiming_member,
    "holes.npy": holes_npy,
    "holes.npz": holes_npz,
    "maps.nir": lambda p: nir_of(p, shape=[1, 3000, 3000], weight=np.ones((8, 1, 3, 3))),
    "kernels.nir": lambda p: nir_of(p, shape=[256, 64, 64], weight=np.ones((100, 256, 3, 3), "f4")),
    "input.nir": lambda p: nir_of(p, shape=[1, 40000, 50000], weight=np.ones((1, 1, 3, 3))),
    "strings.nir": long_strings,
    "huge.mtx": written(
        b"%%MatrixMarket matrix coordinate real general\n900000000 900000000 1\n1 1 1\n"
    ),
    "huge.graph": written(b"900000000 1\n2\n1\n"),
    "lines.graph": written(b"900000000 1 011\n" + b"\n" * 2_000_000),
    "deep.gml": written(b"graph [ " + b"a [ " * 100_000),
    "wide.txt": written(b"0 99999999\n"),
    "minus.txt": written(b"0 -5\n"),
    "nan.csv": written(b"a,b,nan\n"),
    "long.csv": written(b"a,b," + b"9" * 300_000 + b"\n"),
    "columns.csv": written(b"source,target" + b",pre_layer,post_layer" * 50_000 + b"\n0,1\n"),
    "groups.csv": written(b"source,target" + b",x" * 900 + b"\n0,1\n"),
    "twice.npz": twice_npz,
    "deep.xml": deep_xml,
    "laughs.xml": laughing_xml,
    "reads.xml": reading_xml,
    "ranc": ranc_grid,
    "keys.toml": written(b"a = " + b"[" * 100_000),
    "dotted.toml": written(b"a" + b".a" * 60_000 + b" = 1\n"),
    "inline.toml": written(b"x = {" + b'"a" . ' * 20_000 + b"a = 1}\n"),
    "digits.toml": written(b"schema = " + b"9" * 100_000),
}  # fmt: skip


CHILD = """
import re, resource, sys, time
from pathlib import Path
from optmap.errors import InputError
from optmap.instance import load
from optmap.readers.nir_file import read_nir
from optmap.readers.read import read_network
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
for path in sys.argv[2:]:
    start = time.process_time()
    try:
        (load if path.endswith(".toml") else read_network)(path)
        found = "nothing wrong"
    except InputError as error:
        found = str(error)
    # Linux hands ru_maxrss down from the process that forked this one; VmHWM starts anew.
    status = Path("/proc/self/status")
    own = (int(re.search(r"VmHWM:\\s*(\\d+)", status.read_text())[1]) if status.exists()
           else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    most = max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    print(most, time.process_time() - start, found, sep="\\t")
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> dict[str, list[str]]:
    """Read all hostile files in one child of bounded memory; return kilobytes, seconds, text."""
    folder = tmp_path_factory.mktemp("hostile")
    for name, write in HOSTILE.items():
        write(folder / name)
    command = [sys.executable, "-c", CHILD, str(MEMORY), *(str(folder / name) for name in HOSTILE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert (done.returncode, len(lines)) == (0, len(HOSTILE)), done.stderr + done.stdout
    return {name: line.split("\t", 2) for name, line in zip(HOSTILE, lines, strict=True)}


@pytest.mark.parametrize("name", HOSTILE)
def test_one_line_within_bounded_memory(name: str, answers):
    kilobytes, seconds, line = answers[name]
    assert line.partition(": found")[0] != line, "it was read"
    assert name in line
    assert len(line) < 1_500
    assert int(kilobytes) < 700_000, "python with the project's imports takes 200,000"
    assert float(seconds) < 5, "processor time, far above what any of them takes"


def test_the_command_says_it_the_same_way(tmp_path: Path, capsys):
    file = tmp_path / "bomb.npz"
    zipped_zeros(file)
    status = guarded(main, [str(file), "--platform", str(PLATFORM)])
    said = capsys.readouterr()
    (line,) = said.err.splitlines()
    assert (status, said.out) == (2, "")
    assert "bomb.npz" in line
    assert "bytes packed into" in line


@pytest.mark.parametrize(
    "text",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, __import__('os').getpid())}",
        "{'descr': open, 'fortran_order': False, 'shape': (2, 2)}",
        "{'descr': 'my secret', 'fortran_order': False, 'shape': (2, 2)}",
        "{'my secret': 1}",
        "my secret = (",
    ],
)
@pytest.mark.parametrize("suffix", ["npz", "npy"])
def test_a_header_that_describes_no_array_is_not_repeated(tmp_path: Path, text: str, suffix: str):
    path = tmp_path / f"net.{suffix}"
    path.write_bytes(header(text) + bytes(32))
    if suffix == "npz":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("weights.npy", header(text) + bytes(32))
    with pytest.raises(InputError, match=r"\(a header that describes no array\)") as caught:
        load_arrays(path)
    assert "secret" not in str(caught.value)
    assert " at 0x" not in str(caught.value)
