"""SONATA networks: the edges of an HDF5 file, population by population.

Every edge population lists ``source_node_id`` and ``target_node_id``, whose attribute
``node_population`` names the neurons meant: neuron 0 of one population is not neuron 0 of another.
What edges have beside that stands in groups ``0``, ``1``, ..., to which ``edge_group_id`` and
``edge_group_index`` lead; ``syn_weight`` is the weight, or else ``nsyns`` a count. Sizes are those
of ``/nodes`` where the file has it, else the largest number named. Form: the specification of Dai
et al., "The SONATA data format", PLoS Computational Biology 16, 2020.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from optmap.errors import InputError
from optmap.model.snn import SNN, IntArray, Population, from_edges
from optmap.readers.columns import direction_columns
from optmap.readers.file_limits import refuse_wide_numbers
from optmap.readers.hdf5 import Group, Value, one_text
from optmap.readers.synapse_kinds import direction
from optmap.readers.text import natural_order

_WEIGHTS = ("syn_weight", "weight")
_COUNTS = ("nsyns", "n_syns")
_MAX_NODE = 2**31


@dataclass(frozen=True)
class _Edges:
    """One edge population: its ends, and weights where every edge has one.

    ``partly``: some edges have one, others not.
    """

    source: str
    target: str
    pre: IntArray
    post: IntArray
    weights: npt.NDArray[np.float64] | None
    is_count: bool
    partly: bool


def is_sonata(root: Group) -> bool:
    """Tell whether an HDF5 file holds SONATA edges."""
    return "edges" in root.groups and "node" not in root.groups


def read_sonata(file: str, root: Group, *, keep_zero_weights: bool = False) -> SNN:
    """Return the network of a SONATA file; every neuron counts one assumed spike.

    Raises
    ------
    InputError
        If a population lacks its ends or the names of their populations, naming it.
    """
    populations = root.groups.get("edges", Group()).groups
    read = [_population(file, name, populations[name]) for name in natural_order(populations)]
    if not read:
        raise InputError(file, "edges", "no edge population", "edges/POPULATION/source_node_id")
    first, sizes = _sizes(file, root, read)
    pre = np.concatenate([edges.pre + first[edges.source] for edges in read])
    post = np.concatenate([edges.post + first[edges.target] for edges in read])
    weights, notes = _weights(read)
    return from_edges(
        pre, post, sum(sizes.values()), weights=weights, keep_zero_weights=keep_zero_weights,
        populations=[
            Population(name, first[name], first[name] + size - 1)
            for name, size in sizes.items() if size
        ],
        notes=notes,
    )  # fmt: skip


def _population(file: str, name: str, group: Group) -> _Edges:
    where = f"edges/{name}"
    ends: list[IntArray] = []
    called: list[str] = []
    for side in ("source_node_id", "target_node_id"):
        ids = group.values.get(side)
        if ids is None or ids.ndim != 1 or ids.dtype.kind not in "iu":
            raise InputError(file, where, f"no {side}", "whole numbers, one an edge")
        if ids.size and not 0 <= int(ids.min()) <= int(ids.max()) < _MAX_NODE:
            worst = int(ids.min()) if int(ids.min()) < 0 else int(ids.max())
            raise InputError(file, f"{where}/{side}", f"node {worst}", "nodes from 0 to 2^31 - 1")
        population = one_text(group.value_attributes.get(side, {}).get("node_population"))
        if not population:
            found, expected = "no attribute node_population", "the name of the nodes' population"
            raise InputError(file, f"{where}/{side}", found, expected)
        ends.append(ids.astype(np.int64))
        called.append(population)
    if len(ends[0]) != len(ends[1]):
        found = f"{len(ends[0])} sources, {len(ends[1])} targets"
        raise InputError(file, where, found, "one of each an edge")
    _refuse_both_ways(file, where, group)
    given, is_count = _attribute(file, where, group, _WEIGHTS, len(ends[0])), False
    if given is None:
        given, is_count = _attribute(file, where, group, _COUNTS, len(ends[0])), True
    some = any({*_WEIGHTS, *_COUNTS} & set(inside.values) for inside in group.groups.values())
    counted, partly = is_count and given is not None, some and given is None
    return _Edges(called[0], called[1], ends[0], ends[1], given, counted, partly)


def _refuse_both_ways(file: str, where: str, group: Group) -> None:
    """Refuse edges that a dataset of their groups says to count both ways."""
    for number, inside in group.groups.items():
        names = list(inside.values)
        for column in direction_columns(names):
            name = names[column.place]
            for value in np.unique(inside.values[name]).tolist():
                if direction(str(value), column.yes) != 1:
                    found = f"edges of {name} {str(value)[:40]!r}"
                    raise InputError(
                        file, f"{where}/{number}/{name}", found, "both directions listed"
                    )


def _attribute(
    file: str, where: str, group: Group, names: Sequence[str], count: int
) -> npt.NDArray[np.float64] | None:
    """Return what the groups say of every edge under one of these names; None unless of all."""
    number, index = group.values.get("edge_group_id"), group.values.get("edge_group_index")
    if number is None or index is None:
        number, index = np.zeros(count, dtype=np.int64), np.arange(count)
    if number.shape != (count,) or index.shape != (count,):
        found = f"edge_group_id {number.shape}, edge_group_index {index.shape}"
        raise InputError(file, where, found, f"one of each of {count} edges")
    given = np.zeros(count)
    for one in np.unique(number).tolist():
        inside = group.groups.get(str(one), Group()).values
        values = next((inside[name] for name in names if name in inside), None)
        chosen = number == one
        if values is None or values.ndim != 1 or values.dtype.kind not in "biuf":
            return None
        _refuse_places(file, f"{where}/{one}", index[chosen], values)
        given[chosen] = values[index[chosen].astype(np.int64)]
    if not np.isfinite(given).all():
        raise InputError(file, where, f"{names[0]} that is not finite", "finite numbers")
    return given


def _refuse_places(file: str, where: str, index: Value, values: Value) -> None:
    """Refuse an index outside the group that it leads to."""
    if index.size and not 0 <= int(index.min()) <= int(index.max()) < len(values):
        found = f"edge_group_index {int(index.max())}"
        raise InputError(file, where, found, f"indices 0..{len(values) - 1}")


def _sizes(file: str, root: Group, read: Sequence[_Edges]) -> tuple[dict[str, int], dict[str, int]]:
    """Return the first neuron and the size of every population, in natural order of names."""
    largest: dict[str, int] = {}
    for edges in read:
        for name, ids in ((edges.source, edges.pre), (edges.target, edges.post)):
            largest[name] = max(largest.get(name, 0), int(ids.max(initial=-1)) + 1)
    nodes = root.groups.get("nodes", Group()).groups
    sizes: dict[str, int] = {}
    for name in natural_order({*largest, *nodes}):
        listed = nodes.get(name, Group()).values.get("node_type_id")
        own = nodes.get(name, Group()).values.get("node_id")
        if own is not None and not np.array_equal(np.sort(own), np.arange(len(own))):
            found = f"ids {int(own.min())}..{int(own.max())} of {len(own)} nodes"
            raise InputError(file, f"nodes/{name}/node_id", found, f"0..{len(own) - 1}, each once")
        sizes[name] = largest.get(name, 0) if listed is None else len(listed)
        if sizes[name] < largest.get(name, 0):
            found = f"node {largest[name] - 1} of {name!r}"
            raise InputError(file, "edges", found, f"nodes 0..{sizes[name] - 1}")
    synapses = sum(len(edges.pre) for edges in read)
    stored = sum(
        len(group.values["node_type_id"]) for group in nodes.values()
        if "node_type_id" in group.values
    )  # fmt: skip
    refuse_wide_numbers(file, "nodes", sum(sizes.values()), synapses + stored)
    ends = np.cumsum([0, *sizes.values()]).tolist()
    return dict(zip(sizes, ends, strict=False)), sizes


def _weights(read: Sequence[_Edges]) -> tuple[npt.NDArray[np.float64] | None, list[str]]:
    """Return the weights of all edges, None unless all have them alike, and what to say of it."""
    edges = [one for one in read if len(one.pre)]
    kinds = {None if one.weights is None else one.is_count for one in edges}
    left = ["delays do not count, what edge types say is left out"]
    if kinds != {True} and kinds != {False}:
        mixed = len(kinds) > 1 or any(one.partly for one in read)
        return None, left + (["weights left out: not of all edges alike"] if mixed else [])
    counted = ["the number of synapses is the weight"] if kinds == {True} else []
    return np.concatenate([one.weights for one in read if one.weights is not None]), counted + left
