"""numpy files of strangers as arrays: never pickled objects, nothing larger than it claims."""

from __future__ import annotations

import io
import tokenize
import warnings
import zipfile
import zlib
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from optmap.errors import InputError
from optmap.readers.file_limits import refuse_bomb, refuse_holes

EXPECTED = "indptr and indices, pre and post, or square weights"
#: What numpy and zipfile raise on damaged files; a header is Python text that numpy parses.
DAMAGE = (
    ValueError,
    TypeError,
    OverflowError,
    OSError,
    EOFError,
    KeyError,
    IndexError,
    zipfile.BadZipFile,
    zlib.error,
    MemoryError,
    SyntaxError,
    RecursionError,
    tokenize.TokenError,
    NotImplementedError,  # zipfile, of a compression it does not know
    RuntimeError,  # zipfile, of encrypted members
    Warning,  # numpy warns where a header's numbers overflow
)
#: Of these, what numpy raises on a header that is no dictionary of plain values.
NO_HEADER = (ValueError, TypeError, SyntaxError, RecursionError, MemoryError, tokenize.TokenError)
_MAX_MEMBERS = 1_000
#: numpy's own limit of a header is 10,000 characters.
_HEADER_BYTES = 12_000


def load_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return every array of an ``.npz`` file, or the one of an ``.npy`` file under "".

    Raises
    ------
    InputError
        If the file is missing, damaged, or holds Python objects.
    """
    try:
        with path.open("rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("error")
            if stream.read(4).startswith(b"PK"):
                return _members(path, stream)
            size = stream.seek(0, 2)
            refuse_holes(path)
            stream.seek(0)
            return {"": _array(stream, size)}
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(str(path), "", "no such file", "a numpy file") from None
    except DAMAGE as error:
        text = str(error).split("\n", maxsplit=1)[0] or type(error).__name__
        raise InputError(str(path), "", f"no readable numpy file ({text})", EXPECTED) from None


def _members(path: Path, stream: BinaryIO) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of an archive that does not unfold out of proportion."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    with zipfile.ZipFile(stream) as archive:
        members = archive.infolist()
        if len(members) > _MAX_MEMBERS:
            raise InputError(str(path), "", f"{len(members)} arrays", f"at most {_MAX_MEMBERS}")
        refuse_holes(path)
        refuse_bomb(str(path), sum(m.file_size for m in members), path.stat().st_size)
        for member in members:
            # Other methods unfold a block at once, whatever size the archive says; numpy has none.
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                found = f"compression method {member.compress_type}"
                raise InputError(str(path), member.filename, found, "stored or deflated arrays")
            with archive.open(member) as unfolding:
                start = unfolding.read(_HEADER_BYTES)
            _refuse_claim(start, member.file_size)
            with archive.open(member) as unfolding:
                name = member.filename.removesuffix(".npy")
                if name in arrays:
                    raise InputError(str(path), name, "two arrays of that name", "one")
                arrays[name] = np.lib.format.read_array(unfolding, allow_pickle=False)
    return arrays


def _array(stream: BinaryIO, size: int) -> npt.NDArray[Any]:
    """Return the array of an ``.npy`` file of ``size`` bytes."""
    _refuse_claim(stream.read(_HEADER_BYTES), size)
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False)


def _refuse_claim(start: bytes, size: int) -> None:
    """Raise ValueError if a header claims more bytes than the file has, before they are taken."""
    stream = io.BytesIO(start)
    version = np.lib.format.read_magic(stream)
    try:
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
        else:
            shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    except NO_HEADER:  # numpy's own words repeat the file, and addresses of its syntax tree
        raise ValueError("a header that describes no array") from None
    claimed = stream.tell() + prod(shape) * dtype.itemsize
    if claimed > size and not dtype.hasobject:
        raise ValueError(f"an array of shape {shape} in {size} bytes")
