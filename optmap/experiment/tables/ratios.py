"""Ratios to a method: the geometric mean over instances, how far they spread, who wins how often.

The papers' tables are of this kind ("throughput relative to SpiNeMap"). A ratio is value / value of
the reference, below 1 where the method is better, over the instances that both map and whose
values are above zero; instances that are there to be looked at are left out, as in all means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

from optmap.experiment.row import Row
from optmap.experiment.tables.metrics import GAPPED
from optmap.experiment.tables.text import ratio_text

#: The method that tables.md compares with; ratios.csv has every pair.
REFERENCE = "song2020"


@dataclass(frozen=True, slots=True)
class Ratio:
    """One metric of a method relative to another's.

    Parameters
    ----------
    pairs : int
        Instances (and seeds) that both map.
    mean : float
        Geometric mean of value / reference value.
    spread : float
        Geometric standard deviation, >= 1: two thirds of the ratios lie within mean x spread and
        mean / spread where they are spread log-normally.
    least, largest : float
        The extreme ratios.
    better, worse : int
        How many pairs the method wins and loses.
    """

    method: str
    reference: str
    metric: str
    pairs: int
    mean: float
    spread: float
    least: float
    largest: float
    better: int
    worse: int


def ratios(rows: Sequence[Row], reference: str | None = None) -> list[Ratio]:
    """Return the ratios of every method to ``reference``, or of every pair of methods."""
    methods = list(dict.fromkeys(row.method for row in rows))
    counted = [row for row in rows if row.check == "ok" and not row.is_example]
    logs_of: dict[tuple[str, str], dict[tuple[str, int], float]] = {}
    for row in counted:
        for metric in GAPPED:
            if value := metric.value(row):
                at = logs_of.setdefault((row.method, metric.name), {})
                at[row.instance, row.seed] = log(value)
    result = []
    for other in methods if reference is None else [reference]:
        for method in methods:
            if method == other:
                continue
            for metric in GAPPED:
                own = logs_of.get((method, metric.name), {})
                base = logs_of.get((other, metric.name), {})
                logs = [own[place] - base[place] for place in own if place in base]
                if logs:
                    result.append(_ratio(method, other, metric.name, logs))
    return result


def _ratio(method: str, reference: str, metric: str, logs: list[float]) -> Ratio:
    mean = sum(logs) / len(logs)
    spread = sqrt(sum((x - mean) ** 2 for x in logs) / max(len(logs) - 1, 1))
    better, worse = sum(x < 0 for x in logs), sum(x > 0 for x in logs)
    return Ratio(
        method,
        reference,
        metric,
        len(logs),
        exp(mean),
        exp(spread),
        exp(min(logs)),
        exp(max(logs)),
        better,
        worse,
    )


def ratio_lines(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Return header and lines of the table of tables.md; no lines without the reference."""
    found = {(r.method, r.metric): r for r in ratios(rows, REFERENCE)}
    lines = []
    for method in dict.fromkeys(r.method for r in found.values()):
        own = [found.get((method, metric.name)) for metric in GAPPED]
        lines.append([method, *("-" if r is None else ratio_text(r.mean, r.spread) for r in own)])
    return ["method", *(metric.label for metric in GAPPED)], lines
