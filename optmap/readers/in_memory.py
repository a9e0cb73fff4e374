"""Networks from objects that a notebook already holds: scipy sparse matrices, networkx graphs."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from optmap.model.snn import SNN, Population, from_edges


def from_scipy(
    matrix: Any,
    *,
    spikes: npt.ArrayLike | None = None,
    keep_zero_weights: bool = False,
    spikes_origin: str | None = None,
) -> SNN:
    """Return the network of a square sparse matrix: row = reading neuron, column = neuron read.

    That is the reading in which ``matrix @ spikes`` are the neurons' inputs.

    Parameters
    ----------
    matrix : (N, N) scipy sparse array or matrix
        Weights; an entry stored twice is one synapse, its weights added.
    spikes : (N,) int array, optional
        Spikes per iteration; without it every neuron counts one, "assumed".
    keep_zero_weights : bool
        Keep entries that are stored although they are zero.

    Raises
    ------
    ValueError
        If the matrix is not sparse, not square, or holds something else than finite numbers.

    Examples
    --------
    >>> from_scipy(scipy.sparse.csr_array([[0, 0], [0.5, 0]]))
    SNN(2 neurons, 1 synapses, 1 inputs, spikes: assumed)
    """
    if not scipy.sparse.issparse(matrix):
        raise ValueError(f"{type(matrix).__name__} is no scipy sparse matrix")
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"a matrix of shape {matrix.shape}, not square")
    entries = matrix.tocoo()
    if entries.data.dtype.kind not in "biuf" or not np.isfinite(entries.data).all():
        raise ValueError("weights must be finite real numbers")
    post, pre = (np.asarray(axis, dtype=np.int64) for axis in (entries.row, entries.col))
    size = int(matrix.shape[0])
    return from_edges(
        pre,
        post,
        size,
        spikes=spikes,
        weights=entries.data.astype(np.float64),
        populations=_one_population(size),
        keep_zero_weights=keep_zero_weights,
        spikes_origin=spikes_origin,
    )


def from_networkx(
    graph: Any, *, weight: str | None = "weight", spikes: str | None = "spikes"
) -> tuple[SNN, dict[Hashable, int]]:
    """Return the network of a networkx graph, and the neuron of each node.

    Parameters
    ----------
    graph : networkx graph
        An edge u -> v is a synapse that v reads; an undirected edge counts both ways; parallel
        edges are one synapse, weights added. Neurons are numbered in the order of the nodes.
    weight : str or None
        Edge attribute with the weight, where every edge has it; None: weights are not read.
    spikes : str or None
        Node attribute with the spikes, where every node has it; else every neuron counts one.

    Raises
    ------
    ValueError
        If an attribute is on some nodes or edges only, or no number.

    Examples
    --------
    >>> import networkx
    >>> snn, neuron = from_networkx(networkx.path_graph(3))
    >>> snn.num_synapses, snn.sources_of(neuron[1]).tolist()
    (4, [0, 2])
    """
    neuron = {node: i for i, node in enumerate(graph.nodes)}
    pre = [neuron[u] for u, _ in graph.edges()]
    post = [neuron[v] for _, v in graph.edges()]
    weights = _attribute([data for _, _, data in graph.edges(data=True)], weight, "edges")
    if not graph.is_directed():
        back = [(v, u, k) for k, (u, v) in enumerate(zip(pre, post, strict=True)) if u != v]
        pre += [u for u, _, _ in back]
        post += [v for _, v, _ in back]
        if weights is not None:
            weights = np.concatenate((weights, weights[[k for _, _, k in back]]))
    counts = _attribute([data for _, data in graph.nodes(data=True)], spikes, "nodes")
    snn = from_edges(
        np.array(pre, dtype=np.int64),
        np.array(post, dtype=np.int64),
        len(neuron),
        spikes=counts,
        weights=weights,
        populations=_one_population(len(neuron)),
        spikes_origin=None if counts is None else f"node attribute {spikes!r}",
    )
    return snn, neuron


def _attribute(
    rows: list[dict[str, Any]], name: str | None, what: str
) -> npt.NDArray[np.float64] | None:
    """Return an attribute that every row has, None where none has it."""
    having = [row for row in rows if name is not None and name in row]
    if not having:
        return None
    if len(having) != len(rows):
        raise ValueError(f"{name!r} on {len(having)} of {len(rows)} {what}")
    try:
        values = np.array([row[name] for row in rows if name is not None], dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name!r} of some {what} is no number") from None
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError(f"{name!r} of some {what} is no finite number")
    return values


def _one_population(size: int) -> list[Population]:
    return [Population("neurons", 0, size - 1)] if size else []
