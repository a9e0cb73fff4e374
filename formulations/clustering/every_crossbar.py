"""Least traffic (P0b) of networks whose crossbars can all be listed: priced, then covered exactly.

Where a crossbar holds few units, the sets of units that fit one are some hundred thousand, and a
listing takes a second (every_crossbar_kernel.py). Then nothing is left to a pricing model:

Master       min sum_j traffic_j l_j  s.t.  sum_{j holds u} l_j = 1, sum_j l_j <= K
Dual         traffic >= sum_u pi_u - K mu, for any pi and any mu >= 0 with
             dearer_j = traffic_j + mu - sum_{u in j} pi_u >= 0  for every set j listed
Prices       of the restricted master, into which the sets that are least dear come until none is
             below 0; rounded to whole numbers, mu raised by what rounding left below 0
Cover        traffic = sum pi - K mu + sum of dearer_j + mu (K - n) for a clustering of n sets.
             Below a known clustering's traffic only sets can take part that are dearer by less
             than the gap. Our own branch and bound covers the units by these, each once: the unit
             with fewest sets first, until what was chosen is dearer than the gap.

Bound        the dual's value, or the optimum once the search ends: exact, no solver vouches
Check        traffic by recomputation
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import linprog

from formulations.clustering.every_crossbar_kernel import (
    Cover,
    Crossbars,
    Listing,
    Sets,
    Units,
    beyond,
    cover,
    list_sets,
)
from formulations.clustering.sets import kinds_worth_having, traffic_of
from formulations.clustering.spikes_bound import MAX_WORTH, SCALE
from formulations.solvers.stopwatch import Stopwatch
from optmap.clock import did
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering, compact
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IntArray

#: Larger networks are not listed, nor more sets than this, nor for more steps of the kernel.
MAX_UNITS, MOST_SETS, MOST_STEPS = 256, 2_000_000, 2_000_000_000
#: Sets for which there is room at first; steps of the listing, and nodes, between looks.
FIRST_SETS, STEPS_A_LOOK, NODES_A_LOOK = 1 << 14, 20_000_000, 20_000
#: Steps, nodes and priced sets that about a second of one core is counted as.
STEPS_A_UNIT, NODES_A_UNIT, PRICED_A_UNIT = 1_000_000_000, 200_000, 100_000_000
#: The part of the time that prices and cover may take: they nearly always end, and with a proof.
PROVING_SHARE = 0.8
#: Sets that enter the restricted master at once.
SETS_A_ROUND = 1_500
#: No cover is looked for among more sets.
MOST_KEPT = 60_000
#: Parts of the gap that are searched one after the other.
PARTS = (16, 4, 1)
#: A crossbar more than K costs as much as all spikes together, so many times.
BEYOND = 2


@dataclass(frozen=True)
class Listed:
    """What the listing proves: a bound on the traffic; the best clustering and whether it is."""

    bound: int
    clustering: Clustering
    optimal: bool


def least_traffic(
    decomposition: Decomposition,
    platform: Platform,
    most: int,
    known: Clustering,
    watch: Stopwatch,
    share: float = 1.0,
) -> Listed | None:
    """(P0b) Return the clustering of least traffic, at most ``most`` clusters, and what is proved.

    None where the network is too large for a listing, crossbars are of several kinds, or the time
    is too short.

    Parameters
    ----------
    known : Clustering
        One of at most ``most`` clusters.
    share : float
        The part of the time left that listing may take; what is listed gets PROVING_SHARE.
    """
    network, kinds = decomposition.network, kinds_worth_having(platform)
    loud = 2 * BEYOND * SCALE * int(network.spikes.sum()) * (most + network.num_units)
    if len(kinds) > 1 or network.num_units > MAX_UNITS or loud > MAX_WORTH:
        return None
    ((rows, columns),) = kinds
    listing = watch.spent + share * watch.left
    until = watch.spent + max(share, PROVING_SHARE) * watch.left
    sets = every_set(units_of(network), rows, columns, watch, listing)
    if sets is None:
        return None
    priced = _priced(sets, network, most, watch, until)
    if priced is None:
        return None
    prices, idle, dearer = priced
    worth = int(prices.sum()) - most * idle
    value = traffic_of(network, known)
    bound = max(0, -(-worth // SCALE))
    if bound >= value:
        return Listed(bound, known, True)
    for part in PARTS:  # a cover that is hardly dearer, if there is one, is found sooner
        allowed = ((value - 1) * SCALE - worth) // part
        chosen, finished = _covered(sets, dearer, most, idle, allowed, watch, until)
        if chosen is not None:
            found = clustering_of(chosen, network.num_units)
            value = traffic_of(network, found)
            return Listed(value if finished else bound, found, finished)
        if not finished:
            return Listed(bound, known, False)
        bound = (worth + allowed) // SCALE + 1
    return Listed(bound, known, True)


def units_of(network: SNN) -> Units:
    """Return what the units read, sources numbered by those that are read."""
    reads = [network.sources_of(u) for u in network.units.tolist()]
    read, source = np.unique(np.concatenate([*reads, []]), return_inverse=True)
    number = {i: n for n, i in enumerate(read.astype(np.int64).tolist())}
    first = np.concatenate([[0], np.cumsum([len(r) for r in reads])])
    return Units(
        first.astype(np.int64),
        source.astype(np.int64),
        np.array([number.get(u, -1) for u in network.units.tolist()], dtype=np.int64),
        network.spikes[read.astype(np.int64)].astype(np.int64),
    )


def every_set(units: Units, rows: int, columns: int, watch: Stopwatch, until: float) -> Sets | None:
    """Return all sets of units that fit one crossbar; None where they are too many."""
    num, sources = len(units.own), len(units.spikes)
    deepest = min(columns, num) + 2
    state = Listing(
        np.zeros(2, dtype=np.int64),
        np.full(deepest, -1, dtype=np.int64),
        np.zeros((deepest, num), dtype=np.int64),
        np.zeros(deepest, dtype=np.int64),
        np.zeros(deepest, dtype=np.int64),
        np.zeros(sources, dtype=np.int64),
        np.zeros(sources, dtype=np.bool_),
    )
    fitting = np.flatnonzero(np.diff(units.first) <= rows)
    state.joins[0, : len(fitting)], state.num[0] = fitting, len(fitting)
    sets, steps = _room(FIRST_SETS, None), 0
    while watch.spent < until and steps < MOST_STEPS:
        left = list_sets(units, rows, columns, state, sets, STEPS_A_LOOK)
        steps += STEPS_A_LOOK
        did((STEPS_A_LOOK - left) / STEPS_A_UNIT)
        made = int(state.at[1])
        if state.at[0] < 0:
            return Sets(*(part[:made] for part in sets))
        if made == len(sets.parent):
            if made >= MOST_SETS:
                return None
            sets = _room(2 * made, sets)
    return None


def _room(size: int, before: Sets | None) -> Sets:
    """Return room for so many sets, those of ``before`` in it."""
    sets = Sets(*(np.zeros(size, dtype=np.int64) for _ in Sets._fields))
    if before is not None:
        for part, old in zip(sets, before, strict=True):
            part[: len(old)] = old
    return sets


def _priced(
    sets: Sets, network: SNN, most: int, watch: Stopwatch, until: float
) -> tuple[IntArray, int, IntArray] | None:
    """Return whole prices of the units, mu, and by how much each set is dearer; None without time.

    In the restricted master a crossbar more than ``most`` may be had, at a price that no crossbar
    is worth, so that there is always an answer.
    """
    active: list[int] = np.flatnonzero(sets.parent < 0).tolist()
    if len(active) < network.num_units:  # some unit fits no crossbar
        return None
    dearer = np.zeros(len(sets.parent), dtype=np.int64)
    more = BEYOND * int(network.spikes.sum())
    while watch.spent < until:
        pi, mu = _dual(sets, active, network.num_units, most, more)
        prices = np.floor(pi * SCALE).astype(np.int64)
        beyond(sets, prices, SCALE, dearer)
        did(len(dearer) / PRICED_A_UNIT)
        least = np.sort(dearer)[:1]
        idle = int(np.ceil(mu * SCALE))
        below = np.flatnonzero(dearer + idle < -len(prices) - 1)  # more than rounding
        new = np.setdiff1d(below[np.argsort(dearer[below], kind="stable")][:SETS_A_ROUND], active)
        if len(new) == 0:
            idle = max(idle, -int(least[0]), 0)
            return prices, idle, dearer + idle
        active += new.tolist()
    return None


def members_of(sets: Sets, number: int) -> list[int]:
    """Return the units of a set."""
    held = []
    while number >= 0:
        held.append(int(sets.unit[number]))
        number = int(sets.parent[number])
    return held


def _dual(
    sets: Sets, active: list[int], num: int, most: int, more: int
) -> tuple[npt.NDArray[np.float64], float]:
    """Return the prices of the units and mu, of the master restricted to ``active``."""
    held = [members_of(sets, n) for n in active]
    first = np.concatenate([[0], np.cumsum([len(h) for h in held])])
    matrix = sparse.csr_matrix(
        (np.ones(first[-1]), np.concatenate(held), first), shape=(len(held), num)
    )
    # max sum pi - most mu  s.t.  held pi - mu <= traffic, 0 <= mu <= more
    found = linprog(
        np.append(-np.ones(num), most),
        A_ub=sparse.hstack([matrix, -np.ones((len(held), 1))]).tocsr(),
        b_ub=sets.traffic[active],
        bounds=[*[(None, None)] * num, (0, more)],
        method="highs",
    )
    if found.x is None:
        raise ValueError(f"the dual of the listed crossbars ended as {found.message}")
    return found.x[:-1], float(found.x[-1])


def _covered(
    sets: Sets,
    dearer: IntArray,
    most: int,
    idle: int,
    allowed: int,
    watch: Stopwatch,
    until: float,
) -> tuple[list[list[int]] | None, bool]:
    """Return the least dear cover by the sets dearer by at most ``allowed``; whether it is proved.

    None where none was found.
    """
    kept = np.flatnonzero(dearer <= allowed)
    if len(kept) > MOST_KEPT:
        return None, False
    bars = _crossbars(sets, kept, dearer)
    deepest, num = most + 2, len(bars.first_of) - 1
    none = np.full((4, deepest), -1, dtype=np.int64)
    state = Cover(
        np.array([0, -1], dtype=np.int64),
        none[0],
        none[1],
        none[2],
        np.zeros(deepest, dtype=np.int64),
        np.zeros(num, dtype=np.bool_),
        none[3],
    )
    finished = False
    while not finished and watch.spent < until:
        allowed, finished = cover(bars, most, idle, allowed, state, NODES_A_LOOK)
        did(NODES_A_LOOK / NODES_A_UNIT)
    if state.at[1] < 0:
        return None, finished
    chosen = state.best[: state.at[1]].tolist()
    return [bars.unit[bars.first[c] : bars.first[c + 1]].tolist() for c in chosen], finished


def _crossbars(sets: Sets, kept: IntArray, dearer: IntArray) -> Crossbars:
    """Return the sets ``kept`` as crossbars of a cover, the least dear first."""
    kept = kept[np.argsort(dearer[kept], kind="stable")]
    held = [members_of(sets, n) for n in kept.tolist()]
    of: list[list[int]] = [[] for _ in range(int(sets.unit.max(initial=-1)) + 1)]
    for c, members in enumerate(held):
        for u in members:
            of[u].append(c)
    return Crossbars(*_joined(held), dearer[kept], *_joined(of))


def _joined(lists: list[list[int]]) -> tuple[IntArray, IntArray]:
    first = np.concatenate([[0], np.cumsum([len(part) for part in lists])]).astype(np.int64)
    return first, np.array([x for part in lists for x in part], dtype=np.int64)


def clustering_of(clusters: list[list[int]], num: int) -> Clustering:
    """Return the clustering of these sets of units."""
    cluster_of = np.zeros(num, dtype=np.int32)
    for k, members in enumerate(clusters):
        cluster_of[members] = k
    return compact(cluster_of)
