"""A network with what is needed to run it: layers, dynamics, weighted paths between them.

This is the common ground of the formats that know dynamics. :meth:`SpikingModel.snn` forgets the
dynamics; :mod:`optmap.simulation.simulate` runs it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from optmap.model.snn import SNN, FloatArray, IndexArray, IntArray, Population

#: scipy's compressed rows (out x in), float64; scipy ships no types.
Matrix = Any


@dataclass(frozen=True)
class Path:
    """Weights from the values of one layer to the current of another.

    Parameters
    ----------
    source : int
        The layer that is read.
    delay_s : float
        Seconds a value takes, beside the step that a path back to an earlier layer always takes.
    matrix : (n, n of source) sparse array
        One row a neuron of the reading layer.
    """

    source: int
    delay_s: float
    matrix: Matrix


@dataclass(frozen=True)
class Layer:
    """One population with its dynamics.

    Parameters
    ----------
    name : str
        Name for reports.
    kind : str
        ``Input``, ``Readout`` (weighted sums that leave the network), or a NIR neuron: I, LI, IF,
        LIF, CubaLI, CubaLIF, Threshold.
    shape : tuple of int
        Channel-first shape, n values in all.
    paths : tuple of Path
        What drives it.
    bias : (n,) float64 array
        Constant current.
    parameters : dict of (n,) float64 arrays
        The NIR parameters of the kind.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    paths: tuple[Path, ...] = ()
    bias: Any = None
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of neurons."""
        return int(np.prod(self.shape))


@dataclass(frozen=True)
class SpikingModel:
    """Layers in the order in which neurons are numbered and updated within a time step."""

    layers: tuple[Layer, ...]

    @property
    def first(self) -> list[int]:
        """Number of the first neuron of every layer, and the number of neurons at the end."""
        return [0, *np.cumsum([layer.size for layer in self.layers]).tolist()]

    def snn(self) -> SNN:
        """Return the connectivity, every explicit entry of a matrix being a synapse.

        Parallel paths (skip connections, delays) between one pair are one synapse, weights added. A
        neuron of a layer other than an Input that reads nothing is self-driven.
        """
        first = self.first
        counts: list[IntArray] = []
        indices: list[IndexArray] = []
        weights: list[FloatArray] = []
        for layer in self.layers:
            rows = _rows(layer, first)
            counts.append(np.diff(rows.indptr).astype(np.int64))
            indices.append(rows.indices.astype(np.int32))
            with np.errstate(over="ignore"):  # SNN refuses what is not finite
                weights.append(rows.data.astype(np.float32))
        populations = [
            Population(layer.name, start, start + layer.size - 1)
            for layer, start in zip(self.layers, first, strict=False)
        ]
        fan_in = np.concatenate(counts)
        return SNN(
            np.concatenate(([0], np.cumsum(fan_in))),
            np.concatenate(indices),
            np.ones(first[-1], dtype=np.int64),
            tuple(populations),
            np.concatenate(weights),
            self_driven=self.self_driven(fan_in),
        )

    def self_driven(self, fan_in: IntArray) -> IndexArray:
        """Return the neurons that read nothing and are no input, given each neuron's fan-in."""
        computed = np.repeat([layer.kind != "Input" for layer in self.layers],
                             [layer.size for layer in self.layers])  # fmt: skip
        return np.flatnonzero(computed & (fan_in == 0)).astype(np.int32)


def _rows(layer: Layer, first: list[int]) -> Matrix:
    """Return one layer's fan-in lists over all neurons, sorted, duplicates added."""
    from scipy.sparse import csr_array  # here: slow to load

    shape = (layer.size, first[-1])
    paths = [path for path in layer.paths if path.matrix.nnz]
    if not paths:
        return csr_array(shape)
    if len(paths) == 1:
        one = paths[0].matrix
        indices = one.indices + np.int32(first[paths[0].source])
        rows = csr_array((one.data, indices, one.indptr), shape=shape)
    else:
        parts = [(path.matrix.tocoo(), first[path.source]) for path in paths]
        post = np.concatenate([part.coords[0] for part, _ in parts])
        pre = np.concatenate([part.coords[1] + start for part, start in parts])
        data = np.concatenate([part.data for part, _ in parts])
        rows = csr_array((data, (post, pre)), shape=shape)
    rows.sum_duplicates()  # sorts each row as well
    return rows
