"""NIR, step 1: the nested file as one flat graph, every node and edge checked by name.

Nested graphs are dissolved: node ``w_rec`` inside ``lstm`` becomes ``lstm/w_rec`` (HDF5 names hold
no slash), an edge to the graph becomes one to its Input node, an edge from it one from its Output.
HDF5 loses the order of nodes, so nothing here depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from optmap.errors import InputError
from optmap.readers.hdf5 import Group, Value, one_text, read_tree
from optmap.readers.text import natural_order

EXPECTED = "a NIR graph"

#: Parameters each kind must have.
_REQUIRED: dict[str, tuple[str, ...]] = {
    "Input": ("shape",),
    "Output": ("shape",),
    "Affine": ("weight",),
    "Linear": ("weight",),
    "Scale": ("scale",),
    "Conv1d": ("weight", "stride", "padding", "dilation", "groups"),
    "Conv2d": ("weight", "stride", "padding", "dilation", "groups"),
    "SumPool2d": ("kernel_size", "stride", "padding"),
    "AvgPool2d": ("kernel_size", "stride", "padding"),
    "Flatten": ("start_dim", "end_dim"),
    "Delay": ("delay",),
    "Threshold": ("threshold",),
    "I": ("r",),
    "LI": ("tau", "r", "v_leak"),
    "IF": ("r", "v_threshold"),
    "LIF": ("tau", "r", "v_leak", "v_threshold"),
    "CubaLI": ("tau_mem", "tau_syn", "r", "v_leak"),
    "CubaLIF": ("tau_mem", "tau_syn", "r", "v_leak", "v_threshold"),
    "Identity": (),
}
#: Parameters some kinds may have; anything else in a node is not looked at.
_OPTIONAL: dict[str, tuple[str, ...]] = {
    "Affine": ("bias",),
    "Conv1d": ("bias", "input_shape"),
    "Conv2d": ("bias", "input_shape"),
    "Flatten": ("input_type",),
    "IF": ("v_reset",),
    "LIF": ("v_reset",),
    "CubaLI": ("w_in",),
    "CubaLIF": ("v_reset", "w_in"),
    "Identity": ("shape",),
}
_TEXT_ALLOWED = {"padding"}

#: Kinds with a state or a threshold of their own: these are the neurons.
NEURONS = frozenset({"I", "LI", "IF", "LIF", "CubaLI", "CubaLIF", "Threshold"})
#: Kinds whose weights are synapses.
WEIGHTED = frozenset({"Affine", "Linear", "Conv1d", "Conv2d"})

#: A gigabyte's worth; beyond it a network must be backed by the weights in its file.
FREE_SYNAPSES = 20_000_000
FREE_VALUES = 6_000_000
SYNAPSES_PER_BYTE = 4

Edge = tuple[str, str]


@dataclass(frozen=True)
class Node:
    """One node of the flat graph."""

    name: str
    kind: str
    parameters: dict[str, Value]

    def numbers(self, field: str) -> Value:
        """Return a parameter as float64."""
        return self.parameters[field].astype(np.float64)


@dataclass(frozen=True)
class FlatGraph:
    """Nodes by name and distinct edges, both in natural order of names.

    ``size``: bytes of the file; ``notes``: what was read otherwise than written.
    """

    file: str
    nodes: dict[str, Node]
    edges: tuple[Edge, ...]
    size: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def most_synapses(self) -> int:
        """How many synapses a file of ``size`` bytes may unfold to; kernels are shared."""
        return FREE_SYNAPSES + SYNAPSES_PER_BYTE * self.size

    @property
    def most_values(self) -> int:
        """How many values all nodes of a file of ``size`` bytes may give."""
        return FREE_VALUES + SYNAPSES_PER_BYTE * self.size

    def fail(self, where: str, found: str, expected: str) -> InputError:
        """Return the error that says what is wrong at a node or an edge."""
        return InputError(self.file, where, found, expected)

    def predecessors(self) -> dict[str, list[str]]:
        """Return for each node the nodes it reads, in natural order."""
        reads: dict[str, list[str]] = {name: [] for name in self.nodes}
        for source, target in self.edges:
            reads[target].append(source)
        return reads

    def successors(self) -> dict[str, list[str]]:
        """Return for each node the nodes that read it, in natural order."""
        read_by: dict[str, list[str]] = {name: [] for name in self.nodes}
        for source, target in self.edges:
            read_by[source].append(target)
        return read_by


def read_graph(path: Path, root: Group | None = None) -> FlatGraph:
    """Read a ``.nir`` file as a flat graph; ``root``: its tree, where it was read already.

    Raises
    ------
    InputError
        If the file is no NIR graph, a node lacks a parameter, or an edge names no node.
    """
    root = read_tree(path, EXPECTED) if root is None else root
    if one_text(root.attributes.get("__type__")) == "NIRGraphData":
        raise InputError(str(path), "", "recorded data (NIRData)", EXPECTED)
    top = root.groups.get("node")
    if top is None or top.text("type") != "NIRGraph":
        kind = "no group 'node'" if top is None else f"a node of type {top.text('type')}"
        raise InputError(str(path), "node", kind, EXPECTED)
    nodes: dict[str, Node] = {}
    edges: set[Edge] = set()
    _collect(str(path), top, "", nodes, edges)
    if not nodes:
        raise InputError(str(path), "nodes", "no node", "at least one")
    _add_inputs(nodes, edges)
    rank = {name: i for i, name in enumerate(natural_order(nodes))}
    ordered = sorted(edges, key=lambda edge: (rank[edge[0]], rank[edge[1]]))
    named = {name: nodes[name] for name in rank}
    return FlatGraph(str(path), named, tuple(ordered), path.stat().st_size)


def _add_inputs(nodes: dict[str, Node], edges: set[Edge]) -> None:
    """Put an Input before every weighted node that reads nothing, as some writers leave it out."""
    targets = {target for _, target in edges}
    for name in [name for name in nodes if name not in targets]:
        given = nodes[name].parameters
        if nodes[name].kind in ("Affine", "Linear") and given["weight"].ndim >= 2:
            shape = (*given["weight"].shape[:-2], given["weight"].shape[-1])
        elif nodes[name].kind in ("Conv1d", "Conv2d") and "input_shape" in given:
            maps = given["weight"].shape[1] if given["weight"].ndim > 1 else 1
            shape = (maps * int(given["groups"].flat[0]), *given["input_shape"].flat)
        else:
            continue
        source = f"{name}/input"
        nodes[source] = Node(source, "Input", {"shape": np.array(shape)})
        edges.add((source, name))


def _collect(
    file: str, graph: Group, prefix: str, nodes: dict[str, Node], edges: set[Edge]
) -> None:
    """Add the nodes and edges of one graph, its nested ones included."""
    members = graph.groups.get("nodes", Group()).groups
    nested: dict[str, Group] = {}
    for name, group in members.items():
        kind = group.text("type")
        if kind == "NIRGraph":
            nested[name] = group
            _collect(file, group, f"{prefix}{name}/", nodes, edges)
        else:
            nodes[prefix + name] = _node(file, prefix + name, kind, group)
    for source, target in _edge_names(file, graph, prefix):
        where = f"edge {prefix}{source} -> {prefix}{target}"
        for name in (source, target):
            if name not in members:
                known = ", ".join(natural_order(members))
                raise InputError(file, where, f"no node {prefix + name!r}", f"one of {known}")
        start = _port(file, where, nested, nodes, prefix, source, "Output")
        stop = _port(file, where, nested, nodes, prefix, target, "Input")
        edges.add((start, stop))


def _port(
    file: str,
    where: str,
    nested: dict[str, Group],
    nodes: dict[str, Node],
    prefix: str,
    name: str,
    kind: str,
) -> str:
    """Return the node an edge end means: itself, or the Input or Output of a nested graph."""
    if name not in nested:
        return prefix + name
    inside = nested[name].groups.get("nodes", Group()).groups
    ports = natural_order(member for member in inside if inside[member].text("type") == kind)
    if len(ports) != 1:
        found = f"{len(ports)} {kind} nodes in the nested graph {prefix + name!r}"
        raise InputError(file, where, found, "exactly one")
    return f"{prefix}{name}/{ports[0]}"


def _edge_names(file: str, graph: Group, prefix: str) -> list[Edge]:
    edges = graph.values.get("edges")
    if edges is None and graph.groups.get("nodes", Group()).groups:
        raise InputError(file, f"{prefix}edges", "nothing", "pairs of node names")
    if edges is None or edges.size == 0:
        return []
    if edges.dtype.kind != "U" or edges.ndim != 2 or edges.shape[1] != 2:
        found = f"an array of shape {edges.shape}"
        raise InputError(file, f"{prefix}edges", found, "pairs of node names")
    return [(str(source), str(target)) for source, target in edges.tolist()]


def _node(file: str, name: str, kind: str | None, group: Group) -> Node:
    where = f"node {name}"
    if kind not in _REQUIRED:
        known = ", ".join(_REQUIRED)
        raise InputError(file, where, f"type {kind!r}", f"one of {known}, NIRGraph")
    for name_of in _REQUIRED[kind]:
        if name_of not in group.values:
            raise InputError(file, where, f"no {name_of!r}", f"{kind} with {name_of}")
    wanted = (*_REQUIRED[kind], *_OPTIONAL.get(kind, ()))
    parameters = {key: value for key, value in group.values.items() if key in wanted}
    for key, value in parameters.items():
        if value.dtype.kind == "U" and key not in _TEXT_ALLOWED:
            raise InputError(file, where, f"{key} is text", "numbers")
        if not value.size and key not in ("shape", "input_type"):  # () is a single value
            raise InputError(file, where, f"{key} of shape {value.shape}", "at least one value")
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise InputError(file, where, f"{key} that is not finite", "finite numbers")
    return Node(name, kind, parameters)
