"""Kernel of lattice.py: what boxes of a lattice can be worth at most, by the rows they take."""

from __future__ import annotations

from typing import Any

import numpy as np

from optmap.compiled import compiled
from optmap.model.snn import IntArray


@compiled
def _sorted_box(price: Any, orbit: Any, box: Any, top: bool, left: bool, border: bool) -> Any:
    """Return the prices (falling) and orbits of a box's cells on missing lines, or of the others.

    The corner cell, on two missing lines, is in neither.
    """
    i, j, a, b = box
    values, orbits, num = np.zeros(a * b, np.int64), np.zeros(a * b, np.int64), 0
    for p in range(a):
        for q in range(b):
            above, beside = top and p == 0, left and q == 0
            if (above or beside) == border and not (above and beside):
                values[num] = -price[i + p, j + q]
                orbits[num] = orbit[i + p, j + q]
                num += 1
    by = np.argsort(values[:num], kind="mergesort")
    return -values[:num][by], orbits[:num][by]


@compiled
def boxes(
    price: IntArray,
    orbit: IntArray,
    side: int,
    ends: Any,
    rows: int,
    most: IntArray,
    best: IntArray,
) -> Any:
    """Enter what connected sets of cells are worth at most, by rows; return the best of each size.

    Parameters
    ----------
    price, orbit : (H, W)
        Of each cell.
    ends : (top, left, first, last)
        Whether the line before the first row, or column, is missing; cells that are ``first`` from
        the beginning and ``last`` from the end are all alike.
    most : (rows + 1,)
        Raised to the most worth found in exactly so many rows.
    best : (N, 1 + orbits)
        Of each size of box: the most worth, and how many cells of each orbit that takes.

    Returns
    -------
    num : int
        Sizes of boxes entered into ``best``.
    """
    height, width = price.shape
    num = 0
    for a in range(1, height + 1):
        for b in range(1, width + 1):
            if side * (a + b) - 1 > rows or num >= len(best):
                break
            best[num, :] = 0
            _places(price, orbit, (side, a, b), ends, most, best[num])
            num += 1
    return num


@compiled
def _places(price: Any, orbit: Any, size: Any, ends: Any, most: Any, best: Any) -> None:
    """Enter boxes of a size, wherever they differ."""
    side, a, b = size
    height, width = price.shape
    top_missing, left_missing, first, last = ends
    for i in range(height - a + 1):
        for j in range(width - b + 1):
            alike_i = i > first and i + a <= height - last
            alike_j = j > first and j + b <= width - last
            if alike_i or alike_j:
                continue
            top, left = top_missing == 1 and i == 0, left_missing == 1 and j == 0
            box = (i, j, a, b)
            lines = _sorted_box(price, orbit, box, top, left, True)
            cells = _sorted_box(price, orbit, box, top, left, False)
            plain = side * (a + b) + 1 - (1 if top or left else 0)
            if top and left:
                corner = price[i, j], orbit[i, j]
                _fill(side, plain - 1, (0, -1), lines, cells, most, best)
                _fill(side, plain + side * side - 2 * side, corner, lines, cells, most, best)
            else:
                _fill(side, plain, (0, -1), lines, cells, most, best)


@compiled
def _fill(side: int, taken: int, corner: Any, lines: Any, cells: Any, most: Any, best: Any) -> None:
    """Take the dearest cells on missing lines and the dearest others, in all numbers that fit.

    ``corner``: worth and orbit of a cell that is taken in any case, (0, -1) for none.
    """
    worth = corner[0]
    for m in range(len(lines[0]) + 1):
        if m > 0:
            taken += side * side - side
            worth += lines[0][m - 1]
        used, value = taken, worth
        for k in range(len(cells[0]) + 1):
            if k > 0:
                used += side * side
                value += cells[0][k - 1]
            if used >= len(most):
                break
            most[max(used, 0)] = max(most[max(used, 0)], value)
            if value > best[0]:
                best[:] = 0
                best[0] = value
                if corner[1] >= 0:
                    best[1 + corner[1]] += 1
                for z in range(m):
                    best[1 + lines[1][z]] += 1
                for z in range(k):
                    best[1 + cells[1][z]] += 1


@compiled
def several(most: IntArray) -> None:
    """Raise ``most`` to what several sets that share no row are worth in so many rows at most."""
    for r in range(1, len(most)):
        most[r] = max(most[r], most[r - 1])
    one = most.copy()
    for r in range(1, len(most)):
        for s in range(1, r):
            most[r] = max(most[r], one[s] + most[r - s])
