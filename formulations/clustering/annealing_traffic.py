"""Annealing of the traffic (P0b): units move and swap, no cluster is added, all always fit.

The neighbourhood follows the external spikes: a unit goes to a cluster that holds one of its
sources, one of its readers or a reader of one of its sources; where it does not fit, it changes
places with a unit there. Deterministic for a seed and a number of moves.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from optmap.compiled import compiled
from optmap.model.mapping import Clustering, compact
from optmap.model.snn import SNN

#: Entries of the table of readers by cluster and source, 4 bytes each, that are kept at most.
MAX_TABLE = 250_000_000


def quieten(
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
    if num < 2 or not moves or num * network.num_neurons > MAX_TABLE:
        return clustering
    home = np.full(network.num_neurons, -1, dtype=np.int32)
    home[network.units] = clustering.cluster_of
    reader = np.repeat(network.units, network.fan_in[network.units]).astype(np.int32)
    order = np.argsort(network.indices, kind="stable")
    reader_ptr = np.concatenate(([0], np.cumsum(network.fan_out, dtype=np.int64)))
    mean = float(network.spikes[network.fan_out > 0].mean())
    best = _anneal(
        network.units.astype(np.int32), network.indptr, network.indices, reader_ptr, reader[order],
        network.spikes, home, num, np.array(kinds, dtype=np.int64), moves, seed, hot * mean,
    )  # fmt: skip
    return compact(best[network.units])


@compiled
def _shift(
    u: Any, b: Any, ptr: Any, sources: Any, spikes: Any, home: Any, count: Any, rows: Any
) -> Any:
    """Move unit u to cluster b, update the tables, and return by how much the traffic rises.

    Moving it back is the inverse, self-loops included: first u's own readers see its new home,
    then each of its reads changes sides.
    """
    a, change = home[u], 0
    if count[b, u] > 0:
        change -= spikes[u]
    if count[a, u] > 0:
        change += spikes[u]
    home[u] = b
    for e in range(ptr[u], ptr[u + 1]):
        i = sources[e]
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


@compiled
def _fits(rows: Any, columns: Any, kinds: Any) -> Any:
    """Tell whether some kind of crossbar holds so many rows and columns."""
    for h in range(len(kinds)):  # noqa: SIM110 - no generators in compiled code
        if rows <= kinds[h, 0] and columns <= kinds[h, 1]:
            return True
    return False


@compiled
def _anneal(
    units: Any,
    ptr: Any,
    sources: Any,
    reader_ptr: Any,
    readers: Any,
    spikes: Any,
    home: Any,
    num: Any,
    kinds: Any,
    moves: Any,
    seed: Any,
    hot: Any,
) -> Any:
    """Return the home of every neuron in the quietest clustering seen (-1: an input)."""
    np.random.seed(seed)  # noqa: NPY002 - the compiled generator's own state, not NumPy's
    most = kinds[:, 1].max()
    count = np.zeros((num, len(home)), dtype=np.int32)
    rows = np.zeros(num, dtype=np.int64)
    size = np.zeros(num, dtype=np.int64)
    member = np.empty((num, most), dtype=np.int32)
    slot = np.zeros(len(home), dtype=np.int32)
    for u in units:
        k = home[u]
        slot[u] = size[k]
        member[k, size[k]] = u
        size[k] += 1
        for e in range(ptr[u], ptr[u + 1]):
            if count[k, sources[e]] == 0:
                rows[k] += 1
            count[k, sources[e]] += 1
    level, least = 0, 0  # traffic, less that of the start
    best = home.copy()
    temperature = hot
    for step in range(moves):
        if step % 512 == 0:
            temperature = max(hot, 1e-9) * 0.01 ** (step / moves)
            if level < least:
                least = level
                best[:] = home
        u = units[np.random.randint(len(units))]  # noqa: NPY002
        a = home[u]
        way = np.random.randint(3)  # noqa: NPY002
        near = u
        if way == 1 and reader_ptr[u + 1] > reader_ptr[u]:
            near = readers[
                reader_ptr[u] + np.random.randint(reader_ptr[u + 1] - reader_ptr[u])  # noqa: NPY002
            ]
        elif ptr[u + 1] > ptr[u]:
            i = sources[ptr[u] + np.random.randint(ptr[u + 1] - ptr[u])]  # noqa: NPY002
            if way == 0 and home[i] >= 0:
                near = i
            else:
                near = readers[
                    reader_ptr[i] + np.random.randint(reader_ptr[i + 1] - reader_ptr[i])  # noqa: NPY002
                ]
        b = home[near]
        if b == a:
            continue
        change = _shift(u, b, ptr, sources, spikes, home, count, rows)
        v = -1
        if not _fits(rows[b], size[b] + 1, kinds):
            v = member[b, np.random.randint(size[b])]  # noqa: NPY002
            change += _shift(v, a, ptr, sources, spikes, home, count, rows)
        if v < 0:
            fine = _fits(rows[a], size[a] - 1, kinds)
        else:
            fine = _fits(rows[a], size[a], kinds) and _fits(rows[b], size[b], kinds)
        if not fine or (change > 0 and np.random.random() >= np.exp(-change / temperature)):  # noqa: NPY002
            if v >= 0:
                _shift(v, b, ptr, sources, spikes, home, count, rows)
            _shift(u, a, ptr, sources, spikes, home, count, rows)
            continue
        level += change
        if v >= 0:
            slot[u], slot[v] = slot[v], slot[u]
            member[b, slot[u]] = u
            member[a, slot[v]] = v
        else:
            size[a] -= 1
            last = member[a, size[a]]
            member[a, slot[u]] = last
            slot[last] = slot[u]
            slot[u] = size[b]
            member[b, size[b]] = u
            size[b] += 1
    if level < least:
        best[:] = home
    return best
