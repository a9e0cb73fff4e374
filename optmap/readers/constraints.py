"""Constraints from TOML: a table of an instance file, or a file of their own.

::

    pin = [{ neurons = "output", tile = 3 }, { neurons = "0..15", tile = 0 }]
    together = [["conv1", "conv2"]]
    apart = [["left", "right"]]
    max_neurons = 64
    min_neurons = 4
    max_difference = 2                  # largest cluster less smallest
    max_imbalance = 0.1                 # largest cluster at most 1.1 times the mean
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction
from math import isfinite
from pathlib import Path

from optmap.errors import InputError
from optmap.model.constraints import KINDS, SIZE_KINDS, Constraints, Pin
from optmap.toml_fields import Table, read_toml

_GROUPS = 'lists of names, [["a", "b"], ...]'


def read_constraints(table: Table) -> Constraints:
    """Return the constraints of a TOML table.

    Raises
    ------
    InputError
        Naming the field, what was found and what was expected.
    """
    pins = []
    for pin in table.tables("pin") if table.has("pin") else []:
        pins.append(Pin(pin.text("neurons"), pin.whole("tile", 0)))
        pin.close()
    groups = {name: _groups(table, name) for name in ("together", "apart")}
    most, least = (table.whole_or_none(name, 1) for name in ("max_neurons", "min_neurons"))
    difference = table.whole_or_none("max_difference", 0)
    imbalance = table.number("max_imbalance", 0) if table.has("max_imbalance") else None
    table.close()
    try:
        return Constraints(
            tuple(pins), groups["together"], groups["apart"], most, least, difference, imbalance
        )  # fmt: skip
    except ValueError as error:
        raise InputError(table.file, table.path, str(error), "consistent constraints") from None


def _groups(table: Table, name: str) -> tuple[tuple[str, ...], ...]:
    value = table.data[name] if table.has(name) else []
    if not isinstance(value, list) or not all(
        isinstance(group, list) and group and all(isinstance(n, str) for n in group)
        for group in value
    ):
        raise table.fail(name, repr(value)[:80], _GROUPS)
    return tuple(map(tuple, value))


def load_constraints(path: str | Path) -> Constraints:
    """Read a file of constraints; InputError if it is none."""
    return read_constraints(read_toml(Path(path)))


def as_constraints(given: Constraints | Mapping[str, object] | str | Path | None) -> Constraints:
    """Return the constraints that a caller of the library gives: an object, a dict, or a file.

    Raises
    ------
    InputError
        If something is wrong with them.

    Examples
    --------
    >>> as_constraints({"pin": [{"neurons": "output", "tile": 3}], "max_neurons": 8}).kinds
    ('pin', 'max_neurons')
    """
    if given is None:
        return Constraints()
    if isinstance(given, Constraints):
        return given
    if isinstance(given, str | Path):
        return load_constraints(given)
    unknown = set(given) - set(KINDS)
    if unknown:
        raise InputError("constraints", "", repr(min(unknown)), "one of " + ", ".join(KINDS))
    data = {name: _plain(value) for name, value in given.items() if value is not None}
    return read_constraints(Table(data, "constraints", ""))


def constraints_text(constraints: Constraints) -> str:
    """Return the constraints as a file of their own; ``load_constraints`` reads them back.

    Examples
    --------
    >>> print(constraints_text(Constraints(apart=(("a", "b"),), max_neurons=4)), end="")
    apart = [["a", "b"]]
    max_neurons = 4
    """
    lines = []
    if constraints.pin:
        pins = (
            f"{{ neurons = {json.dumps(p.neurons)}, tile = {p.tile} }}" for p in constraints.pin
        )
        lines.append(f"pin = [{', '.join(pins)}]")
    for name in ("together", "apart"):
        groups = getattr(constraints, name)
        lines += [f"{name} = {json.dumps(list(map(list, groups)))}"] if groups else []
    for name in SIZE_KINDS:
        value = getattr(constraints, name)
        lines += [] if value is None else [f"{name} = {_decimal(value)}"]
    return "".join(f"{line}\n" for line in lines)


def constraints_file(
    given: Constraints | Mapping[str, object] | str | Path | None, folder: Path
) -> str | None:
    """Return the file of given constraints; what is none yet is written into ``folder``."""
    if given is None or isinstance(given, str | Path):
        return None if given is None else str(given)
    path = folder / "constraints.toml"
    path.write_text(constraints_text(as_constraints(given)), encoding="utf-8")
    return str(path)


def _decimal(value: int | Fraction) -> str:
    """Return a number as TOML has it; a fraction without an end is cut to fewer than it allows."""
    if value.denominator == 1:
        return str(int(value))
    digits = Decimal(value.numerator) / Decimal(value.denominator)
    return format(digits.quantize(Decimal("1e-12"), ROUND_FLOOR).normalize(), "f")


def _plain(value: object) -> object:
    """Return tuples as lists, pins as tables and numbers as they are written, as TOML has them."""
    if isinstance(value, Pin):
        return {"neurons": value.neurons, "tile": value.tile}
    if isinstance(value, float) and isfinite(value):
        return Fraction(repr(value))
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
