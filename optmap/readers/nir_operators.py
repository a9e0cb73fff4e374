"""What lies between neurons in NIR, as sparse matrices (out x in)."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import scipy.sparse

from optmap.generators.unroll import Windows
from optmap.model.spiking_model import Matrix
from optmap.readers.nir_graph import FlatGraph, Node
from optmap.readers.nir_shapes import Dims, spread, windows_of


@dataclass(frozen=True)
class Operator:
    """A linear map split by delay, and a constant.

    Parameters
    ----------
    parts : list of (delay in seconds, matrix)
        Their sum is the map; None stands for the identity.
    bias : (out,) float64 array
    """

    parts: list[tuple[float, Matrix | None]]
    bias: Any

    @property
    def size(self) -> int:
        """Number of values given."""
        return len(self.bias)


def operator_of(graph: FlatGraph, node: Node, read: Dims, pattern: bool) -> Operator:
    """Return the map of one node that is no neuron.

    Parameters
    ----------
    graph : FlatGraph
        For error messages.
    node : Node
        The node.
    read : tuple of int
        Shape of what it reads.
    pattern : bool
        Take every weight as 1.

    Raises
    ------
    InputError
        If its numbers contradict each other.
    """
    if node.kind in ("Affine", "Linear"):
        return _affine(graph, node, pattern)
    if node.kind in ("Conv1d", "Conv2d"):
        return _convolution(graph, node, read, pattern)
    if node.kind in ("SumPool2d", "AvgPool2d"):
        windows = windows_of(graph, node, read)
        factor = 1.0 if node.kind == "SumPool2d" else 1.0 / prod(windows.kernel)
        taps = np.full((windows.channels, prod(windows.kernel)), 1.0 if pattern else factor)
        matrix = _unrolled(graph, node, windows, taps)
        return Operator([(0.0, matrix)], np.zeros(matrix.shape[0]))
    size = prod(read)
    if node.kind == "Scale":
        values = np.ones(size) if pattern else spread(graph, node, "scale", read)
        return Operator([(0.0, scipy.sparse.diags_array(values, format="csr"))], np.zeros(size))
    if node.kind == "Delay":
        return _delay(graph, node, read)
    return Operator([(0.0, None)], np.zeros(size))  # Flatten, Identity, ports of nested graphs


def _affine(graph: FlatGraph, node: Node, pattern: bool) -> Operator:
    weight = node.numbers("weight")
    blocks = weight.reshape(-1, *weight.shape[-2:])  # leading dimensions are independent copies
    if pattern:
        blocks = np.ones_like(blocks)
    if len(blocks) == 1:
        matrix = scipy.sparse.csr_array(blocks[0])
    else:
        matrix = scipy.sparse.csr_array(scipy.sparse.block_diag(list(blocks), format="csr"))
    bias = np.zeros(matrix.shape[0])
    if "bias" in node.parameters:
        given = node.numbers("bias")
        try:
            bias = np.broadcast_to(given, weight.shape[:-1]).reshape(-1)
        except ValueError:
            found = f"bias of shape {given.shape}"
            raise graph.fail(f"node {node.name}", found, f"shape {weight.shape[:-1]}") from None
    return Operator([(0.0, matrix)], bias)


def _convolution(graph: FlatGraph, node: Node, read: Dims, pattern: bool) -> Operator:
    windows = windows_of(graph, node, read)
    weight = node.numbers("weight").reshape(windows.channels, -1)
    matrix = _unrolled(graph, node, windows, np.ones_like(weight) if pattern else weight)
    bias = node.numbers("bias").reshape(-1) if "bias" in node.parameters else np.zeros(1)
    if len(bias) not in (1, windows.channels):
        found = f"bias of {len(bias)} values"
        raise graph.fail(f"node {node.name}", found, f"{windows.channels} values")
    positions = windows.output[1] * windows.output[2]
    spread = np.broadcast_to(bias, (windows.channels,)).repeat(positions)
    return Operator([(0.0, matrix)], spread)


def _unrolled(graph: FlatGraph, node: Node, windows: Windows, taps: Any) -> Matrix:
    """Return the matrix of windows whose map c weighs its taps by ``taps[c]``."""
    if windows.num_taps > graph.most_synapses:
        found = f"{windows.num_taps} synapses"
        raise graph.fail(f"node {node.name}", found, f"at most {graph.most_synapses}")
    counts, sources = windows.fan_in()
    _, valid = windows.taps()
    rows = (windows.channels, *valid.shape)
    data = np.broadcast_to(taps[:, None, :], rows)[:, valid].reshape(-1)
    indptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    size = windows.shape[0] * windows.shape[1] * windows.shape[2]
    return scipy.sparse.csr_array((data, sources, indptr), shape=(len(counts), size))


def _delay(graph: FlatGraph, node: Node, read: Dims) -> Operator:
    delay = spread(graph, node, "delay", read)
    if delay.min() < 0:
        raise graph.fail(f"node {node.name}", f"delay {delay.min()}", "delays >= 0")
    distinct = np.unique(delay)
    if len(distinct) == 1:
        return Operator([(float(distinct[0]), None)], np.zeros(len(delay)))
    parts: list[tuple[float, Matrix | None]] = []
    for value in distinct.tolist():
        chosen = (delay == value).astype(np.float64)
        parts.append((value, scipy.sparse.csr_array(scipy.sparse.diags_array(chosen))))
    return Operator(parts, np.zeros(len(delay)))


def times(outer: Matrix | None, inner: Matrix | None) -> Matrix | None:
    """Return the product of two maps; None is the identity."""
    if outer is None:
        return inner
    return outer if inner is None else outer @ inner


def plus(first: Matrix | None, second: Matrix | None, size: int) -> Matrix:
    """Return the sum of two maps that give ``size`` values; None is the identity."""
    eye = scipy.sparse.eye_array(size, format="csr")
    return (eye if first is None else first) + (eye if second is None else second)
