"""MatrixMarket files, through scipy: row = reading neuron, column = neuron read."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from optmap.errors import InputError
from optmap.model.snn import SNN
from optmap.readers.file_limits import refuse_wide_numbers
from optmap.readers.graph_files import DAMAGE, graph_text
from optmap.readers.in_memory import from_scipy

#: What stands behind the place of an entry, by kind; scipy reads a prefix of anything.
_WHOLE = r"[ \t]+[+-]?[0-9]+"
_VALUES = {
    "pattern": "",
    "integer": _WHOLE,
    "unsigned-integer": _WHOLE,
    "real": r"[ \t]+[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?",
}


def read_matrix_market(
    path: Path, *, keep_zero_weights: bool = False, rows: str | None = None
) -> SNN:
    """Read a square MatrixMarket matrix through scipy; row = reading neuron, or ``rows="pre"``.

    Raises
    ------
    InputError
        If it is damaged, not square, complex, or claims more entries than it has text for.
    """
    import scipy.io
    import scipy.sparse

    expected = "a square MatrixMarket matrix, row = reading neuron"
    text = graph_text(path, expected)
    size = path.stat().st_size
    try:
        height, width, entries, form, kind, symmetry = scipy.io.mminfo(path)
        if height != width:
            raise InputError(str(path), "", f"{height} x {width} entries", expected)
        if kind not in ("real", "integer", "unsigned-integer", "pattern"):
            raise InputError(str(path), "", f"{kind} entries", "real, integer or pattern")
        # An entry is two characters of text at least, with its place four.
        if entries * (4 if form == "coordinate" else 2) > size + 2:
            raise InputError(str(path), "", f"{entries} entries in {size} bytes", expected)
        refuse_wide_numbers(str(path), "rows", height, entries)
        _refuse_other_entries(path, text, form, kind, symmetry)
        matrix = scipy.sparse.coo_array(scipy.io.mmread(path, spmatrix=False))
        matrix = matrix.T.tocoo() if rows == "pre" else matrix
        snn = from_scipy(matrix, keep_zero_weights=keep_zero_weights and form == "coordinate")
    except InputError:
        raise
    except (OverflowError, MemoryError, *DAMAGE) as error:
        why = str(error).split("\n", maxsplit=1)[0]
        raise InputError(str(path), "", f"no readable matrix ({why[:200]})", expected) from None
    return snn if kind != "pattern" else _unweighted(snn)


def _refuse_other_entries(path: Path, text: str, form: str, kind: str, symmetry: str) -> None:
    """Refuse lines that are no entry of the kind, and halves of a symmetric matrix above it."""
    place = "" if form == "array" else r"[ \t]*([0-9]+)[ \t]+([0-9]+)"
    entry = re.compile(place + _VALUES[kind] + r"[ \t]*")
    mirrored = place and symmetry != "general"
    size_seen = False
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or (line.startswith("%") and not size_seen):
            continue
        if not size_seen:
            size_seen = True
            continue
        match = entry.fullmatch(line if place else f" {line}")
        if match is None:
            expected = f"an entry of a {form} matrix of kind {kind}"
            raise InputError(str(path), f"line {number}", repr(line.strip()[:40]), expected)
        if mirrored and int(match[1]) < int(match[2]):
            found = f"entry {match[1]} {match[2]} of a {symmetry} matrix"
            raise InputError(str(path), f"line {number}", found, "its lower half alone")


def _unweighted(snn: SNN) -> SNN:
    return replace(snn, weights=None)
