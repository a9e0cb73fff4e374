"""Clusterings and tile loads of small networks by dynamic programming over sets of units.

For networks of at most MOST_UNITS units all of which fit a crossbar and stay whole (the scope says
so). A set of units is a bit mask. A cluster c that fits costs 1, its traffic, or its execution time
(with switch_ticks where its tile holds several); the least sum over the clusterings of a set S is

    f(S) = min over clusters c of S that hold the lowest unit of S of cost(c) + f(S - c),

and the least largest load of S on t tiles is g_t(S) = min over parts P of S of max(f(P), g_{t-1}(S
- P)), where P holds the lowest unit of S. A tile is busy for its load in every iteration, whatever
the orders, so the period is no shorter. Tiles and crossbars of several kinds count as the largest.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from optmap.bounds.bound import Bound
from optmap.model.grade import Grade
from optmap.model.platform import Platform
from optmap.model.scope import Scope
from optmap.model.snn import SNN, BoolArray, IntArray

#: 3^16 pairs of a set and a part of it: a tenth of a second for every tile after the first.
MOST_UNITS = 16
#: Sums of execution times stay far from overflow.
FAR = 1 << 60
#: Sets that one cluster costs, walked over by itself, where few fit; see :func:`_cheapest`.
SPARSE = 10_000


def small_bounds(snn: SNN, platform: Platform) -> tuple[Bound, ...]:
    """Return the least clusters and traffic, and the least largest tile load as period bound."""
    units = snn.num_units
    if not 0 < units <= MOST_UNITS or snn.max_fan_in > platform.max_rows:
        return ()
    values = _least_values(snn, platform)
    scope = Scope(splits_above=platform.max_rows)
    return tuple(
        Bound(metric, "small", value, scope, Grade.CERTIFIED) for metric, value in values.items()
    )


def _least_values(snn: SNN, platform: Platform) -> dict[str, int]:
    """Return the least value by metric; none where sums could leave int64."""
    fits, read, entering = _sets(snn, platform)
    if int(read.max()) > FAR >> 20:
        return {}
    tau = platform.base_ticks + platform.event_ticks * read
    return {
        "clusters": int(_cheapest(fits, np.ones_like(tau))[-1]),
        "traffic": int(_cheapest(fits, entering)[-1]),
        "period": _least_load(fits, tau, platform),
    }


def _least_load(fits: BoolArray, tau: IntArray, platform: Platform) -> int:
    """Return the largest load of the best binding of the best clustering to equal tiles."""
    one = np.where(fits, tau, FAR)
    load = np.minimum(one, _cheapest(fits, tau + platform.switch_ticks))
    if platform.one_program_each:
        load = one
    load[0] = 0
    tiles = min(len(platform.in_use), len(fits).bit_length() - 1)
    with_last, least = load[len(load) // 2 :], load[: len(load) // 2]
    for _ in range(tiles - 2):
        least = _one_more_tile(load, least)
    if tiles == 1:
        return int(load[-1])
    # the tile of the last unit, and the others
    return int(np.maximum(with_last, least[::-1]).min())


def _sets(snn: SNN, platform: Platform) -> tuple[BoolArray, IntArray, IntArray]:
    """Return by set of units: whether it fits a crossbar, spikes read, spikes from outside.

    A source is read by a set unless all its readers are outside: what a set reads is everything
    less a sum over the subsets of its complement.
    """
    units = snn.units.astype(np.int64)
    size = 1 << len(units)
    readers = np.zeros(snn.num_neurons, dtype=np.int64)
    for p, u in enumerate(units.tolist()):
        readers[np.unique(snn.sources_of(u))] |= 1 << p
    sets = np.arange(size, dtype=np.int64)
    counts, spikes = (np.zeros(size, dtype=np.int64) for _ in range(2))
    np.add.at(counts, readers, 1)
    np.add.at(spikes, readers, snn.spikes)
    # the complement of S is the last set less S
    taken, read = (
        all_of - _sums_of_subsets(all_of_subsets)[::-1]
        for all_of, all_of_subsets in ((counts.sum(), counts), (spikes.sum(), spikes))
    )
    own = np.zeros(size, dtype=np.int64)
    for p, u in enumerate(units.tolist()):
        inside = (sets >> p & 1 == 1) & (sets & readers[u] != 0)
        own += np.where(inside, snn.spikes[u], 0)
    members = np.bitwise_count(sets).astype(np.int64)
    fits = (taken <= platform.max_rows) & (members <= platform.max_columns)
    return fits, read, read - own


def _sums_of_subsets(value: IntArray) -> IntArray:
    """Return for every set, a bit mask, the sum of ``value`` over all its subsets."""
    found = value.copy()
    for p in range(len(found).bit_length() - 1):
        pairs = found.reshape(-1, 2, 1 << p)
        pairs[:, 1] += pairs[:, 0]
    return found


def _cheapest(fits: BoolArray, cost: IntArray) -> IntArray:
    """Return f(S) for every set S: in S the highest unit stands for any."""
    members = len(fits).bit_length() - 1
    best = np.full(len(fits), FAR, dtype=np.int64)
    best[0] = 0
    clusters = np.flatnonzero(fits)[1:]
    if len(clusters) * SPARSE < 3**members:
        for c in clusters.tolist():
            rest = _subsets(~c & ((1 << c.bit_length() - 1) - 1))
            best[c | rest] = np.minimum(best[c | rest], best[rest] + cost[c])
        return np.minimum(best, FAR)
    one = np.where(fits, cost, FAR)
    for size in (1 << p for p in range(members)):
        best[size : 2 * size] = _least_split(one[size : 2 * size], best[:size], np.add)
    return best


def _subsets(of: int) -> IntArray:
    """Return every subset of a set."""
    found = np.zeros(1, dtype=np.int64)
    for p in range(of.bit_length()):
        if of >> p & 1:
            found = np.concatenate((found, found | 1 << p))
    return found


def _one_more_tile(load: IntArray, least: IntArray) -> IntArray:
    """Return g_{t+1} from f and g_t, both of the sets without the last unit."""
    best = least.copy()
    for size in (1 << p for p in range(len(least).bit_length() - 1)):
        split = _least_split(load[size : 2 * size], least[:size], np.maximum)
        best[size : 2 * size] = np.minimum(least[size : 2 * size], split)
    return best


def _least_split(first: IntArray, second: IntArray, joined: np.ufunc) -> IntArray:
    """Return min over parts P of S of joined(first[P], second[S - P]), for every set S.

    The sets' low halves are taken pair by pair of disjoint ones, the high halves all at once.
    """
    members = len(first).bit_length() - 1
    low, high = members // 2, members - members // 2
    p, q = _disjoint_pairs(high)
    a, b = first.reshape(1 << high, 1 << low)[p].T.copy(), second.reshape(1 << high, 1 << low)[q]
    b = b.T.copy()
    least = np.full((1 << low, len(p)), 2 * FAR, dtype=np.int64)
    for x, y in zip(*_disjoint_pairs(low), strict=True):
        np.minimum(least[x | y], joined(a[x], b[y]), out=least[x | y])
    starts = np.flatnonzero(np.diff(p | q, prepend=-1))
    return np.minimum(np.minimum.reduceat(least, starts, axis=1).T.ravel(), FAR)


@cache
def _disjoint_pairs(members: int) -> tuple[IntArray, IntArray]:
    """Return the 3^members pairs of disjoint sets, by their union."""
    p = q = np.zeros(1, dtype=np.int64)
    for m in range(members):
        bit = 1 << m
        p, q = np.concatenate((p, p | bit, p)), np.concatenate((q, q, q | bit))
    by_union = np.argsort(p | q, kind="stable")
    return p[by_union], q[by_union]
