"""NIR, step 3: from the flat graph to layers and the synapses between them.

Neurons (IF, LIF, CubaLIF, their leaky and integrating relatives, Threshold) and the Inputs become
layers; what lies between them (Affine, Linear, Conv1d/2d, Scale, pooling, Flatten, Delay) is
multiplied out into synapses. Weighted sums that leave the network without passing a neuron
become a layer of readouts, since a crossbar has to compute them too.

Layers are numbered in topological order of the edges, inputs first; the members of a recurrent
loop by their distance from its entry; ties in natural order of names.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy.sparse

from optmap.compiled import interpreted
from optmap.errors import InputError
from optmap.model import spiking_model as model
from optmap.model.snn import SNN, IntArray
from optmap.model.spiking_model import Layer, Matrix, SpikingModel
from optmap.readers.hdf5 import Group, read_tree
from optmap.readers.nir_graph import EXPECTED, NEURONS, WEIGHTED, FlatGraph, read_graph
from optmap.readers.nir_operators import Operator, operator_of, plus, times
from optmap.readers.nir_shapes import Dims, infer_shapes, spread
from optmap.readers.sonata import is_sonata, read_sonata
from optmap.sdf.components import group_by, strong_components

#: Multiplications per synapse that multiplying out may take; more is no network.
_STEPS_PER_SYNAPSE = 20

#: (layer, delay in seconds) -> matrix; None stands for the identity.
Reach = dict[tuple[str, float], Matrix | None]


def read_hdf5(path: Path, *, keep_zero_weights: bool = False) -> SNN:
    """Return the network of an HDF5 file: NIR, or SONATA edges.

    Raises
    ------
    InputError
        If it is neither, damaged or inconsistent.
    """
    root = read_tree(path, f"{EXPECTED} or SONATA edges")
    if is_sonata(root):
        return read_sonata(str(path), root, keep_zero_weights=keep_zero_weights)
    return read_nir(path, keep_zero_weights=keep_zero_weights, root=root)


def read_nir(path: Path, *, keep_zero_weights: bool = False, root: Group | None = None) -> SNN:
    """Return the connectivity of a ``.nir`` file; every neuron counts one assumed spike.

    ``root``: its tree, where it was read already.

    Raises
    ------
    InputError
        If the file is damaged or inconsistent, naming the node or edge.
    """
    graph = read_graph(path, root)
    try:
        built = build_model(graph)
        snn = built.snn()
    except InputError:
        raise
    except ValueError as error:  # weights beyond float32 when multiplied out
        raise InputError(str(path), "", str(error), "a network that fits its arrays") from None
    notes = [*graph.notes, *_notes(built, snn)]
    if not keep_zero_weights:
        return _without_zeros(built, snn).with_notes(*notes)
    # Zeros vanish when matrices are multiplied; a second pass with all weights 1 shows the paths.
    pattern = build_model(graph, pattern=True).snn()
    weights = np.zeros(pattern.num_synapses, dtype=np.float32)
    weights[np.searchsorted(_keys(pattern), _keys(snn))] = snn.weights
    return replace(pattern, weights=weights, notes=tuple(notes))


def _without_zeros(built: SpikingModel, snn: SNN) -> SNN:
    """Return the network without synapses whose parallel paths cancel each other."""
    if snn.weights is None or snn.weights.all():
        return snn
    kept = snn.weights != 0
    fan_in = np.bincount(snn.post_of_synapse()[kept], minlength=snn.num_neurons)
    return replace(
        snn,
        indptr=np.concatenate(([0], np.cumsum(fan_in))),
        indices=snn.indices[kept],
        weights=snn.weights[kept],
        self_driven=built.self_driven(fan_in),
    )


def _notes(built: SpikingModel, snn: SNN) -> Iterator[str]:
    """Say what the network does not show of its file."""
    if any(path.delay_s > 0 for layer in built.layers for path in layer.paths):
        yield "delays do not count"
    if len(snn.self_driven):
        yield (
            f"{len(snn.self_driven)} neurons read nothing and are no Input: they fire by"
            " themselves and take columns"
        )


def _keys(snn: SNN) -> IntArray:
    """Return one number a synapse, ascending."""
    return snn.post_of_synapse().astype(np.int64) * snn.num_neurons + snn.indices


def read_model(path: Path) -> SpikingModel:
    """Return a ``.nir`` file with its dynamics, for :mod:`optmap.simulation.simulate`.

    Raises
    ------
    InputError
        As :func:`read_nir`.
    """
    return build_model(read_graph(path))


def build_model(graph: FlatGraph, *, pattern: bool = False) -> SpikingModel:
    """Return the layers of a flat graph.

    Parameters
    ----------
    graph : FlatGraph
        Nodes and edges.
    pattern : bool
        Take every weight as 1: the matrices then show which synapses are there, zero or not.
    """
    shapes = infer_shapes(graph)
    order = _update_order(graph)
    paths = _Paths(graph, shapes, pattern)
    names = [name for name in order if paths.is_layer(name)]
    names.sort(key=lambda name: graph.nodes[name].kind != "Input")  # stable: inputs first
    index = {name: i for i, name in enumerate(names)}
    layers = []
    for name in names:
        node = graph.nodes[name]
        reach, bias = paths.into(name)
        entries = [
            model.Path(index[source], delay, paths.matrix(source, matrix))
            for (source, delay), matrix in reach.items()
        ]
        entries.sort(key=lambda path: (path.source, path.delay_s))
        parameters = {}
        if node.kind in NEURONS:
            parameters = {
                field: spread(graph, node, field, shapes[name]) for field in node.parameters
            }
        kind = node.kind if node.kind in NEURONS or node.kind == "Input" else "Readout"
        layers.append(Layer(name, kind, shapes[name], tuple(entries), bias, parameters))
    if not layers:
        raise InputError(graph.file, "nodes", "no neuron and no input", "at least one")
    return SpikingModel(tuple(layers))


class _Paths:
    """Multiplies operators out along the edges; every node's result is kept until read."""

    def __init__(self, graph: FlatGraph, shapes: dict[str, Dims], pattern: bool) -> None:
        self.graph, self.shapes, self.pattern = graph, shapes, pattern
        self.reads, self.read_by = graph.predecessors(), graph.successors()
        self.weighted = self._weighted_ends()
        self._given: dict[str, tuple[Reach, np.ndarray]] = {}

    def is_layer(self, name: str) -> bool:
        """Tell whether a node is a population of its own."""
        node = self.graph.nodes[name]
        if node.kind in NEURONS:
            return True
        if node.kind == "Input":
            return not self.reads[name]  # one inside a nested graph hands on what the graph reads
        return name in self.weighted

    def _weighted_ends(self) -> set[str]:
        """Return the nodes at which weighted sums leave the network without a neuron."""
        ends = set()
        for name in self.graph.nodes:
            if self.read_by[name] or self.graph.nodes[name].kind in NEURONS:
                continue
            seen, stack = {name}, [name]
            while stack:
                kind = self.graph.nodes[stack[-1]].kind
                here = stack.pop()
                if kind in WEIGHTED:
                    ends.add(name)
                    break
                if kind not in NEURONS:
                    new = [source for source in self.reads[here] if source not in seen]
                    seen.update(new)
                    stack.extend(new)
        return ends

    def into(self, name: str) -> tuple[Reach, np.ndarray]:
        """Return what drives a layer: paths from layers, and the constant current."""
        node = self.graph.nodes[name]
        if node.kind in NEURONS:
            return self._read(name)
        if node.kind == "Input":
            return {}, np.zeros(int(np.prod(self.shapes[name])))
        return self.given(name)

    def given(self, name: str) -> tuple[Reach, np.ndarray]:
        """Return what a node hands on, in terms of the layers before it."""
        for member in self._unsolved(name):
            reach, bias = self._read(member)
            operator = operator_of(
                self.graph, self.graph.nodes[member], self._shape_read(member), self.pattern
            )
            self._given[member] = _applied(self.graph, member, operator, reach, bias)
        return self._given[name]

    def _unsolved(self, name: str) -> list[str]:
        """Return the operators that ``name`` needs first, itself last, without recursion."""
        order: list[str] = []
        done: set[str] = set()
        open_: list[str] = []
        stack = [(name, False)]
        while stack:
            here, leaving = stack.pop()
            if leaving:
                open_.remove(here)
                done.add(here)
                order.append(here)
                continue
            if here in done or here in self._given:
                continue
            if here in open_:
                loop = " -> ".join([*open_[open_.index(here) :], here])
                raise self.graph.fail(f"loop {loop}", "no neuron on it", "a neuron in every loop")
            open_.append(here)
            stack.append((here, True))
            stack += [(s, False) for s in self.reads[here] if not self._is_source(s)]
        return order

    def _is_source(self, name: str) -> bool:
        node = self.graph.nodes[name]
        return node.kind in NEURONS or (node.kind == "Input" and not self.reads[name])

    def _read(self, name: str) -> tuple[Reach, np.ndarray]:
        """Return the sum of what the sources of a node hand on."""
        total: Reach = {}
        bias = np.zeros(int(np.prod(self._shape_read(name))))
        for source in self.reads[name]:
            if self._is_source(source):
                reach, constant = {(source, 0.0): None}, None
            else:
                reach, constant = self.given(source)
            for key, matrix in reach.items():
                total[key] = plus(total[key], matrix, len(bias)) if key in total else matrix
            if constant is not None:
                bias = bias + constant
        return total, bias

    def _shape_read(self, name: str) -> Dims:
        sources = self.reads[name]
        return self.shapes[sources[0] if sources else name]

    def matrix(self, source: str, matrix: Matrix | None) -> Matrix:
        """Return a path's matrix without its zeros; the identity written out."""
        if matrix is None:
            return scipy.sparse.eye_array(int(np.prod(self.shapes[source])), format="csr")
        kept = matrix.copy()
        kept.eliminate_zeros()
        return kept


def _refuse_dense(graph: FlatGraph, name: str, outer: Matrix | None, inner: Matrix | None) -> None:
    """Refuse a product of two maps that a file of this size cannot mean, before it is taken."""
    if outer is None or inner is None:
        return
    steps = int(np.diff(inner.indptr)[outer.indices].sum())
    entries = min(steps, outer.shape[0] * inner.shape[1])
    if entries > graph.most_synapses or steps > _STEPS_PER_SYNAPSE * graph.most_synapses:
        found = f"{entries} synapses when multiplied out"
        raise graph.fail(f"node {name}", found, f"at most {graph.most_synapses}")


def _applied(
    graph: FlatGraph, name: str, operator: Operator, reach: Reach, bias: np.ndarray
) -> tuple[Reach, np.ndarray]:
    """Return what an operator makes of its inputs, by delay."""
    given: Reach = {}
    total = operator.bias
    for delay, matrix in operator.parts:
        for (source, before), inner in reach.items():
            key = (source, before + delay)
            _refuse_dense(graph, name, matrix, inner)
            product = times(matrix, inner)
            rows = operator.size
            given[key] = plus(given[key], product, rows) if key in given else product
        total = total + (bias if matrix is None else matrix @ bias)
    return given, total


def _update_order(graph: FlatGraph) -> list[str]:
    """Return all nodes in topological order of the loops' condensation (module docstring)."""
    names = list(graph.nodes)  # natural order, so that a smaller index is an earlier name
    number = {name: i for i, name in enumerate(names)}
    source = [number[a] for a, _ in graph.edges]
    target = [number[b] for _, b in graph.edges]
    with interpreted():  # tens of nodes
        everything = np.ones(len(source), dtype=np.bool_)
        first, edges = group_by(len(names), np.array(source, dtype=np.int64), everything)
        label, count = strong_components(len(names), first, np.array(target, dtype=np.int64)[edges])
    members: list[list[int]] = [[] for _ in range(count)]
    for i, component in enumerate(label.tolist()):
        members[component].append(i)
    waiting = [0] * count
    after: list[list[int]] = [[] for _ in range(count)]
    for a, b in zip(source, target, strict=True):
        if label[a] != label[b]:
            waiting[label[b]] += 1
            after[label[a]].append(int(label[b]))
    ready = [(members[c][0], c) for c in range(count) if not waiting[c]]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        _, component = heapq.heappop(ready)
        order += [names[i] for i in _inside(members[component], source, target)]
        for later in after[component]:
            waiting[later] -= 1
            if not waiting[later]:
                heapq.heappush(ready, (members[later][0], later))
    return order


def _inside(members: list[int], source: Sequence[int], target: Sequence[int]) -> list[int]:
    """Return the members of a loop by distance from where it is entered, ties by number."""
    if len(members) == 1:
        return members
    inside = set(members)
    inner = [(a, b) for a, b in zip(source, target, strict=True) if a in inside and b in inside]
    front = sorted(
        {b for a, b in zip(source, target, strict=True) if b in inside and a not in inside}
    ) or [members[0]]
    order = list(front)
    while front:
        front = sorted({b for a, b in inner if a in front} - set(order))
        order += front
    return order
