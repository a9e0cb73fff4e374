"""Train a feed-forward network whose synapses share weights, in numpy, and let it spike.

A layer is a block of fan-in lists and, per synapse, the number of the weight it uses: a dense layer
has as many weights as synapses, a convolution a few, a graph convolution as many as features. ReLU
networks without bias are trained (Adam, softmax cross-entropy) and then run as
integrate-and-fire neurons of threshold 1, each layer scaled by its largest usual activation [1]_.

References
----------
.. [1] Diehl et al., "Fast-classifying, high-accuracy spiking deep networks through weight and
   threshold balancing", IJCNN 2015.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse

from optmap.model.snn import SNN
from optmap.simulation.encoded import integrate_and_fire
from optmap.simulation.simulate import Convention, Simulation, simulate

CONVENTION = Convention(dt=1.0, reset="subtract", at_threshold=True)


@dataclass
class Block:
    """Synapses between two populations: CSR pattern, weight number of each, the weights."""

    indptr: np.ndarray
    indices: np.ndarray
    width: int
    tie: np.ndarray
    weights: np.ndarray
    trained: bool = True

    def matrix(self) -> scipy.sparse.csr_array:
        """Return the weights as (neurons, width) compressed rows."""
        shape = (len(self.indptr) - 1, self.width)
        return scipy.sparse.csr_array((self.weights[self.tie], self.indices, self.indptr), shape)


def block(snn: SNN, population: int, tie: np.ndarray | None = None, *, seed: int = 0) -> Block:
    """Return the block into a population from the one before it.

    ``tie`` numbers the weights; None: a weight of its own for every synapse. A negative number
    everywhere: fixed weights 1 / fan-in (pooling).
    """
    here, before = snn.populations[population], snn.populations[population - 1]
    start, stop = snn.indptr[here.first], snn.indptr[here.last + 1]
    indptr = snn.indptr[here.first : here.last + 2] - start
    indices = snn.indices[start:stop] - before.first
    width = before.last - before.first + 1
    assert indices.min() >= 0
    assert indices.max() < width, "layers in a row only"
    fan_in = max(1, int(np.diff(indptr).max()))
    if tie is not None and (tie < 0).all():
        weights = np.full(1, 1 / fan_in)
        return Block(indptr, indices, width, np.zeros(len(indices), int), weights, False)
    numbers = np.arange(len(indices)) if tie is None else tie
    rng = np.random.default_rng(seed)
    weights = rng.normal(0, np.sqrt(2 / fan_in), int(numbers.max()) + 1)
    return Block(indptr, indices, width, numbers, weights)


def conv_tie(snn: SNN, population: int, shape_in: tuple, shape_out: tuple, kernel: tuple,
             stride: tuple, padding: tuple) -> np.ndarray:  # fmt: skip
    """Return the weight number of every synapse of a convolution, (maps, rows, columns) shapes."""
    here, before = snn.populations[population], snn.populations[population - 1]
    start, stop = snn.indptr[here.first], snn.indptr[here.last + 1]
    pre = snn.indices[start:stop] - before.first
    fan_in = np.diff(snn.indptr[here.first : here.last + 2])
    post = np.repeat(np.arange(len(fan_in)), fan_in)
    out_map, out_place = np.divmod(post, shape_out[1] * shape_out[2])
    out_row, out_column = np.divmod(out_place, shape_out[2])
    in_map, in_place = np.divmod(pre, shape_in[1] * shape_in[2])
    in_row, in_column = np.divmod(in_place, shape_in[2])
    row = in_row - out_row * stride[0] + padding[0]
    column = in_column - out_column * stride[1] + padding[1]
    assert (row >= 0).all()
    assert (row < kernel[0]).all()
    return ((out_map * shape_in[0] + in_map) * kernel[0] + row) * kernel[1] + column


def forward(blocks: list[Block], x: np.ndarray) -> list[np.ndarray]:
    """Return the activations (n, samples) of every layer, input first; ReLU but for the last."""
    values = [x.T]
    for i, part in enumerate(blocks):
        y = part.matrix() @ values[-1]
        values.append(y if i == len(blocks) - 1 else np.maximum(y, 0))
    return values


def train(blocks: list[Block], x: np.ndarray, labels: np.ndarray, epochs: int, *, seed: int,
          step: float = 2e-3, batch: int = 64) -> None:  # fmt: skip
    """Train the weights in place."""
    rng = np.random.default_rng(seed)
    moments = [(np.zeros_like(b.weights), np.zeros_like(b.weights)) for b in blocks]
    count = 0
    for epoch in range(epochs):
        lost = 0.0
        for part in np.array_split(rng.permutation(len(x)), max(1, len(x) // batch)):
            values = forward(blocks, x[part])
            z = values[-1] - values[-1].max(axis=0)
            p = np.exp(z) / np.exp(z).sum(axis=0)
            place = (labels[part], np.arange(len(part)))
            lost -= float(np.log(p[place] + 1e-12).sum())
            gradient = p
            gradient[place] -= 1
            gradient /= len(part)
            count += 1
            rate = step * (1 - (epoch / epochs) ** 2)
            gradients = backward(blocks, values, gradient)
            for b, (m, v), g in zip(blocks, moments, gradients, strict=True):
                if not b.trained:
                    continue
                g = g + 1e-4 * b.weights
                m *= 0.9
                m += 0.1 * g
                v *= 0.999
                v += 0.001 * g * g
                fair = np.sqrt(v / (1 - 0.999**count)) + 1e-8
                b.weights -= rate * m / (1 - 0.9**count) / fair
        if epoch % 5 == 4:
            print(f"  epoch {epoch + 1}: loss {lost / len(x):.4f}", flush=True)


def backward(blocks: list[Block], values: list[np.ndarray], gradient: np.ndarray) -> list:
    """Return the gradient of every block's weights."""
    found: list = [None] * len(blocks)
    for i in range(len(blocks) - 1, -1, -1):
        part = blocks[i]
        if part.trained:
            post = np.repeat(np.arange(len(part.indptr) - 1), np.diff(part.indptr))
            each = np.zeros(len(post))
            for start in range(0, len(post), 200_000):
                cut = slice(start, start + 200_000)
                each[cut] = np.einsum("sb,sb->s", gradient[post[cut]], values[i][part.indices[cut]])
            found[i] = np.bincount(part.tie, weights=each, minlength=len(part.weights))
        if i:
            gradient = part.matrix().T @ gradient
            gradient = gradient * (values[i] > 0)
    return found


def balanced(snn: SNN, blocks: list[Block], x: np.ndarray) -> SNN:
    """Return the network with weights scaled so that usual activations stay below one."""
    values = forward(blocks, x)
    usual = [1.0] + [float(np.percentile(v.max(axis=0), 90)) for v in values[1:]]
    parts = [
        part.matrix().data * (before / here)
        for part, before, here in zip(blocks, usual, usual[1:], strict=False)
    ]
    weights = np.concatenate(parts).astype(np.float32)
    return SNN(snn.indptr, snn.indices, snn.spikes, snn.populations, weights)


def run(snn: SNN, current: np.ndarray) -> Simulation:
    """Return what happens when the first population is shown ``current`` (steps, samples, n)."""
    return simulate(integrate_and_fire(snn), {snn.populations[0].name: current}, CONVENTION)
