"""A lower bound as a fact: of which metric, its value, what it holds for, who vouches for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

from optmap.model.certificate import Certificate
from optmap.model.grade import Grade
from optmap.model.outcome import Value
from optmap.model.scope import Scope


@dataclass(frozen=True, slots=True)
class Bound:
    """Nothing within ``scope`` has a smaller value of ``metric``.

    Parameters
    ----------
    metric : str
        A column of the judge's row: ``clusters``, ``traffic``, ``spike_hops``, ``period``, ...
    name : str
        Which argument, or which method, proves it.
    value : int or Fraction
        Exact.
    scope : Scope
        For which mappings it holds.
    grade : Grade
        Who vouches for it.
    certificate : Certificate, optional
        What lets others prove it again.
    """

    metric: str
    name: str
    value: Value
    scope: Scope
    grade: Grade
    certificate: Certificate | None = None

    @property
    def whole(self) -> int:
        """The least whole number that is not below the bound, for metrics that count."""
        return ceil(self.value)

    def to_json(self) -> dict[str, Any]:
        """Return the bound as it stands in a row; a Fraction is written as text, "p/q"."""
        exact = self.value if isinstance(self.value, int) else str(self.value)
        data: dict[str, Any] = {"metric": self.metric, "name": self.name, "value": exact}
        data |= {"scope": self.scope.to_json(), "grade": self.grade.value}
        if self.certificate is not None:
            data["certificate"] = self.certificate.to_json()
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Bound:
        """Read a bound of a row back; its certificate stays in the row.

        Rows of one instance hold the same bounds, so that each text is read once.
        """
        text = "" if "certificate" in data else repr(data)
        known = _READ.get(text)
        if known is not None:
            return known
        value = data["value"]
        made = cls(
            data["metric"],
            data["name"],
            value if isinstance(value, int) else Fraction(value),
            Scope.from_json(data["scope"]),
            Grade(data["grade"]),
        )
        if text and len(_READ) < MOST_READ:
            _READ[text] = made
        return made


#: Bounds that were read, by their text (2, 2.0 and true differ), and how many are remembered.
_READ: dict[str, Bound] = {}
MOST_READ = 65_536


def best(bounds: Iterable[Bound]) -> Bound | None:
    """Return the largest bound, the first of equals; None if there is none."""
    return max(bounds, key=lambda b: b.value, default=None)
