"""Synapses in clusters: which neurons are cut there, and what rows and columns that takes.

Every synapse is in one cluster. A neuron has a *piece* in each cluster that holds some of its
synapses. All pieces but one are units of their own, each read by another piece, where it takes a
row: of a neuron in L clusters L - 1 rows are dealt among its pieces, as anybody likes, for there is
a tree with any numbers of children that sum to L - 1. A cluster's rows are the sources of its
synapses and the rows dealt to its pieces; its columns are its pieces.

All this holds for groups of sources and of neurons that cannot be told apart, and for *bundles*
(bundles.py) in place of synapses: a group takes as many rows, or columns, as it has members. Below,
source, neuron and synapse stand for groups and bundles.

What is changed is written down, so that a move of annealing (annealing_synapses.py) can be taken
back.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from optmap.clustering.kernels.bundles import Bundles
from optmap.compiled import borrowing, compiled
from optmap.model.snn import IndexArray, IntArray

#: What a row counts beside a row of overflow, and how much more every further row of overflow does.
ROW, FURTHER = 0.15, 0.05
#: Clusters that a neuron may be in beyond those at the start, and at least.
MORE_PIECES, LEAST_PIECES = 8, 24


class Cover(NamedTuple):
    """S synapses of N neurons and M sources in K clusters, changed in place.

    Parameters
    ----------
    ptr, source, post : (N + 1,), (S,) and (S,) arrays
        The network: synapses by reader.
    out_ptr, out : (M + 1,) and (S,) arrays
        Synapses by source.
    cluster : (S,) int32 array
    members : (M,) int64 array
        Rows that each source takes.
    copies : (N,) int64 array
        Columns that a piece of each neuron takes, and rows where it is read.
    of_source, of_neuron : (M, K) and (N, K) int32 arrays
        Synapses of a source, of a neuron, in a cluster.
    dealt : (N, K) int32 array
        Pieces of a neuron that are read by its piece in a cluster.
    pieces, num_pieces : (N, L) and (N,) int32 arrays
        Clusters that each neuron is in, in any order.
    rows, columns : (K,) int64 arrays
    most : (2,) int64 array
        R and C'.
    cost : (2,) float array
        What is minimised, and the overflow.
    log, logged : (n, 4) and (1,) int64 arrays
        What the present move did: a synapse left a cluster, or a neuron's rows in one grew.
    touched : (N + 1, 2) int64 array
        Neurons, and clusters they left.
    """

    ptr: Any
    source: Any
    post: Any
    out_ptr: Any
    out: Any
    cluster: Any
    members: Any
    copies: Any
    of_source: Any
    of_neuron: Any
    dealt: Any
    pieces: Any
    num_pieces: Any
    rows: Any
    columns: Any
    most: Any
    cost: Any
    log: Any
    logged: Any
    touched: Any


def cells(bundles: Bundles, num_clusters: int) -> int:
    """Return how many numbers the tables take, up to a constant factor."""
    groups = max(len(bundles.rows), len(bundles.columns))
    return groups * num_clusters + 2 * _degree(bundles) * LEAST_PIECES


def _degree(bundles: Bundles) -> int:
    """Return the most synapses of a source or a neuron."""
    readers = int(np.bincount(bundles.source).max(initial=0))
    return max(readers, int(np.diff(bundles.ptr).max(initial=0)))


def cover_of(
    bundles: Bundles, cluster: IndexArray, num_clusters: int, rows: int, columns: int
) -> Cover:
    """Return the state that has each bundle in the cluster given, shape (B,)."""
    sources, neurons = len(bundles.rows), len(bundles.columns)
    pairs = np.unique(bundles.post.astype(np.int64) * num_clusters + cluster)
    widest = int(np.bincount(pairs // num_clusters).max(initial=0))
    width = min(num_clusters, max(LEAST_PIECES, widest + MORE_PIECES)) + 1
    degree, readers = _degree(bundles), np.bincount(bundles.source, minlength=sources)
    cover = Cover(
        bundles.ptr,
        bundles.source,
        bundles.post,
        np.concatenate(([0], np.cumsum(readers))).astype(np.int64),
        np.argsort(bundles.source, kind="stable").astype(np.int32),
        cluster.astype(np.int32),
        bundles.rows,
        bundles.columns,
        np.zeros((sources, num_clusters), dtype=np.int32),
        np.zeros((neurons, num_clusters), dtype=np.int32),
        np.zeros((neurons, num_clusters), dtype=np.int32),
        np.zeros((neurons, width), dtype=np.int32),
        np.zeros(neurons, dtype=np.int32),
        np.zeros(num_clusters, dtype=np.int64),
        np.zeros(num_clusters, dtype=np.int64),
        np.array([rows, columns], dtype=np.int64),
        np.zeros(2),
        np.zeros(((degree + 2) * (width + 4), 4), dtype=np.int64),
        np.zeros(1, dtype=np.int64),
        np.zeros((degree + 1, 2), dtype=np.int64),
    )
    _fill(cover)
    return cover


def tidy(cover: Cover) -> None:
    """Let pieces of one source dissolve into the piece that reads them: it takes no more rows."""
    _tidy(cover)


@borrowing
def _over(have: int, most: int) -> float:
    """Return the cost of what is beyond ``most``."""
    over = max(0, have - most)
    return over * (1.0 + FURTHER * over)


@borrowing
def _add_rows(cover: Any, k: int, more: int) -> None:
    """Count more rows of cluster k, or fewer."""
    have, most, cost = cover.rows[k], cover.most[0], cover.cost
    cost[0] += _over(have + more, most) - _over(have, most) + ROW * more
    cost[1] += max(0, have + more - most) - max(0, have - most)
    cover.rows[k] = have + more


@borrowing
def _add_columns(cover: Any, k: int, more: int) -> None:
    """Count more columns of cluster k, or fewer."""
    have, most, cost = cover.columns[k], cover.most[1], cover.cost
    cost[0] += _over(have + more, most) - _over(have, most)
    cost[1] += max(0, have + more - most) - max(0, have - most)
    cover.columns[k] = have + more


@compiled
def _deal(cover: Any, j: int, k: int, more: int) -> None:
    """Deal more rows to j's piece in cluster k, or fewer."""
    cover.dealt[j, k] += more
    _add_rows(cover, k, more * cover.copies[j])


@borrowing
def _enter(cover: Any, e: int, k: int) -> None:
    """Count synapse e in cluster k."""
    i, j = cover.source[e], cover.post[e]
    if cover.of_source[i, k] == 0:
        _add_rows(cover, k, cover.members[i])
    cover.of_source[i, k] += 1
    if cover.of_neuron[j, k] == 0:
        _add_columns(cover, k, cover.copies[j])
        cover.pieces[j, cover.num_pieces[j]] = k
        cover.num_pieces[j] += 1
    cover.of_neuron[j, k] += 1
    cover.cluster[e] = k


@borrowing
def _leave(cover: Any, e: int) -> None:
    """Count synapse e in its cluster no longer."""
    i, j, k = cover.source[e], cover.post[e], cover.cluster[e]
    cover.of_source[i, k] -= 1
    if cover.of_source[i, k] == 0:
        _add_rows(cover, k, -cover.members[i])
    cover.of_neuron[j, k] -= 1
    if cover.of_neuron[j, k] == 0:
        _add_columns(cover, k, -cover.copies[j])
        last = cover.num_pieces[j] - 1
        p = 0
        while cover.pieces[j, p] != k:
            p += 1
        cover.pieces[j, p] = cover.pieces[j, last]
        cover.num_pieces[j] = last


@borrowing
def _note(cover: Any, kind: int, what: int, k: int, more: int) -> None:
    """Write down what was done: 0, a synapse left k; 1, a neuron got more rows in k."""
    n, log = cover.logged[0], cover.log
    log[n, 0], log[n, 1], log[n, 2], log[n, 3] = kind, what, k, more
    cover.logged[0] = n + 1


@borrowing
def move(cover: Any, e: int, k: int) -> None:
    """Move synapse e to cluster k, and write it down."""
    _note(cover, 0, e, cover.cluster[e], 0)
    _leave(cover, e)
    _enter(cover, e, k)


@compiled
def deal(cover: Any, j: int, k: int, more: int) -> None:
    """Deal rows, and write it down."""
    _note(cover, 1, j, k, more)
    _deal(cover, j, k, more)


@compiled
def take_back(cover: Any) -> None:
    """Undo what was written down."""
    log = cover.log
    for n in range(cover.logged[0] - 1, -1, -1):
        if log[n, 0] == 0:
            _leave(cover, log[n, 1])
            _enter(cover, log[n, 1], log[n, 2])
        else:
            _deal(cover, log[n, 1], log[n, 2], -log[n, 3])


@compiled
def deal_all(cover: Any, j: int, left: int) -> None:
    """Let rows be dealt to pieces of j, one less than it has of them; it may have left a cluster.

    Parameters
    ----------
    left : int
        The cluster that it may be in no longer.
    """
    pieces, rows, dealt = cover.pieces[j], cover.rows, cover.dealt[j]
    if cover.of_neuron[j, left] == 0 and dealt[left] > 0:
        deal(cover, j, left, -dealt[left])
    have, num = 0, cover.num_pieces[j]
    for p in range(num):
        have += dealt[pieces[p]]
    while have != num - 1:
        best = -1
        for p in range(num):
            k = pieces[p]
            if have < num - 1:
                if best < 0 or rows[k] < rows[best]:
                    best = k
            elif dealt[k] > 0 and (best < 0 or rows[k] > rows[best]):
                best = k
        more = 1 if have < num - 1 else -1
        deal(cover, j, best, more)
        have += more


@compiled
def _fill(cover: Any) -> None:
    """Count every synapse in its cluster, and deal rows."""
    for e in range(len(cover.cluster)):
        _enter(cover, e, cover.cluster[e])
    for j in range(len(cover.num_pieces)):
        if cover.num_pieces[j] > 1:
            cover.logged[0] = 0
            deal_all(cover, j, cover.pieces[j, 0])


@compiled
def _tidy(cover: Any) -> None:
    """See :func:`tidy`: such a piece reads nothing else, and some other piece has a row for it."""
    for j in range(len(cover.num_pieces)):
        p = 0
        while p < cover.num_pieces[j]:
            k = cover.pieces[j, p]
            p += 1
            if cover.num_pieces[j] < 2 or cover.of_neuron[j, k] > 1 or cover.dealt[j, k] > 0:
                continue
            e = cover.ptr[j]
            while cover.cluster[e] != k:
                e += 1
            if cover.members[cover.source[e]] > 1:
                continue
            q = 0
            while cover.dealt[j, cover.pieces[j, q]] == 0:
                q += 1
            reader = cover.pieces[j, q]
            _deal(cover, j, reader, -1)
            _leave(cover, e)
            _enter(cover, e, reader)
            p = 0


def rows_dealt(cover: Cover, j: int) -> dict[int, int]:
    """Return the clusters that neuron j is in, each with the pieces read by its piece there."""
    clusters: IntArray = np.sort(cover.pieces[j, : cover.num_pieces[j]])
    return {int(k): int(cover.dealt[j, k]) for k in clusters}
