"""Lower bounds on the traffic that need no solver, each with the scope it was proved for.

Traffic is a sum over sources: every spike of source i enters once each cluster that reads i and
does not hold i. A bound on the number of such clusters, source by source, bounds the sum.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import ceil

import numpy as np
import numpy.typing as npt

from optmap.bounds.bound import Bound, best
from optmap.bounds.clusters import UNITS_KEPT
from optmap.compiled import compiled
from optmap.model.decomposition import Decomposition
from optmap.model.grade import Grade
from optmap.model.platform import Platform
from optmap.model.scope import Scope
from optmap.model.snn import MAX_TOTAL_EVENTS, SNN, IntArray

#: Above these the table of pairs that conflict is not built.
MAX_UNITS = 4000
MAX_PAIRS_OF_READERS = 200_000_000


def traffic_bounds(decomposition: Decomposition, platform: Platform) -> tuple[Bound, ...]:
    """Return lower bounds on the traffic, for this decomposition and any number of clusters.

    ``readers``: see :func:`readers_bound`. ``apart``: pairwise conflicts, see
    :func:`pairwise_conflicts_bound`; left out where it would cost too much to compute.
    """
    return _traffic_bounds(decomposition, platform)


@lru_cache(maxsize=UNITS_KEPT)
def _traffic_bounds(decomposition: Decomposition, platform: Platform) -> tuple[Bound, ...]:
    network, scope = decomposition.network, Scope(units=decomposition.identity)
    rows, columns = platform.max_rows, platform.max_columns
    values = {
        "readers": readers_bound(network, columns),
        "apart": pairwise_conflicts_bound(network, rows, columns),
    }
    return tuple(
        Bound("traffic", name, value, scope, Grade.CERTIFIED)
        for name, value in values.items()
        if value is not None
    )


def traffic_bound(decomposition: Decomposition, platform: Platform) -> Bound:
    """Return the best of :func:`traffic_bounds`."""
    found = best(traffic_bounds(decomposition, platform))
    assert found is not None, "readers is always there"
    return found


def readers_bound(network: SNN, columns: int) -> int:
    """Return a lower bound on the traffic from how many units read each source.

    Notes
    -----
    At most C' units share a cluster. An input read by deg_i units is therefore delivered to at
    least ceil(deg_i / C') clusters. A unit i stands in a cluster itself, beside at most C' - 1
    others, so that at most own_i = C' - 1 of its readers (C' if it reads itself, for then it is one
    of them) need nothing from outside; the other deg_i - own_i are spread over other clusters, at
    most C' in each, and each of these clusters is entered once by every spike of i: at least
    max(0, ceil((deg_i - own_i) / C')) times.
    """
    own = np.where(network.is_unit, columns - 1, 0)
    post = network.post_of_synapse()
    own[post[post == network.indices]] += 1
    return _spikes_in(network, np.maximum(0, -(-(network.fan_out - own) // columns)))


def pairwise_conflicts_bound(network: SNN, rows: int, columns: int) -> int | None:
    """Return a lower bound on the traffic from which pairs of units cannot share a crossbar.

    Notes
    -----
    Units u and v *conflict* if together they read more than R sources. Of the readers of i other
    than i itself, a cluster with reader v holds at most g_v: those in no conflict with v (v among
    them), and at most C'. A cluster with m of them therefore adds at most m * 1/m to the sum of
    1/g_v, so readers V are spread over at least ceil(sum over V of 1/g_v) clusters. The cluster of
    a unit i itself holds none that conflict with i, and at most own_i = C' - 1 of the others; the
    sum is taken without the own_i largest terms among them.

    Where only one reader v does not conflict with i, that saves what it does only in the cluster of
    v. Units that conflict cannot all be there: of a set of pairwise conflicting ones, one saves.
    Leaves of a tree that fill half their crossbars' rows are such a set beside their root.

    None where there are more than MAX_UNITS units or MAX_PAIRS_OF_READERS pairs of readers.
    """
    pairs = int((network.fan_out.astype(np.float64) ** 2).sum())
    if not 0 < network.num_units <= MAX_UNITS or pairs > MAX_PAIRS_OF_READERS:
        return None
    from scipy import sparse  # here: slow to load

    reads = sparse.csr_matrix(
        (np.ones(network.num_synapses, dtype=np.int32), network.indices, network.indptr),
        shape=(network.num_neurons, network.num_neurons),
    )[network.units]
    fan_in = network.fan_in[network.units]
    shared = np.asarray((reads @ reads.T).todense(), dtype=np.int32)
    together = fan_in[:, None] + fan_in[None, :] - shared <= rows
    readers = reads.tocsc()
    position = np.full(network.num_neurons, -1, dtype=np.int64)
    position[network.units] = np.arange(network.num_units)
    read = np.flatnonzero(np.diff(readers.indptr))  # nobody enters a crossbar for the others
    spread, rest, single = _readers(
        readers.indptr[np.append(read, -1)], readers.indices, position[read], together, columns
    )
    alone, entered, only = np.zeros((3, network.num_neurons), dtype=np.int64)
    alone[read] = [_clusters(counts) for counts in spread]
    entered[read] = [_clusters(counts) for counts in rest]
    only[:] = -1
    only[read] = single
    saved = {
        i: int(network.spikes[i]) * int(alone[i] - entered[i])
        for i in np.flatnonzero((only >= 0) & (alone > entered)).tolist()
    }
    beside: dict[int, list[int]] = {}
    for i in sorted(saved, key=lambda i: -saved[i]):
        beside.setdefault(int(only[i]), []).append(i)
    lost = sum(_not_saved(group, saved, position, together) for group in beside.values())
    return _spikes_in(network, entered) + lost


@compiled
def _readers(
    indptr: IntArray,
    indices: IntArray,
    position: IntArray,
    together: npt.NDArray[np.bool_],
    columns: int,
) -> tuple[IntArray, IntArray, IntArray]:
    """Return, per source, how many readers other than itself have g_v = 0, 1, ... C'.

    Parameters
    ----------
    indptr, indices
        Readers by source, as positions among the units.
    position
        Of each source among the units, -1 for inputs; shape (sources,).
    together
        Whether two units fit one crossbar's rows; shape (units, units).

    Returns
    -------
    spread, rest : arrays of shape (sources, C' + 1)
        Of all readers; of those that are left without own_i of the least g_v beside i.
    only : array of shape (sources,)
        The one other reader that does not conflict with i, as a position; -1 for none or several.
    """
    sources = len(indptr) - 1
    spread = np.zeros((sources, columns + 1), dtype=np.int64)
    beside = np.zeros((sources, columns + 1), dtype=np.int64)
    only = np.full(sources, -1, dtype=np.int64)
    for i in range(sources):
        readers = indices[indptr[i] : indptr[i + 1]]
        here, others = position[i], 0
        own = columns - 1 if here >= 0 else 0
        for v in readers:
            if v == here:  # needs nothing from outside, wherever it is
                continue
            g = 0
            for w in readers:
                g += w != here and together[v, w]
            g = max(1, min(g, columns))
            spread[i, g] += 1
            if here >= 0 and together[here, v]:
                beside[i, g] += 1
                others += 1
                only[i] = v
        if others > 1:
            only[i] = -1
        for g in range(1, columns + 1):
            beside[i, g] = min(own, beside[i, g])
            own -= beside[i, g]
    return spread, spread - beside, only


def _clusters(counts: IntArray) -> int:
    """Return ceil(sum of counts[g] / g), exactly."""
    terms = (Fraction(int(counts[g]), int(g)) for g in np.flatnonzero(counts))
    return ceil(sum(terms, Fraction(0)))


def _not_saved(
    group: list[int], saved: dict[int, int], position: IntArray, together: npt.NDArray[np.bool_]
) -> int:
    """Return what units beside one reader, by falling ``saved``, cannot save together.

    Each joins the first set all of whose members conflict with it; the first of a set saves most.
    """
    sets: list[list[int]] = []
    lost = 0
    for i in group:
        here = position[i]
        for members in sets:
            if not together[here, members].any():
                members.append(int(here))
                lost += saved[i]
                break
        else:
            sets.append([int(here)])
    return lost


def _spikes_in(network: SNN, entered: IntArray) -> int:
    """Return the spikes that enter, for the clusters entered by each source, shape (neurons,).

    Where the products of spikes and clusters may leave int64, by Python's integers.
    """
    if int(network.spikes.max(initial=0)) * int(entered.sum()) <= MAX_TOTAL_EVENTS:
        return int(network.spikes @ entered)
    return sum(int(s) * int(e) for s, e in zip(network.spikes, entered, strict=True))
