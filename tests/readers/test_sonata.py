"""SONATA files, written here as the specification says: right values or one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from optmap.errors import InputError
from optmap.readers.read import read_network

#: Name -> (source population, target population, sources, targets, datasets of its groups).
Populations = dict[str, tuple[str, str, list[int], list[int], dict[str, dict[str, Any]]]]
A_TO_B = ("a", "b", [0, 1, 2], [0, 0, 1])


def written(
    path: Path,
    populations: Populations,
    nodes: dict[str, int] | None = None,
    places: tuple[list[int], list[int]] | None = None,
) -> Path:
    """Write edges; ``places``: edge_group_id and edge_group_index of each."""
    with h5py.File(path, "w") as file:
        file.attrs["version"] = [0, 1]
        for name, (source, target, pre, post, groups) in populations.items():
            group = file.create_group(f"edges/{name}")
            for end, called, ids in (("source", source, pre), ("target", target, post)):
                data = group.create_dataset(f"{end}_node_id", data=np.array(ids, dtype=np.uint64))
                if called:
                    data.attrs["node_population"] = called
            group["edge_type_id"] = np.full(len(pre), 100)
            if places is not None:
                group["edge_group_id"], group["edge_group_index"] = places
            for number, values in groups.items():
                for field, listed in values.items():
                    group[f"{number}/{field}"] = listed
            group.create_group("indices/source_to_target")
        for name, size in (nodes or {}).items():
            file[f"nodes/{name}/node_type_id"] = np.zeros(size, dtype=np.int64)
    return path


def synapses(path: Path) -> dict[tuple[int, int], float | None]:
    snn = read_network(str(path))
    weights = [None] * snn.num_synapses if snn.weights is None else snn.weights.tolist()
    pairs = zip(snn.indices.tolist(), snn.post_of_synapse().tolist(), strict=True)
    return dict(zip(pairs, weights, strict=True))


@pytest.mark.parametrize(
    ("groups", "places", "weights"),
    [
        ({}, None, [None, None, None]),
        ({"0": {"syn_weight": [0.5, 1.5, 2.5], "delay": [1, 1, 1]}}, None, [0.5, 1.5, 2.5]),
        ({"0": {"syn_weight": [2.5, 0.5, 1.5]}}, ([0, 0, 0], [1, 2, 0]), [0.5, 1.5, 2.5]),
        (
            {"0": {"syn_weight": [9.0]}, "1": {"syn_weight": [7.0, 8.0]}},
            ([1, 0, 1], [1, 0, 0]),
            [8, 9, 7],
        ),
        ({"0": {"nsyns": [3, 4, 5]}}, ([0, 0, 0], [0, 1, 2]), [3, 4, 5]),
        ({"0": {"syn_weight": [9.0]}, "1": {"nsyns": [7, 8]}}, ([1, 0, 1], [1, 0, 0]), [None] * 3),
    ],
)
def test_groups_lead_to_weights(tmp_path, groups, places, weights):
    path = written(tmp_path / "e.h5", {"a_to_b": (*A_TO_B, groups)}, places=places)
    assert synapses(path) == dict(zip([(0, 3), (1, 3), (2, 4)], weights, strict=True))


def test_populations_are_told_apart_and_keep_their_sizes(tmp_path):
    """Neuron 0 of b is not neuron 0 of a; a has six neurons, of which one drives."""
    edges: Populations = {
        "b_to_b": ("b", "b", [0, 1], [1, 0], {}),
        "a_to_b": ("a", "b", [4], [1], {}),
    }
    path = written(tmp_path / "e.hdf5", edges, {"a": 6, "b": 2})
    assert set(synapses(path)) == {(6, 7), (7, 6), (4, 7)}
    snn = read_network(str(path))
    assert [(p.name, p.first, p.last) for p in snn.populations] == [("a", 0, 5), ("b", 6, 7)]


@pytest.mark.parametrize(
    ("edges", "nodes", "places", "found"),
    [
        ({"x": ("", "", [0], [1], {})}, None, None, "no attribute node_population"),
        ({"x": (*A_TO_B, {})}, {"a": 3, "b": 1}, None, "node 1 of 'b'"),
        ({"x": ("a", "b", [0, 1], [1], {})}, None, None, "2 sources, 1 targets"),
        ({"x": (*A_TO_B, {"0": {"syn_weight": [1.0]}})}, None, ([0] * 3, [0, 0, 7]), "index 7"),
        ({"x": ("a", "a", [], [], {})}, None, None, "without synapses"),
        ({"x": ("a", "a", [2**40], [0], {})}, None, None, f"node {2**40}"),
    ],
)
def test_what_is_not_certain_is_one_line(tmp_path, edges, nodes, places, found):
    with pytest.raises(InputError) as error:
        read_network(str(written(tmp_path / "e.h5", edges, nodes, places)))
    assert found in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("spikes", "counts"),
    [
        ({"a": ([0, 2], [1.0, 2.0]), "b": ([1, 1, 0], [1.0, 2.0, 3.0])}, [1, 0, 1, 1, 2]),
        ({"b": ([0, 0, 1], [9.0, 1.0, 2.0])}, [0, 0, 0, 2, 1]),
        ({"c": ([0], [1.0])}, None),
        ({"a": ([3], [1.0])}, None),
    ],
)
def test_spikes_find_their_populations(tmp_path, spikes, counts):
    path = written(tmp_path / "e.h5", {"a_to_b": (*A_TO_B, {})})
    with h5py.File(tmp_path / "s.h5", "w") as file:
        for name, (ids, times) in spikes.items():
            file[f"spikes/{name}/node_ids"] = np.array(ids, dtype=np.uint64)
            file[f"spikes/{name}/timestamps"] = times
    if counts is None:
        with pytest.raises(InputError, match="spikes"):
            read_network(str(path), spikes=tmp_path / "s.h5")
        return
    assert read_network(str(path), spikes=tmp_path / "s.h5").spikes.tolist() == counts


def test_nodes_that_are_not_numbered_from_zero_are_refused(tmp_path: Path):
    path = written(tmp_path / "n.h5", {"x": (*A_TO_B[:2], [0, 1], [0, 1], {})}, {"a": 3, "b": 3})
    with h5py.File(path, "a") as file:
        file["nodes/a/node_id"] = [10, 11, 12]
    with pytest.raises(InputError, match=r"ids 10\.\.12 of 3 nodes"):
        read_network(path)


@pytest.mark.parametrize(("values", "works"), [([0, 0, 0], True), ([0, 1, 0], False)])
def test_gap_junctions_in_a_dataset_are_refused(tmp_path: Path, values, works):
    groups = {"0": {"gap_junction": values}}
    path = written(tmp_path / "n.h5", {"x": (*A_TO_B, groups)})
    if works:
        assert read_network(path).num_synapses == 3
        return
    with pytest.raises(InputError, match="edges of gap_junction '1'"):
        read_network(path)
