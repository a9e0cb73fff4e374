"""The stage table: how far each row is from the optimum of what its own decisions leave open.

A bound that holds for the row's decomposition, clustering or binding alone says how well the stages
after it did. "0 %" here is the optimum *of that stage*, and says nothing of the whole flow: a
mapping that is divided badly can be bound and ordered optimally. Whole flows are compared end to
end (:mod:`.gaps`).

What holds for more mappings holds for a stage's too: a stage has the best of its own bounds and of
those that leave more open, every mapping's included. So no stage's optimum stands below a bound
that the headline shows, and a narrower class of mappings is listed only where it is bound higher.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from optmap.bounds.bound import Bound
from optmap.experiment.row import Row
from optmap.experiment.tables.best_known import NOTHING, BestKnown
from optmap.experiment.tables.gaps import (
    CLAIM_MARK,
    MARK,
    by_digest,
    covering,
    gap,
    shared_bounds,
)
from optmap.experiment.tables.metrics import GAPPED
from optmap.experiment.tables.remembered import remembered
from optmap.model.grade import Grade
from optmap.model.scope import END_TO_END

#: What is given, and what a value that meets the bound is the optimum of.
OPTIMUM_OF = {
    "units": "its decomposition",
    "clustering": "its clustering",
    "binding": "its binding",
    "end to end": "every mapping in a narrower class",
}
#: The stages, from what leaves most open to what leaves least.
_WIDEST_FIRST = ("end to end", "units", "clustering", "binding")
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


@remembered
def stage_gaps(rows: Sequence[Row], known: BestKnown = NOTHING) -> list[StageGap]:
    """Return the gap of every accepted row and metric to the best bound of each stage."""
    found: dict[str, list[StageGap]] = {}
    for digest, group in by_digest(rows).items():
        # without certificates they are hashable
        bounds = [replace(b, certificate=None) for b in shared_bounds(group)]
        for metric in GAPPED:
            bounds += [replace(b, certificate=None) for b in known.of(digest).bounds(metric.name)]
        bounds = list(dict.fromkeys(bounds))
        for row in group:
            found[row.key] = _of_row(row, bounds)
    return [stage for row in rows for stage in found.get(row.key, ())]


def _of_row(row: Row, bounds: Sequence[Bound]) -> list[StageGap]:
    stages = []
    for metric in GAPPED:
        value, own = metric.value(row), covering(row, metric.name, bounds)
        wider = [b for b in own if b.scope == END_TO_END]
        for given in _WIDEST_FIRST:
            of_stage = [b for b in own if b.scope.stage == given and b.scope != END_TO_END]
            if value is None or not of_stage:
                continue
            best = _largest([*of_stage, *wider])
            if given != "end to end" or best in of_stage:
                place = (row.instance, row.method, row.seed, metric.name)
                stages.append(StageGap(*place, given, value, best))
            wider += of_stage
    order = list(OPTIMUM_OF)
    metrics = [metric.name for metric in GAPPED]
    return sorted(stages, key=lambda s: (metrics.index(s.metric), order.index(s.given)))


def _largest(bounds: Sequence[Bound]) -> Bound:
    """Return the largest bound, of equals that of the strongest grade and the first of these."""
    return max(bounds, key=lambda b: (b.value, -_STRENGTH.index(b.grade)))
