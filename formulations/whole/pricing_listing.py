"""Exact pricing of one crossbar by listing every set of units that fits it.

For networks whose sets are few: a depth-first walk over the sets in ascending order of their units,
each visited once, with the sources on its rows counted. Nothing is pruned by value, so that one
list is a proof for whatever prices and costs it is given; they are whole numbers. The walk looks at
the clock and goes on later where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from optmap.clock import did, now
from optmap.compiled import compiled
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IndexArray, IntArray

#: Sets that a walk visits at most, and units it tries to add for each: a second or two in all.
MOST_SETS, TRIALS = 1_000_000, 40
#: Seconds between looks at the clock, units tried before the first and counted as a unit of work.
LOOK_S, FIRST_TRIES, TRIES_A_UNIT = 0.1, 20_000, 20_000_000


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
    """What a list of sets says of prices.

    Parameters
    ----------
    complete : bool
        Every set that fits is in it.
    excess : int
        Largest sum of prices less cost over them; 0 where the list is not complete.
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
    listing = Listing(snn, platform, most_sets)
    sets = listing.sets(lambda: False)
    if sets is None:
        return Listed(False, 0)
    return Listed(True, sets.dearest(prices, sets.costs(snn, cost))[0])


@dataclass(frozen=True, eq=False)
class Sets:
    """All sets that fit a crossbar, each as an earlier one and its last unit.

    A set comes after the one it grew from, and before all others that do not grow from itself.

    Parameters
    ----------
    parent : (n,) int32 array
        Number of the set without its last unit; -1 where there is only one.
    last, first : (n,) int32 arrays
        Positions among the units.
    """

    parent: IndexArray
    last: IndexArray
    first: IndexArray

    def members(self, number: int) -> list[int]:
        """Return the units of a set, by position."""
        found = []
        while number >= 0:
            found.append(int(self.last[number]))
            number = int(self.parent[number])
        return found

    def costs(self, snn: SNN, cost: Cost) -> IntArray:
        """Return the cost of every set, shape (n,)."""
        readers = Readers(snn.indptr, snn.indices, snn.units.astype(np.int64))
        found: IntArray = _costs(readers, self.parent, self.last, cost.base, cost.read, cost.own)
        return found

    def dearest(self, prices: IntArray, costs: IntArray) -> tuple[int, IndexArray]:
        """Return the largest excess of prices over costs, and the best set by first unit."""
        excess, best = _dearest(self.parent, self.last, self.first, costs, prices)
        return int(excess), best


class Listing:
    """The sets that fit a crossbar, listed so far.

    Parameters
    ----------
    most_sets : int
        No more are listed.
    """

    def __init__(self, snn: SNN, platform: Platform, most_sets: int = MOST_SETS) -> None:
        self.snn, self.platform, self.most_sets = snn, platform, most_sets
        self.readers = Readers(snn.indptr, snn.indices, snn.units.astype(np.int64))
        self.limits = (platform.max_rows, min(platform.max_columns, snn.num_units))
        room = min(1024, most_sets)
        self.found = [np.empty(room, dtype=np.int32) for _ in range(3)]
        self.walk = Walk(
            np.zeros(snn.num_neurons, dtype=np.int64),
            np.zeros(self.limits[1] + 1, dtype=np.int64),
            np.full(self.limits[1] + 1, -1, dtype=np.int64),
            np.zeros(5, dtype=np.int64),
        )
        self.is_complete, self.step = False, FIRST_TRIES

    @property
    def visited(self) -> int:
        """Sets so far."""
        return int(self.walk.counts[VISITED])

    @property
    def tried(self) -> int:
        """Units tried so far, one for each set and each that did not fit."""
        return int(self.walk.counts[TRIED])

    def sets(self, expired: Callable[[], bool]) -> Sets | None:
        """Go on until all sets are listed; None where the time is over before, or they are many."""
        while not (self.is_complete or self.is_too_long() or expired()):
            if self.visited == len(self.found[0]):
                room = min(2 * self.visited, self.most_sets)
                self.found = [np.resize(array, room) for array in self.found]
            before, begun = self.tried, now()
            stop = min(before + self.step, TRIALS * self.most_sets)
            self.is_complete = bool(_go_on(self.readers, self.limits, self.walk, stop, *self.found))
            did((self.tried - before) / TRIES_A_UNIT)
            if self.tried >= stop:
                factor = LOOK_S / max(now() - begun, 1e-6)
                self.step = int(self.step * min(2.0, max(0.5, factor))) + 1
        return Sets(*(array[: self.visited] for array in self.found)) if self.is_complete else None

    def is_too_long(self) -> bool:
        """Tell whether there are more sets than are listed, or it takes too many trials."""
        full = self.visited == self.most_sets == len(self.found[0])
        return not self.is_complete and (full or self.tried >= TRIALS * self.most_sets)


class Readers(NamedTuple):
    """Who reads what, and the units that sets are made of."""

    indptr: Any
    indices: Any
    units: Any


class Walk(NamedTuple):
    """Where a walk is: readers of each source in the set, its units, its number by depth."""

    readers: Any
    stack: Any
    number: Any
    counts: Any


#: Positions in the counts of a walk: units of the set, rows, sets, trials, the unit to try next.
DEPTH, TAKEN, VISITED, TRIED, NEXT = range(5)


@compiled
def _costs(readers: Readers, parent: Any, last: Any, base: int, read: Any, own: Any) -> IntArray:
    """Replay the walk: each set's cost is that of its parent and what its last unit adds."""
    indptr, indices, units = readers
    held = np.zeros(len(read), dtype=np.int64)
    inside = np.zeros(len(read), dtype=np.bool_)
    stack = np.zeros(len(units) + 1, dtype=np.int64)
    worth = np.empty(len(last), dtype=np.int64)
    depth = 0
    for s in range(len(last)):
        while depth > 0 and stack[depth - 1] != parent[s]:
            depth -= 1
            gone = units[last[stack[depth]]]
            inside[gone] = False
            for e in range(indptr[gone], indptr[gone + 1]):
                held[indices[e]] -= 1
        u = units[last[s]]
        value = base if depth == 0 else worth[parent[s]]
        if held[u] > 0:
            value -= own[u]
        inside[u] = True
        for e in range(indptr[u], indptr[u + 1]):
            i = indices[e]
            if held[i] == 0:
                value += read[i]
                if inside[i]:
                    value -= own[i]
            held[i] += 1
        stack[depth] = s
        depth += 1
        worth[s] = value
    return worth


@compiled
def _dearest(
    parent: IndexArray, last: IndexArray, first: IndexArray, costs: IntArray, prices: IntArray
) -> tuple[int, npt.NDArray[np.int32]]:
    """Sum prices along the sets, each of which stands behind its parent."""
    total = np.empty(len(last), dtype=np.int64)
    excess = np.full(len(prices), -(2**62), dtype=np.int64)
    best = np.full(len(prices), -1, dtype=np.int32)
    for s in range(len(last)):
        total[s] = prices[last[s]]
        if parent[s] >= 0:
            total[s] += total[parent[s]]
        if total[s] - costs[s] > excess[first[s]]:
            excess[first[s]] = total[s] - costs[s]
            best[first[s]] = s
    return excess.max(), best


@compiled
def _go_on(
    network: Readers,
    limits: tuple[int, int],
    walk: Walk,
    stop: int,
    parent: Any,
    last: Any,
    first: Any,
) -> bool:
    """Visit sets until there is no room for one more, or ``stop`` trials; tell whether it ended."""
    indptr, indices, units = network
    rows, width = limits
    readers, stack, number, counts = walk
    depth, taken, visited, tried, p = counts
    ended = False
    while tried < stop:
        if p < len(units) and depth < width:
            u = units[p]
            fresh = 0
            for e in range(indptr[u], indptr[u + 1]):
                if readers[indices[e]] == 0:
                    fresh += 1
            if taken + fresh > rows:
                tried += 1
                p += 1
                continue
            if visited == len(last):
                break
            tried += 1
            for e in range(indptr[u], indptr[u + 1]):
                readers[indices[e]] += 1
            taken += fresh
            stack[depth] = p
            parent[visited], last[visited], first[visited] = number[depth], p, stack[0]
            depth += 1
            number[depth] = visited
            visited += 1
            p += 1
            continue
        if depth == 0:
            ended = True
            break
        depth -= 1
        u = units[stack[depth]]
        p = stack[depth] + 1
        for e in range(indptr[u], indptr[u + 1]):
            readers[indices[e]] -= 1
            if readers[indices[e]] == 0:
                taken -= 1
    counts[:] = (depth, taken, visited, tried, p)
    return ended
