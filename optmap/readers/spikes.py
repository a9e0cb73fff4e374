"""Spike profiles from a file beside the network: how often each neuron fires in one iteration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from optmap.errors import InputError
from optmap.model.snn import MAX_TOTAL_SPIKES, SNN, IntArray
from optmap.readers.arrays import load_arrays, text_of
from optmap.readers.carlsim import read_spike_lines
from optmap.readers.text import read_text

_ROWS = "rows of neuron,spikes"


def with_spike_file(snn: SNN, path: Path, names: Sequence[str] | None = None) -> SNN:
    """Return the network with the spikes of a file.

    Parameters
    ----------
    snn : SNN
        The network.
    path : Path
        ``.npz`` or ``.npy``: whole numbers per neuron (``spikes``, optional ``spikes_origin``);
        ``.csv``: rows ``neuron,spikes``, unnamed neurons silent; ``.nir``: NIRData recorded on the
        nodes of the network's NIR file; anything else: CARLsim lines ``neuron time time ...``.
    names : sequence of str, optional
        What the neurons are called in a ``.csv``; without it their indices.

    Raises
    ------
    InputError
        If the file is damaged or speaks of other neurons.
    """
    suffix = path.suffix.lower()
    origin = path.name
    if suffix in (".npz", ".npy"):
        spikes, origin = _from_arrays(snn, path)
    elif suffix == ".csv":
        spikes = _from_rows(snn, path, names)
    elif suffix in (".nir", ".h5", ".hdf5"):
        # Only here, so that a user of the other formats does not pay for HDF5.
        from optmap.readers.nir_data import read_nir_data

        spikes, origin = read_nir_data(path, snn)
    else:
        spikes = read_spike_lines(path, snn.num_neurons)
    try:
        return snn.with_spikes(spikes, origin)
    except ValueError as error:
        raise InputError(str(path), "spikes", str(error), "whole numbers >= 0") from None


def _from_arrays(snn: SNN, path: Path) -> tuple[IntArray, str]:
    arrays = load_arrays(path)
    field = "" if "" in arrays else "spikes"
    if field not in arrays:
        found = ", ".join(sorted(arrays)) or "no array"
        raise InputError(str(path), "", found, "an array named spikes")
    spikes = arrays[field]
    expected = f"{snn.num_neurons} whole numbers"
    if spikes.shape != (snn.num_neurons,):
        raise InputError(str(path), "spikes", f"an array of shape {spikes.shape}", expected)
    if spikes.dtype.kind not in "iu" or spikes.max(initial=0) > MAX_TOTAL_SPIKES:
        raise InputError(str(path), "spikes", f"{spikes.dtype} numbers too large or no whole ones",
                         expected)  # fmt: skip
    return spikes.astype(np.int64), text_of(arrays, "spikes_origin") or path.name


def _from_rows(snn: SNN, path: Path, names: Sequence[str] | None) -> IntArray:
    called = list(names) if names is not None else [str(i) for i in range(snn.num_neurons)]
    number = {name: i for i, name in enumerate(called)}
    spikes = np.zeros(snn.num_neurons, dtype=np.int64)
    seen: set[str] = set()
    for line, row in enumerate(read_text(path, _ROWS).splitlines(), start=1):
        if not row.strip() or row.lstrip().startswith("#"):
            continue
        cells = [cell.strip() for cell in row.split(",")]
        if not seen and len(cells) == 2 and cells[1].casefold() in ("spikes", "count"):
            continue
        if len(cells) != 2 or not (cells[1].isascii() and cells[1].isdigit()):
            expected = f"{_ROWS}, spikes a whole number >= 0"
            raise InputError(str(path), f"line {line}", repr(row[:40]), expected)
        if cells[0] not in number:
            raise InputError(str(path), f"line {line}", f"neuron {cells[0]!r}", "one of the list")
        if cells[0] in seen:
            raise InputError(str(path), f"line {line}", f"{cells[0]!r} again", "each neuron once")
        seen.add(cells[0])
        if len(cells[1]) > 15:
            raise InputError(
                str(path), f"line {line}", cells[1][:40], f"at most {MAX_TOTAL_SPIKES}"
            )
        spikes[number[cells[0]]] = int(cells[1])
    return spikes
