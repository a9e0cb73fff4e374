"""Mappings become states, states become units, clusters and tiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optmap.model.capacity import have, resources
from optmap.model.decomposition import Decomposition, custom_arrays
from optmap.model.mapping import Binding, Clustering
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IntArray
from optmap.whole.kernels.changes import fill
from optmap.whole.kernels.state import (
    CHANNEL,
    CLUSTER,
    COSTS,
    LOG,
    NEURON,
    PIECE,
    SYNAPSE,
    TILE,
    TOTAL,
    State,
)

#: Room for clusters and inserted pieces beyond those at the start, in percent, and at least.
MORE_PERCENT, MORE = 25, 8
#: Largest tables that are kept: sources times clusters, and clusters times clusters.
MOST_CELLS = 150_000_000
MOST_CHANNELS = 10_000_000
#: What stands for no limit of slots, or of spikes.
MANY = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Placed:
    """A mapping without its orders."""

    decomposition: Decomposition
    clustering: Clustering
    binding: Binding


def room_for(snn: SNN, num_clusters: int) -> bool:
    """Tell whether the tables of so many clusters fit into memory."""
    clusters = _more(num_clusters)
    return snn.num_neurons * clusters <= MOST_CELLS and clusters * clusters <= MOST_CHANNELS


def _more(count: int) -> int:
    return count + max(MORE, count * MORE_PERCENT // 100)


def state_of(snn: SNN, platform: Platform, placed: Placed, most_spikes: int = MANY) -> State:
    """Return the state of a mapping.

    Parameters
    ----------
    most_spikes : int
        What the buffers of a channel hold in one iteration.

    Raises
    ------
    ValueError
        If :func:`room_for` says no.
    """
    clusters = placed.clustering.num_clusters
    if not room_for(snn, clusters):
        raise ValueError(f"no room for the tables of {clusters} clusters")
    n, decomposed, owner = snn.num_neurons, placed.decomposition.network, placed.decomposition.owner
    inserted = decomposed.num_neurons - n
    st = _empty(snn, platform, n + _more(inserted) if inserted else n, _more(clusters))
    reader, source, piece = decomposed.post_of_synapse(), decomposed.indices, st.piece
    raw = source < n
    by_owner = np.lexsort((source[raw], owner[reader[raw]]))
    st.synapse["piece"] = reader[raw][by_owner]
    piece["above"][source[~raw]] = reader[~raw]
    piece["owner"][: len(owner)] = owner
    piece["weight"][: len(owner)] = decomposed.spikes
    piece["reads"][: len(owner)] = decomposed.fan_in
    piece["cluster"][decomposed.units] = placed.clustering.cluster_of
    for p in range(n, n + inserted):
        piece["next"][p] = piece["next"][owner[p]]
        piece["next"][owner[p]] = p
    idle = np.arange(len(piece) - 1, n + inserted - 1, -1)
    piece["stock"][: len(idle)] = idle
    st.total["idle"], st.total["pieces"] = len(idle), n + inserted
    st.clusters["tile"][:clusters] = placed.binding.tile_of
    st.costs["most"] = most_spikes
    fill(st)
    return st


def _empty(snn: SNN, platform: Platform, pieces: int, clusters: int) -> State:
    """Return a state without pieces in clusters, with room for so many of both."""
    neuron = np.zeros(snn.num_neurons + 1, dtype=NEURON)
    neuron["first"], neuron["spikes"][:-1] = snn.indptr, snn.spikes
    neuron["out"][1:] = np.cumsum(snn.fan_out)
    synapse = np.zeros(snn.num_synapses, dtype=SYNAPSE)
    synapse["source"], synapse["post"] = snn.indices, snn.post_of_synapse()
    synapse["out"] = np.argsort(snn.indices, kind="stable")
    piece = np.zeros(pieces, dtype=PIECE)
    piece["owner"] = np.arange(pieces)
    for name in ("above", "cluster", "next"):
        piece[name] = -1
    tiles, costs = np.zeros(platform.num_tiles, dtype=TILE), np.zeros(1, dtype=COSTS)
    tiles["rows"], tiles["columns"] = platform.rows_of, platform.columns_of
    tiles["slots"] = [MANY if tile.slots is None else tile.slots for tile in platform.tiles]
    limited = resources(snn, platform)
    takes = np.zeros((snn.num_neurons, len(limited), 2), dtype=np.int64)
    for d, resource in enumerate(limited):
        takes[:, d, 0], takes[:, d, 1] = resource.fixed, resource.per_read
    rate = platform.ni_tokens_per_tick
    costs["base"], costs["event"] = platform.base_ticks, platform.event_ticks
    costs["switch"] = platform.switch_ticks
    costs["rate_tokens"], costs["rate_ticks"] = rate.numerator, rate.denominator
    return State(
        neuron,
        synapse,
        piece,
        np.zeros((snn.num_neurons, clusters), dtype=np.int16),
        np.zeros((clusters, platform.max_columns + 1), dtype=np.int64),
        np.zeros(clusters, dtype=CLUSTER),
        np.zeros((clusters, clusters), dtype=CHANNEL),
        tiles,
        platform.hops,
        costs,
        np.zeros(1, dtype=TOTAL),
        np.zeros((LOG, 3), dtype=np.int64),
        np.zeros((clusters, len(limited)), dtype=np.int64),
        have(platform).T.copy(),
        takes,
    )


def placed_of(snn: SNN, st: State, start: Placed) -> Placed:
    """Return units, clusters and tiles of a state.

    Parameters
    ----------
    start : Placed
        Where the search began; its decomposition is kept where the units are the same.
    """
    decomposition, piece = _units(snn, st, start.decomposition)
    labels = st.piece["cluster"][piece[decomposition.network.units]]
    used, cluster_of = np.unique(labels, return_inverse=True)
    return Placed(
        decomposition,
        Clustering(cluster_of.astype(np.int32)),
        Binding(st.clusters["tile"][used].astype(np.int32)),
    )


def _units(snn: SNN, st: State, start: Decomposition) -> tuple[Decomposition, IntArray]:
    """Return the decomposition, and the piece that each of its neurons is."""
    n = snn.num_neurons
    used = n + np.flatnonzero(st.piece["cluster"][n:] >= 0)
    depth, up = np.zeros(len(used), dtype=np.int64), st.piece["above"][used]
    while (inner := up >= n).any():
        depth += inner
        up = np.where(inner, st.piece["above"][up], up)
    used = used[np.lexsort((used, -depth, st.piece["owner"][used]))]
    piece = np.concatenate((np.arange(n), used))
    new = np.full(len(st.piece), -1, dtype=np.int64)
    new[piece] = np.arange(len(piece))
    if not len(used) and not start.num_inserted:
        return start, piece
    reader = np.concatenate((new[st.synapse["piece"]], new[st.piece["above"][used]]))
    source = np.concatenate((snn.indices.astype(np.int64), new[used]))
    order = np.lexsort((source, reader))
    counts = np.bincount(reader, minlength=len(piece))
    indptr = np.concatenate(([0], np.cumsum(counts)))
    owner = st.piece["owner"][piece].astype(np.int32)
    rows = max(start.rows, int(counts.max(initial=0)))  # more than one unit may read: check says so
    made = custom_arrays(snn, rows, indptr, source[order].astype(np.int32), owner)
    if made.identity == start.identity:
        return start, piece
    return made, piece
