"""Gaps: how far each row is from what was proved, and from the best value known.

Formula, everywhere the same, for minimisation: gap = (P - D) / max(|P|, 1e-9), P the judge's
value, D the best proven bound whose scope covers the row. Gap to the bound and distance to the best
known value are two columns and never mixed; without a solution or a bound there is no gap.

Which bounds cover a row: those of its own stages and clustering; those proved for its decomposition
by any row of the same instance (a bound on traffic only if the row has no more clusters than it was
proved for); those that hold for every mapping.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from optmap.evaluate.period_bounds import ANY_MAPPING
from optmap.experiment.exact_json import number

METRICS = ("clusters", "traffic", "spike_hops", "period", "energy_pj")
FORMULA = "gap = (P - D) / max(|P|, 1e-9); P value by the judge, D best proven bound in scope"

#: Metrics whose solver bounds hold for the whole decomposition, not for one clustering only.
OF_DECOMPOSITION = ("clusters", "traffic")

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


@dataclass(frozen=True, slots=True)
class _Proved:
    """A bound that some row proved."""

    metric: str
    value: Fraction
    name: str
    scope: str
    decomposition: str | None  # None: holds for every mapping
    max_clusters: int | None


def all_gaps(rows: Sequence[Row]) -> list[Gap]:
    """Return the gaps of every row with an accepted mapping, in the order of the rows."""
    by_digest: dict[str, list[Row]] = {}
    for row in rows:
        if accepted(row):
            by_digest.setdefault(row["digest"], []).append(row)
    shared = {digest: list(_shared_bounds(group)) for digest, group in by_digest.items()}
    gaps = []
    for row in rows:
        if not accepted(row):
            continue
        for metric in METRICS:
            value = number(row["metrics"][metric])
            if value is None:
                continue
            best = _best_bound(row, metric, shared[row["digest"]])
            peers = (number(peer["metrics"][metric]) for peer in by_digest[row["digest"]])
            gaps.append(
                Gap(
                    row["instance"],
                    row["method"],
                    row["seed"],
                    metric,
                    value,
                    best.value if best else None,
                    best.name if best else "",
                    best.scope if best else "",
                    min(peer for peer in peers if peer is not None),
                )
            )
    return gaps


def accepted(row: Row) -> bool:
    """Tell whether the row has a mapping that passed the check."""
    return row.get("check") == "ok" and "metrics" in row


def _shared_bounds(group: Iterable[Row]) -> Iterable[_Proved]:
    """Yield the bounds of a group of rows that cover other rows of the same instance."""
    for row in group:
        for bound in row.get("bounds", ()):
            if bound["scope"] == ANY_MAPPING:
                yield _proved(bound, None)
            elif bound["scope"].startswith("decomposition"):
                yield _proved(bound, row["decomposition"])
        for claim in row.get("claims", ()):
            if claim["bound"] is not None and claim["metric"] in OF_DECOMPOSITION:
                bound = {**claim, "name": row["method"], "value": claim["bound"]}
                yield _proved(bound, row["decomposition"], claim["max_clusters"])


def _proved(bound: Row, decomposition: str | None, max_clusters: int | None = None) -> _Proved:
    value = Fraction(bound["value"])
    return _Proved(
        bound["metric"], value, bound["name"], bound["scope"], decomposition, max_clusters
    )


def _best_bound(row: Row, metric: str, shared: Iterable[_Proved]) -> _Proved | None:
    own = [_proved(bound, None) for bound in row.get("bounds", ())]
    own += [
        _proved({**claim, "name": row["method"], "value": claim["bound"]}, None)
        for claim in row.get("claims", ())
        if claim["bound"] is not None
    ]
    clusters = row["metrics"]["clusters"]
    covering = [
        proved
        for proved in (*own, *shared)
        if proved.metric == metric
        and proved.decomposition in (None, row["decomposition"])
        and (proved.max_clusters is None or clusters <= proved.max_clusters)
    ]
    return max(covering, key=lambda proved: proved.value, default=None)
