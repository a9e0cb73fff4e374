"""SMART's ResNet-50: the published operations and times, and what a forged schedule is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from optmap.experiment.rivals import smart
from optmap.experiment.rivals.smart import PROCESSOR, PUBLISHED, SCRATCHPAD

STORED = Path(__file__).parents[3] / "results" / "rivals" / "smart.json"
#: Ticks on tiles as the public log tells them.
ON_TILES = {
    1: 1140.0193837388226, 2: 2041.7336526740498, 13: 1309.715827011024, 44: 2542.5943923741447,
    59: 2301.0491310876127, 87: 2307.549386819559, 97: 1005.7282757413268, 111: 2722.0466243318406,
    123: 1062.6697202222335, 137: 2645.5483577915297, 149: 2509.602452796519,
    164: 1032.524264405108, 176: 1838.9795494087887,
}  # fmt: skip
#: Some arcs of the public graph: shortcuts, and both ways into an addition.
ARCS = ((6, 13), (15, 17), (16, 17), (18, 27), (38, 45), (80, 87), (89, 91), (142, 149), (164, 173))


@pytest.fixture(scope="module")
def operations():
    return smart.resnet50()


def test_operations_are_the_published_ones(operations):
    assert (len(operations), sum(len(o.reads) for o in operations)) == (177, 192)
    assert all(source in operations[n].reads for source, n in ARCS)
    for n, ticks in ON_TILES.items():
        assert operations[n].tile == pytest.approx(ticks, abs=1e-4)


def test_layers_in_turn_reach_the_bound(operations):
    schedule = smart.segmented(operations)
    assert smart.length(operations, schedule) == smart.bound(operations) == 344_920
    assert smart.bound(operations) < smart.remade(operations) < PUBLISHED["STEUni"]
    room = [smart.used_by(operations, schedule.places, schedule.kept, t) for t in range(4)]
    assert max(room) <= SCRATCHPAD


def test_broken_rules_are_named(operations):
    schedule = smart.segmented(operations)
    starts = schedule.starts
    one_tile = (PROCESSOR, *(0 for _ in starts[1:]))
    for forged, text in (
        (replace(schedule, starts=(*starts[:9], starts[9] - 1, *starts[10:])), "operation 9"),
        (replace(schedule, starts=(*starts[:13], starts[7], *starts[14:])), "end of run 7"),
        (replace(schedule, places=one_tile), "scratchpad of tile 0"),
        (replace(schedule, kept=(0, *schedule.kept)), "tensor of the processor"),
        (replace(schedule, places=(0, *schedule.places[1:])), "the input on the processor"),
        (replace(schedule, kept=schedule.kept[1:]), "operation 2 begins"),
    ):
        with pytest.raises(ValueError, match=text):
            smart.length(operations, forged)


def test_the_stored_schedule_stands_and_a_forged_one_does_not(tmp_path: Path):
    assert smart.verify(STORED) == []
    data = json.loads(STORED.read_text())
    for change in ({"length": data["length"] - 1}, {"bound": data["bound"] + 1}):
        file = tmp_path / "smart.json"
        file.write_text(json.dumps({**data, **change}))
        assert len(smart.verify(file)) == 1
