"""Bounds for every clustering, binding and order, where neurons that fit a crossbar stay whole.

Fan-in decomposition splits what a crossbar cannot read; a method may split more, and now and then
it pays. These bounds hold for decompositions that split no neuron of fan-in up to R, as their scope
says, and for any decomposition of the others.

*beside*. Let the whole neuron j be in cluster k beside at most G_j - 1 other whole neurons (as in
:func:`optmap.bounds.clusters.overlap_bound`). What k reads for a source is divided equally among
the r_i whole neurons of k that read it, and base_ticks among all of them. As 1 / r >= 1 - (r - 1) /
2, j pays at least

    w_j = max(s(N_j) / G_j,  s(N_j) - (the G_j - 1 largest s(N_j and N_v)) / 2)  and base / G_j,

with v over the neurons that fit a crossbar together with j. The sources of whole neurons pay
nothing for split ones then: they are the *quiet* ones of
:mod:`optmap.bounds.end_to_end_reads`, whose shares are added.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from optmap.bounds.bound import Bound
from optmap.bounds.clusters import most_beside
from optmap.bounds.end_to_end_reads import FINEST, shares_of
from optmap.model.grade import Grade
from optmap.model.platform import Platform
from optmap.model.scope import Scope
from optmap.model.snn import SNN, IntArray

#: Only neurons that read this part of the rows or more are looked at (any set of whole neurons
#: gives a bound): of narrower ones so many fit a crossbar that nothing is proved.
WIDE = 3
#: Above so many of them the table of pairs is not built.
MAX_NEURONS = 2000
#: Numbers of a table of what they read, up to which it is made without zeros left out.
MOST_NUMBERS = 4_000_000


@dataclass(frozen=True)
class Beside:
    """What *beside* proves, each as a multiple of 1 / FINEST.

    Parameters
    ----------
    clusters : int
        Sum of 1 / G_j.
    reads : int
        Sum of w_j.
    shares : int
        Reads of the other sources in roots' clusters and of inserted units, in spikes.
    kept : int
        Spikes of all units that anybody reads: each may save its own once.
    """

    clusters: int
    reads: int
    shares: int
    kept: int


def whole_neuron_bounds(snn: SNN, platform: Platform) -> tuple[Bound, ...]:
    """Return the bounds on clusters, traffic and period; none where the table would be too large.

    Notes
    -----
    Clusters: ceil(sum 1 / G_j). Traffic: the reads, less the spikes of every unit once, for it is
    in one cluster. Period: all tiles together fire for base * sum 1 / G_j + event * reads ticks.
    """
    wide = snn.fan_in * WIDE >= platform.max_rows
    whole = np.flatnonzero(wide & (snn.fan_in <= platform.max_rows))
    if not 0 < len(whole) <= MAX_NEURONS:
        return ()
    found = beside(snn, platform, whole)
    reads = found.reads + FINEST * found.shares
    work = platform.base_ticks * found.clusters + platform.event_ticks * reads
    values = {
        "clusters": -(-found.clusters // FINEST),
        "traffic": max(0, -(-reads // FINEST) - found.kept),
        "period": -(-work // (FINEST * platform.num_tiles)),
    }
    scope = Scope(splits_above=platform.max_rows)
    return tuple(
        Bound(metric, "beside", value, scope, Grade.CERTIFIED) for metric, value in values.items()
    )


def beside(snn: SNN, platform: Platform, whole: IntArray) -> Beside:
    """Return the parts of *beside* for the whole neurons ``whole``."""
    rows = platform.max_rows
    fan_in = snn.fan_in[whole]
    sources, shared, common = _common(snn, whole)
    most = most_beside(fan_in, shared, rows, platform.max_columns)
    own_spikes = common.diagonal().copy()
    common[fan_in[:, None] + fan_in[None, :] - shared > rows] = 0
    np.fill_diagonal(common, 0)
    common = -np.sort(-common, axis=1)
    before = np.concatenate((np.zeros((len(whole), 1), np.int64), np.cumsum(common, 1)), axis=1)
    saved = before[np.arange(len(whole)), np.minimum(most - 1, len(whole))]
    paid = [
        max(FINEST * int(h) // int(g), FINEST * int(h) - (FINEST * int(s) + 1) // 2)
        for h, g, s in zip(own_spikes, most, saved, strict=True)
    ]
    quiet = np.zeros(snn.num_neurons, dtype=np.bool_)
    quiet[sources] = True
    split = np.flatnonzero(snn.fan_in > rows)
    return Beside(
        sum(FINEST // int(g) for g in most),
        sum(paid),
        shares_of(snn, rows, split, quiet)[0] if len(split) else 0,
        int(snn.spikes[snn.is_unit & (snn.fan_out > 0)].sum()),
    )


def _common(snn: SNN, whole: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return what neurons read, how many sources every two share, and the spikes of these.

    Returns
    -------
    sources : (m,) int array
    shared, common : (n, n) int64 arrays
    """
    read = np.concatenate([snn.sources_of(j) for j in whole.tolist()])
    sources, column = np.unique(read, return_inverse=True)
    row = np.repeat(np.arange(len(whole)), snn.fan_in[whole])
    table: Any
    if len(whole) * len(sources) <= MOST_NUMBERS:
        table = np.zeros((len(whole), len(sources)))  # sums of spikes are exact as floats too
        table[row, column] = 1
        found = table @ table.T, (table * snn.spikes[sources]) @ table.T
    else:
        from scipy import sparse  # here: slow to load

        table = sparse.csr_matrix((np.ones(len(row), dtype=np.int64), (row, column)))
        weighted = table.multiply(snn.spikes[sources])
        found = (table @ table.T).todense(), (weighted @ table.T).todense()
    shared, common = (np.asarray(matrix).astype(np.int64) for matrix in found)
    return sources, shared, common
