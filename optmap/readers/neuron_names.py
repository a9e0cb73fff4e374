"""What the neurons of a list are called: indices, or names in their natural order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isfinite

import numpy as np

from optmap.errors import InputError
from optmap.model.snn import IntArray
from optmap.readers.text import natural_order

SAY = "say which with --columns, as in --columns pre,post,weight or --columns 1,2,3"

#: Whole numbers are indices while they leave no wider gaps than this; beyond, they are names.
_ALWAYS_INDEX = 1_000
_INDEX_PER_NEURON = 10
#: 1e3 is a number, or a name as of a cell in row 1e; 1e+03 and 1.0e3 are numbers.
_SHORT_POWER = re.compile(r"[0-9]+[eE][0-9]+", re.ASCII)


def is_number(text: str) -> bool:
    """Tell whether a text is a finite number in plain digits; 1_0 is a name to all but Python."""
    try:
        return isfinite(float(text)) and text.isascii() and "_" not in text
    except ValueError:
        return False


def number_names(
    where: str, names: Sequence[str], *, only_names: bool = False
) -> tuple[IntArray, tuple[str, ...], list[str]]:
    """Return the neuron of each name, what all neurons are called, and what to say of it.

    ``only_names``: numbers are names, however dense, as in a column of bodies or roots.

    Raises
    ------
    InputError
        If all names are numbers, but not all whole ones from 0 on, or written so that they may be
        names (1e3, 01 beside 1); ``where`` is the file.

    Examples
    --------
    >>> number_names("list", ["b10", "b9"])[:2]
    (array([1, 0]), ('b9', 'b10'))
    >>> number_names("list", ["2", "0"])[:2]
    (array([2, 0]), ('0', '1', '2'))
    """
    whole = [_whole(name) for name in names]
    numeric = [value for value in whole if value is not None]
    if len(numeric) < len(names):
        if all(map(is_number, names)):
            part = next(name for name, value in zip(names, whole, strict=True) if value is None)
            raise InputError(where, "", f"neuron {part[:40]}", f"whole numbers or names; {SAY}")
        ordered = natural_order(names)
        rank = {name: i for i, name in enumerate(ordered)}
        return np.array([rank[name] for name in names], dtype=np.int64), tuple(ordered), []
    odd = _odd_number(names, numeric)
    if odd is not None:
        raise InputError(where, "", f"neuron {odd[:40]}, a number or a name", SAY)
    if min(numeric) < 0:
        raise InputError(where, "", f"neuron number {min(numeric)}", "numbers from 0 on, or names")
    distinct = sorted(set(numeric))
    if not only_names and distinct[-1] < max(_ALWAYS_INDEX, _INDEX_PER_NEURON * len(distinct)):
        called = tuple(map(str, range(distinct[-1] + 1)))
        bare = len(called) - len(distinct)
        note = f"numbers are indices: {bare} of {len(called)} neurons have no synapse"
        return np.array(numeric, dtype=np.int64), called, [note] if bare else []
    place = {value: i for i, value in enumerate(distinct)}
    note = f"numbers up to {distinct[-1]} name {len(distinct)} neurons, in ascending order"
    number = np.array([place[value] for value in numeric], dtype=np.int64)
    return number, tuple(map(str, distinct)), [note]


def _odd_number(names: Sequence[str], numbers: Sequence[int]) -> str | None:
    """Return a number that may be a name: 1e3, or 007 where 7 is there, too."""
    plain = {value for name, value in zip(names, numbers, strict=True) if name == str(value)}
    for name, value in zip(names, numbers, strict=True):
        padded = name.lstrip("+-")[:1] == "0" and not name.lstrip("+-0.").startswith(("e", "E"))
        zeros = padded and len(name.lstrip("+-").partition(".")[0]) > 1
        if _SHORT_POWER.fullmatch(name) or (zeros and value in plain):
            return name
    return None


def _whole(name: str) -> int | None:
    """Return a name that is a whole number, 3 or 3.0 or 3.000e+00, None for any other."""
    digits = name[1:] if name[:1] == "-" else name
    if digits.isascii() and digits.isdigit():
        return int(name) if len(digits) <= 30 else None
    if not is_number(name) or not float(name).is_integer() or abs(float(name)) >= 2**53:
        return None
    return int(float(name))
