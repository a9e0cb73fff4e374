"""What the report draws of varied platforms: lines and their limits, fronts, what is proved."""

from __future__ import annotations

from dataclasses import replace

from stored_rows import stored_row

from optmap.experiment.report.html import page_data
from optmap.experiment.report.platforms import platform_data
from optmap.experiment.row import Row
from optmap.experiment.run.source import Source
from optmap.experiment.tables.gaps import all_gaps


def at(method: str, clusters: int, period: int, **changes: int) -> Row:
    """Return a row of one network on a platform with changes."""
    spec = "dynap_se:" + ",".join(f"{name}={value}" for name, value in changes.items())
    name = f"net@{spec.replace(',', '-')}"
    row = stored_row(name, method, clusters, period)
    return replace(row, digest=name, source=Source(file="net.toml", platform=spec))


ROWS = [  # z is y again
    at("x", 4, 8, size=64, tiles=2),
    at("x", 4, 9, size=64, tiles=1),
    at("x", 2, 12, size=128, tiles=1),
    at("y", 5, 8, size=64, tiles=2),
    at("z", 5, 8, size=64, tiles=2),
]


def test_a_line_is_a_method_of_a_case_with_two_values():
    data = platform_data(ROWS, all_gaps(ROWS))
    found = {
        (line["axis"], line["case"], line["method"], line["metric"]): line for line in data["lines"]
    }
    over_tiles = found["tiles", "net on dynap_se, size 64", "x", "period"]
    assert (over_tiles["at"], over_tiles["values"]) == ([1, 2], [9.0, 8.0])
    over_size = found["size", "net on dynap_se, tiles 1", "x", "period"]
    assert (over_size["at"], over_size["values"]) == ([64, 128], [9.0, 12.0])
    assert {method for _, _, method, _ in found} == {"x"}
    assert [(axis["name"], axis["values"]) for axis in data["axes"]] == [
        ("size", [64, 128]),
        ("tiles", [1, 2]),
    ]
    bounds = {(g.key, g.metric): g.bound for g in all_gaps(ROWS)}
    for key, limit in zip(over_tiles["keys"], over_tiles["limits"], strict=True):
        bound = bounds[key, "period"]
        assert limit == (None if bound is None else float(bound.value))


def test_a_front_has_what_nothing_beats_over_all_platforms():
    front = next(
        f for f in platform_data(ROWS, all_gaps(ROWS))["fronts"] if f["metric"] == "clusters"
    )
    on = {(p["method"], p["period"], p["value"]) for p in front["points"] if p["on"]}
    assert on == {("x", 8.0, 4.0), ("x", 12.0, 2.0)}
    assert len(front["points"]) == len(ROWS)


def test_a_run_without_varied_platforms_draws_none():
    rows = [stored_row("a", "x", 2, 8)]
    assert not any(platform_data(rows, all_gaps(rows)).values())
    assert page_data(rows, {})["platforms"]["lines"] == []
