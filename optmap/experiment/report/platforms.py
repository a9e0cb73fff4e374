"""What the report draws of platforms that were varied: lines along each axis, and fronts.

A *case* is a network on a base platform with everything fixed but one axis. Its lines are the
methods; its limit is, at each value, the best bound proved end to end for the platform there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from optmap.experiment.row import Row
from optmap.experiment.tables.curves import axes_of, changes_of
from optmap.experiment.tables.front import Point, Vector, front
from optmap.experiment.tables.gaps import Gap
from optmap.experiment.tables.metrics import GAPPED, METRICS
from optmap.variants import AXES, parts_of

#: What a front shows against the period.
AGAINST = tuple(m for m in METRICS if m.name in ("energy_pj", "area_um2", "clusters"))


def platform_data(rows: Sequence[Row], gaps: Sequence[Gap]) -> dict[str, Any]:
    """Return axes, lines and fronts, ready for JSON; all empty where no platform was varied."""
    varied = [row for row in rows if row.check == "ok" and changes_of(row)]
    by_row: dict[tuple[str, str], Gap] = {(g.key, g.metric): g for g in gaps}
    axes = axes_of(varied)
    return {
        "axes": [{"name": axis, "text": AXES[axis].text, "values": v} for axis, v in axes.items()],
        "lines": [line for axis in axes for line in _lines(varied, by_row, axis)],
        "against": [m.name for m in AGAINST] if axes else [],
        "fronts": list(_fronts(varied, by_row)) if axes else [],
    }


def network_of(row: Row) -> str:
    """Return the row's network and base platform, without what was changed of it."""
    base = parts_of(row.source.platform or "")[0]
    name = row.instance.rpartition("@")[0] or row.instance
    return f"{name} on {Path(base).stem}" if base else name


def _lines(rows: Sequence[Row], gaps: dict[tuple[str, str], Gap], axis: str) -> Iterator[Any]:
    """Yield each method of each case in each metric with two values or more on the axis."""
    found: dict[tuple[str, str], list[tuple[int, Row]]] = {}
    for row in rows:
        changes = changes_of(row)
        if axis in changes:
            value = changes.pop(axis)
            others = ", ".join(f"{name} {n}" for name, n in changes.items())
            seed = f", seed {row.seed}" if row.seed else ""
            case = network_of(row) + (f", {others}" if others else "") + seed
            found.setdefault((case, row.method), []).append((value, row))
    for (case, method), own in found.items():
        own.sort(key=lambda pair: pair[0])
        for metric in GAPPED:
            at = [
                (v, gaps[row.key, metric.name]) for v, row in own if (row.key, metric.name) in gaps
            ]
            if len(at) > 1:
                yield {
                    "axis": axis,
                    "case": case,
                    "method": method,
                    "metric": metric.name,
                    "instances": [g.instance for _, g in at],
                    "keys": [g.key for _, g in at],
                    "at": [v for v, _ in at],
                    "values": [float(g.value) for _, g in at],
                    "limits": [None if g.bound is None else float(g.bound.value) for _, g in at],
                }


def _fronts(rows: Sequence[Row], gaps: dict[tuple[str, str], Gap]) -> Iterator[Any]:
    """Yield each network's judged mappings, period against another metric, the front marked."""
    networks: dict[str, list[Row]] = {}
    for row in rows:
        networks.setdefault(network_of(row), []).append(row)
    for network, own in networks.items():
        for metric in AGAINST:
            points: list[Point] = []
            floors: dict[str, Vector] = {}
            for row in own:
                period, other = row.value("period"), metric.value(row)
                if period is None or other is None:
                    continue
                points.append(Point(network, row.instance, row.method, row.key, (period, other)))
                floors[row.instance] = (
                    _floor(gaps.get((row.key, "period"))),
                    _floor(gaps.get((row.key, metric.name))),
                )
            on = {o.point.key: o.proved for o in front(points, floors)}
            if len(floors) > 1:
                yield {
                    "network": network,
                    "metric": metric.name,
                    "points": [
                        {
                            "key": p.key,
                            "instance": p.platform,
                            "method": p.method,
                            "period": float(p.values[0]),
                            "value": float(p.values[1]),
                            "on": p.key in on,
                            "proved": on.get(p.key, False),
                        }
                        for p in points
                    ],
                }


def _floor(gap: Gap | None) -> Fraction:
    return Fraction(0) if gap is None or gap.bound is None else Fraction(gap.bound.value)
