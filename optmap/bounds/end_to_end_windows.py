"""How many rows every mapping takes at least where neurons read windows of a grid.

Take a layer: n neurons, S synapses from sources that no other layer counts. In cluster k let b_k
pieces of its neurons and a_k rows of its sources be, and e_k pairs of a piece and a source that it
reads. Each synapse is read directly exactly once; every piece but a neuron's root takes one more
row, in whatever cluster. So the layer takes

    sum of a_k + sum of b_k - n  rows,  with  sum of e_k = S,  a_k <= R,  b_k <= C',
    sum of a_k >= sum over sources of ceil(deg_i / C'),
    sum of b_k >= sum over neurons of ceil((f_j - 1) / (R - 1)).

If m sources stand at each point of a grid, m' neurons at each place, and each neuron reads only
points of its place's window, then e <= m m' E(b / m', a / m) with E of window_kernel.py at whole
numbers and linear between them: for a given set of places the points of most readers are best, so
that the most pairs are convex in a between two multiples of m, and likewise in b.

Each neuron has its root in one cluster. A root that does not read all that its neuron does in the
layer takes a row of the cluster for a piece; all is read by w(a) neurons of the cluster at most,
those of the smallest fan-ins for which e is enough. So there are q <= b, q <= R - a + w(a) roots.
With prices z and v, between 0 and 1, of the last two lines above and x <= 1 - v of a root, and

    y = the least of ((1 - z) a + (1 - v) b - x q) / e  over all a <= R, b <= C', if that is >= 0,

the layer takes y S + z (second line) + v (third line) + x n - n rows at least. z = v = 1 counts
rows as :func:`optmap.bounds.end_to_end.fewest_clusters` does. What is not in a layer is counted so.

A layer is one population that reads another; where its grid is, and what its windows are, is
guessed from the neuron of the largest fan-in, and then held against every synapse.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np

from optmap.bounds.rows import rows_taken
from optmap.bounds.window_kernel import most_pairs
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IndexArray, IntArray, Population

#: Places up to which all their shapes are gone through; beyond, E grows in proportion at most.
MOST_PLACES = 36
#: Prices z, v and x are whole multiples of 1 / PARTS, at first of 1 / COARSE.
PARTS, COARSE = 128, 16
#: What part of a number of rows floating point may have lost.
ROUNDED = 1e-12
#: Most sources at a point or neurons at a place, most points of a window, most cells of a crossbar.
MOST_ALIKE, MOST_POINTS, MOST_CELLS = 64, 1024, 70_000


@dataclass(frozen=True)
class Grid:
    """A population's numbers as points: maps one after the other, of rows one after the other."""

    row: int
    map: int

    def points(self, numbers: IntArray) -> tuple[IntArray, IntArray]:
        """Return x and y of numbers within the population."""
        inside = numbers % self.map
        return inside % self.row, inside // self.row


@dataclass(frozen=True)
class Layer:
    """Neurons that read windows of a grid.

    Parameters
    ----------
    neurons, sources : (n,) and (m,) int arrays
        Who reads, and who may be read.
    synapses : int
        S.
    fan_in, fan_out : (n,) and (m,) int arrays
        What each neuron reads in the layer, and readers of each source.
    sides, steps : (int, int)
        Points of a window and steps from one to the next, along x and y.
    at_point, at_place : int
        Most sources at a point, most neurons at a place.
    places : int
        Places that have neurons.
    """

    neurons: IntArray
    sources: IntArray
    synapses: int
    fan_in: IntArray
    fan_out: IntArray
    sides: tuple[int, int]
    steps: tuple[int, int]
    at_point: int
    at_place: int
    places: int

    @property
    def overlaps(self) -> bool:
        """Whether windows at different places have points in common."""
        return any(side > step for side, step in zip(self.sides, self.steps, strict=True))


def clusters_by_windows(snn: SNN, platform: Platform) -> int | None:
    """Return the fewest crossbars that hold the rows of all layers.

    None if there is no layer, or if crossbars are too large for the tables.
    """
    rows, columns = platform.max_rows, platform.max_columns
    if rows * min(columns, snn.num_units) > MOST_CELLS:
        return None
    pieces = np.maximum(1, -(-(snn.fan_in - 1) // (rows - 1)))
    pieces[snn.fan_in == 0] = 1
    gains = []
    for layer in layers_of(snn):
        read, cut = rows_taken(snn.fan_out[layer.sources], columns), pieces[layer.neurons] - 1
        more = _fewest_rows(layer, pieces[layer.neurons], rows, columns) - read - int(cut.sum())
        gains.append((more, layer))
    if not gains:
        return None
    taken = rows_taken(snn.fan_out, columns) + int((pieces - 1).sum())
    sources, neurons = np.zeros(snn.num_neurons, np.bool_), np.zeros(snn.num_neurons, np.bool_)
    for more, layer in sorted(gains, key=lambda gain: -gain[0]):
        if more <= 0 or sources[layer.sources].any() or neurons[layer.neurons].any():
            continue
        sources[layer.sources], neurons[layer.neurons] = True, True
        taken += more
    return -(-taken // rows)


def layers_of(snn: SNN) -> list[Layer]:
    """Return every population that reads windows of another, if they overlap."""
    lasts = np.array([population.last for population in snn.populations])
    found = []
    for reader in snn.populations:
        ends = snn.indptr[reader.first : reader.last + 2]
        sources, fan_in = snn.indices[ends[0] : ends[-1]], np.diff(ends)
        post = reader.first + np.flatnonzero(fan_in)
        fan_in = fan_in[fan_in > 0]
        if not len(sources):
            continue
        least, most = np.searchsorted(lasts, [sources.min(), sources.max()]).tolist()
        for read in snn.populations[least : most + 1]:
            layer = _layer(read, *_reads(read, sources, post, fan_in))
            if layer is not None and layer.overlaps:
                found.append(layer)
    return found


def _reads(
    read: Population, sources: IndexArray, post: IntArray, fan_in: IntArray
) -> tuple[IndexArray, IntArray, IntArray]:
    """Return of what neurons read what is in a population: numbers in it, readers, how many each.

    Parameters
    ----------
    sources : (s,) int array
        What all neurons read, one after the other.
    post, fan_in : (n,) int arrays
        The neurons, and how many each reads: one or more.
    """
    if read.first <= sources.min() and sources.max() <= read.last:
        return sources - np.int32(read.first), post, fan_in
    chosen = (sources >= read.first) & (sources <= read.last)
    many = np.add.reduceat(chosen, np.cumsum(fan_in) - fan_in, dtype=np.int64)
    return sources[chosen] - np.int32(read.first), post[many > 0], many[many > 0]


def _layer(
    population: Population, numbers: IndexArray, neurons: IntArray, fan_in: IntArray
) -> Layer | None:
    """Return the layer of neurons that read a population; None if it has no windows."""
    if not len(numbers):
        return None
    first, size = np.cumsum(fan_in) - fan_in, population.last + 1 - population.first
    widest = int(fan_in.argmax())
    grid = _grid(numbers[first[widest] : first[widest] + fan_in[widest]], size)
    if grid is None:
        return None
    x, y = grid.points(np.arange(size, dtype=np.int32))
    along, across = _axis(x[numbers], first), _axis(y[numbers], first)
    if along is None or across is None:
        return None
    (width, right, at_x), (height, down, at_y) = along, across
    if width * height > MOST_POINTS:
        return None
    at_x, at_y = at_x - at_x.min(), at_y - at_y.min()
    places = np.unique(at_x * (1 + at_y.max()) + at_y, return_counts=True)[1]
    alike = -(-size // grid.map), int(places.max())
    if max(alike) > MOST_ALIKE:
        return None
    return Layer(
        neurons,
        np.arange(population.first, population.last + 1),
        len(numbers),
        fan_in,
        np.bincount(numbers, minlength=size),
        (width, height),
        (right, down),
        *alike,
        len(places),
    )


def _grid(numbers: IndexArray, size: int) -> Grid | None:
    """Guess the grid from what one neuron reads: runs of points, then runs of runs."""
    starts = numbers[np.concatenate(([True], np.diff(numbers) > 1))]
    if len(starts) == 1:
        return Grid(size, size)
    row = int(starts[1] - starts[0])
    steps = np.diff(starts)
    height = 1 + int(np.argmax(steps != row)) if (steps != row).any() else len(starts)
    if height == len(starts):  # as many runs as rows: each is a map of its own
        return Grid(row, row) if row * height == size else Grid(row, size)
    return Grid(row, int(starts[height] - starts[0]))


def _axis(points: IntArray, first: IntArray) -> tuple[int, int, IntArray] | None:
    """Return the side of all windows along an axis, the step between them, and their places.

    Windows that the border cuts off below begin before 0.
    """
    least = np.minimum.reduceat(points, first).astype(np.int64)
    most = np.maximum.reduceat(points, first).astype(np.int64)
    side = int((most - least).max()) + 1
    begins = np.where((least == 0) & (most < side - 1), most - side + 1, least)
    step = int(np.gcd.reduce(begins - begins[0])) or side
    # both hold by the choice of ``side``; without them no window would hold its neuron's sources
    inside = bool(((begins <= least) & (most < begins + side)).all())
    return (side, step, begins) if inside else None


@dataclass(frozen=True)
class _Rows:
    """The rows that a layer takes at some prices: least over what a cluster may hold.

    Parameters
    ----------
    cells : (3, n) int array
        Rows a, pieces b and roots q of what a cluster may hold.
    held : (n,) int array
        Pairs of a piece and a source in it, e.
    counted : (3,) int array
        What the second line above, the third and n add at the price 1.
    synapses, neurons : int
        S and n.
    """

    cells: IntArray
    held: IntArray
    counted: IntArray
    synapses: int
    neurons: int

    def costs(self, prices: IntArray, chosen: slice | int = slice(None)) -> IntArray:
        """Return PARTS times what cells cost at prices (z, v, x)."""
        a, b, roots = self.cells[:, chosen]
        z, v, x = prices.T
        costs: IntArray = (PARTS - z) * a + (PARTS - v) * b - x * roots
        return costs

    def at(self, prices: IntArray) -> tuple[Fraction, int]:
        """Return the rows at prices, 0 if they prove nothing, and the cell that decides."""
        cost = self.costs(prices)
        least = int(np.argmin(cost / self.held))
        # what the division rounds is found by whole numbers
        lower = np.flatnonzero(cost * int(self.held[least]) < int(cost[least]) * self.held)
        ratios = (Fraction(int(cost[k]), int(self.held[k])) for k in (least, *lower.tolist()))
        price = min(ratios)
        if price < 0:
            return Fraction(0), least
        rows = (price * self.synapses + int(self.counted @ prices)) / PARTS - self.neurons
        return rows, least

    def most(self, near: IntArray, deciding: list[int]) -> tuple[Fraction, tuple[int, ...]]:
        """Return the most rows at some prices, the last of those where there are equal ones.

        The few cells that have decided before say what prices cannot give more than. Only those
        that may be best are held against all cells.

        Parameters
        ----------
        near : (m, 3) int array
            Prices, in ascending order.
        deciding : list of int
            The cells that have decided; those of this call are added.
        """
        ratio, known, closed = np.full(len(near), np.inf), 0, np.zeros(len(near), np.bool_)
        best: tuple[Fraction, tuple[int, ...]] = Fraction(-1), ()
        while True:
            for cell in deciding[known:]:
                ratio = np.minimum(ratio, self.costs(near, cell) / self.held[cell])
            known = len(deciding)
            limit = (ratio * self.synapses + near @ self.counted) / PARTS - self.neurons
            limit = np.where(closed, -1, np.where(ratio < 0, 0, limit))
            k = len(near) - 1 - int(np.argmax(limit[::-1]))
            if closed[k] or limit[k] < best[0] - ROUNDED * float(best[0] + self.neurons):
                return best
            rows, cell = self.at(near[k])
            best, closed[k] = max(best, (rows, tuple(near[k].tolist()))), True
            deciding.append(cell)


def _fewest_rows(layer: Layer, pieces: IntArray, rows: int, columns: int) -> int:
    """Return the bound on the rows that the layer takes, at the best prices."""
    held = synapses_held(layer, rows, columns)
    b, a = np.nonzero(held)
    whole = _whole(held, np.sort(layer.fan_in))
    cells = np.stack([a, b, np.minimum(b, rows - a + whole[a])])
    read, cut, n = rows_taken(layer.fan_out, columns), int(pieces.sum()), len(layer.neurons)
    taken = _Rows(cells, held[b, a], np.array([read, cut, n]), layer.synapses, n)
    best, step = Fraction(read + cut - n), PARTS // COARSE
    at: tuple[int, ...] = (PARTS, PARTS, 0)
    near, deciding = [range(0, PARTS + 1, step)] * 3, list[int]()
    while step:
        prices = np.array(list(product(*near)))
        inside = ((prices >= 0) & (prices <= PARTS)).all(axis=1)
        prices = prices[inside & (prices[:, 2] <= PARTS - prices[:, 1])]
        found, there = taken.most(prices, deciding)
        if found <= best:  # concave in the prices: finer steps from where it is most
            step //= 2
        best, at = max((best, at), (found, there))
        near = [range(c - step, c + step + 1, max(step, 1)) for c in at]
    return -(-best.numerator // best.denominator)


def _whole(held: IntArray, fan_in: IntArray) -> IntArray:
    """Return w(a) for every a: the most neurons of which all sources may be on a rows."""
    read = np.concatenate(([0], np.cumsum(fan_in[: len(held) - 1])))
    possible = read[:, None] <= held
    numbers = np.arange(len(held))[:, None]
    whole: IntArray = np.max(np.where(possible, numbers, 0), axis=0)
    return whole


def synapses_held(layer: Layer, rows: int, columns: int) -> IntArray:
    """Return the most synapses on b pieces, by a rows: linear between places and points.

    Returns
    -------
    (B + 1, R + 1) int array
        B is C', or the number of neurons if that is less.
    """
    pairs = pairs_held(layer, rows, columns)
    m, n = layer.at_point, layer.at_place
    a, b = np.arange(rows + 1), np.arange(min(columns, len(layer.neurons)) + 1)
    q, p = a // m, b // n
    over_q, over_p = (a % m)[None, :], (b % n)[:, None]
    q_up, p_up = np.minimum(q + 1, pairs.shape[1] - 1), np.minimum(p + 1, len(pairs) - 1)
    least = (m - over_q) * pairs[p][:, q] + over_q * pairs[p][:, q_up]
    most = (m - over_q) * pairs[p_up][:, q] + over_q * pairs[p_up][:, q_up]
    held: IntArray = (n - over_p) * least + over_p * most
    return held


def pairs_held(layer: Layer, rows: int, columns: int) -> IntArray:
    """Return E(p, q) for places p, by points q, up to the first that fill a crossbar."""
    points = -(-rows // layer.at_point)
    places = min(-(-columns // layer.at_place), layer.places)
    along, across = (
        [(side - 1 - r) // step + 1 for r in range(min(side, step))]
        for side, step in zip(layer.sides, layer.steps, strict=True)
    )
    listed = min(places, MOST_PLACES)
    most = most_pairs(along, across, listed, points)
    beyond = np.arange(listed + 1, places + 1)[:, None] * most[listed] // listed
    most = np.concatenate((most, beyond))
    widest = max(along) * max(across)
    return np.minimum(most, widest * np.arange(points + 1)[None, :])
