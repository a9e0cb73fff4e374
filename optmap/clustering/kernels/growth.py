"""Grow clusters one after the other, always by what needs the fewest new rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from optmap.clustering.kernels.buckets import empty_rings, insert, remove
from optmap.clustering.kernels.highest import Highest, empty_heap, rise, take_first
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
    clusters = _grow(lists, twins.sizes, row_limit, seeds, near, found)
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
    met, gained : (Q,) int32 arrays
        The classes that read what one class puts on rows, and how many of these rows.
    placed : (Q,) int64 array
        Readers of a class's sources, by source, that are placed; counted if clusters are enclosed.
    begins : Highest
        The classes that a full cluster shared rows with, by the share of these readers then.
    """

    following: Any
    preceding: Any
    left: Any
    shared: Any
    on_row_of: Any
    touched: Any
    met: Any
    gained: Any
    placed: Any
    begins: Highest


@compiled
def frontier_of(lists: Lists, left: Any, row_limit: Any) -> Any:
    """Return a frontier without an open cluster, for these members to be placed."""
    classes = len(left)
    following, preceding = empty_rings(classes, row_limit[1] + 1)
    return Frontier(
        following,
        preceding,
        left,
        np.zeros(classes, dtype=np.int32),
        np.full(len(lists.reader_ptr) - 1, -1, dtype=np.int32),
        np.empty(classes, dtype=np.int32),
        np.empty(classes, dtype=np.int32),
        np.zeros(classes, dtype=np.int32),
        np.zeros(classes, dtype=np.int64),
        empty_heap(np.zeros(classes, dtype=np.float64)),
    )


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


@borrowing
def _most_enclosed(frontier: Frontier, around: Any) -> Any:
    """Return the class with the largest share of placed readers around; -1 without any."""
    begins = frontier.begins
    q = take_first(begins)
    while q >= 0:
        if frontier.left[q] > 0 and begins.key[q] == frontier.placed[q] / around[q]:
            return q
        q = take_first(begins)
    return q


@borrowing
def _take_rows(
    lists: Lists, frontier: Frontier, chosen: Any, cluster: Any, num_touched: Any, least: Any
) -> Any:
    """Put what ``chosen`` reads on rows; return how many are touched, and the fewest new rows."""
    following, preceding, left, shared, on_row_of, touched, met, gained, _, _ = frontier
    source_ptr, sources, reader_ptr, readers = lists
    num_met = 0
    for s in range(source_ptr[chosen], source_ptr[chosen + 1]):
        source = sources[s]
        if on_row_of[source] == cluster:
            continue
        on_row_of[source] = cluster
        for r in range(reader_ptr[source], reader_ptr[source + 1]):
            reader = readers[r]
            if left[reader] == 0 or reader == chosen:
                continue
            if gained[reader] == 0:
                met[num_met] = reader
                num_met += 1
            gained[reader] += 1
    for reader in met[:num_met]:
        if shared[reader] == 0:
            touched[num_touched] = reader
            num_touched += 1
        else:
            remove(following, preceding, reader)
        shared[reader] += gained[reader]
        gained[reader] = 0
        needs = source_ptr[reader + 1] - source_ptr[reader] - shared[reader]
        insert(following, preceding, len(shared) + needs, reader)
        least = min(least, needs)
    return num_touched, least


@laborious
def _grow(lists: Lists, left: Any, row_limit: Any, seeds: Any, near: Any, found: Any) -> Any:
    """Fill the three arrays of parts and return the number of clusters."""
    return grow_left(lists, frontier_of(lists, left, row_limit), row_limit, seeds, near, 0, found)


@borrowing
def grow_left(
    lists: Lists,
    frontier: Frontier,
    row_limit: Any,
    seeds: Any,
    near: Any,
    numbered: Any,
    found: Any,
) -> Any:
    """Place what is left, fill the three arrays of parts and return the number of clusters.

    The frontier is then as it was, with nothing left; it knows of clusters below ``numbered``.
    """
    source_ptr, around = lists.source_ptr, near.around
    following, shared, left, placed = (
        frontier.following,
        frontier.shared,
        frontier.left,
        frontier.placed,
    )
    classes, columns_most = len(left), len(row_limit) - 2
    part_ptr, part_class, part_size = found
    clusters, parts, at = 0, 0, 0
    while True:
        chosen = _most_enclosed(frontier, around)
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
                remove(following, frontier.preceding, chosen)
            is_full = left[chosen] > 0 or columns == columns_most
            if len(around) or not is_full:  # else whoever shares its rows is not asked any more
                num_touched, least = _take_rows(
                    lists, frontier, chosen, numbered + clusters, num_touched, least
                )
            _place(near, chosen, placed)
            if is_full:
                break
            room = row_limit[columns + 1] - rows
            while least <= room and following[classes + least] >= classes:
                least += 1
            if least > room:
                break
            chosen, new = _most_shared(following[classes + least], following, shared, placed), least
        _leave(frontier, num_touched, chosen, around)
        clusters += 1
        part_ptr[clusters] = parts


@borrowing
def _leave(frontier: Frontier, num_touched: Any, chosen: Any, around: Any) -> None:
    """Forget what a full cluster shares with others; note how much is placed around them."""
    for t in range(num_touched):
        reader = frontier.touched[t]
        if frontier.left[reader] > 0:
            if reader != chosen:
                remove(frontier.following, frontier.preceding, reader)
            if len(around):
                frontier.begins.key[reader] = frontier.placed[reader] / around[reader]
                rise(frontier.begins, reader)
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
