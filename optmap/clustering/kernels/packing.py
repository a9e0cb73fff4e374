"""Fewer clusters from given ones: merge by shared rows, then dissolve what fits elsewhere.

Clusters are bins here, made of *parts* (some members of a twin class). Every source keeps the list
of bins that hold it, so that the bins which share rows with a part are met without looking at the
others; bins that share nothing are found by the rows they have left.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from optmap.clustering.kernels.buckets import empty_rings, insert, remove
from optmap.compiled import borrowing, compiled, laborious
from optmap.model.snn import IndexArray, IntArray

#: How often all bins are tried to be given up, at most.
PASSES = 10


class Bins(NamedTuple):
    """Bins 0..K-1; one with no columns is unused.

    ``holders[first[i]:first[i] + held[i]]`` are the bins with source i on a row. ``shared`` and
    ``touched`` are scratch of :func:`_best_bin`; ``following`` and ``preceding`` hold the bins in
    buckets by rows used (:mod:`optmap.clustering.kernels.buckets`). No bin in use has more than
    ``left`` columns left.
    """

    row_limit: IntArray
    first: IntArray
    held: IndexArray
    holders: IndexArray
    rows: IndexArray
    columns: IndexArray
    following: IndexArray
    preceding: IndexArray
    shared: IndexArray
    touched: IndexArray
    left: int


@laborious
def pack(
    source_ptr: Any,
    sources: Any,
    part_ptr: Any,
    part_class: Any,
    part_size: Any,
    room: Any,
    row_limit: Any,
    wanted: Any,
) -> Any:
    """Merge clusters, then dissolve them, and say where every part ends.

    Clusters are merged in falling order of rows, each into the bin that shares most rows with it
    (ties: most rows used, then the lowest), or into the fullest bin it fits without sharing. Then,
    emptiest first, every bin whose parts all fit elsewhere by the same rule is given up; PASSES
    such passes at most, none where more bins than ``wanted`` are left for sure.

    Parameters
    ----------
    source_ptr, sources : arrays
        What each twin class reads.
    part_ptr, part_class, part_size : arrays
        Clusters as parts, as :func:`optmap.clustering.kernels.growth.grow` returns them.
    room : (N + 1,) int64 array
        Source i is held by at most ``room[i + 1] - room[i]`` bins.

    Returns
    -------
    bin_of_part : (E,) int32 array
        Bins are not numbered consecutively.
    held : (N,) int32 array
        In how many bins each source takes a row.
    """
    clusters, n = len(part_ptr) - 1, len(room) - 1
    columns = np.zeros(clusters, dtype=np.int64)
    for k in range(clusters):
        for e in range(part_ptr[k], part_ptr[k + 1]):
            columns[k] += part_size[e]
    following, preceding = empty_rings(clusters, row_limit[1] + 1)
    bins = Bins(
        row_limit,
        room,
        np.zeros(n, dtype=np.int32),
        np.empty(room[-1], dtype=np.int32),
        np.zeros(clusters, dtype=np.int32),
        np.zeros(clusters, dtype=np.int32),
        following,
        preceding,
        np.zeros(clusters, dtype=np.int32),
        np.empty(clusters, dtype=np.int32),
        len(row_limit) - 2 - (columns.min() if clusters else 0),
    )
    bin_of_part = _merge(bins, source_ptr, sources, part_ptr, part_class, columns)
    used, least = _least_left(bins)
    if least > min(wanted, used - 1):
        return bin_of_part, bins.held
    for _ in range(PASSES):
        if not _dissolve(bins, source_ptr, sources, part_class, part_size, bin_of_part):
            break
    return bin_of_part, bins.held


@compiled
def _merge(
    bins: Any, source_ptr: Any, sources: Any, part_ptr: Any, part_class: Any, columns: Any
) -> Any:
    """Put clusters of so many columns into bins, most rows first; return the bin of every part."""
    most_rows = bins.row_limit[1]
    row_ptr, row_source = _rows_of_clusters(
        source_ptr, sources, part_ptr, part_class, len(bins.held), most_rows
    )
    bin_of_part = np.empty(len(part_class), dtype=np.int32)
    clusters = len(part_ptr) - 1
    left = np.empty(clusters, dtype=np.int64)
    for k in range(clusters):
        left[k] = most_rows - (row_ptr[k + 1] - row_ptr[k])
    for k in _ascending(left, most_rows):
        own = row_source[row_ptr[k] : row_ptr[k + 1]]
        home = _home(bins, own, columns[k], -1)
        if home < 0:
            home = k
            for source in own:
                _enter(bins, source, home)
        else:
            remove(bins.following, bins.preceding, home)
            for source in own:
                _hold(bins, source, home)
        bins.columns[home] += columns[k]
        _list(bins, home)
        for e in range(part_ptr[k], part_ptr[k + 1]):
            bin_of_part[e] = home
    return bin_of_part


@compiled
def _rows_of_clusters(
    source_ptr: Any, sources: Any, part_ptr: Any, part_class: Any, num_sources: Any, most_rows: Any
) -> Any:
    """Return the distinct sources of every cluster as compressed rows."""
    clusters = len(part_ptr) - 1
    row_ptr = np.zeros(clusters + 1, dtype=np.int64)
    reads = np.int64(0)
    for q in part_class:
        reads += source_ptr[q + 1] - source_ptr[q]
    row_source = np.empty(min(reads, clusters * most_rows), dtype=np.int32)
    seen_by = np.full(num_sources, -1, dtype=np.int32)
    for k in range(clusters):
        count = row_ptr[k]
        for q in part_class[part_ptr[k] : part_ptr[k + 1]]:
            for s in range(source_ptr[q], source_ptr[q + 1]):
                source = sources[s]
                if seen_by[source] != k:
                    seen_by[source] = k
                    row_source[count] = source
                    count += 1
        row_ptr[k + 1] = count
    return row_ptr, row_source


@borrowing
def _home(bins: Any, own: Any, columns: Any, banned: Any) -> Any:
    """Return what :func:`_best_bin` does, without a look where no bin has so many columns left."""
    return _best_bin(bins, own, columns, banned) if columns <= bins.left else -1


@borrowing
def _best_bin(bins: Any, own: Any, columns: Any, banned: Any) -> Any:
    """Return the bin, other than ``banned``, that so many columns reading ``own`` fit best; -1."""
    most = len(bins.row_limit) - 2
    first, held, holders = bins.first, bins.held, bins.holders
    share, met, rows, row_limit = bins.shared, bins.touched, bins.rows, bins.row_limit
    following = bins.following
    touched = 0
    for source in own:
        for h in range(first[source], first[source] + held[source]):
            k = holders[h]
            if share[k] == 0:
                met[touched] = k
                touched += 1
            share[k] += 1
    best, best_shared = -1, 0
    for t in range(touched):
        k = met[t]
        shared = share[k]
        share[k] = 0
        after = bins.columns[k] + columns
        if k == banned or after > most:
            continue
        if rows[k] + len(own) - shared > row_limit[after] or shared < best_shared:
            continue
        if shared == best_shared and (rows[k] < rows[best] or (rows[k] == rows[best] and k > best)):
            continue
        best, best_shared = k, shared
    if best >= 0:
        return best
    for used in range(row_limit[1] - len(own), -1, -1):
        k = following[len(rows) + used]
        while k < len(rows):
            after = bins.columns[k] + columns
            if k != banned and after <= most and used + len(own) <= row_limit[after]:
                return k
            k = following[k]
    return -1


@borrowing
def _list(bins: Any, k: Any) -> Any:
    """Enter a bin under the rows it uses; a full one stays alone, so that no search meets it."""
    if bins.rows[k] <= bins.row_limit[bins.columns[k] + 1]:
        insert(bins.following, bins.preceding, len(bins.rows) + bins.rows[k], k)
    else:
        bins.following[k] = bins.preceding[k] = k


@borrowing
def _hold(bins: Any, source: Any, k: Any) -> Any:
    """Put a source on a row of bin k; tell whether it is new there."""
    first, held = bins.first[source], bins.held[source]
    for h in range(first, first + held):
        if bins.holders[h] == k:
            return False
    _enter(bins, source, k)
    return True


@borrowing
def _enter(bins: Any, source: Any, k: Any) -> None:
    """Put a source on a row of bin k, which does not hold it."""
    bins.holders[bins.first[source] + bins.held[source]] = k
    bins.held[source] += 1
    bins.rows[k] += 1


@borrowing
def _release(bins: Any, source: Any, k: Any) -> Any:
    """Take a source off its row of bin k, if it has one."""
    first = bins.first[source]
    for h in range(first, first + bins.held[source]):
        if bins.holders[h] == k:
            bins.held[source] -= 1
            bins.holders[h] = bins.holders[first + bins.held[source]]
            bins.rows[k] -= 1
            return


@compiled
def _parts_of_bins(bin_of_part: Any, num_bins: Any) -> Any:
    """Return the parts of every bin as chained lists: the first of each, the next after each."""
    first = np.full(num_bins, -1, dtype=np.int32)
    following = np.empty(len(bin_of_part), dtype=np.int32)
    for e in range(len(bin_of_part)):
        following[e] = first[bin_of_part[e]]
        first[bin_of_part[e]] = e
    return first, following


@compiled
def _ascending(keys: Any, most: Any) -> Any:
    """Return the places of keys of 0..most in ascending order; equal ones as they came."""
    # numba's own sort takes a second to compile, for each type of keys
    begin = np.zeros(most + 2, dtype=np.int64)
    for i in range(len(keys)):
        begin[keys[i] + 1] += 1
    for value in range(most):
        begin[value + 1] += begin[value]
    order = np.empty(len(keys), dtype=np.int64)
    for i in range(len(keys)):
        order[begin[keys[i]]] = i
        begin[keys[i]] += 1
    return order


@compiled
def _largest_first(source_ptr: Any, part_class: Any, parts: Any, most_rows: Any) -> Any:
    """Return parts by falling fan-in of their classes; equal ones as they came."""
    missing = np.empty(len(parts), dtype=np.int64)  # rows that the fan-in leaves free
    for i in range(len(parts)):
        q = part_class[parts[i]]
        missing[i] = most_rows - (source_ptr[q + 1] - source_ptr[q])
    order = _ascending(missing, most_rows)
    for i in range(len(parts)):
        order[i] = parts[order[i]]
    return order


@compiled
def _least_left(bins: Any) -> Any:
    """Return how many bins are used, and how many are left at least, whatever is dissolved.

    A bin that is left keeps its rows, and somewhere there is a row for each source that only a
    dissolved one held: what a bin saves by being dissolved is no more than its rows less those.
    """
    most_rows, rows, used = bins.row_limit[1], 0, 0
    saved = np.zeros(len(bins.rows), dtype=np.int64)
    for k in range(len(bins.rows)):
        saved[k] = bins.rows[k]
        rows += bins.rows[k]
        used += bins.columns[k] > 0
    left = used
    for source in range(len(bins.held)):
        if bins.held[source] == 1:
            saved[bins.holders[bins.first[source]]] -= 1
    for k in _ascending(saved, most_rows)[::-1]:
        if left == 1 or rows - saved[k] > (left - 1) * most_rows:
            break
        rows -= saved[k]
        left -= 1
    return used, left


@compiled
def _dissolve(
    bins: Any, source_ptr: Any, sources: Any, part_class: Any, part_size: Any, bin_of_part: Any
) -> Any:
    """Give up, emptiest first, every bin whose parts all fit elsewhere; tell if there was one."""
    parts, most_rows = len(part_class), bins.row_limit[1]
    first_part, next_part = _parts_of_bins(bin_of_part, len(bins.rows))
    moved = np.empty(parts, dtype=np.int32)
    target = np.empty(parts, dtype=np.int64)
    # new rows of the moves of one bin, for taking them back: no more than its parts read
    undo_ptr = np.zeros(parts + 1, dtype=np.int64)
    undo = np.empty(most_rows * len(bins.row_limit), dtype=np.int32)
    progress = False
    for k in _ascending(bins.rows, most_rows):
        if bins.columns[k] == 0:
            continue
        count = 0
        e = first_part[k]
        while e >= 0:
            moved[count] = e
            count += 1
            e = next_part[e]
        largest_first = _largest_first(source_ptr, part_class, moved[:count], most_rows)
        done = 0
        while done < count:
            e = largest_first[done]
            own = sources[source_ptr[part_class[e]] : source_ptr[part_class[e] + 1]]
            home = _home(bins, own, np.int64(part_size[e]), k)
            if home < 0:
                break
            remove(bins.following, bins.preceding, home)
            at = undo_ptr[done]
            for source in own:
                if _hold(bins, source, home):
                    undo[at] = source
                    at += 1
            bins.columns[home] += part_size[e]
            _list(bins, home)
            done += 1
            undo_ptr[done] = at
            target[done - 1] = home
        if done == count:
            progress = True
            remove(bins.following, bins.preceding, k)
            for i in range(count):
                e = largest_first[i]
                for s in range(source_ptr[part_class[e]], source_ptr[part_class[e] + 1]):
                    _release(bins, sources[s], k)
                bin_of_part[e] = target[i]
                next_part[e] = first_part[target[i]]
                first_part[target[i]] = e
            bins.columns[k] = 0
            first_part[k] = -1
            continue
        for i in range(done - 1, -1, -1):
            home = target[i]
            remove(bins.following, bins.preceding, home)
            for u in range(undo_ptr[i], undo_ptr[i + 1]):
                _release(bins, undo[u], home)
            bins.columns[home] -= part_size[largest_first[i]]
            _list(bins, home)
    return progress
