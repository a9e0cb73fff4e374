"""HDF5 files of strangers, read where a crash of the library costs one line, not the run."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from signal import SIGXCPU
from typing import Any

import numpy as np
import numpy.typing as npt

from optmap.errors import InputError
from optmap.readers.file_limits import most_unfolded

#: Seconds of a processor after which a file counts as damaged, and per how many bytes one more;
#: 10^8 weights, 400 MB, take about two. And how many times as many by the clock: machines are busy.
TIMEOUT_S, BUSY = 10, 6
BYTES_PER_S = 10_000_000
#: Bytes of a file up to which what it holds is kept: a child takes a tenth of a second to start.
KEPT_BYTES = 4_000_000
_CHILD = Path(__file__).with_name("hdf5_child.py")
_SIGNATURE = b"\x89HDF\r\n\x1a\n"

#: Numbers, or text as an array of str.
Value = npt.NDArray[Any]


@dataclass(frozen=True)
class Group:
    """One HDF5 group: its sub-groups, its datasets, its attributes and those of its datasets."""

    groups: dict[str, Group] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    attributes: dict[str, Value] = field(default_factory=dict)
    value_attributes: dict[str, dict[str, Value]] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """Return a dataset that is one string; None where it is absent or something else."""
        return one_text(self.values.get(name))


def one_text(value: Value | None) -> str | None:
    """Return an array of one string as that string, None for anything else."""
    if value is None or value.dtype.kind != "U" or value.size != 1:
        return None
    return str(value.item())


def read_tree(path: Path, expected: str) -> Group:
    """Return the whole content of an HDF5 file, read in a child process.

    Parameters
    ----------
    path : Path
        The file.
    expected : str
        What it should hold, for the error.

    Raises
    ------
    InputError
        If it is missing, no HDF5, truncated, or makes the library fail, crash or hang.
    """
    try:
        with path.open("rb") as file:
            signature = file.read(len(_SIGNATURE))
    except OSError as error:
        raise InputError(str(path), "", error.strerror or str(error), expected) from None
    if signature != _SIGNATURE:
        found = "no HDF5 signature" if signature else "an empty file"
        raise InputError(str(path), "", found, expected)
    at = path.stat()
    told = _told_again if at.st_size <= KEPT_BYTES else _told
    stamp = (at.st_ino, at.st_size, at.st_mtime_ns, at.st_ctime_ns)
    return decode(path, told(path, stamp, expected), expected)


def _told(path: Path, stamp: tuple[int, int, int, int], expected: str) -> bytes:
    """Return what a child says that a file holds; ``stamp`` is its node, size and times."""
    # -P: the folder of the program must not shadow modules of the standard library.
    size = stamp[1]
    limit_s = TIMEOUT_S + size // BYTES_PER_S
    most = str(most_unfolded(size))
    command = [sys.executable, "-P", str(_CHILD), most, str(path.absolute()), str(limit_s)]
    endless = f"a damaged file: HDF5 read for {limit_s} s without end"
    try:
        done = subprocess.run(command, capture_output=True, timeout=BUSY * limit_s, check=False)
    except subprocess.TimeoutExpired:
        raise InputError(str(path), "", endless, expected) from None
    if done.returncode == -SIGXCPU:
        raise InputError(str(path), "", endless, expected)
    if done.returncode < 0:
        found = f"a damaged file: HDF5 crashed on it with signal {-done.returncode}"
        raise InputError(str(path), "", found, expected)
    if done.returncode > 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(
            str(path), "", f"a file HDF5 stopped at ({lines[-1] if lines else 'no word'})", expected
        )
    return done.stdout


#: The rows of a run read one file after another, each as often as there are methods.
_told_again = lru_cache(maxsize=2)(_told)


def decode(path: Path, output: bytes, expected: str) -> Group:
    """Return the tree that the child wrote, or raise the error that it reported."""
    stream = io.BytesIO(output)
    answer = json.loads(stream.readline())
    if "error" in answer:
        raise InputError(str(path), "", f"no readable HDF5 ({answer['error']})", expected)
    arrays: list[Value] = []
    while stream.tell() < len(output):
        arrays.append(np.lib.format.read_array(stream, allow_pickle=False))
    return _group(answer, arrays)


def _group(answer: dict[str, Any], arrays: list[Value]) -> Group:
    group = Group()
    for name, item in answer["group"].items():
        if item is None:
            continue
        if "group" in item:
            group.groups[name] = _group(item, arrays)
        else:
            group.values[name] = _value(item, arrays)
    for name, item in answer["attributes"].items():
        if item is not None:
            group.attributes[name] = _value(item, arrays)
    for name, items in answer["about"].items():
        group.value_attributes[name] = {
            key: _value(item, arrays) for key, item in items.items() if item is not None
        }
    return group


def _value(item: dict[str, Any], arrays: list[Value]) -> Value:
    if "array" in item:
        return arrays[int(item["array"])]
    words: Value = np.array(item["text"], dtype=np.str_)
    return words.reshape(item["shape"])
