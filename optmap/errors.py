"""The ways an input can be refused, one class per fact a caller can act on.

All are ``ValueError``: a command prints their text as its one line and ends with exit status 2.
A result (infeasible, limit reached) is no error; it is a :class:`optmap.model.outcome.Status`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill

#: Characters of what was found and of what was expected that a message shows.
MAX_TEXT = 600


class InputError(ValueError):
    """A file or argument is not what it must be.

    Parameters
    ----------
    where : str
        The file or argument at fault.
    field : str
        The field, line or node inside it; empty when the whole is at fault.
    found, expected : str
        What stood there, and what would have been right.
    """

    def __init__(self, where: str, field: str, found: str, expected: str) -> None:
        self.where, self.field, self.found, self.expected = where, field, found, expected
        place = f"{where}: {field}" if field else where
        text = f"{place}: found {_short(found)}, expected {_short(expected)}"
        super().__init__(visible(text))  # one line, whatever names hold

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str, str, str]]:
        """Rebuild from the four parts, so that the error crosses process borders."""
        return type(self), (self.where, self.field, self.found, self.expected)


def visible(text: str) -> str:
    r"""Return a text in one line, with what a terminal would obey written out.

    Examples
    --------
    >>> print(visible(chr(27) + "[31mred"))
    \x1b[31mred
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def refuse_special(path: Path, expected: str) -> None:
    """Raise InputError for what is neither file nor folder: a pipe keeps its reader waiting."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise InputError(str(path), "", "no regular file", expected)


def refuse_unknown(
    data: Mapping[str, object], known: Sequence[str], where: str, prefix: str = ""
) -> None:
    """Raise InputError for the first field of ``data`` that is not among the known ones."""
    for name in data:
        if name not in known:
            raise InputError(where, prefix + name, "an unknown field", "one of " + ", ".join(known))


def _short(text: str) -> str:
    """Return text that fits a line; a damaged file can make a library quote all of it."""
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "..."


class FanInError(ValueError):
    """A neuron reads more sources than a crossbar has rows, and decomposition is off.

    Parameters
    ----------
    neuron : int
        The neuron's index.
    population : str
        The population it belongs to.
    fan_in, rows : int
        What it reads, and what the largest crossbar offers.
    """

    def __init__(self, neuron: int, population: str, fan_in: int, rows: int) -> None:
        self.neuron, self.population, self.fan_in, self.rows = neuron, population, fan_in, rows
        super().__init__(
            f"neuron {neuron} of population {population!r} has fan-in {fan_in}, the largest"
            f" crossbar has {rows} rows; use decomposition 'tree' or 'chain', or a larger crossbar"
        )

    def __reduce__(self) -> tuple[type[FanInError], tuple[int, str, int, int]]:
        """Rebuild from the parts, so that the error crosses process borders."""
        return type(self), (self.neuron, self.population, self.fan_in, self.rows)


class CapacityError(ValueError):
    """The platform cannot hold the network: slots, crossbars or buffers run out."""


class DeadlockError(ValueError):
    """Some cycle of the graph carries no token, so nothing on it ever fires.

    Parameters
    ----------
    cycle : list of int
        Edge indices of one such cycle, in firing order.
    names : list of str
        The actors along it, for the message.
    """

    def __init__(self, cycle: list[int], names: list[str]) -> None:
        self.cycle, self.names = cycle, names
        super().__init__("deadlock, no token on the cycle " + " -> ".join([*names, *names[:1]]))

    def __reduce__(self) -> tuple[type[DeadlockError], tuple[list[int], list[str]]]:
        """Rebuild from the parts, so that the error crosses process borders."""
        return type(self), (self.cycle, self.names)


def wrapped(line: str, width: int) -> str:
    """Return a line as lines of at most ``width``, the further ones set in by two more blanks.

    Numbers and names stay whole, but for a name that no line holds.

    Examples
    --------
    >>> print(wrapped("  traffic 1,234 spikes", 14))
      traffic
        1,234
        spikes
    """
    if len(line) <= width:
        return line
    lead = " " * (len(line) - len(line.lstrip()) + 2)
    return fill(line, width, subsequent_indent=lead, break_on_hyphens=False)
