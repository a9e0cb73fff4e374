"""Latency of one inference in the earliest periodic schedule.

MODEL: the maximum over source-to-sink paths of last finish minus first start, plus lambda per
initial iteration on the path. Sources are the clusters that read an input, sinks those that hold a
unit nobody reads; where there are none, every cluster counts. A path through a recurrent part could
go round for ever: inside a strongly connected component the fewest initial iterations count, across
components the most, since the last path to arrive completes the answer.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from optmap.judge.binding_aware_graph import BindingAwareGraph
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.snn import IntArray
from optmap.sdf.components import group_by, strong_components
from optmap.sdf.cycle_ratio import earliest_schedule


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
    k = graph.num_clusters
    every = np.ones(graph.num_channels, dtype=np.bool_)
    indptr, order = group_by(k, graph.source, every)
    component_of, count = strong_components(k, indptr, graph.target[order])
    members: list[list[int]] = [[] for _ in range(count)]
    for v in range(k):
        members[component_of[v]].append(v)
    adjacency = sparse.csr_matrix(
        (np.ones(graph.num_channels), (graph.source, graph.target)), shape=(k, k)
    )
    value = dict(entering)
    for group in reversed(members):  # components are numbered against the direction of channels
        entries = [i for i, v in enumerate(group) if v in value]
        if entries and len(group) > 1:  # every channel inside holds one initial iteration
            steps = csgraph.shortest_path(
                adjacency[group][:, group], unweighted=True, indices=entries
            )
            at_entry = [value[group[i]] for i in entries]
            for j, v in enumerate(group):
                value[v] = max(
                    x + per_token * round(step)
                    for x, step in zip(at_entry, steps[:, j], strict=True)
                )
        for v in group:
            if v not in value:
                continue
            for e in order[indptr[v] : indptr[v + 1]]:
                w = int(graph.target[e])
                if component_of[w] != component_of[v]:
                    candidate = value[v] + per_token * int(graph.initial[e])
                    value[w] = max(value.get(w, candidate), candidate)
    return value
