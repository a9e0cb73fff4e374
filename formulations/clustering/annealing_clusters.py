"""Annealing at a fixed number of crossbars: the fast half of the large neighbourhood search.

To dissolve a crossbar its units are dealt to the others, more than fit, and single units are then
moved between crossbars so that the *overflow* (rows and columns beyond the crossbar's) falls; all
rows together count a little as well, since a compact choice leaves room elsewhere. Without overflow
the clustering is one crossbar smaller. Deterministic for a seed and a number of moves.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from formulations.clustering.classes import Classes
from formulations.clustering.vector_packing_start import mixed_start
from optmap.compiled import compiled
from optmap.model.mapping import Clustering, compact

#: Moves one core tries in a second, cautiously: turns seconds into a repeatable number of moves.
MOVES_PER_SECOND = 2_000_000


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
    wander: float = 0.05,
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
    wander : float
        Share of moves to any cluster at all, for units that share no axon with others.
    """
    members = np.concatenate(classes.members)
    member_ptr = np.concatenate(([0], np.cumsum(classes.size)))
    class_of = np.empty(len(members), dtype=np.int32)
    class_of[members] = np.repeat(np.arange(classes.num_classes, dtype=np.int32), classes.size)
    label = clustering.cluster_of.copy()
    sizes = clustering.sizes
    victim = int(np.argmin(sizes))
    label[label == clustering.num_clusters - 1], swap = victim, label == victim
    label[swap] = clustering.num_clusters - 1
    ok = _anneal(
        class_of,
        member_ptr,
        members,
        classes.ptr,
        classes.groups,
        classes.weight,
        label,
        clustering.num_clusters - 1,
        rows,
        columns,
        moves,
        seed,
        rows_weight,
        hot,
        wander,
    )
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
    note: Callable[[Clustering], None],
) -> Clustering:
    """Return ``start`` with as many clusters dissolved as ``seconds`` allow, not below ``least``.

    It begins at the mixed start (vector_packing_start.py) where that is smaller. Every failed
    attempt gets another seed and, by turns, more moves; ``note`` hears each success.
    """
    began = time.perf_counter()
    if start.num_clusters > max(least, 1):
        mixed = mixed_start(classes, rows, columns, seconds=0.2 * seconds)
        if mixed is not None and mixed.num_clusters < start.num_clusters:
            start = mixed
            note(start)
    moves, attempt = 1_000_000, 0
    while start.num_clusters > max(least, 1) and time.perf_counter() - began < seconds:
        left = seconds - (time.perf_counter() - began)
        fewer = shrink(
            classes,
            start,
            rows,
            columns,
            moves=int(min(moves, max(left, 0.05) * MOVES_PER_SECOND)),
            seed=seed * 1000 + attempt,
            rows_weight=(0.3, 0.1, 0.5)[attempt % 3],
            hot=(2.0, 4.0)[attempt % 2],
        )
        attempt += 1
        if fewer is None:
            moves = min(2 * moves, 40_000_000)
        else:
            start = fewer
            note(start)
    return start


@compiled
def _anneal(
    class_of: Any,
    member_ptr: Any,
    members: Any,
    ptr: Any,
    groups: Any,
    weight: Any,
    label: Any,
    num: Any,
    max_rows: Any,
    max_columns: Any,
    moves: Any,
    seed: Any,
    rows_weight: Any,
    hot: Any,
    wander: Any,
) -> Any:
    """Move units between ``num`` clusters until nothing overflows; True when that is reached.

    Units labelled ``num`` or above are dealt first, to the cluster where they add fewest rows. A
    move takes a random unit, or all its twins in its cluster, to the cluster of a random co-reader
    of one of its groups.
    """
    np.random.seed(seed)  # noqa: NPY002 - the compiled generator's own state, not NumPy's
    units = len(class_of)
    num_groups = len(weight)
    count = np.zeros((num, num_groups), dtype=np.int32)
    rows = np.zeros(num, dtype=np.int64)
    cols = np.zeros(num, dtype=np.int64)
    reader_ptr = np.zeros(num_groups + 1, dtype=np.int64)
    for u in range(units):
        for e in range(ptr[class_of[u]], ptr[class_of[u] + 1]):
            reader_ptr[groups[e] + 1] += 1
    reader_ptr = np.cumsum(reader_ptr)
    fill = reader_ptr[:-1].copy()
    readers = np.empty(reader_ptr[-1], dtype=np.int32)
    for u in range(units):
        q = class_of[u]
        for e in range(ptr[q], ptr[q + 1]):
            readers[fill[groups[e]]] = u
            fill[groups[e]] += 1
    for late in range(2):
        for u in range(units):
            q = class_of[u]
            if (label[u] >= num) != (late == 1):
                continue
            if late == 1:
                best, best_cost = 0, 1 << 60
                for k in range(num):
                    cost = max(0, cols[k] + 1 - max_columns) * 4
                    added = 0
                    for e in range(ptr[q], ptr[q + 1]):
                        if count[k, groups[e]] == 0:
                            added += weight[groups[e]]
                    cost += max(0, rows[k] + added - max_rows) * 4 + added
                    if cost < best_cost:
                        best, best_cost = k, cost
                label[u] = best
            k = label[u]
            cols[k] += 1
            for e in range(ptr[q], ptr[q + 1]):
                if count[k, groups[e]] == 0:
                    rows[k] += weight[groups[e]]
                count[k, groups[e]] += 1
    overflow = 0
    for k in range(num):
        overflow += max(0, rows[k] - max_rows) + max(0, cols[k] - max_columns)
    cold = 0.15
    temperature = hot
    for step in range(moves):
        if overflow == 0:
            return True
        if step % 1024 == 0:
            temperature = hot * (cold / hot) ** (step / moves)
        u = np.random.randint(units)  # noqa: NPY002
        q = class_of[u]
        a = label[u]
        if np.random.random() < wander:  # noqa: NPY002
            b = np.random.randint(num)  # noqa: NPY002
        else:
            g = groups[ptr[q] + np.random.randint(ptr[q + 1] - ptr[q])]  # noqa: NPY002
            other = readers[reader_ptr[g] + np.random.randint(reader_ptr[g + 1] - reader_ptr[g])]  # noqa: NPY002
            b = label[other]
        if b == a:
            continue
        amount = 1
        first, stop = member_ptr[q], member_ptr[q + 1]
        if stop - first > 1 and np.random.random() < 0.5:  # all twins of the cluster together  # noqa: NPY002
            amount = 0
            for i in range(first, stop):
                if label[members[i]] == a:
                    amount += 1
        less, more = 0, 0
        for e in range(ptr[q], ptr[q + 1]):
            g = groups[e]
            if count[a, g] == amount:
                less += weight[g]
            if count[b, g] == 0:
                more += weight[g]
        change = (
            max(0, rows[a] - less - max_rows)
            - max(0, rows[a] - max_rows)
            + max(0, rows[b] + more - max_rows)
            - max(0, rows[b] - max_rows)
            + max(0, cols[a] - amount - max_columns)
            - max(0, cols[a] - max_columns)
            + max(0, cols[b] + amount - max_columns)
            - max(0, cols[b] - max_columns)
        )
        delta = change + rows_weight * (more - less)
        if delta <= 0 or np.random.random() < np.exp(-delta / temperature):  # noqa: NPY002
            if amount == 1:
                label[u] = b
            else:
                for i in range(first, stop):
                    if label[members[i]] == a:
                        label[members[i]] = b
            overflow += change
            rows[a] -= less
            rows[b] += more
            cols[a] -= amount
            cols[b] += amount
            for e in range(ptr[q], ptr[q + 1]):
                count[a, groups[e]] -= amount
                count[b, groups[e]] += amount
    return overflow == 0
