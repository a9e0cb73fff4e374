"""Aggregates over instances: headline gaps, shifted geometric means, wins, profiles.

Every mean says over how many instances it runs and how many were left out: an instance counts only
if all compared methods have a checked mapping there (and, for gaps, a bound).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from optmap.experiment.row import GIVEN, Row
from optmap.experiment.tables.gaps import Gap
from optmap.experiment.tables.metrics import GAPPED
from optmap.model.grade import Grade

#: Shift of the geometric mean of times, in seconds: heuristics run well below one.
SHIFT_S = 1.0


def shifted_geometric_mean(values: Sequence[float], shift: float = SHIFT_S) -> float | None:
    """Return exp(mean(log(v + shift))) - shift; None for no values.

    Examples
    --------
    >>> round(shifted_geometric_mean([0.0, 3.0]), 6)
    1.0
    """
    if not values:
        return None
    return math.exp(sum(math.log(v + shift) for v in values) / len(values)) - shift


@dataclass(frozen=True, slots=True)
class Headline:
    """One method in one metric over the common instances: end-to-end gaps, distances, proofs.

    Parameters
    ----------
    mean, worst : Fraction or None
        Gap to the best end-to-end bound.
    distance, farthest : Fraction or None
        Mean and largest distance to the best value known.
    proved : mapping of Grade to int
        On how many instances the value is proved optimal end to end, by the weakest grade of its
        seeds.
    counted, left_out : int
        Instances in the means, and not.
    """

    method: str
    metric: str
    mean: Fraction | None
    worst: Fraction | None
    distance: Fraction | None
    farthest: Fraction | None
    proved: Mapping[Grade, int]
    counted: int
    left_out: int


def headline(rows: Sequence[Row], gaps: Sequence[Gap], methods: Sequence[str]) -> list[Headline]:
    """Return the headline's line of every method and metric, examples left out of its means.

    Gap and distance are means over the same instances, so that neither looks better by leaving
    some out: those that every method maps and for which a bound is known, where these are half of
    what every method maps or more; otherwise there is no mean gap, and the distance is over all.
    A method that maps fewer than half of the instances that another one maps has no mean.

    A given mapping is of one instance: it takes none away, and is averaged over those it has.

    Several seeds of one method on one instance count as their mean gap; "proved" needs all of them.
    """
    questions = {row.instance for row in rows if not row.is_example}
    chosen = questions or {row.instance for row in rows}
    gaps, instances = [g for g in gaps if g.instance in chosen], len(chosen)
    found = []
    for metric in (m.name for m in GAPPED):
        by_pair: dict[tuple[str, str], list[Gap]] = {}
        for g in gaps:
            if g.metric == metric:
                by_pair.setdefault((g.method, g.instance), []).append(g)
        names = dict.fromkeys(instance for _, instance in by_pair)
        asked = [m for m in methods if not m.startswith(GIVEN)] or list(methods)
        mapped = {m: sum((m, i) in by_pair for i in names) for m in asked}
        compared = [m for m in asked if 2 * mapped[m] >= max(mapped.values()) > 0]
        common = [i for i in names if all((m, i) in by_pair for m in compared)]
        bounded = [i for i in common if all(g.bound for g in by_pair[compared[0], i])]
        counted = bounded if 2 * len(bounded) >= len(common) else common
        for method in methods:
            shown = method in compared or method not in asked
            seeds = [by_pair[method, i] for i in counted if shown and (method, i) in by_pair]
            values = [v for own in seeds if (v := mean_of(g.to_bound for g in own)) is not None]
            if counted is not bounded:
                values = []
            distances = [
                v for own in seeds if (v := mean_of(g.to_best_known for g in own)) is not None
            ]
            found.append(
                Headline(
                    method,
                    metric,
                    mean_of(values),
                    max(values, default=None),
                    mean_of(distances),
                    max(distances, default=None),
                    _proofs(seeds),
                    len(seeds),
                    instances - len(seeds),
                )
            )
    return found


def _proofs(seeds: Iterable[Sequence[Gap]]) -> dict[Grade, int]:
    """Return on how many instances all seeds are proved, by the weakest grade among them."""
    rank = list(Grade)
    counts: dict[Grade, int] = {}
    for own in seeds:
        grades = [g.proved for g in own]
        if all(grades):
            weakest = max((grade for grade in grades if grade), key=rank.index)
            counts[weakest] = counts.get(weakest, 0) + 1
    return counts


def mean_of(values: Iterable[Fraction | None]) -> Fraction | None:
    """Return the exact mean of the values that are there; None if none is."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return known[0] if known else None
    parts = math.lcm(*(value.denominator for value in known))
    total = sum(value.numerator * (parts // value.denominator) for value in known)
    return Fraction(total, parts * len(known))


@dataclass(frozen=True, slots=True)
class Times:
    """How one method fared with its clock: rows, mappings found, rows proved, mean seconds."""

    method: str
    rows: int
    solved: int
    proved: int
    mean_s: float | None


def times(rows: Sequence[Row], methods: Sequence[str]) -> list[Times]:
    """Return solved and proved counts and the shifted geometric mean of the time per method."""
    result = []
    for method in methods:
        own = [row for row in rows if row.method == method]
        result.append(
            Times(
                method,
                len(own),
                sum(row.accepted for row in own),
                sum(row.status == "optimal" for row in own),
                shifted_geometric_mean([row.wall_s for row in own]),
            )
        )
    return result


def wins(gaps: Sequence[Gap], metric: str, methods: Sequence[str]) -> dict[tuple[str, str], int]:
    """Return on how many instances the first of a pair of methods is strictly better."""
    values = mean_values(gaps, metric)
    instances = {instance for _, instance in values}
    count = dict.fromkeys(((a, b) for a in methods for b in methods), 0)
    for i in instances:
        for a in methods:
            for b in methods:
                if (a, i) in values and (b, i) in values and values[a, i] < values[b, i]:
                    count[a, b] += 1
    return count


def mean_values(gaps: Iterable[Gap], metric: str) -> dict[tuple[str, str], Fraction]:
    """Return the mean value over seeds, by (method, instance)."""
    lists: dict[tuple[str, str], list[Fraction]] = {}
    for g in gaps:
        if g.metric == metric:
            lists.setdefault((g.method, g.instance), []).append(g.value)
    return {pair: sum(values, Fraction(0)) / len(values) for pair, values in lists.items()}


def performance_profile(
    values: Mapping[tuple[str, str], float], methods: Sequence[str]
) -> dict[str, list[tuple[float, float]]]:
    """Return Dolan and More's profile: (ratio to the best, share of instances within it).

    Parameters
    ----------
    values : mapping
        (method, instance) to a positive value, smaller is better; absent where a method failed.
        Only instances on which some method succeeded count.

    References
    ----------
    .. [1] Dolan, More, "Benchmarking optimization software with performance profiles",
       Mathematical Programming 91(2), 2002.
    """
    instances = sorted({instance for _, instance in values})
    best = {i: min(values[m, i] for m in methods if (m, i) in values) for i in instances}
    profile = {}
    for method in methods:
        ratios = sorted(values[method, i] / best[i] for i in instances if (method, i) in values)
        profile[method] = [(ratio, (k + 1) / len(instances)) for k, ratio in enumerate(ratios)]
    return profile


def data_profile(
    rows: Sequence[Row], methods: Sequence[str]
) -> dict[str, list[tuple[float, float]]]:
    """Return per method (seconds, share of its rows proved optimal by then)."""
    profile = {}
    for method in methods:
        own = [row for row in rows if row.method == method]
        done = sorted(row.wall_s for row in own if row.status == "optimal")
        profile[method] = [(t, (k + 1) / len(own)) for k, t in enumerate(done)]
    return profile


def seed_spread(gaps: Sequence[Gap]) -> dict[tuple[str, str, str], tuple[Fraction, ...]]:
    """Return (least, mean, largest) value over seeds by (instance, method, metric), if several."""
    lists: dict[tuple[str, str, str], list[Fraction]] = {}
    for g in gaps:
        lists.setdefault((g.instance, g.method, g.metric), []).append(g.value)
    return {
        key: (min(v), sum(v, Fraction(0)) / len(v), max(v))
        for key, v in lists.items()
        if len(v) > 1
    }
