"""JSON for exact values: fractions travel as "p/q" strings, everything else as it is."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import numpy as np


def dumps(data: Any) -> str:
    """Return one line of JSON; fractions become strings, numpy integers plain ones."""
    return json.dumps(data, default=_plain, allow_nan=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, np.integer):
        return int(value)
    raise TypeError(f"{type(value).__name__} has no place in a result row")


def number(value: Any) -> Fraction | None:
    """Return the exact number that a JSON value stands for; None for null."""
    return None if value is None else Fraction(value)
