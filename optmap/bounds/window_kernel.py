"""How many pairs a set of windows and a set of points of a grid can have at most, by compressions.

Let P be p places of the plane's grid, Q q points, and let the window of place (u, v) hold the
points (x, y) with 0 <= x - s u < w and 0 <= y - s' v < w'. Points are sorted into classes by their
remainders modulo the steps s, s'; in a class, with x = s m + r, the window of u is c = floor((w - 1
- r) / s) + 1 points long, m - u = 0, ..., c - 1.

On a line, p places and q points of a class have at most

    H_c(p, q) = min over t of  c t + (p - t)(q - t)

pairs: with r(d) pairs at difference d, those of c differences are at most c t + sum of max(0, r(d)
- t), and the sum of min(t, r(d)) over all d is at least t (p + q - t) [1]_. Two runs reach it.

On the plane, add up H_c over rows of P and rows of Q. As H_c(p, q) is a sum over i <= p and j <= q
of M_c(i, j) >= 0, rows can be exchanged for levels: with lambda_i rows of P of i places or more,
and mu_j rows of Q of j points or more, there are at most

    sum over i, j of  M_c(i, j) H_c'(lambda_i, mu_j)

pairs. For each partition lambda of p every cell (j, l), l <= mu_j, has a gain of its own, and the q
cells of most gain, in all classes, are the most that any Q has.

References
----------
.. [1] J. M. Pollard, "A generalisation of the theorem of Cauchy and Davenport", Journal of the
   London Mathematical Society 8, 1974; for whole numbers in place of remainders.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from optmap.compiled import borrowing, compiled
from optmap.model.snn import IntArray


def pairs_on_a_line(window: int, most: int) -> IntArray:
    """Return H_c(p, q) for p, q = 0, ..., ``most``."""
    p, q = np.arange(most + 1)[:, None], np.arange(most + 1)[None, :]
    best: IntArray = p * q
    for t in range(1, most + 1):
        usable = t <= np.minimum(p, q)
        best = np.where(usable, np.minimum(best, window * t + (p - t) * (q - t)), best)
    return best


def most_pairs(widths: list[int], heights: list[int], places: int, points: int) -> IntArray:
    """Return the most pairs of p places and q points, shape (places + 1, points + 1).

    Parameters
    ----------
    widths, heights : list of int
        c of every class of points, along rows and across.
    """
    longest = places + max(widths + heights)
    across = np.array([np.diff(pairs_on_a_line(c, longest), axis=1) for c in heights])
    along = np.array(
        [np.diff(np.diff(pairs_on_a_line(c, longest), axis=0), axis=1) for c in widths]
    )
    best = np.zeros((places + 1, points + 1), dtype=np.int64)
    level, other = np.indices(along.shape[1:])
    reach = int(np.abs(level - other)[along.any(axis=0)].max())
    parts = np.zeros(places + 1, dtype=np.int64)
    held = np.zeros(max(widths) * max(heights) + 1, dtype=np.int64)
    for p in range(1, places + 1):
        _partitions(p, parts, widths == heights, (along, across, reach), held, best)
    return best


@compiled
def _partitions(p: int, parts: Any, alike: bool, tables: Any, held: Any, best: Any) -> None:
    """Go through all partitions of p, largest part first, from (p) to (1, ..., 1).

    Where both axes are alike, a partition and the one of its levels are the same, mirrored.
    """
    parts[0], num = p, 1
    while True:
        if not alike or parts[0] >= num:
            _gains(parts, num, tables, held)
            _keep(p, held, best)
        # the last part above 1 is lowered, what stands after it dealt anew
        left = 0
        while num > 0 and parts[num - 1] == 1:
            num -= 1
            left += 1
        if num == 0:
            return
        part = parts[num - 1] - 1
        left += 1
        parts[num - 1] = part
        while left > 0:
            parts[num] = min(part, left)
            left -= parts[num]
            num += 1


@borrowing
def _gains(parts: Any, num: int, tables: Any, held: Any) -> None:
    """Count the cells of all classes by their gains."""
    along, across, reach = tables
    held[:] = 0
    for x in range(along.shape[0]):
        for y in range(across.shape[0]):
            j = 0
            while j < along.shape[2] and _count(parts, num, (along[x], across[y], reach), j, held):
                j += 1


@borrowing
def _count(parts: Any, num: int, tables: Any, j: int, held: Any) -> bool:
    """Count the cells of one level j and class; tell whether there are any."""
    along, across, reach = tables
    low, high, n = max(0, j - reach), min(num, j + reach + 1), 0
    while n < across.shape[1]:
        gain = 0
        for i in range(low, high):
            gain += along[i, j] * across[parts[i], n]
        if gain <= 0:
            break
        held[gain] += 1
        n += 1
    return n > 0


@borrowing
def _keep(p: int, held: Any, best: Any) -> None:
    """Keep the most pairs for every number of points."""
    q, total, gain = 0, 0, len(held) - 1
    while q + 1 < best.shape[1]:
        while gain > 0 and held[gain] == 0:
            gain -= 1
        if gain > 0:
            held[gain] -= 1
            total += gain
        q += 1
        best[p, q] = max(best[p, q], total)
