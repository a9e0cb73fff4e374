"""HDF5 recordings as the spike profile of one iteration: NIRData, and SONATA spikes.

One sample of the recording is one iteration. Several samples are averaged and rounded up, so that a
neuron that fired in any of them is not called silent.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from optmap.errors import InputError
from optmap.model.snn import SNN, IntArray
from optmap.readers.hdf5 import Group, one_text, read_tree
from optmap.readers.text import natural_order

EXPECTED = "a NIRData recording with spikes, or SONATA spikes"


def read_nir_data(path: Path, snn: SNN) -> tuple[IntArray, str]:
    """Return the spikes in an HDF5 file, NIRData or SONATA, and where they come from.

    Raises
    ------
    InputError
        If it is neither, or speaks of other neurons.
    """
    root = read_tree(path, EXPECTED)
    if "spikes" in root.groups and one_text(root.attributes.get("__type__")) is None:
        return _sonata(str(path), root.groups["spikes"], snn), f"{path.name} (SONATA events)"
    return _nir_data(path, root, snn)


def _sonata(file: str, spoken: Group, snn: SNN) -> IntArray:
    """Count the events of a SONATA file, one population or those that the network names."""
    spikes = np.zeros(snn.num_neurons, dtype=np.int64)
    found = {**spoken.groups, **({"": spoken} if "node_ids" in spoken.values else {})}
    runs = {p.name: (p.first, p.last - p.first + 1) for p in snn.populations}
    if not found:
        raise InputError(file, "spikes", "no population", "spikes/POPULATION/node_ids")
    for name, group in found.items():
        where = f"spikes/{name}" if name else "spikes"
        ids, times = group.values.get("node_ids"), group.values.get("timestamps")
        if ids is None or ids.dtype.kind not in "iu" or ids.ndim != 1:
            raise InputError(file, where, "no node_ids", "whole numbers, one an event")
        if times is None or times.shape != ids.shape:
            raise InputError(file, where, "no timestamps", "one an event")
        if name and name not in runs and max(len(found), len(runs)) > 1:
            known = ", ".join(runs)
            raise InputError(file, where, "no such population in the network", f"one of {known}")
        first, size = runs.get(name, (0, snn.num_neurons))
        if ids.size and not 0 <= ids.min() <= ids.max() < size:
            worst = ids.min() if ids.min() < 0 else ids.max()
            raise InputError(file, where, f"neuron {worst}", f"neurons 0..{size - 1}")
        spikes[first : first + size] += np.bincount(ids.astype(np.int64), minlength=size)
    return spikes


def _nir_data(path: Path, root: Group, snn: SNN) -> tuple[IntArray, str]:
    """Return the spikes of every neuron of ``snn`` and a sentence on where they come from.

    Nodes of the recording are matched with populations by name. Populations without a recording
    count one spike a neuron, and the origin names them.

    Raises
    ------
    InputError
        If the file is no recording, or records a node the network does not have or of another size.
    """
    if one_text(root.attributes.get("__type__")) != "NIRGraphData":
        raise InputError(str(path), "", "an HDF5 file of another type", EXPECTED)
    nodes: dict[str, Group] = {}
    _collect(str(path), root, "", nodes)
    sizes = {p.name: p.last - p.first + 1 for p in snn.populations}
    spikes = np.ones(snn.num_neurons, dtype=np.int64)
    samples = set()
    recorded = set()
    for name in natural_order(nodes):
        spoken = nodes[name].groups.get("observables", Group()).groups.get("spikes")
        if spoken is None:
            continue
        if name not in sizes:
            known = ", ".join(sizes)
            raise InputError(str(path), f"node {name}", "no such population", f"one of {known}")
        total, count = _totals(str(path), name, spoken, sizes[name])
        population = next(p for p in snn.populations if p.name == name)
        spikes[population.first : population.last + 1] = -(-total // count)
        samples.add(count)
        recorded.add(name)
    if not recorded:
        raise InputError(str(path), "", "no observable named spikes", EXPECTED)
    missing = [name for name in sizes if name not in recorded]
    origin = f"{path.name}, mean of {_text(samples)} samples"
    return spikes, origin + (f"; assumed for {', '.join(missing)}" if missing else "")


def _text(samples: set[int]) -> str:
    return " or ".join(map(str, sorted(samples)))


def _collect(file: str, graph: Group, prefix: str, nodes: dict[str, Group]) -> None:
    for name, group in graph.groups.get("nodes", Group()).groups.items():
        kind = one_text(group.attributes.get("__type__"))
        if kind == "NIRGraphData":
            _collect(file, group, f"{prefix}{name}/", nodes)
        elif kind == "NIRNodeData":
            nodes[prefix + name] = group
        else:
            raise InputError(file, f"node {prefix + name}", f"type {kind!r}", "NIRNodeData")


def _totals(file: str, name: str, spoken: Group, size: int) -> tuple[IntArray, int]:
    """Return the spikes of each neuron over all samples, and the number of samples."""
    where = f"node {name}: spikes"
    if "data" in spoken.values:
        data = spoken.values["data"]
        if data.ndim != 3 or data.shape[2] != size or not data.shape[0]:
            found = f"data of shape {data.shape}"
            raise InputError(file, where, found, f"samples x steps x {size} neurons")
        counts = data.astype(np.float64)
        if (counts < 0).any() or (counts != np.floor(counts)).any():
            raise InputError(file, where, "values that are no counts", "whole numbers >= 0")
        return counts.sum(axis=(0, 1)).astype(np.int64), data.shape[0]
    if "idx" not in spoken.values:
        raise InputError(file, where, "neither data nor idx", "TimeGriddedData or EventData")
    index = spoken.values["idx"]
    declared = spoken.attributes.get("n_neurons")
    if declared is not None and declared.size == 1 and int(declared.item()) != size:
        raise InputError(file, where, f"{int(declared.item())} neurons", f"{size} neurons")
    if index.ndim != 2 or index.dtype.kind not in "iu" or not index.shape[0]:
        found = f"idx of shape {index.shape}, {index.dtype}"
        raise InputError(file, where, found, "samples x events of whole numbers")
    events = index[index != -1].astype(np.int64)  # -1 fills the rows of samples with fewer events
    if events.size and not 0 <= events.min() <= events.max() < size:
        worst = int(events.max() if events.max() >= size else events.min())
        raise InputError(file, where, f"neuron {worst}", f"neurons 0..{size - 1}")
    return np.bincount(events, minlength=size).astype(np.int64), index.shape[0]
