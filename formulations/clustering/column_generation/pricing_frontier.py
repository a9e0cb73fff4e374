"""Exact pricing of one crossbar by a frontier sweep over the classes (labels in whole numbers).

Problem: choose m_q <= n_q members of each class, sum m_q <= C, such that the groups read weigh at
most R, with sum pi_q m_q largest (README.md, P, pricing). The sweep visits the classes in a fixed
order. A partial choice is a label (rows, columns, value) with the set of groups on its rows that a
later class still reads, its *frontier*; of two labels with equal frontier, rows and columns only
the more valuable one can matter. Filters have small frontiers: two feature-map rows of inputs.

Labels are pruned against two upper bounds on what later classes can add:

rows     every group's weight is split evenly among its later readers, so that any later choice F
         takes at least sum_{q in F} omega_q rows, less those of the frontier, which are there
         already; a fractional knapsack of (pi_q n_q, omega_q) bounds the value.
columns  the C - columns dearest later members.

Prices and values are int64, so the result is exact: the two bounds are computed in double precision
and rounded up by more than the error of sums up to 2^50 (:data:`optmap.model.certificate.MAX_SUM`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from formulations.clustering.column_generation.frontier import Sweep
from optmap.clustering.kernels.classes import Classes
from optmap.compiled import compiled
from optmap.model.snn import IntArray

#: What is added to a bound in double precision before it is rounded up, and that part of it.
ABOVE, PART_ABOVE = 0.01, 1e-12


@dataclass(frozen=True, eq=False)
class Found:
    """What a sweep found.

    Parameters
    ----------
    complete : bool
        Nothing was thrown away: no crossbar is worth more than max(best, threshold).
    best : int
        Largest value found (0: nothing worth more than the threshold).
    by_rows : (R + 1,) int64 array
        Most value found in at most so many rows: a lower bound on what they can hold.
    choices : tuple of dict
        Members taken of each class, most valuable choice first.
    work : int
        Label visits in all.
    """

    complete: bool
    best: int
    by_rows: IntArray
    choices: tuple[dict[int, int], ...]
    work: int


@dataclass(frozen=True, eq=False)
class Completion:
    """Upper bounds on what classes p, p+1, ... of a sweep can add.

    Parameters
    ----------
    by_rows, by_columns : (m + 1, R + 1) and (m + 1, C + 1) int64 arrays
        By the rows (frontier included) and by the columns that are left.
    most_members : (R + 1,) int64 array
        Members that fit into so many rows, at most.
    """

    by_rows: IntArray
    by_columns: IntArray
    most_members: IntArray


def completion_of(
    sweep: Sweep, classes: Classes, prices: IntArray, rows: int, columns: int
) -> Completion:
    """Return the completion bounds for these prices; they serve every smaller number of rows."""
    order = sweep.order
    graph = (classes.ptr, classes.groups, classes.weight, order)
    count = np.minimum(classes.size[order], columns)
    by_rows, by_columns = _completion(graph, prices[order], count, rows, columns, len(order) // 256)
    ones = np.ones(len(order), dtype=np.int64)
    members, _ = _completion(graph, ones, classes.size[order], rows, 1, len(order))
    return Completion(by_rows, by_columns, members[0])


def price(
    sweep: Sweep,
    classes: Classes,
    prices: IntArray,
    rows: int,
    columns: int,
    *,
    threshold: int,
    most_labels: int,
    most_work: int = 2**62,
    keep: int = 200,
    beam: bool = False,
    closed: IntArray | None = None,
    completion: Completion | None = None,
) -> Found:
    """Return crossbars worth more than ``threshold``, and whether none better exists.

    Parameters
    ----------
    prices : (Q,) int64 array
        Price of one member of each class, >= 0.
    threshold : int
        Values up to this are of no interest; the higher, the faster.
    most_labels : int
        Labels kept at once; beyond it the sweep gives up, or, as a ``beam``, keeps the best.
    most_work : int
        Label visits after which the sweep gives up: some 10^7 a second.
    keep : int
        Choices returned at most: the best one that ends with each class, then the best of those.
    closed : (R + 1,) int64 array, optional
        Upper bounds on the value of any choice of so many rows. What later classes add is itself a
        choice, of at most the rows left plus those of the frontier, so this bounds it too; far
        stronger than the fractional one, because it knows that every choice has a border.
    """
    order = sweep.order
    value = prices[order].astype(np.int64)
    count = np.minimum(classes.size[order], columns)
    if completion is None:
        completion = completion_of(sweep, classes, prices, rows, columns)
    by_rows = completion.by_rows[:, : rows + 1]
    if closed is not None:
        by_rows = np.minimum(by_rows, closed[: rows + 1])
    by_columns = completion.by_columns
    use_columns = bool(completion.most_members[rows] > columns)
    by_rows_found, complete, ends, end_value, parent, taken, members, work = _sweep(
        sweep.fixed,
        sweep.old_ptr,
        sweep.old_slot,
        sweep.gain,
        sweep.drop,
        sweep.slot_weight,
        value,
        count,
        by_rows,
        by_columns,
        rows,
        columns,
        use_columns,
        threshold,
        most_labels,
        most_work,
        beam,
    )
    best_first = np.argsort(-end_value, kind="stable")[:keep]
    choices = []
    for e in best_first:
        if end_value[e] <= threshold:
            break
        choice: dict[int, int] = {}
        node = int(ends[e])
        while node >= 0:
            choice[int(order[taken[node]])] = int(members[node])
            node = int(parent[node])
        choices.append(choice)
    best = int(end_value.max()) if len(end_value) and choices else 0
    found = np.maximum.accumulate(by_rows_found)
    return Found(bool(complete), best, found, tuple(choices), int(work))


@compiled
def _completion(graph: Any, value: Any, count: Any, rows: Any, columns: Any, stride: Any) -> Any:
    """Return the two upper bounds: (m + 1, R + 1) by rows left and (m + 1, C + 1) by columns left.

    ``graph`` is (ptr, groups, weight, order): what each class reads, and the order of the classes.
    Recomputed at every ``stride``-th class only: an earlier bound is valid later too.
    """
    ptr, groups, weight, order = graph
    m = len(order)
    by_rows = np.zeros((m + 1, rows + 1), dtype=np.int64)
    by_columns = np.zeros((m + 1, columns + 1), dtype=np.int64)
    left = np.zeros(len(weight), dtype=np.int64)
    stride = max(1, stride)
    for p in range(m - 1, -1, -1):
        for e in range(ptr[order[p]], ptr[order[p] + 1]):
            left[groups[e]] += 1
        if p % stride:
            continue
        omega = np.empty(m - p)
        density = np.empty(m - p)
        for i in range(m - p):
            total = 0.0
            for e in range(ptr[order[p + i]], ptr[order[p + i] + 1]):
                total += weight[groups[e]] / left[groups[e]]
            omega[i] = total
            density[i] = -value[p + i] * count[p + i] / max(total, 1e-9)
        r, worth, room = 0, 0.0, 0.0
        for i in np.argsort(density):
            gain = float(value[p + i] * count[p + i])
            if gain <= 0.0:
                break
            stop = room + omega[i]
            while r <= rows and r < stop:
                error = ABOVE + PART_ABOVE * (worth + gain / omega[i] * r)
                by_rows[p, r] = np.int64(np.ceil(worth + gain * (r - room) / omega[i] + error))
                r += 1
            worth += gain
            room = stop
            if r > rows:
                break
        while r <= rows:
            by_rows[p, r] = np.int64(np.ceil(worth + ABOVE))
            r += 1
        held, total_value = 0, 0
        for i in np.argsort(-value[p:].astype(np.float64)):  # one sort to compile
            for _ in range(count[p + i]):
                if held < columns:
                    held += 1
                    total_value += value[p + i]
                    by_columns[p, held] = total_value
            if held == columns:
                break
        while held < columns:
            held += 1
            by_columns[p, held] = total_value
    for p in range(m):
        if p % stride:
            by_rows[p] = by_rows[p - p % stride]
            by_columns[p] = by_columns[p - p % stride]
    return by_rows, by_columns


@compiled
def _hash(words: Any, rows: Any, cols: Any) -> Any:
    h = np.uint64(rows * 1000003 + cols * 7919 + 12345)
    for w in words:
        h = (h ^ w) * np.uint64(0x9E3779B97F4A7C15)
        h ^= h >> np.uint64(29)
    return h


@compiled
def _sweep(
    fixed: Any, old_ptr: Any, old_slot: Any, gain: Any, drop: Any, slot_weight: Any, value: Any,
    count: Any, by_rows: Any, by_columns: Any, rows: Any, columns: Any, use_columns: Any,
    threshold: Any, most: Any, most_work: Any, beam: Any) -> Any:  # fmt: skip
    """Sweep; return (complete, ends, their values, parent, taken, members, label visits).

    A label's fields: frontier words, rows, columns * 2 + (a class was taken in part), value, weight
    of its frontier, and its last event. Events (parent, class, members) rebuild the choice. At most
    one class is taken in part: the cheapest of a full crossbar.
    """
    m, words = gain.shape
    one = np.uint64(1)
    capacity = 2 * most + 2
    size = 1
    while size < 2 * capacity:
        size *= 2
    table = np.zeros(size, dtype=np.int32)
    stamp = np.full(size, -1, dtype=np.int32)
    key = np.zeros((2, capacity, words), dtype=np.uint64)
    used = np.zeros((2, capacity), dtype=np.int32)
    cols = np.zeros((2, capacity), dtype=np.int32)
    worth = np.zeros((2, capacity), dtype=np.int64)
    front = np.zeros((2, capacity), dtype=np.int32)
    last = np.full((2, capacity), -1, dtype=np.int64)
    log = 1 << 16
    parent = np.empty(log, dtype=np.int64)
    taken = np.empty(log, dtype=np.int32)
    members = np.empty(log, dtype=np.int32)
    num_events, work = 0, 0
    found_by_rows = np.zeros(rows + 1, dtype=np.int64)
    ends = np.full(m, -1, dtype=np.int64)
    end_value = np.zeros(m, dtype=np.int64)
    complete = True
    now, n = 0, 1
    new_key = np.zeros(words, dtype=np.uint64)
    for p in range(m):
        nxt = 1 - now
        out = 0
        work += n
        if work > most_work:
            return found_by_rows, False, ends, end_value, parent, taken, members, work
        for i in range(n):
            bound = worth[now, i] + min(
                by_rows[p, rows - used[now, i] + front[now, i]],
                by_columns[p, columns - cols[now, i] // 2],
            )
            if bound <= threshold:
                continue
            cost = fixed[p]
            for e in range(old_ptr[p], old_ptr[p + 1]):
                s = old_slot[e]
                if not (key[now, i, s >> 6] >> np.uint64(s & 63)) & one:
                    cost += slot_weight[p, s]
            room = columns - cols[now, i] // 2
            top = min(count[p], room)
            in_part = use_columns and not cols[now, i] & 1
            if used[now, i] + cost > rows or top == 0 or value[p] == 0:
                lowest = top + 1  # cannot be taken
            elif in_part:
                lowest = 1
            elif top == count[p]:
                lowest = top
            else:
                lowest = top + 1
            for amount in range(lowest - 1, top + 1):
                skip = amount == lowest - 1
                for w in range(words):
                    new_key[w] = key[now, i, w]
                    if not skip:
                        new_key[w] |= gain[p, w]
                    new_key[w] &= ~drop[p, w]
                if skip:
                    r, c, v = used[now, i], cols[now, i], worth[now, i]
                else:
                    r = used[now, i] + cost
                    c = cols[now, i] + 2 * amount + (1 if amount < count[p] else 0)
                    v = worth[now, i] + amount * value[p]
                kept_c = c if use_columns else 0
                at = np.int64(_hash(new_key, r, kept_c) & np.uint64(size - 1))
                found = -1
                while stamp[at] == p:
                    j = table[at]
                    same = used[nxt, j] == r and (not use_columns or cols[nxt, j] == c)
                    for w in range(words):
                        same = same and key[nxt, j, w] == new_key[w]
                    if same:
                        found = j
                        break
                    at = (at + 1) & (size - 1)
                if found >= 0 and worth[nxt, found] >= v:
                    continue
                event = last[now, i]
                if not skip:
                    if num_events == log:
                        log *= 2
                        parent = np.concatenate((parent, np.empty(log // 2, dtype=np.int64)))
                        taken = np.concatenate((taken, np.empty(log // 2, dtype=np.int32)))
                        members = np.concatenate((members, np.empty(log // 2, dtype=np.int32)))
                    event = num_events
                    parent[event] = last[now, i]
                    taken[event] = p
                    members[event] = amount
                    num_events += 1
                    if v > found_by_rows[r]:
                        found_by_rows[r] = v
                    if v > end_value[p]:
                        end_value[p] = v
                        ends[p] = event
                if found < 0:
                    if out == capacity - 1:
                        return found_by_rows, False, ends, end_value, parent, taken, members, work
                    found = out
                    out += 1
                    stamp[at] = p
                    table[at] = found
                    weight = 0
                    for w in range(words):
                        key[nxt, found, w] = new_key[w]
                        word = new_key[w]
                        b = w * 64
                        while word:
                            if word & one:
                                weight += slot_weight[p, b]
                            word >>= one
                            b += 1
                    used[nxt, found] = r
                    front[nxt, found] = weight
                cols[nxt, found] = c
                worth[nxt, found] = v
                last[nxt, found] = event
        if out > most:
            if not beam:
                return found_by_rows, False, ends, end_value, parent, taken, members, work
            complete = False
            q = min(p + 1, m - 1)
            score = np.empty(out)
            for i in range(out):
                score[i] = -(
                    worth[nxt, i] + 0.8 * by_rows[q, rows - used[nxt, i] + front[nxt, i] // 2]
                )
            chosen = np.zeros(out, dtype=np.bool_)
            chosen[np.argsort(score)[:most]] = True
            j = -1
            for i in range(out):
                if not chosen[i]:
                    continue
                j += 1
                key[nxt, j] = key[nxt, i]
                used[nxt, j] = used[nxt, i]
                cols[nxt, j] = cols[nxt, i]
                worth[nxt, j] = worth[nxt, i]
                front[nxt, j] = front[nxt, i]
                last[nxt, j] = last[nxt, i]
            out = most
        now, n = nxt, out
        if n == 0:
            break
    return found_by_rows, complete, ends, end_value, parent, taken, members, work
