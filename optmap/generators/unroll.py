"""Connectivity of layers as fan-in lists: dense, convolution, pooling (vectorised, no weights).

Positions inside a population run feature map by feature map, row by row (:mod:`optmap.model.snn`),
so a neuron of map c at (y, x) of a C x H x W population is number ``(c * H + y) * W + x`` in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from optmap.model.snn import IndexArray, IntArray

#: (maps, rows, columns) of a population; a plain vector of n neurons is (1, 1, n).
Shape = tuple[int, int, int]


def output_size(
    size: int, kernel: int, stride: int, padding: tuple[int, int], dilation: int
) -> int:
    """Return how many positions a window visits along one axis; may be <= 0.

    Parameters
    ----------
    size, kernel, stride, dilation : int
        Positions of the axis, taps of the window, step between windows, distance between taps.
    padding : (int, int)
        Positions added before and behind the axis.
    """
    return (size + sum(padding) - dilation * (kernel - 1) - 1) // stride + 1


def window_taps(
    size: int, kernel: int, stride: int, before: int, dilation: int, outputs: int
) -> IndexArray:
    """Return which position each tap of each window reads along one axis.

    Returns
    -------
    (outputs, kernel) int32 array
        The position, or -1 where the tap falls into the padding.
    """
    start = np.arange(outputs, dtype=np.int64)[:, None] * stride - before
    position = start + np.arange(kernel, dtype=np.int64)[None, :] * dilation
    position[(position < 0) | (position >= size)] = -1
    return position.astype(np.int32)


@dataclass(frozen=True)
class Windows:
    """The windows of a convolution or pooling over one C x H x W population.

    Parameters
    ----------
    shape : Shape
        What is read.
    channels : int
        Feature maps produced; a multiple of ``groups``.
    kernel, stride, dilation : (int, int)
        Along rows and columns.
    padding : ((int, int), (int, int))
        Before and behind, along rows and columns.
    groups : int
        Map c of the output reads the maps of its group only; ``groups = C = channels`` is pooling.

    Raises
    ------
    ValueError
        If the numbers do not fit each other; the message has them.
    """

    shape: Shape
    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    def __post_init__(self) -> None:
        counts = (*self.shape, self.channels, *self.kernel, *self.stride, *self.dilation)
        if min(*counts, self.groups) < 1 or min(min(self.padding)) < 0:
            raise ValueError(f"sizes must be >= 1 and padding >= 0 in {self}")
        if self.shape[0] % self.groups or self.channels % self.groups:
            raise ValueError(
                f"{self.groups} groups divide neither {self.shape[0]} maps in"
                f" nor {self.channels} maps out"
            )
        if min(self.output) < 1:
            raise ValueError(
                f"kernel {self.kernel} with dilation {self.dilation} does not fit"
                f" {self.shape[1:]} with padding {self.padding}"
            )

    @cached_property
    def output(self) -> Shape:
        """Shape of the population produced."""
        rows, columns = (
            output_size(*part)
            for part in zip(
                self.shape[1:], self.kernel, self.stride, self.padding, self.dilation, strict=True
            )
        )
        return self.channels, rows, columns

    @property
    def num_taps(self) -> int:
        """Taps over all windows, those in the padding included: what building costs."""
        maps, rows, columns = self.output
        return (
            maps * rows * columns * self.shape[0] // self.groups * self.kernel[0] * self.kernel[1]
        )

    def taps(self) -> tuple[IndexArray, npt.NDArray[np.bool_]]:
        """Return what the windows of one output map read in the first group.

        Returns
        -------
        positions : (windows, C / groups * kernel rows * kernel columns) int32 array
            Neuron numbers inside the population, ascending along a row; only true where ``valid``.
        valid : bool array of the same shape
            False where the tap falls into the padding.
        """
        (maps, height, width), (_, rows, columns) = self.shape, self.output
        down, across = (
            window_taps(size, kernel, stride, padding[0], dilation, outputs)
            for size, kernel, stride, padding, dilation, outputs in zip(
                (height, width),
                self.kernel,
                self.stride,
                self.padding,
                self.dilation,
                (rows, columns),
                strict=True,
            )
        )
        place = down[:, None, None, :, None] * width + across[None, :, None, None, :]
        inside = (down >= 0)[:, None, None, :, None] & (across >= 0)[None, :, None, None, :]
        first = np.arange(maps // self.groups, dtype=np.int32) * (height * width)
        full = (rows, columns, len(first), *self.kernel)
        positions = np.broadcast_to(place + first[None, None, :, None, None], full)
        valid = np.broadcast_to(inside, full)
        return positions.reshape(rows * columns, -1), valid.reshape(rows * columns, -1)

    def fan_in(self) -> tuple[IntArray, IndexArray]:
        """Return the fan-in of every output neuron and the neurons read, concatenated.

        Returns
        -------
        counts : (outputs,) int64 array
        sources : (sum of counts,) int32 array
            Numbers inside the population read, ascending within each output neuron.
        """
        positions, valid = self.taps()
        one_map = positions[valid]
        repeats = self.channels // self.groups
        stride = self.shape[0] // self.groups * self.shape[1] * self.shape[2]
        sources = np.empty((self.groups, repeats, len(one_map)), dtype=np.int32)
        for group in range(self.groups):
            np.add(one_map, group * stride, out=sources[group], casting="unsafe")
        counts = np.tile(valid.sum(axis=1, dtype=np.int64), self.channels)
        return counts, sources.reshape(-1)
