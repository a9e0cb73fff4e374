"""Spike profiles from a file beside the network: how often each neuron fires in one iteration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from optmap.errors import InputError
from optmap.model.snn import SNN
from optmap.readers.options import AS_WRITTEN, ReadOptions
from optmap.readers.spike_arrays import read_spike_arrays
from optmap.readers.spike_tables import read_spike_table


def with_spike_file(
    snn: SNN, path: Path, names: Sequence[str] | None = None, options: ReadOptions = AS_WRITTEN
) -> SNN:
    """Return the network with the spikes of a file.

    Parameters
    ----------
    snn : SNN
        The network.
    path : Path
        ``.npz`` or ``.npy``: counts, rates, a recording or events; ``.nir``: NIRData recorded on
        the nodes of the network's NIR file; ``.h5``: that, or SONATA spikes; anything else a text
        with a header, or CARLsim lines ``neuron time time ...``.
    names : sequence of str, optional
        What the neurons are called in a text; without it their indices.
    options : ReadOptions
        What the file does not say: ``spike_columns``, ``spike_axes``, ``spike_window``.

    Raises
    ------
    InputError
        If the file is damaged, speaks of other neurons, or has more than one reading.
    """
    suffix = path.suffix.lower()
    if suffix in (".npz", ".npy"):
        spikes, origin = read_spike_arrays(path, snn.num_neurons, options)
    elif suffix in (".nir", ".h5", ".hdf5"):
        # Only here, so that a user of the other formats does not pay for HDF5.
        from optmap.readers.nir_data import read_nir_data

        spikes, origin = read_nir_data(path, snn)
    else:
        spikes, how = read_spike_table(path, snn.num_neurons, names, options)
        origin = path.name + (f" ({how})" if how else "")
    try:
        return snn.with_spikes(spikes, origin)
    except ValueError as error:
        raise InputError(str(path), "spikes", str(error), "whole numbers >= 0") from None
