"""Lower bounds on spike-hops (B0a) that need no solver; for every binding that respects the slots.

``gilmore-lawler``
    Cluster a on tile t pays at least half of: its flows, largest first, times the hops from t to
    the free places, nearest first. The cheapest assignment of clusters to places bounds the sum
    (each flow is counted at both its ends) [1]_.
``min-cut``
    On a mesh, hops are crossed lines between columns or rows. A line that cannot have all clusters
    on one side for lack of places is crossed by a cut of the flow graph, at least the least one.

Where one tile has places for all clusters, the least is 0 and nothing is said.

References
----------
.. [1] P. C. Gilmore, "Optimal and suboptimal algorithms for the quadratic assignment problem",
   SIAM Journal 10, 1962; E. L. Lawler, Management Science 9, 1963.
"""

from __future__ import annotations

import numpy as np

from optmap.bounds.bound import Bound
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.grade import Grade
from optmap.model.interconnect import MAX_MATRIX_TILES
from optmap.model.platform import Platform
from optmap.model.snn import IntArray

#: Beyond so many places no assignment is solved, beyond clusters times flows no cut is sought.
MAX_PLACES, MAX_CUT = 5000, 1_000_000

#: Whole numbers up to here are doubles, in which the assignment is solved.
MAX_EXACT = 2**53


def hop_bounds(graph: ClusterGraph, platform: Platform) -> tuple[Bound, ...]:
    """Return the bounds that say something."""
    found = {"gilmore-lawler": gilmore_lawler(graph, platform), "min-cut": min_cut(graph, platform)}
    return tuple(
        Bound("spike_hops", name, value, graph.scope, Grade.CERTIFIED)
        for name, value in found.items()
        if value
    )


def flows(graph: ClusterGraph, platform: Platform) -> dict[tuple[int, int], int]:
    """Return f_ab > 0 by pair: unordered (a < b, both directions added) on symmetric hops."""
    found: dict[tuple[int, int], int] = {}
    net = platform.interconnect
    symmetric = net.kind != "matrix" or bool((platform.hops == platform.hops.T).all())
    rows = (graph.source, graph.target, graph.spikes)
    for a, b, f in zip(*(r.tolist() for r in rows), strict=True):
        pair = (min(a, b), max(a, b)) if symmetric else (a, b)
        if f:
            found[pair] = found.get(pair, 0) + f
    return found


def places(graph: ClusterGraph, platform: Platform) -> IntArray:
    """Return the tile of every place: min(slots, K) places a tile."""
    num = graph.num_clusters
    slots = [num if t.slots is None else min(t.slots, num) for t in platform.tiles]
    return np.repeat(np.arange(len(slots)), slots)


def gilmore_lawler(graph: ClusterGraph, platform: Platform) -> int:
    """Return the Gilmore-Lawler bound, in whole numbers; 0 where a tile can hold everything.

    And where there are too many tiles for a matrix, or costs would leave the whole numbers that
    doubles hold, in which the assignment is solved.
    """
    if platform.num_tiles > MAX_MATRIX_TILES:
        return 0
    tile, num = places(graph, platform), graph.num_clusters
    if len(tile) < num or len(tile) > MAX_PLACES or not num or np.bincount(tile).max() >= num:
        return 0
    between, hops = flows(graph, platform), platform.hops
    if not between or 2 * sum(between.values()) * int(hops.max()) > MAX_EXACT:  # a flow has 2 ends
        return 0
    flow = np.zeros((num, num), dtype=np.int64)
    for (a, b), f in between.items():
        flow[a, b] = f
    sides = [(flow, hops), (flow.T, hops.T)]
    if (hops == hops.T).all():  # then flows stand once, for both directions
        sides = [(flow + flow.T, hops)]
    cost = np.zeros((num, len(tile)), dtype=np.int64)
    for of_cluster, distance in sides:
        degree = int((of_cluster > 0).sum(axis=1).max())
        largest = -np.sort(-of_cluster, axis=1)[:, :degree]
        # a place is 0 hops from itself: the first of its row is itself or one beside it
        nearest = np.sort(distance[np.ix_(tile, tile)], axis=1)[:, 1 : degree + 1]
        cost += largest @ nearest.T
    from scipy.optimize import linear_sum_assignment  # 0.2 s to load

    cluster, place = linear_sum_assignment(cost)
    return -(-int(cost[cluster, place].sum()) // 2)


def min_cut(graph: ClusterGraph, platform: Platform) -> int:
    """Return the number of lines that must be crossed, times the least cut; 0 but on a mesh."""
    num, lines = graph.num_clusters, lines_crossed(graph, platform)
    between = flows(graph, platform) if lines else {}
    if not between or num * len(between) > MAX_CUT:
        return 0
    import networkx as nx  # 0.1 s to load

    flow = nx.Graph()
    flow.add_nodes_from(range(num))
    for (a, b), f in between.items():
        flow.add_edge(a, b, weight=f)
    if not nx.is_connected(flow):
        return 0
    least, _ = nx.stoer_wagner(flow)
    return int(least) * lines


def lines_crossed(graph: ClusterGraph, platform: Platform) -> int:
    """Return how many lines between columns or rows of a mesh have clusters on both sides."""
    if platform.interconnect.kind != "mesh":
        return 0
    num, lines = graph.num_clusters, 0
    width, height = platform.interconnect.width or 1, platform.interconnect.height or 1
    held = np.array([num if t.slots is None else min(t.slots, num) for t in platform.tiles])
    for axis in (0, 1):  # places in each column, then in each row
        before = np.cumsum(held.reshape(height, width).sum(axis=axis))
        lines += int(((before[:-1] < num) & (before[-1] - before[:-1] < num)).sum())
    return lines
