"""Latency of one inference in the earliest periodic schedule.

MODEL: the maximum over source-to-sink paths of last finish minus first start, plus lambda per
initial iteration on the path. Sources are the clusters that read an input, sinks those that hold a
unit nobody reads; where there are none, every cluster counts. A path through a recurrent part could
go round for ever: inside a strongly connected component the fewest initial iterations count, across
components the most, since the last path to arrive completes the answer.
"""

from __future__ import annotations

from fractions import Fraction

import networkx as nx
import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from optmap.evaluate.cluster_graph import ClusterGraph
from optmap.evaluate.lower import BindingAwareGraph
from optmap.sdf.cycle_ratio import earliest_schedule
from optmap.snn import IntArray


def latency(
    bound: BindingAwareGraph, period: Fraction, sources: IntArray, sinks: IntArray
) -> Fraction:
    """Return the latency of one inference in ticks.

    Parameters
    ----------
    period : Fraction
        lambda, the period of the schedule.
    sources, sinks : int arrays
        Clusters where an inference enters and leaves; empty: every cluster.
    """
    graph, scale = bound.clusters, period.denominator
    everyone = np.arange(graph.num_clusters)
    start = earliest_schedule(bound.graph, period)[: graph.num_clusters]
    time = bound.time.tolist()  # Python integers: a time of 2^60 ticks leaves no room to scale
    entering = {int(k): -int(start[k]) for k in (sources if len(sources) else everyone)}
    reached = _furthest(graph, entering, period.numerator)
    leaving = [int(k) for k in (sinks if len(sinks) else everyone) if int(k) in reached]
    return Fraction(
        max((int(start[k]) + time[k] * scale + reached[k] for k in leaving), default=0), scale
    )


def _furthest(graph: ClusterGraph, entering: dict[int, int], per_token: int) -> dict[int, int]:
    """Return for every cluster reached the largest entry value, plus ``per_token`` per token."""
    channels = nx.DiGraph()
    channels.add_nodes_from(range(graph.num_clusters))
    for a, b, tokens in zip(graph.source, graph.target, graph.initial, strict=True):
        channels.add_edge(int(a), int(b), tokens=int(tokens))
    components = nx.condensation(channels)
    component_of = components.graph["mapping"]
    adjacency = sparse.csr_matrix(
        (np.ones(graph.num_channels), (graph.source, graph.target)),
        shape=(graph.num_clusters, graph.num_clusters),
    )
    value = dict(entering)
    for c in nx.topological_sort(components):
        members = sorted(components.nodes[c]["members"])
        entries = [i for i, v in enumerate(members) if v in value]
        if entries and len(members) > 1:  # every channel inside holds one initial iteration
            steps = csgraph.shortest_path(
                adjacency[members][:, members], unweighted=True, indices=entries
            )
            at_entry = [value[members[i]] for i in entries]
            for j, v in enumerate(members):
                value[v] = max(
                    x + per_token * round(step)
                    for x, step in zip(at_entry, steps[:, j], strict=True)
                )
        for v in members:
            if v not in value:
                continue
            for w, channel in channels[v].items():
                if component_of[w] != c:
                    candidate = value[v] + per_token * channel["tokens"]
                    value[w] = max(value.get(w, candidate), candidate)
    return value
