"""Exact pricing of one crossbar by listing every set of units that fits it.

For networks whose sets are few: a depth-first walk over the sets in ascending order of their units,
each visited once, with the sources on its rows counted. Nothing is pruned by value, so that one
walk is a proof for whatever prices and costs it was given; they are whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from optmap.compiled import compiled
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IndexArray, IntArray

#: Sets that a walk visits at most: a second or two.
MOST_SETS = 3_000_000


@dataclass(frozen=True)
class Cost:
    """cost(S) = base + sum of read_i over the sources i of S - sum of own_u over u in S read by S.

    Parameters
    ----------
    base : int
        Of a crossbar, whatever it holds.
    read, own : (N,) int64 arrays
        By source on the rows, and what is saved where that source is itself a member.
    """

    base: int
    read: IntArray
    own: IntArray

    def times(self, scale: int) -> Cost:
        """Return the cost in units of 1 / ``scale``."""
        return Cost(self.base * scale, self.read * scale, self.own * scale)


def cost_of(metric: str, snn: SNN, platform: Platform) -> Cost:
    """Return what one cluster adds to ``clusters``, ``traffic`` or, for ``period``, to the work.

    Traffic: a source enters the clusters that read it, save the one that holds it. Work: the
    execution time of the cluster, without switch_ticks.
    """
    nothing = np.zeros(snn.num_neurons, dtype=np.int64)
    if metric == "clusters":
        return Cost(1, nothing, nothing)
    if metric == "traffic":
        return Cost(0, snn.spikes, np.where(snn.is_unit, snn.spikes, 0))
    if metric == "period":
        return Cost(platform.base_ticks, platform.event_ticks * snn.spikes, nothing)
    raise ValueError(f"no cover for {metric!r}")


@dataclass(frozen=True)
class Listed:
    """What a walk found.

    Parameters
    ----------
    complete : bool
        Every set that fits was visited.
    excess : int
        Largest sum of prices less cost over them.
    sets : (U, C') int32 array
        For every unit the best set that begins with it, padded with -1; positions among the units.
    """

    complete: bool
    excess: int
    sets: IndexArray


def price_by_listing(
    snn: SNN, platform: Platform, prices: IntArray, cost: Cost, most_sets: int = MOST_SETS
) -> Listed:
    """Return the sets whose prices exceed their cost by most.

    Parameters
    ----------
    prices : (U,) int64 array
        By position in ``snn.units``, in the units of ``cost``.
    """
    units = snn.units.astype(np.int64)
    width = min(platform.max_columns, len(units))
    complete, excess, sets = _walk(
        snn.indptr, snn.indices, units, prices, cost.base, cost.read, cost.own,
        platform.max_rows, width, most_sets,
    )  # fmt: skip
    return Listed(bool(complete), int(excess), sets)


@compiled
def _walk(
    indptr: IntArray,
    indices: IndexArray,
    units: IntArray,
    prices: IntArray,
    base: int,
    read: IntArray,
    own: IntArray,
    rows: int,
    width: int,
    most_sets: int,
) -> tuple[bool, int, npt.NDArray[np.int32]]:
    """Visit the sets; ``worth`` holds prices less cost of the set on the stack, for each depth."""
    num = len(units)
    readers = np.zeros(len(read), dtype=np.int64)
    inside = np.zeros(len(read), dtype=np.bool_)
    stack = np.zeros(width + 1, dtype=np.int64)
    worth = np.zeros(width + 1, dtype=np.int64)
    worth[0] = -base
    best = np.full(num, -(2**62), dtype=np.int64)
    sets = np.full((num, width), -1, dtype=np.int32)
    depth, taken, visited, p = 0, 0, 0, 0
    while True:
        if p < num and depth < width:
            u = units[p]
            value = worth[depth] + prices[p]
            if readers[u] > 0:
                value += own[u]
            inside[u] = True
            fresh = 0
            for e in range(indptr[u], indptr[u + 1]):
                i = indices[e]
                if readers[i] == 0:
                    fresh += 1
                    value -= read[i]
                    if inside[i]:
                        value += own[i]
            if taken + fresh > rows:
                inside[u] = False
                p += 1
                continue
            visited += 1
            if visited > most_sets:
                return False, 0, sets
            for e in range(indptr[u], indptr[u + 1]):
                readers[indices[e]] += 1
            taken += fresh
            stack[depth] = p
            depth += 1
            worth[depth] = value
            first = stack[0]
            if value > best[first]:
                best[first] = value
                sets[first, :] = -1
                for d in range(depth):
                    sets[first, d] = stack[d]
            p += 1
            continue
        if depth == 0:
            break
        depth -= 1
        p = stack[depth]
        u = units[p]
        inside[u] = False
        for e in range(indptr[u], indptr[u + 1]):
            readers[indices[e]] -= 1
            if readers[indices[e]] == 0:
                taken -= 1
        p += 1
    return True, best.max() if num else -base, sets
