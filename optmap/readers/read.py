"""One door for every format: a name or a path in, a network out."""

from __future__ import annotations

from pathlib import Path

from optmap.errors import InputError
from optmap.generators.generate import PREFIX, generate
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.snn import SNN
from optmap.readers.sdf3_clusters import read_clustered

#: What a network may be, for error messages and ``--help``.
FORMATS = (
    "gen:NAME, .nir, .csv (source,target[,weight][,type]), .npz, .npy,"
    " .txt (CARLsim: source target ...), .snn (hypergraph), .xml (SDF3, clustered already),"
    " or a folder of RANC .mem files"
)

_BY_SUFFIX = {
    ".nir": "nir",
    ".h5": "nir",
    ".hdf5": "nir",
    ".csv": "edges",
    ".tsv": "edges",
    ".npz": "arrays",
    ".npy": "arrays",
    ".snn": "hypergraph",
    ".xml": "sdf3",
}
_BY_CONTENT = ((b"\x89HDF\r\n\x1a\n", "nir"), (b"PK\x03\x04", "arrays"), (b"\x93NUMPY", "arrays"))


def read_network(
    name: str | Path, *, keep_zero_weights: bool = False, spikes: Path | None = None
) -> SNN:
    """Return the network behind a ``gen:`` name, a file or a folder.

    The suffix decides the format; a file without a known one is looked into.

    Parameters
    ----------
    name : str or Path
        See :data:`FORMATS`.
    keep_zero_weights : bool
        Keep synapses of weight zero where the format lists them.
    spikes : Path, optional
        File with the spike profile (:func:`optmap.readers.spikes.with_spike_file`). Without it the
        format's own spikes are used; where it has none every neuron counts 1, "assumed".

    Raises
    ------
    InputError
        If it is missing, damaged, or has no synapse: nothing could be mapped.

    Examples
    --------
    >>> read_network("gen:mlp-3-2")
    SNN(5 neurons, 6 synapses, 3 inputs, spikes: assumed)
    """
    snn, names = _read(name, keep_zero_weights)
    if not snn.num_synapses:
        found = f"a network of {snn.num_neurons} neurons without synapses"
        raise InputError(str(name), "", found, "at least one synapse")
    if spikes is None:
        return snn
    if isinstance(snn, ClusteredSNN):
        expected = "none: the rates of an SDF3 file are its spikes"
        raise InputError(str(name), "", f"a spike file, {spikes}", expected)
    from optmap.readers.spikes import with_spike_file

    return with_spike_file(snn, spikes, names)


def _read(name: str | Path, keep_zero_weights: bool) -> tuple[SNN, tuple[str, ...] | None]:
    """Return the network and, where the file names its neurons, those names."""
    if str(name).startswith(PREFIX):
        return generate(str(name)), None
    path = Path(name)
    kind = _kind(path)
    # Readers are imported when needed: HDF5 and scipy cost more than most networks.
    if kind == "edges":
        from optmap.readers.edge_list import read_edges

        listed = read_edges(path, keep_zero_weights=keep_zero_weights)
        return listed.snn, listed.names
    if kind == "arrays":
        from optmap.readers.arrays import read_arrays

        return read_arrays(path, keep_zero_weights=keep_zero_weights), None
    if kind == "nir":
        from optmap.readers.nir_file import read_nir

        return read_nir(path, keep_zero_weights=keep_zero_weights), None
    if kind == "ranc":
        from optmap.readers.ranc import read_ranc

        return read_ranc(path).snn, None
    if kind == "hypergraph":
        from optmap.readers.snn_hypergraph import read_hypergraph

        return read_hypergraph(path), None
    if kind == "sdf3":
        return read_clustered(path), None
    from optmap.readers.carlsim import read_connections

    return read_connections(path), None


def _kind(path: Path) -> str:
    """Tell the format from suffix or content."""
    try:
        if path.is_dir():
            if any(path.glob("csram_*.mem")):
                return "ranc"
            raise InputError(str(path), "", "a folder without csram_*.mem files", FORMATS)
        if path.exists() and not path.is_file():  # a pipe would keep the reader waiting
            raise InputError(str(path), "", "no regular file", FORMATS)
        with path.open("rb") as stream:
            start = stream.read(4096)
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(str(path), "", reason, FORMATS) from None
    if not start:
        raise InputError(str(path), "", "an empty file", FORMATS)
    known = _BY_SUFFIX.get(path.suffix.lower())
    if known is not None:
        return known
    for magic, kind in _BY_CONTENT:
        if start.startswith(magic):
            return kind
    text = start.decode("utf-8", errors="replace")
    if text.lstrip("\ufeff \t\r\n").startswith("<"):
        return "sdf3"
    first = next((row for row in text.splitlines() if row.strip() and row.strip()[0] != "#"), "")
    return "edges" if "," in first or ";" in first else "carlsim"
