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

from contextlib import nullcontext

import numpy as np

from optmap.bounds.bound import Bound
from optmap.compiled import compiled, interpreted
from optmap.model.grade import Grade
from optmap.model.platform import Platform
from optmap.model.scope import Scope
from optmap.model.snn import SNN, BoolArray, IntArray

#: 3^16 pairs of a set and a part of it: a tenth of a second for every tile after the first.
MOST_UNITS = 16
#: Above it machine code is worth its loading.
FEW_UNITS = 10
#: Sums of execution times stay far from overflow.
FAR = 1 << 60


def small_bounds(snn: SNN, platform: Platform) -> tuple[Bound, ...]:
    """Return the least clusters and traffic, and the least largest tile load as period bound."""
    units = snn.num_units
    if not 0 < units <= MOST_UNITS or snn.max_fan_in > platform.max_rows:
        return ()
    with nullcontext() if units <= FEW_UNITS else interpreted(False):
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
    least = load
    for _ in range(min(len(platform.in_use), len(fits).bit_length() - 1) - 1):
        least = _one_more_tile(load, least)
    return int(least[-1])


def _sets(snn: SNN, platform: Platform) -> tuple[BoolArray, IntArray, IntArray]:
    """Return by set of units: whether it fits a crossbar, spikes read, spikes from outside."""
    units = snn.units
    reads = np.zeros((len(units), snn.num_neurons), dtype=np.bool_)
    for p, u in enumerate(units):
        reads[p, snn.sources_of(int(u))] = True
    size = 1 << len(units)
    fits = np.zeros(size, dtype=np.bool_)
    read = np.zeros(size, dtype=np.int64)
    entering = np.zeros(size, dtype=np.int64)
    _fill(reads, units.astype(np.int64), snn.spikes, platform.max_rows, platform.max_columns,
          fits, read, entering)  # fmt: skip
    return fits, read, entering


@compiled
def _fill(
    reads: BoolArray, units: IntArray, spikes: IntArray, rows: int, columns: int,
    fits: BoolArray, read: IntArray, entering: IntArray
) -> None:  # fmt: skip
    """Walk all sets in Gray-code order, so that one unit comes or goes at each step."""
    num, neurons = reads.shape
    readers = np.zeros(neurons, dtype=np.int64)
    inside = np.zeros(neurons, dtype=np.bool_)
    members, taken, spikes_read = 0, 0, 0
    mask = 0
    fits[0] = True
    for step in range(1, 1 << num):
        p = 0
        while not (step >> p) & 1:
            p += 1
        mask ^= 1 << p
        sign = 1 if (mask >> p) & 1 else -1
        members += sign
        inside[units[p]] = sign > 0
        for i in range(neurons):
            if reads[p, i]:
                was = readers[i] > 0
                readers[i] += sign
                now = readers[i] > 0
                if now != was:
                    taken += sign
                    spikes_read += sign * spikes[i]
        fits[mask] = taken <= rows and members <= columns
        read[mask] = spikes_read
        own = 0
        for q in range(num):
            if inside[units[q]] and readers[units[q]] > 0:
                own += spikes[units[q]]
        entering[mask] = spikes_read - own


@compiled
def _cheapest(fits: BoolArray, cost: IntArray) -> IntArray:
    """Return f(S) for every set."""
    best = np.full(len(fits), 1 << 60, dtype=np.int64)
    best[0] = 0
    for s in range(1, len(fits)):
        low = s & -s
        rest = s ^ low
        part = rest
        while True:
            c = part | low
            if fits[c] and cost[c] + best[s ^ c] < best[s]:
                best[s] = cost[c] + best[s ^ c]
            if part == 0:
                break
            part = (part - 1) & rest
    return best


@compiled
def _one_more_tile(load: IntArray, least: IntArray) -> IntArray:
    """Return g_{t+1} from f and g_t."""
    best = least.copy()
    for s in range(1, len(load)):
        low = s & -s
        rest = s ^ low
        part = rest
        while True:
            c = part | low
            value = max(load[c], least[s ^ c])
            if value < best[s]:
                best[s] = value
            if part == 0:
                break
            part = (part - 1) & rest
    return best
