"""How many spikes all clusters read at least, from how little pairs of neurons share.

*pairs*. Every neuron j has one *root*, the unit that keeps its identity, in one cluster; it reads
sources D_j directly and the rest of N_j through inserted units, whose spikes are read once more by
it alone. So all clusters together read, whatever the decomposition, whole neurons split or not, at
least

    sum over j of s(N_j)  -  sum over clusters of  sum over i of s_i max(0, d_i - 1)

with d_i the roots of the cluster that read i directly. In a cluster of b <= C' roots the second sum
is bounded in two ways, c_j(b) being the sum of the b - 1 largest s(N_j and N_v), S the R largest
s_i, s_R(N_j) the R largest of N_j.

By root: of each source j saves 1 - 1 / d, and for every whole t >= 1 the line through that function
at t and t + 1 is nowhere below it at a whole d, so that j saves at most

    min(s_R(N_j) (b - 1) / b,  min over t of  s_R(N_j) (t - 1) / (t + 1) + c_j(b) / (t (t + 1))).

By cluster: max(0, d - 1) <= d (d - 1) / (2 t) + [d >= 1] (t - 1) / 2, a parabola that meets the
line at t and at t + 1. Summed over i, d (d - 1) counts what ordered pairs of roots have in common,
so that the cluster saves at most the sum over j of c_j(b) / (2 t) + (t - 1) S / (2 b), with one t
for all its roots.

For every b one of the two, and one t, is chosen for all neurons; j then pays s(N_j) less the most
that it saves for any b. Random networks, of whose neurons few share much, pay nearly all.

Where only the neurons that fit a crossbar pay by pairs, their sources are *quiet* for the others:
those pay by :func:`optmap.bounds.end_to_end_reads.shares_of`, nothing for reads of quiet sources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optmap.bounds.end_to_end_reads import Reads, shares_of
from optmap.model.platform import Platform
from optmap.model.snn import SNN, BoolArray, IntArray

if TYPE_CHECKING:
    from scipy import sparse

#: Savings are rounded up to this part of a spike; numbers t of lines that are tried.
PART, LINES = 1 << 10, (1, 2, 3, 5, 8)
#: Most pairs of synapses that share a source, and what scaled sums must stay below.
MOST_PAIRS, MOST_WORTH = 10_000_000, 1 << 61


def reads_by_pairs(snn: SNN, platform: Platform, free: BoolArray | None = None) -> Reads | None:
    """Return the better of two bounds: all neurons pay by pairs, or those that fit a crossbar.

    Parameters
    ----------
    free : (N,) bool array, optional
        Sources whose direct reads cost nothing; their spikes count where inserted units pass them.
    """
    free = np.zeros(snn.num_neurons, dtype=np.bool_) if free is None else free
    heard = np.where(free, 0, snn.spikes)
    fits = np.flatnonzero((snn.fan_in > 0) & (snn.fan_in <= platform.max_rows))
    split = np.flatnonzero(snn.fan_in > platform.max_rows)
    every = np.flatnonzero(snn.fan_in > 0)
    totals = []
    for neurons in (fits, every) if len(split) else (fits,):
        paid = paid_by_pairs(snn, heard, platform, neurons) if len(neurons) else None
        if paid is None:
            continue
        if neurons is fits and len(split):
            quiet = free.copy()
            for j in fits.tolist():
                quiet[snn.sources_of(j)] = True
            paid += shares_of(snn, platform.max_rows, split, quiet)[0]
        totals.append(paid)
    nothing = np.zeros(snn.num_neurons, dtype=np.bool_)
    return Reads(0, max(totals), nothing) if totals else None


def paid_by_pairs(snn: SNN, spikes: IntArray, platform: Platform, neurons: IntArray) -> int | None:
    """Return the spikes that the clusters read for ``neurons`` at least, rounded down.

    None where there are too many pairs, or sums that would leave int64. ``spikes`` (N,) are what
    each source weighs.
    """
    shared_by = snn.fan_out
    if int(snn.fan_in[neurons].sum()) < snn.num_synapses:
        chosen = np.zeros(snn.num_neurons, dtype=np.bool_)
        chosen[neurons] = True
        read = snn.indices[np.repeat(chosen, snn.fan_in)]
        shared_by = np.bincount(read, minlength=snn.num_neurons)
    if (shared_by.astype(np.float64) ** 2).sum() > MOST_PAIRS:  # exact below
        return None
    all_read = sum((int(s) * int(n) for s, n in zip(spikes, shared_by, strict=True) if s and n), 0)
    if PART * (all_read + 1) * 2 * platform.max_columns > MOST_WORTH:
        return None
    from scipy import sparse  # here: slow to load

    reads = sparse.csr_matrix(
        (np.ones(snn.num_synapses, dtype=np.int64), snn.indices, snn.indptr),
        shape=(snn.num_neurons, snn.num_neurons),
    )[neurons]
    common = (reads.multiply(spikes) @ reads.T).tocsr()
    loudest = int(np.sort(spikes[shared_by > 1])[-platform.max_rows :].sum())
    own = _largest(reads, spikes, min(platform.max_rows, int(snn.max_fan_in)))[:, -1]
    beside = _beside(common, min(platform.max_columns, len(neurons)))
    paid: int = (PART * all_read - _most_saved(own, beside, loudest)) // PART
    return paid


def _beside(common: sparse.csr_matrix, width: int) -> IntArray:
    """Return c_j(b) for b = 1, ..., width, shape (n, width), from what pairs have in common."""
    from scipy import sparse

    beside = sparse.csr_matrix(common - sparse.diags_array(common.diagonal(), dtype=np.int64))
    sums = np.zeros((common.shape[0], width), dtype=np.int64)
    sums[:, 1:] = _largest(beside, np.ones(common.shape[1], dtype=np.int64), width - 1)
    return sums


def _largest(entries: sparse.csr_matrix, weights: IntArray, most: int) -> IntArray:
    """Return the sums of the 1, 2, ..., ``most`` largest weighted entries of each row.

    Parameters
    ----------
    entries : (n, m) sparse matrix
        Not negative.
    weights : (m,) int64 array
        What an entry of each column is multiplied by.

    Returns
    -------
    (n, most) int64 array
    """
    row = np.repeat(np.arange(entries.shape[0]), np.diff(entries.indptr))
    value = entries.data * weights[entries.indices]
    order = np.lexsort((-value, row))
    rank = np.arange(len(order)) - entries.indptr[row]
    kept = rank < most
    largest = np.zeros((entries.shape[0], most), dtype=np.int64)
    largest[row[kept], rank[kept]] = value[order[kept]]
    return np.cumsum(largest, axis=1, out=largest)


def _most_saved(own: IntArray, beside: IntArray, loudest: int) -> int:
    """Return PART times what all neurons save at most, each term rounded up.

    Parameters
    ----------
    own : (n,) int64 array
        s_R(N_j).
    beside : (n, width) int64 array
        c_j(b).
    loudest : int
        S.
    """
    num, width = beside.shape
    most = np.zeros(num, dtype=np.int64)
    for b in range(1, width + 1):
        sums = beside[:, b - 1]
        by_root = -(-PART * own * (b - 1) // b)
        for t in LINES:
            line = -(-PART * own * (t - 1) // (t + 1)) - (-PART * sums // (t * (t + 1)))
            by_root = np.minimum(by_root, line)
        first = max(1, int((float(sums.mean()) * b / max(1, loudest)) ** 0.5))
        choices = [by_root]
        for t in (first, first + 1):
            choices.append(-(-PART * sums // (2 * t)) - (-PART * (t - 1) * loudest // (2 * b)))
        most = np.maximum(most, min(choices, key=lambda saved: sum(saved.tolist())))
    return sum(most.tolist())
