"""Fewest external spikes by moves and swaps, in the manner of Kernighan and Lin: SpiNeMap [1]_.

Pseudo-code::

    put the units in order into the first cluster they fit
    repeat until a pass changes nothing, or for a fixed number of passes:
        for each unit, in random order, its best other cluster by spikes saved:
            if it fits there and spikes are saved: move it
            else, if spikes would be saved there: try to swap it with a few units drawn at random

Spikes saved are counted by multicast, as the model does: once per neuron and reading cluster.
Equal external spikes are decided by input deliveries.

Complexity: O(S h) per pass for h clusters that hold one source on average, and a constant number of
swap trials per unit; O(S) memory.

Departures from the publication: it starts from a random partition into as many clusters as needed,
this from first fit; only exchanges that save spikes are kept, where Kernighan and Lin keep
the best prefix of a sequence; clusters that run empty are given up.

References
----------
.. [1] Balaji et al., "Mapping Spiking Neural Networks to Neuromorphic Hardware", IEEE TVLSI 28(1),
   2020.
.. [2] Kernighan and Lin, "An Efficient Heuristic Procedure for Partitioning Graphs", 1970.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from optmap.clock import over
from optmap.clustering.kernels.crossbar_fill import check_units_fit, empty_fill
from optmap.clustering.kernels.first_fit import first_fit
from optmap.compiled import borrowing, compiled
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering, compact
from optmap.model.platform import Platform
from optmap.model.snn import IndexArray, IntArray

PASSES = 8
SWAP_TRIALS = 8

#: Passes are cut so that passes times synapses stay below this, one at least.
WORK = 2_000_000


class Cut(NamedTuple):
    """A clustering with, per source, the clusters that read it and how many units do.

    Source i is read in the clusters ``cluster[first[i]:first[i] + entries[i]]``, each by
    ``num_readers`` units.
    """

    indptr: IntArray
    indices: IndexArray
    first: IntArray
    entries: IndexArray
    cluster: IndexArray
    num_readers: IndexArray
    cluster_of: IndexArray
    spikes: IntArray
    rows: IndexArray
    columns: IndexArray
    row_limit: IntArray


def partition(decomposition: Decomposition, platform: Platform, *, seed: int = 0) -> Clustering:
    """Cluster for few external spikes.

    Raises
    ------
    CapacityError
        If some unit fits no crossbar.
    """
    network = decomposition.network
    check_units_fit(network, platform)
    units, n = network.units, network.num_neurons
    if not len(units):
        return Clustering(np.empty(0, dtype=np.int32))
    fill = empty_fill(network, platform.kinds)
    cluster_of = np.full(n, -1, dtype=np.int32)
    first_fit(fill, units[decomposition.visit_order], cluster_of)
    clusters = int(fill.counts[0])
    # one entry more than readers: a unit counts in two clusters while it moves
    room = np.concatenate(([0], np.cumsum(network.fan_out + 1)))
    cut = Cut(
        network.indptr,
        network.indices,
        room,
        np.zeros(n, dtype=np.int32),
        np.empty(room[-1], dtype=np.int32),
        np.empty(room[-1], dtype=np.int32),
        cluster_of,
        network.spikes,
        np.zeros(clusters, dtype=np.int32),
        np.zeros(clusters, dtype=np.int32),
        fill.row_limit,
    )
    passes = max(1, min(PASSES, WORK // max(network.num_synapses, 1)))
    rng = np.random.default_rng(seed)
    _count(cut, units)
    for number in range(passes):
        if number and over():
            break
        order = units[rng.permutation(len(units))]
        draws = rng.integers(0, 2**31, size=len(units), dtype=np.int64)
        if not _improve(cut, order, draws):
            break
    return compact(cluster_of[units])


@compiled
def _count(cut: Any, units: Any) -> Any:
    """Enter every unit's reading."""
    for unit in units:
        _enter(cut, unit, cut.cluster_of[unit])


@borrowing
def _enter(cut: Any, unit: Any, k: Any) -> Any:
    """Let cluster k read what ``unit`` reads."""
    first, entries, cluster, count = cut.first, cut.entries, cut.cluster, cut.num_readers
    cut.columns[k] += 1
    for s in range(cut.indptr[unit], cut.indptr[unit + 1]):
        i = cut.indices[s]
        end = first[i] + entries[i]
        at = first[i]
        while at < end and cluster[at] != k:
            at += 1
        if at == end:
            cluster[at], count[at] = k, 0
            entries[i] += 1
            cut.rows[k] += 1
        count[at] += 1


@borrowing
def _leave(cut: Any, unit: Any, k: Any) -> Any:
    """Take back :func:`_enter`."""
    first, entries, cluster, count = cut.first, cut.entries, cut.cluster, cut.num_readers
    cut.columns[k] -= 1
    for s in range(cut.indptr[unit], cut.indptr[unit + 1]):
        i = cut.indices[s]
        at = first[i]
        while cluster[at] != k:
            at += 1
        count[at] -= 1
        if count[at] == 0:
            entries[i] -= 1
            end = first[i] + entries[i]
            cluster[at], count[at] = cluster[end], count[end]
            cut.rows[k] -= 1


@borrowing
def _around(cut: Any, unit: Any) -> Any:
    """Return (external spikes, input deliveries) of a unit's sources and of its own output."""
    first, entries, cluster, cluster_of = cut.first, cut.entries, cut.cluster, cut.cluster_of
    external = _crossing(cluster_of[unit], cluster, first[unit], entries[unit]) * cut.spikes[unit]
    deliveries = 0
    for s in range(cut.indptr[unit], cut.indptr[unit + 1]):
        i = cut.indices[s]
        if i == unit:
            continue
        crossing = _crossing(cluster_of[i], cluster, first[i], entries[i]) * cut.spikes[i]
        if cluster_of[i] >= 0:
            external += crossing
        else:
            deliveries += crossing
    return external, deliveries


@borrowing
def _crossing(home: Any, cluster: Any, start: Any, count: Any) -> Any:
    """Return how many of the clusters listed are not ``home``."""
    outside = 0
    for at in range(start, start + count):
        outside += cluster[at] != home
    return outside


@borrowing
def _move(cut: Any, unit: Any, k: Any) -> Any:
    """Move a unit, fit or not, and return the change of external spikes and input deliveries."""
    external, deliveries = _around(cut, unit)
    _leave(cut, unit, cut.cluster_of[unit])
    cut.cluster_of[unit] = k
    _enter(cut, unit, k)
    external_after, deliveries_after = _around(cut, unit)
    return external_after - external, deliveries_after - deliveries


@borrowing
def _fits(cut: Any, k: Any) -> Any:
    """Tell whether a cluster is within rows and columns."""
    columns = cut.columns[k]
    return columns <= len(cut.row_limit) - 2 and cut.rows[k] <= cut.row_limit[columns]


@borrowing
def _saves(external: Any, deliveries: Any) -> Any:
    """Tell whether a change is for the better."""
    return external < 0 or (external == 0 and deliveries < 0)


@compiled
def _improve(cut: Any, order: Any, draws: Any) -> Any:
    """One pass over the units; tell whether anything changed."""
    clusters = len(cut.rows)
    near = np.zeros(clusters, dtype=np.int64)  # spikes of units that need not enter the cluster
    near_input = np.zeros(clusters, dtype=np.int64)
    present = np.zeros(clusters, dtype=np.int32)
    seen = np.zeros(clusters, dtype=np.bool_)
    met = np.empty(clusters, dtype=np.int32)
    # members[k, :sizes[k]] are the units of cluster k; slot says where a unit stands
    members = np.empty((clusters, len(cut.row_limit) - 2), dtype=np.int32)
    sizes = np.zeros(clusters, dtype=np.int32)
    slot = np.empty(len(cut.cluster_of), dtype=np.int32)
    for unit in order:
        _list(members, sizes, slot, unit, cut.cluster_of[unit])
    changed = False
    for turn in range(len(order)):
        unit = order[turn]
        home = cut.cluster_of[unit]
        num_met = _neighbours(cut, unit, near, near_input, present, seen, met)
        fan_in = cut.indptr[unit + 1] - cut.indptr[unit]
        best, best_fitting = -1, -1
        for m in range(num_met):
            k = met[m]
            if k == home:
                continue
            if best < 0 or _nearer(near, near_input, k, best):
                best = k
            after = cut.columns[k] + 1
            fits = after <= len(cut.row_limit) - 2
            fits = fits and cut.rows[k] + fan_in - present[k] <= cut.row_limit[after]
            if fits and (best_fitting < 0 or _nearer(near, near_input, k, best_fitting)):
                best_fitting = k
        _forget(met[:num_met], near, near_input, present, seen)
        if best_fitting >= 0:
            external, deliveries = _move(cut, unit, best_fitting)
            if _saves(external, deliveries):
                _unlist(members, sizes, slot, unit, home)
                _list(members, sizes, slot, unit, best_fitting)
                changed = True
                continue
            _move(cut, unit, home)
        if best < 0 or best == best_fitting:
            continue
        external, deliveries = _move(cut, unit, best)
        swapped = False
        if not _saves(external, deliveries):
            _move(cut, unit, home)
            continue
        for trial in range(min(SWAP_TRIALS, sizes[best])):
            other = members[best, (draws[turn] + trial) % sizes[best]]
            back_external, back_deliveries = _move(cut, other, home)
            better = _saves(external + back_external, deliveries + back_deliveries)
            if better and _fits(cut, home) and _fits(cut, best):
                members[best, slot[other]], members[home, slot[unit]] = unit, other
                slot[unit], slot[other] = slot[other], slot[unit]
                swapped, changed = True, True
                break
            _move(cut, other, best)
        if not swapped:
            _move(cut, unit, home)
    return changed


@borrowing
def _list(members: Any, sizes: Any, slot: Any, unit: Any, k: Any) -> Any:
    """Enter a unit at the end of a cluster's members."""
    members[k, sizes[k]] = unit
    slot[unit] = sizes[k]
    sizes[k] += 1


@borrowing
def _unlist(members: Any, sizes: Any, slot: Any, unit: Any, k: Any) -> Any:
    """Take a unit off a cluster's members; the last one takes its slot."""
    last = members[k, sizes[k] - 1]
    members[k, slot[unit]], slot[last] = last, slot[unit]
    sizes[k] -= 1


@borrowing
def _forget(met: Any, near: Any, near_input: Any, present: Any, seen: Any) -> Any:
    """Clear what :func:`_neighbours` wrote."""
    for k in met:
        near[k], near_input[k], present[k], seen[k] = 0, 0, 0, False


@borrowing
def _nearer(near: Any, near_input: Any, a: Any, b: Any) -> Any:
    """Tell whether moving to cluster a saves more than moving to b; ties: the lower one."""
    if near[a] != near[b]:
        return near[a] > near[b]
    if near_input[a] != near_input[b]:
        return near_input[a] > near_input[b]
    return a < b


@borrowing
def _neighbours(
    cut: Any, unit: Any, near: Any, near_input: Any, present: Any, seen: Any, met: Any
) -> Any:
    """Find the clusters that read what ``unit`` reads, produce it, or read ``unit``.

    For each, add up the spikes that need not enter it when ``unit`` moves there, and the rows that
    are there already. Return how many there are.
    """
    first, entries, cluster, cluster_of = cut.first, cut.entries, cut.cluster, cut.cluster_of
    num_met = 0
    for s in range(cut.indptr[unit], cut.indptr[unit + 1]):
        i = cut.indices[s]
        produced_in = cluster_of[i]
        counted = produced_in < 0
        for at in range(first[i], first[i] + entries[i]):
            k = cluster[at]
            if not seen[k]:
                seen[k] = True
                met[num_met] = k
                num_met += 1
            present[k] += 1
            if produced_in < 0:
                near_input[k] += cut.spikes[i]
            else:
                near[k] += cut.spikes[i]
            counted = counted or k == produced_in
        if not counted:
            if not seen[produced_in]:
                seen[produced_in] = True
                met[num_met] = produced_in
                num_met += 1
            near[produced_in] += cut.spikes[i]
    for at in range(first[unit], first[unit] + entries[unit]):
        k = cluster[at]
        if not seen[k]:
            seen[k] = True
            met[num_met] = k
            num_met += 1
        near[k] += cut.spikes[unit]
    return num_met
