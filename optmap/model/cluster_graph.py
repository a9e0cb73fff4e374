"""From clusters to actors and channels [S20]: the part of the model that knows no tiles.

Cluster k is an actor. Firing it takes tau_k = base_ticks + event_ticks * (spikes it reads,
each source once, inputs included), plus switch_ticks where its tile holds several clusters. A
channel (a, b), a != b, stands wherever b reads a unit of a; its rate r_ab = max(1, spikes from a
read by b), since a silent channel still tells b that the window is over. Initial iterations of
tokens: ``dataflow`` puts one on channels inside a strongly connected component of the cluster graph
and none elsewhere, ``pipelined`` one on every channel (the published LeNet-MNIST graph [DFS]_).

References
----------
.. [S20] Song et al., LCTES 2020, arXiv 2004.03717, section 4.
.. [DFS] Song et al., DFSynthesizer, 2021, arXiv 2108.02023.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from optmap.compiled import compiled
from optmap.model.capacity import (
    AXONS_OUT,
    FAN_OUT,
    demands,
    fitting_tiles,
    on_tiles,
    outgoing,
    summed,
)
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.decomposition import Decomposition
from optmap.model.identity import digest_of
from optmap.model.mapping import Binding, Clustering
from optmap.model.platform import TOKEN_MODES, Platform
from optmap.model.scope import Scope, binding_identity, clustering_identity
from optmap.model.snn import SNN, BoolArray, IndexArray, IntArray, frozen
from optmap.sdf.components import group_by, strong_components

#: Largest sum of execution times in one iteration: sums of delays must stay exact in int64.
MAX_TICKS = 2**60


@dataclass(frozen=True, eq=False)
class ClusterGraph:
    """Actors and channels of a clustered network, before any tile is chosen.

    Parameters
    ----------
    tau : (K,) int64 array
        Ticks of one firing, without switch_ticks.
    rows, columns : (K,) int64 arrays
        Rows (distinct sources) and units of each cluster.
    source, target : (E,) int32 arrays
        Channel e runs from cluster ``source[e]`` to ``target[e]``; sorted by (source, target).
    spikes : (E,) int64 array
        f_ab, spikes per iteration on the channel; may be 0.
    initial : (E,) int64 array
        Iterations of tokens on the channel at the start, 0 or 1.
    made_of : (Decomposition, Clustering), optional
        Where it comes from; None: made by hand.
    needs : (D, K) int64 array
        What each cluster needs of the resources that :func:`optmap.model.capacity.stated` lists;
        (0, K) where that is not known, or nothing is limited.
    axons_out, fan_out : (K,) int64 arrays
        Rows that a cluster's units take, anywhere; of one unit at most. 0 where not known.
    """

    tau: IntArray
    rows: IntArray
    columns: IntArray
    source: IndexArray
    target: IndexArray
    spikes: IntArray
    initial: IntArray
    made_of: tuple[Decomposition, Clustering] | None = None
    needs: IntArray = field(default_factory=lambda: np.empty((0, 0), dtype=np.int64))
    axons_out: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    fan_out: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __post_init__(self) -> None:
        for name in ("tau", "rows", "columns", "spikes", "initial"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int64))
        for name in ("source", "target"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int32))
        k, e = len(self.tau), len(self.source)
        if not self.needs.size:
            object.__setattr__(self, "needs", np.zeros((len(self.needs), k), dtype=np.int64))
        for name in ("axons_out", "fan_out"):
            known = getattr(self, name)
            object.__setattr__(self, name, frozen(known if len(known) else np.zeros(k), np.int64))
        if self.rows.shape != (k,) or self.columns.shape != (k,):
            raise ValueError(f"cluster graph: {k} actors, rows {self.rows.shape}")
        if not (self.target.shape == self.spikes.shape == self.initial.shape == (e,)):
            raise ValueError(f"cluster graph: {e} channel sources, other lengths differ")
        if k and self.tau.min() < 1:
            raise ValueError("cluster graph: execution times must be >= 1")
        if e:
            if min(self.source.min(), self.target.min(), self.spikes.min()) < 0:
                raise ValueError("cluster graph: negative cluster or spikes")
            if max(self.source.max(), self.target.max()) >= k or (self.source == self.target).any():
                raise ValueError("cluster graph: channel to itself or to no cluster")
            keys = self.source.astype(np.int64) * k + self.target
            if (np.diff(keys) <= 0).any():
                raise ValueError("cluster graph: channels must be sorted and distinct")

    @property
    def num_clusters(self) -> int:
        """Number of clusters K."""
        return len(self.tau)

    @property
    def num_channels(self) -> int:
        """Number of channels E."""
        return len(self.source)

    def fits(self, platform: Platform) -> BoolArray:
        """Return which tile's crossbar holds which cluster, shape (K, T)."""
        fits = fitting_tiles(self.rows, self.columns, self.needs, platform)
        for limit, sent in ((AXONS_OUT, self.axons_out), (FAN_OUT, self.fan_out)):
            fits &= sent[:, None] <= on_tiles(platform, limit)
        return fits

    @cached_property
    def identity(self) -> str:
        """Identity of the clustering; of the arrays, where the graph was made by hand."""
        if self.made_of is not None:
            decomposition, clustering = self.made_of
            return clustering_identity(decomposition.identity, clustering)
        shape = (self.tau, self.rows, self.columns)
        return digest_of(*shape, self.source, self.target, self.spikes, self.initial)

    def identity_of(self, binding: Binding) -> str:
        """Return the identity of a binding of these clusters."""
        if self.made_of is not None:
            decomposition, clustering = self.made_of
            return binding_identity(decomposition.identity, clustering, binding)
        return digest_of(self.identity, binding.tile_of)

    @property
    def scope(self) -> Scope:
        """What a bound for every binding and order of this clustering holds for."""
        return Scope(clustering=self.identity)

    @property
    def rate(self) -> IntArray:
        """Tokens r_ab = max(1, f_ab) produced and consumed per firing, shape (E,)."""
        return np.maximum(self.spikes, 1)


@lru_cache(maxsize=1)
def axons(network: SNN, clustering: Clustering) -> tuple[IndexArray, IndexArray]:
    """Return the rows of all crossbars as (source, cluster) pairs, by cluster, then source.

    Whoever judges a clustering asks for them several times running; they cannot be written to.
    """
    of = clustering.cluster_of
    ptr, order = group_by(clustering.num_clusters, of, np.ones(len(of), dtype=np.bool_))
    units = network.units[order]
    source, cluster = _marked(ptr, network.indptr, units, network.indices, network.num_neurons)
    return frozen(source, np.int32), frozen(cluster, np.int32)


@compiled
def _marked(ptr: Any, indptr: Any, units: Any, indices: Any, num_neurons: int) -> Any:
    """Return (source, cluster) pairs in one pass over the synapses, sorted by counting.

    The units of cluster c are ``units[ptr[c]:ptr[c + 1]]``. What a cluster reads is marked, so that
    it counts once; the pairs are then dealt out by source, and those by cluster.
    """
    k = len(ptr) - 1
    read_by = np.full(num_neurons, -1, dtype=np.int32)
    first = np.zeros(k + 1, dtype=np.int64)
    place = np.zeros(num_neurons + 1, dtype=np.int64)
    for c in range(k):
        for i in range(ptr[c], ptr[c + 1]):
            for s in range(indptr[units[i]], indptr[units[i] + 1]):
                if read_by[indices[s]] != c:
                    read_by[indices[s]] = c
                    first[c + 1] += 1
                    place[indices[s] + 1] += 1
    for c in range(k):
        first[c + 1] += first[c]
    for j in range(num_neurons):
        place[j + 1] += place[j]
    reader = np.empty(first[k], dtype=np.int32)
    end = place.copy()
    read_by[:] = -1
    for c in range(k):
        for i in range(ptr[c], ptr[c + 1]):
            for s in range(indptr[units[i]], indptr[units[i] + 1]):
                j = indices[s]
                if read_by[j] != c:
                    read_by[j] = c
                    reader[end[j]] = c
                    end[j] += 1
    source = np.empty(first[k], dtype=np.int32)
    cluster = np.empty(first[k], dtype=np.int32)
    for j in range(num_neurons):
        for p in range(place[j], place[j + 1]):
            c = reader[p]
            source[first[c]] = j
            cluster[first[c]] = c
            first[c] += 1
    return source, cluster


def cluster_of_source(network: SNN, clustering: Clustering) -> IndexArray:
    """Return the cluster of every neuron; inputs, which stand outside, get K."""
    of = np.full(network.num_neurons, clustering.num_clusters, dtype=np.int32)
    of[network.units] = clustering.cluster_of
    return of


def cluster_graph(
    decomposition: Decomposition, clustering: Clustering, platform: Platform, tokens: str
) -> ClusterGraph:
    """Return the actors and channels that a clustering makes of a decomposed network.

    Parameters
    ----------
    tokens : str
        ``dataflow`` or ``pipelined``; a network that came clustered has its own tokens.
    """
    if tokens not in TOKEN_MODES:
        raise ValueError(f"token mode {tokens!r}: expected one of {', '.join(TOKEN_MODES)}")
    network, k = decomposition.network, clustering.num_clusters
    if isinstance(network, ClusteredSNN):
        return _given_graph(network, clustering, decomposition)
    source, cluster = axons(network, clustering)
    read = np.zeros(k, dtype=np.int64)
    np.add.at(read, cluster, network.spikes[source])
    ticks = platform.base_ticks * k + platform.event_ticks * int(read.sum())
    if ticks > MAX_TICKS:
        raise ValueError(f"one iteration fires clusters for {ticks} ticks, above {MAX_TICKS}")
    producer = cluster_of_source(network, clustering)[source]
    outside = (producer != cluster) & (producer != k)
    keys = producer[outside].astype(np.int64) * k + cluster[outside]
    channels, position = np.unique(keys, return_inverse=True)
    spikes = np.zeros(len(channels), dtype=np.int64)
    np.add.at(spikes, position, network.spikes[source[outside]])
    a, b = channels // max(k, 1), channels % max(k, 1)
    return ClusterGraph(
        platform.base_ticks + platform.event_ticks * read,
        np.bincount(cluster, minlength=k),
        clustering.sizes,
        a.astype(np.int32),
        b.astype(np.int32),
        spikes,
        initial_iterations(k, a, b, tokens),
        (decomposition, clustering),
        summed(demands(network, platform), clustering.cluster_of, k),
        *outgoing(source, k, network, clustering.cluster_of),
    )


def _given_graph(
    network: ClusteredSNN, clustering: Clustering, decomposition: Decomposition
) -> ClusterGraph:
    """Return the graph that a network came with; what a crossbar must hold of it is not known."""
    if clustering != network.clustering:
        raise ValueError(f"the {len(network.names)} clusters are given and cannot be changed")
    unknown = np.zeros(len(network.tau), dtype=np.int64)
    sending = np.isin(network.cluster_of, network.source)
    return ClusterGraph(
        network.tau,
        unknown,
        unknown,
        network.source,
        network.target,
        network.spikes[network.units[sending]],
        network.initial,
        (decomposition, clustering),
    )


def initial_iterations(
    num_clusters: int, source: IntArray, target: IntArray, tokens: str
) -> IntArray:
    """Return how many iterations of tokens each channel holds at the start, shape (E,)."""
    if tokens == "pipelined" or not len(source):
        return np.ones(len(source), dtype=np.int64)
    every = np.ones(len(source), dtype=np.bool_)
    ptr, edges = group_by(num_clusters, source.astype(np.int32), every)
    component, _ = strong_components(num_clusters, ptr, target.astype(np.int32)[edges])
    inside: IntArray = (component[source] == component[target]).astype(np.int64)
    return inside
