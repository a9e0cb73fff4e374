"""Crossbars of a filter whose windows overlap by one line: shapes on a lattice bound their worth.

Units read square windows of side s + 1, a window every s lines: cells of a lattice, whose edges are
shared by two cells and whose corners by four. A set S of F cells, with P edges that bound one of
its cells and Euler characteristic chi (pieces less holes), reads by Euler's formula

    rows(S) = s^2 F + s P / 2 + chi.

A connected S (also by corners) within a box of a x b cells that it spans has P >= 2 (a + b): every
line of the box is entered and left. A hole adds four edges and takes one from chi. So

    rows(S) >= s^2 F + s (a + b) + 1,

and what S is worth at given prices is at most the dearest cells of some box, as many as leave its
rows within the crossbar's. Where the line before the first cells is missing (padding), S saves s
inputs for each of its cells there and one for each run of them; a second run costs at least as much
as it saves. Pieces that share no row add up: a knapsack over rows.

Prices by distance to the border are a linear programme whose rows are the best sets of each box, as
above: sets that need not exist, which only makes its bound weaker, never wrong. All in whole
numbers once prices are rounded. On smooth-64 it proves 38 where frontier sweeps stop at 34.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

import numpy as np
from scipy.optimize import linprog

from formulations.clustering.column_generation.lattice_kernel import boxes, several
from formulations.solvers.stopwatch import Stopwatch
from optmap.clock import did
from optmap.model.certificate import PriceCertificate
from optmap.model.decomposition import Decomposition
from optmap.model.snn import SNN, FloatArray, IntArray

#: One crossbar's worth in whole-number prices; larger lattices are not looked at.
SCALE, MAX_CELLS = 10**6, 128 * 128
#: Cells have prices of their own up to so far from the first and from the last line.
FIRST, LAST = 4, 1
#: Between the programme's promise and what is proved: then no more rounds. Rounds at most.
NEAR, MAX_ROUNDS = 0.01, 200
#: Boxes times cells that about a second of one core is counted as.
CELLS_A_UNIT = 20_000_000


@dataclass(frozen=True, eq=False)
class Lattice:
    """Units as cells of a lattice.

    Parameters
    ----------
    side : int
        s.
    cell : (U, 2)
        Row and column of each unit's cell, missing lines before the first.
    top, left : bool
        Whether the line before the first row, and before the first column, is missing.
    """

    side: int
    cell: IntArray
    top: bool
    left: bool

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        height, width = (self.cell.max(axis=0) + 1).tolist()
        return height, width

    def by_cell(self, values: IntArray) -> IntArray:
        """Return the sum of the units' values in each cell."""
        grid = np.zeros(self.shape, dtype=np.int64)
        np.add.at(grid, (self.cell[:, 0], self.cell[:, 1]), values)
        return grid

    def worths(self, prices: IntArray, rows: int) -> IntArray:
        """Return bounds on what any units are worth that read at most 0, 1, .. ``rows`` rows."""
        most = np.zeros(rows + 1, dtype=np.int64)
        height, width = self.shape
        ends = (int(self.top), int(self.left), max(height, width), 0)
        orbit = np.zeros(self.shape, dtype=np.int64)
        room = np.zeros((height * width, 2), dtype=np.int64)
        boxes(self.by_cell(prices), orbit, self.side, ends, rows, most, room)
        several(most)
        did(height * width / CELLS_A_UNIT * rows)
        return most

    def worth(self, prices: IntArray, rows: int) -> int:
        """Return a bound on what any units that read at most so many rows are worth."""
        return int(self.worths(prices, rows)[rows])


def lattice_of(network: SNN) -> Lattice | None:
    """Return the lattice whose cells the units are, None where they are not.

    Sources are numbered line by line; the lines' length is read off the largest window. Every
    unit's sources are compared with its window.
    """
    if not 0 < network.num_units <= MAX_CELLS or network.is_unit[network.indices].any():
        return None
    reads = [np.sort(network.sources_of(u)) for u in network.units.tolist()]
    widest = max(reads, key=len)
    window = isqrt(len(widest))
    if window < 2 or window**2 != len(widest) or min(map(len, reads)) == 0:
        return None
    length, base = int(widest[window] - widest[0]), min(int(r[0]) for r in reads)
    if length < window:
        return None
    sides = []
    for places in zip(*(np.divmod(r - base, length) for r in reads), strict=True):
        low = np.array([int(place.min()) for place in places])
        high = np.array([int(place.max()) for place in places])
        sides.append((low, high, _placed(low, high, window)))
    (top, bottom, rows), (left, right, columns) = sides
    area = (bottom - top + 1) * (right - left + 1)
    if rows is None or columns is None or (area != [len(r) for r in reads]).any():
        return None
    return Lattice(window - 1, np.stack([rows[0], columns[0]], axis=1), rows[1], columns[1])


def _placed(low: IntArray, high: IntArray, window: int) -> tuple[IntArray, bool] | None:
    """Return the cells of windows along an axis, and whether the line before them is missing.

    Windows are a line shorter at one end where that end's line is missing; counted from there.
    """
    step, last = window - 1, int(high.max())
    short = high - low + 1 == window - 1
    before, after = short & (low == 0), short & (high == last)
    if (high - low + 1 != window - short).any() or (short & ~before & ~after).any():
        return None
    if before.any() and after.any():
        return None
    start = np.where(before, low - 1, low)
    first = int(start.min())
    if ((start - first) % step).any() or (before.any() and first != -1):
        return None
    cell = (start - first) // step
    return (cell.max() - cell if after.any() else cell), bool(short.any())


def certificate_of(
    decomposition: Decomposition,
    kinds: tuple[tuple[int, int], ...],
    incumbent: int,
    watch: Stopwatch,
    seconds: float,
) -> PriceCertificate | None:
    """Return prices whose bound on the number of crossbars shapes prove, None where they do not.

    Parameters
    ----------
    incumbent : int
        Crossbars that are known to be enough: no more is asked for.
    seconds : float
        What the prices may take.
    """
    lattice = lattice_of(decomposition.network) if len(kinds) == 1 else None
    if lattice is None:
        return None
    ((rows, columns),) = kinds
    prices = _prices(lattice, rows, incumbent, watch, watch.spent + seconds)
    worth = 0 if prices is None else lattice.worth(prices, rows)
    if prices is None or worth <= 0:
        return None
    return PriceCertificate(
        decomposition.identity, ((rows, columns, 1),), tuple(prices.tolist()), worth
    )


def _prices(
    lattice: Lattice, rows: int, incumbent: int, watch: Stopwatch, until: float
) -> IntArray | None:
    """Return whole prices of the units, dear where crossbars hold few; None without time."""
    orbit = _orbits(lattice)
    num, (height, width) = int(orbit.max()) + 1, lattice.shape
    of_unit = orbit[lattice.cell[:, 0], lattice.cell[:, 1]]
    units = np.bincount(of_unit, minlength=num).astype(float)
    here = lattice.by_cell(np.ones(len(of_unit), dtype=np.int64))
    ends = (int(lattice.top), int(lattice.left), FIRST, LAST)
    pi: FloatArray = np.full(num, lattice.side**2 / rows)
    centre, proved, cuts = pi, 0.0, np.zeros((0, num))
    room = np.zeros((height * width, 1 + num), dtype=np.int64)
    for _ in range(MAX_ROUNDS):
        if watch.spent >= until:
            break
        price = np.floor(pi * SCALE).astype(np.int64)[orbit] * here
        most = np.zeros(rows + 1, dtype=np.int64)
        found = room[: boxes(price, orbit, lattice.side, ends, rows, most, room)]
        did(height * width / CELLS_A_UNIT * rows)
        worth = float(found[:, 0].max(initial=0)) / SCALE
        if worth <= 0:
            return None
        if units @ pi / worth > proved:
            proved, centre = float(units @ pi / worth), pi / worth
        dear = found[found[:, 0] > SCALE * (1.0 if len(cuts) else 0.0), 1:] * int(here.max())
        cuts = np.unique(np.concatenate([cuts, dear]), axis=0)
        best = linprog(-units, A_ub=cuts, b_ub=np.ones(len(cuts)), bounds=(0.0, 1.0))
        if best.x is None or -best.fun < proved + NEAR or proved > incumbent - 1 + NEAR:
            break
        pi = (centre + best.x) / 2
    whole: IntArray = np.floor(centre * SCALE).astype(np.int64)[of_unit]
    return whole if proved else None


def _orbits(lattice: Lattice) -> IntArray:
    """Return a number for each cell: how far it is from the first and the last lines, if near."""

    def far(n: int) -> IntArray:
        place = np.arange(n)
        end = n - 1 - place
        return np.where(place < FIRST, place, np.where(end < LAST, FIRST + 1 + end, FIRST))

    height, width = lattice.shape
    down, right = np.meshgrid(far(height), far(width), indexing="ij")
    if height == width and lattice.top == lattice.left:
        down, right = np.minimum(down, right), np.maximum(down, right)
    _, orbit = np.unique(down * (FIRST + LAST + 2) + right, return_inverse=True)
    numbered: IntArray = orbit.reshape(height, width).astype(np.int64)
    return numbered
