"""The hypergraph format byte by byte, against a writer of the test's own."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optmap.errors import InputError
from optmap.model.snn import from_edges
from optmap.readers.read import read_network
from optmap.readers.snn_hypergraph import read_hypergraph, write_hypergraph


def packed(nodes: int, edges: list[tuple[int, list[int], float]]) -> bytes:
    """Write the format as its description says, value by value."""
    data = struct.pack("<II", nodes, len(edges))
    for source, targets, frequency in edges:
        data += struct.pack("<II", len(targets), source)
        for target in targets:
            data += struct.pack("<I", target)
        data += struct.pack("<f", frequency)
    return data


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "net.snn"


def test_edges_become_synapses_and_frequencies_spikes(file):
    file.write_bytes(packed(5, [(0, [2, 3], 1.5), (1, [3, 3], 0.0), (3, [3, 4], 7.0)]))
    snn = read_network(file)
    pairs = list(zip(snn.indices.tolist(), snn.post_of_synapse().tolist(), strict=True))
    assert sorted(pairs) == [(0, 2), (0, 3), (1, 3), (3, 3), (3, 4)]
    assert snn.spikes.tolist() == [3, 0, 1, 14, 1], "twice; nodes without an edge count 1"
    assert "2 nodes without an edge" in snn.spikes_origin


def test_a_node_may_have_several_edges_of_one_frequency(file):
    file.write_bytes(packed(3, [(0, [1], 2.0), (0, [2], 2.0), (1, [], 4.0)]))
    snn = read_hypergraph(file)
    assert (snn.num_synapses, snn.spikes.tolist()) == (2, [2, 4, 1])


@given(st.integers(0, 10_000))
def test_written_and_read_again(tmp_path_factory, seed: int):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 12))
    pairs = rng.integers(0, n, (int(rng.integers(1, 30)), 2))
    snn = from_edges(pairs[:, 0], pairs[:, 1], n, spikes=rng.integers(0, 50, n))
    path = tmp_path_factory.mktemp("snn") / "net.snn"
    write_hypergraph(path, snn)
    back = read_hypergraph(path)
    assert np.array_equal(back.indptr, snn.indptr)
    assert np.array_equal(back.indices, snn.indices)
    read = snn.fan_out > 0
    assert np.array_equal(back.spikes[read], snn.spikes[read])
    assert set(back.spikes[~read].tolist()) <= {1}
    edges = [
        (i, sorted(snn.post_of_synapse()[snn.indices == i].tolist()), float(snn.spikes[i]))
        for i in np.flatnonzero(read).tolist()
    ]
    assert path.read_bytes() == packed(n, edges)


GOOD = packed(4, [(0, [1, 2], 1.0), (1, [3], 2.0)])


@pytest.mark.parametrize("stop", range(len(GOOD)))
def test_every_truncation_is_refused(file, stop: int):
    file.write_bytes(GOOD[:stop])
    with pytest.raises(InputError, match=r"net\.snn"):
        read_network(file)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (packed(3, [(3, [0], 1.0)]), "source 3"),
        (packed(3, [(0, [9], 1.0)]), "target 9"),
        (packed(3, [(0, [1], -1.0)]), "frequency -1"),
        (packed(3, [(0, [1], float("inf"))]), "frequency inf"),
        (packed(3, [(0, [1], float("nan"))]), "frequency nan"),
        (packed(3, [(0, [1], 1e30)]), "frequency"),
        (packed(3, [(0, [1], 1.0), (0, [2], 2.0)]), "1 and 2 spikes of node 0"),
        (packed(3, [(0, [1], 1.0)]) + b"more", "4 bytes after the last edge"),
        (packed(2**31, [(0, [1], 1.0)]), "nodes: found 2147483648"),
        (packed(0, []), "0 neurons without synapses"),
        (packed(3, [(0, [], 1.0)]), "without synapses"),
        (struct.pack("<II", 2, 10**9) + bytes(40), "edges: found 1000000000"),
    ],
)
def test_contradictions_are_named(file, data: bytes, found: str):
    file.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_network(file)
    assert found in str(caught.value)


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_hypergraph(tmp_path / "gone.snn")


@pytest.mark.parametrize(
    ("rates", "spikes"),
    [
        ([1 / 3, 2 / 3, 1.0], [1, 2, 3]),
        ([7 / 300, 1 / 300, 11 / 300], [7, 1, 11]),
        ([1 / 3, 1 / 2, 1 / 7], [14, 21, 6]),
        ([1 / 64, 3 / 64, 1.0], [1, 3, 64]),
        ([0.02, 0.9, 0.001], [20, 900, 1]),
    ],
)
def test_counts_over_any_window_are_exact(file, rates, spikes):
    file.write_bytes(packed(3, [(k, [(k + 1) % 3], rate) for k, rate in enumerate(rates)]))
    snn = read_network(file)
    assert snn.spikes.tolist() == spikes
    assert "rounded" not in snn.spikes_origin
