"""Grow clusters one after the other, always by what needs the fewest new rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from optmap.clustering.kernels.buckets import empty_rings, insert, remove
from optmap.clustering.kernels.twins import Twins
from optmap.compiled import compiled
from optmap.model.snn import IndexArray, IntArray


def grow(
    twins: Twins, row_limit: IntArray, seeds: IndexArray
) -> tuple[IntArray, IndexArray, IndexArray]:
    """Partition twin classes into clusters that fit, each grown from a seed.

    Parameters
    ----------
    twins : Twins
        The classes; a class may be spread over several clusters.
    row_limit : (C' + 2,) int64 array
        Most rows of a crossbar with so many columns; every class must fit one alone.
    seeds : (Q,) int array
        Classes in the order in which they are tried as seeds.

    Returns
    -------
    part_ptr : (K + 1,) int64 array
        Cluster k consists of parts ``part_ptr[k]:part_ptr[k + 1]``.
    part_class, part_size : (E,) int32 arrays
        Class of each part, and how many of its members.

    Notes
    -----
    Among the classes that share rows with the cluster, the one with the fewest new rows comes next,
    then the one that shares most, then the lowest. Classes that share nothing are left to
    :mod:`optmap.clustering.kernels.packing`. A row taken raises the share of every class that reads
    it: time O(sum over rows taken of their readers), memory O(S).
    """
    room = len(twins.members) + twins.num_classes
    part_ptr = np.zeros(len(twins.members) + 1, dtype=np.int64)
    part_class = np.empty(room, dtype=np.int32)
    part_size = np.empty(room, dtype=np.int32)
    clusters = _grow(
        twins.source_ptr,
        twins.sources,
        twins.reader_ptr,
        twins.readers,
        twins.sizes,
        row_limit,
        seeds,
        part_ptr,
        part_class,
        part_size,
    )
    part_ptr = part_ptr[: clusters + 1]
    return part_ptr, part_class[: part_ptr[-1]], part_size[: part_ptr[-1]]


@compiled
def _grow(
    source_ptr: Any,
    sources: Any,
    reader_ptr: Any,
    readers: Any,
    sizes: Any,
    row_limit: Any,
    seeds: Any,
    part_ptr: Any,
    part_class: Any,
    part_size: Any,
) -> Any:
    """Fill the three arrays of parts and return the number of clusters."""
    classes = len(sizes)
    columns_most = len(row_limit) - 2
    left = sizes.copy()
    shared = np.zeros(classes, dtype=np.int32)
    # classes that share rows with the cluster, in buckets by the new rows they need
    following, preceding = empty_rings(classes, row_limit[1] + 1)
    on_row_of = np.full(len(reader_ptr) - 1, -1, dtype=np.int32)
    touched = np.empty(classes, dtype=np.int32)
    clusters, parts = 0, 0
    for seed in seeds:
        while left[seed] > 0:
            chosen, rows, columns, num_touched = seed, 0, 0, 0
            new = source_ptr[chosen + 1] - source_ptr[chosen]
            least = row_limit[1] + 1  # no class of the buckets needs fewer new rows
            while True:
                rows += new
                taken = 0
                while taken < left[chosen] and rows <= row_limit[columns + taken + 1]:
                    taken += 1
                part_class[parts], part_size[parts] = chosen, taken
                parts += 1
                left[chosen] -= taken
                columns += taken
                if shared[chosen] > 0:
                    remove(following, preceding, chosen)
                for s in range(source_ptr[chosen], source_ptr[chosen + 1]):
                    source = sources[s]
                    if on_row_of[source] == clusters:
                        continue
                    on_row_of[source] = clusters
                    for r in range(reader_ptr[source], reader_ptr[source + 1]):
                        reader = readers[r]
                        if left[reader] == 0 or reader == chosen:
                            continue
                        needs = source_ptr[reader + 1] - source_ptr[reader] - shared[reader]
                        if shared[reader] == 0:
                            touched[num_touched] = reader
                            num_touched += 1
                        else:
                            remove(following, preceding, reader)
                        shared[reader] += 1
                        insert(following, preceding, classes + needs - 1, reader)
                        least = min(least, needs - 1)
                if left[chosen] > 0 or columns == columns_most:
                    break
                room = row_limit[columns + 1] - rows
                while least <= room and following[classes + least] >= classes:
                    least += 1
                if least > room:
                    break
                chosen, new = _most_shared(following[classes + least], following, shared), least
            for t in range(num_touched):
                reader = touched[t]
                if left[reader] > 0 and reader != chosen:
                    remove(following, preceding, reader)
                shared[reader] = 0
            clusters += 1
            part_ptr[clusters] = parts
    return clusters


@compiled
def _most_shared(first: Any, following: Any, shared: Any) -> Any:
    """Return the class of a bucket that shares most, the lowest of equals."""
    best, other = first, following[first]
    while other < len(shared):
        if shared[other] > shared[best] or (shared[other] == shared[best] and other < best):
            best = other
        other = following[other]
    return best
