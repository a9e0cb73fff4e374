"""Gaps: how far each row is from what was proved, and from the best value known.

Formula, everywhere the same, for minimisation: gap = (P - D) / max(|P|, 1e-9), P the judge's
value, D the best proven bound whose scope covers the row. Gap to the bound and distance to the best
known value are two columns and never mixed; without a solution or a bound there is no gap.

Which bounds cover a row is :meth:`optmap.model.scope.Scope.covers`: those that any row of the same
instance proved for a scope in which the row's mapping lies.

One column has one scope: a period proved shortest for its row's *binding* alone is no bound here,
or a flow that binds badly and orders well would show no gap where its rivals do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from optmap.bounds.bound import Bound, best
from optmap.experiment.run.exact_json import number
from optmap.model.grade import Grade
from optmap.model.scope import Place, Scope

METRICS = ("clusters", "traffic", "spike_hops", "period", "energy_pj")
FORMULA = "gap = (P - D) / max(|P|, 1e-9); P value by the judge, D best proven bound in scope"

Row = Mapping[str, Any]


def gap(value: Fraction, bound: Fraction) -> Fraction:
    """Return the relative gap of a value to a bound.

    Examples
    --------
    >>> gap(Fraction(20), Fraction(13))
    Fraction(7, 20)
    """
    return (value - bound) / max(abs(value), Fraction(1, 10**9))


@dataclass(frozen=True, slots=True)
class Gap:
    """One metric of one row: value, best bound with its name and scope, best known value."""

    instance: str
    method: str
    seed: int
    metric: str
    value: Fraction
    bound: Fraction | None
    bound_name: str
    scope: str
    best_known: Fraction

    @property
    def to_bound(self) -> Fraction | None:
        """Gap to the proven bound; None where nothing was proved."""
        return None if self.bound is None else gap(self.value, self.bound)

    @property
    def proved(self) -> bool:
        """Tell whether nothing better exists within the bound's scope."""
        return self.bound == self.value

    @property
    def to_best_known(self) -> Fraction:
        """Distance to the best value any row of the instance has."""
        return (self.value - self.best_known) / max(abs(self.best_known), Fraction(1, 10**9))


def all_gaps(rows: Sequence[Row]) -> list[Gap]:
    """Return the gaps of every row with an accepted mapping, in the order of the rows."""
    by_digest: dict[str, list[Row]] = {}
    for row in rows:
        if accepted(row):
            by_digest.setdefault(row["digest"], []).append(row)
    shared = {digest: list(shared_bounds(group)) for digest, group in by_digest.items()}
    gaps = []
    for row in rows:
        if not accepted(row):
            continue
        for metric in METRICS:
            value = number(row["metrics"][metric])
            if value is None:
                continue
            bound = best(covering(row, metric, shared[row["digest"]]))
            peers = (number(peer["metrics"][metric]) for peer in by_digest[row["digest"]])
            gaps.append(
                Gap(
                    row["instance"],
                    row["method"],
                    row["seed"],
                    metric,
                    value,
                    Fraction(bound.value) if bound else None,
                    bound.name if bound else "",
                    str(bound.scope) if bound else "",
                    min(peer for peer in peers if peer is not None),
                )
            )
    return gaps


def accepted(row: Row) -> bool:
    """Tell whether the row has a mapping that passed the check."""
    return row.get("check") == "ok" and "metrics" in row


def place_of_row(row: Row) -> Place:
    """Return the place of a row's mapping; rows of one instance with equal units share bounds."""
    return Place.from_json(row["place"], f"row {row['key']}, place")


def shared_bounds(group: Iterable[Row]) -> Iterator[Bound]:
    """Yield the bounds that rows of one instance proved, whichever of them each covers.

    Bounds of one binding are left out: see the head of this file.
    """
    for row in group:
        for data in row["bounds"]:
            yield Bound.from_json(data)
        for claim in row["claims"]:
            scope = Scope.from_json(claim["scope"], f"row {row['key']}, claim")
            if claim["bound"] is not None and scope.binding is None:
                value, grade = Fraction(claim["bound"]), Grade(claim["grade"])
                yield Bound(claim["metric"], row["method"], value, scope, grade)


def covering(row: Row, metric: str, bounds: Iterable[Bound]) -> list[Bound]:
    """Return the bounds on a metric that cover a row."""
    place = place_of_row(row)
    return [b for b in bounds if b.metric == metric and b.scope.covers(place)]
