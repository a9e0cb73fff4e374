"""Latency of one inference in the earliest periodic schedule.

The maximum over source-to-sink paths of last finish minus first start, plus lambda per
initial iteration on the path. Sources are the clusters that read an input, sinks those that hold a
unit nobody reads; where there are none, every cluster counts. A path through a recurrent part could
go round for ever: inside a strongly connected component the fewest initial iterations count, across
components the most, since the last path to arrive completes the answer.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from optmap.compiled import borrowing, compiled
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
    target = graph.target[order]
    component_of, count = strong_components(k, indptr, target)
    members: list[list[int]] = [[] for _ in range(count)]
    in_component = component_of.tolist()
    for v, component in enumerate(in_component):
        members[component].append(v)
    first, heads, tokens = indptr.tolist(), target.tolist(), graph.initial[order].tolist()
    value = dict(entering)
    place = np.empty(k, dtype=np.int64)  # of a cluster in its component
    for group in reversed(members):  # components are numbered against the direction of channels
        alone = len(group) == 1
        entries = [] if alone else sorted((v for v in group if v in value), key=lambda v: -value[v])
        if entries:  # every channel inside holds one initial iteration
            place[group] = np.arange(len(group))
            inside = _successors_inside(group, component_of, indptr, target, place)
            best, steps = _best_entry(*inside, place[entries], _ranks(entries, value, per_token))
            at_entry = [value[v] for v in entries]
            for v, entry, step in zip(group, best.tolist(), steps.tolist(), strict=True):
                value[v] = at_entry[entry] + per_token * step
        for v in group:
            if v not in value:
                continue
            for e in range(first[v], first[v + 1]):
                w = heads[e]
                if in_component[w] != in_component[v]:
                    candidate = value[v] + per_token * tokens[e]
                    value[w] = max(value.get(w, candidate), candidate)
    return value


def _successors_inside(
    group: list[int], component_of: IntArray, indptr: IntArray, target: IntArray, place: IntArray
) -> tuple[IntArray, IntArray]:
    """Return compressed successor lists of one component, its clusters counted from 0."""
    lists = [target[indptr[v] : indptr[v + 1]] for v in group]
    lists = [heads[component_of[heads] == component_of[group[0]]] for heads in lists]
    ends = np.cumsum([0, *(len(heads) for heads in lists)])
    return ends, place[np.concatenate(lists)]


def _ranks(entries: list[int], value: dict[int, int], per_token: int) -> IntArray:
    """Return how far each entry's value lies behind the first's, in steps and a remainder's rank.

    Entries come with falling values. Entry a at i steps is beyond entry b at j steps exactly if
    (i - behind a, rank a) is lexicographically larger, which stays exact where the values
    themselves leave int64. Shape (n, 2).
    """
    top = value[entries[0]]
    parts = [divmod(value[v] - top, per_token) for v in entries]
    rank = {rest: r for r, rest in enumerate(sorted({rest for _, rest in parts}))}
    return np.array([(whole, rank[rest]) for whole, rest in parts], dtype=np.int64)


@borrowing
def _later(ranks: Any, a: Any, steps_a: Any, b: Any, steps_b: Any) -> Any:
    """Tell whether entry a, so many steps away, is later than entry b at its steps."""
    ahead = (steps_a + ranks[a, 0]) - (steps_b + ranks[b, 0])
    return ahead > 0 or (ahead == 0 and ranks[a, 1] > ranks[b, 1])


@compiled
def _best_entry(indptr: Any, target: Any, entries: Any, ranks: Any) -> Any:
    """Return for each cluster of a component the entry that it is latest from, and the steps.

    Breadth-first search from 64 entries at a time, one bit each: every level looks at each channel
    once, whatever the number of entries, in memory linear in the component.

    Parameters
    ----------
    indptr, target : (n + 1,) and (m,) int arrays
        Successors within the strongly connected component.
    entries : (e,) int array
        Where an inference comes in, by falling value.
    ranks : (e, 2) int array
        See :func:`_ranks`.
    """
    n = len(indptr) - 1
    best, steps = np.full(n, -1, dtype=np.int64), np.zeros(n, dtype=np.int64)
    seen, frontier = np.empty(n, dtype=np.uint64), np.empty(n, dtype=np.uint64)
    reached = np.empty(n, dtype=np.uint64)
    for first in range(0, len(entries), 64):
        seen[:] = np.uint64(0)
        frontier[:] = np.uint64(0)
        for i in range(first, min(first + 64, len(entries))):
            frontier[entries[i]] |= np.uint64(1) << np.uint64(i - first)
        level, busy = 0, True
        while busy:
            busy = False
            reached[:] = np.uint64(0)
            for v in range(n):
                new = frontier[v] & ~seen[v]
                if new == np.uint64(0):
                    continue
                busy = True
                seen[v] |= new
                entry = first  # of equal steps, the first entry has the largest value
                while not (new >> np.uint64(entry - first)) & np.uint64(1):
                    entry += 1
                if best[v] < 0 or _later(ranks, entry, level, best[v], steps[v]):
                    best[v], steps[v] = entry, level
                for s in range(indptr[v], indptr[v + 1]):
                    reached[target[s]] |= new
            frontier, reached = reached, frontier
            level += 1
    return best, steps
