"""SANA-FE networks: both ways to write one, and this project's own export."""

import numpy as np
import pytest

from optmap.clustering import overlap
from optmap.decomposing.contract import decompose
from optmap.errors import InputError
from optmap.exporters.sanafe import network_yaml
from optmap.model.mapping import Binding, Mapping, StaticOrders
from optmap.model.platform_file import load_platform
from optmap.readers.read import read_network
from optmap.shipped import platform_file

YAML = """\
network:
  name: own   # of our own
  groups:
    - name: a
      attributes:
        - soma_hw_name: lif
      neurons:
        - 0..2: [threshold: 1]
    - name: b
      neurons:
        - 0: {bias: 2.5}
        - 1..2: [threshold: 2]
  edges:
    - a.0 -> b.1: [weight: 1]
    - a.1 -> b.1: {w: 2, delay: 3}
    - b.0 -> b.2: [weight: -1]
mappings:
  - a.0..2: [core: 0.0]
"""
NET = """\
g 3 threshold=1
g 3 threshold=2
n 1.0 bias=2.5
e 0.0->1.1 weight=1
e 0.1->1.1 w=2
e 1.0->1.2 weight=-1
& 0.0@0.0
"""


@pytest.mark.parametrize(("name", "text"), [("a.yaml", YAML), ("a.net", NET)])
def test_both_ways_give_one_network(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    snn = read_network(tmp_path / name)
    assert (snn.num_neurons, snn.num_synapses) == (6, 3)
    assert (snn.indices.tolist(), snn.weights.tolist()) == ([0, 1, 3], [1, 2, -1])
    assert snn.self_driven.tolist() == [3]
    assert snn.units.tolist() == [3, 4, 5]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("  name: own", "  name: own\n  about: |\n    - a.0 -> b.2: [weight: 7]\n  x: 1", None),
        ("  - a.0..2: [core: 0.0]", "  - a.0 -> b.2: [weight: 7]", None),
        ("    - a.1 -> b.1", "    # - a.0 -> b.2: [weight: 7]\n    - a.1 -> b.1", None),
        ("delay: 3}", "about: |\n      - a.0 -> b.2: [weight: 7]\n      }", "no YAML"),
        ("        - 0: {bias: 2.5}", "        - a.0 -> b.2: [weight: 7]", "'a.0 -> b.2'"),
        ("[weight: 1]", "{weight: 1,0}", "'0', expected edge a.0 -> b.1"),
        ("{bias: 2.5}", "{<<: {bias: 2.5}}", "'<<'"),
    ],
)
def test_only_items_of_the_edges_are_edges(tmp_path, before, after, found):
    assert before in YAML
    (tmp_path / "a.yaml").write_text(YAML.replace(before, after, 1))
    if found is not None:
        with pytest.raises(InputError, match=found):
            read_network(tmp_path / "a.yaml")
        return
    snn = read_network(tmp_path / "a.yaml")
    assert (snn.indices.tolist(), snn.weights.tolist()) == ([0, 1, 3], [1, 2, -1])


def test_what_is_exported_is_read_again(tmp_path):
    snn = read_network("gen:mlp-5-4-3")
    platform = load_platform(platform_file("dynap_se"))
    decomposition = decompose(snn, platform.max_rows, "tree")
    clustering = overlap.partition(decomposition, platform, seed=0)
    binding = Binding(np.zeros(clustering.num_clusters, dtype=np.int32))
    orders = StaticOrders((tuple(range(clustering.num_clusters)), (), (), ()))
    mapping = Mapping(decomposition, clustering, binding, orders)
    (tmp_path / "snn.yaml").write_text(network_yaml(mapping))
    back = read_network(tmp_path / "snn.yaml")
    assert back.indptr.tolist() == snn.indptr.tolist()
    assert back.indices.tolist() == snn.indices.tolist()


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        (
            "a.yaml",
            YAML.replace("a.0 -> b.1: [weight: 1]", "a -> b: [type: ring]"),
            "dense, sparse or conv2d",
        ),
        ("a.yaml", YAML.replace("a.0 -> b.1: [weight: 1]", "a -> b: [weight: 1]"), "type: dense"),
        ("a.yaml", YAML.replace("a.0 -> b.1: [weight: 1]", "a -> b.1: [weight: 1]"), "an edge"),
        ("a.yaml", YAML.replace("a.0 ->", "a.0..2 ->"), "an edge"),
        ("a.yaml", YAML.replace("[weight: 1]", "[weight: 1, synapse: {w: 2}]"), "second weight"),
        ("a.yaml", YAML.replace("1..2: [t", "2: [t"), "without neuron 1"),
        ("a.yaml", YAML.replace("name: own ", "name: &x own "), "anchor"),
        ("a.yaml", YAML.replace("a.1 ->", "a.7 ->"), "'a.7'"),
        ("a.yaml", YAML.replace("weight: 1]", "weight: nan]"), "finite"),
        ("a.yaml", YAML.replace("0..2: [t", "0..900000000: [t"), "900000001"),
        ("a.yaml", YAML.replace("name: b", "name: a"), "different names"),
        ("a.yaml", "network:\n  groups:\n", "no edge"),
        ("a.yaml", "architecture:\n  name: x\n", "architecture"),
        ("a.net", NET.replace("e 0.0", "x 0.0"), "lines of g, n, e or &"),
        ("a.net", NET.replace("g 3", "g many", 1), "g SIZE"),
        ("a.net", NET.replace("n 1.0", "n 1.9"), "a neuron below 3"),
    ],
)
def test_other_lines_are_refused_by_number(tmp_path, name, text, found):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=found):
        read_network(tmp_path / name)


GROUPS = """\
network:
  groups:
    - name: in
      attributes: [log_spikes: true]
      neurons:
        - 0..11
    - name: 1
      attributes: {soma_hw_name: lif,
        threshold: 2, bias: 0}
      neurons:
        - {0: {bias: 1}}
        - {1: {}}
        - 2..3: []
    - name: out
      size: 2
      neurons:
        - 0: []
  edges:
    - in -> 1:
        type: conv2d
        input_height: 3
        input_width: 2
        input_channels: 2
        filters: 2
        filter_height: 2
        filter_width: 2
        weight: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
    - 1 -> out: {type: dense, weight: [1, 2, 3, 4, 5, 6, 7, 8]}
    - in -> out:
        type: sparse
        source_target_pairs: [[0, 0], [4, 1]]
        synapse: {weight: [-1, -2]}
"""


def test_whole_groups_are_joined_as_loops_say(tmp_path):
    (tmp_path / "net.yaml").write_text(GROUPS)
    snn = read_network(tmp_path / "net.yaml")
    expected = {}
    for o in range(2):
        for y in range(2):  # a 2 x 2 filter over 3 x 2 leaves 2 x 1
            for c in range(2):
                for a in range(2):
                    for b in range(2):
                        source, target = c * 6 + (y + a) * 2 + b, 12 + o * 2 + y
                        expected[source, target] = ((a * 2 + b) * 2 + c) * 2 + o + 1
    expected |= {(12 + i, 16 + j): 2 * i + j + 1 for i in range(4) for j in range(2)}
    expected |= {(0, 16): -1, (4, 17): -2}
    found = zip(snn.indices.tolist(), snn.post_of_synapse().tolist(), strict=True)
    assert dict(zip(found, snn.weights.tolist(), strict=True)) == expected
    assert [p.name for p in snn.populations] == ["in", "1", "out"]
    assert snn.self_driven.tolist() == []  # the biased neuron is driven


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("15, 16]", "15]", "15 weights"),
        ("[4, 1]]", "[4, 2]]", "0 to 1"),
        ("filter_height: 2", "filter_height: 3", "2 x 1 x 1"),
        ("filters: 2", "filters: 2\n        kernel_count: 2", "2 of kernel_count"),
        ("7, 8]}", "7, 8, 9]}", "9 weights"),
    ],
)
def test_groups_that_do_not_fit_are_refused(tmp_path, before, after, found):
    (tmp_path / "net.yaml").write_text(GROUPS.replace(before, after))
    with pytest.raises(InputError, match=found):
        read_network(tmp_path / "net.yaml")


def test_trains_of_all_neurons_are_the_spikes(tmp_path):
    text = """\
network:
  groups:
    - {name: a, neurons: [0: {spikes: [1, 0, 1]}, 1: {spikes: [0]}]}
  edges:
    - a.0 -> a.1: {weight: 0.5}
"""
    (tmp_path / "net.yaml").write_text(text)
    assert read_network(tmp_path / "net.yaml").spikes.tolist() == [2, 0]
    (tmp_path / "net.yaml").write_text(text.replace("spikes: [0]", ""))
    snn = read_network(tmp_path / "net.yaml")
    assert (snn.spikes.tolist(), snn.spikes_origin) == ([1, 1], "assumed")
    assert "spike trains of 1 of 2 neurons" in " ".join(snn.notes)


def test_attributes_of_a_netlist_may_stand_in_brackets(tmp_path):
    """Weights and biases count however they are written; a bias makes a neuron self-driven."""
    plain = "g 2\ng 2 bias=2\nn 0.0 bias=1\ne 0.0->1.0 weight=2\ne 0.1->1.0 w=-1 delay=3\n"
    listed = (
        "g 2 {soma_hw_name: x}\ng 2 [{bias: 2}]\nn 0.0 {bias: 1, log_spikes: true}\n"
        "e 0.0->1.0 {weight: 2}\ne 0.1->1.0 [{synapse: {weight: -1}}, {delay: 3}]\n"
    )
    read = []
    for name, text in (("plain.net", plain), ("listed.net", listed)):
        (tmp_path / name).write_text(text)
        snn = read_network(str(tmp_path / name))
        read.append((snn.indices.tolist(), snn.weights.tolist(), snn.self_driven.tolist()))
    assert read == [([0, 1], [2.0, -1.0], [0, 3])] * 2
