"""Coarser and coarser networks for multilevel clustering: units matched by what they share.

A *net* is a source with all that read it, and with itself where it is a unit: cut apart, its spikes
travel. A *node* is some units that stay together. Two nodes are matched that share most spikes per
pin of a net (heavy-edge matching [KK]_): of the coarser network each pair is one node.

References
----------
.. [KK] G. Karypis, V. Kumar, "Multilevel k-way hypergraph partitioning", VLSI Design 11, 2000.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from optmap.compiled import compiled
from optmap.model.snn import SNN, IndexArray

#: Pins of a net that are looked at for each node: those of large nets are drawn.
MOST_PINS = 128
#: Nets without spikes count so much: what shares them shares rows.
SILENT = 0.1


class Level(NamedTuple):
    """Nodes 0..V-1 and nets 0..E-1.

    Parameters
    ----------
    size : (V,) int64 array
        Columns of each node.
    net_ptr, nets : (V + 1,) int64 and int32 arrays
        The nets of each node, as compressed lists.
    reads : bool array, parallel to ``nets``
        Whether the node reads the net's source; else it only holds it.
    pin_ptr, pins : (E + 1,) int64 and int32 arrays
        The nodes of each net.
    holder : (E,) int32 array
        The node that holds the net's source without reading it; -1 where there is none.
    weight : (E,) int64 array
        Spikes of each net.
    """

    size: Any
    net_ptr: Any
    nets: Any
    reads: Any
    pin_ptr: Any
    pins: Any
    holder: Any
    weight: Any


def finest(network: SNN) -> Level:
    """Return the level of single units, nodes in the order of ``network.units``."""
    position = np.full(network.num_neurons, -1, dtype=np.int32)
    position[network.units] = np.arange(network.num_units, dtype=np.int32)
    size = np.ones(network.num_units, dtype=np.int64)
    units = network.units.astype(np.int32)
    held = network.fan_out > 0
    level: Level = _level(
        network.indptr, network.indices, units, position, held, size, network.spikes
    )
    return level


@compiled
def _level(
    indptr: Any, indices: Any, units: Any, position: Any, held: Any, size: Any, spikes: Any
) -> Any:
    """Return nets of every unit: what it reads, and itself where somebody reads it."""
    most = len(indices) + len(units)
    net_ptr = np.zeros(len(units) + 1, dtype=np.int64)
    nets, reads = np.empty(most, dtype=np.int32), np.ones(most, dtype=np.bool_)
    holder = np.full(len(position), -1, dtype=np.int32)
    at = 0
    for p in range(len(units)):
        u, itself = units[p], False
        for s in range(indptr[u], indptr[u + 1]):
            nets[at] = indices[s]
            itself |= indices[s] == u
            at += 1
        if held[u] and not itself:
            nets[at] = u
            reads[at] = False
            holder[u] = p
            at += 1
        net_ptr[p + 1] = at
    pin_ptr, pins = _pins(net_ptr, nets, len(position))
    return Level(size, net_ptr, nets[:at].copy(), reads[:at].copy(), pin_ptr, pins, holder, spikes)


@compiled
def _pins(net_ptr: Any, nets: Any, num_nets: Any) -> Any:
    """Return the nodes of every net as compressed lists."""
    pin_ptr = np.zeros(num_nets + 1, dtype=np.int64)
    for i in range(net_ptr[-1]):
        pin_ptr[nets[i] + 1] += 1
    for e in range(num_nets):
        pin_ptr[e + 1] += pin_ptr[e]
    at = pin_ptr[:-1].copy()
    pins = np.empty(pin_ptr[-1], dtype=np.int32)
    for v in range(len(net_ptr) - 1):
        for i in range(net_ptr[v], net_ptr[v + 1]):
            pins[at[nets[i]]] = v
            at[nets[i]] += 1
    return pin_ptr, pins


@compiled
def contracted(level: Any, group: Any, num: Any) -> Any:
    """Return the level whose nodes are groups 0..num-1 of a level's nodes."""
    num_nets = len(level.weight)
    order = np.argsort(group, kind="mergesort")
    size = np.zeros(num, dtype=np.int64)
    net_ptr = np.zeros(num + 1, dtype=np.int64)
    nets = np.empty(len(level.nets), dtype=np.int32)
    reads = np.zeros(len(level.nets), dtype=np.bool_)
    where = np.full(num_nets, -1, dtype=np.int64)  # of each net among those of the last group
    holder = np.full(num_nets, -1, dtype=np.int32)
    at = 0
    for o in range(len(order)):
        v = order[o]
        g = group[v]
        if o == 0 or g != group[order[o - 1]]:
            net_ptr[g] = at
        size[g] += level.size[v]
        for i in range(level.net_ptr[v], level.net_ptr[v + 1]):
            e = level.nets[i]
            if where[e] < net_ptr[g]:
                where[e] = at
                nets[at] = e
                at += 1
            reads[where[e]] |= level.reads[i]
        net_ptr[g + 1] = at
    for g in range(num):
        for i in range(net_ptr[g], net_ptr[g + 1]):
            if not reads[i]:
                holder[nets[i]] = g
    pin_ptr, pins = _pins(net_ptr, nets, num_nets)
    return Level(
        size, net_ptr, nets[:at].copy(), reads[:at].copy(), pin_ptr, pins, holder, level.weight
    )


@compiled
def matched(level: Any, order: Any, part: Any, most_size: Any, most_rows: Any, seed: Any) -> Any:
    """Return the group of every node, pairs or single nodes, and how many groups there are.

    Parameters
    ----------
    order : (V,) int array
        Nodes as they choose, each the free node that it shares most with.
    part : (V,) int32 array
        Only nodes of one part are matched.
    most_size, most_rows : int
        What a pair may take.
    """
    np.random.seed(seed)  # noqa: NPY002 - the compiled generator's own state, not NumPy's
    nodes = len(level.size)
    group = np.full(nodes, -1, dtype=np.int32)
    score = np.zeros(nodes, dtype=np.float64)
    both = np.zeros(nodes, dtype=np.int64)
    touched = np.empty(nodes, dtype=np.int32)
    rows = np.zeros(nodes, dtype=np.int64)
    for v in range(nodes):
        for i in range(level.net_ptr[v], level.net_ptr[v + 1]):
            rows[v] += level.reads[i]
    num = 0
    for u in order:
        if group[u] >= 0:
            continue
        met = _shares(u, level, group, part, most_size, score, both, touched)
        best, most = -1, 0.0
        for t in range(met):
            v = touched[t]
            each = score[v] / (level.size[u] * level.size[v])
            if each > most and rows[u] + rows[v] - both[v] <= max(most_rows, rows[u], rows[v]):
                best, most = v, each
            score[v], both[v] = 0.0, 0
        group[u] = num
        if best >= 0:
            group[best] = num
        num += 1
    return group, num


@compiled
def _shares(
    u: Any, level: Any, group: Any, part: Any, most_size: Any, score: Any, both: Any, touched: Any
) -> Any:
    """Score what free nodes share with node u; return how many were met."""
    met = 0
    for i in range(level.net_ptr[u], level.net_ptr[u + 1]):
        e = level.nets[i]
        first = level.pin_ptr[e]
        many = level.pin_ptr[e + 1] - first
        if many < 2:
            continue
        rating = max(float(level.weight[e]), SILENT) / (many - 1)
        looked, skip = many, 0
        if many > MOST_PINS:
            looked, skip = MOST_PINS, np.random.randint(many)  # noqa: NPY002
        for j in range(looked):
            v = level.pins[first + (skip + j) % many]
            if v == u or group[v] >= 0 or part[v] != part[u]:
                continue
            if level.size[u] + level.size[v] > most_size:
                continue
            if score[v] == 0.0:
                touched[met] = v
                met += 1
            score[v] += rating
            both[v] += level.reads[i] and level.holder[e] != v
    return met


def ordered(level: Level, seed: int) -> IndexArray:
    """Return all nodes in an order drawn from a seed."""
    return np.random.default_rng(seed).permutation(len(level.size)).astype(np.int32)
