"""Area and energy by component: what map prints sums to the totals, and is said where priced."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from threading import Event

import pytest

from optmap.experiment.component_shares import share_lines, shares
from optmap.experiment.row import Row
from optmap.experiment.run.in_process import runner
from optmap.experiment.run.plan import Planned
from optmap.experiment.run.source import Source
from optmap.experiment.run.sweep import finish
from optmap.model.outcome import Limits
from optmap.variants import read_platform

ROOT = Path(__file__).parent.parent.parent
CHIP = """
schema = 1
name = "mine"
[interconnect]
kind = "mesh"
width = 2
height = 1
[[tiles]]
rows = 16
columns = 8
[area]
cell_um2 = 2
adc_um2 = 50
tile_um2 = 1000
"""


def row_of(network: str, platform: str) -> Row:
    source = Source(network=network, platform=platform)
    job = Planned(source.load(), source).job("song2020", Limits(600.0))
    return finish(job, runner(job, Event()))[0]


def test_spikesim_s_vgg9_by_component():
    row = row_of(str(ROOT / "instances" / "spikesim_vgg9.xml"), "spikesim_65nm")
    found = {share.key: share for share in shares(row)}
    areas = [share.area_um2 or 0 for share in found.values()]
    assert sum(areas, Fraction(0)) == row.value("area_um2")
    spent = [share.energy_pj or 0 for share in found.values()]
    assert sum(spent, Fraction(0)) == row.value("energy_pj")
    text = "\n".join(share_lines(row))
    assert "area, um2        8425528.8 of the tiles in use" in text
    assert "memory         4845279 (58%)" in text
    assert "buffer         39236.1 (0.5%)  7653120 (48%)" in text
    assert "tile " not in text.partition("by component")[2]


def test_a_chip_that_prices_areas_alone_has_them_by_component(tmp_path: Path):
    file = tmp_path / "mine.toml"
    file.write_text(CHIP)
    row = row_of("gen:mlp-9-4", str(file))
    tiles = row.value("tiles_used")
    assert {s.key: s.area_um2 for s in shares(row)} == {
        "cell": tiles * 256,
        "adc": tiles * 8 * 50,
        "tile": tiles * 1000,
    }
    assert all(s.energy_pj is None for s in shares(row))
    assert row.value("area_um2") == tiles * read_area(file)
    assert any("analog-to-digital" in line for line in share_lines(row))


def read_area(file: Path) -> Fraction:
    chip = read_platform(file)
    return chip.area.cell_um2 * 128 + chip.area.adc_um2 * 8 + chip.area.tile_um2


@pytest.mark.parametrize(("tile", "lines"), [("1", 0), ("1000", 1)])
def test_an_area_that_counts_tiles_is_not_said_again(tmp_path: Path, tile: str, lines: int):
    file = tmp_path / "mine.toml"
    plain = (
        CHIP.replace("cell_um2 = 2", "").replace("adc_um2 = 50", "").replace("= 1000", "= " + tile)
    )
    file.write_text(plain)
    assert len(list(share_lines(row_of("gen:mlp-9-4", str(file))))) == lines
