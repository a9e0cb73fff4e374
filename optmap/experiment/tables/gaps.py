"""Gaps: how far each row is from what is proved for every mapping, and from the best value known.

Formula, everywhere the same, for minimisation: gap = (P - D) / max(|P|, 1e-9), P the judge's value.
With D the best bound proved *end to end*, for every decomposition, clustering, binding and order,
prologue included, it is the gap; with D the best value known, the distance. Both are divided by P,
so that no gap can be smaller than its row's distance. Without a bound there is no gap.

A bound under a row's own earlier decisions is no bound here: a flow that divides badly and binds
well would show no gap. Such bounds stand in the stage table (:mod:`.stage_gaps`).

The bounds are those of all rows of the instance and of the best-known list; a gap depends on other
rows in nothing else. What one solver says without a second witness is kept apart (``claimed``): it
is no proof and moves no gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from optmap.bounds.bound import Bound
from optmap.experiment.row import Row
from optmap.experiment.tables.best_known import NOTHING, BestKnown
from optmap.experiment.tables.metrics import GAPPED, Metric
from optmap.experiment.tables.remembered import remembered
from optmap.model.decomposition import AS_GIVEN
from optmap.model.grade import Grade
from optmap.model.scope import END_TO_END, Place

FORMULA = (
    "gap = (P - D) / max(|P|, 1e-9); P value by the judge, D best bound proved for every mapping,"
    " or, for the distance, best value known"
)

#: Grades that prove, the stronger first, and how tables mark what they prove optimal.
MARK = {Grade.CERTIFIED: "*", Grade.TWO_SOLVERS: "+"}

#: Name of the bound 0, which needs no proof: every column of the judge counts spikes, ticks, parts.
#: It stands where a mapping reaches it and nothing else is proved; elsewhere it would say nothing.
NOTHING_LESS = "nothing less"

#: Marks what rests on one solver's word.
CLAIM_MARK = "?"


def gap(value: Fraction, bound: Fraction) -> Fraction:
    """Return the relative gap of a value to a bound.

    Examples
    --------
    >>> gap(Fraction(20), Fraction(13))
    Fraction(7, 20)
    """
    size, parts = abs(value.numerator), value.denominator
    if size * 10**9 < parts:
        return (value - bound) * 10**9
    # in whole numbers: tables of some thousand rows ask this a hundred thousand times
    over = value.numerator * bound.denominator - bound.numerator * parts
    return Fraction(over, size * bound.denominator)


@dataclass(frozen=True)  # without slots: each gap is divided once, however many tables ask
class Gap:
    """One metric of one row: value, best end-to-end bound, best known value.

    Parameters
    ----------
    bound : Bound or None
        The best that is proved.
    claimed : Bound or None
        A better one that rests on one solver's word.
    best_known, best_known_by
        The best value of any row of the instance or of the best-known list, and whose it is.
    """

    instance: str
    method: str
    seed: int
    key: str
    metric: str
    value: Fraction
    bound: Bound | None
    claimed: Bound | None
    best_known: Fraction
    best_known_by: str

    def record(self) -> dict[str, Any]:
        """Return whose value it is and the proved bound, as the tables and the report name them."""
        return {
            "instance": self.instance,
            "method": self.method,
            "seed": self.seed,
            "metric": self.metric,
            "value": str(self.value),
            "bound": None if self.bound is None else str(self.bound.value),
            "bound_name": "" if self.bound is None else self.bound.name,
            "grade": "" if self.bound is None else self.bound.grade.value,
        }

    @cached_property
    def to_bound(self) -> Fraction | None:
        """Gap to the proved bound; None where nothing was proved."""
        return None if self.bound is None else gap(self.value, Fraction(self.bound.value))

    @cached_property
    def to_claimed(self) -> Fraction | None:
        """Gap to the bound that one solver claims, if it is the better one."""
        return None if self.claimed is None else gap(self.value, Fraction(self.claimed.value))

    @cached_property
    def to_best_known(self) -> Fraction:
        """Distance to the best value known."""
        return gap(self.value, self.best_known)

    @property
    def proved(self) -> Grade | None:
        """By which grade the value is proved optimal end to end; None if it is not."""
        return (
            self.bound.grade if self.bound is not None and self.bound.value == self.value else None
        )

    @property
    def mark(self) -> str:
        """The mark beside the value in tables: "" where it is not proved optimal end to end."""
        return "" if self.proved is None else MARK[self.proved]


@remembered
def all_gaps(rows: Sequence[Row], known: BestKnown = NOTHING) -> list[Gap]:
    """Return the gaps of every row with an accepted mapping, in the order of the rows."""
    found: dict[str, list[Gap]] = {}
    for digest, group in by_digest(rows).items():
        for metric in GAPPED:
            for g in _of_metric(group, metric, known.of(digest)):
                found.setdefault(g.key, []).append(g)
    return [g for row in rows for g in found.get(row.key, ())]


def by_digest(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return the rows with an accepted mapping, by the content of their instance."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row.accepted:
            groups.setdefault(row.digest, []).append(row)
    return groups


def _of_metric(group: Sequence[Row], metric: Metric, known: BestKnown) -> Iterator[Gap]:
    values = {row.key: metric.value(row) for row in group}
    places = list({row.place: row for row in group}.values())
    bounds = [b for row in group for b in metric.bounds(row) if end_to_end(b, places)]
    bounds += known.bounds(metric.name)
    reached = [(v, row.method) for row in group if (v := values[row.key]) is not None]
    reached += known.values(metric.name)
    if not reached:
        return
    best, whose = min(reached, key=lambda pair: pair[0])
    bounds = _not_left(bounds, best)
    proved = _largest(bounds, MARK)
    claimed = _largest(bounds, Grade)
    if proved is None and best == 0 and metric.value_of is None:
        proved = Bound(metric.name, NOTHING_LESS, 0, END_TO_END, Grade.CERTIFIED)
    if claimed is not None and proved is not None and claimed.value <= proved.value:
        claimed = None
    for row in group:
        value = values[row.key]
        if value is not None:
            yield Gap(
                row.instance,
                row.method,
                row.seed,
                row.key,
                metric.name,
                value,
                proved,
                claimed,
                best,
                whose,
            )


def end_to_end(bound: Bound, group: Iterable[Row]) -> bool:
    """Tell whether a bound holds for every mapping, as far as those of ``group`` show.

    A bound for the units as given, or for decompositions that keep whole what fits, counts while no
    row splits such a neuron: fan-in decomposition splits what exceeds a crossbar.
    """
    if bound.scope is END_TO_END:
        return True
    return _is_for_every_mapping(bound) and all(
        row.place is None or bound.scope.covers(row.place) for row in group
    )


def _is_for_every_mapping(bound: Bound) -> bool:
    scope = bound.scope
    limited = (scope.clustering, scope.binding, scope.max_clusters, scope.max_load)
    return scope.prologue and scope.units in (None, AS_GIVEN) and limited == (None,) * 4


def best_for_every_mapping(
    bounds: Iterable[Bound], place: Place | None, best: Fraction | None
) -> Bound | None:
    """Return the largest proved bound that counts for one mapping as it does in tables.

    Parameters
    ----------
    place : Place or None
        Of the mapping; None if it breaks a rule.
    best : Fraction or None
        The best value known: where it is below a bound that is not for all decompositions, none
        such counts.
    """
    counting = [
        b for b in bounds if _is_for_every_mapping(b) and (place is None or b.scope.covers(place))
    ]
    return _largest(counting if best is None else _not_left(counting, best), MARK)


def _not_left(bounds: Sequence[Bound], best: Fraction) -> list[Bound]:
    """Return the bounds that count beside the best value known.

    A value below a bound for mappings that keep neurons whole splits some: then no other bound for
    these counts either, though it may lie below the value.
    """
    narrow = [b for b in bounds if b.scope != END_TO_END]
    if all(b.value <= best for b in narrow):
        return list(bounds)
    return [b for b in bounds if b.scope == END_TO_END]


def _largest(bounds: Iterable[Bound], grades: Iterable[Grade]) -> Bound | None:
    """Return the largest bound of these grades; of equals, that of the strongest grade."""
    rank = list(grades)
    known = [b for b in bounds if b.grade in rank]
    return max(known, key=lambda b: (b.value, -rank.index(b.grade)), default=None)


def shared_bounds(group: Iterable[Row]) -> Iterator[Bound]:
    """Yield every bound that rows of one instance proved, whichever of them each covers."""
    for row in group:
        yield from row.proved


def covering(row: Row, metric: str, bounds: Iterable[Bound]) -> list[Bound]:
    """Return the bounds on a metric that cover a row."""
    if row.place is None:
        return []
    return [b for b in bounds if b.metric == metric and b.scope.covers(row.place)]
