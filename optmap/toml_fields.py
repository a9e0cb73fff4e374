"""Read TOML tables field by field, with errors that name file, field, found and expected."""

from __future__ import annotations

import math
import re
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

from optmap.errors import InputError, refuse_special

#: A TOML file is a page of text; anything larger is somebody's mistake or attack.
MAX_BYTES = 4_000_000

MAX_EXPONENT = 300

#: Parts of a dotted key; no file of this project has more than three.
MAX_PARTS = 64
_PART = re.compile(r"""\s*(?:[\w-]+|"[^"]*"|'[^']*')\s*""")

#: Whole numbers are refused above this, so that sums of their products fit 64 bits.
MAX_WHOLE = 2**40
MAX_HOPS = 2**20


def read_toml(path: Path) -> Table:
    """Return the top table of a TOML file; decimals are read exactly, as fractions.

    Raises
    ------
    InputError
        If the file is missing, unreadable or no TOML.
    """
    refuse_special(path, "a TOML file")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(
                str(path), "", f"{path.stat().st_size} bytes", f"at most {MAX_BYTES} bytes of TOML"
            )
        text = path.read_bytes().decode("utf-8")
        _refuse_dotted(path, text)
        data = tomllib.loads(text, parse_float=_exact)
    except OSError as error:
        raise InputError(str(path), "", error.strerror or str(error), "a TOML file") from None
    except UnicodeDecodeError:
        raise InputError(str(path), "", "bytes that are no UTF-8", "a TOML file") from None
    except (ValueError, RecursionError) as error:  # integers of 5000 digits are ValueErrors
        raise InputError(str(path), "", f"no TOML ({error})", "a TOML file") from None
    return Table(data, str(path), "")


def _refuse_dotted(path: Path, text: str) -> None:
    """Refuse keys of so many parts that the parser, quadratic in them, would not end."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.count(".") < MAX_PARTS:
            continue
        run = 0
        for part in line.split("."):
            run = run + 1 if _PART.fullmatch(part) else 0
            if run > MAX_PARTS:
                expected = f"keys of at most {MAX_PARTS} parts"
                raise InputError(
                    str(path), f"line {number}", "a dotted key of more parts", expected
                )


def _exact(text: str) -> Fraction | float:
    number = text.replace("_", "")
    value = float(number)
    # inf and nan have no fraction, and 1e999999999 would take one of a gigabyte; number()
    # refuses floats by name
    exponent = number.lower().partition("e")[2]
    if not math.isfinite(value) or abs(int(exponent or 0)) > MAX_EXPONENT:
        return value
    return Fraction(number)


def _shown(value: int | Fraction) -> str:
    """Return a number as messages show it; whole ones may exceed every float."""
    if isinstance(value, int):
        bits = value.bit_length()
        return str(value) if bits <= 256 else f"a whole number of {bits} bits"
    return str(float(value))


class Table:
    """One TOML table being read; every field must be asked for, the rest is refused."""

    def __init__(self, data: dict[str, Any], file: str, path: str) -> None:
        self.data, self.file, self.path = data, file, path
        self.asked: set[str] = set()
        self.sources: dict[str, str] = {}

    def name_of(self, field: str) -> str:
        """Return the dotted name of a field of this table."""
        return f"{self.path}.{field}" if self.path else field

    def fail(self, field: str, found: str, expected: str) -> InputError:
        """Return the error that says what is wrong with ``field``."""
        return InputError(self.file, self.name_of(field), found, expected)

    def has(self, field: str) -> bool:
        """Tell whether the field is there; from then on it is a known one."""
        self.asked.add(field)
        return field in self.data

    def _value(self, field: str, expected: str, required: bool) -> Any:
        self.asked.add(field)
        if field in self.data:
            return self.data[field]
        if required:
            raise self.fail(field, "nothing", expected)
        return None

    def text(self, field: str, default: str | None = None) -> str:
        """Return a string field; without a default it must be there."""
        value = self._value(field, "a string", default is None)
        if value is None:
            return default or ""
        if not isinstance(value, str):
            raise self.fail(field, repr(value), "a string")
        return value

    def choice(self, field: str, options: tuple[str, ...], default: str | None = None) -> str:
        """Return a string field that must be one of ``options``."""
        value = self.text(field, default)
        if value not in options:
            raise self.fail(field, repr(value), "one of " + ", ".join(options))
        return value

    def flag(self, field: str, default: bool) -> bool:
        """Return a boolean field."""
        value = self._value(field, "true or false", False)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.fail(field, repr(value), "true or false")
        return value

    def number(self, field: str, least: int, default: Fraction | int | None = None) -> Fraction:
        """Return an exact number >= ``least``, given plainly or as ``{value, source}``.

        The source is kept in ``sources`` under the dotted name; without one it says "assumed".
        """
        expected = f"a number >= {least}"
        value = self._value(field, expected, default is None)
        source = "assumed"
        if value is None:
            value, source = default, "assumed (default)"
        elif isinstance(value, dict):
            extra = set(value) - {"value", "source"}
            if extra or "value" not in value:
                raise self.fail(field, f"a table with {sorted(value)}", "{ value, source }")
            source = value.get("source", "assumed")
            if not isinstance(source, str):
                raise self.fail(f"{field}.source", repr(source), "a string")
            value = value["value"]
        if isinstance(value, bool) or not isinstance(value, int | Fraction):
            raise self.fail(field, repr(value), expected)
        if value < least:
            raise self.fail(field, _shown(value), expected)
        self.sources[self.name_of(field)] = source
        return Fraction(value)

    def whole(self, field: str, least: int, default: int | None = None) -> int:
        """Return a whole number >= ``least``, given plainly or as ``{value, source}``."""
        value = self.number(field, least, default)
        if value.denominator != 1:
            raise self.fail(field, str(float(value)), f"a whole number >= {least}")
        if value > MAX_WHOLE:
            raise self.fail(field, _shown(int(value)), f"a whole number from {least} to 2^40")
        return int(value)

    def whole_or_none(self, field: str, least: int) -> int | None:
        """Return a whole number, or None where the field is absent: "not limited"."""
        return self.whole(field, least) if self.has(field) else None

    def table(self, field: str) -> Table:
        """Return a sub-table (an empty one where it is absent)."""
        value = self._value(field, "a table", False)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise self.fail(field, repr(value), "a table")
        return Table(value, self.file, self.name_of(field))

    def tables(self, field: str) -> list[Table]:
        """Return the tables of an array of tables."""
        value = self._value(field, "an array of tables", True)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.fail(field, type(value).__name__, f"an array of tables [[{field}]]")
        return [
            Table(item, self.file, f"{self.name_of(field)}[{i}]") for i, item in enumerate(value)
        ]

    def rows(self, field: str) -> list[list[int]]:
        """Return a square matrix of whole numbers from 0 to 2^20."""
        expected = "a square matrix of whole numbers from 0 to 2^20"
        value = self._value(field, expected, True)
        good = isinstance(value, list) and all(
            isinstance(row, list)
            and len(row) == len(value)
            and all(type(v) is int and 0 <= v <= MAX_HOPS for v in row)
            for row in value
        )
        if not good:
            raise self.fail(field, f"{value!r:.80}", expected)
        matrix: list[list[int]] = value
        return matrix

    def texts(self) -> dict[str, str]:
        """Return all fields of a table of texts and numbers, as texts."""
        found = {}
        for name, value in self.data.items():
            if not isinstance(value, str | int | Fraction | bool):
                raise self.fail(name, type(value).__name__, "text or a number")
            exact = isinstance(value, Fraction)
            found[name] = str(float(value)) if exact else str(value)
        return found

    def wholes(self, least: int) -> dict[str, int]:
        """Return all fields of a table of whole numbers >= ``least``."""
        return {name: self.whole(name, least) for name in self.data}

    def close(self) -> None:
        """Refuse the fields that nobody asked for."""
        for field in self.data:
            if field not in self.asked:
                raise self.fail(
                    field, "an unknown field", "one of " + ", ".join(sorted(self.asked))
                )
