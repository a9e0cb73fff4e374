"""Lower bounds on the number of clusters that need no solver, each with its scope.

A bound for one decomposition is no bound for another, and a bound for one clustering none for
another; the ``scope`` says which. All are whole numbers by exact integer arithmetic.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import ceil

import numpy as np

from optmap.bounds.bound import Bound
from optmap.bounds.conflicts import MAX_PAIRS, conflict_components_bound, pairs_of_readers
from optmap.bounds.resources import crossbars_by_resource, crossbars_by_units
from optmap.bounds.rows import rows_taken
from optmap.model.capacity import units_per_crossbar
from optmap.model.decomposition import Decomposition
from optmap.model.grade import Grade
from optmap.model.platform import Platform
from optmap.model.scope import Scope
from optmap.model.snn import SNN, IntArray

#: Above this the pairwise table of :func:`overlap_bound` is not built.
MAX_OVERLAP_UNITS = 2000
#: What pairs of units prove is kept for so many decompositions: each mapping of one is judged.
UNITS_KEPT = 2


def counting_bounds(decomposition: Decomposition, platform: Platform) -> tuple[Bound, ...]:
    """Return those of :func:`cluster_bounds` that only count: columns, resources, rows."""
    network, scope = decomposition.network, Scope(units=decomposition.identity)
    rows, columns = platform.max_rows, max(1, int(units_per_crossbar(network, platform).max()))
    values = crossbars_by_units(network, platform)
    for name, value in crossbars_by_resource(network, platform).items():
        values[name] = max(value, values.get(name, 0))
    values["rows"] = -(-rows_taken(network.fan_out, columns) // rows)
    return tuple(
        Bound("clusters", name, value, scope, Grade.CERTIFIED) for name, value in values.items()
    )


def cluster_bounds(decomposition: Decomposition, platform: Platform) -> tuple[Bound, ...]:
    """Return lower bounds on the number of clusters, for this decomposition.

    ``columns``: ceil(U / C'). ``rows``: a source read by deg_i units takes a row on at least
    ceil(deg_i / C') crossbars, so that sum_i ceil(deg_i / C') rows are taken in all, of R each.
    Platforms of several kinds of crossbar: with the largest R and the largest C' among them.
    ``overlap``: see :func:`overlap_bound`; left out where it would cost too much to compute.
    ``separate``: the sum over conflict components, see :func:`conflict_components_bound`; left out
    where there is one component only. ``synapses`` and the like: what all units take of a resource
    that the platform limits, over what a crossbar has of it, or U over how many of the least
    demanding units a crossbar then holds, which is C' of the other bounds.
    """
    return (*counting_bounds(decomposition, platform), *_pair_bounds(decomposition, platform))


@lru_cache(maxsize=UNITS_KEPT)
def _pair_bounds(decomposition: Decomposition, platform: Platform) -> tuple[Bound, ...]:
    """Return those of :func:`cluster_bounds` that look at all pairs of units."""
    network, scope = decomposition.network, Scope(units=decomposition.identity)
    rows, columns = platform.max_rows, max(1, int(units_per_crossbar(network, platform).max()))
    pairs = {
        "overlap": overlap_bound(network, rows, columns),
        "separate": conflict_components_bound(network, rows, columns),
    }
    return tuple(
        Bound("clusters", name, value, scope, Grade.CERTIFIED)
        for name, value in pairs.items()
        if value is not None
    )


def overlap_bound(network: SNN, rows: int, columns: int) -> int | None:
    """Return a lower bound on the clusters from how little pairs of units share.

    Notes
    -----
    If no cluster that holds unit u has more than G_u units of a set A, then a cluster with m units
    of A adds at most m * 1/m to sum over A of 1/G_u, so there are at least that many clusters. For
    G_u: a unit v needs c_v = f_v - o_uv rows beside u (o: sources shared); k units need at least
    the k smallest c_v less k (k - 1) / 2 times the largest o among them (Bonferroni), and if k do
    not fit into R - f_u, no larger number does. Units with c_v = 0 are free. A runs over the units
    of at least so many sources, for some numbers. Random networks, whose neurons share little, are
    bounded sharply: three neurons of a reservoir never fit one crossbar if two already fill it.

    None where A has more than MAX_OVERLAP_UNITS units, or sources have more than MAX_PAIRS pairs of
    readers.
    """
    large = np.flatnonzero(network.fan_in[network.units] * 3 >= rows)
    if not 0 < len(large) <= MAX_OVERLAP_UNITS or pairs_of_readers(network) > MAX_PAIRS:
        return None
    from scipy import sparse  # here: slow to load

    reads = sparse.csr_matrix(
        (np.ones(network.num_synapses, dtype=np.int32), network.indices, network.indptr),
        shape=(network.num_neurons, network.num_neurons),
    )[network.units[large]]
    shared = np.asarray((reads @ reads.T).todense(), dtype=np.int64)
    fan_in = network.fan_in[network.units[large]]
    best_sum = Fraction(0)
    for least in sorted({-(-rows // 3), rows // 2, 2 * rows // 3}):
        chosen = np.flatnonzero(fan_in >= least)
        if len(chosen):
            together = shared[np.ix_(chosen, chosen)]
            counts = np.bincount(most_beside(fan_in[chosen], together, rows, columns))
            total = sum((Fraction(int(n), g) for g, n in enumerate(counts) if n), Fraction(0))
            best_sum = max(best_sum, total)
    return ceil(best_sum)


def most_beside(fan_in: IntArray, shared: IntArray, rows: int, columns: int) -> IntArray:
    """Return G_u for every unit of a set, from fan-ins (n,) and shared sources (n, n)."""
    most = np.empty(len(fan_in), dtype=np.int64)
    sizes = np.unique(fan_in)
    if len(sizes) > 32:  # coarser steps only make the bound weaker
        sizes = np.unique([*sizes[:: len(sizes) // 32 + 1], sizes[-1]])
    apart = shared.copy()
    np.fill_diagonal(apart, 0)
    # most that a unit shares with another one of at most so many sources, shape (sizes, n)
    top = np.array([apart[:, fan_in <= size].max(axis=1) for size in sizes])
    for u in range(len(fan_in)):
        extra = fan_in - shared[u]
        room = rows - int(fan_in[u])
        others = np.flatnonzero((extra > 0) & (extra <= room))
        fits = int((extra == 0).sum())  # u itself is one of them
        if len(others):
            widest = int(np.searchsorted(sizes, fan_in[others].max()))
            needed, k, largest = 0, 0, int(top[widest, others].max())
            for cost in np.sort(extra[others]).tolist():
                needed += cost
                k += 1
                if needed - k * (k - 1) // 2 * largest > room:
                    k -= 1
                    break
            fits += k
        most[u] = min(fits, columns)
    return most
