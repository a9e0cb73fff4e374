"""The one list of formats a network may have: what help, documentation and tests iterate.

A new format is a function that reads it and one entry in :data:`FORMATS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from optmap.errors import InputError
from optmap.model.snn import SNN
from optmap.readers.columns import UnclearHeader, edge_columns
from optmap.readers.options import ReadOptions
from optmap.readers.ranc_cores import core_files

#: Bytes of a file's beginning that a format is recognised by.
START = 65_536
FOLDER = "a folder"
MATRIX_MARKET = b"%%MatrixMarket"


@dataclass(frozen=True, slots=True)
class Named:
    """A network and, where the file names its neurons, those names."""

    snn: SNN
    names: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file.

    Parameters
    ----------
    name : str
        What ``--format`` takes.
    suffixes : tuple of str
        Endings of its files, in small letters; :data:`FOLDER` for one that is a folder.
    recognise : callable
        Tells from the first bytes of a file whether it may be one; for a folder, b"".
    read : callable
        Reads it: path, whether synapses of weight zero stay, options.
    help : str
        What it is, in a line.
    options : tuple of str
        Options of reading (:class:`ReadOptions`) that say something of it.
    """

    name: str
    suffixes: tuple[str, ...]
    recognise: Callable[[bytes], bool]
    read: Callable[[Path, bool, ReadOptions], Named]
    help: str
    options: tuple[str, ...] = ()


# Readers are imported when they are needed: HDF5 and scipy cost more than most networks.


def _nir(path: Path, keep: bool, options: ReadOptions) -> Named:
    from optmap.readers.nir_file import read_hdf5

    return Named(read_hdf5(path, keep_zero_weights=keep))


def _edges(path: Path, keep: bool, options: ReadOptions) -> Named:
    from optmap.readers.edge_list import read_edges

    read = read_edges(path, keep_zero_weights=keep, options=options)
    return Named(read.snn, read.names)


def _arrays(path: Path, keep: bool, options: ReadOptions) -> Named:
    from optmap.readers.arrays import read_arrays

    return Named(read_arrays(path, keep_zero_weights=keep, rows=options.matrix_rows))


def _carlsim(path: Path, keep: bool, options: ReadOptions) -> Named:
    from optmap.readers.carlsim import read_connections

    return Named(read_connections(path, asked=options.format == "carlsim"))


def _hypergraph(path: Path, keep: bool, options: ReadOptions) -> Named:
    from optmap.readers.snn_hypergraph import read_hypergraph

    return Named(read_hypergraph(path, options.spike_window))


def _sdf3(path: Path, keep: bool, options: ReadOptions) -> Named:
    from optmap.readers.sdf3_clusters import read_clustered

    return Named(read_clustered(path))


def _graphml(path: Path, keep: bool, options: ReadOptions) -> Named:
    from optmap.readers.graph_files import read_graphml

    read = read_graphml(path)
    return Named(read.snn, read.names)


def _gml(path: Path, keep: bool, options: ReadOptions) -> Named:
    from optmap.readers.graph_files import read_gml

    read = read_gml(path)
    return Named(read.snn, read.names)


def _networkx(path: Path, keep: bool, options: ReadOptions) -> Named:
    from optmap.readers.graph_files import read_networkx_edges

    read = read_networkx_edges(path)
    return Named(read.snn, read.names)


def _matrix_market(path: Path, keep: bool, options: ReadOptions) -> Named:
    from optmap.readers.matrix_market import read_matrix_market

    return Named(read_matrix_market(path, keep_zero_weights=keep, rows=options.matrix_rows))


def _metis(path: Path, keep: bool, options: ReadOptions) -> Named:
    from optmap.readers.graph_files import read_metis

    return Named(read_metis(path))


def _hmetis(path: Path, keep: bool, options: ReadOptions) -> Named:
    from optmap.readers.graph_files import read_hmetis

    return Named(read_hmetis(path, asked=options.format == "hmetis"))


def _sanafe(path: Path, keep: bool, options: ReadOptions) -> Named:
    from optmap.readers.sanafe import read_sanafe

    return Named(read_sanafe(path, keep_zero_weights=keep))


def _ranc(path: Path, keep: bool, options: ReadOptions) -> Named:
    from optmap.readers.ranc import read_ranc

    return Named(read_ranc(path, parameters=options.parameters).snn)


def _starts(*magics: bytes) -> Callable[[bytes], bool]:
    return lambda start: start.startswith(magics)


def _holds(word: bytes) -> Callable[[bytes], bool]:
    """Recognise XML around an element."""
    return lambda start: _text(start)[:1] == "<" and b"<" + word in start


def _text(start: bytes) -> str:
    """Return the beginning of a text without blanks and byte order mark, "" if it is no text."""
    try:
        text = start.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:
            return ""
        text = start[: error.start].decode("utf-8-sig")
    return "" if "\0" in text else text.lstrip()


def _rows(start: bytes) -> list[str]:
    """Return the rows of a text's beginning, remarks and the last, perhaps cut, row left out."""
    lines = _text(start).splitlines()
    if len(start) >= START:
        lines = lines[:-1]
    return [line for line in lines if line.strip() and line.lstrip()[0] not in "#%"]


def _is_table(start: bytes) -> bool:
    """Tell whether a text may be rows of source, target and so on; one that opens no bracket."""
    rows = _rows(start)
    if not rows or _text(start)[0] in "<{[*" or _text(start).startswith("#!"):
        return False
    if rows[0].split()[0].casefold() in ("graph", "digraph", "strict"):  # DOT, GML
        return False
    first = rows[0].split()
    if len(first) > 2 and first[2][0] == "{" and not any(m in w for w in first[:2] for m in ",;"):
        return False  # networkx' dictionaries have commas of their own
    if any(mark in rows[0] for mark in ",;\t"):
        return True
    if len({len(row.split()) for row in rows}) != 1 or len(first) < 2:
        return False
    if any(c in rows[0] for c in "{[:="):
        return False
    if _is_remarked(start):
        return True
    # Two whole numbers a row are the same network as CARLsim's text; three are not.
    numbers = [_is_index(word) for word in first[:2]]
    return all(numbers) and len(first) > 2 if any(numbers) else not _is_number(first[0])


def _is_remarked(start: bytes) -> bool:
    """Tell whether a remark names the columns of an edge list."""
    for line in _text(start).splitlines():
        remark = line.strip()
        if remark[:1] not in ("#", "%") and remark:
            return False
        words = remark.lstrip("#% ").partition("columns")[2].lstrip(" =[(").rstrip(" ])")
        words = words or remark.lstrip("#% ")
        try:
            edge_columns(words.replace('"', " ").replace("'", " ").replace(",", " ").split())
        except UnclearHeader:
            continue
        return True
    return False


def _is_carlsim(start: bytes) -> bool:
    rows = _rows(start)
    if not rows or _is_remarked(start) or any(mark in rows[0] for mark in ",;\t"):
        return False
    words = rows[0].split()
    numbers = all(map(_is_index, words))
    return _is_index(words[0]) and (numbers or not (_is_table(start) or _is_networkx(start)))


def _is_index(word: str) -> bool:
    return word.isascii() and word.removeprefix("-").isdigit()


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _is_networkx(start: bytes) -> bool:
    rows = _rows(start)
    lists = all(row.rstrip().endswith("}") and "{" in row for row in rows)
    words = ("graph", "digraph", "strict")  # DOT
    lists &= not (rows and rows[0].split()[0].casefold() in words)
    return bool(rows) and lists and not any(row.lstrip()[0] in "{[" for row in rows)


def _is_sanafe(start: bytes) -> bool:
    rows = _rows(start)
    return bool(rows) and any(row.startswith("network:") for row in rows)


def _never(start: bytes) -> bool:
    return False


FORMATS: tuple[Format, ...] = (
    Format("nir", (".nir", ".h5", ".hdf5"), _starts(b"\x89HDF\r\n\x1a\n"), _nir,
           "a network from snnTorch, SpikingJelly, Norse, Sinabs, Rockpool, ..."),
    Format("sonata", (".h5", ".hdf5"), _never, _nir,
           "SONATA edges, told from NIR by what the file holds"),
    Format("edges", (".csv", ".tsv", ".txt", ".edges", ".edgelist", ".el", ".wel"), _is_table,
           _edges, "a table of synapses: source,target[,weight][,type], or named by a header",
           ("columns",)),
    Format("arrays", (".npz", ".npy"), _starts(b"PK\x03\x04", b"\x93NUMPY"), _arrays,
           "numpy or scipy.sparse arrays", ("matrix_rows",)),
    Format("carlsim", (".txt",), _is_carlsim, _carlsim,
           "CARLsim / NeuroXplorer text: source target target ..."),
    Format("hypergraph", (".snn",), _never, _hypergraph, "a hypergraph with spike frequencies",
           ("spike_window",)),
    Format("sdf3", (".xml",), _holds(b"sdf3"), _sdf3,
           "an SDF3 graph whose actors are clusters already"),
    Format("graphml", (".graphml", ".xml"), _holds(b"graphml"), _graphml, "GraphML"),
    Format("gml", (".gml",), lambda start: _text(start).startswith("graph ["), _gml, "GML"),
    Format("networkx", (".edgelist", ".edges", ".txt"), _is_networkx, _networkx,
           "networkx' edge list: u v {attributes}"),
    Format("matrix-market", (".mtx",), _starts(MATRIX_MARKET), _matrix_market,
           "a MatrixMarket matrix, row = reading neuron", ("matrix_rows",)),
    Format("metis", (".graph", ".metis"), _never, _metis, "a METIS graph"),
    Format("hmetis", (".hgr",), _never, _hmetis,
           "an hMETIS hypergraph, only by --format: the first pin of a line drives the others"),
    Format("sanafe", (".yaml", ".yml", ".net"), _is_sanafe, _sanafe,
           "a SANA-FE network: YAML, or the netlist of its first version"),
    Format("ranc", (FOLDER,), _never, _ranc, "RANC / SpikeHard core files, csram_*.mem",
           ("parameters",)),
)  # fmt: skip


def endings() -> str:
    """Return every format with its endings, for messages and help."""
    return ", ".join(f"{f.name} ({', '.join(f.suffixes)})" for f in FORMATS)


def format_of(path: Path, name: str | None = None) -> Format:
    """Return the format of a file or folder.

    The suffix decides; where several formats share one, or none has it, the beginning of the file.

    Parameters
    ----------
    path : Path
        The file or folder.
    name : str or None
        The format, if it is told.

    Raises
    ------
    InputError
        If there is nothing to read, no format fits, or several do.
    """
    expected = f"gen:NAME, or one of {endings()}; --format says which"
    start = _start(path, expected)
    if name is not None:
        chosen = next((f for f in FORMATS if f.name == name), None)
        if chosen is None:
            names = ", ".join(f.name for f in FORMATS)
            raise InputError("--format", "", repr(name), f"one of {names}")
        return chosen
    if path.is_dir():
        core_files(path)
        return next(f for f in FORMATS if FOLDER in f.suffixes)
    if not start:
        raise InputError(str(path), "", "an empty file", expected)
    if _text(start)[:9].casefold() in ("*vertices", "*network "):
        raise InputError(str(path), "", "a Pajek network", expected)
    if start.startswith(MATRIX_MARKET):
        return next(f for f in FORMATS if f.name == "matrix-market")
    suffix = path.suffix.lower()
    known = [f for f in FORMATS if suffix and suffix in f.suffixes]
    if len(known) == 1:
        return known[0]
    fitting = [f for f in known or FORMATS if f.recognise(start)]
    if not fitting and _is_carlsim(start):  # rows of two whole numbers, in a file of edges
        fitting = [f for f in known if f.name == "edges"]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        found_names = " and ".join(f.name for f in fitting)
        choice = " or ".join(f"--format {f.name}" for f in fitting)
        raise InputError(str(path), "", f"a file that {found_names} would read differently", choice)
    if known:
        raise InputError(str(path), "", "none of the formats of its suffix",
                         " or ".join(f"{f.name} ({f.help})" for f in known))  # fmt: skip
    what = f"the unknown suffix {suffix!r}" if suffix else "no suffix, and no known beginning"
    raise InputError(str(path), "", what, expected)


def _start(path: Path, expected: str) -> bytes:
    """Return the first bytes of a file, none of a folder; refuse what is neither."""
    try:
        if path.is_dir():
            return b""
        if path.exists() and not path.is_file():  # a pipe would keep the reader waiting
            raise InputError(str(path), "", "no regular file", expected)
        with path.open("rb") as stream:
            return stream.read(START)
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(str(path), "", reason, expected) from None
