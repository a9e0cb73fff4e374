"""Exports: another tool's file says of a mapping what the judge says."""

from __future__ import annotations

import json
import re
from collections import Counter
from fractions import Fraction
from pathlib import Path
from random import Random

import numpy as np
import pytest
from commands import run_command
from random_mappings import random_case

from optmap.command_line import guarded
from optmap.errors import DeadlockError, InputError
from optmap.exporters.sanafe import architecture_yaml, core_of_neuron, network_yaml
from optmap.exporters.sdf3 import binding_aware_sdfg
from optmap.flow import run
from optmap.judge.binding_aware_graph import lower
from optmap.judge.evaluation import evaluate
from optmap.map import main
from optmap.methods import METHODS
from optmap.model.cluster_graph import cluster_graph
from optmap.model.outcome import Limits
from optmap.model.platform import Crossbar, Energy, Interconnect, Platform, Tile
from optmap.model.snn import from_edges
from optmap.sdf.__main__ import main as sdf
from optmap.sdf.throughput import throughput
from optmap.sdf.xml import parse_sdf3, sdf3_text

ENERGY = Energy(Fraction(5), Fraction(3), Fraction(7), Fraction(0))


def mesh(columns: int = 4, kind: str = "mesh", slots: int | None = None) -> Platform:
    tile = Tile(Crossbar(40, columns), slots=slots)
    net = Interconnect(kind, 3, 2)
    return Platform("six tiles", (tile,) * 6, net, hop_ticks=2, base_ticks=3, energy=ENERGY)


def recurrent(seed: int = 0):
    """Return 20 neurons that read each other and four silent inputs."""
    rng = np.random.default_rng(seed)
    post, pre = np.nonzero(rng.random((24, 24)) < 0.3)
    keep = post >= 4
    spikes = rng.integers(0, 9, 24)
    spikes[:4] = 0
    return from_edges(pre[keep], post[keep], 24, spikes=spikes, spikes_origin="drawn\nby lot")


def mapped(method: str = "random", platform: Platform | None = None):
    platform = platform or mesh()
    found = run(METHODS[method], recurrent(), platform, "dataflow", Limits(5.0), lambda _: None)
    assert found.mapping is not None
    return platform, found.mapping


# --- SDF3 ---


@pytest.mark.parametrize("seed", range(40))
def test_the_exported_graph_runs_at_the_mapping_s_period(seed: int):
    case = random_case(Random(seed), prologue=seed % 2 == 1)
    try:
        period = evaluate(case.platform, case.mapping, case.tokens).period
    except DeadlockError:
        assert seed % 2 == 1, "only drawn prologues deadlock"
        return
    graph = binding_aware_sdfg(case.platform, case.mapping, case.tokens)
    again, notes = parse_sdf3(sdf3_text(graph).encode(), "mapping.xml")
    assert notes == []
    assert throughput(again).period == period


def test_actors_and_channels_are_named_after_what_they_are():
    platform, mapping = mapped()
    graph = binding_aware_sdfg(platform, mapping, "dataflow", "net")
    clusters = cluster_graph(mapping.decomposition, mapping.clustering, platform, "dataflow")
    bound = lower(clusters, platform, mapping.binding, mapping.orders)
    names = Counter(name.partition("_")[0] for name in graph.actor_names if "+" not in name)
    assert names == {"cluster": clusters.num_clusters, "send": bound.num_sends}
    reasons = {name.split("_cluster")[0].split("_send_")[0] for name in graph.channel_names}
    assert {"self", "data", "buffer"} <= reasons
    assert graph.name == "net"


# --- SANA-FE ---


def parsed(mapping):
    """Read the network back with regular expressions: edges, trains, cores."""
    text = network_yaml(mapping, "net")
    edges = re.findall(r"^    - n\.(\d+) -> n\.(\d+): \{weight: 0\.0\}$", text, re.M)
    trains = re.findall(r"^        - (\d+): \{spikes: (\[[01,]*\])\}$", text, re.M)
    cores = re.findall(r'^  - n\.(\d+): \{core: (\d+)\.0, soma: "(\w+)\[(\d+)\]"\}$', text, re.M)
    assert len(text.splitlines()) == 7 + len(edges) + len(trains) + 1 + len(cores) + 1
    return edges, trains, cores


def test_the_network_has_every_synapse_spike_and_place():
    _, mapping = mapped()
    network = mapping.decomposition.network
    edges, trains, cores = parsed(mapping)
    post = network.post_of_synapse().tolist()
    assert [(int(a), int(b)) for a, b in edges] == list(
        zip(network.indices.tolist(), post, strict=True)
    )
    assert [sum(json.loads(train)) for _, train in trains] == network.spikes.tolist()
    assert {len(json.loads(train)) for _, train in trains} == {int(network.spikes.max())}
    tile = core_of_neuron(mapping)
    assert [int(t) for _, t, _, _ in cores] == tile.tolist()
    used = [(t, kind, n) for _, t, kind, n in cores]
    assert len(set(used)) == len(used), "a soma replays one neuron"
    for unit, cluster in zip(network.units, mapping.clustering.cluster_of, strict=True):
        assert tile[unit] == mapping.binding.tile_of[cluster]


def test_inputs_stand_with_their_first_reader():
    _, mapping = mapped()
    network, tile = mapping.decomposition.network, core_of_neuron(mapping)
    for neuron in np.flatnonzero(network.fan_in == 0):
        readers = [j for j in network.units if neuron in network.sources_of(j)]
        assert tile[neuron] == (tile[readers[0]] if readers else 0)


def test_the_chip_has_a_soma_for_every_neuron_and_costs_of_the_platform():
    platform, mapping = mapped()
    text = architecture_yaml(platform, mapping)
    assert text.count("- name: tile_") == text.count("- name: core_") == 6
    assert "width: 2\n    height: 3" in text, "tiles are numbered column by column there"
    capacity = [int(n) for n in re.findall(r"max_neurons_supported: (\d+)", text)]
    held = np.bincount(core_of_neuron(mapping), minlength=6)
    assert capacity == np.maximum(held, 1).tolist()
    assert set(re.findall(r"energy_east_hop: (\S+)", text)) == {"7.0e-12"}
    assert set(re.findall(r"energy_process_spike: (\S+)", text)) == {"3.0e-12"}
    assert not re.search(r": \d+e", text), "1e-12 is a string to some readers"


@pytest.mark.parametrize(("kind", "word"), [("torus", "a torus"), ("matrix", "a hop matrix")])
def test_other_interconnects_are_laid_out_with_a_note(kind: str, word: str):
    platform = mesh(kind="torus")
    if kind == "matrix":
        hops = tuple(tuple(int(a != b) for b in range(6)) for a in range(6))
        platform = Platform("six", platform.tiles, Interconnect("matrix", matrix=hops))
    text = architecture_yaml(*mapped(platform=platform))
    assert f"# {word}" in text
    assert text.count("- name: tile_") >= 6


def test_networks_beyond_text_are_refused():
    snn = recurrent()
    many = snn.with_spikes(np.full(24, 10**8), "many")
    found = run(METHODS["random"], many, mesh(), "dataflow", Limits(5.0), lambda _: None)
    with pytest.raises(InputError, match="SANA-FE"):
        network_yaml(found.mapping)


def test_yaml_reads_back():
    yaml = pytest.importorskip("yaml")
    platform, mapping = mapped()
    chip = yaml.safe_load(architecture_yaml(platform, mapping))["architecture"]
    assert [t["core"][0]["name"] for t in chip["tile"]] == [f"core_{t}" for t in range(6)]
    net = yaml.safe_load(network_yaml(mapping))
    assert len(net["network"]["edges"]) == mapping.decomposition.network.num_synapses
    assert len(net["mappings"]) == mapping.decomposition.network.num_neurons


def test_sanafe_finds_the_same_energies(tmp_path):
    """A second simulator, where SANA-FE is installed: it plays the spikes and counts for itself."""
    sanafe = pytest.importorskip("sanafe")
    platform, mapping = mapped(platform=mesh(slots=1))  # tiles are not shared
    assert len(set(mapping.binding.tile_of.tolist())) == mapping.clustering.num_clusters
    (tmp_path / "arch.yaml").write_text(architecture_yaml(platform, mapping))
    (tmp_path / "snn.yaml").write_text(network_yaml(mapping))
    arch = sanafe.load_arch(str(tmp_path / "arch.yaml"))
    chip = sanafe.SpikingChip(arch)
    chip.load(sanafe.load_net(str(tmp_path / "snn.yaml"), arch))
    found = chip.sim(int(mapping.decomposition.network.spikes.max()))["energy"]
    ours = evaluate(platform, mapping, "dataflow").energy
    assert found["soma"] * 1e12 == pytest.approx(float(ours.spike_pj))
    assert found["synapse"] * 1e12 == pytest.approx(float(ours.synapse_pj))
    assert found["network"] * 1e12 == pytest.approx(float(ours.route_pj))


# --- the command ---


def test_map_writes_both(tmp_path, capfd):
    xml, folder, out = tmp_path / "m.xml", tmp_path / "deep" / "sana", tmp_path / "m.json"
    arguments = ["instances/filter_8.toml", "--method", "overlap", "--json", "--out", str(out)]
    arguments += ["--export-sdf3", str(xml), "--export-sanafe", str(folder)]
    assert guarded(main, arguments) == 0
    found = json.loads(capfd.readouterr().out)
    graph, _ = parse_sdf3(xml.read_bytes(), str(xml))
    assert throughput(graph).period == Fraction(found["period"])
    assert sorted(p.name for p in folder.iterdir()) == ["arch.yaml", "snn.yaml"]
    done = run_command(sdf, xml)
    assert f"period        {found['period']} " in done.stdout


def test_a_folder_that_cannot_be_is_one_line(tmp_path: Path, capfd):
    (tmp_path / "file").write_text("")
    arguments = ["instances/filter_8.toml", "--method", "random"]
    for option, path in (("--export-sanafe", "file"), ("--export-sdf3", "gone/m.xml")):
        assert guarded(main, [*arguments, option, str(tmp_path / path)]) == 2
        (line,) = capfd.readouterr().err.splitlines()
        assert path in line
