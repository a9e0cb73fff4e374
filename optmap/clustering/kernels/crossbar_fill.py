"""Clusters under construction: which rows each has taken, and where another unit still fits.

A :class:`Fill` is a bundle of arrays that compiled kernels share. Row tables of clusters x sources
would grow faster than the network; instead every source keeps the list of clusters that hold it on
a row. A source is held by at most as many clusters as it has readers, so all lists together take
no more room than the synapses.

A cluster is *open* while it can take a unit that brings new rows, *full* when it can only take
units whose sources it holds already, and *closed* when it can take nothing. A source's list has the
open clusters at its front, in no order, and the full ones at its back, in the order in which they
became full, so that membership of a full cluster is a binary search.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from optmap.compiled import borrowing
from optmap.errors import CapacityError
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IndexArray, IntArray

OPEN, FULL, CLOSED = 0, 1, 2


class Fill(NamedTuple):
    """The state of all clusters under construction over one network.

    Parameters
    ----------
    row_limit : (C' + 2,) int64 array
        Most rows of a crossbar that offers so many columns; -1 where none does.
    indptr, indices : arrays
        Fan-in lists of the network.
    first : (N + 1,) int64 array
        Source i keeps its holders in ``holders[first[i]:first[i + 1]]``.
    holders : (S,) int32 array
        Open clusters from the front, ranks of full ones from the back.
    num_open, num_full : (N,) int32 arrays
        Lengths of the two parts.
    rows, columns, state : (U,) int32 arrays
        Per cluster: rows and columns taken, and OPEN, FULL or CLOSED.
    last_member, next_member : (U,), (N,) int32 arrays
        The units of a cluster as a linked list, latest first; -1 ends it.
    full_by_rank : (U,) int32 array
        Full clusters in the order in which they became full.
    shared, touched : (U,) int32 arrays
        Rows an open cluster shares with the unit looked at, and the clusters where that is > 0.
    counts : (3,) int64 array
        Number of clusters, of touched clusters, and of full ones so far.
    """

    row_limit: IntArray
    indptr: IntArray
    indices: IndexArray
    first: IntArray
    holders: IndexArray
    num_open: IndexArray
    num_full: IndexArray
    rows: IndexArray
    columns: IndexArray
    state: IndexArray
    last_member: IndexArray
    next_member: IndexArray
    full_by_rank: IndexArray
    shared: IndexArray
    touched: IndexArray
    counts: IntArray


def row_limits(kinds: Iterable[tuple[int, int]], sources: int | None = None) -> IntArray:
    """Return, for c = 0..C'+1 columns, the most rows of a crossbar that offers c; -1 if none.

    Parameters
    ----------
    kinds : iterable of (R, C')
        The crossbars there are, :attr:`optmap.model.platform.Platform.kinds` of a platform's.
    sources : int, optional
        How many there are to read: rows beyond them are of no use, and cost time to look at.
    """
    shapes = list(kinds)
    limits = np.full(max(c for _, c in shapes) + 2, -1, dtype=np.int64)
    for rows, columns in shapes:
        useful = rows if sources is None else min(rows, sources)
        np.maximum(limits[: columns + 1], useful, out=limits[: columns + 1])
    return limits


def check_units_fit(network: SNN, platform: Platform) -> None:
    """Refuse a network with a unit that no crossbar of the platform can hold alone.

    Raises
    ------
    CapacityError
        Naming the unit, its fan-in and the largest crossbar.
    """
    most = int(row_limits(platform.kinds)[1])
    if network.max_fan_in > most:
        worst = int(network.fan_in.argmax())
        raise CapacityError(
            f"unit {worst} of population {network.population_of(worst)!r} reads"
            f" {network.max_fan_in} sources, the largest crossbar has {most} rows"
        )


def empty_fill(network: SNN, kinds: Iterable[tuple[int, int]]) -> Fill:
    """Return a :class:`Fill` without clusters, with room for one per unit; kinds of (R, C')."""
    units, n = network.num_units, network.num_neurons

    def zeros(size: int) -> IndexArray:
        return np.zeros(size, dtype=np.int32)

    return Fill(
        row_limit=row_limits(kinds, network.num_neurons),
        indptr=network.indptr,
        indices=network.indices,
        first=np.concatenate(([0], np.cumsum(network.fan_out))),
        holders=np.empty(network.num_synapses, dtype=np.int32),
        num_open=zeros(n),
        num_full=zeros(n),
        rows=zeros(units),
        columns=zeros(units),
        state=zeros(units),
        last_member=zeros(units) - np.int32(1),
        next_member=zeros(n) - np.int32(1),
        full_by_rank=zeros(units),
        shared=zeros(units),
        touched=zeros(units),
        counts=np.zeros(3, dtype=np.int64),
    )


@borrowing
def touch(fill: Any, unit: Any) -> Any:
    """Count the rows every open cluster shares with ``unit``; call :func:`untouch` afterwards.

    Clusters that are no longer open drop out of the lists here, when they are met.
    """
    holders, num_open, shared = fill.holders, fill.num_open, fill.shared
    state, touched = fill.state, fill.touched
    found = 0
    for s in range(fill.indptr[unit], fill.indptr[unit + 1]):
        source = fill.indices[s]
        start = fill.first[source]
        i = 0
        while i < num_open[source]:
            k = holders[start + i]
            if state[k] != OPEN:
                num_open[source] -= 1
                holders[start + i] = holders[start + num_open[source]]
                continue
            if shared[k] == 0:
                touched[found] = k
                found += 1
            shared[k] += 1
            i += 1
    fill.counts[1] = found


@borrowing
def untouch(fill: Any) -> Any:
    """Forget the shared rows counted by :func:`touch`."""
    for i in range(fill.counts[1]):
        fill.shared[fill.touched[i]] = 0
    fill.counts[1] = 0


@borrowing
def fits_shared(fill: Any, cluster: Any, fan_in: Any) -> Any:
    """Tell whether the touched unit of so many sources fits an open cluster."""
    rows = fill.rows[cluster] + fan_in - fill.shared[cluster]
    return rows <= fill.row_limit[fill.columns[cluster] + 1]


@borrowing
def _holds(holders: Any, end: Any, num_full: Any, rank: Any) -> Any:
    """Tell whether ``rank`` stands in a list of full clusters, which grows down from ``end``."""
    low, high = 0, num_full
    while low < high:
        middle = (low + high) // 2
        if holders[end - middle] < rank:
            low = middle + 1
        else:
            high = middle
    return low < num_full and holders[end - low] == rank


@borrowing
def full_that_hold(fill: Any, unit: Any, out: Any) -> Any:
    """Write the full clusters that hold every source of ``unit`` to ``out``; return how many.

    Candidates come from the source with the shortest list of full clusters.
    """
    indices, first, holders, num_full = fill.indices, fill.first, fill.holders, fill.num_full
    begin, stop = fill.indptr[unit], fill.indptr[unit + 1]
    if begin == len(indices):  # a unit that reads nothing, behind all others
        return 0
    rarest = indices[begin]
    for s in range(begin, stop):
        if num_full[indices[s]] < num_full[rarest]:
            rarest = indices[s]
    end = first[rarest + 1] - 1
    kept = 0
    found = 0
    for i in range(num_full[rarest]):
        rank = holders[end - i]
        k = fill.full_by_rank[rank]
        if fill.state[k] != FULL:
            continue
        holders[end - kept] = rank  # closed clusters drop out, the order stays
        kept += 1
        holds_all = True
        for s in range(begin, stop):
            source = indices[s]
            if source != rarest and not _holds(
                holders, first[source + 1] - 1, num_full[source], rank
            ):
                holds_all = False
                break
        if holds_all:
            out[found] = k
            found += 1
    num_full[rarest] = kept
    return found


@borrowing
def new_cluster(fill: Any) -> Any:
    """Open a cluster and return its number."""
    fill.counts[0] += 1
    return fill.counts[0] - 1


@borrowing
def place(fill: Any, unit: Any, cluster: Any) -> Any:
    """Give ``unit`` a column of ``cluster`` and its new sources rows; it must fit."""
    first, holders, num_open = fill.first, fill.holders, fill.num_open
    if fill.state[cluster] == OPEN:
        for s in range(fill.indptr[unit], fill.indptr[unit + 1]):
            source = fill.indices[s]
            end = first[source] + num_open[source]
            if _place_of(holders, first[source], end, cluster) < 0:
                # every holder stands for a reader of its own, so the list has room
                holders[end] = cluster
                num_open[source] += 1
                fill.rows[cluster] += 1
    fill.next_member[unit] = fill.last_member[cluster]
    fill.last_member[cluster] = unit
    fill.columns[cluster] += 1
    limit = fill.row_limit[fill.columns[cluster] + 1]
    if fill.rows[cluster] > limit:
        fill.state[cluster] = CLOSED
    elif fill.rows[cluster] == limit and fill.state[cluster] == OPEN:
        _become_full(fill, cluster)


@borrowing
def _place_of(holders: Any, start: Any, end: Any, cluster: Any) -> Any:
    """Return where a cluster stands in ``holders[start:end]``; -1 where it does not."""
    for i in range(start, end):
        if holders[i] == cluster:
            return i
    return -1


@borrowing
def _become_full(fill: Any, cluster: Any) -> Any:
    """Move a cluster from the front of its sources' lists to their back."""
    first, holders, num_open, num_full = fill.first, fill.holders, fill.num_open, fill.num_full
    rank = fill.counts[2]
    fill.counts[2] += 1
    fill.state[cluster] = FULL
    fill.full_by_rank[rank] = cluster
    unit = fill.last_member[cluster]
    while unit >= 0:
        for s in range(fill.indptr[unit], fill.indptr[unit + 1]):
            source = fill.indices[s]
            start, end = first[source], first[source] + num_open[source]
            at = _place_of(holders, start, end, cluster)
            if at >= 0:
                num_open[source] -= 1
                holders[at] = holders[end - 1]
                holders[first[source + 1] - 1 - num_full[source]] = rank
                num_full[source] += 1
        unit = fill.next_member[unit]
