"""A constructive start by vector packing: what lacks columns joins what lacks rows in one crossbar.

Best fit by shared rows fills a crossbar with one kind of unit: a patch of a convolution runs out of
columns with rows to spare, the pooling units that read it run out of rows with columns to spare.
Here patches are grown to a *cap* of columns only, and the units that share no row with any other
(*loners*) then go where what is left of both resources looks most like what they take: the
dot-product rule of vector bin packing. Several caps are tried, the fewest crossbars win.

Pseudo-code, for one cap::

    while some sharing class is not placed:
        open a crossbar with the first such class
        add the one of fewest new rows (ties: fewest unplaced co-readers, then first) up to the cap
    for each crossbar, then for new ones while loners remain:
        while some loner fits: add the one of largest cosine of (rows, columns) taken and left

Deterministic. One cap costs O(rows taken x their readers) for growing.

References
----------
.. [1] Panigrahy, Talwar, Uyeda and Wieder, "Heuristics for Vector Bin Packing", 2011.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from optmap.clock import did, now
from optmap.clustering.kernels.classes import Classes
from optmap.compiled import compiled
from optmap.model.mapping import Clustering, compact
from optmap.model.snn import IndexArray, IntArray

#: Caps tried, as parts of a crossbar's columns in 32nds.
CAPS = range(32, 11, -1)
#: Rows taken that about a second of one core is counted as.
TAKEN_A_UNIT = 100_000

Column = dict[int, int]


def vector_packing_start(
    classes: Classes, rows: int, columns: int, *, seconds: float = 5.0
) -> Clustering | None:
    """Return the best of the caps' clusterings; None where no unit is a loner or all are.

    Parameters
    ----------
    seconds : float
        No further cap is started after that long.
    """
    began = now()
    reader_ptr, readers = readers_of(classes)
    sharing = np.zeros(classes.num_classes, dtype=np.bool_)
    for g in np.flatnonzero(np.diff(reader_ptr) > 1):
        sharing[readers[reader_ptr[g] : reader_ptr[g + 1]]] = True
    if sharing.all() or not sharing.any() or int(classes.fan_in.max()) > rows:
        return None
    best: list[Column] | None = None
    for cap in dict.fromkeys(max(1, columns * part // 32) for part in CAPS):
        crossbars = _patches(classes, reader_ptr, readers, sharing, rows, columns, cap)
        crossbars = _fill(classes, crossbars, ~sharing, rows, columns)
        if best is None or len(crossbars) < len(best):
            best = crossbars
        did(len(classes.groups) / TAKEN_A_UNIT)
        if now() - began > seconds:
            break
    assert best is not None  # there is at least one cap
    return compact(classes.clustering(best).cluster_of)


def readers_of(classes: Classes) -> tuple[IntArray, IndexArray]:
    """Return the classes that read each group, as compressed lists, ascending."""
    reader = np.repeat(np.arange(classes.num_classes, dtype=np.int32), np.diff(classes.ptr))
    order = np.argsort(classes.groups, kind="stable")
    count = np.bincount(classes.groups, minlength=len(classes.weight))
    return np.concatenate(([0], np.cumsum(count, dtype=np.int64))), reader[order]


def _patches(
    classes: Classes,
    reader_ptr: IntArray,
    readers: IndexArray,
    sharing: np.ndarray,
    rows: int,
    columns: int,
    cap: int,
) -> list[Column]:
    """Return crossbars that hold every sharing class, grown up to the cap."""
    left = np.where(sharing, classes.size, 0)
    crossbar, member, count = _grow(
        classes.ptr, classes.groups, classes.weight, reader_ptr, readers, left, rows, columns, cap
    )
    made: list[Column] = [{} for _ in range(int(crossbar.max()) + 1)]
    for k, q, n in zip(crossbar.tolist(), member.tolist(), count.tolist(), strict=True):
        made[k][q] = n
    return made


@compiled
def _grow(
    ptr: Any,
    groups: Any,
    weight: Any,
    reader_ptr: Any,
    readers: Any,
    left: Any,
    rows: Any,
    columns: Any,
    cap: Any,
) -> Any:
    """Return (crossbar, class, members) triples that place the ``left`` members of all classes.

    ``need[q]``: rows that class q would add; kept by walking the readers of each row taken. A class
    of more members than the cap is dealt in parts, any other goes as a whole; the first class of a
    crossbar may exceed the cap, not the columns.
    """
    num = len(ptr) - 1
    left = left.copy()
    own = np.zeros(num, dtype=np.int64)
    rivals = np.zeros(num, dtype=np.int64)
    for q in range(num):
        for e in range(ptr[q], ptr[q + 1]):
            own[q] += weight[groups[e]]
            if left[q] > 0:
                for s in range(reader_ptr[groups[e]], reader_ptr[groups[e] + 1]):
                    rivals[readers[s]] += 1
    need = own.copy()
    has = np.zeros(len(weight), dtype=np.bool_)
    taken = np.empty(len(weight), dtype=np.int32)
    near = np.zeros(num, dtype=np.bool_)
    met = np.empty(num, dtype=np.int32)
    out_k, out_q, out_n = [0], [0], [0]
    k, first = 0, 0
    while True:
        while first < num and left[first] == 0:
            first += 1
        if first == num:
            break
        num_taken, num_met, used_rows, used_columns = 0, 0, 0, 0
        q = first
        while q >= 0:
            most = columns if used_columns == 0 else max(cap, used_columns) - used_columns
            part = min(left[q], most)
            out_k.append(k)
            out_q.append(q)
            out_n.append(part)
            left[q] -= part
            used_columns += part
            for e in range(ptr[q], ptr[q + 1]):
                g = groups[e]
                if left[q] == 0:
                    for s in range(reader_ptr[g], reader_ptr[g + 1]):
                        rivals[readers[s]] -= 1
                if has[g]:
                    continue
                has[g] = True
                taken[num_taken] = g
                num_taken += 1
                used_rows += weight[g]
                for s in range(reader_ptr[g], reader_ptr[g + 1]):
                    other = readers[s]
                    need[other] -= weight[g]
                    if not near[other]:
                        near[other] = True
                        met[num_met] = other
                        num_met += 1
            q = -1
            for i in range(num_met):
                c = met[i]
                if left[c] == 0 or used_rows + need[c] > rows or used_columns >= cap:
                    continue
                if left[c] <= cap and used_columns + left[c] > cap:
                    continue
                if q >= 0:
                    if need[c] != need[q]:
                        better = need[c] < need[q]
                    elif rivals[c] != rivals[q]:
                        better = rivals[c] < rivals[q]
                    else:
                        better = c < q
                    if not better:
                        continue
                q = c
        for i in range(num_taken):
            has[taken[i]] = False
        for i in range(num_met):
            near[met[i]] = False
            need[met[i]] = own[met[i]]
        k += 1
    return np.array(out_k[1:]), np.array(out_q[1:]), np.array(out_n[1:])


def _fill(
    classes: Classes, crossbars: list[Column], loner: np.ndarray, rows: int, columns: int
) -> list[Column]:
    """Return the crossbars with all loners added by the cosine rule, and as many new as needed.

    Loners that take equally many rows and columns are interchangeable: one *shape* each.
    """
    shapes: dict[tuple[int, int], list[int]] = {}
    left = {int(q): int(classes.size[q]) for q in np.flatnonzero(loner)}
    for q, n in left.items():
        shapes.setdefault((int(classes.fan_in[q]), n), []).append(q)
    filled = list(crossbars)
    k = 0
    while k < len(filled) or shapes:
        if k == len(filled):
            filled.append({})
        column = filled[k]
        free_rows = rows - classes.rows_of(list(column))
        free_columns = columns - sum(column.values())
        while True:
            chosen, best = None, -1.0
            for f, n in shapes:
                part = min(n, free_columns)
                if f > free_rows or part == 0 or (part < n and column and n <= columns):
                    continue
                a, b = f / rows, part / columns
                x, y = free_rows / rows, free_columns / columns
                cosine = (a * x + b * y) / ((a * a + b * b) ** 0.5 * (x * x + y * y) ** 0.5)
                if cosine > best + 1e-12 or (
                    cosine > best - 1e-12 and chosen is not None and (f, n) > chosen
                ):
                    chosen, best = (f, n), cosine
            if chosen is None:
                break
            f, n = chosen
            q = shapes[chosen].pop(0)
            if not shapes[chosen]:
                del shapes[chosen]
            part = min(n, free_columns)
            column[q] = part
            free_rows -= f
            free_columns -= part
            if part < n:
                shapes.setdefault((f, n - part), []).append(q)
        k += 1
    return [c for c in filled if c]
