"""The stage table: how far each row is from the optimum of what its own decisions leave open.

A bound that holds for the row's decomposition, clustering or binding alone says how well the stages
after it did. "0 %" here is the optimum *of that stage*, and says nothing of the whole flow: a
mapping that is divided badly can be bound and ordered optimally. Whole flows are compared end to
end (:mod:`.gaps`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from optmap.bounds.bound import Bound
from optmap.experiment.row import Row
from optmap.experiment.tables.gaps import (
    CLAIM_MARK,
    MARK,
    by_digest,
    covering,
    gap,
    shared_bounds,
)
from optmap.experiment.tables.metrics import GAPPED
from optmap.model.grade import Grade
from optmap.model.scope import END_TO_END

#: What is given, and what a value that meets the bound is the optimum of.
OPTIMUM_OF = {
    "units": "its decomposition",
    "clustering": "its clustering",
    "binding": "its binding",
    "end to end": "every mapping in a narrower class",
}
_STRENGTH = list(Grade)


@dataclass(frozen=True, slots=True)
class StageGap:
    """One metric of one row against the best bound of one stage that covers it."""

    instance: str
    method: str
    seed: int
    metric: str
    given: str
    value: Fraction
    bound: Bound

    @property
    def to_bound(self) -> Fraction:
        """Gap to the stage's bound."""
        return gap(self.value, Fraction(self.bound.value))

    @property
    def mark(self) -> str:
        """How the stage's optimum is proved; "?" where the bound is one solver's word."""
        if self.bound.grade not in MARK:
            return CLAIM_MARK
        return MARK[self.bound.grade] if self.value == self.bound.value else ""

    def record(self) -> dict[str, str | int | float]:
        """Return the fields by name, numbers exact as text and the gap as a float."""
        return {
            "instance": self.instance,
            "method": self.method,
            "seed": self.seed,
            "metric": self.metric,
            "optimum_of": OPTIMUM_OF[self.given],
            "value": str(self.value),
            "bound": str(self.bound.value),
            "gap": float(self.to_bound),
            "proved": self.mark,
            "by": self.bound.name,
            "grade": self.bound.grade.value,
            "scope": str(self.bound.scope),
        }


def stage_gaps(rows: Sequence[Row]) -> list[StageGap]:
    """Return the gap of every accepted row and metric to the best bound of each stage."""
    found: dict[str, list[StageGap]] = {}
    for group in by_digest(rows).values():
        bounds = list(dict.fromkeys(_narrow(group)))
        for row in group:
            found[row.key] = _of_row(row, bounds)
    return [stage for row in rows for stage in found.get(row.key, ())]


def _narrow(group: Sequence[Row]) -> list[Bound]:
    """Return the bounds that hold for some mappings only, without certificates: hashable."""
    return [replace(b, certificate=None) for b in shared_bounds(group) if b.scope != END_TO_END]


def _of_row(row: Row, bounds: Sequence[Bound]) -> list[StageGap]:
    stages = []
    for metric in GAPPED:
        value, own = metric.value(row), covering(row, metric.name, bounds)
        for given in OPTIMUM_OF:
            of_stage = [b for b in own if b.scope.stage == given]
            if value is not None and of_stage:
                best = max(of_stage, key=lambda b: (b.value, -_STRENGTH.index(b.grade)))
                place = (row.instance, row.method, row.seed, metric.name)
                stages.append(StageGap(*place, given, value, best))
    return stages
