"""Curves over axes of the platform and ratios to a method, against counts by hand."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import pytest
from stored_rows import stored_row

from optmap.experiment.row import Row
from optmap.experiment.run.source import Source
from optmap.experiment.tables.curves import axes_of, curve_lines, curves
from optmap.experiment.tables.frames import curves_frame, ratios_frame
from optmap.experiment.tables.markdown import tables_markdown
from optmap.experiment.tables.ratios import ratio_lines, ratios


def at(network: str, method: str, period: int, **changes: int) -> Row:
    """Return a row on a platform with changes."""
    spec = "dynap_se:" + ",".join(f"{name}={value}" for name, value in changes.items())
    name = f"{network}@{spec.replace(',', '-')}"
    return replace(stored_row(name, method, 2, period), source=Source(file=network, platform=spec))


ROWS = [
    at("a", "x", 8, rows=4, tiles=1),
    at("a", "x", 2, rows=4, tiles=2),
    at("a", "x", 8, rows=8, tiles=1),
    at("a", "x", 4, rows=8, tiles=2),
    at("b", "x", 6, rows=4, tiles=1),  # no mapping on two tiles: in no mean over tiles
    at("a", "y", 3, rows=4, tiles=1),
]


def test_a_curve_is_the_mean_over_everything_else_that_has_every_value():
    assert axes_of(ROWS) == {"rows": [4, 8], "tiles": [1, 2]}
    found = {(c.metric, c.axis, c.method): c for c in curves(ROWS)}
    over_tiles = found["period", "tiles", "x"]
    assert (over_tiles.values, over_tiles.cases) == ((1, 2), 2)
    assert over_tiles.means == pytest.approx((8.0, sqrt(8)))
    assert found["period", "rows", "x"].means == pytest.approx((4.0, sqrt(32)))
    assert ("period", "tiles", "y") not in found


def test_rows_without_a_changed_platform_make_no_curve():
    assert list(curves([stored_row("a", "x", 2, 8), stored_row("a", "y", 2, 8)])) == []
    assert list(curves(ROWS[:1])) == []


def test_ratios_are_counted_over_instances_that_both_map():
    rows = [stored_row("a", "song2020", 4, 8), stored_row("a", "y", 2, 4)]
    rows += [stored_row("b", "song2020", 4, 2), stored_row("b", "y", 2, 4)]
    rows += [stored_row("c", "y", 2, 4), stored_row("d", "y", 1, 1, check="violation")]
    rows += [stored_row("d", "song2020", 1, 1)]
    found = {(r.method, r.reference, r.metric): r for r in ratios(rows)}
    period = found["y", "song2020", "period"]
    assert (period.pairs, period.better, period.worse) == (2, 1, 1)
    assert (period.mean, period.least, period.largest) == pytest.approx((1.0, 0.5, 2.0))
    assert found["y", "song2020", "clusters"].mean == pytest.approx(0.5)
    assert found["song2020", "y", "clusters"].mean == pytest.approx(2.0)
    header, lines = ratio_lines(rows)
    assert [line[0] for line in lines] == ["y"]
    assert len(header) == len(lines[0])
    assert "0.50 (x/ 1.0)" in lines[0]


def test_tables_and_files_show_them():
    text = tables_markdown(ROWS)
    for title, header, lines in curve_lines(list(curves(ROWS))):
        assert f"## {title}" in text
        assert all(len(line) == len(header) for line in lines)
    frame = curves_frame(ROWS)
    assert set(frame["axis"]) == {"rows", "tiles"}
    assert list(curves_frame([]).columns) == list(frame.columns)
    assert list(ratios_frame([]).columns) == list(ratios_frame(ROWS).columns)
