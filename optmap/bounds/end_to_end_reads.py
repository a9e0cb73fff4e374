"""How many spikes all clusters read, at least, whatever the decomposition and the clustering.

Three arguments, each for every decomposition:

*copies*. A neuron reaches each of its sources exactly once, so raw source i is read directly by
exactly deg_i units; a cluster has at most C', so that s_i is read by ceil(deg_i / C') clusters.

*sums*. What a unit does not read directly passes through an inserted unit, which fires the sum of
its inputs and is read once, by its owner. The spikes of all inserted units of a neuron are the sum
over its sources of spikes times depth: least for the R-ary Huffman tree [1]_.

*share*. Let j be split (fan-in f above R), its last unit, the *root*, be in cluster k, read a = |D|
raw sources D directly and h >= 1 inserted units. The h rows serve j alone, so that the split roots
of k take H = sum h <= R - |A| rows beside the raw sources A that k reads. Divide what k pays for A
among its split roots in proportion to h: j pays s(D) h / H >= s(D) h / (R - a) at least, since D is
part of A. The other sources of j pass through inserted units: s(N_j) - s(D) spikes are read once
more. If they are more than h units can read, f - a > R h, some inserted unit reads another one, and
at least f - a - R h + 1 raw sources pass twice. Hence j pays at least

    w_j = min over a, h, D of  s(D) h / (R - a) + s(N_j) - s(D) + [the f - a - R h + 1 least of N_j]

with D the a loudest sources, for h / (R - a) <= 1. Clusters pay for different reads, and each read
is paid once: *share* charges the reads of raw sources in the clusters of roots and the reads of
inserted units. For *quiet* sources it charges the copies instead, and nothing in w_j: their factor
in the first term is 0. Any set of quiet sources gives a bound; the best of a few is taken.

References
----------
.. [1] D. A. Huffman, "A method for the construction of minimum-redundancy codes", 1952.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from optmap.compiled import borrowing, compiled
from optmap.model.platform import Platform
from optmap.model.snn import SNN, BoolArray, IndexArray, IntArray, frozen

#: Shares are rounded down to this part of a spike, or coarser where sums would leave int64.
FINEST = 1 << 16
#: Sources direct for at most this part of their split readers are tried as quiet ones.
QUIET_SHARES = (0.0, 0.1, 0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Reads:
    """A lower bound on the spikes that all clusters read, in its parts.

    Parameters
    ----------
    copies : int
        Reads of the quiet sources.
    shares : int
        Reads of the other sources in roots' clusters, and of inserted units.
    quiet : (N,) bool array
        The sources that ``copies`` charges.
    """

    copies: int
    shares: int
    quiet: BoolArray

    @property
    def total(self) -> int:
        """All reads."""
        return self.copies + self.shares


def copies_read(snn: SNN, columns: int, own: int | IntArray = 0) -> IntArray:
    """Return ceil((deg_i - own_i) / C'): clusters in which so many readers are, shape (N,)."""
    return -((own - snn.fan_out) // columns)


def entries(snn: SNN, columns: int) -> IntArray:
    """Return how many clusters each raw source enters from outside at least, shape (N,).

    Notes
    -----
    A unit i stands beside at most C' - 1 others in its cluster, where it may also read itself; its
    other deg_i - own_i readers are spread over other clusters, at most C' in each.
    """
    own = np.where(snn.is_unit, columns - 1, 0)
    post = snn.post_of_synapse()
    own[post[post == snn.indices]] += 1
    return np.maximum(0, copies_read(snn, columns, own))


def fewest_sums(snn: SNN, rows: int) -> int:
    """Return the least spikes of all inserted units: R-ary Huffman trees (*sums*).

    Examples
    --------
    >>> from optmap.model.snn import from_edges
    >>> fewest_sums(from_edges([0, 1, 2, 3], [4, 4, 4, 4], 5, spikes=[1, 2, 3, 4, 1]), 2)
    9
    """
    if snn.max_fan_in <= rows:
        return 0
    return int(_huffman(snn.indptr, _loudest_first(snn), snn.spikes, rows))


def reads_of(snn: SNN, platform: Platform) -> tuple[Reads, ...]:
    """Return lower bounds on the spikes read: copies and sums alone, then *share* at its best."""
    rows = platform.max_rows
    copies = snn.spikes * copies_read(snn, platform.max_columns)
    everything = np.ones(snn.num_neurons, dtype=np.bool_)
    plain = Reads(_sum(copies), fewest_sums(snn, rows), everything)
    if snn.max_fan_in <= rows:
        return (plain,)
    nothing = np.zeros(snn.num_neurons, dtype=np.bool_)
    found = [Reads(_sum(copies[q]), shares, q) for q, shares in quiet_sets(snn, rows, nothing)]
    return plain, max(found, key=lambda reads: reads.total)


def quiet_sets(snn: SNN, rows: int, free: BoolArray) -> list[tuple[BoolArray, int]]:
    """Return a few sets of quiet sources, each with the shares of what is not quiet (*share*).

    ``free`` (N,) are quiet in all of them, and so is what no neuron of fan-in above R reads.
    """
    split = np.flatnonzero(snn.fan_in > rows)
    split_readers = np.zeros(snn.num_neurons, dtype=np.int64)  # split neurons that read each source
    for j in split:
        split_readers[snn.sources_of(int(j))] += 1
    quiet = (split_readers == 0) | free
    shares, direct = shares_of(snn, rows, split, quiet)
    found = [(quiet, shares)]
    for part in QUIET_SHARES:
        also = (direct <= part * split_readers) | free
        if not np.array_equal(also, found[-1][0]):
            found.append((also, shares_of(snn, rows, split, also)[0]))
    return found


def _sum(values: IntArray) -> int:
    """Return the sum as a Python integer: it may leave int64."""
    return sum(values.tolist())


def shares_of(snn: SNN, rows: int, split: IntArray, quiet: BoolArray) -> tuple[int, IntArray]:
    """Return the sum of w_j, rounded down, and for how many split neurons each source is direct."""
    most = max(1, int(snn.spikes[snn.indices].sum())) * rows
    scale = FINEST
    while scale > 1 and most > 2**61 // scale:
        scale //= 2
    if most > 2**61:
        return 0, np.zeros(snn.num_neurons, dtype=np.int64)
    loudest = _loudest_first(snn)
    total, direct = _share_kernel(snn.indptr, loudest, snn.spikes, split, quiet, rows, scale)
    return int(total) // scale, direct


@lru_cache(maxsize=1)
def _loudest_first(snn: SNN) -> IndexArray:
    """Return the sources of every neuron by falling spikes, equal ones in order, as ``indices``."""
    heard = snn.spikes[snn.indices]
    if not len(heard) or heard.min() == heard.max():
        return snn.indices
    order = np.lexsort((-heard, snn.post_of_synapse()))
    return frozen(snn.indices[order], np.int32)


@compiled
def _huffman(indptr: IntArray, loudest: IndexArray, spikes: IntArray, rows: int) -> int:
    """Return the sum of all inserted nodes of R-ary Huffman trees of the neurons above R."""
    total = 0
    for j in range(len(indptr) - 1):
        f = indptr[j + 1] - indptr[j]
        if f <= rows:
            continue
        leaf = np.empty(f, dtype=np.int64)  # in ascending order as well
        for i in range(f):
            leaf[i] = spikes[loudest[indptr[j + 1] - 1 - i]]
        node = np.empty(f, dtype=np.int64)  # sums, made in ascending order
        leaves, nodes, made = 0, 0, 0
        left = f
        take = (f - rows - 1) % (rows - 1) + 2  # then every later node is full
        while left > rows:
            value = 0
            for _ in range(take):
                if nodes == made or (leaves < f and leaf[leaves] <= node[nodes]):
                    value += leaf[leaves]
                    leaves += 1
                else:
                    value += node[nodes]
                    nodes += 1
            node[made] = value
            made += 1
            total += value
            left -= take - 1
            take = rows
    return total


@compiled
def _share_kernel(
    indptr: IntArray,
    loudest: IndexArray,
    spikes: IntArray,
    split: IntArray,
    quiet: BoolArray,
    rows: int,
    scale: int,
) -> tuple[int, IntArray]:
    """Return ``scale`` times the sum of w_j, each rounded down, and the direct readers by source.

    For each (a, h) the best D holds the loudest of the quiet and the loudest of the other sources:
    ``x`` others save s (1 - h / (R - a)) each, a - x quiet ones save s. The best x moves little
    from one a to the next, and the saving is concave in x, so that walking finds it.
    """
    total = 0
    direct = np.zeros(len(spikes), dtype=np.int64)
    for j in split:
        order = loudest[indptr[j] : indptr[j + 1]]
        f = len(order)
        loud = np.zeros(f + 1, dtype=np.int64)
        soft = np.zeros(f + 1, dtype=np.int64)
        least = np.zeros(f + 2, dtype=np.int64)
        m, n = 0, 0
        for p in range(f):
            s = spikes[order[p]]
            if quiet[order[p]]:
                soft[n + 1] = soft[n] + s
                n += 1
            else:
                loud[m + 1] = loud[m] + s
                m += 1
            least[p + 1] = least[p] + spikes[order[f - 1 - p]]
        least[f + 1] = least[f]
        best, best_loud, best_soft = -1, 0, 0
        for h in range(1, (f + rows - 1) // rows + 1):
            x = 0
            for a in range(min(rows - h, f - 1) + 1):
                x = max(x, a - n)
                while x < min(a, m) and (
                    (loud[x + 1] - loud[x]) * (rows - a - h)
                    > (soft[a - x] - soft[a - x - 1]) * (rows - a)
                ):
                    x += 1
                while x > max(0, a - n) and (
                    (loud[x] - loud[x - 1]) * (rows - a - h)
                    < (soft[a - x + 1] - soft[a - x]) * (rows - a)
                ):
                    x -= 1
                over = f - a - rows * h
                value = scale * (least[f] - loud[x] - soft[a - x])
                value += scale * h * loud[x] // (rows - a)
                if over > 0:
                    value += scale * least[min(over + 1, f)]
                if best < 0 or value < best:
                    best, best_loud, best_soft = value, x, a - x
        total += best
        _count_direct(order, quiet, best_loud, best_soft, direct)
    return total, direct


@borrowing
def _count_direct(
    order: IndexArray, quiet: BoolArray, loud: int, soft: int, direct: IntArray
) -> None:
    """Add one for the first ``soft`` of the quiet sources in ``order`` and ``loud`` others."""
    m, n = 0, 0
    for i in order:
        if quiet[i]:
            n += 1
            direct[i] += n <= soft
        else:
            m += 1
            direct[i] += m <= loud
