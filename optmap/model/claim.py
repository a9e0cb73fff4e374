"""What a run of a method says of itself: a mapping, and for every stage its claim."""

from __future__ import annotations

from dataclasses import dataclass

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
        """Tell whether the judge agrees with the claimed value, and the bound with both."""
        agrees = self.value == self.evaluated
        return agrees and (self.bound is None or self.value is None or self.bound <= self.value)


@dataclass(frozen=True, slots=True)
class Run:
    """What a method returns: a mapping or the reason there is none, claims, seconds per stage."""

    status: Status
    mapping: Mapping | None
    claims: tuple[Claim, ...] = ()
    seconds: tuple[tuple[str, float], ...] = ()
    reason: str = ""
