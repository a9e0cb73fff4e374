"""Exact pricing of one crossbar by listing every set of units that fits it.

For networks whose sets are few: a depth-first walk over the sets in ascending order of their units,
each visited once, with the sources on its rows counted. Nothing is pruned by value, so that one
walk is a proof for whatever prices and costs it was given; they are whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from optmap.compiled import compiled
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IndexArray, IntArray

#: Sets that a walk visits at most, and units it tries to add for each: a second or two in all.
MOST_SETS, TRIALS = 1_000_000, 40


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
    """

    complete: bool
    excess: int


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
    complete, excess, *_ = _walk(
        Weights(snn.indptr, snn.indices, units, prices, cost.base, cost.read, cost.own),
        platform.max_rows, width, most_sets, False,
    )  # fmt: skip
    return Listed(bool(complete), int(excess))


@dataclass(frozen=True, eq=False)
class Sets:
    """All sets that fit a crossbar, each as an earlier one and its last unit.

    Parameters
    ----------
    parent : (n,) int32 array
        Number of the set without its last unit; -1 where there is only one.
    last, first : (n,) int32 arrays
        Positions among the units.
    cost : (n,) int64 array
        In the units of the cost it was listed for.
    """

    parent: IndexArray
    last: IndexArray
    first: IndexArray
    cost: IntArray

    def members(self, number: int) -> list[int]:
        """Return the units of a set, by position."""
        found = []
        while number >= 0:
            found.append(int(self.last[number]))
            number = int(self.parent[number])
        return found

    def dearest(self, prices: IntArray, num_units: int) -> tuple[int, IndexArray]:
        """Return the largest excess of prices over cost, and the best set by first unit."""
        excess, best = _dearest(self.parent, self.last, self.first, self.cost, prices, num_units)
        return int(excess), best


def all_sets(snn: SNN, platform: Platform, cost: Cost, most_sets: int = MOST_SETS) -> Sets | None:
    """Return every set that fits a crossbar; None if there are more than ``most_sets``."""
    units = snn.units.astype(np.int64)
    width = min(platform.max_columns, len(units))
    nothing = np.zeros(len(units), dtype=np.int64)
    complete, _, visited, parent, last, first, worth = _walk(
        Weights(snn.indptr, snn.indices, units, nothing, cost.base, cost.read, cost.own),
        platform.max_rows, width, most_sets, True,
    )  # fmt: skip
    if not complete:
        return None
    return Sets(parent[:visited], last[:visited], first[:visited], -worth[:visited])


@compiled
def _dearest(
    parent: IndexArray,
    last: IndexArray,
    first: IndexArray,
    cost: IntArray,
    prices: IntArray,
    num: int,
) -> tuple[int, npt.NDArray[np.int32]]:
    """Sum prices along the sets, each of which stands behind its parent."""
    total = np.empty(len(last), dtype=np.int64)
    excess = np.full(num, -(2**62), dtype=np.int64)
    best = np.full(num, -1, dtype=np.int32)
    for s in range(len(last)):
        total[s] = prices[last[s]]
        if parent[s] >= 0:
            total[s] += total[parent[s]]
        if total[s] - cost[s] > excess[first[s]]:
            excess[first[s]] = total[s] - cost[s]
            best[first[s]] = s
    return excess.max(), best


class Weights(NamedTuple):
    """Who reads what, the units listed with their prices, and the parts of a set's cost."""

    indptr: Any
    indices: Any
    units: Any
    prices: Any
    base: int
    read: Any
    own: Any


@compiled
def _doubled(array: Any) -> Any:
    return np.concatenate((array, np.empty_like(array)))


@compiled
def _walk(weights: Weights, rows: int, width: int, most_sets: int, keep: bool) -> Any:
    """Visit the sets; ``worth`` holds prices less cost of the set on the stack, for each depth.

    Returns whether all were visited, the largest worth, and how many; then, if they are kept, the
    arrays of :class:`Sets`, with room to spare.
    """
    indptr, indices, units = weights.indptr, weights.indices, weights.units
    prices, base, read, own = weights.prices, weights.base, weights.read, weights.own
    num = len(units)
    readers = np.zeros(len(read), dtype=np.int64)
    inside = np.zeros(len(read), dtype=np.bool_)
    stack = np.zeros(width + 1, dtype=np.int64)
    number = np.full(width + 1, -1, dtype=np.int64)
    worth = np.zeros(width + 1, dtype=np.int64)
    worth[0] = -base
    best = -base if num == 0 else -(2**62)
    room = 1024 if keep else 0
    parent = np.empty(room, dtype=np.int32)
    last = np.empty(room, dtype=np.int32)
    first = np.empty(room, dtype=np.int32)
    kept = np.empty(room, dtype=np.int64)
    depth, taken, visited, tried, p = 0, 0, 0, 0, 0
    while True:
        if p < num and depth < width:
            u = units[p]
            tried += 1
            value = worth[depth] + prices[p]
            if readers[u] > 0:
                value += own[u]
            inside[u] = True
            fresh = 0
            for e in range(indptr[u], indptr[u + 1]):
                i = indices[e]
                if readers[i] > 0:
                    continue
                fresh += 1
                value -= read[i]
                if inside[i]:
                    value += own[i]
            if taken + fresh > rows:
                inside[u] = False
                p += 1
                continue
            if visited == most_sets or tried > TRIALS * most_sets:
                return False, best, visited, parent, last, first, kept
            for e in range(indptr[u], indptr[u + 1]):
                readers[indices[e]] += 1
            taken += fresh
            if keep:
                if visited == room:
                    room *= 2
                    parent, last = _doubled(parent), _doubled(last)
                    first, kept = _doubled(first), _doubled(kept)
                parent[visited] = number[depth]
                last[visited] = p
                kept[visited] = value
            stack[depth] = p
            depth += 1
            worth[depth] = value
            number[depth] = visited
            if keep:
                first[visited] = stack[0]
            best = max(best, value)
            visited += 1
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
    return True, best, visited, parent, last, first, kept
