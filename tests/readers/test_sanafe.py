"""SANA-FE networks: both ways to write one, and this project's own export."""

import numpy as np
import pytest

from optmap.clustering import overlap
from optmap.decomposing.contract import decompose
from optmap.errors import InputError
from optmap.exporters.sanafe import network_yaml
from optmap.model.mapping import Binding, Mapping, StaticOrders
from optmap.model.platform import load_platform
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
        ("a.yaml", YAML.replace("a.0 -> b.1: [weight: 1]", "a -> b: [type: dense]"), "an edge"),
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
