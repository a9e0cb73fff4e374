"""All decisions of a mapping but the orders, as arrays that change a little at a time.

*Pieces* are units: the neuron itself (its number) and those inserted to serve it (numbers from N
on, taken from a stock). A piece reads sources of its neuron, and pieces that stand below it; so the
synapses of a neuron are divided among its pieces, and ``piece_of`` says how. Everything that the
model derives from clusters and tiles is kept up to date: rows, ticks, channels, interfaces.

:mod:`optmap.whole.kernels.changes` makes the changes, :mod:`optmap.whole.convert` turns mappings
into states and back. Symbols: N neurons, S synapses, P pieces at most, K clusters at most, C
columns of the widest crossbar, T tiles.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

#: What a log entry takes back; see :mod:`optmap.whole.kernels.changes`.
MOVED, READ, BOUND, ADDED, REMOVED = range(5)

#: Changes that can be taken back at once.
LOG = 1 << 16

#: Neuron i: its synapses and those that leave it begin at ``first`` and at ``out``.
NEURON = np.dtype([("first", np.int64), ("out", np.int64), ("spikes", np.int64)])
#: Synapse s: where it comes from and goes to, which piece reads it. ``out`` of entry x is a
#: synapse: those that leave neuron i are entries ``neuron[i].out`` to ``neuron[i + 1].out``.
SYNAPSE = np.dtype([(name, np.int64) for name in ("source", "post", "piece", "out")])
#: A piece: the neuron it serves, the piece that reads it (-1: the neuron itself), its cluster (-1:
#: an input, or not in use) and place among the members, spikes when read, how many things it reads,
#: the next piece of the same neuron (-1: none). ``stock`` of the first entries: unused pieces.
PIECE = np.dtype(
    [
        (name, np.int64)
        for name in ("owner", "above", "cluster", "place", "weight", "reads", "next", "stock")
    ]
)
#: A cluster: pieces, rows, spikes read, tile. An empty one has a tile, and no load.
CLUSTER = np.dtype([(name, np.int64) for name in ("size", "rows", "read", "tile")])
#: From one cluster to another: spikes per iteration, and sources that they come from.
CHANNEL = np.dtype([("spikes", np.int64), ("lines", np.int64)])
#: A tile: capacities, ticks of its clusters (without switch_ticks) and of its interface, clusters.
TILE = np.dtype(
    [(name, np.int64) for name in ("rows", "columns", "slots", "ticks", "sends", "held")]
)
#: Ticks of a firing, of an event and of a switch; an interface's tokens per ticks; most spikes of a
#: channel, which its buffers must hold.
COSTS = np.dtype(
    [(name, np.int64) for name in ("base", "event", "switch", "rate_tokens", "rate_ticks", "most")]
)
#: Entries of the log, capacity exceeded in all, traffic, spike-hops, spikes delivered inside a
#: tile, events, pieces ever used, clusters, spikes of inserted pieces, unused pieces.
TOTAL = np.dtype(
    [
        (name, np.int64)
        for name in (
            "logged",
            "excess",
            "traffic",
            "hops",
            "local",
            "events",
            "pieces",
            "clusters",
            "inserted",
            "idle",
        )
    ]
)


class State(NamedTuple):
    """The present decisions and what follows from them; arrays of the records above.

    Parameters
    ----------
    neuron : (N + 1,) NEURON
    synapse : (S,) SYNAPSE
    piece : (P,) PIECE
    count : (N, K) int16 array
        Members of a cluster that read a source.
    members : (K, C + 1) int64 array
        Pieces of each cluster.
    clusters : (K,) CLUSTER
    channel : (K, K) CHANNEL
    tiles : (T,) TILE
    hops : (T, T) int64 array
        Hops between tiles.
    costs, total : (1,) COSTS and TOTAL
    log : (LOG, 3) int64 array
        How to take the changes back.
    load, room : (K, D), (T, D) int64 arrays
        What clusters use, and tiles have, of the resources of :mod:`optmap.model.capacity`.
    takes : (N, D, 2) int64 array
        What a piece of each neuron uses, whatever it reads, and for each thing it reads.
    """

    neuron: Any
    synapse: Any
    piece: Any
    count: Any
    members: Any
    clusters: Any
    channel: Any
    tiles: Any
    hops: Any
    costs: Any
    total: Any
    log: Any
    load: Any
    room: Any
    takes: Any


#: What moves change.
CHANGING = ("synapse", "piece", "count", "members", "clusters", "channel", "tiles", "total", "load")


def copied(state: State) -> State:
    """Return a copy of what moves change; the rest is shared."""
    return state._replace(**{name: getattr(state, name).copy() for name in CHANGING})


def restore(state: State, saved: State) -> None:
    """Make ``state`` equal to a copy of it."""
    for name in CHANGING:
        getattr(state, name)[...] = getattr(saved, name)
