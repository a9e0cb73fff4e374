"""The platform: hops by hand, exact rates, and one line for every bad field of a file."""

from __future__ import annotations

import tomllib
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest

from optmap.errors import InputError
from optmap.model.platform import (
    Area,
    Crossbar,
    Energy,
    Interconnect,
    Platform,
    Tile,
)
from optmap.model.platform_file import load_platform
from optmap.shipped import platform_file

TILE = Tile(Crossbar(4, 4))

FILE = """
schema = 1
name = "small"
origin = "tests"

[interconnect]
kind = "mesh"
width = 2
height = 1

[[tiles]]
rows = { value = 8, source = "a paper" }
columns = 6
input_buffer = 32
output_buffer = 16
slots = 3
count = 2

[time]
tick_ns = 0.5
base_ticks = 2
event_ticks = 1
switch_ticks = 4
hop_ticks = 3
ni_tokens_per_tick = { value = 1.8, source = "another paper" }

[cells]
cells_per_synapse = 2

[buffers]
buffer_windows = 3

[energy]
spike_pj = 50
synapse_pj = 0.25
route_pj = 147
local_pj = 1

[area]
cell_um2 = 0.01
neuron_um2 = 2
tile_um2 = 3
"""


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "platform.toml"
    file.write_text(text)
    return file


def test_a_platform_file_is_read_exactly_with_its_sources(tmp_path: Path):
    platform = load_platform(written(tmp_path, FILE))
    assert platform == Platform(
        "small",
        (Tile(Crossbar(8, 6), 32, 16, 3),) * 2,
        Interconnect("mesh", 2, 1),
        hop_ticks=3,
        ni_tokens_per_tick=Fraction(9, 5),
        tick_ns=Fraction(1, 2),
        base_ticks=2,
        event_ticks=1,
        switch_ticks=4,
        cells_per_synapse=2,
        buffer_windows=3,
        energy=Energy(Fraction(50), Fraction(1, 4), Fraction(147), Fraction(1)),
        area=Area(Fraction(1, 100), Fraction(2), Fraction(3)),
    )
    assert platform.sources["tiles[0].rows"] == "a paper"
    assert platform.sources["time.ni_tokens_per_tick"] == "another paper"
    assert platform.sources["time.tick_ns"] == "assumed"
    assert not {"schema", "interconnect.width", "tiles[0].count"} & set(platform.sources)


def test_defaults_and_one_tile_table_for_all_tiles(tmp_path: Path):
    text = (
        'schema = 1\nname = "bare"\n[interconnect]\nkind = "torus"\nwidth = 3\nheight = 2\n'
        "[[tiles]]\nrows = 4\ncolumns = 4\n"
    )
    platform = load_platform(written(tmp_path, text))
    assert platform == Platform("bare", (TILE,) * 6, Interconnect("torus", 3, 2))
    assert platform.total_slots is None
    assert platform.sources["time.base_ticks"] == "assumed (default)"


def test_heterogeneous_tiles_in_the_interconnects_numbering(tmp_path: Path):
    text = (
        'schema = 1\nname = "mixed"\n[interconnect]\nkind = "matrix"\n'
        "hops = [[0, 1, 2], [3, 0, 4], [5, 6, 0]]\n"
        "[[tiles]]\nrows = 4\ncolumns = 4\ncount = 2\nslots = 2\n"
        "[[tiles]]\nrows = 8\ncolumns = 2\nslots = 1\n"
    )
    platform = load_platform(written(tmp_path, text))
    assert platform.rows_of == (4, 4, 8)
    assert platform.columns_of == (4, 4, 2)
    assert platform.hops.tolist() == [[0, 1, 2], [3, 0, 4], [5, 6, 0]]
    assert (platform.max_rows, platform.max_columns, platform.total_slots) == (8, 4, 5)
    assert platform.kinds == ((8, 2), (4, 4))


BAD = [
    ("schema = 1", "schema = 2", "schema", "2", "1"),
    ("schema = 1", "", "schema", "nothing", "a number >= 1"),
    ('name = "small"', "", "name", "nothing", "a string"),
    ('name = "small"', "name = 3", "name", "3", "a string"),
    ('origin = "tests"', "orign = 1", "orign", "an unknown field", "one of area, "),
    ('kind = "mesh"', 'kind = "ring"', "interconnect.kind", "'ring'", "mesh, torus, matrix"),
    ("width = 2", "width = 0", "interconnect.width", "0", "a number >= 1"),
    ("width = 2", "", "interconnect.width", "nothing", "a number >= 1"),
    ("{ value = 8,", "{ value = 2000000,", "tiles[0].rows", "2000000", "at most 1048576"),
    ("height = 1", "height = 50000", "interconnect.width", "2 x 50000 tiles", "at most 65536"),
    ("height = 1", "height = 1\ndepth = 1", "interconnect.depth", "an unknown", "height, kind"),
    ("count = 2", "count = 3", "tiles", "more than 2 tiles", "2, as the interconnect"),
    ("count = 2", "count = 1", "tiles", "1 tiles", "2, as the interconnect"),
    ("count = 2", "count = 0", "tiles[0].count", "0", "a number >= 1"),
    ("value = 8", "value = 1", "tiles[0].rows", "1", "a number >= 2"),
    ("columns = 6", "columns = 0", "tiles[0].columns", "0", "a number >= 1"),
    ("columns = 6", "columns = 2.5", "tiles[0].columns", "2.5", "a whole number"),
    ("input_buffer = 32", "input_buffer = 0", "tiles[0].input_buffer", "0", "a number >= 1"),
    ("output_buffer = 16", "output_buffer = -1", "tiles[0].output_buffer", "-1", ">= 1"),
    ("slots = 3", "slots = 'all'", "tiles[0].slots", "'all'", "a number >= 0"),
    ("tick_ns = 0.5", "tick_ns = 0", "time.tick_ns", "0", "a number > 0"),
    ("base_ticks = 2", "base_ticks = 0", "time.base_ticks", "0", "a number >= 1"),
    ("event_ticks = 1", "event_ticks = -1", "time.event_ticks", "-1", "a number >= 0"),
    ("switch_ticks = 4", "switch_ticks = 0.5", "time.switch_ticks", "0.5", "a whole number"),
    ("hop_ticks = 3", "hop_ticks = true", "time.hop_ticks", "True", "a number >= 0"),
    ("value = 1.8", "value = 0.0", "time.ni_tokens_per_tick", "0", "a number > 0"),
    ("value = 1.8", "value = -1.8", "time.ni_tokens_per_tick", "-1.8", "a number >= 0"),
    ("cells_per_synapse = 2", "cells_per_synapse = 7", "cells.cells_per_synapse", "7", "at most 6"),
    ("cells_per_synapse = 2", "cells_per_synapse = 0", "cells.cells_per_synapse", "0", ">= 1"),
    ("buffer_windows = 3", "buffer_windows = 0", "buffers.buffer_windows", "0", "a number >= 1"),
    ("spike_pj = 50", "spike_pj = nan", "energy.spike_pj", "nan", "a number >= 0"),
    ("route_pj = 147", "route_pj = -147", "energy.route_pj", "-147", "a number >= 0"),
    ("local_pj = 1", "loco_pj = 1", "energy.loco_pj", "an unknown field", "local_pj"),
    ("cell_um2 = 0.01", "cell_um2 = [1]", "area.cell_um2", "[1]", "a number >= 0"),
    ("[area]", "[aera]", "aera", "an unknown field", "one of area"),
    ("[time]", "[[time]]", "time", "", "a table"),
    ("[[tiles]]", "[tiles]", "tiles", "dict", "an array of tables"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "field", "found", "expected"), BAD)
def test_a_bad_field_gives_one_line(tmp_path: Path, old, new, field, found, expected):
    assert FILE.count(old) == 1
    file = written(tmp_path, FILE.replace(old, new))
    with pytest.raises(InputError) as error:
        load_platform(file)
    assert error.value.where == str(file)
    assert error.value.field == field
    assert found in error.value.found
    assert expected in error.value.expected
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("hops", "found"),
    [
        ("[]", "0 rows"),
        ("[[0, 1], [1, 2]]", "2 hops from tile 1 to itself"),
        ("[[0, 1]]", "[[0, 1]]"),
    ],
)
def test_a_bad_hop_matrix_gives_one_line(tmp_path: Path, hops: str, found: str):
    text = FILE.replace('"mesh"\nwidth = 2\nheight = 1', f'"matrix"\nhops = {hops}')
    with pytest.raises(InputError) as error:
        load_platform(written(tmp_path, text))
    assert (error.value.field, error.value.found) == ("interconnect.hops", found)


def test_mesh_and_torus_hops_against_a_walk():
    for width, height in product(range(1, 5), range(1, 4)):
        for kind in ("mesh", "torus"):
            hops = Interconnect(kind, width, height).hops()
            distance = walked(width, height, kind == "torus")
            assert hops.tolist() == distance, (kind, width, height)


def walked(width: int, height: int, torus: bool) -> list[list[int]]:
    """Return the hops between all tiles by breadth-first walks over the links."""

    def neighbours(t: int) -> set[int]:
        x, y = t % width, t // width
        near = [(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]
        if torus:
            near = [(a % width, b % height) for a, b in near]
        return {b * width + a for a, b in near if 0 <= a < width and 0 <= b < height}

    rows = []
    for start in range(width * height):
        far = {start: 0}
        front = [start]
        while front:
            front = [(n, far[t] + 1) for t in front for n in neighbours(t) if n not in far]
            far.update(dict(front))
            front = sorted({n for n, _ in front})
        rows.append([far[t] for t in range(width * height)])
    return rows


@pytest.mark.parametrize(
    ("tokens", "rate", "ticks"),
    [(1, 1, 1), (5, 2, 3), (4, 2, 2), (9, Fraction(9, 5), 5), (10, Fraction(9, 5), 6)],
)
def test_sending_rounds_up_to_whole_ticks(tokens: int, rate: Fraction, ticks: int):
    platform = Platform("p", (TILE,), Interconnect("mesh", 1, 1), ni_tokens_per_tick=Fraction(rate))
    assert platform.send_ticks(tokens) == ticks


def test_bit_slices_share_the_columns():
    wide = Tile(Crossbar(4, 7))
    platform = Platform("p", (TILE, wide), Interconnect("mesh", 2, 1), cells_per_synapse=3)
    assert platform.columns_of == (1, 2)
    only_wide = Platform("p", (TILE, wide), Interconnect("mesh", 2, 1), cells_per_synapse=6)
    assert only_wide.columns_of == (0, 1)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Crossbar(1, 4),
        lambda: Crossbar(4, 0),
        lambda: Tile(Crossbar(4, 4), input_buffer=0),
        lambda: Tile(Crossbar(4, 4), output_buffer=0),
        lambda: Tile(Crossbar(4, 4), slots=-1),
        lambda: Interconnect("mesh"),
        lambda: Interconnect("mesh", 0, 2),
        lambda: Interconnect("torus", 2, -1),
        lambda: Interconnect("mesh", 2, 1, ((0, 1), (1, 0))),
        lambda: Interconnect("ring", 2, 1),
        lambda: Interconnect("matrix"),
        lambda: Interconnect("matrix", 2, 1, ((0, 1), (1, 0))),
        lambda: Interconnect("matrix", matrix=((0, 1), (1,))),
        lambda: Interconnect("matrix", matrix=((0, 1),)),
        lambda: Interconnect("matrix", matrix=((0, -1), (1, 0))),
        lambda: Interconnect("matrix", matrix=((0, 1), (1, 1))),
        lambda: Platform("p", (TILE,), Interconnect("mesh", 2, 1)),
        lambda: Platform("p", (TILE,), Interconnect("mesh", 1, 1), hop_ticks=-1),
        lambda: Platform("p", (TILE,), Interconnect("mesh", 1, 1), base_ticks=0),
        lambda: Platform("p", (TILE,), Interconnect("mesh", 1, 1), buffer_windows=0),
        lambda: Platform("p", (TILE,), Interconnect("mesh", 1, 1), cells_per_synapse=5),
        lambda: Platform("p", (TILE,), Interconnect("mesh", 1, 1), tick_ns=Fraction(0)),
        lambda: Platform("p", (TILE,), Interconnect("mesh", 1, 1), ni_tokens_per_tick=Fraction(0)),
    ],
)
def test_a_broken_platform_cannot_be_built(build):
    with pytest.raises(ValueError, match=r"\d|mesh|matrix"):
        build()


def test_every_shipped_platform_loads_and_names_the_source_of_every_number():
    files = sorted((Path(__file__).parents[2] / "instances" / "platforms").glob("*.toml"))
    assert files
    for file in files:
        platform = load_platform(file)
        given = {f for f, source in platform.sources.items() if "(default)" not in source}
        assert given
        assert all(platform.sources[f].strip() for f in given)


@pytest.mark.parametrize(
    "chip",
    ["loihi1", "loihi_like", "loihi2", "truenorth_like", "spinnaker2", "dynap_se_board"],
)
def test_no_number_of_a_chip_stands_without_its_source(chip):
    def bare(part, name=""):
        if isinstance(part, dict) and "value" in part:
            return [] if part["source"].strip() else [name]
        inner = part.items() if isinstance(part, dict) else [(name, x) for x in part]
        return [
            found
            for key, value in inner
            for found in (
                bare(value, key) if isinstance(value, dict | list)
                else [key] if isinstance(value, int | float) else []
            )
        ]  # fmt: skip

    text = Path(platform_file(chip)).read_text(encoding="utf-8")
    assert bare(tomllib.loads(text)) == ["schema"]


@pytest.mark.parametrize("kind", ["mesh", "torus"])
@pytest.mark.parametrize("chip", [None, (1, 1)])
def test_fewest_hops_of_a_grid_are_those_of_all_pairs(kind: str, chip: tuple[int, int] | None):
    for width, height in product(range(1, 4), repeat=2):
        net = Interconnect(kind, width, height, chip=chip)
        platform = Platform("grid", (TILE,) * (width * height), net)
        pairs = product(range(width * height), repeat=2)
        apart = [int(platform.hops[a, b]) for a, b in pairs if a != b]
        assert platform.least_hops == min(apart, default=0)
