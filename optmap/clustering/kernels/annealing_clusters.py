"""Annealing at a fixed number of crossbars: the fast half of the large neighbourhood search.

To dissolve a crossbar its units are dealt to the others, more than fit, and single units are then
moved between crossbars so that the *overflow* (rows and columns beyond the crossbar's) falls; all
rows together count a little as well, since a compact choice leaves room elsewhere. Without overflow
the clustering is one crossbar smaller. Deterministic for a seed and a number of moves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from optmap.clock import did, now
from optmap.clustering.kernels.classes import Classes
from optmap.clustering.kernels.vector_packing_start import vector_packing_start
from optmap.compiled import borrowing, compiled
from optmap.model.mapping import Clustering, compact

#: Moves one core tries in a second, cautiously: turns seconds into a repeatable number of moves.
MOVES_PER_SECOND = 2_000_000
#: Share of moves to any cluster at all, for units that share no axon with others.
WANDER = 0.05
#: Last temperature, in rows.
COLD = 0.15


def shrink(
    classes: Classes,
    clustering: Clustering,
    rows: int,
    columns: int,
    *,
    moves: int,
    seed: int,
    rows_weight: float = 0.1,
    hot: float = 2.0,
) -> Clustering | None:
    """Return a clustering of one cluster less, or None if the moves did not suffice.

    Parameters
    ----------
    moves : int
        Moves tried, some 10^6 a second.
    rows_weight : float
        What a row counts beside a row of overflow.
    hot : float
        First temperature, in rows.
    """
    label = clustering.cluster_of.copy()
    victim, num = int(np.argmin(clustering.sizes)), clustering.num_clusters - 1
    label[label == num], swap = victim, label == victim
    label[swap] = num
    reads = reads_of(classes)
    count = np.zeros((num, len(classes.weight)), dtype=np.int32)
    taken = np.zeros((2, num), dtype=np.int64)
    bars = Crossbars(label, count, taken[0], taken[1], rows, columns)
    did(moves / MOVES_PER_SECOND)
    ok = _anneal(reads, bars, Cooling(moves, seed, rows_weight, hot, WANDER))
    return compact(label) if ok else None


def shrink_repeatedly(
    classes: Classes,
    start: Clustering,
    rows: int,
    columns: int,
    *,
    least: int,
    seconds: float,
    seed: int,
    on_better: Callable[[Clustering], None],
) -> Clustering:
    """Return ``start`` with as many clusters dissolved as ``seconds`` allow, not below ``least``.

    It begins at the vector packing start where that is smaller. Every failed attempt gets another
    seed and, by turns, more moves; ``on_better`` is called with each success.
    """
    began = now()
    if start.num_clusters > max(least, 1):
        packed = vector_packing_start(classes, rows, columns, seconds=0.2 * seconds)
        if packed is not None and packed.num_clusters < start.num_clusters:
            start = packed
            on_better(start)
    moves, attempt, rate = 1_000_000, 0, float(MOVES_PER_SECOND)
    while start.num_clusters > max(least, 1) and now() - began < seconds:
        begun = now()
        left = max(seconds - (begun - began), 0.05)
        most = int(min(moves, left * rate))
        fewer = shrink(
            classes,
            start,
            rows,
            columns,
            moves=most,
            seed=seed * 1000 + attempt,
            rows_weight=(0.3, 0.1, 0.5)[attempt % 3],
            hot=(2.0, 4.0)[attempt % 2],
        )
        attempt += 1
        if fewer is None:
            rate = min(float(MOVES_PER_SECOND), most / max(now() - begun, 1e-6))
            moves = min(2 * moves, 40_000_000)
        else:
            start = fewer
            on_better(start)
    return start


class Reads(NamedTuple):
    """Who reads what: U units of Q classes, G groups of sources read by the same classes.

    Parameters
    ----------
    class_of : (U,) int32 array
    member_ptr, members : (Q + 1,) and (U,) arrays
        Units of each class.
    ptr, groups : (Q + 1,) and (reads,) arrays
        Groups that each class reads.
    weight : (G,) int64 array
        Sources of each group: the rows it takes.
    reader_ptr, readers : (G + 1,) and (unit reads,) arrays
        Units that read each group.
    """

    class_of: Any
    member_ptr: Any
    members: Any
    ptr: Any
    groups: Any
    weight: Any
    reader_ptr: Any
    readers: Any


class Crossbars(NamedTuple):
    """K clusters as they stand, changed in place, and what one may hold.

    Parameters
    ----------
    label : (U,) int array
        Cluster of each unit.
    count : (K, G) int32 array
        Units of a cluster that read a group.
    rows, columns : (K,) int64 arrays
        What each cluster takes.
    max_rows, max_columns : int
    """

    label: Any
    count: Any
    rows: Any
    columns: Any
    max_rows: int
    max_columns: int


class Cooling(NamedTuple):
    """How long, from which seed and temperature; see :func:`shrink`."""

    moves: int
    seed: int
    rows_weight: float
    hot: float
    wander: float


def reads_of(classes: Classes) -> Reads:
    """Return the classes' reads as compiled code wants them."""
    members = np.concatenate(classes.members)
    member_ptr = np.concatenate(([0], np.cumsum(classes.size)))
    class_of = np.empty(len(members), dtype=np.int32)
    class_of[members] = np.repeat(np.arange(classes.num_classes, dtype=np.int32), classes.size)
    reader_ptr, readers = _readers(class_of, classes.ptr, classes.groups, len(classes.weight))
    ptr, groups, weight = classes.ptr, classes.groups, classes.weight
    return Reads(class_of, member_ptr, members, ptr, groups, weight, reader_ptr, readers)


@compiled
def _readers(class_of: Any, ptr: Any, groups: Any, num_groups: int) -> Any:
    """Return the units that read each group, as compressed lists."""
    reader_ptr = np.zeros(num_groups + 1, dtype=np.int64)
    for q in class_of:
        for e in range(ptr[q], ptr[q + 1]):
            reader_ptr[groups[e] + 1] += 1
    reader_ptr = np.cumsum(reader_ptr)
    fill = reader_ptr[:-1].copy()
    readers = np.empty(reader_ptr[-1], dtype=np.int32)
    for u in range(len(class_of)):
        q = class_of[u]
        for e in range(ptr[q], ptr[q + 1]):
            readers[fill[groups[e]]] = u
            fill[groups[e]] += 1
    return reader_ptr, readers


@borrowing
def _put(u: int, k: int, reads: Any, bars: Any) -> None:
    """Count unit u in cluster k."""
    q = reads.class_of[u]
    bars.label[u] = k
    bars.columns[k] += 1
    for e in range(reads.ptr[q], reads.ptr[q + 1]):
        g = reads.groups[e]
        if bars.count[k, g] == 0:
            bars.rows[k] += reads.weight[g]
        bars.count[k, g] += 1


@borrowing
def _fewest_new_rows(u: int, reads: Any, bars: Any) -> int:
    """Return the cluster that a unit adds least to: overflow counts four times, then rows."""
    q, groups, weight, count = reads.class_of[u], reads.groups, reads.weight, bars.count
    best, best_cost = 0, 1 << 60
    for k in range(len(bars.rows)):
        cost = max(0, bars.columns[k] + 1 - bars.max_columns) * 4
        added = 0
        for e in range(reads.ptr[q], reads.ptr[q + 1]):
            if count[k, groups[e]] == 0:
                added += weight[groups[e]]
        cost += max(0, bars.rows[k] + added - bars.max_rows) * 4 + added
        if cost < best_cost:
            best, best_cost = k, cost
    return best


@compiled
def _deal(reads: Any, bars: Any) -> int:
    """Count all units, those without a cluster last, each where it adds least; return overflow."""
    num = len(bars.rows)
    homeless = bars.label >= num
    for u in range(len(homeless)):
        if not homeless[u]:
            _put(u, bars.label[u], reads, bars)
    for u in range(len(homeless)):
        if homeless[u]:
            _put(u, _fewest_new_rows(u, reads, bars), reads, bars)
    overflow = 0
    for k in range(num):
        overflow += max(0, bars.rows[k] - bars.max_rows)
        overflow += max(0, bars.columns[k] - bars.max_columns)
    return overflow


@compiled
def _destination(lists: Any, groups: Any, label: Any, num: int, wander: float) -> Any:
    """Draw the cluster of a co-reader of one of ``groups``; now and then, or of none, any."""
    if np.random.random() < wander or len(groups) == 0:  # noqa: NPY002
        return np.random.randint(num)  # noqa: NPY002
    g = groups[np.random.randint(len(groups))]  # noqa: NPY002
    reader_ptr, readers = lists
    first, stop = reader_ptr[g], reader_ptr[g + 1]
    return label[readers[first + np.random.randint(stop - first)]]  # noqa: NPY002


@borrowing
def _amount(twins: Any, a: int, label: Any) -> int:
    """Draw how many of ``twins`` leave cluster a: one, or all that are in it together."""
    if len(twins) < 2 or np.random.random() >= 0.5:  # noqa: NPY002
        return 1
    amount = 0
    for u in twins:
        if label[u] == a:
            amount += 1
    return amount


@borrowing
def _rows_moved(groups: Any, a: int, b: int, amount: int, weight: Any, count: Any) -> Any:
    """Return (rows that a loses, rows that b gains) when units that read ``groups`` go."""
    less, more = 0, 0
    for g in groups:
        if count[a, g] == amount:
            less += weight[g]
        if count[b, g] == 0:
            more += weight[g]
    return less, more


@borrowing
def _more_over(have: int, more: int, most: int) -> int:
    """Return by how much the overflow of ``have`` grows with ``more``."""
    return max(0, have + more - most) - max(0, have - most)


@borrowing
def _relabel(u: int, a: int, b: int, amount: int, twins: Any, label: Any) -> None:
    """Give unit u, or all of its twins in cluster a, the label b."""
    if amount == 1:
        label[u] = b
        return
    for v in twins:
        if label[v] == a:
            label[v] = b


@borrowing
def _recount(groups: Any, a: int, b: int, amount: int, count: Any) -> None:
    """Count so many readers of ``groups`` in cluster b, no longer in a."""
    for g in groups:
        count[a, g] -= amount
        count[b, g] += amount


@compiled
def _anneal(reads: Any, bars: Any, cooling: Any) -> Any:
    """Move units between the clusters until nothing overflows; True when that is reached.

    Units labelled K or above are dealt first. A move takes a random unit, or all its twins in its
    cluster, to the cluster of a random co-reader of one of its groups.
    """
    np.random.seed(cooling.seed)  # noqa: NPY002 - the compiled generator's own state, not NumPy's
    overflow = _deal(reads, bars)
    # arrays by name: taking one out of a tuple counts references, which costs half of a move
    class_of, ptr, groups, weight = reads.class_of, reads.ptr, reads.groups, reads.weight
    member_ptr, members = reads.member_ptr, reads.members
    readers = reads.reader_ptr, reads.readers
    label, count, rows, columns = bars.label, bars.count, bars.rows, bars.columns
    max_rows, max_columns, num = bars.max_rows, bars.max_columns, len(bars.rows)
    temperature = cooling.hot
    for step in range(cooling.moves):
        if overflow == 0:
            return True
        if step % 1024 == 0:
            temperature = cooling.hot * (COLD / cooling.hot) ** (step / cooling.moves)
        u = np.random.randint(len(class_of))  # noqa: NPY002
        q, a = class_of[u], label[u]
        read = groups[ptr[q] : ptr[q + 1]]
        b = _destination(readers, read, label, num, cooling.wander)
        if b == a:
            continue
        twins = members[member_ptr[q] : member_ptr[q + 1]]
        amount = _amount(twins, a, label)
        less, more = _rows_moved(read, a, b, amount, weight, count)
        change = (
            _more_over(rows[a], -less, max_rows)
            + _more_over(rows[b], more, max_rows)
            + _more_over(columns[a], -amount, max_columns)
            + _more_over(columns[b], amount, max_columns)
        )
        delta = change + cooling.rows_weight * (more - less)
        if delta <= 0 or np.random.random() < np.exp(-delta / temperature):  # noqa: NPY002
            _relabel(u, a, b, amount, twins, label)
            _recount(read, a, b, amount, count)
            overflow += change
            rows[a] -= less
            rows[b] += more
            columns[a] -= amount
            columns[b] += amount
    return overflow == 0
