"""Program of its own: read a whole HDF5 file and write it to stdout in plain form.

It runs in a child process (:mod:`optmap.readers.hdf5`) because a damaged file can make the HDF5
library crash or loop. It knows nothing of the network inside. Output: one line of JSON, the tree,
in which ``{"array": k}`` stands for the k-th of the ``.npy`` images that follow.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np

MAX_OBJECTS = 200_000
MAX_DEPTH = 40
#: A network names its edges and types; each string costs a call of the library.
MAX_STRINGS = 100_000
STRINGS_AT_ONCE = 64
#: What this program may take beyond the arrays it passes on.
OWN_BYTES = 300_000_000


class Unreadable(ValueError):
    """The file is HDF5, but nothing this program passes on."""


class Reader:
    """Walks the tree, collects arrays, keeps count; takes at most ``most`` bytes of them."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.arrays: list[Any] = []
        self.objects = 0
        self.bytes = 0

    def group(self, group: Any, depth: int) -> dict[str, Any]:
        """Return one group as ``{"group", "attributes", "about": those of datasets}``."""
        if depth > MAX_DEPTH:
            raise Unreadable(f"groups nested deeper than {MAX_DEPTH}")
        members, about = {}, {}
        for name in group:
            self.objects += 1
            if self.objects > MAX_OBJECTS:
                raise Unreadable(f"more than {MAX_OBJECTS} objects")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise Unreadable(f"a link at {name}")
            item = group[name]
            if isinstance(item, h5py.Group):
                members[name] = self.group(item, depth + 1)
            elif isinstance(item, h5py.Dataset):
                members[name] = self.dataset(item)
                if len(item.attrs):
                    about[name] = self.attributes(item)
        return {"group": members, "attributes": self.attributes(group), "about": about}

    def attributes(self, item: Any) -> dict[str, Any]:
        """Return the attributes of a group or a dataset."""
        return {key: self.value(np.asarray(value)) for key, value in item.attrs.items()}

    def dataset(self, dataset: Any) -> Any:
        """Return one dataset; None where it is empty or of a kind that no network has."""
        if dataset.shape is None or dataset.external or dataset.is_virtual:
            return None
        # The declared size costs nothing to claim: refuse it before memory is taken.
        self.bytes += dataset.size * dataset.dtype.itemsize
        if self.bytes > self.most:
            raise Unreadable(f"more than {self.most} bytes of arrays in a file of its size")
        if h5py.check_string_dtype(dataset.dtype) is not None:
            return self.text(dataset)
        return self.value(np.asarray(dataset[()])) if dataset.dtype.kind in "biufO" else None

    def text(self, dataset: Any) -> dict[str, Any]:
        """Return a dataset of strings, a few at a time: many may be one long one, stored once."""
        if dataset.size > MAX_STRINGS:
            raise Unreadable(f"{dataset.size} strings")
        words: list[str] = []
        text = dataset.asstr()
        if not dataset.shape:
            blocks: Any = [()]
        else:
            step = max(1, STRINGS_AT_ONCE * dataset.shape[0] // max(1, dataset.size))
            blocks = [slice(i, i + step) for i in range(0, dataset.shape[0], step)]
        for block in blocks:
            words += [str(word) for word in np.asarray(text[block]).flat]
            self.bytes += sum(map(len, words[-STRINGS_AT_ONCE:]))
            if self.bytes > self.most:
                raise Unreadable(f"more than {self.most} bytes of text in a file of its size")
        return {"text": words, "shape": list(dataset.shape)}

    def value(self, array: Any) -> Any:
        """Return text as it is, numbers as a reference."""
        if array.dtype.kind in "SUO":
            words = [
                word.decode("utf-8") if isinstance(word, bytes) else word for word in array.flat
            ]
            if not all(isinstance(word, str) for word in words):
                return None
            return {"text": words, "shape": list(array.shape)}
        if array.dtype.kind not in "biuf":
            return None
        self.arrays.append(array.astype(array.dtype.newbyteorder("=")))
        return {"array": len(self.arrays) - 1}


def main(path: str, out: BinaryIO, most: int = 4_000_000_000) -> None:
    """Write the tree of ``path``, or ``{"error": reason}``; at most ``most`` bytes of arrays."""
    reader = Reader(most)
    try:
        with h5py.File(path, "r") as file:
            answer = reader.group(file, 0)
    except MemoryError:
        answer = {"error": "arrays larger than memory"}
    except Exception as error:  # h5py raises nearly every class there is on damaged files
        answer = {"error": str(error).split("\n", maxsplit=1)[0] or type(error).__name__}
    out.write(json.dumps(answer).encode() + b"\n")
    if "error" not in answer:
        for array in reader.arrays:
            np.lib.format.write_array(out, array, allow_pickle=False)
    out.flush()


def limit_memory(most: int) -> None:
    """Let this process take what it has and three copies of the arrays: a limit for the library."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + 3 * most + OWN_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except (ImportError, OSError, ValueError):
        return  # no such limit on this system; the counts above hold everywhere


def limit_time(seconds: int) -> None:
    """Let the system end this process after so many seconds of a processor."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    except (ImportError, OSError, ValueError):
        return  # the parent ends it, by the clock


if __name__ == "__main__":
    limit_memory(int(sys.argv[1]))
    limit_time(int(sys.argv[3]))
    main(sys.argv[2], sys.stdout.buffer, int(sys.argv[1]))
