"""Spike-hops that no mapping undercuts, where every tile holds one program.

Two clusters are then on two tiles, so that every external spike travels the fewest hops between two
tiles at least. Inputs come from outside the network of tiles: their spikes travel no hop, but what
they add to an inserted unit's does. No inserted unit stands in its reader's cluster
(:mod:`optmap.bounds.end_to_end`).
"""

from __future__ import annotations

from math import isqrt

import numpy as np

from optmap.bounds.bound import Bound
from optmap.bounds.end_to_end_pairs import reads_by_pairs
from optmap.bounds.end_to_end_reads import entries, fewest_sums, quiet_sets
from optmap.model.grade import Grade
from optmap.model.interconnect import MAX_MATRIX_TILES
from optmap.model.platform import Platform
from optmap.model.scope import END_TO_END
from optmap.model.snn import SNN, IntArray


def end_to_end_hop_bounds(snn: SNN, platform: Platform) -> tuple[Bound, ...]:
    """Return lower bounds on spike-hops where every tile holds one program; else none.

    Notes
    -----
    ``apart``: unit i enters m clusters (:func:`optmap.bounds.end_to_end_reads.entries`), which are
    on m tiles other than its own, whose hops together are :func:`nearest` at least; the spikes of
    inserted units travel one shortest way. ``share`` and ``pairs``: the reads of
    :mod:`optmap.bounds.end_to_end_reads` and :mod:`optmap.bounds.end_to_end_pairs` with inputs
    free; of what is read there a unit saves its spikes once, in its own cluster.
    """
    if not platform.one_program_each or len(platform.in_use) < 2:
        return ()
    hops = nearest(platform)
    entered = np.minimum(entries(snn, platform.max_columns), len(hops) - 1)
    travelled = np.where(snn.is_unit, snn.spikes * hops[entered], 0)
    read = snn.is_unit & (snn.fan_out > 0)
    sums, shortest = fewest_sums(snn, platform.max_rows), int(hops[1])
    values = {"apart": sum(travelled.tolist()) + sums * shortest}
    if snn.max_fan_in > platform.max_rows:
        values["share"] = max(
            sum(travelled[quiet].tolist())
            + shortest * max(0, shares - sum(snn.spikes[read & ~quiet].tolist()))
            for quiet, shares in quiet_sets(snn, platform.max_rows, ~snn.is_unit)
        )
    pairs = reads_by_pairs(snn, platform, ~snn.is_unit)
    if pairs is not None:
        values["pairs"] = shortest * max(0, pairs.total - sum(snn.spikes[read].tolist()))
    return tuple(
        Bound("spike_hops", name, value, END_TO_END, Grade.CERTIFIED)
        for name, value in values.items()
    )


def nearest(platform: Platform) -> IntArray:
    """Return the fewest hops from a tile in use to m others together, for m = 0, 1, ....

    Examples
    --------
    >>> from optmap.model.platform import Crossbar, Interconnect, Tile
    >>> tiles = (Tile(Crossbar(2, 2)),) * 6
    >>> nearest(Platform("3 x 2", tiles, Interconnect("mesh", 3, 2))).tolist()
    [0, 1, 2, 3, 5, 7]
    """
    used = list(platform.in_use)
    if platform.num_tiles > MAX_MATRIX_TILES:  # of a grid: at most 4 d tiles at distance d
        distance = np.arange(1, isqrt(len(used)) + 2)
        others = np.repeat(distance, 4 * distance)[: len(used) - 1]
        return np.concatenate(([0], np.cumsum(others)))
    between = platform.hops[np.ix_(used, used)]
    others = between[~np.eye(len(used), dtype=np.bool_)].reshape(len(used), -1)
    best: IntArray = np.cumsum(np.sort(others, axis=1), axis=1).min(axis=0)
    return np.concatenate(([0], best)).astype(np.int64)
