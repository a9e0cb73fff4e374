"""Max-plus matrices: products, powers, eigenvalue, eigenvector and star, exact.

In max-plus algebra a + b is max(a, b) and a * b is a + b; zero is minus infinity, one is 0 [BCOQ]_.

References
----------
.. [BCOQ] Baccelli, Cohen, Olsder, Quadrat, "Synchronization and Linearity", 1992.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from optmap.compiled import compiled
from optmap.sdf.cycle_ratio import maximum_cycle_ratio
from optmap.sdf.longest_path import LIMIT
from optmap.sdf.marked_graph import IntArray, MarkedGraph, read_only

#: Minus infinity, max-plus zero. Every entry below -2^62 means it.
NEVER = -(2**63)
_FINITE = -(2**62)


@compiled
def _times(left: Any, right: Any) -> Any:
    """Return the max-plus product; entries of LIMIT or more do not occur (checked by callers)."""
    rows, inner, columns = left.shape[0], left.shape[1], right.shape[1]
    product = np.full((rows, columns), NEVER, dtype=np.int64)
    for i in range(rows):
        for k in range(inner):
            a = left[i, k]
            if a < _FINITE:
                continue
            for j in range(columns):
                b = right[k, j]
                if b >= _FINITE and a + b > product[i, j]:
                    product[i, j] = a + b
    return product


@compiled
def _walks(star: Any) -> None:
    """Turn a matrix without positive cycles into the best walks of length >= 1 (Floyd)."""
    n = star.shape[0]
    for k in range(n):
        for i in range(n):
            a = star[i, k]
            if a < _FINITE:
                continue
            for j in range(n):
                b = star[k, j]
                if b >= _FINITE and a + b > star[i, j]:
                    star[i, j] = a + b


@dataclass(frozen=True, eq=False)
class MaxPlusMatrix:
    """A max-plus matrix with integer or minus-infinite entries.

    Parameters
    ----------
    entries : (n, m) int64 array
        ``NEVER`` stands for minus infinity.

    Raises
    ------
    ValueError
        If the array has not two dimensions or an entry's size is 2^61 or more.

    Examples
    --------
    >>> matrix = MaxPlusMatrix([[NEVER, 3], [2, NEVER]])
    >>> matrix.eigenvalue(), matrix.power(2).entries.tolist() == [[5, NEVER], [NEVER, 5]]
    (Fraction(5, 2), True)
    """

    entries: IntArray

    def __post_init__(self) -> None:
        entries = read_only(self.entries, np.int64)
        if entries.ndim != 2:
            raise ValueError(f"max-plus matrix: {entries.ndim} dimensions, expected 2")
        finite = entries[entries != NEVER]
        if len(finite) and max(int(finite.max()), -int(finite.min())) > LIMIT:
            raise ValueError("max-plus matrix: entries must stay within 2^61")
        object.__setattr__(self, "entries", entries)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.entries.shape[0], self.entries.shape[1]

    @staticmethod
    def identity(size: int) -> MaxPlusMatrix:
        """Return the matrix that changes no vector: 0 on the diagonal, NEVER elsewhere."""
        entries = np.full((size, size), NEVER, dtype=np.int64)
        np.fill_diagonal(entries, 0)
        return MaxPlusMatrix(entries)

    def __matmul__(self, other: MaxPlusMatrix) -> MaxPlusMatrix:
        """Return the max-plus product; OverflowError where an entry could leave 2^61."""
        if self.shape[1] != other.shape[0]:
            raise ValueError(f"max-plus product of shapes {self.shape} and {other.shape}")
        if self._size() + other._size() > LIMIT:
            raise OverflowError("max-plus product leaves 64-bit integers")
        return MaxPlusMatrix(_times(self.entries, other.entries))

    def __or__(self, other: MaxPlusMatrix) -> MaxPlusMatrix:
        """Return the max-plus sum: the larger entry of the two."""
        if self.shape != other.shape:
            raise ValueError(f"max-plus sum of shapes {self.shape} and {other.shape}")
        return MaxPlusMatrix(np.maximum(self.entries, other.entries))

    def __call__(self, vector: Sequence[int] | npt.NDArray[np.int64]) -> IntArray:
        """Return the matrix times a column vector, shape (rows,)."""
        column = MaxPlusMatrix(np.asarray(vector, dtype=np.int64).reshape(-1, 1))
        product: IntArray = (self @ column).entries[:, 0]
        return product

    def __eq__(self, other: object) -> bool:
        """Compare entry by entry."""
        return (
            np.array_equal(self.entries, other.entries)
            if isinstance(other, MaxPlusMatrix)
            else NotImplemented
        )

    __hash__ = None  # type: ignore[assignment]  # an array inside; compare, do not hash

    def _size(self) -> int:
        finite = self.entries[self.entries != NEVER]
        return int(np.abs(finite).max(initial=0))

    def _square(self) -> int:
        if self.shape[0] != self.shape[1]:
            raise ValueError(f"max-plus matrix of shape {self.shape} is not square")
        return self.shape[0]

    def power(self, exponent: int) -> MaxPlusMatrix:
        """Return the matrix times itself ``exponent`` times; the identity for 0."""
        if exponent < 0:
            raise ValueError(f"max-plus power {exponent}, expected >= 0")
        result, square = MaxPlusMatrix.identity(self._square()), self
        while exponent:
            if exponent & 1:
                result = result @ square
            exponent >>= 1
            if exponent:
                square = square @ square
        return result

    def graph(self, shift: int = 0) -> MarkedGraph:
        """Return the precedence graph: entry (i, j) is an edge j -> i with one token.

        Parameters
        ----------
        shift : int
            Added to every delay, so that negative entries can be told as delays.
        """
        rows, columns = np.nonzero(self.entries != NEVER)
        delay = self.entries[rows, columns] + shift
        ones = np.ones(len(rows), dtype=np.int64)
        ends = columns.astype(np.int32), rows.astype(np.int32)
        return MarkedGraph(self._square(), *ends, delay, ones)

    def eigenvalue(self) -> Fraction | None:
        """Return the maximum cycle mean: the largest eigenvalue; None where there is no cycle."""
        negative = self.entries[(self.entries != NEVER) & (self.entries < 0)]
        shift = -int(negative.min()) if len(negative) else 0
        ratio, _ = maximum_cycle_ratio(self.graph(shift))
        return None if ratio is None else ratio - shift

    def critical_cycle(self) -> list[int]:
        """Return the indices along a cycle whose mean is the eigenvalue; empty without a cycle."""
        negative = self.entries[(self.entries != NEVER) & (self.entries < 0)]
        graph = self.graph(-int(negative.min()) if len(negative) else 0)
        return [int(graph.source[e]) for e in maximum_cycle_ratio(graph)[1]]

    def star(self) -> MaxPlusMatrix:
        """Return A* = I + A + A^2 + ...: the best walks of any length, the empty one included.

        Raises
        ------
        ValueError
            If a cycle is positive (the eigenvalue is), so that the sum does not end.
        OverflowError
            If a walk could leave 64-bit integers.
        """
        n = self._square()
        value = self.eigenvalue()
        if value is not None and value > 0:
            raise ValueError(f"max-plus star: eigenvalue {value}, expected <= 0")
        if self._size() * max(n, 1) > LIMIT:
            raise OverflowError("max-plus star leaves 64-bit integers")
        walks = self.entries.copy()
        _walks(walks)
        return MaxPlusMatrix(walks) | MaxPlusMatrix.identity(n)

    def eigenvector(self) -> list[Fraction]:
        """Return finite v with (A v)[i] = eigenvalue + v[i], its least entry 0.

        It is the column of a critical index in the star of A minus its eigenvalue.

        Raises
        ------
        ValueError
            If there is no cycle, or not every index is reached from the critical cycle (an
            irreducible matrix has such a vector).
        """
        value = self.eigenvalue()
        if value is None:
            raise ValueError("max-plus eigenvector: the matrix has no cycle")
        p, q = value.numerator, value.denominator
        if self._size() * q + abs(p) > LIMIT:
            raise OverflowError("max-plus eigenvector leaves 64-bit integers")
        scaled = np.where(self.entries != NEVER, self.entries * q - p, NEVER)
        column = MaxPlusMatrix(scaled).star().entries[:, self.critical_cycle()[0]]
        if (column == NEVER).any():
            where = int(np.flatnonzero(column == NEVER)[0])
            raise ValueError(f"max-plus eigenvector: index {where} never waits for the cycle")
        least = int(column.min())
        return [Fraction(int(x) - least, q) for x in column]
