"""A bound on the traffic (P0b) of at most K clusters, by column generation with a price for rows.

Every source spikes at least s times, so that traffic is at least s times the copies delivered, plus
what the sources above s owe by the bound of optmap.bounds.traffic on the rest of their
spikes. Copies: a cluster with contents S takes rows(S), less at most its members that anybody
reads.

Master       min sum_j (rows_j - read_j) l_j  s.t.  sum_j count_qj l_j >= n_q, sum_j l_j <= K
Dual         copies >= sum_q n_q pi_q - K mu, for any pi >= 0 and any mu >= 0 with
             sum_{q in S} pi_q + read(S) - rows(S) <= mu  for every S that fits one crossbar
Pricing      what so many rows are worth at prices pi_q + [q is read], for every number of rows
             r <= R (column_generation/pricing.py, ``closed``); mu is the largest worth less r

All in whole numbers once the LP has suggested pi. Sharp where spikes are nearly equal and units
read inputs; (P0b) of a multi-layer network with very different spikes is hardly better bounded.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.optimize import linprog

from formulations.clustering.color_refinement import refine
from formulations.clustering.column_generation.pricing import Pricer
from formulations.clustering.column_generation.pricing_frontier import price
from formulations.clustering.sets import kinds_worth_having
from formulations.solvers.stopwatch import Stopwatch
from optmap.bounds.bound import Bound
from optmap.bounds.traffic import traffic_bound
from optmap.clustering.kernels.classes import Classes, classes_of
from optmap.model.decomposition import Decomposition
from optmap.model.grade import Grade
from optmap.model.mapping import Clustering
from optmap.model.outcome import Limits
from optmap.model.platform import Platform
from optmap.model.scope import Scope
from optmap.model.snn import SNN, FloatArray, IntArray, from_edges

#: One row's copy in whole-number prices.
SCALE = 10**4


def copies_bound(
    decomposition: Decomposition,
    platform: Platform,
    most: int,
    known: Clustering,
    limits: Limits,
) -> Bound:
    """(P0b) Return a lower bound on the traffic of clusterings of at most ``most`` clusters.

    ``known`` gives the first columns. Where spikes are so different that copies say little, or
    crossbars are of several kinds, the best bound without a solver comes back.
    """
    watch = Stopwatch(limits)
    simple = traffic_bound(decomposition, platform)
    network, kinds = decomposition.network, kinds_worth_having(platform)
    spikes = network.spikes[network.fan_out > 0]
    least = int(spikes.min()) if len(spikes) else 0
    if least < 1 or len(kinds) > 1 or int(spikes.sum()) > 2 * least * len(spikes):
        return simple
    ((rows, columns),) = kinds
    classes = classes_of(network)
    pricer = Pricer(classes, rows, columns)
    read = _read(network, classes)
    prices = _prices(pricer, read, classes.columns_of(known), most, watch)
    asked = prices + SCALE * read
    top = int(pricer.heuristic(asked, 0, 500).best)
    closed = pricer.closed(asked, top, watch.processor(0.8 * watch.left))
    mu = max(0, int((closed - SCALE * np.arange(rows + 1)).max()))
    worth = int((classes.size * prices).sum()) - most * mu
    owed = traffic_bound(_without(decomposition, least), platform).value
    value = least * -(-worth // SCALE) + owed
    scope = Scope(units=decomposition.identity, max_clusters=most)
    by_prices = Bound("traffic", "copies", value, scope, Grade.CLAIMED)
    return max(simple, by_prices, key=lambda b: b.value)


def _read(network: SNN, classes: Classes) -> IntArray:
    """Return 1 for every class with a member that anybody reads, shape (Q,)."""
    out = network.fan_out[network.units] > 0
    return np.array([int(out[m].any()) for m in classes.members], dtype=np.int64)


def _without(decomposition: Decomposition, least: int) -> Decomposition:
    """Return the decomposition with every source's spikes lowered by ``least``."""
    n = decomposition.network
    lower = from_edges(
        n.indices, n.post_of_synapse(), n.num_neurons, spikes=np.maximum(n.spikes - least, 0),
        keep_zero_weights=True,
    )  # fmt: skip
    return replace(decomposition, network=lower)


def _prices(
    pricer: Pricer, read: IntArray, found: list[dict[int, int]], most: int, watch: Stopwatch
) -> IntArray:
    """Return prices by class that make the dual value large: an LP over columns, one per look."""
    classes, until = pricer.classes, 0.3 * watch.limits.wall_s
    orbit_of = refine(classes, 1)
    demand = np.bincount(orbit_of, weights=classes.size).astype(float)
    matrix: dict[tuple[float, ...], float] = {}

    def add(column: dict[int, int]) -> bool:
        held = np.zeros(len(demand))
        for q, n in column.items():
            held[orbit_of[q]] += n
        inside = sum(int(read[q]) * n for q, n in column.items())
        cost = float(classes.rows_of(list(column)) - inside)
        key = tuple(held.tolist())
        if matrix.get(key, np.inf) <= cost:
            return False
        matrix[key] = cost
        return True

    for column in found:
        add(column)
    budgets = np.unique(np.linspace(classes.fan_in.min(), pricer.rows, 12).astype(int))
    labels = 300
    while True:
        pi, mu = _dual(matrix, demand, most)
        whole: IntArray = np.floor(np.maximum(pi, 0.0)[orbit_of] * SCALE).astype(np.int64)
        added = False
        for r in [*budgets.tolist(), pricer.rows - 1]:
            choices = price(
                pricer.sweep, classes, whole + SCALE * read, r, pricer.columns, beam=True,
                threshold=int((mu + r) * SCALE + SCALE // 100), most_labels=labels, keep=20,
            ).choices  # fmt: skip
            for choice in choices:
                added = add(choice) or added
        if watch.spent > until or (not added and labels > 2000):
            return whole
        if not added:
            labels *= 3


def _dual(
    matrix: dict[tuple[float, ...], float], demand: FloatArray, most: int
) -> tuple[FloatArray, float]:
    """Return the prices of the orbits and of a cluster, from the restricted master's dual."""
    held = np.array(list(matrix))
    # max demand pi - most mu  s.t.  held pi - mu <= cost
    left = np.hstack([held, -np.ones((len(held), 1))])
    found = linprog(np.append(-demand, most), A_ub=left, b_ub=list(matrix.values()))
    if found.x is None:
        raise ValueError(f"the dual of the traffic's master ended as {found.message}")
    return found.x[:-1], float(found.x[-1])
