"""Area and energy by component: counted by hand on two tiles; SpikeSim's totals of its VGG-9."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import optmap as om
from optmap.errors import InputError
from optmap.model.components import COMPONENTS, tile_area
from optmap.model.interconnect import Interconnect
from optmap.model.platform import Area, Crossbar, Energy, Platform, Tile
from optmap.model.platform_file import load_platform
from optmap.model.snn import from_edges

ROOT = Path(__file__).parents[2]
ENERGY = Energy(
    spike_pj=Fraction(1), read_ticks=Fraction(3), cell_read_pj=Fraction(1, 8),
    adc_read_pj=Fraction(1, 2), neuron_read_pj=Fraction(5), leakage_mw=Fraction(1, 7),
)  # fmt: skip
AREA = Area(
    cell_um2=Fraction(1, 2), adc_um2=Fraction(10), mux_um2=Fraction(3), htree_um2=Fraction(100),
    memory_um2=Fraction(1000), columns_per_converter=4,
)  # fmt: skip


def two_tiles(**more: object) -> Platform:
    tiles = (Tile(Crossbar(4, 6), slots=1), Tile(Crossbar(8, 6), slots=1))
    return Platform(
        "two", tiles, Interconnect("mesh", 2, 1), base_ticks=2, event_ticks=1, switch_ticks=9,
        tick_ns=Fraction(5), energy=ENERGY, area=AREA, **more,
    )  # fmt: skip


def test_components_are_counted_as_by_hand() -> None:
    """Units 2, 3 read 0 and 1; unit 4 reads 2 and 3: a cluster each, on tiles 0 and 1."""
    snn = from_edges([0, 1, 0, 1, 2, 3], [2, 2, 3, 3, 4, 4], 5, spikes=[2, 3, 1, 4, 1])
    data = {
        "schema": 1, "decomposition": {"policy": "none", "rows": 8}, "cluster_of": [0, 0, 1],
        "tile_of": [0, 1], "orders": [[0], [1]],
    }  # fmt: skip
    found = om.evaluate(data, snn, two_tiles())
    assert found.check == "ok"
    # tau: 2 + 5 and 2 + 5 ticks, so 7/3 reads each; one read: 24 or 48 cells / 8 + 6 / 2 + 5
    reads = Fraction(7, 3) * (3 + 3 + 5) + Fraction(7, 3) * (6 + 3 + 5)
    leakage = Fraction(1, 7) * 2 * found.exact["period"] * 5
    assert found.exact["energy_pj"] == 6 + reads + leakage
    assert found.exact["energy_cell_pj"] == Fraction(7, 3) * (3 + 6)
    assert found.exact["energy_leakage_pj"] == leakage
    # two converters a tile: 6 columns in groups of four
    assert found.exact["area_um2"] == 12 + 24 + 2 * (2 * 10 + 2 * 3 + 100) + 1000
    assert found.exact["area_adc_um2"] == 40
    assert found.exact["area_memory_um2"] == 1000
    assert tile_area(two_tiles(), two_tiles().tiles[0]) == 12 + 20 + 6 + 100


def test_without_prices_nothing_is_added_and_digests_stay() -> None:
    plain = Platform("p", (Tile(Crossbar(4, 4)),), Interconnect("mesh", 1, 1))
    assert plain.extras == ""
    assert "adc" not in repr(plain)
    assert "adc_um2" in two_tiles().extras
    assert "read_ticks" in two_tiles().extras


def test_platform_files_name_what_is_wrong(tmp_path: Path) -> None:
    text = (ROOT / "instances" / "platforms" / "spikesim_65nm.toml").read_text(encoding="utf-8")
    file = tmp_path / "p.toml"
    file.write_text(text.replace("read_ticks = {", "# read_ticks = {"))
    with pytest.raises(InputError, match="energies per read of a crossbar need read_ticks"):
        load_platform(file)
    eight = "columns_per_converter = { value = 8"
    file.write_text(text.replace(eight, eight[:-1] + "0"))
    with pytest.raises(InputError, match="columns_per_converter"):
        load_platform(file)
    page = (ROOT / "docs" / "spikesim.md").read_text(encoding="utf-8")
    assert all(f"| `{c.key}` | {c.about} |" in page for c in COMPONENTS)


def script_totals() -> tuple[Fraction, Fraction, Fraction]:
    """Return pJ, um2 and ns by the formulas of SpikeSim's script, in exact numbers."""
    inputs, outputs = (3, 64, 64, 128, 128, 256, 256), (64, 64, 128, 128, 256, 256, 256)
    side_in, side = (32, 32, 16, 16, 8, 8, 8), (32, 16, 16, 8, 8, 8, 4)
    pes = [-(-i // 64) * (o // 64) for i, o in zip(inputs, outputs, strict=True)]
    f = Fraction
    group = 9 * f("1.76423") + 8 * (f("2.03084") + f("0.094245"))
    fixed = f("19.64") * 8 + f("4.64") + f("1.274") * 4 + f("1.15e-6") * 128 + f("1.6") + 397
    cycles = sum(n * s * s for n, s in zip(pes, side, strict=True))
    energy = cycles * 5 * (8 * group + fixed)
    pe = 9 * f("26.2144") + 8 * (f("693.633") + f("45.9"))
    tile = 8 * f("13411.41498") + f("484.643999") + f("0.7391") * 8192 + 8 * pe + 2 * 216830
    memory = sum(i * s * s for i, s in zip(inputs, side_in, strict=True))
    memory += sum(o * s * s for o, s in zip(outputs[:5], side[:5], strict=True))
    area = tile * f(sum(pes), 8) + memory * f("0.7391") * 22
    neurons = [o * s * s for o, s in zip(outputs, side, strict=True)]
    latency = (sum(neurons[:-1]) * f(3, 4) + neurons[-1]) * 5 * 104
    return energy, area, latency


def test_spikesim_s_vgg9_has_its_script_s_totals() -> None:
    energy, area, latency = script_totals()
    assert (round(energy / 10**6, 1), round(area / 10**6, 2)) == (
        Fraction("15.9"),
        Fraction("8.43"),
    )
    assert round(latency / 10**6, 1) == Fraction("62.8")
    found = om.map_network(ROOT / "instances" / "spikesim_vgg9.xml", "spikesim_65nm", "song2020")
    assert found.check == "ok"
    assert found.exact["energy_pj"] == energy
    assert found.exact["area_um2"] == area
    network = ROOT / "instances" / "spikesim_vgg9_overlap.xml"
    overlap = om.map_network(network, "spikesim_65nm", "song2020")
    assert abs(overlap.exact["latency"] * 4 - latency) <= latency / 10_000
    assert np.isclose(float(found.exact["period"]) * 4, 1024 * 5 * 104)
