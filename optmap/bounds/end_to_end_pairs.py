"""How many spikes all clusters read at least, from how little pairs of neurons share.

*pairs*. Every neuron j has one *root*, the unit that keeps its identity, in one cluster; it reads
sources D_j directly and the rest of N_j through inserted units, whose spikes are read once more by
it alone. So all clusters together read, whatever the decomposition, whole neurons split or not, at
least

    sum over j of s(N_j)  -  sum over clusters of  sum over i of s_i max(0, d_i - 1)

with d_i the roots of the cluster that read i directly. For every whole t >= 1 and d >= 0

    max(0, d - 1)  <=  d (d - 1) / (2 t) + [d >= 1] (t - 1) / 2,

a parabola that meets the line at t and at t + 1. Summed over i, with weights s_i, d (d - 1) counts
what ordered pairs of the cluster's roots have in common, and the last term is at most (t - 1) / 2
times S, the R largest s_i. In a cluster of b <= C' roots, root j therefore saves at most

    g_j(b) = min(s_R(N_j) (b - 1) / b,  min over t of  c_j(b) / (2 t) + (t - 1) S / (2 b))

where c_j(b) sums the b - 1 largest s(N_j and N_v) and s_R(N_j) the R largest s_i of N_j. The first
is what remains if each source is divided among its b readers. So j pays s(N_j) - max over b of
g_j(b). Random networks, of whose neurons few share much, pay nearly all.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from optmap.model.platform import Platform
from optmap.model.snn import SNN, IntArray

#: Savings are rounded up to this part of a spike.
PART = 1 << 10
#: Most pairs of synapses that share a source, and what scaled sums must stay below.
MOST_PAIRS, MOST_WORTH = 20_000_000, 1 << 61


def paid_by_pairs(snn: SNN, platform: Platform, neurons: IntArray) -> int | None:
    """Return the spikes that the clusters read for ``neurons`` at least, rounded down.

    None where there are too many pairs, or sums that would leave int64.
    """
    reads = sparse.csr_matrix(
        (np.ones(snn.num_synapses, dtype=np.int64), snn.indices, snn.indptr),
        shape=(snn.num_neurons, snn.num_neurons),
    )[neurons]
    shared_by = np.bincount(reads.indices, minlength=snn.num_neurons)
    all_read = sum((snn.spikes[reads.indices]).tolist())
    too_many = sum((shared_by * shared_by).tolist()) > MOST_PAIRS
    if too_many or PART * (all_read + 1) * 2 * platform.max_columns > MOST_WORTH:
        return None
    width = min(platform.max_columns, len(neurons))
    common = (reads.multiply(snn.spikes) @ reads.T).tocsr()
    loudest = int(np.sort(snn.spikes[shared_by > 1])[-platform.max_rows :].sum())
    saved = 0
    for p, j in enumerate(neurons.tolist()):
        own = np.sort(snn.spikes[snn.sources_of(j)])[-platform.max_rows :].sum()
        beside = common.data[common.indptr[p] : common.indptr[p + 1]]
        beside = beside[common.indices[common.indptr[p] : common.indptr[p + 1]] != p]
        saved += _most_saved(int(own), np.sort(beside)[::-1], loudest, width)
    return (PART * all_read - saved) // PART


def _most_saved(own: int, beside: IntArray, loudest: int, width: int) -> int:
    """Return PART times max over b of g_j(b), rounded up."""
    b = np.arange(1, width + 1)
    sums = np.zeros(width, dtype=np.int64)
    most = min(width - 1, len(beside))
    sums[1 : most + 1] = np.cumsum(beside[:most])
    sums[most + 1 :] = sums[most]
    divided = -(-PART * own * (b - 1) // b)
    t = np.maximum(1, np.sqrt(sums * b / max(1, loudest)).astype(np.int64))
    by_pairs = np.minimum(_parabola(sums, t, loudest, b), _parabola(sums, t + 1, loudest, b))
    return int(np.minimum(divided, by_pairs).max())


def _parabola(sums: IntArray, t: IntArray, loudest: int, b: IntArray) -> IntArray:
    """Return PART times c / (2 t) + (t - 1) S / (2 b), each term rounded up."""
    return -(-PART * sums // (2 * t)) - (-PART * (t - 1) * loudest // (2 * b))
