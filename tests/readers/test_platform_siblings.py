"""Siblings of SANA-FE's and SDF3's public architectures: numbers by hand, or one line."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from optmap.errors import InputError
from optmap.model.platform import MAX_SIDE, Platform
from optmap.readers.options import read_options
from optmap.readers.platforms import platform_of_file

HOPS = "".join(
    f", energy_{side}_hop: {energy}, latency_{side}_hop: {latency}"
    for side, energy, latency in (
        ("north", "4.2e-12", "6.5e-9"),
        ("east", "3.0e-12", "4.1e-9"),
        ("south", "4.2e-12", "6.5e-9"),
        ("west", "3.0e-12", "4.1e-9"),
    )
)[2:]
UNITS = """
          axon_in: [{name: in, attributes: {energy_message_in: 0.0, latency_message_in: 16.0e-9}}]
          soma:
            - name: lif
              attributes: {model: leaky_integrate_fire, energy_spike_out: 69.3e-12}
            - name: inputs[0..1023]
              attributes: {model: input, energy_spike_out: 0.0}
          dendrite: [{name: d, attributes: {model: accumulator, energy_update: 0.0}}]
          synapse: [{name: s, attributes: {energy_process_spike: 35.5e-12}}]
          axon_out: [{name: o, attributes: {latency_message_out: 5.1e-9}}]
"""


def chip(mesh: str = "width: 8, height: 4", tile: str = "t[0..31]", core: str = "c[0..3]") -> str:
    """Return an architecture shaped as SANA-FE's Loihi."""
    return f"""# energies of one paper
architecture:
  name: a_chip
  attributes: {{{mesh}}}
  tile:
    - name: {tile}
      attributes: {{{HOPS}}}
      core:
        - name: {core}
          attributes: {{buffer_position: soma, max_neurons_supported: 1024}}{UNITS}"""


ONE = chip("width: 1, height: 1", "t", "c")
SECOND = ONE.partition("  tile:\n")[2]
TWO = chip("width: 2, height: 1", "t", "c")


def read(folder: Path, text: str, told: str | None = None, name: str = "chip.yaml") -> Platform:
    (folder / name).write_bytes(text.encode())
    return platform_of_file(folder / name, read_options({"architecture": told}))


def notes(platform: Platform) -> str:
    return "; ".join(text for name, text in platform.sources.items() if name.startswith("note"))


@pytest.mark.parametrize(
    ("text", "tiles", "columns", "said"),
    [
        (chip(), 128, [1024], "4.1e-09 to 6.5e-09 by direction"),
        (chip("topology: mesh, width: 8, height: 4, sync_model: table, link_buffer_size: 16"),
         128, [1024], "link_buffer_size, sync_model left out"),
        (chip('width: "8", height: "4"'), 128, [1024], ""),
        (chip("width: 1, height: 1", "t[0]", "c[0..1]"), 2, [1024], ""),
        (chip("width: 2, height: 2", "t", "c"), 1, [1024], "1 of 4 places of the mesh"),
        (chip().replace("max_neurons_supported: 1024", ""), 128, [1024], "holds 1024, as in"),
        (chip().replace("1024}", "7}"), 128, [7], ""),
        (TWO + SECOND.replace("name: t", "name: u").replace("1024}", "10}"), 2, [1024, 10], ""),
        (chip().replace("16.0e-9", "+1.6E-8"), 128, [1024], ""),
        (chip().replace("\n", "\r\n"), 128, [1024], ""),
        ("\ufeff---\n" + chip(), 128, [1024], ""),
        (chip().replace("{model: accumulator, energy_update: 0.0}", "{model: taps}"), 128,
         [1024], ""),
        (chip().replace("energy_update: 0.0", "energy_update: 2e-12"), 128, [1024],
         "dendrite energy_update 2e-12 is left out"),
    ],
)  # fmt: skip
def test_sanafe_chips_by_hand(tmp_path, text, tiles, columns, said):
    """6.5 and 16 ns have 0.5 ns in common: 13 and 32 ticks; 5.1 ns a message out are 10.2."""
    found = read(tmp_path, text)
    assert found.num_tiles == tiles
    assert sorted({tile.crossbar.columns for tile in found.tiles}, reverse=True) == columns
    assert found.max_rows == MAX_SIDE
    assert found.tick_ns == Fraction(1, 2)
    assert (found.hop_ticks, found.event_ticks) == (13, 32)
    assert found.ni_tokens_per_tick == Fraction(5, 51)
    costs = found.energy
    assert (costs.spike_pj, costs.synapse_pj, costs.route_pj) == (
        Fraction("69.3"), Fraction("35.5"), Fraction("4.2")
    )  # fmt: skip
    assert said in notes(found)


def test_places_without_a_tile_are_passed(tmp_path):
    """Three tiles of a mesh two wide and two high stand at (0,0), (0,1) and (1,0)."""
    found = read(tmp_path, chip("width: 2, height: 2", "t[0..2]", "c"))
    assert found.hops.tolist() == [[0, 1, 1], [1, 0, 2], [1, 2, 0]]


def test_a_chip_without_costs(tmp_path):
    """TrueNorth's file has zeros for all of them: a hop takes no tick, and the notes say so."""
    text = chip("width: 64, height: 64", "t[0..4095]", "c")
    for number in ("4.2e-12", "6.5e-9", "3.0e-12", "4.1e-9", "16.0e-9", "69.3e-12", "35.5e-12"):
        text = text.replace(number, "0.0")
    found = read(tmp_path, text.replace("5.1e-9", "0.0"), "rows=256")
    assert (found.num_tiles, found.max_rows, found.interconnect.kind) == (4096, 256, "mesh")
    assert (found.tick_ns, found.hop_ticks, found.event_ticks, found.ni_tokens_per_tick) == (
        1, 0, 0, 1
    )  # fmt: skip
    assert "a message out takes no time" in notes(found)


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        (chip("topology: torus, width: 8, height: 4"), 4, "'torus'"),
        (chip("width: 0x8, height: 4"), 4, "'0x8', expected width: a whole number"),
        (chip("width: 8.0, height: 4"), 4, "'8.0'"),
        (chip("width: -8, height: -4"), 4, "'-8'"),
        (chip("width: 8"), 4, "no height"),
        (chip("width: 2, height: 1"), 6, "32 tiles, expected 2 x 1"),
        (chip(tile="t[0:31]"), 6, "'t[0:31]', expected a name, or several as in tile[0..31]"),
        (chip(tile="t[31..0]"), 6, "'t[31..0]'"),
        (chip(tile="t[0..99999999]"), 6, "'t[0..99999999]'"),
        (chip(tile="t[0..7][0..3]"), 6, "'t[0..7][0..3]'"),
        (
            chip().replace("    - name: t[0..31]\n      attributes", "    - attributes"),
            6,
            "no name",
        ),
        (chip().replace("16.0e-9", "16ns"), 11, "'16ns', expected latency_message_in"),
        (chip().replace("16.0e-9", ".inf"), 11, "'.inf'"),
        (chip().replace(", latency_message_in: 16.0e-9", ""), 11, "no latency_message_in"),
        (chip().replace("energy_spike_out: 69.3e-12", "x: 1"), 13, "no energy_spike_out"),
        (chip().partition("          axon_out:")[0], 9, "no axon_out"),
        (chip().replace("  name: a_chip\n", "  name: a\n  name: b\n"), 4, "a second time"),
        (chip().replace("  attributes: {width", "\tattributes: {width"), 4, "no YAML"),
        (TWO + SECOND.replace("16.0e-9", "15.0e-9"), 2, "cores of different costs"),
        ("network:\n  name: x\n", 1, "'network'"),
    ],
)
def test_sanafe_lines_that_are_refused(tmp_path, text, line, found):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert f": line {line}: found " in str(caught.value)
    assert found in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def tile(name: str, bandwidth: str = "96", kind: str = "arm", inner: str = "") -> str:
    return f"""<tile name="{name}"><processor name="p_{name}" type="{kind}">{inner}</processor>
    <memory name="m_{name}" size="1000"/><networkInterface name="n_{name}" nrConnections="4"
    inBandwidth="{bandwidth}" outBandwidth="{bandwidth}"/></tile>"""


def connection(pair: str, delay: str = "1") -> str:
    ends = f'srcTile="{pair[0]}" dstTile="{pair[1]}"'
    return f'<connection name="{pair}" {ends} delay="{delay}"/>'


def graph(*parts: str, kind: str = "sdf") -> str:
    """Return a file as SDF3 writes it."""
    return f"""<?xml version="1.0"?>
<sdf3 type="{kind}" version="1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<architectureGraph name="arch">{"".join(parts)}</architectureGraph></sdf3>"""


PAIR = (tile("a"), tile("b"))
BOTH = (connection("ab", "3"), connection("ba", "5"))
TDMA = '<arbitration type="TDMA" wheelsize="100000"/>'
RING = (
    *(tile(name) for name in "abc"),
    *(connection(pair) for pair in ("ab", "bc", "ca")),
    *(connection(pair, "2") for pair in ("ba", "cb", "ac")),
)


@pytest.mark.parametrize(
    ("text", "hops", "rate", "said"),
    [
        (graph(*PAIR, *BOTH), [[0, 3], [5, 0]], 3, "nrConnections"),
        (graph(*PAIR, *BOTH, kind="csdf"), [[0, 3], [5, 0]], 3, "memory sizes"),
        (graph(*BOTH, *PAIR), [[0, 3], [5, 0]], 3, ""),
        (graph(tile("a", inner=TDMA), tile("b", inner=TDMA), *BOTH), [[0, 3], [5, 0]], 3,
         "arbitration wheels"),
        (graph(tile("a")), [[0]], 3, ""),
        (graph(*RING), [[0, 1, 2], [2, 0, 1], [1, 2, 0]], 3, ""),
        (graph(*PAIR, connection("ab", "3.0"), connection("ba", "5e0")), [[0, 3], [5, 0]], 3, ""),
        (graph(*PAIR, connection("ab", "0"), connection("ba", "0")), [[0, 0], [0, 0]], 3, ""),
        (graph(tile("a", "9.6e1"), tile("b", "96.0"), *BOTH), [[0, 3], [5, 0]], 3, ""),
        (graph(tile("a", "0.5"), tile("b", "0.5"), *BOTH), [[0, 3], [5, 0]],
         Fraction(1, 64), ""),
        (graph(*PAIR, *BOTH).replace('inBandwidth="96"', 'inBandwidth="8"'), [[0, 3], [5, 0]], 3,
         "inBandwidth"),
        (graph(*PAIR, *BOTH).replace("nrConnections=\"4\"", ""), [[0, 3], [5, 0]], 3, ""),
        (graph(*PAIR, *BOTH, '<network slotTableSize="8" flitSize="96"/>'), [[0, 3], [5, 0]], 3,
         "slot table"),
        (graph(*PAIR, *BOTH, "<!-- a remark -->"), [[0, 3], [5, 0]], 3, ""),
    ],
)  # fmt: skip
def test_sdf3_architectures_by_hand(tmp_path, text, hops, rate, said):
    found = read(tmp_path, text, "token_bits=32", "arch.xml")
    assert found.hops.tolist() == hops
    assert (found.ni_tokens_per_tick, found.hop_ticks) == (rate, 1)
    assert said in notes(found)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (graph(*PAIR), "connection: found none from 'a' to 'b'"),
        (graph(*PAIR, BOTH[0]), "connection: found none from 'b' to 'a'"),
        (graph(*PAIR, *BOTH, BOTH[0]), "connection ab: found a to b, expected each two tiles once"),
        (graph(*PAIR, *BOTH, connection("aa")), "connection aa: found a to a"),
        (graph(*PAIR, *BOTH, connection("ac")), "connection ac: found tile 'c'"),
        (graph(*PAIR, connection("ab", "1.5"), BOTH[1]), "connection ab, delay: found 1.5"),
        (graph(*PAIR, connection("ab", "-1"), BOTH[1]), "connection ab, delay: found '-1'"),
        (graph(*PAIR, connection("ab", "1e99"), BOTH[1]), "connection ab, delay: found '1e99'"),
        (graph(*PAIR, *BOTH).replace(' delay="3"', ""), "connection ab: found no delay"),
        (graph(tile("a", "8"), tile("b", "96"), *BOTH), "outBandwidth 8, 96"),
        (graph(tile("a", "0"), tile("b", "0"), *BOTH), "outBandwidth 0"),
        (graph(tile("a", "fast"), tile("b"), *BOTH), "networkInterface, outBandwidth: found 'fa"),
        (graph(tile("a", kind="dsp"), tile("b"), *BOTH), "processors of types arm, dsp"),
        (graph(tile("a", kind=""), tile("b"), *BOTH), "tile 'a', processor: found no type"),
        (graph(tile("a"), tile("a")), "2 tiles, expected 1 to"),
        (graph(), "0 tiles"),
        (graph("<tile name='a'/>"), "tile 'a': found 0 processors"),
        (graph("<tile name='a'><processor type='x'/></tile>"), "networkInterface: found nothing"),
        (graph(*PAIR, *BOTH).replace("architectureGraph", "applicationGraph"), "0 architectureGr"),
        (graph(*PAIR, *BOTH).replace("sdf3", "sdf4"), "root 'sdf4'"),
        ("<!DOCTYPE x><sdf3/>", "declaration"),
    ],
)
def test_sdf3_architectures_that_are_refused(tmp_path, text, found):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, "token_bits=32", "arch.xml")
    assert found in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
