"""What a file does not say of itself: how it is to be read, as options or instance fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction

from optmap.errors import InputError
from optmap.toml_fields import Table

_TEXTS = (
    "format", "columns", "matrix_rows", "spike_columns", "spike_axes", "parameters", "architecture"
)  # fmt: skip
OPTION_NAMES = (*_TEXTS, "spike_window")
MATRIX_ROWS = ("post", "pre")


#: A line of help for each.
OPTION_HELP = {
    "format": "the network's format, where its suffix does not tell",
    "columns": "columns of an edge list: source,target[,weight][,type]",
    "matrix_rows": "what a row of a matrix is: post (it reads, the default) or pre (it drives)",
    "spike_columns": "columns of a spike file: id and time, count or rate",
    "spike_axes": "axes of a recording: TN, NT, BTN, ... (T steps, N neurons, B samples)",
    "parameters": "RANC: the parameters its folder lacks, NAME=VALUE,NAME=VALUE,...",
    "architecture": "platform of another tool: what its file lacks, NAME=VALUE,NAME=VALUE,...",
    "spike_window": "what rates are multiplied by to give the spikes of one iteration",
}


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read a network and its spikes; None everywhere: as the files themselves say.

    Parameters
    ----------
    format : str or None
        Name of a format (:data:`optmap.readers.formats.FORMATS`), where suffix and content do not
        decide.
    columns : tuple of str or None
        Columns of an edge list: names of its header or numbers from 1, in the order source, target,
        weight, type; or the header that the file lacks, "-" for a column to leave out.
    matrix_rows : str or None
        What a row of a connectivity matrix is: "post", the neuron that reads, or "pre", the neuron
        that drives; None: "post".
    spike_columns : tuple of str or None
        The same for a spike file: id and time, count or rate.
    spike_axes : str or None
        Axes of a recording: T (steps), N (neurons), B (samples), in the order of the array.
    spike_window : Fraction or None
        What rates are multiplied by to give the spikes of one iteration.
    parameters : str or None
        RANC: the parameters that the folder lacks, NAME=VALUE pairs between commas.
    architecture : str or None
        What the platform file of another tool lacks (:mod:`optmap.readers.platforms`), in the same
        form.
    """

    format: str | None = None
    columns: tuple[str, ...] | None = None
    matrix_rows: str | None = None
    spike_columns: tuple[str, ...] | None = None
    spike_axes: str | None = None
    spike_window: Fraction | None = None
    parameters: str | None = None
    architecture: str | None = None

    def to_dict(self) -> dict[str, str]:
        """Return what is set, each as the text of its option."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return {
            name: ",".join(value) if isinstance(value, tuple) else str(value)
            for name, value in given.items()
        }

    def to_text(self) -> str:
        """Return the options as one line of text, for files that name an instance."""
        return "; ".join(f"{name}={value}" for name, value in self.to_dict().items())


AS_WRITTEN = ReadOptions()

#: What a caller of the library may give: options, the texts of a command line by name, or nothing.
Reading = ReadOptions | Mapping[str, object] | None

OUTSIDE_HELP = "read files outside the folder of the instance file that names them"


def from_text(text: str) -> ReadOptions:
    """Return the options that :meth:`ReadOptions.to_text` wrote.

    Examples
    --------
    >>> from_text("columns=pre,post; spike_axes=TN").spike_axes
    'TN'
    """
    parts = [part.partition("=") for part in text.split(";") if part.strip()]
    return read_options({name.strip(): value.strip() for name, _, value in parts})


def read_options(given: Mapping[str, str | None]) -> ReadOptions:
    """Return the options behind texts, as a command line or an instance file has them.

    Parameters
    ----------
    given : mapping of str to str or None
        Names as in :class:`ReadOptions`; None counts as absent.

    Raises
    ------
    InputError
        If a name is unknown or a value is none of its option's.

    Examples
    --------
    >>> read_options({"columns": "pre,post", "spike_window": "0.5"}).to_dict()
    {'columns': 'pre,post', 'spike_window': '1/2'}
    """
    texts: dict[str, str] = {}
    window: Fraction | None = None
    for name, value in given.items():
        if value is None:
            continue
        if name == "spike_window":
            window = _window(value)
        elif name in _TEXTS and value.strip():
            texts[name] = value.strip()
        else:
            known = ", ".join(OPTION_NAMES)
            raise InputError(_flag(name), "", repr(value), f"a text; options are {known}")
    axes = texts.get("spike_axes")
    if axes is not None and (
        len(set(axes)) != len(axes) or set(axes) - set("BTN") or "N" not in axes
    ):
        raise InputError(
            _flag("spike_axes"), "", repr(axes), "letters of B, T, N, each once: TN, BTN"
        )
    rows = texts.get("matrix_rows")
    if rows not in (None, *MATRIX_ROWS):
        expected = "post (a row holds what a neuron reads) or pre (what it drives)"
        raise InputError(_flag("matrix_rows"), "", repr(rows), expected)
    return ReadOptions(
        texts.get("format"),
        _words(texts.get("columns")),
        rows,
        _words(texts.get("spike_columns")),
        axes,
        window,
        texts.get("parameters"),
        texts.get("architecture"),
    )


def as_options(given: Reading) -> ReadOptions:
    """Return the options behind what a caller of the library gives.

    Raises
    ------
    InputError
        If a name is unknown or a value is none of its option's.

    Examples
    --------
    >>> as_options({"columns": ("pre", "post"), "spike_window": 20}).to_text()
    'columns=pre,post; spike_window=20'
    """
    if given is None:
        return AS_WRITTEN
    if isinstance(given, ReadOptions):
        return given
    return read_options(
        {
            name: ",".join(value) if isinstance(value, tuple | list) else str(value)
            for name, value in given.items()
            if value is not None
        }
    )


def pairs_of(flag: str, text: str | None, known: Sequence[str]) -> dict[str, int]:
    """Return the whole numbers of NAME=VALUE pairs.

    Raises
    ------
    InputError
        Naming the option ``flag``, if a name is not ``known`` or a value is no whole number.

    Examples
    --------
    >>> pairs_of("--architecture", "rows=128, columns=64", ("rows", "columns"))
    {'rows': 128, 'columns': 64}
    """
    given: dict[str, int] = {}
    for pair in (text or "").split(",") if text else []:
        name, _, value = (part.strip() for part in pair.partition("="))
        if name not in known or not (value.isascii() and value.isdigit() and len(value) < 10):
            expected = "NAME=WHOLE NUMBER of " + ", ".join(known)
            raise InputError(flag, "", repr(pair.strip()[:60]), expected)
        if given.setdefault(name, int(value)) != int(value):
            raise InputError(flag, "", f"{name}={given[name]} and {name}={value}", "one of them")
    return given


def _words(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(word.strip() for word in text.split(","))


def _window(text: str) -> Fraction:
    try:
        value = Fraction(text) if len(text) <= 40 else Fraction(0)
    except (ValueError, ZeroDivisionError):
        value = Fraction(0)
    if not 0 < value <= 10**9:
        raise InputError(_flag("spike_window"), "", repr(text[:40]), "a number above 0, to 10^9")
    return value


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def options_of(table: Table) -> ReadOptions:
    """Return the options of an instance file's table; InputError, naming the field, if wrong."""
    given = {}
    for name in OPTION_NAMES:
        if name == "spike_window" and table.has(name) and not isinstance(table.data[name], str):
            given[name] = str(table.number(name, 0))
        elif table.has(name):
            given[name] = table.text(name)
    table.close()
    try:
        return read_options(given)
    except InputError as error:
        raise table.fail(
            error.where.strip("-").replace("-", "_"), error.found, error.expected
        ) from None
