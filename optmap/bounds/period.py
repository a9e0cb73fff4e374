"""Lower bounds on the period of one clustering, for every binding, order and prologue.

All are whole numbers or Fractions by exact arithmetic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise

import numpy as np

from optmap.bounds.bound import Bound, best
from optmap.model.cluster_graph import ClusterGraph, initial_iterations
from optmap.model.grade import Grade
from optmap.model.platform import Platform
from optmap.sdf.components import group_by, strong_components

#: A channel by its ends, and the clusters on the other side of the channels of each.
Channel = tuple[int, int]
Successors = dict[int, list[int]]


def period_bounds(graph: ClusterGraph, platform: Platform) -> tuple[Bound, ...]:
    """Return lower bounds on the period in ticks, for this clustering and any binding and order.

    Notes
    -----
    ``actor``: a cluster never overlaps itself, so max tau. ``load``: the clusters that fit no tile
    outside a set S of tiles share |S| crossbars, so some tile of S is busy for ceil(sum tau / |S|);
    S runs over the sets of tiles that fit some cluster. If more clusters than tiles are bound, at
    most T - 1 stand alone and every other one pays switch_ticks. ``pair``: of the T + 1 longest
    clusters two share a tile, hence tau_(T) + tau_(T+1) + 2 switch_ticks. All hold with prologues,
    since the order cycle of a tile carries one token whatever the offsets.
    """
    tau = [int(t) for t in graph.tau]
    if not tau:
        return (_bound("actor", 0, graph),)
    tiles, switch = len(platform.in_use), platform.switch_ticks
    extra = switch * (len(tau) - (tiles - 1)) if len(tau) > tiles else 0
    found = [_bound("actor", max(tau), graph)]
    found.append(_bound("load", -(-(sum(tau) + extra) // tiles), graph))
    allowed = _tiles_that_fit(graph, platform)
    work_of: Counter[frozenset[int]] = Counter()
    for t, where in zip(tau, allowed, strict=True):
        work_of[where] += t
    for tile_set in work_of:
        work = sum(t for where, t in work_of.items() if where <= tile_set)
        if tile_set:
            found.append(_bound("load", -(-work // len(tile_set)), graph))
    if len(tau) > tiles:
        longest = sorted(tau, reverse=True)
        pair = longest[tiles - 1] + longest[tiles] + 2 * switch
        found.append(_bound("pair", pair, graph))
    return tuple(found)


def _bound(name: str, ticks: int, graph: ClusterGraph) -> Bound:
    return Bound("period", name, ticks, graph.scope, Grade.CERTIFIED)


def _tiles_that_fit(graph: ClusterGraph, platform: Platform) -> list[frozenset[int]]:
    """Return for each cluster the tiles whose crossbars are large enough."""
    fits = graph.fits(platform)
    keys = [row.tobytes() for row in fits]
    distinct = dict(zip(keys, fits, strict=True))
    tiles = {key: frozenset(np.flatnonzero(row).tolist()) for key, row in distinct.items()}
    return [tiles[key] for key in keys]


def period_bound(graph: ClusterGraph, platform: Platform) -> Bound:
    """Return the best of :func:`period_bounds`."""
    return max(period_bounds(graph, platform), key=lambda b: b.value)


def clustering_period_bounds(graph: ClusterGraph, platform: Platform) -> tuple[Bound, ...]:
    """Return lower bounds on the period in ticks for one clustering and any binding and order.

    Notes
    -----
    ``actor``, ``load`` and ``pair`` are those of :func:`period_bounds`.
    ``recurrence``: :func:`recurrence_bound`, rounded down to a whole number.
    """
    found = period_bounds(graph, platform)
    known = max(bound.whole for bound in found)
    recurrence = recurrence_bound(graph, platform, above=known)
    if recurrence is None:
        return found
    return (*found, _bound("recurrence", int(recurrence), graph))


def clustering_period_bound(graph: ClusterGraph, platform: Platform) -> Bound:
    """Return the best of :func:`clustering_period_bounds`."""
    found = best(clustering_period_bounds(graph, platform))
    assert found is not None  # "actor" is always there
    return found


def recurrence_bound(
    graph: ClusterGraph, platform: Platform, above: int | None = None
) -> Fraction | None:
    """Return what the strongly connected parts of the cluster graph cost; None without any.

    With ``above``, parts that prove nothing better than it are left out, which saves the time of
    looking at all channels of a dense part.

    Notes
    -----
    Take one strongly connected component with several clusters. Either all of them share a tile,
    which then is busy for the sum of their tau (and switch_ticks each); or some channel e of the
    component is sent between tiles. Every cycle through e then leaves e's tile and comes back, so
    that it contains a second send. Its delays are the tau of its clusters, the send times and at
    least the fewest hops between two tiles for both sends; its tokens are the channels' initial
    iterations. A cycle's ratio is a lower bound on the period; which e is sent is not known, so the
    least over e counts, of the best among e's own return channel and a shortest way back.
    """
    if len(platform.in_use) < 2:
        return None
    source, target = graph.source.astype(np.int64), graph.target.astype(np.int64)
    if not initial_iterations(graph.num_clusters, source, target, "dataflow").any():
        return None  # no cycle
    costs = platform.send_times(graph.rate) + platform.least_latency
    every = np.ones(graph.num_channels, dtype=np.bool_)
    indptr, order = group_by(graph.num_clusters, source, every)
    component, _ = strong_components(graph.num_clusters, indptr, target[order])
    # producers as they are first met: of equally short ways back, the one by the first counts
    names, met = np.unique(np.stack((source, target), axis=1).ravel(), return_index=True)
    rank = np.zeros(graph.num_clusters, dtype=np.int64)
    rank[names] = met
    by_producer = np.argsort(rank[source], kind="stable")
    sizes = np.bincount(component)
    best_found = None
    for number in np.flatnonzero(sizes > 1).tolist():
        members = np.flatnonzero(component == number).tolist()
        value = Fraction(sum(int(graph.tau[k]) + platform.switch_ticks for k in members))
        inside = by_producer[
            (component[source[by_producer]] == number) & (component[target[by_producer]] == number)
        ]
        columns = (source[inside], target[inside], graph.initial[inside], costs[inside])
        part = _Part(members, zip(*(column.tolist() for column in columns), strict=True))
        for channel in part.channels:
            value = min(value, part.cycle_through(channel, graph))
            if above is not None and value <= above:
                break
        if above is None or value > above:
            best_found = value if best_found is None else max(best_found, value)
    return best_found


class _Part:
    """A strongly connected part: its channels with (tokens, ticks if sent), and who is next.

    Parameters
    ----------
    members : list of int
        Its clusters.
    channels : iterable of (producer, consumer, tokens, ticks)
        Those between them.
    """

    def __init__(self, members: list[int], channels: Iterable[tuple[int, int, int, int]]) -> None:
        self.channels: dict[Channel, tuple[int, int]] = {}
        self.after: Successors = {v: [] for v in members}
        self.before: Successors = {v: [] for v in members}
        for a, b, tokens, ticks in channels:
            self.channels[a, b] = tokens, ticks
            self.after[a].append(b)
            self.before[b].append(a)

    def cycle_through(self, channel: Channel, graph: ClusterGraph) -> Fraction:
        """Return the ratio of a shortest cycle through a channel if that channel is sent."""
        back = _shortest_way(self.after, self.before, channel[1], channel[0])
        edges = [channel, *pairwise(back)]
        costs = [self.channels[edge] for edge in edges]
        ticks = sum(int(graph.tau[x]) for x, _ in edges) + costs[0][1]
        ticks += min(sent for _, sent in costs[1:])
        return Fraction(ticks, sum(tokens for tokens, _ in costs))


def _shortest_way(after: Successors, before: Successors, start: int, end: int) -> list[int]:
    """Return the clusters on a way with the fewest channels inside a strongly connected part.

    It is sought level by level from both ends, the one with fewer clusters to go on from first. A
    part of some 10^4 channels asks as often: networkx does the same in four times the time.
    """
    came: dict[int, int] = {start: -1}
    goes: dict[int, int] = {end: -1}
    ahead, behind = [start], [end]
    while True:
        forward = len(ahead) <= len(behind)
        level, known, other = (ahead, came, goes) if forward else (behind, goes, came)
        lists, found = after if forward else before, list[int]()
        for v in level:
            for w in lists[v]:
                if w not in known:
                    known[w] = v
                    found.append(w)
                if w in other:
                    return [*_chain(came, w)[::-1], *_chain(goes, w)[1:]]
        if forward:
            ahead = found
        else:
            behind = found


def _chain(origin: dict[int, int], last: int) -> list[int]:
    """Return a cluster, the one it was reached from, and so on."""
    found = [last]
    while origin[found[-1]] >= 0:
        found.append(origin[found[-1]])
    return found
