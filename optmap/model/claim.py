"""What a run of a method says of itself: a mapping, and for every stage its claim."""

from __future__ import annotations

from collections.abc import Mapping as Object
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from optmap.model.certificate import Certificate
from optmap.model.grade import Grade
from optmap.model.mapping import Mapping
from optmap.model.outcome import Status, TracePoint, Value
from optmap.model.scope import Scope


@dataclass(frozen=True, slots=True)
class Claim:
    """What one stage says it reached and proved.

    ``metric`` names a column of the judge's row, ``evaluated`` is the judge's own value for the
    stage's solution. ``scope`` is what the bound holds for, ``grade`` who vouches for it.
    """

    metric: str
    status: Status
    value: Value | None
    bound: Value | None
    evaluated: Value | None
    scope: Scope
    grade: Grade = Grade.CLAIMED
    trace: tuple[TracePoint, ...] = ()
    certificate: Certificate | None = None

    @property
    def holds(self) -> bool:
        """Tell whether the judge agrees with the claimed value, and the bound with both.

        Beside a mapping, which the row of the claim then has, a proof that there is none fails.
        """
        agrees = self.value == self.evaluated and self.status is not Status.INFEASIBLE
        return agrees and not self.contradicts

    @property
    def contradicts(self) -> bool:
        """Tell whether the bound is above the value that was reached: one of them is wrong."""
        return self.value is not None and self.bound is not None and self.bound > self.value

    def to_json(self) -> dict[str, Any]:
        """Return the claim as it stands in a row, without its certificate; "p/q" is a Fraction."""
        return {
            "metric": self.metric,
            "status": self.status.value,
            "value": written(self.value),
            "bound": written(self.bound),
            "evaluated": written(self.evaluated),
            "scope": self.scope.to_json(),
            "grade": self.grade.value,
            "trace": [
                [round(p.seconds, 4), written(p.incumbent), written(p.bound)] for p in self.trace
            ],
        }

    @classmethod
    def from_json(cls, data: Object[str, Any]) -> Claim:
        """Read the claim of a row back; its certificate stays in the row."""
        return cls(
            data["metric"],
            Status(data["status"]),
            read(data["value"]),
            read(data["bound"]),
            read(data["evaluated"]),
            Scope.from_json(data["scope"]),
            Grade(data["grade"]),
            tuple(TracePoint(t, read(value), read(bound)) for t, value, bound in data["trace"]),
        )


def written(value: Value | None) -> int | str | None:
    """Return an exact value as JSON holds it: a Fraction as text."""
    return value if value is None or isinstance(value, int) else str(value)


def read(value: int | str | None) -> Value | None:
    """Return the exact value that JSON holds; ValueError for a float or a bool."""
    if isinstance(value, bool | float):
        raise ValueError(f"{value!r} is no exact number")
    return value if value is None or isinstance(value, int) else _fraction(value)


@lru_cache(maxsize=65_536)
def _fraction(text: str) -> Fraction:
    """Return the fraction that a text writes; rows of one instance write the same ones often."""
    return Fraction(text)


@dataclass(frozen=True, slots=True)
class Run:
    """What a method returns: a mapping or the reason there is none, claims, seconds per stage."""

    status: Status
    mapping: Mapping | None
    claims: tuple[Claim, ...] = ()
    seconds: tuple[tuple[str, float], ...] = ()
    reason: str = ""
