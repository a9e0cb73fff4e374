"""What is stored about an application at design time; admission builds nothing of it anew [S20]."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optmap.judge.binding_aware_graph import refuse_short_buffers
from optmap.model.cluster_graph import ClusterGraph, cluster_graph
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.platform import Platform
from optmap.model.snn import IntArray, frozen
from optmap.ordering.kernels.single_tile import single_tile_order


@dataclass(frozen=True, eq=False)
class Application:
    """An application, ready to be admitted.

    Parameters
    ----------
    name : str
        For reports; the same application may run several times under different names.
    graph : ClusterGraph
        Clusters with tau, rows, columns, and their channels.
    sequence : (K,) int64 array
        The single-tile order, of which every tile gets the projection.
    send_ticks : (E,) int64 array
        Ticks a network interface needs for each channel, were it sent.
    """

    name: str
    graph: ClusterGraph
    sequence: IntArray
    send_ticks: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "sequence", frozen(self.sequence, np.int64))
        object.__setattr__(self, "send_ticks", frozen(self.send_ticks, np.int64))
        if sorted(self.sequence.tolist()) != list(range(self.graph.num_clusters)):
            raise ValueError(f"application {self.name!r}: the order is no order of its clusters")
        if not self.graph.num_clusters:
            raise ValueError(f"application {self.name!r} has no cluster")

    @cached_property
    def place(self) -> IntArray:
        """Where each cluster stands in the single-tile order, shape (K,)."""
        place = np.empty_like(self.sequence)
        place[self.sequence] = np.arange(len(place))
        return place

    @cached_property
    def total_ticks(self) -> int:
        """Ticks of all clusters in one iteration, without switch_ticks."""
        return int(self.graph.tau.sum())


def from_graph(name: str, graph: ClusterGraph, platform: Platform) -> Application:
    """Return an application with its design-time order.

    Raises
    ------
    CapacityError
        If a channel's buffer is too short for its initial tokens.
    ValueError
        If there is no cluster.
    """
    refuse_short_buffers(graph, platform)
    return Application(name, graph, single_tile_order(graph), platform.send_times(graph.rate))


def design(
    name: str,
    decomposition: Decomposition,
    clustering: Clustering,
    platform: Platform,
    tokens: str = "dataflow",
) -> Application:
    """Return the design-time artefacts of a clustered network."""
    return from_graph(name, cluster_graph(decomposition, clustering, platform, tokens), platform)
