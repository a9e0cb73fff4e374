"""Curves: how a metric moves along an axis of the platform (``compare --grid``).

A row belongs to a curve if its source names a platform with changes (:mod:`optmap.variants`). A
curve is one method along one axis: at each value the geometric mean over everything else that is
varied (networks, base platforms, the other axes), taken where the method has a mapping at every
value of the axis, so that its points compare.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import exp, log

from optmap.experiment.row import Row
from optmap.experiment.tables.metrics import GAPPED
from optmap.variants import AXES, parts_of


@dataclass(frozen=True, slots=True)
class Curve:
    """One metric of one method along one axis.

    Parameters
    ----------
    values : tuple of int
        The axis, growing.
    means : tuple of float
        Geometric mean of the metric at each value, over ``cases``.
    cases : int
        How many combinations of everything else it is the mean of.
    """

    metric: str
    axis: str
    method: str
    values: tuple[int, ...]
    means: tuple[float, ...]
    cases: int


def changes_of(row: Row) -> dict[str, int]:
    """Return what was changed of the row's platform."""
    return {} if row.source.platform is None else parts_of(row.source.platform)[1]


def _rest(row: Row, axis: str) -> tuple[object, ...]:
    """Return everything that tells a row of a method from another but the value on ``axis``."""
    source = row.source
    base, changes = parts_of(source.platform or "")
    others = tuple((name, value) for name, value in changes.items() if name != axis)
    return (source.file or source.network, source.encoding, base, others, row.seed)


def axes_of(rows: Sequence[Row]) -> dict[str, list[int]]:
    """Return the axes with several values among the rows, and their values."""
    seen: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        for name, value in changes_of(row).items():
            seen[name].add(value)
    return {name: sorted(seen[name]) for name in AXES if len(seen[name]) > 1}


def curves(rows: Sequence[Row]) -> Iterator[Curve]:
    """Yield every metric of every method along every axis that has several values."""
    for axis, values in axes_of(rows).items():
        cases: dict[str, dict[tuple[object, ...], dict[int, Row]]] = {}
        for row in rows:
            changes = changes_of(row)
            if axis in changes and row.check == "ok":
                of_method = cases.setdefault(row.method, defaultdict(dict))
                of_method[_rest(row, axis)][changes[axis]] = row
        for metric in GAPPED:
            for method, found in cases.items():
                whole = [
                    numbers
                    for at in found.values()
                    if (numbers := [_value(metric.value(at[v])) for v in values if v in at])
                    and len(numbers) == len(values)
                    and all(numbers)
                ]
                if whole:
                    means = [
                        exp(sum(map(log, column)) / len(whole))
                        for column in zip(*whole, strict=True)
                    ]
                    yield Curve(metric.name, axis, method, tuple(values), tuple(means), len(whole))


def _value(value: Fraction | None) -> float:
    """Return a metric as a number, 0 where there is none."""
    return 0.0 if value is None else float(value)


def curve_lines(found: Sequence[Curve]) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """Yield title, header and lines of a table for each metric and axis."""
    for key in dict.fromkeys((c.metric, c.axis) for c in found):
        group = [c for c in found if (c.metric, c.axis) == key]
        title = f"{key[0]} over {key[1]}"
        header = ["method", *map(str, group[0].values), "cases"]
        yield (
            title,
            header,
            [[c.method, *(f"{mean:.4g}" for mean in c.means), str(c.cases)] for c in group],
        )
