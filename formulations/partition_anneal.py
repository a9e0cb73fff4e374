"""Annealing at a fixed number of crossbars: the fast half of the large neighbourhood search.

To dissolve a crossbar its units are dealt to the others, more than fit, and single units are then
moved between crossbars so that the *overflow* (rows and columns beyond the crossbar's) falls; all
rows together count a little as well, since a compact choice leaves room elsewhere. Without overflow
the clustering is one crossbar smaller. Deterministic for a seed and a number of moves.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from formulations.classes import Classes
from optmap.mapping import Clustering, compact
from optmap.snn import IndexArray


def unit_reads(classes: Classes) -> tuple[IndexArray, IndexArray]:
    """Return class of each unit position, and the groups read as classes' pointers."""
    class_of = np.empty(sum(len(m) for m in classes.members), dtype=np.int32)
    for q, members in enumerate(classes.members):
        class_of[members] = q
    return class_of, classes.groups


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
    class_of, _ = unit_reads(classes)
    label = clustering.cluster_of.copy()
    sizes = clustering.sizes
    victim = int(np.argmin(sizes))
    label[label == clustering.num_clusters - 1], swap = victim, label == victim
    label[swap] = clustering.num_clusters - 1
    ok = _anneal(
        class_of,
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
    )
    return compact(label) if ok else None


@njit(cache=True)
def _anneal(  # type: ignore[no-untyped-def]
    class_of, ptr, groups, weight, label, num, max_rows, max_columns, moves, seed, rows_weight, hot
):
    """Move units between ``num`` clusters until nothing overflows; True when that is reached.

    Units labelled ``num`` or above are dealt first, to the cluster where they add fewest rows. A
    move takes a random unit to the cluster of a random co-reader of one of its groups.
    """
    np.random.seed(seed)
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
        u = np.random.randint(units)
        q = class_of[u]
        a = label[u]
        if np.random.random() < 0.02:
            b = np.random.randint(num)
        else:
            g = groups[ptr[q] + np.random.randint(ptr[q + 1] - ptr[q])]
            other = readers[reader_ptr[g] + np.random.randint(reader_ptr[g + 1] - reader_ptr[g])]
            b = label[other]
        if b == a:
            continue
        less, more = 0, 0
        for e in range(ptr[q], ptr[q + 1]):
            g = groups[e]
            if count[a, g] == 1:
                less += weight[g]
            if count[b, g] == 0:
                more += weight[g]
        change = (
            max(0, rows[a] - less - max_rows)
            - max(0, rows[a] - max_rows)
            + max(0, rows[b] + more - max_rows)
            - max(0, rows[b] - max_rows)
            + max(0, cols[a] - 1 - max_columns)
            - max(0, cols[a] - max_columns)
            + max(0, cols[b] + 1 - max_columns)
            - max(0, cols[b] - max_columns)
        )
        delta = change + rows_weight * (more - less)
        if delta <= 0 or np.random.random() < np.exp(-delta / temperature):
            label[u] = b
            overflow += change
            rows[a] -= less
            rows[b] += more
            cols[a] -= 1
            cols[b] += 1
            for e in range(ptr[q], ptr[q + 1]):
                count[a, groups[e]] -= 1
                count[b, groups[e]] += 1
    return overflow == 0
