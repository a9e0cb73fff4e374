"""The marked graph: actors, edges with a delay and initial tokens, every rate one.

Edge e says: firing n of ``target[e]`` starts no earlier than ``delay[e]`` ticks after the start of
firing n - ``tokens[e]`` of ``source[e]``. Parallel edges and self-loops are allowed. A single edge
may hold a negative number of tokens (offsets of a software-pipelined order make such edges); a
cycle whose tokens do not sum to at least one is a deadlock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
IndexArray = npt.NDArray[np.int32]


def read_only(values: Any, dtype: type[np.generic]) -> npt.NDArray[Any]:
    """Return ``values`` as a contiguous read-only array; a writeable argument is copied.

    Raises
    ------
    ValueError
        If a value does not fit ``dtype`` exactly.
    """
    given = np.asarray(values)
    array = np.ascontiguousarray(given, dtype=dtype)
    if given.dtype != dtype and not np.array_equal(given, array):
        raise ValueError(f"values do not fit {np.dtype(dtype).name}")
    return locked(array, values)


def locked(array: npt.NDArray[Any], given: Any) -> npt.NDArray[Any]:
    """Return ``array``, made from ``given``, read-only: copied if it may be written elsewhere."""
    if array.flags.writeable:
        if array is given or array.base is not None:
            array = array.copy()
        array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class MarkedGraph:
    """A single-rate dataflow graph as frozen arrays.

    Parameters
    ----------
    num_actors : int
        Actors are 0..num_actors-1.
    source, target : (m,) int32 arrays
        Edge e runs from ``source[e]`` to ``target[e]``.
    delay : (m,) int64 array
        Ticks from the start of a firing of the source to the token's arrival, >= 0.
    tokens : (m,) int64 array
        Initial tokens; single edges may be negative, sums along cycles must not.

    Raises
    ------
    ValueError
        If the arrays differ in length, an actor does not exist or a delay is negative.
    """

    num_actors: int
    source: IndexArray
    target: IndexArray
    delay: IntArray
    tokens: IntArray

    def __post_init__(self) -> None:
        for name, dtype in (
            ("source", np.int32),
            ("target", np.int32),
            ("delay", np.int64),
            ("tokens", np.int64),
        ):
            object.__setattr__(self, name, read_only(getattr(self, name), dtype))
        shapes = {a.shape for a in (self.source, self.target, self.delay, self.tokens)}
        if len(shapes) != 1 or self.source.ndim != 1:
            raise ValueError(f"marked graph: edge arrays of shapes {sorted(shapes)}")
        if self.num_actors < 0:
            raise ValueError(f"marked graph: {self.num_actors} actors")
        if len(self.source):
            low = int(min(self.source.min(), self.target.min()))
            high = int(max(self.source.max(), self.target.max()))
            if low < 0 or high >= self.num_actors:
                raise ValueError(
                    f"marked graph: edges join actors {low}..{high};"
                    f" actors are 0..{self.num_actors - 1}"
                )
            if self.delay.min() < 0:
                edge = int(self.delay.argmin())
                raise ValueError(f"marked graph: edge {edge} has delay {self.delay[edge]}")

    @property
    def num_edges(self) -> int:
        """Number of edges m."""
        return len(self.source)

    def __repr__(self) -> str:
        """Say the sizes, not the arrays."""
        return f"MarkedGraph({self.num_actors} actors, {self.num_edges} edges)"
