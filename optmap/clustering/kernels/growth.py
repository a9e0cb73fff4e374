"""Grow clusters one after the other, always by what needs the fewest new rows."""

from __future__ import annotations

import heapq
from typing import Any, NamedTuple

import numpy as np

from optmap.clustering.kernels.buckets import empty_rings, insert, remove
from optmap.clustering.kernels.twins import Twins
from optmap.compiled import borrowing, compiled, laborious
from optmap.model.snn import IndexArray, IntArray


def grow(twins: Twins, row_limit: IntArray, seeds: IndexArray, near: Near | None = None) -> Parts:
    """Partition twin classes into clusters that fit, each grown from a seed.

    Parameters
    ----------
    twins : Twins
        The classes; a class may be spread over several clusters.
    row_limit : (C' + 2,) int64 array
        Most rows of a crossbar with so many columns; every class must fit one alone.
    seeds : (Q,) int array
        Classes in the order in which they are tried as seeds.
    near : Near, optional
        With them clusters are enclosed: they begin where most is placed around, and ties are broken
        so, that no holes are left.

    Returns
    -------
    part_ptr : (K + 1,) int64 array
        Cluster k consists of parts ``part_ptr[k]:part_ptr[k + 1]``.
    part_class, part_size : (E,) int32 arrays
        Class of each part, and how many of its members.

    Notes
    -----
    Among the classes that share rows with the cluster, the one with the fewest new rows comes next,
    then the one that shares most, if enclosed then the one with most placed readers of its
    sources, then the lowest. If enclosed, a cluster begins with the class of which the largest
    share of these readers is placed, so that clusters lie side by side. Classes that share nothing
    are left to :mod:`optmap.clustering.kernels.packing`. A row taken raises the share of every
    class that reads it: time O(sum over rows taken of their readers), memory O(S).
    """
    room = len(twins.members) + twins.num_classes
    part_ptr = np.zeros(len(twins.members) + 1, dtype=np.int64)
    part_class = np.empty(room, dtype=np.int32)
    part_size = np.empty(room, dtype=np.int32)
    lists = Lists(twins.source_ptr, twins.sources, twins.reader_ptr, twins.readers)
    if near is None:
        near = Near(*(np.empty(0, dtype=kind) for kind in (np.int64, np.int64, np.int32, np.int32)))
    found = Parts(part_ptr, part_class, part_size)
    placed = np.zeros(twins.num_classes, dtype=np.int64)
    clusters = grow_left(lists, twins.sizes, row_limit, seeds, near, placed, found)
    part_ptr = part_ptr[: clusters + 1]
    return Parts(part_ptr, part_class[: part_ptr[-1]], part_size[: part_ptr[-1]])


class Lists(NamedTuple):
    """What each class reads and which classes read each source, compressed; see Twins."""

    source_ptr: Any
    sources: Any
    reader_ptr: Any
    readers: Any


class Near(NamedTuple):
    """The other classes that read what a class reads.

    Parameters
    ----------
    around : (Q,) int64 array
        How many other readers the sources of each class have, by source.
    ptr : (Q + 1,) int64 array
        Where each class's begin; ptr[-1] is E.
    classes, times : (E,) int32 arrays
        Which, once each, and how many sources it shares.
    """

    around: Any
    ptr: Any
    classes: Any
    times: Any


class Parts(NamedTuple):
    """Clusters as parts, as :func:`grow` returns them; with room for more."""

    ptr: Any
    classes: Any
    sizes: Any


class Frontier(NamedTuple):
    """The classes that share rows with the open cluster.

    Parameters
    ----------
    following, preceding : (Q + R + 1,) int32 arrays
        Buckets by the new rows that a class needs, :mod:`optmap.clustering.kernels.buckets`.
    left, shared : (Q,) arrays
        Members that are in no cluster yet; rows shared with the open one.
    on_row_of : (N,) int32 array
        The cluster that last had each source on a row.
    touched : (Q,) int32 array
        The classes that share a row, in the order in which they came.
    placed : (Q,) int64 array
        Readers of a class's sources, by source, that are placed; counted if clusters are enclosed.
    """

    following: Any
    preceding: Any
    left: Any
    shared: Any
    on_row_of: Any
    touched: Any
    placed: Any


def near_classes(twins: Twins) -> Near:
    """Return the other classes that read what each class reads.

    Time and memory O(squares of the readers of a source, summed).
    """
    lists = Lists(twins.source_ptr, twins.sources, twins.reader_ptr, twins.readers)
    return Near(*_near(lists))


@compiled
def _near(lists: Lists) -> Any:
    """Count for each class how often it meets each other one."""
    classes = len(lists.source_ptr) - 1
    around = np.zeros(classes, dtype=np.int64)
    for q in range(classes):
        for s in range(lists.source_ptr[q], lists.source_ptr[q + 1]):
            source = lists.sources[s]
            around[q] += lists.reader_ptr[source + 1] - lists.reader_ptr[source] - 1
    ptr = np.zeros(classes + 1, dtype=np.int64)
    others = np.empty(around.sum(), dtype=np.int32)
    times = np.empty(around.sum(), dtype=np.int32)
    met = np.zeros(classes, dtype=np.int32)
    end = 0
    for q in range(classes):
        end = _meet(lists, q, met, others, end)
        for e in range(ptr[q], end):
            times[e] = met[others[e]]
            met[others[e]] = 0
        ptr[q + 1] = end
    return Near(around, ptr, others, times)


@borrowing
def _meet(lists: Lists, q: Any, met: Any, others: Any, end: Any) -> Any:
    """Count the other readers of what a class reads; list each once, return where the list ends."""
    for s in range(lists.source_ptr[q], lists.source_ptr[q + 1]):
        source = lists.sources[s]
        for r in range(lists.reader_ptr[source], lists.reader_ptr[source + 1]):
            reader = lists.readers[r]
            if reader == q:
                continue
            if met[reader] == 0:
                others[end] = reader
                end += 1
            met[reader] += 1
    return end


@borrowing
def _place(near: Near, chosen: Any, placed: Any) -> None:
    """Count a class among the placed readers of what it reads, if clusters are enclosed."""
    if not len(near.around):
        return
    for e in range(near.ptr[chosen], near.ptr[chosen + 1]):
        placed[near.classes[e]] += near.times[e]


@compiled
def _most_enclosed(begins: Any, placed: Any, around: Any, left: Any) -> Any:
    """Return the class with the largest share of placed readers around; -1 without any."""
    while len(begins):
        minus, q = heapq.heappop(begins)
        if left[q] > 0 and -minus == placed[q] / around[q]:
            return q
    return np.int64(-1)


@borrowing
def _take_rows(
    lists: Lists, frontier: Frontier, chosen: Any, cluster: Any, num_touched: Any, least: Any
) -> Any:
    """Put what ``chosen`` reads on rows; return how many are touched, and the fewest new rows."""
    following, preceding, left, shared, on_row_of, touched, _ = frontier
    source_ptr, sources, reader_ptr, readers = lists
    for s in range(source_ptr[chosen], source_ptr[chosen + 1]):
        source = sources[s]
        if on_row_of[source] == cluster:
            continue
        on_row_of[source] = cluster
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
            insert(following, preceding, len(shared) + needs - 1, reader)
            least = min(least, needs - 1)
    return num_touched, least


@laborious
def grow_left(
    lists: Lists,
    sizes: Any,
    row_limit: Any,
    seeds: Any,
    near: Any,
    placed: Any,
    found: Any,
) -> Any:
    """Fill the three arrays of parts and return the number of clusters."""
    classes, source_ptr, around = len(sizes), lists.source_ptr, near.around
    part_ptr, part_class, part_size = found
    columns_most = len(row_limit) - 2
    left = sizes.copy()
    shared = np.zeros(classes, dtype=np.int32)
    # classes that share rows with the cluster, in buckets by the new rows they need
    following, preceding = empty_rings(classes, row_limit[1] + 1)
    on_row_of = np.full(len(lists.reader_ptr) - 1, -1, dtype=np.int32)
    touched = np.empty(classes, dtype=np.int32)
    frontier = Frontier(following, preceding, left, shared, on_row_of, touched, placed)
    begins = [(0.0, np.int64(0))]  # entries are (-share of readers placed, class)
    begins.clear()
    clusters, parts, at = 0, 0, 0
    while True:
        chosen = _most_enclosed(begins, placed, around, left)
        while chosen < 0 and at < len(seeds):
            if left[seeds[at]] > 0:
                chosen = np.int64(seeds[at])
            else:
                at += 1
        if chosen < 0:
            return clusters
        rows, columns, num_touched = 0, 0, 0
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
            is_full = left[chosen] > 0 or columns == columns_most
            if len(around) or not is_full:  # else whoever shares its rows is not asked any more
                met = _take_rows(lists, frontier, chosen, clusters, num_touched, least)
                num_touched, least = met
            _place(near, chosen, placed)
            if is_full:
                break
            room = row_limit[columns + 1] - rows
            while least <= room and following[classes + least] >= classes:
                least += 1
            if least > room:
                break
            chosen, new = _most_shared(following[classes + least], following, shared, placed), least
        _leave(frontier, num_touched, chosen, around, begins)
        clusters += 1
        part_ptr[clusters] = parts


@compiled
def _leave(frontier: Any, num_touched: Any, chosen: Any, around: Any, begins: Any) -> None:
    """Forget what a full cluster shares with others; note how much is placed around them."""
    for t in range(num_touched):
        reader = frontier.touched[t]
        if frontier.left[reader] > 0:
            if reader != chosen:
                remove(frontier.following, frontier.preceding, reader)
            if len(around):
                share = frontier.placed[reader] / around[reader]
                heapq.heappush(begins, (-share, np.int64(reader)))
        frontier.shared[reader] = 0


@borrowing
def _most_shared(first: Any, following: Any, shared: Any, placed: Any) -> Any:
    """Return the class of a bucket that shares most, then the most enclosed, then the lowest."""
    best, other = np.int64(first), following[first]
    while other < len(shared):
        ahead = (shared[other], placed[other], -other) > (shared[best], placed[best], -best)
        if ahead:
            best = np.int64(other)
        other = following[other]
    return best
