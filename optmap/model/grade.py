"""How much a bound can be trusted."""

from __future__ import annotations

from enum import Enum


class Grade(Enum):
    """Who vouches for a bound, from the strongest to the weakest."""

    CERTIFIED = "certified"  # exact arithmetic or own exhaustive search; `verify` repeats it
    TWO_SOLVERS = "two solvers"  # two solvers of different kind came to it
    CLAIMED = "claimed"  # one solver's word


def stronger(one: Grade, other: Grade) -> bool:
    """Tell whether one grade is to be trusted more than another."""
    grades = list(Grade)
    return grades.index(one) < grades.index(other)
