"""Every crossbar worth at least so much: what a clustering of K crossbars can be made of.

Prices pi and a proved worth v of the best crossbar say more than ceil(sum pi / v). The crossbars of
a clustering of K are together worth at least sum pi, and none more than v, so each is worth at
least v - (K v - sum pi). Where the bound is nearly met these are few: they are listed, and whether
K of them cover the network is a small exact problem (column_cover.py).

The listing is a sweep as in pricing_frontier.py, in which labels that meet are joined
but none is forgotten: all ways into a label are kept, and the crossbars are read off backwards,
each step checked against the most that the way before it can be worth. Where columns never run
out, a crossbar holds all members of its classes, and a class whose sources are all on its rows:
such crossbars are enough for a cover.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from formulations.clustering.column_generation.frontier import MAX_BITS
from formulations.clustering.column_generation.pricing import Pricer
from formulations.clustering.column_generation.pricing_frontier import _hash
from optmap.compiled import compiled
from optmap.model.snn import IntArray

#: Labels and ways between them that are kept at most (some 100 bytes a label).
MOST_LABELS = 6_000_000

#: Crossbars listed at most.
MOST_COLUMNS = 60_000


def columns_worth(
    pricer: Pricer,
    prices: IntArray,
    least: int,
    closed: IntArray,
    *,
    most_labels: int = MOST_LABELS,
    most_columns: int = MOST_COLUMNS,
) -> list[dict[int, int]] | None:
    """Return crossbars (members by class) that hold every one worth ``least``; None if too many.

    Parameters
    ----------
    prices : (Q,) int64 array
        Price of one member of each class, >= 0.
    least : int
        Worth from which on crossbars are listed.
    closed : (R + 1,) int64 array
        Proved bounds on the worth of so many rows (:meth:`Pricer.closed`).
    """
    sweep, classes = pricer.sweep, pricer.classes
    if sweep.bits > MAX_BITS:
        return None
    order = sweep.order
    completion = pricer.completion(prices)
    parts, ends, found = _list(
        sweep.fixed,
        sweep.old_ptr,
        sweep.old_slot,
        sweep.gain,
        sweep.drop,
        sweep.slot_weight,
        prices[order].astype(np.int64),
        np.minimum(classes.size[order], pricer.columns),
        np.minimum(completion.by_rows[:, : pricer.rows + 1], closed[: pricer.rows + 1]),
        completion.by_columns,
        pricer.rows,
        pricer.columns,
        bool(completion.most_members[pricer.rows] > pricer.columns),
        least,
        most_labels,
        most_columns,
    )
    if not found:
        return None
    columns, first = [], 0
    for stop in ends.tolist():
        column = {int(order[p]): int(n) for p, n in parts[first:stop].tolist()}
        first = stop
        if column:
            columns.append(column)
    return columns


@compiled
def _grown(array: Any) -> Any:
    return np.concatenate((array, np.empty_like(array)))


@compiled
def _list(
    fixed: Any,
    old_ptr: Any,
    old_slot: Any,
    gain: Any,
    drop: Any,
    slot_weight: Any,
    value: Any,
    count: Any,
    by_rows: Any,
    by_columns: Any,
    rows: Any,
    columns: Any,
    use_columns: Any,
    least: Any,
    most_labels: Any,
    most_columns: Any,
) -> Any:
    """Return ((position, members) of all crossbars one after the other, their ends, complete)."""
    m, words = gain.shape
    one = np.uint64(1)
    parts = np.empty((1 << 12, 2), dtype=np.int32)
    ends = np.empty(1 << 8, dtype=np.int64)
    capacity = 1 << 12
    used = np.zeros(capacity, dtype=np.int32)
    cols = np.zeros(capacity, dtype=np.int32)
    worth = np.zeros(capacity, dtype=np.int64)
    front = np.zeros(capacity, dtype=np.int32)
    key = np.zeros((capacity, words), dtype=np.uint64)
    ways = 1 << 12  # a way into a label: from which, with how many members; a chained list
    way_from = np.empty(ways, dtype=np.int64)
    way_members = np.empty(ways, dtype=np.int32)
    way_next = np.empty(ways, dtype=np.int64)
    way_head = np.full(capacity, -1, dtype=np.int64)
    num_ways, labels = 0, 1
    first_of_layer = np.zeros(m + 2, dtype=np.int64)
    first_of_layer[1] = 1
    size = 1 << 12
    table = np.full(size, -1, dtype=np.int64)
    new_key = np.zeros(words, dtype=np.uint64)
    for p in range(m):
        begin, stop = first_of_layer[p], first_of_layer[p + 1]
        while size < 8 * (stop - begin) + 64:
            size *= 2
        table = np.full(size, -1, dtype=np.int64)
        entries = 0
        for i in range(begin, stop):
            bound = worth[i] + min(
                by_rows[p, rows - used[i] + front[i]], by_columns[p, columns - cols[i]]
            )
            if bound < least:
                continue
            cost = fixed[p]
            for e in range(old_ptr[p], old_ptr[p + 1]):
                s = old_slot[e]
                if not (key[i, s >> 6] >> np.uint64(s & 63)) & one:
                    cost += slot_weight[p, s]
            top = min(count[p], columns - cols[i])
            if used[i] + cost > rows:
                top = 0
            if not use_columns and top < count[p]:
                top = 0
            lowest = 1 if use_columns or top == 0 else count[p]
            for amount in range(lowest - 1, top + 1):
                skip = amount == lowest - 1
                if skip and top > 0 and cost == 0 and not use_columns:
                    continue  # it costs nothing: the crossbar that has it covers more
                for w in range(words):
                    new_key[w] = key[i, w]
                    if not skip:
                        new_key[w] |= gain[p, w]
                    new_key[w] &= ~drop[p, w]
                members = 0 if skip else amount
                r = used[i] + (0 if skip else cost)
                c = cols[i] + members if use_columns else 0
                v = worth[i] + members * value[p]
                weight = 0
                for w in range(words):
                    word, b = new_key[w], w * 64
                    while word:
                        if word & one:
                            weight += slot_weight[p, b]
                        word >>= one
                        b += 1
                rest = min(by_rows[p + 1, rows - r + weight], by_columns[p + 1, columns - c])
                if v + rest < least:
                    continue
                at = np.int64(_hash(new_key, r, c) & np.uint64(size - 1))
                found = -1
                while table[at] >= 0:
                    j = table[at]
                    same = used[j] == r and cols[j] == c
                    for w in range(words):
                        same = same and key[j, w] == new_key[w]
                    if same:
                        found = j
                        break
                    at = (at + 1) & (size - 1)
                if found < 0:
                    if labels == most_labels or 2 * entries > size:
                        return parts[:0], ends[:0], False
                    if labels == capacity:
                        capacity *= 2
                        used, cols, worth, front = (
                            _grown(used), _grown(cols), _grown(worth), _grown(front),
                        )  # fmt: skip
                        key = np.concatenate((key, np.zeros_like(key)))
                        way_head = np.concatenate((way_head, np.full_like(way_head, -1)))
                    found = labels
                    labels += 1
                    entries += 1
                    table[at] = found
                    for w in range(words):
                        key[found, w] = new_key[w]
                    used[found], cols[found], front[found] = r, c, weight
                    worth[found] = v
                elif v > worth[found]:
                    worth[found] = v
                if num_ways == ways:
                    ways *= 2
                    way_from, way_members, way_next = (
                        _grown(way_from), _grown(way_members), _grown(way_next),
                    )  # fmt: skip
                way_from[num_ways] = i
                way_members[num_ways] = members
                way_next[num_ways] = way_head[found]
                way_head[found] = num_ways
                num_ways += 1
        first_of_layer[p + 2 if p + 2 <= m + 1 else m + 1] = labels
    length, num = 0, 0
    path = np.full(m + 1, -1, dtype=np.int64)  # the way taken into the label after class p
    suffix = np.zeros(m + 2, dtype=np.int64)
    at_label = np.zeros(m + 2, dtype=np.int64)
    for end in range(first_of_layer[m], labels):
        if worth[end] < least:
            continue
        p = m
        at_label[m] = end
        path[m] = way_head[end]
        while p <= m:
            if p == 0:  # a whole crossbar
                if num == most_columns:
                    return parts[:0], ends[:0], False
                for q in range(1, m + 1):
                    members = way_members[path[q]]
                    if members:
                        if length == len(parts):
                            parts = np.concatenate((parts, np.empty_like(parts)))
                        parts[length, 0], parts[length, 1] = q - 1, members
                        length += 1
                if num == len(ends):
                    ends = _grown(ends)
                ends[num] = length
                num += 1
                p = 1
                path[1] = way_next[path[1]]
                continue
            e = path[p]
            if e < 0:
                p += 1
                if p <= m:
                    path[p] = way_next[path[p]]
                continue
            before = suffix[p] + way_members[e] * value[p - 1]
            if worth[way_from[e]] + before < least:
                path[p] = way_next[e]
                continue
            suffix[p - 1] = before
            at_label[p - 1] = way_from[e]
            p -= 1
            if p > 0:
                path[p] = way_head[way_from[e]]
    return parts[:length], ends[:num], True
