"""How many clusters every mapping needs at least, from how few sources neurons share.

Take n neurons with S synapses in all, and any decomposition of them into P pieces. In cluster k let
b_k pieces stand and a_k raw sources have rows, and let e_k pairs of a piece and a raw source that
it reads directly be in it. Each synapse is read directly exactly once, and every piece but a
neuron's root is read by exactly one other piece, which takes a row of its own. So

    sum of e_k = S,    sum of a_k + P - n <= K R,    sum of b_k = P,    a_k <= R,    b_k <= C'.

How much can stand on a rows and b columns, e <= g(a, b), d_i of the pieces reading source i, is
bounded in three ways: by the b largest of min(f_j, a); by the a largest of min(deg_i, b); and, for
every whole t >= 1, by d <= (d (d - 1) + t (t + 1)) / 2 t, since (d - t) (d - t - 1) >= 0 for whole
d. Summed over a sources, d (d - 1) counts what ordered pairs have in common: no more than the b
largest c_j(b), the sums of the b - 1 largest numbers of sources that j has in common with another.

With a price y >= 0 for each row, S <= sum of g(a_k, b_k) <= K max(g(a, b) - y (a + b)) + y (K R +
n), so that

    K >= (S - y n) / (max over a, b of (g(a, b) - y (a + b)) + y R).

Splitting is paid by rows here: without that, pieces of many neurons fill the columns at no price.
Random networks profit, of whose neurons no crossbar holds many synapses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optmap.model.platform import Platform
from optmap.model.snn import SNN, IntArray

if TYPE_CHECKING:
    from scipy import sparse

#: Prices of a row are whole multiples of 1 / PARTS; numbers t of lines that are tried.
PARTS, LINES = 8, 64
#: Most neurons, most pairs of synapses that share a source, most entries of all prices' tables.
MOST_NEURONS, MOST_PAIRS, MOST_ENTRIES = 2_000, 10_000_000, 50_000_000


def clusters_by_shared_sources(snn: SNN, platform: Platform) -> int | None:
    """Return the better of two bounds: of all neurons, and of those that fit a crossbar.

    None where there are too many neurons or pairs, or crossbars are too large for the tables.
    """
    every = np.flatnonzero(snn.fan_in > 0)
    fits = np.flatnonzero((snn.fan_in > 0) & (snn.fan_in <= platform.max_rows))
    found = [
        _fewest(snn, neurons, platform.max_rows, platform.max_columns)
        for neurons in ((fits, every) if len(fits) < len(every) else (every,))
        if 0 < len(neurons) <= MOST_NEURONS
    ]
    return max((k for k in found if k is not None), default=None)


def _fewest(snn: SNN, neurons: IntArray, rows: int, columns: int) -> int | None:
    """Return the bound of the file's first lines, at the best price tried."""
    from scipy import sparse  # here: slow to load

    reads = sparse.csr_matrix(
        (np.ones(snn.num_synapses, dtype=np.int64), snn.indices, snn.indptr),
        shape=(snn.num_neurons, snn.num_neurons),
    )[neurons]
    readers = np.bincount(reads.indices, minlength=snn.num_neurons)
    synapses, best = int(reads.nnz), 0
    # where the last price is as high, splits eat up all synapses
    prices = min(PARTS * (int(readers.max()) + 1), -(-synapses * PARTS // len(neurons)))
    if int(readers @ readers) > MOST_PAIRS:
        return None
    if prices * (rows + 1) * (min(columns, len(neurons)) + 1) > MOST_ENTRIES:
        return None
    most = most_read(reads, readers, rows, columns)
    a, b = np.arange(rows + 1)[:, None], np.arange(most.shape[1])[None, :]
    for price in range(prices):
        paid = synapses * PARTS - price * len(neurons)
        held = int((PARTS * most - price * (a + b)).max()) + price * rows
        best = max(best, -(-paid // held))
    return best


def most_read(reads: sparse.csr_matrix, readers: IntArray, rows: int, columns: int) -> IntArray:
    """Return g(a, b), shape (R + 1, min(C', n) + 1): most synapses on a rows and b columns.

    Parameters
    ----------
    reads : (n, N) sparse array of 1
        Who reads what.
    readers : (N,) int array
        Its column sums.
    """
    n, columns = reads.shape[0], min(columns, reads.shape[0])
    fan_in = np.sort(np.diff(reads.indptr))[::-1].astype(np.int64)
    beside = np.sort(_beside((reads @ reads.T).tocsr(), columns), axis=0)[::-1]
    loudest = np.sort(readers)[::-1][:rows]
    a, t = np.arange(rows + 1, dtype=np.int64), np.arange(1, LINES + 1)[:, None]
    most = np.zeros((rows + 1, columns + 1), dtype=np.int64)
    for b in range(1, columns + 1):
        by_source = np.full(rows + 1, np.minimum(loudest, b).sum())
        by_source[: len(loudest)] = np.cumsum(np.minimum(loudest, b)) - np.minimum(loudest, b)
        by_neuron = np.minimum(fan_in[: min(b, n), None], a).sum(axis=0)
        by_pairs = ((beside[:b, b].sum() + a * t * (t + 1)) // (2 * t)).min(axis=0)
        most[:, b] = np.minimum(np.minimum(by_source, by_neuron), by_pairs)
    return most


def _beside(common: sparse.csr_matrix, width: int) -> IntArray:
    """Return c_j(b) for b = 0, ..., width, shape (n, width + 1)."""
    sums = np.zeros((common.shape[0], width + 1), dtype=np.int64)
    for p in range(common.shape[0]):
        row = slice(common.indptr[p], common.indptr[p + 1])
        others = np.sort(common.data[row][common.indices[row] != p])[::-1][: max(width - 1, 0)]
        sums[p, 2 : len(others) + 2] = np.cumsum(others)
        sums[p, len(others) + 2 :] = others.sum()
    return sums
