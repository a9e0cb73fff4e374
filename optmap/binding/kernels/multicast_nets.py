"""Who sends to whom, as multicasts: one net for all sources with the same ends.

Items are clusters, or single units: a net is a source item with every other item that reads it, and
the spikes of all sources that have these ends.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from optmap.model.cluster_graph import ClusterGraph, axons, cluster_of_source
from optmap.model.snn import SNN, IntArray


class Nets(NamedTuple):
    """The nets of so many items.

    Parameters
    ----------
    source, weight : (M,) int64 arrays
        Source item and spikes of each net.
    ptr, readers : (M + 1,) and (n,) int64 arrays
        Items other than the source that read it, by net.
    touch_ptr, touching : int64 arrays
        Nets that an item is an end of, by item.
    """

    source: Any
    weight: Any
    ptr: Any
    readers: Any
    touch_ptr: Any
    touching: Any


def nets_of(num_items: int, source: IntArray, weight: IntArray, read_by: list[IntArray]) -> Nets:
    """Return nets from each source item, its spikes, and the other items that read it."""
    ptr = np.concatenate(([0], np.cumsum([len(r) for r in read_by]))).astype(np.int64)
    readers = np.concatenate([*read_by, np.empty(0, dtype=np.int64)]).astype(np.int64)
    net = np.arange(len(source), dtype=np.int64)
    ends = np.concatenate((source, readers))
    of = np.concatenate((net, np.repeat(net, np.diff(ptr))))
    touch_ptr = np.concatenate(([0], np.cumsum(np.bincount(ends, minlength=num_items))))
    order = np.argsort(ends, kind="stable")
    return Nets(
        source.astype(np.int64),
        weight.astype(np.int64),
        ptr,
        readers,
        touch_ptr.astype(np.int64),
        of[order],
    )


def cluster_nets(graph: ClusterGraph) -> Nets:
    """Return the nets between clusters; of a graph made by hand, a net for each channel."""
    k = graph.num_clusters
    if graph.made_of is None:
        channels = [graph.target[e : e + 1].astype(np.int64) for e in range(graph.num_channels)]
        return nets_of(k, graph.source.astype(np.int64), graph.spikes, channels)
    decomposition, clustering = graph.made_of
    network = decomposition.network
    source, cluster = axons(network, clustering)
    home = cluster_of_source(network, clustering)[source]
    outside = np.flatnonzero((home != cluster) & (home != k) & (network.spikes[source] > 0))
    outside = outside[np.argsort(source[outside], kind="stable")]
    ends = np.flatnonzero(np.diff(source[outside], append=-1))
    spikes: dict[tuple[int, ...], int] = {}
    for part in np.split(outside, ends[:-1] + 1) if len(outside) else []:
        key = (int(home[part[0]]), *cluster[part].tolist())
        spikes[key] = spikes.get(key, 0) + int(network.spikes[source[part[0]]])
    return nets_of(
        k,
        np.array([key[0] for key in spikes], dtype=np.int64),
        np.array(list(spikes.values()), dtype=np.int64),
        [np.array(key[1:], dtype=np.int64) for key in spikes],
    )


def unit_nets(network: SNN) -> Nets:
    """Return the nets between units, numbered by their position; inputs send nothing."""
    position = np.full(network.num_neurons, -1, dtype=np.int64)
    position[network.units] = np.arange(network.num_units)
    order = np.argsort(network.indices, kind="stable")
    post = position[network.post_of_synapse()[order]]
    stop = np.cumsum(network.fan_out)
    sending = network.units[(network.spikes * network.fan_out)[network.units] > 0]
    read_by = []
    for neuron in sending.tolist():
        readers = post[stop[neuron] - network.fan_out[neuron] : stop[neuron]]
        read_by.append(readers[readers != position[neuron]])
    return nets_of(network.num_units, position[sending], network.spikes[sending], read_by)
