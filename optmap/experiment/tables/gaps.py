"""Gaps: how far each row is from what was proved, and from the best value known.

Formula, everywhere the same, for minimisation: gap = (P - D) / max(|P|, 1e-9), P the judge's
value, D the best proven bound whose scope covers the row. Gap to the bound and distance to the best
known value are two columns and never mixed; without a solution or a bound there is no gap.

Which bounds cover a row: those of its own stages and clustering; those that any row of the same
instance proved for the same units (a bound on traffic only if the row has no more clusters than it
was proved for) or, on the period and on spike-hops, for the same clustering; those that hold for
every mapping. A decomposition that changed nothing leaves the network's own units, whatever it is
called.

One column has one scope: a period proved shortest for its row's *binding* alone is no bound here,
or the flow that binds badly and orders well would show no gap where its rivals do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from optmap.bounds.end_to_end import ANY_MAPPING
from optmap.experiment.run.exact_json import number

METRICS = ("clusters", "traffic", "spike_hops", "period", "energy_pj")
FORMULA = "gap = (P - D) / max(|P|, 1e-9); P value by the judge, D best proven bound in scope"

#: Metrics whose solver bounds hold for the whole decomposition, not for one clustering only.
OF_DECOMPOSITION = ("clusters", "traffic")

#: How the scope of a period begins that was proved for one binding only, and for any binding.
ONE_BINDING, ONE_CLUSTERING = "this binding", "this clustering"

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
class Proved:
    """A bound that some row proved, and for what; None: for all."""

    metric: str
    value: Fraction
    name: str
    scope: str
    units: str | None = None
    clustering: str | None = None
    max_clusters: int | None = None

    def covers(self, row: Row) -> bool:
        """Tell whether a row lies in the bound's scope."""
        if self.units not in (None, units_of(row)):
            return False
        if self.clustering not in (None, row.get("clustering")):
            return False
        if self.max_clusters is not None and row["metrics"]["clusters"] > self.max_clusters:
            return False
        return not (self.scope.endswith("without prologue") and row["method"].endswith("-prologue"))


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


def units_of(row: Row) -> str:
    """Return which units the row maps: rows of one instance with equal names have equal units."""
    return str(row.get("units", row["decomposition"]))


def of_clustering(claim: Row) -> bool:
    """Tell whether a claim's bound holds for every binding and order of one clustering."""
    if claim["metric"] == "spike_hops":  # under a load cap it holds for some bindings only
        return bool(claim["scope"] == ONE_CLUSTERING)
    return claim["metric"] == "period" and str(claim["scope"]).startswith(ONE_CLUSTERING)


def shared_bounds(group: Iterable[Row]) -> Iterable[Proved]:
    """Yield the bounds of a group of rows that cover other rows of the same instance."""
    for row in group:
        for bound in row.get("bounds", ()):
            if bound["scope"] == ANY_MAPPING:
                yield _proved(bound)
            elif bound["scope"].startswith("decomposition"):
                yield _proved(bound, units=units_of(row))
        for claim, bound in _claimed(row):
            if claim["metric"] in OF_DECOMPOSITION:
                yield _proved(bound, units=units_of(row), max_clusters=claim["max_clusters"])
            elif of_clustering(claim) and "clustering" in row:
                yield _proved(bound, clustering=row["clustering"])


def _claimed(row: Row) -> Iterable[tuple[Row, Row]]:
    """Yield a row's claims that have a bound in a column's scope, each with that bound."""
    for claim in row.get("claims", ()):
        if claim["bound"] is not None and not claim["scope"].startswith(ONE_BINDING):
            yield claim, {**claim, "name": row["method"], "value": claim["bound"]}


def _proved(bound: Row, **scope: Any) -> Proved:
    value = Fraction(bound["value"])
    return Proved(bound["metric"], value, bound["name"], bound["scope"], **scope)


def _best_bound(row: Row, metric: str, shared: Iterable[Proved]) -> Proved | None:
    own = [_proved(bound) for bound in row.get("bounds", ())]
    own += [_proved(bound) for _, bound in _claimed(row)]
    covering = [p for p in own if p.metric == metric]
    covering += [p for p in shared if p.metric == metric and p.covers(row)]
    return max(covering, key=lambda proved: proved.value, default=None)
