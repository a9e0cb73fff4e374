"""One door for every format: a name or a path in, a network out."""

from __future__ import annotations

from pathlib import Path

from optmap.errors import InputError
from optmap.generators.generate import PREFIX, generate
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.snn import SNN
from optmap.readers.formats import FORMATS, Named, format_of
from optmap.readers.options import Reading, ReadOptions, as_options


def read_network(
    name: str | Path,
    *,
    keep_zero_weights: bool = False,
    spikes: Path | None = None,
    options: Reading = None,
) -> SNN:
    """Return the network behind a ``gen:`` name, a file or a folder.

    Parameters
    ----------
    name : str or Path
        A generator's name, or one of :data:`optmap.readers.formats.FORMATS`; the suffix decides,
        and the content where a suffix is shared or unknown.
    keep_zero_weights : bool
        Keep synapses of weight zero where the format lists them.
    spikes : Path, optional
        File with the spike profile (:func:`optmap.readers.spikes.with_spike_file`). Without it the
        format's own spikes are used; where it has none every neuron counts 1, "assumed".
    options : ReadOptions or mapping, optional
        What the files do not say of themselves: ``{"format": "edges", "columns": "pre,post"}``.

    Raises
    ------
    InputError
        If it is missing, damaged, ambiguous, or has no synapse: nothing could be mapped.

    Examples
    --------
    >>> read_network("gen:mlp-3-2")
    SNN(5 neurons, 6 synapses, 3 inputs, spikes: assumed)
    """
    given = as_options(options)
    read = _read(name, keep_zero_weights, given)
    snn = read.snn
    if not snn.num_synapses:
        found = f"a network of {snn.num_neurons} neurons without synapses"
        raise InputError(str(name), "", found, "at least one synapse")
    if spikes is None:
        return snn
    if isinstance(snn, ClusteredSNN):
        expected = "none: the rates of an SDF3 file are its spikes"
        raise InputError(str(name), "", f"a spike file, {spikes}", expected)
    from optmap.readers.spikes import with_spike_file

    return with_spike_file(snn, spikes, read.names, given)


def _read(name: str | Path, keep_zero_weights: bool, options: ReadOptions) -> Named:
    if str(name).startswith(PREFIX):
        return Named(generate(str(name)))
    chosen = format_of(Path(name), options.format)
    for option in ("columns", "matrix_rows", "parameters"):
        if getattr(options, option) is not None and option not in chosen.options:
            others = ", ".join(f"--format {f.name}" for f in FORMATS if option in f.options)
            found = f"--{option.replace('_', '-')} for a file of format {chosen.name}"
            raise InputError(str(name), "", found, f"a file of its own format, or {others}")
    return chosen.read(Path(name), keep_zero_weights, options)
