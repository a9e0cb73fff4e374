"""A lower bound as a fact: its value, the argument that proves it, and what it holds for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bound:
    """Nothing within ``scope`` has a smaller value; ``name`` says which argument proves it."""

    name: str
    value: int
    scope: str


def best(bounds: Iterable[Bound]) -> Bound | None:
    """Return the largest bound, the first of equals; None if there is none."""
    return max(bounds, key=lambda b: b.value, default=None)
