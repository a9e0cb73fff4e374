"""Networks from scipy and networkx objects."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import scipy.sparse

from optmap.model.snn import from_edges
from optmap.readers.in_memory import from_networkx, from_scipy


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "lil", "dok", "bsr"])
def test_a_row_reads_its_columns(kind: str):
    matrix = np.array([[0, 0, 0], [2.0, 0, 0], [1.0, 3.0, 0.5]])
    snn = from_scipy(scipy.sparse.coo_array(matrix).asformat(kind), spikes=[4, 5, 6])
    assert snn == from_edges([0, 0, 1, 2], [1, 2, 2, 2], 3, spikes=[4, 5, 6])
    assert sorted(snn.weights.tolist()) == [0.5, 1, 2, 3]
    assert snn.spikes_origin == "given"


def test_matrix_and_array_classes_alike():
    matrix = scipy.sparse.csr_matrix([[0, 1], [1, 0]])
    assert from_scipy(matrix) == from_scipy(scipy.sparse.csr_array(matrix))


def test_stored_zeros_and_duplicates():
    parts = ([1.0, 2.0, 0.0], ([0, 0, 1], [1, 1, 0]))
    snn = from_scipy(scipy.sparse.coo_array(parts, shape=(2, 2)))
    assert (snn.num_synapses, snn.weights.tolist()) == (1, [3.0])
    kept = from_scipy(scipy.sparse.coo_array(parts, shape=(2, 2)), keep_zero_weights=True)
    assert kept.num_synapses == 2


@pytest.mark.parametrize(
    "matrix",
    [
        np.eye(2),
        scipy.sparse.csr_array((2, 3)),
        scipy.sparse.csr_array([[np.nan]]),
        scipy.sparse.csr_array([[1j]]),
        scipy.sparse.coo_array(np.ones(3)),
    ],
)
def test_other_matrices_are_refused(matrix):
    with pytest.raises(ValueError, match=r"sparse|square|finite"):
        from_scipy(matrix)


def test_a_directed_graph_as_it_is():
    graph = nx.MultiDiGraph()
    graph.add_nodes_from([("b", {"spikes": 3}), ("a", {"spikes": 0}), ("c", {"spikes": 2})])
    graph.add_edge("b", "a", weight=0.5)
    graph.add_edge("b", "a", weight=0.25)
    graph.add_edge("a", "a", weight=1.0)
    snn, neuron = from_networkx(graph)
    assert neuron == {"b": 0, "a": 1, "c": 2}
    assert snn == from_edges([0, 1], [1, 1], 3, spikes=[3, 0, 2])
    assert snn.weights.tolist() == [0.75, 1.0]
    assert "spikes" in snn.spikes_origin


def test_undirected_edges_count_both_ways_loops_once():
    graph = nx.karate_club_graph()
    graph.add_edge(0, 0, weight=2)
    snn, _ = from_networkx(graph)
    assert snn.num_synapses == 2 * 78 + 1
    assert snn.spikes_origin == "assumed"
    dense = nx.to_numpy_array(graph)
    assert snn.weights.sum() == pytest.approx(dense.sum())
    bare, _ = from_networkx(graph, weight=None)
    assert bare.weights is None


def test_half_given_attributes_are_refused():
    graph = nx.DiGraph([(0, 1), (1, 2)])
    graph.edges[0, 1]["weight"] = 1.0
    with pytest.raises(ValueError, match="1 of 2 edges"):
        from_networkx(graph)
    graph.nodes[0]["spikes"] = 1
    with pytest.raises(ValueError, match="1 of 3 nodes"):
        from_networkx(graph, weight=None)
    nx.set_node_attributes(graph, "many", "spikes")
    with pytest.raises(ValueError, match="no number"):
        from_networkx(graph, weight=None)
    nx.set_node_attributes(graph, -1, "spikes")
    with pytest.raises(ValueError, match="-1 spikes"):
        from_networkx(graph, weight=None)


def test_an_empty_graph_is_an_empty_network():
    snn, neuron = from_networkx(nx.Graph())
    assert (snn.num_neurons, neuron) == (0, {})
