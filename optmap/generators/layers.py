"""Build a network population by population, straight into compressed fan-in lists."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optmap.generators.unroll import Shape, Windows
from optmap.model.snn import SNN, IndexArray, IntArray, Population

#: Refused above this: 4 bytes each, and every later array is as long.
MAX_SYNAPSES = 10**9
MAX_NEURONS = 2**31 - 1


class Layers:
    """Populations added one after the other; each reads earlier ones.

    Examples
    --------
    >>> net = Layers()
    >>> image = net.inputs("image", (1, 4, 4))
    >>> maps = net.windows("maps", image, Windows((1, 4, 4), 2, (2, 2), (2, 2)))
    >>> _ = net.dense("output", 3, maps)
    >>> net.build()
    SNN(27 neurons, 56 synapses, 16 inputs, spikes: assumed)
    """

    def __init__(self) -> None:
        self.populations: list[Population] = []
        self.shapes: list[Shape] = []
        self.num_neurons = 0
        self.num_synapses = 0
        self._counts: list[IntArray] = []
        self._sources: list[IndexArray] = []

    def inputs(self, name: str, shape: Shape) -> int:
        """Add a population without fan-in and return its handle."""
        maps, rows, columns = shape
        self._reserve(maps * rows * columns, 0)
        return self._append(name, shape, np.zeros(maps * rows * columns, dtype=np.int64), None)

    def dense(self, name: str, size: int, source: int) -> int:
        """Add ``size`` neurons that read all of ``source`` and return their handle."""
        population = self.populations[source]
        width = population.last - population.first + 1
        self._reserve(size, size * width)
        one = np.arange(population.first, population.last + 1, dtype=np.int32)
        counts = np.full(size, width, dtype=np.int64)
        return self._append(name, (1, 1, size), counts, np.tile(one, size))

    def windows(self, name: str, source: int, windows: Windows) -> int:
        """Add the feature maps of a convolution or pooling over ``source``."""
        if windows.shape != self.shapes[source]:
            raise ValueError(f"windows over {windows.shape}, population {self.shapes[source]}")
        maps, rows, columns = windows.output
        self._reserve(maps * rows * columns, windows.num_taps)
        counts, sources = windows.fan_in()
        sources += np.int32(self.populations[source].first)
        return self._append(name, windows.output, counts, sources)

    def reading(self, name: str, shape: Shape, counts: IntArray, sources: IndexArray) -> int:
        """Add neurons with given fan-in lists: ``counts`` of each, global ``sources`` in order.

        The sources may lie in this very population (recurrence) and must ascend per neuron.
        """
        self._reserve(len(counts), len(sources))
        return self._append(name, shape, counts, sources)

    def _reserve(self, neurons: int, synapses: int) -> None:
        """Refuse what is too large before it takes memory."""
        if neurons < 1:
            raise ValueError("a population needs at least one neuron")
        if self.num_neurons + neurons > MAX_NEURONS:
            raise ValueError(f"more than {MAX_NEURONS} neurons")
        if self.num_synapses + synapses > MAX_SYNAPSES:
            raise ValueError(f"{self.num_synapses + synapses} synapses, at most {MAX_SYNAPSES}")

    def _append(self, name: str, shape: Shape, counts: IntArray, sources: IndexArray | None) -> int:
        first = self.num_neurons
        self.num_neurons += len(counts)
        self.populations.append(Population(name, first, self.num_neurons - 1))
        self.shapes.append(shape)
        self._counts.append(counts)
        if sources is not None:
            self.num_synapses += len(sources)
            self._sources.append(sources)
        return len(self.populations) - 1

    def build(self) -> SNN:
        """Return the network, every neuron with one assumed spike; the layers are used up."""
        indptr = np.zeros(self.num_neurons + 1, dtype=np.int64)
        np.cumsum(np.concatenate(self._counts), out=indptr[1:])
        indices = _joined(self._sources)
        for array in (indptr, indices):
            array.flags.writeable = False  # SNN then keeps it without another copy
        spikes = np.ones(self.num_neurons, dtype=np.int64)
        return SNN(indptr, indices, spikes, tuple(self.populations))


def _joined(parts: list[IndexArray]) -> IndexArray:
    """Concatenate and free the parts one by one, so that the peak is the sum plus one part."""
    total = sum(map(len, parts))
    whole = np.empty(total, dtype=np.int32)
    stop = total
    while parts:
        part = parts.pop()
        whole[stop - len(part) : stop] = part
        stop -= len(part)
    return whole


def perceptron(names: Sequence[str], sizes: Sequence[int]) -> SNN:
    """Return fully connected layers of the given sizes, the first being inputs."""
    net = Layers()
    last = net.inputs(names[0], (1, 1, sizes[0]))
    for name, size in zip(names[1:], sizes[1:], strict=True):
        last = net.dense(name, size, last)
    return net.build()
