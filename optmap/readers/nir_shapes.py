"""NIR, step 2: how many values every node takes and gives, and whether the edges agree.

Shapes are channel-first. The size of a neuron node is the shape of its parameters; parameters of
length 1 speak for a whole layer, whose size then comes from what the node reads. Convolutions
written without ``input_shape`` take it from there too.
"""

from __future__ import annotations

from collections import deque
from math import prod
from typing import Any

import numpy as np

from optmap.generators.unroll import Windows
from optmap.readers.nir_graph import NEURONS, FlatGraph, Node

Dims = tuple[int, ...]

#: Refused above this before anything is allocated.
_MAX_VALUES = 2**31 - 1


def infer_shapes(graph: FlatGraph) -> dict[str, Dims]:
    """Return the shape of what every node gives.

    Raises
    ------
    InputError
        Naming the node whose shape cannot be told, or the edge whose two ends disagree.
    """
    reads = graph.predecessors()
    shapes: dict[str, Dims] = {}
    # A port is what its neighbours make of it; only in a loop of ports does one say it itself.
    late = {n for n in graph.nodes if graph.nodes[n].kind in ("Input", "Output") and reads[n]}
    _spread_shapes(graph, shapes, list(graph.nodes), late)
    _spread_shapes(graph, shapes, [name for name in late if name not in shapes], set())
    unknown = [name for name in graph.nodes if name not in shapes]
    if unknown:
        # The first one that waits for no other is the cause; in a loop all wait.
        causes = [name for name in unknown if all(source in shapes for source in reads[name])]
        name = (causes or unknown)[0]
        found = "a shape that neither the node nor what it reads tells"
        raise graph.fail(f"node {name}", found, f"{graph.nodes[name].kind} with a known shape")
    for source, target in graph.edges:
        first = reads[target][0]
        if not agree(shapes[first], shapes[source]):
            found = f"{_text(shapes[source])} from {source}"
            expected = f"{_text(shapes[first])} as from {first}"
            raise graph.fail(f"edge {source} -> {target}", found, expected)
        taken = taken_shape(graph, graph.nodes[target], shapes[source], shapes[target])
        if not agree(shapes[source], taken):
            found = f"{_text(shapes[source])} from {source}"
            raise graph.fail(f"edge {source} -> {target}", found, f"{_text(taken)} for {target}")
    values = sum(map(prod, shapes.values()))
    if values > graph.most_values:
        found = f"{values} values in all nodes"
        raise graph.fail("nodes", found, f"at most {graph.most_values} in a file of its size")
    return shapes


def _spread_shapes(
    graph: FlatGraph, shapes: dict[str, Dims], first: list[str], late: set[str]
) -> None:
    """Add the shapes that follow, from ``first`` on; nodes of ``late`` wait for what they read."""
    reads, read_by = graph.predecessors(), graph.successors()
    waiting = deque(first)
    # Every node is looked at once, and again whenever one that it reads becomes known.
    while waiting:
        name = waiting.popleft()
        if name in shapes:
            continue
        node = graph.nodes[name]
        known = next((shapes[source] for source in reads[name] if source in shapes), None)
        if known is None and name in late:
            continue
        shape = _given(graph, node, known)
        if shape is not None and known is not None and name in late:
            shape = _port(graph, node, shape, known)
        if shape is None and not reads[name] and node.kind in NEURONS:
            shape = _elementwise(graph, node, (1,))  # a layer that nothing drives
        if shape is not None:
            if not shape or min(shape) < 1 or prod(shape) > _MAX_VALUES:
                raise graph.fail(f"node {name}", f"shape {shape}", "a shape of sizes >= 1")
            shapes[name] = shape
            waiting.extend(read_by[name])


def _port(graph: FlatGraph, node: Node, declared: Dims, read: Dims) -> Dims:
    """Return the shape of a port: as declared, or what it reads where that is one value or wrong.

    A length of 1 speaks for a whole layer. Inside nested graphs some writers store the shape of
    another node; if what is read does not fit what reads it, the edge is refused as ever.
    """
    if agree(read, declared) or not (prod(declared) == 1 or "/" in node.name):
        return declared
    note = f"node {node.name} declares {_text(declared)}, its neighbours have {_text(read)}"
    if note not in graph.notes:
        graph.notes.append(note)
    return read


def agree(given: Dims, taken: Dims) -> bool:
    """Tell whether one shape can be read as the other: equal, but for ones, or a plain vector."""
    if prod(given) != prod(taken):
        return False
    bare = [tuple(n for n in shape if n != 1) for shape in (given, taken)]
    return bare[0] == bare[1] or min(map(len, bare)) <= 1


def taken_shape(graph: FlatGraph, node: Node, given: Dims, out: Dims) -> Dims:
    """Return the shape a node expects to read when its source gives ``given``."""
    if node.kind in ("Affine", "Linear"):
        weight = node.parameters["weight"]
        return (*weight.shape[:-2], weight.shape[-1])
    if node.kind in ("Conv1d", "Conv2d", "SumPool2d", "AvgPool2d"):
        shape = windows_of(graph, node, given).shape
        return shape if node.kind != "Conv1d" else (shape[0], shape[2])
    if node.kind == "Flatten":
        return given
    return out


def _text(shape: Dims) -> str:
    return " x ".join(map(str, shape)) + " values"


def _given(graph: FlatGraph, node: Node, read: Dims | None) -> Dims | None:
    """Return the shape a node gives when it reads ``read``; None where that is needed first."""
    where = f"node {node.name}"
    if node.kind in ("Input", "Output", "Identity"):
        return _declared(graph, node, "shape") or read
    if node.kind in ("Affine", "Linear"):
        weight = node.parameters["weight"]
        if weight.ndim < 2 or not weight.size:
            raise graph.fail(where, f"weight of shape {weight.shape}", "a matrix")
        return weight.shape[:-1]
    if node.kind in NEURONS or node.kind in ("Scale", "Delay"):
        return _elementwise(graph, node, read)
    if node.kind == "Flatten":
        before = _declared(graph, node, "input_type")
        before = read if before is None or 0 in before else before  # some writers store a 0
        return None if before is None else _flattened(graph, node, before)
    before = conv_input(graph, node, read) if node.kind.startswith("Conv") else read
    if before is None:
        return None
    output = windows_of(graph, node, before).output
    return output if node.kind != "Conv1d" else (output[0], output[2])


def _elementwise(graph: FlatGraph, node: Node, read: Dims | None) -> Dims | None:
    """Return the shape of the parameters, spread over what is read where they have length 1."""
    parts = [v.shape for v in node.parameters.values() if v.dtype.kind != "U"]
    try:
        own = np.broadcast_shapes(*parts)
    except ValueError:
        found = "parameters of shapes " + ", ".join(map(str, parts))
        raise graph.fail(f"node {node.name}", found, "one shape") from None
    if 1 not in own and own:
        return own
    if read is None:
        return None
    bare = tuple(n for n in own if n != 1)
    if not bare:
        return read
    try:
        spread = np.broadcast_shapes(own, read)
    except ValueError:
        return own
    return spread if prod(spread) == prod(read) else own


def spread(graph: FlatGraph, node: Node, field: str, shape: Dims) -> Any:
    """Return a parameter of an elementwise node as one float64 value for each of its neurons."""
    value = node.numbers(field)
    if value.size == prod(shape):
        return value.reshape(-1)
    while value.ndim > len(shape) and value.shape[0] == 1:
        value = value[0]
    try:
        return np.broadcast_to(value, shape).reshape(-1)
    except ValueError:
        found = f"{field} of shape {value.shape}"
        raise graph.fail(f"node {node.name}", found, f"shape {shape}") from None


def _flattened(graph: FlatGraph, node: Node, before: Dims) -> Dims:
    first = one_number(graph, node, "start_dim")
    last = one_number(graph, node, "end_dim")
    first, last = (dim + len(before) if dim < 0 else dim for dim in (first, last))
    # A flatten of what is flat already is common (start_dim counts a batch dimension elsewhere).
    last = min(last, len(before) - 1)
    if first > last:
        return before
    return (*before[:first], prod(before[first : last + 1]), *before[last + 1 :])


def _declared(graph: FlatGraph, node: Node, field: str) -> Dims | None:
    if field not in node.parameters:
        return None
    values = node.parameters[field]
    if not values.size:
        return (1,)  # the shape of a single number
    if values.dtype.kind not in "iuf" or (values != np.floor(values)).any():
        raise graph.fail(f"node {node.name}", f"{field} {values.tolist()}", "whole numbers")
    if np.abs(values.astype(np.float64)).max() > _MAX_VALUES:
        raise graph.fail(f"node {node.name}", f"{field} beyond 2^31", "smaller numbers")
    return tuple(int(n) for n in values.reshape(-1))


def conv_input(graph: FlatGraph, node: Node, read: Dims | None) -> Dims | None:
    """Return the shape a convolution reads: its own ``input_shape``, else what its source gives."""
    declared = _declared(graph, node, "input_shape")
    if declared is None:
        return read
    weight = node.parameters["weight"]
    if weight.ndim != len(declared) + 2:
        found = f"weight of shape {weight.shape}, input_shape {declared}"
        raise graph.fail(f"node {node.name}", found, "one size for every dimension of the kernel")
    return (weight.shape[1] * one_number(graph, node, "groups"), *declared)


def windows_of(graph: FlatGraph, node: Node, read: Dims) -> Windows:
    """Return the windows of a convolution or pooling that reads a population of shape ``read``.

    Raises
    ------
    InputError
        If the numbers do not fit each other, naming the node.
    """
    where = f"node {node.name}"
    axes = 1 if node.kind == "Conv1d" else 2
    if node.kind.startswith("Conv"):
        weight = node.parameters["weight"]
        if weight.ndim != axes + 2 or not weight.size:
            found = f"weight of shape {weight.shape}"
            raise graph.fail(where, found, f"a weight of {axes + 2} dimensions")
        groups = one_number(graph, node, "groups")
        maps_in, maps_out, kernel = weight.shape[1] * groups, weight.shape[0], weight.shape[2:]
        dilation = axis_numbers(graph, node, "dilation", axes)
        read = conv_input(graph, node, read) or read
        shape = _channel_first(graph, node, read, axes, maps_in)
    else:
        kernel = axis_numbers(graph, node, "kernel_size", axes)
        dilation = (1,) * axes
        shape = _channel_first(graph, node, read, axes, None)
        groups = maps_out = shape[0]
    stride = axis_numbers(graph, node, "stride", axes)
    padding = _padding(graph, node, axes, kernel, stride, dilation)
    if axes == 1:
        kernel, stride, dilation = (1, *kernel), (1, *stride), (1, *dilation)
        padding = ((0, 0), *padding)
    try:
        return Windows(
            (shape[0], shape[1], shape[2]),
            maps_out,
            (kernel[0], kernel[1]),
            (stride[0], stride[1]),
            (padding[0], padding[1]),
            (dilation[0], dilation[1]),
            groups,
        )
    except ValueError as error:
        raise graph.fail(where, str(error), "sizes that fit each other") from None


def _channel_first(graph: FlatGraph, node: Node, read: Dims, axes: int, maps: int | None) -> Dims:
    """Return ``read`` as (maps, rows, columns); leading batch dimensions of 1 are dropped."""
    shape = read
    while len(shape) > axes + 1 and shape[0] == 1:
        shape = shape[1:]
    if len(shape) == axes and (maps is None or maps == 1):
        shape = (1, *shape)
    if len(shape) != axes + 1 or (maps is not None and shape[0] != maps):
        wanted = f"{maps} maps" if maps is not None else "maps"
        found = f"an input of {_text(read)}"
        raise graph.fail(f"node {node.name}", found, f"{wanted} of {axes} dimensions")
    return shape if axes == 2 else (shape[0], 1, shape[1])


def _padding(
    graph: FlatGraph, node: Node, axes: int, kernel: Dims, stride: Dims, dilation: Dims
) -> tuple[tuple[int, int], ...]:
    value = node.parameters["padding"]
    if value.dtype.kind != "U":
        return tuple((n, n) for n in axis_numbers(graph, node, "padding", axes))
    word = str(value.item()) if value.size == 1 else str(value.tolist())
    if word == "valid":
        return ((0, 0),) * axes
    if word == "same" and all(n == 1 for n in stride):
        spans = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        return tuple((span // 2, span - span // 2) for span in spans)
    expected = "numbers, 'valid', or 'same' with stride 1"
    raise graph.fail(f"node {node.name}", f"padding {word!r}, stride {stride}", expected)


def axis_numbers(graph: FlatGraph, node: Node, field: str, axes: int) -> Dims:
    """Return a parameter given once for all axes or once for each."""
    numbers = _declared(graph, node, field) or ()
    if len(numbers) not in (1, axes):
        raise graph.fail(f"node {node.name}", f"{field} {numbers}", f"1 or {axes} whole numbers")
    return numbers * (axes // len(numbers))


def one_number(graph: FlatGraph, node: Node, field: str) -> int:
    """Return a parameter that is one whole number."""
    numbers = _declared(graph, node, field) or ()
    if len(numbers) != 1:
        raise graph.fail(f"node {node.name}", f"{field} {numbers}", "one whole number")
    return numbers[0]
