"""Architectures of other tools as platforms: SANA-FE's YAML, SDF3's XML; damaged ones, one line."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from optmap import map_network
from optmap.clustering import overlap
from optmap.decomposing.contract import decompose
from optmap.errors import InputError
from optmap.exporters.sanafe import architecture_yaml
from optmap.model.mapping import Binding, Mapping, StaticOrders
from optmap.model.platform import MAX_SIDE
from optmap.model.platform_file import load_platform
from optmap.readers.options import read_options
from optmap.readers.platforms import ARCHITECTURE, PLATFORM_FORMATS, platform_of_file
from optmap.readers.read import read_network
from optmap.shipped import platform_file

YAML = """\
architecture:
  name: own_chip
  attributes: {topology: mesh, width: 3, height: 2, link_buffer_size: 8}
  tile:
    - name: t[0..5]
      attributes:
        energy_north_hop: 4.0e-12
        latency_north_hop: 6.0e-9
        energy_east_hop: 3.0e-12
        latency_east_hop: 4.5e-9
        energy_south_hop: 4.0e-12
        latency_south_hop: 6.0e-9
        energy_west_hop: 3.0e-12
        latency_west_hop: 4.5e-9
      core:
        - name: c[0..1]
          attributes: {buffer_position: soma, max_neurons_supported: 32}
          axon_in:
            - name: a
              attributes: {energy_message_in: 1.0e-12, latency_message_in: 16.5e-9}
          soma:
            - name: feed[0..31]
              attributes: {model: input, energy_spike_out: 0.0}
            - name: lif
              attributes: {model: leaky, energy_spike_out: 69.3e-12, latency_update_neuron: 1e-9}
          dendrite: {name: d, attributes: {model: accumulator}}
          synapse:
            - name: dense
              attributes: {model: current_based, energy_process_spike: 35.5e-12}
            - name: sparse
              attributes: {model: current_based, energy_process_spike: 33.6e-12}
          axon_out:
            - name: o
              attributes: {energy_message_out: 0, latency_message_out: 3.0e-9}
"""
ONE_CORE = YAML.replace("c[0..1]", "c")
XML = """\
<?xml version="1.0"?>
<sdf3 type='sdf' version='1.0'>
  <architectureGraph name="two">
    <tile name="a"><processor name="p" type="arm"><arbitration type="TDMA" wheelsize="100"/>
      </processor><memory name="m" size="1000"/>
      <networkInterface name="n" nrConnections="4" inBandwidth="96" outBandwidth="96"/></tile>
    <tile name="b"><processor name="q" type="arm"/>
      <networkInterface name="n" inBandwidth="96" outBandwidth="96"/></tile>
    <connection name="ab" srcTile="a" dstTile="b" delay="3"/>
    <connection name="ba" srcTile="b" dstTile="a" delay="5"/>
  </architectureGraph>
</sdf3>
"""


def test_a_sanafe_chip_of_two_cores_a_tile(tmp_path):
    (tmp_path / "arch.yaml").write_text(YAML)
    chip = platform_of_file(tmp_path / "arch.yaml", read_options({"architecture": "rows=64"}))
    assert (chip.num_tiles, chip.kinds) == (12, ((64, 32),))
    assert chip.tick_ns == Fraction(3, 2)  # 6, 16.5 and 3 ns
    assert (chip.hop_ticks, chip.event_ticks) == (4, 11)
    assert chip.ni_tokens_per_tick == Fraction(1, 2)
    costs = chip.energy
    assert (costs.spike_pj, costs.synapse_pj, costs.route_pj) == (
        Fraction("69.3"), Fraction("35.5"), 4
    )  # fmt: skip
    # tiles stand column by column, two high: tile 3 (cores 6, 7) is at x 1, y 1
    assert [int(chip.hops[0, t]) for t in range(12)] == [0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3]
    notes = " ".join(text for name, text in chip.sources.items() if name.startswith("note"))
    assert "by direction" in notes
    assert "first synapse" in notes
    assert "energy_message_in" in notes
    assert "latency_update_neuron" in notes


def test_without_rows_axons_are_not_limited_and_a_mesh_stays_one(tmp_path):
    (tmp_path / "arch.yml").write_text(ONE_CORE)
    chip = platform_of_file(tmp_path / "arch.yml")
    assert chip.interconnect.kind == "mesh"
    assert (chip.interconnect.width, chip.interconnect.height) == (2, 3)
    assert chip.max_rows == MAX_SIDE
    found = map_network("gen:mlp-40-40-10", str(tmp_path / "arch.yml"))
    assert found.check == "ok"
    assert found.exact["clusters"] == 2


def test_a_chip_survives_the_way_to_sanafe_and_back(tmp_path):
    snn = read_network("gen:mlp-5-4-3")
    shipped = load_platform(platform_file("dynap_se"))
    decomposition = decompose(snn, shipped.max_rows, "tree")
    clustering = overlap.partition(decomposition, shipped, seed=0)
    binding = Binding(np.zeros(clustering.num_clusters, dtype=np.int32))
    orders = StaticOrders((tuple(range(clustering.num_clusters)), (), (), ()))
    mapping = Mapping(decomposition, clustering, binding, orders)
    (tmp_path / "arch.yaml").write_text(architecture_yaml(shipped, mapping))
    back = platform_of_file(tmp_path / "arch.yaml")
    assert np.array_equal(back.hops, shipped.hops)
    per_event = shipped.energy.synapse_pj * shipped.cells_per_synapse
    assert back.energy.spike_pj == shipped.energy.spike_pj
    assert (back.energy.synapse_pj, back.energy.route_pj) == (per_event, shipped.energy.route_pj)
    for name in ("hop_ticks", "event_ticks"):
        assert getattr(back, name) * back.tick_ns == getattr(shipped, name) * shipped.tick_ns
    sent = [float(chip.ni_tokens_per_tick / chip.tick_ns) for chip in (back, shipped)]
    assert sent[0] == pytest.approx(sent[1], rel=1e-11)  # written as a decimal


@pytest.mark.parametrize(
    ("text", "told", "found"),
    [
        (YAML.replace("architecture:", "network:"), "", "architecture"),
        (YAML.replace("topology: mesh", "topology: torus"), "", "'torus'"),
        (YAML.replace("t[0..5]", "t[0...5]"), "", "'t\\[0...5\\]'"),
        (YAML.replace("t[0..5]", "t[0..1][0..2]"), "", "tile\\[0..31\\]"),
        (YAML.replace("t[0..5]", "t[0..9]"), "", "10 tiles"),
        (YAML.replace("max_neurons_supported: 32", "max_neurons_supported: 0"), "", "1 to"),
        (YAML.replace("        latency_west_hop: 4.5e-9\n", ""), "", "no latency_west_hop"),
        (YAML.replace("16.5e-9", "-1e-9"), "", "from 0 on"),
        (YAML.replace("16.5e-9", "fast"), "", "finite"),
        (YAML.replace("16.5e-9", "16.12345678901e-3"), "", "common measure"),
        (YAML, "columns=3", "says itself"),
        (YAML, "rows=1", "2 to"),
        (YAML, "axons=1", "rows, columns"),
        (YAML.replace("name: own_chip", "name: &a x"), "", "anchor"),
        ("architecture: [\n", "", "no YAML"),
    ],
)
def test_what_is_no_sanafe_chip_is_refused(tmp_path, text, told, found):
    (tmp_path / "arch.yaml").write_text(text)
    with pytest.raises(InputError, match=found):
        platform_of_file(tmp_path / "arch.yaml", read_options({"architecture": told or None}))


def test_an_sdf3_architecture(tmp_path):
    (tmp_path / "arch.xml").write_text(XML)
    options = read_options({"architecture": "token_bits=32,base_ticks=2,slots=3"})
    chip = platform_of_file(tmp_path / "arch.xml", options)
    assert chip.hops.tolist() == [[0, 3], [5, 0]]
    assert (chip.ni_tokens_per_tick, chip.hop_ticks, chip.base_ticks) == (3, 1, 2)
    assert [tile.slots for tile in chip.tiles] == [3, 3]
    notes = " ".join(chip.sources.values())
    assert all(word in notes for word in ("memory", "arbitration", "nrConnections"))


@pytest.mark.parametrize(
    ("text", "told", "found"),
    [
        (XML, None, "token_bits"),
        (XML.replace('type="arm"/>', 'type="dsp"/>'), "token_bits=8", "arm, dsp"),
        (XML.replace('96"/></tile>\n    <conn', '9"/></tile>\n    <conn'), "token_bits=8", "9, 96"),
        (XML.replace('    <connection name="ba" srcTile="b" dstTile="a" delay="5"/>\n', ""),
         "token_bits=8", "none from 'b' to 'a'"),
        (XML.replace('srcTile="b"', 'srcTile="c"'), "token_bits=8", "tile 'c'"),
        (XML.replace('delay="3"', 'delay="x"'), "token_bits=8", "delay"),
        (XML.replace("architectureGraph", "applicationGraph"), "token_bits=8", "architectureGraph"),
        (XML.replace('name="b"', 'name="a"'), "token_bits=8", "different names"),
        ("<sdf3", "token_bits=8", "no XML"),
    ],
)  # fmt: skip
def test_what_is_no_sdf3_architecture_is_refused(tmp_path, text, told, found):
    (tmp_path / "arch.xml").write_text(text)
    with pytest.raises(InputError, match=found):
        platform_of_file(tmp_path / "arch.xml", read_options({"architecture": told}))


def test_own_files_take_no_options_of_others():
    with pytest.raises(InputError, match="says all of it itself"):
        platform_of_file(platform_file("dynap_se"), read_options({"architecture": "rows=9"}))


def test_the_page_lists_every_format_and_option():
    page = (Path(__file__).parents[2] / "docs" / "networks.md").read_text()
    for kind in PLATFORM_FORMATS:
        suffixes = ", ".join(f"`{suffix}`" for suffix in kind.suffixes)
        assert f"| `{kind.name}` | {suffixes} | {kind.help} |" in page
    for name, text in ARCHITECTURE.items():
        assert f"| `{name}` | {text} |" in page
