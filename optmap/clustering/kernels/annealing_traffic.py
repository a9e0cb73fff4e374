"""Annealing of the traffic (P0b): units move and swap, no cluster is added, all always fit.

The neighbourhood follows the external spikes: a unit goes to a cluster that holds one of its
sources, one of its readers or a reader of one of its sources; where it does not fit, it changes
places with a unit there. Deterministic for a seed and a number of moves.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from optmap.clock import did
from optmap.compiled import borrowing, compiled
from optmap.model.mapping import Clustering, compact
from optmap.model.snn import SNN

#: Entries of the table of readers by cluster and source, 4 bytes each, that are kept at most.
MAX_TABLE = 250_000_000
#: Moves that about a second of one core is counted as.
MOVES_A_UNIT = 5_000_000
#: Last temperature, in parts of the first.
COLD = 0.01


def reduce_traffic(
    network: SNN,
    clustering: Clustering,
    kinds: tuple[tuple[int, int], ...],
    *,
    moves: int,
    seed: int,
    hot: float = 2.0,
) -> Clustering:
    """Return a clustering of no more clusters and no more traffic than a given one that fits.

    Parameters
    ----------
    kinds : tuple of (rows, columns)
        The crossbars; a cluster must fit one of them.
    hot : float
        First temperature, in mean spikes of a source that is read.
    """
    num = clustering.num_clusters
    idle = num < 2 or not moves or not network.num_synapses
    if idle or num * network.num_neurons > MAX_TABLE:
        return clustering
    home = np.full(network.num_neurons, -1, dtype=np.int32)
    home[network.units] = clustering.cluster_of
    reader = np.repeat(network.units, network.fan_in[network.units]).astype(np.int32)
    order = np.argsort(network.indices, kind="stable")
    reader_ptr = np.concatenate(([0], np.cumsum(network.fan_out, dtype=np.int64)))
    mean = float(network.spikes[network.fan_out > 0].mean())
    network_arrays = Network(
        network.units.astype(np.int32),
        network.indptr,
        network.indices,
        reader_ptr,
        reader[order],
        network.spikes,
    )
    did(moves / MOVES_A_UNIT)
    shapes = np.array(kinds, dtype=np.int64)
    best = _anneal(network_arrays, home, num, shapes, moves, seed, hot * mean)
    return compact(best[network.units])


class Network(NamedTuple):
    """N neurons and who reads whom.

    Parameters
    ----------
    units : (U,) int32 array
        Neurons with fan-in.
    ptr, sources : (N + 1,) and (synapses,) arrays
        What each neuron reads.
    reader_ptr, readers : (N + 1,) and (synapses,) arrays
        Who reads each neuron.
    spikes : (N,) int64 array
    """

    units: Any
    ptr: Any
    sources: Any
    reader_ptr: Any
    readers: Any
    spikes: Any


class Crossbars(NamedTuple):
    """K clusters as they stand, changed in place.

    Parameters
    ----------
    home : (N,) int32 array
        Cluster of each neuron; -1: an input.
    count : (K, N) int32 array
        Units of a cluster that read a neuron.
    rows, size : (K,) int64 arrays
        Rows and columns taken.
    member, slot : (K, columns) and (N,) int32 arrays
        Units of each cluster, and where each unit stands among them.
    """

    home: Any
    count: Any
    rows: Any
    size: Any
    member: Any
    slot: Any


@borrowing
def _shift(u: int, b: int, read: Any, spikes: Any, home: Any, count: Any, rows: Any) -> Any:
    """Move unit u, which reads ``read``, to cluster b; return by how much the traffic rises.

    Moving it back is the inverse, self-loops included: first u's own readers see its new home,
    then each of its reads changes sides.
    """
    a, change = home[u], 0
    if count[b, u] > 0:
        change -= spikes[u]
    if count[a, u] > 0:
        change += spikes[u]
    home[u] = b
    for i in read:
        count[a, i] -= 1
        if count[a, i] == 0:
            rows[a] -= 1
            if home[i] != a:
                change -= spikes[i]
        if count[b, i] == 0:
            rows[b] += 1
            if home[i] != b:
                change += spikes[i]
        count[b, i] += 1
    return change


@borrowing
def _fits(rows: Any, columns: Any, kinds: Any) -> Any:
    """Tell whether some kind of crossbar holds so many rows and columns."""
    for h in range(len(kinds)):  # noqa: SIM110 - no generators in compiled code
        if rows <= kinds[h, 0] and columns <= kinds[h, 1]:
            return True
    return False


@compiled
def _crossbars(net: Any, home: Any, num: int, most: int) -> Any:
    """Return the tables of ``num`` clusters of at most ``most`` members each."""
    count = np.zeros((num, len(home)), dtype=np.int32)
    rows = np.zeros(num, dtype=np.int64)
    size = np.zeros(num, dtype=np.int64)
    member = np.empty((num, most), dtype=np.int32)
    slot = np.zeros(len(home), dtype=np.int32)
    for u in net.units:
        k = home[u]
        slot[u] = size[k]
        member[k, size[k]] = u
        size[k] += 1
        for e in range(net.ptr[u], net.ptr[u + 1]):
            if count[k, net.sources[e]] == 0:
                rows[k] += 1
            count[k, net.sources[e]] += 1
    return Crossbars(home, count, rows, size, member, slot)


@compiled
def _one_of(first: int, stop: int, of: Any) -> Any:
    """Draw an entry of ``of[first:stop]``."""
    return of[first + np.random.randint(stop - first)]  # noqa: NPY002


@compiled
def _neighbour(u: Any, net: Any, home: Any) -> Any:
    """Draw a source of unit u, a reader of it, or a reader of one of its sources."""
    ptr, reader_ptr = net.ptr, net.reader_ptr
    way = np.random.randint(3)  # noqa: NPY002
    if way == 1 and reader_ptr[u + 1] > reader_ptr[u]:
        return _one_of(reader_ptr[u], reader_ptr[u + 1], net.readers)
    if ptr[u + 1] == ptr[u]:
        return u
    i = _one_of(ptr[u], ptr[u + 1], net.sources)
    if way == 0 and home[i] >= 0:
        return i
    return _one_of(reader_ptr[i], reader_ptr[i + 1], net.readers)


@borrowing
def _enlist(u: Any, v: Any, a: Any, b: Any, bars: Any) -> None:
    """Enter in the members' lists that u went from a to b, and v (-1: none) took its place."""
    size, member, slot = bars.size, bars.member, bars.slot
    if v >= 0:
        slot[u], slot[v] = slot[v], slot[u]
        member[b, slot[u]] = u
        member[a, slot[v]] = v
        return
    size[a] -= 1
    last = member[a, size[a]]
    member[a, slot[u]] = last
    slot[last] = slot[u]
    slot[u] = size[b]
    member[b, size[b]] = u
    size[b] += 1


@compiled
def _anneal(net: Any, home: Any, num: int, kinds: Any, moves: int, seed: int, hot: float) -> Any:
    """Return the home of every neuron in the clustering of least traffic seen.

    Parameters
    ----------
    home : (N,) int32 array
        Cluster of each neuron, -1 for inputs; changed in place.
    kinds : (H, 2) int64 array
        Rows and columns of the crossbars.
    hot : float
        First temperature, in spikes.
    """
    np.random.seed(seed)  # noqa: NPY002 - the compiled generator's own state, not NumPy's
    bars = _crossbars(net, home, num, kinds[:, 1].max())
    # arrays by name: taking one out of a tuple counts references
    units, ptr, sources, spikes = net.units, net.ptr, net.sources, net.spikes
    count, rows, size, member = bars.count, bars.rows, bars.size, bars.member
    level, least = 0, 0  # traffic, less that of the start
    best = home.copy()
    temperature = hot
    for step in range(moves):
        if step % 512 == 0:
            temperature = max(hot, 1e-9) * COLD ** (step / moves)
            if level < least:
                least = level
                best[:] = home
        u = units[np.random.randint(len(units))]  # noqa: NPY002
        a, b = home[u], home[_neighbour(u, net, home)]
        if b == a:
            continue
        read = sources[ptr[u] : ptr[u + 1]]
        change = _shift(u, b, read, spikes, home, count, rows)
        v, others = -1, read
        if not _fits(rows[b], size[b] + 1, kinds):
            v = member[b, np.random.randint(size[b])]  # noqa: NPY002
            others = sources[ptr[v] : ptr[v + 1]]
            change += _shift(v, a, others, spikes, home, count, rows)
        if v < 0:
            fine = _fits(rows[a], size[a] - 1, kinds)
        else:
            fine = _fits(rows[a], size[a], kinds) and _fits(rows[b], size[b], kinds)
        if not fine or (change > 0 and np.random.random() >= np.exp(-change / temperature)):  # noqa: NPY002
            if v >= 0:
                _shift(v, b, others, spikes, home, count, rows)
            _shift(u, a, read, spikes, home, count, rows)
            continue
        level += change
        _enlist(u, v, a, b, bars)
    if level < least:
        best[:] = home
    return best
