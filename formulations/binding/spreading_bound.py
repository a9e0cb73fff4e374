"""The spreading-metric bound on spike-hops: few places are near (bounds.py, (B7)).

Variables    d[a,b] in lo..hi for all pairs of clusters, lo = 0 if tiles hold several clusters;
             z[a,t] >= 0, cluster a on tile t: sum_t z[a,t] = 1, sum_a z[a,t] <= places of t
Objective    min sum f_ab d[a,b]
Rows         star      sum of d[a,b], b in S >= sum_t rho_t(|S|) z[a,t], rho_t(k) the least sum of
                       hops from t to k other places
             set       sum of d[a,b], {a,b} in U >= sigma(|U|), the least sum over |U| places
             triangle  d[a,c] + d[b,c] >= d[a,b]
             part      sum of f_ab d[a,b], {a,b} in U >= opt(U) (parts_bound.py)
Rows are added as they are violated. Bound: with y >= 0 the rounded duals, sum of f d is at least
the sum of y sigma, plus the cheapest assignment of clusters to places at costs sum of y rho_t,
plus for every pair the least of (f - sum of y times coefficients) d over its range. All in whole
numbers, scaled; whatever y is, this is a bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import highspy
import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from formulations.binding.sets import BindingSets
from formulations.solvers.highs import ITERATIONS_A_UNIT
from formulations.solvers.stopwatch import Stopwatch
from optmap.bounds.spike_hops import MAX_EXACT
from optmap.clock import did, is_counted
from optmap.compiled import compiled
from optmap.model.snn import IntArray

#: Beyond so many clusters the program over all pairs is not built.
MAX_CLUSTERS = 70
#: Duals are rounded to multiples of 1 / SCALE, coarser where there are so many spike-hops that
#: costs would leave the whole numbers that doubles hold, in which the assignment is solved.
SCALE = 2**20
MAX_ROUNDS = 60
HUGE = 2**60
TOLERANCE = 1e-6

FloatMatrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """sum over pairs of coefficient * d >= least, or of a star >= sum_t rho_t z[centre,t]."""

    pairs: tuple[int, ...]
    coefficients: tuple[int, ...]
    least: int
    centre: int | None = None


def spreading_bound(sets: BindingSets, watch: Stopwatch) -> int:
    """Return the bound; 0 where the network is too large, or nothing fits, or the time is up."""
    return SpreadingProgram(sets).tighten(watch) if applies(sets) and watch.left > 0 else 0


def applies(sets: BindingSets) -> bool:
    """Tell whether there is a program: a pair of clusters at least, not too many, and room."""
    num = len(sets.clusters)
    return 1 < num <= MAX_CLUSTERS and int(_places_of_tiles(sets).sum()) >= num


def _places_of_tiles(sets: BindingSets) -> IntArray:
    num = len(sets.clusters)
    slots = [t.slots for t in sets.platform.tiles]
    return np.array([num if s is None else min(s, num) for s in slots], dtype=np.int64)


def nearest_sums(hops: IntArray, counts: IntArray, most: int) -> IntArray:
    """Return rho_t(k): the least sum of hops from tile t to k other places, shape (T, most + 1).

    Rows of tiles without a place are 0.
    """
    rho = np.zeros((len(counts), most + 1), dtype=np.int64)
    for t in np.flatnonzero(counts):
        others = counts.copy()
        others[t] -= 1
        reached = np.sort(np.repeat(hops[t], others))[:most]
        rho[t, 1 : len(reached) + 1] = np.cumsum(reached)
    return rho


@compiled
def _line_sums(num: int, most_lines: int, most: int) -> Any:
    """Return the least sum of |x_a - x_b| over all pairs of ``num`` on exactly 1.. lines.

    Every line holds 1..``most`` of them; HUGE where that cannot be. Index: number of lines.
    """
    best = np.full(num + 1, HUGE, dtype=np.int64)
    best[0] = 0
    found = np.full(most_lines + 1, HUGE, dtype=np.int64)
    for lines in range(1, most_lines + 1):
        following = np.full(num + 1, HUGE, dtype=np.int64)
        for k in range(num):
            if best[k] < HUGE:
                for more in range(1, min(most, num - k) + 1):
                    cut = best[k] + (k + more) * (num - k - more)
                    following[k + more] = min(following[k + more], cut)
        best = following
        found[lines] = best[num]
    return found


@compiled
def _mesh_sum(num: int, width: int, height: int, most: int) -> Any:
    """Return a lower bound on the hops between all pairs of ``num`` places on a mesh.

    The least over numbers of columns x and rows y in use of what each axis costs on its own, a
    column holding at most y tiles of ``most`` places and a row x.
    """
    width, height = min(width, num), min(height, num)
    by_columns = np.empty((height + 1, width + 1), dtype=np.int64)  # [y][x]
    by_rows = np.empty((width + 1, height + 1), dtype=np.int64)  # [x][y]
    for y in range(1, height + 1):
        by_columns[y] = _line_sums(num, width, y * most)
    for x in range(1, width + 1):
        by_rows[x] = _line_sums(num, height, x * most)
    least = np.int64(HUGE)
    for x in range(1, width + 1):
        for y in range(1, height + 1):
            if by_columns[y, x] < HUGE and by_rows[x, y] < HUGE:
                least = min(least, by_columns[y, x] + by_rows[x, y])
    return least


def set_sums(sets: BindingSets, counts: IntArray, rho: list[int]) -> list[int]:
    """Return sigma(k): a lower bound on the hops between all pairs of k places, k = 0..K.

    k rho(k - 1) / 2 always; on a mesh also :func:`_mesh_sum`.
    """
    num, most = len(sets.clusters), int(counts.max())
    sigma = [0] + [-(-k * rho[k - 1] // 2) for k in range(1, num + 1)]
    if sets.on_mesh:
        for k in range(2, num + 1):
            least = int(_mesh_sum(k, sets.width, sets.height, most))
            sigma[k] = max(sigma[k], least if least < HUGE else 0)
    return sigma


class SpreadingProgram:
    """The linear program, the rows it has so far, and what they prove.

    Attributes
    ----------
    best : int
        Largest bound proved so far.
    distance : (K, K) float array
        Where the program last had its optimum.
    """

    def __init__(self, sets: BindingSets) -> None:
        self.num, counts = len(sets.clusters), _places_of_tiles(sets)
        self.pairs = list(combinations(range(self.num), 2))
        self.index = np.zeros((self.num, self.num), dtype=np.int64)
        for i, (a, b) in enumerate(self.pairs):
            self.index[a, b] = self.index[b, a] = i
        self.flow = [sets.flows.get(pair, 0) for pair in self.pairs]
        hops = sets.platform.hops
        used = hops[np.ix_(counts > 0, counts > 0)]
        between_tiles = used[~np.eye(len(used), dtype=np.bool_)]
        alone = int(counts.max()) == 1
        self.low = int(between_tiles.min(initial=0)) if alone else 0
        self.metric = all(bool((used <= h[:, None] + h[None, :]).all()) for h in used)
        self.high = int(used.max(initial=0))
        self.scale = SCALE
        while self.scale > 1 and 8 * self.scale * sum(self.flow) * self.high > MAX_EXACT:
            self.scale //= 2
        self.counts = counts
        self.rho = nearest_sums(hops, counts, self.num)
        self.least_rho = self.rho[counts > 0].min(axis=0)
        self.sigma = set_sums(sets, counts, self.least_rho.tolist())
        if alone and sets.on_mesh and self.num > 2:
            self.sigma[3] = max(self.sigma[3], 4)  # perimeters of triangles are even
        self.best, self.distance = 0, np.zeros((self.num, self.num))
        self.rows: list[Row] = []
        self.seen: set[Row] = set()
        self.solver = highspy.Highs()
        self.solver.setOptionValue("output_flag", False)
        self.solver.setOptionValue("threads", 1)
        for f in self.flow:
            self.solver.addCol(float(f), float(self.low), float(self.high), 0, [], [])
        self._assign()

    def _place(self, a: int) -> IntArray:
        """Return the columns of z[a,t]."""
        tiles = len(self.counts)
        return len(self.pairs) + a * tiles + np.arange(tiles)

    def _assign(self) -> None:
        tiles, infinity = len(self.counts), highspy.kHighsInf
        for _ in range(self.num * tiles):
            self.solver.addCol(0.0, 0.0, 1.0, 0, [], [])
        for a in range(self.num):
            self.solver.addRow(1.0, 1.0, tiles, self._place(a).astype(np.int32), np.ones(tiles))
        for t, count in enumerate(self.counts):
            column = (len(self.pairs) + t + tiles * np.arange(self.num)).astype(np.int32)
            self.solver.addRow(-infinity, float(count), self.num, column, np.ones(self.num))
        self.first_row = self.num + tiles

    def tighten(self, watch: Stopwatch) -> int:
        """Add violated rows till there are none, or rounds or time are up; return ``best``."""
        if not self.rows:
            self._add(self._set_row(tuple(range(self.num))))
            for a in range(self.num):
                self._add(self._star_row(a, [b for b in range(self.num) if b != a]))
        for _ in range(MAX_ROUNDS):
            if not is_counted():
                self.solver.setOptionValue("time_limit", max(watch.left, 0.01))
            self.solver.run()
            did(max(self.solver.getInfo().simplex_iteration_count, 1) / ITERATIONS_A_UNIT)
            if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                break
            solution = self.solver.getSolution()
            dual = np.array(solution.row_dual)[self.first_row :]
            self.best = max(self.best, self._proved(dual))
            columns = np.array(solution.col_value)
            distance = self.distance = np.zeros((self.num, self.num))
            for (a, b), value in zip(self.pairs, columns, strict=False):
                distance[a, b] = distance[b, a] = value
            where = columns[len(self.pairs) :].reshape(self.num, -1)
            added = sum(map(self._add, self._violated(distance, where)))
            if not added or watch.left <= 0:
                break
        return self.best

    def add_part(self, members: tuple[int, ...], least: int) -> bool:
        """(part)  Add that these clusters pay ``least`` among themselves, if violated."""
        inside = sorted(int(self.index[a, b]) for a, b in combinations(members, 2))
        pairs = tuple(i for i in inside if self.flow[i])
        flows = tuple(self.flow[i] for i in pairs)
        paid = sum(f * self.distance[self.pairs[i]] for i, f in zip(pairs, flows, strict=True))
        return paid < least - TOLERANCE and bool(self._add(Row(pairs, flows, least)))

    def _add(self, row: Row) -> int:
        if row in self.seen:
            return 0
        self.seen.add(row)
        self.rows.append(row)
        index = np.array(row.pairs, dtype=np.int32)
        values = np.array(row.coefficients, dtype=np.float64)
        if row.centre is not None:
            index = np.concatenate((index, self._place(row.centre).astype(np.int32)))
            values = np.concatenate((values, -self.rho[:, len(row.pairs)].astype(np.float64)))
        self.solver.addRow(float(row.least), highspy.kHighsInf, len(index), index, values)
        return 1

    def _set_row(self, members: tuple[int, ...]) -> Row:
        pairs = tuple(int(self.index[a, b]) for a, b in combinations(members, 2))
        return Row(pairs, (1,) * len(pairs), self.sigma[len(members)])

    def _star_row(self, centre: int, others: Any) -> Row:
        pairs = tuple(sorted(int(self.index[centre, b]) for b in others))
        return Row(pairs, (1,) * len(pairs), 0, centre)

    def _violated(self, distance: FloatMatrix, where: FloatMatrix) -> Iterator[Row]:
        if self.metric:
            yield from self._triangles(distance)
        yield from self._stars(distance, where)
        yield from self._sets(distance)

    def _triangles(self, distance: FloatMatrix) -> Iterator[Row]:
        for i, (a, b) in enumerate(self.pairs):
            excess = distance[a, b] - distance[a] - distance[b]
            excess[[a, b]] = 0.0
            for c in np.argsort(-excess)[:2]:
                if excess[c] > TOLERANCE:
                    row = (int(self.index[a, c]), int(self.index[b, c]), i)
                    yield Row(row, (1, 1, -1), 0)

    def _stars(self, distance: FloatMatrix, where: FloatMatrix) -> Iterator[Row]:
        least = where @ self.rho
        for a in range(self.num):
            nearest = [int(b) for b in np.argsort(distance[a], kind="stable") if b != a]
            short = least[a, 1 : self.num] - np.cumsum(distance[a, nearest])
            k = int(short.argmax())
            if short[k] > TOLERANCE:
                yield self._star_row(a, nearest[: k + 1])

    def _sets(self, distance: FloatMatrix) -> Iterator[Row]:
        """Grow a set from every pair, the nearest cluster first, to the first that is too close."""
        for a, b in self.pairs:
            members, total = [a, b], distance[a, b]
            to = distance[a] + distance[b]
            while len(members) < self.num:
                to[members] = np.inf
                c = int(to.argmin())
                total += to[c]
                members.append(c)
                if total < self.sigma[len(members)] - TOLERANCE:
                    yield self._set_row(tuple(sorted(members)))
                    break
                to = to + distance[c]

    def _proved(self, dual: FloatMatrix) -> int:
        """Return the whole bound that the rounded duals prove; 0 where it cannot be exact."""
        reduced = [f * self.scale for f in self.flow]
        cost = np.zeros((self.num, len(self.counts)), dtype=np.int64)
        total = most = 0
        for row, y in zip(self.rows, dual, strict=True):
            weight = max(round(float(y) * self.scale), 0)
            if weight:
                total += weight * row.least
                for pair, coefficient in zip(row.pairs, row.coefficients, strict=True):
                    reduced[pair] -= weight * coefficient
                if row.centre is not None:
                    rho = self.rho[:, len(row.pairs)]
                    most += weight * int(rho.max())  # no assignment costs more
                    if most > MAX_EXACT:
                        return 0
                    cost[row.centre] += weight * rho
        total += sum(min(r * self.low, r * self.high) for r in reduced)
        at_places = np.repeat(cost, self.counts, axis=1)
        cluster, place = linear_sum_assignment(at_places)
        total += int(at_places[cluster, place].sum())
        return max(-(-total // self.scale), 0)
