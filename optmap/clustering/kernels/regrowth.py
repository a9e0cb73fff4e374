"""Fewer clusters from given ones: grow a few neighbours anew, so that free columns come together.

Pseudo-code::

    while there is work left:
        take the emptiest cluster and others met by a random walk over shared rows
        grow their members anew, enclosed, from a random member (kernels/growth.py)
        keep it if there are no more clusters, and no smaller sum of squares of their columns

A larger sum of squares has fuller clusters and an emptier one, until that one is gone. This is ruin
and recreate [1]_ with the growth as what recreates.

References
----------
.. [1] Schrimpf, Schneider, Stamm-Wilbrandt, Dueck, "Record Breaking Optimization Results Using the
   Ruin and Recreate Principle", 2000.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from optmap.clustering.kernels.growth import Frontier, Lists, Near, Parts, frontier_of, grow_left
from optmap.clustering.kernels.twins import Twins
from optmap.compiled import borrowing, compiled
from optmap.model.snn import IndexArray, IntArray

#: How many clusters are grown anew at a time; on grids of windows 4 did better than 6, 8 and 12.
WIDTH = 4
#: How many random numbers are drawn.
DRAWS = 1 << 14


class Packed(NamedTuple):
    """Parts of classes in bins: class, members and bin of each part, shapes (E,)."""

    part_class: IndexArray
    part_size: IndexArray
    bin_of_part: IndexArray


class Bins(NamedTuple):
    """Clusters 0..K-1 by their parts.

    Parameters
    ----------
    classes, sizes : (K, C') int32 arrays
        Class and members of each part.
    counts, columns : (K,) int64 arrays
        How many parts and how many members there are; an unused bin has none.
    home : (Q,) int64 array
        A bin that holds each class.
    """

    classes: Any
    sizes: Any
    counts: Any
    columns: Any
    home: Any


class Window(NamedTuple):
    """What is grown anew: the bins, and the classes with what is left of them.

    ``seeds`` are the classes, ``turned`` the same in the order in which they are tried.
    """

    bins: Any
    frontier: Frontier
    seeds: Any
    turned: Any


class Draws(NamedTuple):
    """Random numbers below 2^31, used again from the first one, and how many are used."""

    values: Any
    used: Any


def regrow(
    twins: Twins, near: Near, row_limit: IntArray, packed: Packed, work: int, seed: int
) -> Parts:
    """Return clusters as :func:`~.growth.grow` does, no more of them than there were.

    Parameters
    ----------
    packed : Packed
        Parts and their bins, numbered from 0.
    work : int
        Readers of rows that may be met in finding out what is placed around, and a fourth of all
        classes and sources for every try; the last one may exceed it. Growing takes as much again.
    seed : int
        Which random numbers are drawn.
    """
    most, many = len(row_limit) - 2, int(packed.bin_of_part.max()) + 1
    bins = Bins(
        np.zeros((many, most), dtype=np.int32),
        np.zeros((many, most), dtype=np.int32),
        np.zeros(many, dtype=np.int64),
        np.zeros(many, dtype=np.int64),
        np.zeros(twins.num_classes, dtype=np.int64),
    )
    drawn = np.random.default_rng(seed).integers(2**31, size=DRAWS)
    draws = Draws(drawn, np.zeros(1, dtype=np.int64))
    lists = Lists(twins.source_ptr, twins.sources, twins.reader_ptr, twins.readers)
    _regrow(lists, near, row_limit, packed, bins, draws, work)
    within = np.arange(most) < bins.counts[:, None]
    used = bins.counts[bins.counts > 0]
    return Parts(np.concatenate(([0], np.cumsum(used))), bins.classes[within], bins.sizes[within])


@compiled
def _regrow(
    lists: Lists, near: Near, row_limit: Any, packed: Any, bins: Any, draws: Any, work: Any
) -> None:
    """Fill the bins with the parts, and grow some of them anew as long as there is work left."""
    part_class, part_size, bin_of_part = packed
    for e in range(len(part_class)):
        _put(bins, bin_of_part[e], part_class[e], part_size[e])
    classes, room = len(lists.source_ptr) - 1, WIDTH * (len(row_limit) - 2)
    fixed = 1 + (classes + len(lists.reader_ptr)) // 4
    window = Window(
        np.empty(WIDTH, dtype=np.int64),
        frontier_of(lists, np.zeros(classes, dtype=np.int64), row_limit),
        np.empty(room, dtype=np.int32),
        np.empty(room, dtype=np.int32),
    )
    found = Parts(
        np.zeros(room + 1, dtype=np.int64),
        np.empty(room, dtype=np.int32),
        np.empty(room, dtype=np.int32),
    )
    numbered = 0
    while work > 0:
        count = _neighbours(bins, lists, window.bins, draws)
        num_seeds, before = _empty(bins, window, count)
        seeds = window.seeds[:num_seeds]
        work -= _count_placed(lists, near, window, seeds) + fixed
        turn = _draw(draws, num_seeds)
        order = window.turned[:num_seeds]
        for i in range(num_seeds):
            order[i] = seeds[(turn + i) % num_seeds]
        clusters = grow_left(lists, window.frontier, row_limit, order, near, numbered, found)
        numbered += clusters
        after = 0
        for k in range(clusters):
            columns = 0
            for e in range(found.ptr[k], found.ptr[k + 1]):
                columns += found.sizes[e]
            after += columns * columns
        if clusters <= count and after >= before:
            _replace(bins, window.bins[:count], clusters, found)


@borrowing
def _draw(draws: Any, below: Any) -> Any:
    """Return a random number from 0 on, below a number."""
    draws.used[0] += 1
    return draws.values[draws.used[0] % len(draws.values)] % below


@borrowing
def _empty(bins: Any, window: Any, count: Any) -> Any:
    """Let all members in a window be left; return how many classes, and the sum of squares."""
    num_seeds, squares = 0, 0
    for k in window.bins[:count]:
        squares += bins.columns[k] * bins.columns[k]
        for i in range(bins.counts[k]):
            q = bins.classes[k, i]
            if window.frontier.left[q] == 0:
                window.seeds[num_seeds] = q
                num_seeds += 1
            window.frontier.left[q] += bins.sizes[k, i]
    return num_seeds, squares


@borrowing
def _count_placed(lists: Any, near: Any, window: Any, seeds: Any) -> Any:
    """Count the placed readers around what is left; return how many readers were met."""
    met = 0
    for q in seeds:
        window.frontier.placed[q] = near.around[q]
        met += near.around[q] + lists.source_ptr[q + 1] - lists.source_ptr[q]
        for e in range(near.ptr[q], near.ptr[q + 1]):
            if window.frontier.left[near.classes[e]] > 0:
                window.frontier.placed[q] -= near.times[e]
    return met


@borrowing
def _put(bins: Any, k: Any, q: Any, size: Any) -> None:
    """Put members of a class into bin k."""
    bins.classes[k, bins.counts[k]], bins.sizes[k, bins.counts[k]] = q, size
    bins.counts[k] += 1
    bins.columns[k] += size
    bins.home[q] = k


@borrowing
def _neighbours(bins: Any, lists: Any, window: Any, draws: Any) -> Any:
    """Fill in the emptiest bin and others met by chance over shared rows; return how many."""
    emptiest = -1
    for k in range(len(bins.columns)):
        if bins.columns[k] and (emptiest < 0 or bins.columns[k] < bins.columns[emptiest]):
            emptiest = k
    window[0], count = emptiest, 1
    for _ in range(8 * len(window)):
        k = window[_draw(draws, count)]
        q = bins.classes[k, _draw(draws, bins.counts[k])]
        first, reads = lists.source_ptr[q], lists.source_ptr[q + 1] - lists.source_ptr[q]
        if reads == 0:
            continue
        source = lists.sources[first + _draw(draws, reads)]
        first = lists.reader_ptr[source]
        reader = lists.readers[first + _draw(draws, lists.reader_ptr[source + 1] - first)]
        k = bins.home[reader]
        known = False
        for j in window[:count]:
            known = known or j == k
        if not known:
            window[count] = k
            count += 1
            if count == len(window):
                break
    return count


@borrowing
def _replace(bins: Any, window: Any, clusters: Any, found: Any) -> None:
    """Let the bins of a window be the clusters found."""
    for k in window:
        bins.counts[k] = bins.columns[k] = 0
    for j in range(clusters):
        for e in range(found.ptr[j], found.ptr[j + 1]):
            _put(bins, window[j], found.classes[e], found.sizes[e])
