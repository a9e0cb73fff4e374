"""Twin classes: units that read exactly the same sources are one thing in several copies.

A dense layer is one class, a position of a convolution one class of all its output channels, so
that clustering classes instead of units is exact for everything that looks at fan-in only, and
often hundreds of times smaller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from optmap.compiled import borrowing, compiled
from optmap.model.snn import SNN, IndexArray, IntArray


@dataclass(frozen=True, eq=False)
class Twins:
    """Classes 0..Q-1 of the units of a network, by lowest member.

    Parameters
    ----------
    class_of : (U,) int32 array
        Class of each unit position.
    member_ptr, members : (Q + 1,) int64 and (U,) int32 arrays
        Unit positions of each class, ascending.
    source_ptr, sources : (Q + 1,) int64 and int32 arrays
        What each class reads, ascending.
    reader_ptr, readers : (N + 1,) int64 and int32 arrays
        Which classes read each source, ascending.
    """

    class_of: IndexArray
    member_ptr: IntArray
    members: IndexArray
    source_ptr: IntArray
    sources: IndexArray
    reader_ptr: IntArray
    readers: IndexArray

    @property
    def num_classes(self) -> int:
        """Number of classes Q."""
        return len(self.member_ptr) - 1

    @property
    def sizes(self) -> IntArray:
        """Members of each class, shape (Q,)."""
        return np.diff(self.member_ptr)


def twin_classes(network: SNN) -> Twins:
    """Return the twin classes of a network's units.

    Equal fan-ins are found by a hash of their sources and compared in full, so that two different
    fan-ins never become one class. O(S + U log U) time, O(S) memory.
    """
    units = network.units
    key = _hashes(network.indptr, network.indices, units)
    order = np.argsort(key, kind="stable").astype(np.int32)
    class_of, size = _classes(network.indptr, network.indices, units, key, order)
    members = np.argsort(class_of, kind="stable").astype(np.int32)
    member_ptr = np.concatenate(([0], np.cumsum(size)))
    leaders = units[members[member_ptr[:-1]]]
    source_ptr = np.concatenate(([0], np.cumsum(network.fan_in[leaders])))
    sources = np.empty(source_ptr[-1], dtype=np.int32)
    reader_ptr = np.zeros(network.num_neurons + 1, dtype=np.int64)
    readers = np.empty(source_ptr[-1], dtype=np.int32)
    _lists(network.indptr, network.indices, leaders, source_ptr, sources, reader_ptr, readers)
    return Twins(class_of, member_ptr, members, source_ptr, sources, reader_ptr, readers)


@compiled
def _hashes(indptr: Any, indices: Any, units: Any) -> Any:
    """Return a 64-bit hash of every unit's fan-in: a sum of mixed source numbers (splitmix64)."""
    key = np.zeros(len(units), dtype=np.uint64)
    for p in range(len(units)):
        for s in range(indptr[units[p]], indptr[units[p] + 1]):
            z = np.uint64(indices[s]) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(1)
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            key[p] += z ^ (z >> np.uint64(31))
    return key


@borrowing
def _same_fan_in(indptr: Any, indices: Any, a: Any, b: Any) -> Any:
    """Tell whether two units read exactly the same sources."""
    first, other = indptr[a], indptr[b]
    length = indptr[a + 1] - first
    if length != indptr[b + 1] - other:
        return False
    for s in range(length):  # noqa: SIM110 - a generator does not compile
        if indices[first + s] != indices[other + s]:
            return False
    return True


@compiled
def _classes(indptr: Any, indices: Any, units: Any, key: Any, order: Any) -> Any:
    """Return the class of every unit, numbered by first member, and the sizes of the classes."""
    found = np.full(len(units), -1, dtype=np.int32)
    leader = -1
    for i in range(len(order)):
        p = order[i]
        same = leader >= 0 and key[p] == key[leader]
        if not (same and _same_fan_in(indptr, indices, units[leader], units[p])):
            leader = p  # equal keys come in order of position, so a leader is the lowest member
        found[p] = leader
    size = np.zeros(len(units), dtype=np.int64)
    number = np.full(len(units), -1, dtype=np.int32)
    count = 0
    for p in range(len(units)):
        if number[found[p]] < 0:
            number[found[p]] = count
            count += 1
        found[p] = number[found[p]]
        size[found[p]] += 1
    return found, size[:count]


@compiled
def _lists(
    indptr: Any,
    indices: Any,
    leaders: Any,
    source_ptr: Any,
    sources: Any,
    reader_ptr: Any,
    readers: Any,
) -> Any:
    """Fill the fan-in lists of the classes and, transposed, the readers of the sources."""
    for q in range(len(leaders)):
        first = indptr[leaders[q]]
        for s in range(source_ptr[q], source_ptr[q + 1]):
            source = indices[first + s - source_ptr[q]]
            sources[s] = source
            reader_ptr[source + 1] += 1
    for i in range(len(reader_ptr) - 1):
        reader_ptr[i + 1] += reader_ptr[i]
    at = reader_ptr[:-1].copy()
    for q in range(len(leaders)):
        for s in range(source_ptr[q], source_ptr[q + 1]):
            readers[at[sources[s]]] = q
            at[sources[s]] += 1
