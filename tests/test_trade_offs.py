"""``map --area`` and ``map --pareto``: what they say is what the judge says of their mappings."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from optmap.experiment.run.mapping_file import read_document
from optmap.judge.case import judge
from optmap.map import main
from optmap.model.buffer_front import BufferFront, BufferPoint
from optmap.model.grade import Grade
from optmap.model.mapping import Buffers
from optmap.trade_offs import BufferTradeOff, buffer_lines

PLATFORM = """schema = 1
name = "two kinds"
[interconnect]
kind = "mesh"
width = 2
height = 2
[[tiles]]
rows = 10
columns = 4
slots = 1
count = 2
[[tiles]]
rows = 6
columns = 2
slots = 1
count = 2
[time]
hop_ticks = 1
"""
AREA = "[area]\ncell_um2 = 1.5\n"


def asked(tmp_path: Path, capsys: pytest.CaptureFixture[str], *options: str, area: str = AREA):
    """Run ``map`` on nine neurons, six of them units, and return its JSON."""
    (tmp_path / "p.toml").write_text(PLATFORM + area)
    platform = str(tmp_path / "p.toml")
    arguments = ["gen:mlp-6-5-1", "--platform", platform, "--method", "overlap", "--json"]
    assert main([*arguments, "--limit", "10", *options]) == 0
    return json.loads(capsys.readouterr().out)


def test_least_area_is_proved_and_no_more_than_the_mapping_s(tmp_path, capsys):
    """Five units share six rows, the sixth's five fit beside them on none: 60 + 18 + 18 um2."""
    found = asked(tmp_path, capsys, "--area")["area"]
    assert found["least_area_um2"] == found["bound_area_um2"] == 96.0
    assert found["crossbars"] == {"10x4": 1, "6x2": 2}
    assert found["area_of_these_clusters_um2"] >= 96.0
    assert found["bound_grade"] in ("certified", "two solvers")


def test_every_trade_off_is_judged_as_it_says(tmp_path, capsys):
    out = tmp_path / "m.json"
    found = asked(tmp_path, capsys, "--pareto", "--out", str(out))["trade_offs"]
    assert found["complete"]
    values = []
    for n, record in enumerate(found["points"], 1):
        _, instance, mapping = read_document(tmp_path / f"m-{n}.json")
        row = judge(instance.snn, instance.platform, mapping, instance.tokens).evaluation.row()
        point = (Fraction(record["period"]), record["spike_hops"], record["tiles_used"])
        assert point == (row["period"], row["spike_hops"], row["tiles_used"])
        values.append(point)
    assert values == sorted(values)
    assert not (tmp_path / f"m-{len(values) + 1}.json").exists()
    _, instance, mapping = read_document(out)
    own = judge(instance.snn, instance.platform, mapping, instance.tokens).evaluation.row()
    assert any(
        p[0] <= own["period"] and p[1] <= own["spike_hops"] and p[2] <= own["tiles_used"]
        for p in values
    )


def test_a_platform_without_areas_is_refused(tmp_path, capsys):
    with pytest.raises(ValueError, match=r"--area.*area 0.*expected a platform with \[area\]"):
        asked(tmp_path, capsys, "--area", area="")


def test_more_buffer_space_buys_shorter_periods_that_the_judge_confirms(tmp_path, capsys):
    out = tmp_path / "m.json"
    time = "base_ticks = 3\nevent_ticks = 2\n"
    found = asked(tmp_path, capsys, "--buffers", "--out", str(out), area=time)["buffers"]
    assert found["complete"]
    assert found["all_below"] is None
    assert all(p["bound"] == p["tokens"] for p in found["points"])
    assert found["tokens_least"] == found["tokens_bound"] <= found["tokens_given"]
    totals = [point["tokens"] for point in found["points"]]
    periods = [Fraction(point["period"]) for point in found["points"]]
    assert totals == sorted(totals)
    assert periods == sorted(periods, reverse=True)
    assert len(set(periods)) == len(periods) >= 2
    for n, point in enumerate(found["points"], 1):
        _, instance, mapping = read_document(tmp_path / f"m-b{n}.json", None)
        made = judge(instance.snn, instance.platform, mapping, instance.tokens).evaluation
        assert (made.buffer_tokens, made.period) == (point["tokens"], Fraction(point["period"]))


def test_lines_of_a_front_that_the_limit_ended_say_what_is_open():
    points = (
        BufferPoint(60, Fraction(30), Buffers(()), 60, Grade.CERTIFIED),
        BufferPoint(80, Fraction(41, 2), Buffers(()), 70, Grade.CLAIMED),
    )
    found = BufferTradeOff(BufferFront(points, 65), 100, 80, 70, Grade.CLAIMED)
    said = "\n".join(buffer_lines(found))
    assert "as far as the limit went" in said
    assert "80       20.500  no fewer than 70 are as fast" in said
    assert "below 65 tokens these are all points" in said
    assert "80 keep its period (>= 70, claimed), 20 % fewer" in said
    assert found.record()["all_below"] == 65
