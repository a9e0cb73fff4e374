"""The values of a model's variables, from a solver of our own or from another solver's file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

#: How far from a whole number the solvers' tolerances may leave an integer variable.
TOLERANCE = 1e-4


class Answers(Protocol):
    """What a model's ``extract`` asks: ``cp_model.CpSolver`` answers, and so does a file."""

    def value(self, variable: Any, /) -> int:
        """Return the value of a variable."""

    def boolean_value(self, variable: Any, /) -> bool:
        """Return the value of a 0-1 variable."""


class NamedAnswers:
    """Answers by the variables' names; a name that is not there is 0, as solvers' files mean it."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self.values = values

    def value(self, variable: Any, /) -> int:
        """Return the value of a variable; ValueError where it is none of an integer variable."""
        found = self.values.get(variable.name, 0)
        if abs(found - round(found)) > TOLERANCE:
            raise ValueError(f"{variable.name} = {found:.6g} is no whole number")
        return round(found)

    def boolean_value(self, variable: Any, /) -> bool:
        """Return the value of a 0-1 variable; ValueError where it is none."""
        found = self.value(variable)
        if found not in (0, 1):
            raise ValueError(f"{variable.name} = {found} is neither 0 nor 1")
        return bool(found)


def the_one(places: Sequence[int], what: str, kind: str) -> int:
    """Return the only element.

    Raises
    ------
    ValueError
        Naming ``what``, if it has no place of this kind or several.

    Examples
    --------
    >>> the_one([3], "unit 0", "cluster")
    3
    """
    if len(places) != 1:
        found = f"{kind}s " + ", ".join(map(str, places)) if places else f"no {kind}"
        raise ValueError(f"{what} has {found} where it must have one")
    return places[0]
