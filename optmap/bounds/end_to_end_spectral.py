"""How many clusters every mapping needs at least, from the largest singular value.

Take n neurons and the N sources that they read, and in cluster k let a_k sources have rows, b_k
pieces of these neurons be, q_k roots among them (the root is the unit that keeps a neuron's
identity). Give each synapse a whole weight W_ij >= 0. Each is read directly once, every piece but a
root takes one row more, a root either reads all that its neuron does or takes such a row itself, so
that

    sum of e_k = W in all,    sum of (a_k + b_k) <= K R + n,    sum of q_k = n,
    q_k <= b_k <= C',    q_k <= R - a_k + w(a_k),

e_k being the weight between the sources and the pieces, w(a) the most neurons whose sources are
among a. Let M = W - d with a whole number d, r_i and c_j its sums over rows and columns, t all of
it, s >= its largest singular value. The parts of the indicators of A and B that are orthogonal to
all-ones are of length sqrt(a (1 - a / N)) and sqrt(b (1 - b / n)), hence

    e <= d a b + b/n sum over A of r_i + a/N sum over B of c_j - a b t / (N n)
         + s sqrt(a (1 - a/N) b (1 - b/n)).

The weights make r and c small (Sinkhorn [1]_): prices of synapses at which no neuron or source is
better than others. If w neurons are all read, the left side is the sum of their columns of W.

For every price x >= 0 of a root, K clusters hold e_k + x q_k in all of W + x n: what K of them hold
at most, for a_k + b_k as above, comes by dynamic programming, or by a price y of a row for larger
K. Random networks, whose neurons share little, profit.

The singular value is proved in whole numbers: with L the Cholesky factor of u - M'M as computed and
rounded, u - M'M - L L' is found exactly, and no eigenvalue of it is below minus the largest sum of
a row's absolute values (Gershgorin). All sums stay below 2^53, where floating point is exact.

References
----------
.. [1] R. Sinkhorn, P. Knopp, "Concerning nonnegative matrices and doubly stochastic matrices",
   Pacific Journal of Mathematics 21, 1967.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

import numpy as np
import numpy.typing as npt

from optmap.model.platform import Platform
from optmap.model.snn import SNN, IntArray

Matrix = npt.NDArray[np.float64]

#: The mean weight of a synapse, and the largest; rounds of Sinkhorn's scaling.
MEAN, MOST_WEIGHT, ROUNDS = 1 << 10, 1 << 15, 100
#: A factor of 1 / EXACT of a singular value is lost; entries of L are multiples of 1 / FINE.
EXACT, FINE = 1 << 10, 1 << 6
#: Below this floating point counts in whole numbers.
MOST_EXACT = 1 << 53
#: Most cells of a crossbar.
MOST_CELLS = 70_000
#: Most neurons and sources, prices x and y that are tried, most clusters by dynamic programming.
MOST_SIDE, ROOT_PRICES, ROW_PRICES, MOST_CLUSTERS = 1500, 16, 256, 6


@dataclass(frozen=True)
class Held:
    """What one cluster holds at most, by rows a of sources and pieces b.

    Parameters
    ----------
    weight : (A, B) object array of int
        e(a, b).
    roots : (A, B) int64 array
        q(a, b).
    total, neurons : int
        The weight of all synapses, and n.
    """

    weight: npt.NDArray[np.object_]
    roots: IntArray
    total: int
    neurons: int


def clusters_by_singular_value(snn: SNN, platform: Platform) -> int | None:
    """Return the better of two bounds: of all neurons, and of those that fit a crossbar.

    None where there are too many neurons or sources for a table, or crossbars are too large.
    """
    if platform.max_rows * min(platform.max_columns, snn.num_units) > MOST_CELLS:
        return None
    every = np.flatnonzero(snn.fan_in > 0)
    fits = every[snn.fan_in[every] <= platform.max_rows]
    found = []
    for neurons in (fits, every) if len(fits) < len(every) else (every,):
        if 0 < len(neurons) <= MOST_SIDE:
            held = held_by_one(snn, neurons, platform.max_rows, platform.max_columns)
            found += [] if held is None else [_fewest(held, platform.max_rows)]
    return max(found, default=None)


def held_by_one(snn: SNN, neurons: IntArray, rows: int, columns: int) -> Held | None:
    """Return what one cluster of R rows and C' columns holds of these neurons."""
    from scipy import sparse  # here: slow to load

    reads = sparse.csr_matrix(
        (np.ones(snn.num_synapses), snn.indices, snn.indptr),
        shape=(snn.num_neurons, snn.num_neurons),
    )[neurons]
    sources = np.unique(reads.indices)
    if len(sources) > MOST_SIDE:
        return None
    table = reads[:, sources].toarray().T
    weights = _scaled(table)
    less = round(float(weights.sum()) / weights.size)
    square = _singular_square(weights - less)
    if square is None:
        return None
    whole = np.sort(weights.sum(axis=0)[snn.fan_in[neurons] <= rows].astype(np.int64))
    return _held(weights.astype(np.int64), less, square, whole, (rows, columns))


def _scaled(table: Matrix) -> Matrix:
    """Return whole weights of the synapses at which rows and columns sum to about the same."""
    down, across = np.ones(table.shape[0]), np.ones(table.shape[1])
    for _ in range(ROUNDS):
        down = 1.0 / (table @ across) / table.shape[0]
        across = 1.0 / (down @ table) / table.shape[1]
    weights = table * down[:, None] * across[None, :] * table.sum() * MEAN
    scaled: Matrix = np.floor(np.minimum(weights, MOST_WEIGHT))
    return scaled


def _singular_square(m: Matrix) -> int | None:
    """Return a whole number that the square of no singular value of a whole matrix exceeds."""
    inner = m.T @ m if m.shape[1] <= m.shape[0] else m @ m.T
    least = float(np.linalg.eigvalsh(inner)[-1]) * (1 + 1 / EXACT)
    step = 1 << max(0, int(least).bit_length() - 12)
    upper = -(-int(least) // step) * step + step
    if max(float((m * m).sum()), float(upper) * FINE**2 * 2) >= MOST_EXACT:
        return None
    rest = upper * np.eye(len(inner)) - inner
    factor = np.round(np.linalg.cholesky(rest) * FINE)
    missing = np.abs(rest * FINE**2 - factor @ factor.T).sum(axis=1).max()
    allowed = upper // EXACT
    return upper + allowed if missing <= allowed * FINE**2 else None


def _held(
    weights: IntArray, less: int, square: int, whole: IntArray, crossbar: tuple[int, int]
) -> Held:
    """Return the bounds of the module's first lines for every a and b.

    Parameters
    ----------
    weights : (N, n) int64 array
        W.
    less, square : int
        d, and s^2.
    whole : (n',) int64 array
        Ascending column sums of W, of the neurons that fit a crossbar.
    crossbar : (int, int)
        R and C'.
    """
    (num_rows, num), (rows, columns) = weights.shape, crossbar
    by_source, by_neuron = weights.sum(axis=1), weights.sum(axis=0)
    top_a = _largest(by_source, rows)
    top_b = _largest(by_neuron, columns)
    t = int(weights.sum()) - less * weights.size
    size = num_rows * num
    held = np.zeros((len(top_a), len(top_b)), dtype=object)
    roots = np.zeros(held.shape, dtype=np.int64)
    least = [0, *np.cumsum(whole).tolist()]
    for a in range(len(top_a)):
        over_a, together = top_a[a] - a * less * num, 0
        for b in range(len(top_b)):
            apart = 1 + isqrt(square * a * (num_rows - a) * b * (num - b) // size)
            common = b * num_rows * over_a - a * b * t + size * apart
            over_b = top_b[b] - b * less * num_rows
            spread = less * a * b + (common + a * num * over_b) // size
            held[a, b] = min(spread, top_a[a], top_b[b])
            if b < len(least) and (num_rows - a) * num * least[b] <= common:
                together = b
        free = max(0, rows - a)
        roots[a] = np.minimum(np.arange(len(top_b)), free + together)
    return Held(held, roots, int(weights.sum()), num)


def _largest(sums: IntArray, most: int) -> list[int]:
    """Return the sums of the 0, 1, ..., ``most`` largest."""
    return [0, *np.cumsum(np.sort(sums)[::-1][:most]).tolist()]


def _fewest(held: Held, rows: int) -> int:
    """Return the least number of clusters at the best prices."""
    best = 0
    unit = max(1, held.total // held.neurons // ROOT_PRICES)
    tables = []
    for x in range(ROOT_PRICES + 1):
        most = _by_size(held.weight + x * unit * held.roots)
        wanted = held.total + x * unit * held.neurons
        tables.append((most, wanted))
        best = max(best, _by_prices(most, wanted, rows, held.neurons))
    while 0 < best <= MOST_CLUSTERS:
        budget = best * rows + held.neurons
        if all(_most_in(most, best, budget) >= wanted for most, wanted in tables):
            return best
        best += 1
    return best


def _by_size(worth: npt.NDArray[np.object_]) -> list[int]:
    """Return the most that a cluster is worth, by a + b at most."""
    most = [0] * (worth.shape[0] + worth.shape[1] - 1)
    for a, row in enumerate(worth.tolist()):
        for b, value in enumerate(row):
            most[a + b] = max(most[a + b], value)
    for size in range(1, len(most)):
        most[size] = max(most[size], most[size - 1])
    return most


def _by_prices(most: list[int], wanted: int, rows: int, neurons: int) -> int:
    """Return the bound K >= (wanted - y n) / (max (worth - y size) + y R) at the best y."""
    best, unit = 0, max(1, wanted // neurons // ROW_PRICES)
    for y in range(0, unit * ROW_PRICES, unit):
        left = max(value - y * size for size, value in enumerate(most)) + y * rows
        if left > 0:
            best = max(best, -(-(wanted - y * neurons) // left))
    return best


def _most_in(most: list[int], clusters: int, budget: int) -> int:
    """Return the most that so many clusters are worth, of a + b in all at most the budget."""
    one = np.array(most, dtype=np.int64)
    reached = np.zeros(1, dtype=np.int64)
    for _ in range(clusters):
        following = np.zeros(min(budget, len(reached) + len(one) - 2) + 1, dtype=np.int64)
        for size, value in enumerate(most):
            part = reached[: max(0, len(following) - size)]
            into = following[size : size + len(part)]
            np.maximum(into, part + value, out=into)
        reached = np.maximum.accumulate(following)
    return int(reached[-1])
