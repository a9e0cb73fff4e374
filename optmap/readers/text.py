"""Text files: read whole, or refused in one line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from optmap.errors import InputError, refuse_special

#: Larger lists belong into a numpy file, which needs no number parsed twice.
MAX_BYTES = 2_000_000_000

#: Bytes that are looked at before the rest is read: zero bytes stand at once in what is no text.
HEAD = 65_536


def read_text(path: Path, expected: str) -> str:
    """Return the text of a file.

    Parameters
    ----------
    path : Path
        The file.
    expected : str
        What it should have been, for the error.

    Raises
    ------
    InputError
        If it is missing, a folder, unreadable, empty, too large or no text.
    """
    refuse_special(path, expected)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(str(path), "", f"{path.stat().st_size} bytes", f"at most {MAX_BYTES}")
        with path.open("rb") as stream:
            first = stream.read(HEAD)
            data = first if b"\0" in first else first + stream.read()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise InputError(str(path), "", error.strerror or str(error), expected) from None
    except UnicodeDecodeError:
        raise InputError(str(path), "", "bytes that are no UTF-8 text", expected) from None
    if "\0" in text:
        raise InputError(str(path), "", "zero bytes", expected)
    if not text.strip():
        raise InputError(str(path), "", "an empty file", expected)
    return text


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key in which ``conv2`` comes before ``conv10``.

    Examples
    --------
    >>> sorted(["10", "9", "lif10", "lif2", "lif"], key=natural_key)
    ['9', '10', 'lif', 'lif2', 'lif10']
    """
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    key = [(0, int(p), p) if "0" <= p[0] <= "9" else (1, 0, p) for p in parts]
    return tuple(key)


def natural_order(names: Iterable[str]) -> list[str]:
    """Return the names in natural order; the plain text decides between equals like 1 and 01."""
    return sorted(names, key=lambda name: (natural_key(name), name))
