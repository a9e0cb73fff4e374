"""What spikes cost where one spike is sent once and copied on its way: links, reads, latencies.

A spike of unit u leaves the tile of its cluster and reaches every tile with a cluster that reads u.
Its *route union* holds each directed link of the XY routes to these tiles once, as a router does
that copies spikes where routes part [HM]_, [K]_. Inputs stand outside the chip: they use no link.

- *multicast hops*: spikes times the links of their route union, over all units.
- *multicast link load*: spikes over one directed link; its maximum and its variance over all
  directed links of the mesh or torus, idle ones included.
- *connectivity*: spikes times (lambda - 1), lambda the clusters that hold the source or a reader
  [RS]_. An input is in no cluster, so that its first reading cluster is free.
- *spike latency*: ticks that a spike travels to one cluster that reads it, over all spikes and
  clusters other than its own; mean and maximum. Published latencies of d hops are
  (d + 1) router + d wire [RS]_: with hop_ticks = router + wire that is one router's time more.

References
----------
.. [HM] HySMap, public technical report, version 0.2, 2026, section 2.3.
.. [K] A. Khorasanian, arXiv 2608.26223, 2026.
.. [RS] M. Ronzani and C. Silvano, arXiv 2601.16118, 2026, and the public code of AxonFlow.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from optmap.judge.metrics import Spread, link_loads, routes_are_xy
from optmap.model.cluster_graph import axons, cluster_of_source
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Binding, Clustering
from optmap.model.platform import Platform
from optmap.model.snn import IntArray


@dataclass(frozen=True, slots=True)
class Multicast:
    """Spikes over links, each link of a spike's route union once.

    Parameters
    ----------
    hops : int
        Over all links.
    busiest : int
        Over the busiest link; 0 without any.
    variance : Fraction
        Over all directed links; 0 without any.
    """

    hops: int
    busiest: int
    variance: Fraction


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Which clusters are entered by which sources, from outside.

    Parameters
    ----------
    source, home, cluster : (n,) int arrays
        A neuron, its own cluster (K for inputs), and another one that reads it.
    spikes : (n,) int64 array
        Of the source.
    num_clusters : int
        K.
    """

    source: IntArray
    home: IntArray
    cluster: IntArray
    spikes: IntArray
    num_clusters: int


def deliveries(decomposition: Decomposition, clustering: Clustering) -> Deliveries:
    """Return every (source, reading cluster other than its own), by source."""
    network = decomposition.network
    source, cluster = axons(network, clustering)
    home = cluster_of_source(network, clustering)[source]
    outside = np.flatnonzero(home != cluster)
    outside = outside[np.argsort(source[outside], kind="stable")]
    read = source[outside].astype(np.int64)
    return Deliveries(
        read,
        home[outside].astype(np.int64),
        cluster[outside].astype(np.int64),
        network.spikes[read],
        clustering.num_clusters,
    )


def connectivity(found: Deliveries) -> int:
    """Return the spikes times (lambda - 1), summed over all neurons."""
    inputs = found.home == found.num_clusters
    _, first = np.unique(found.source[inputs], return_index=True)
    return int(found.spikes.sum()) - int(found.spikes[inputs][first].sum())


def multicast_links(found: Deliveries, platform: Platform, binding: Binding) -> IntArray | None:
    """Return spikes per iteration over each directed link, each link of a route union once.

    None where routes are not XY. Link (t, d) is that of :func:`optmap.judge.metrics.link_tokens`;
    shape (T, 4).
    """
    if not routes_are_xy(platform):
        return None
    inside = found.home < found.num_clusters
    tile = binding.tile_of.astype(np.int64)
    start, end = tile[found.home[inside]], tile[found.cluster[inside]]
    return link_loads(platform, start, end, found.spikes[inside], found.source[inside])


def multicast(found: Deliveries, platform: Platform, binding: Binding) -> Multicast | None:
    """Return hops, busiest link and variance of the multicast link loads; None without routes."""
    links = multicast_links(found, platform, binding)
    if links is None:
        return None
    loads = [int(x) for x in links.ravel() if x]
    total, number = sum(loads), platform.interconnect.num_links
    variance = Fraction(0)
    if number:
        variance = Fraction(number * sum(x * x for x in loads) - total * total, number * number)
    return Multicast(total, max(loads, default=0), variance)


def spike_latency(found: Deliveries, platform: Platform, binding: Binding) -> Spread | None:
    """Return mean and largest ticks from a unit's tile to a cluster that reads it; None: no spike.

    Sources that never spike count in neither.
    """
    spiking = (found.home < found.num_clusters) & (found.spikes > 0)
    spikes = found.spikes[spiking]
    if not len(spikes):
        return None
    tile = binding.tile_of
    ticks = platform.latency_between(tile[found.home[spiking]], tile[found.cluster[spiking]])
    total = sum(int(t) * int(spikes[ticks == t].sum()) for t in np.unique(ticks))
    return Spread(Fraction(total, int(spikes.sum())), Fraction(int(ticks.max())))
