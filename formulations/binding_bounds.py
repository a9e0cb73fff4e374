"""Lower bounds on spike-hops (B0a), by name; each holds for every binding that respects the slots.

``gilmore-lawler``
    Cluster a on tile t pays at least half of: its flows, largest first, times the hops from t to
    the free places, nearest first. The cheapest assignment of clusters to places bounds the sum
    (each flow is counted at both its ends) [1]_.
``min-cut``
    On a mesh, hops are crossed lines between columns or rows. A line that cannot have all clusters
    on one side for lack of places is crossed by a cut of the flow graph, at least the least one.
``degrees`` (B7)
    A cluster has few places near: at most 4 at one hop, 8 at two, ... The same for all pairs of a
    set: k clusters in k places are at least sigma(k) hops apart in all. A linear program over the
    distances of all pairs with these rows, triangle inequalities (unless a hop matrix breaks one)
    and, where each place is a tile of a mesh, even perimeters of triangles (spreading metrics
    [2]_). The bound is recomputed from rounded duals in whole numbers, hence exact whatever the
    solver's tolerances.

References
----------
.. [1] P. C. Gilmore, "Optimal and suboptimal algorithms for the quadratic assignment problem",
   SIAM Journal 10, 1962; E. L. Lawler, Management Science 9, 1963.
.. [2] G. Even, J. Naor, S. Rao, B. Schieber, "Divide-and-conquer approximation algorithms via
   spreading metrics", Journal of the ACM 47, 2000.
"""

from __future__ import annotations

import networkx as nx
import numpy as np
from scipy.optimize import linear_sum_assignment

from formulations.binding_sets import BindingSets
from formulations.binding_spreading import MAX_EXACT, spreading_bound
from formulations.stopwatch import Stopwatch
from optmap.evaluate.bounds import Bound
from optmap.snn import IntArray

#: Beyond so many places no assignment is solved.
MAX_PLACES = 5000

SCOPE = "clustering, any binding within the slots"


def hop_bounds(sets: BindingSets, watch: Stopwatch) -> tuple[Bound, ...]:
    """Return the bounds that apply; hop matrices that are not symmetric have the first only."""
    if not sets.flows:
        return (Bound("none", 0, SCOPE),)
    found = [Bound("gilmore-lawler", gilmore_lawler(sets), SCOPE)]
    if sets.on_mesh:
        found.append(Bound("min-cut", min_cut(sets), SCOPE))
    hops = sets.platform.hops
    if (hops == hops.T).all():
        found.append(Bound("degrees", spreading_bound(sets, watch), SCOPE))
    return tuple(found)


def places(sets: BindingSets) -> IntArray:
    """Return the tile of every place: min(slots, K) places a tile."""
    num = len(sets.clusters)
    slots = [num if t.slots is None else min(t.slots, num) for t in sets.platform.tiles]
    return np.repeat(np.arange(len(slots)), slots)


def gilmore_lawler(sets: BindingSets) -> int:
    """Return the Gilmore-Lawler bound, in whole numbers; 0 where a tile can hold everything.

    And where costs would leave the whole numbers that doubles hold, in which the assignment is
    solved.
    """
    tile, num = places(sets), len(sets.clusters)
    if len(tile) < num or len(tile) > MAX_PLACES or np.bincount(tile).max() >= num:
        return 0
    hops = sets.platform.hops
    if 2 * sum(sets.flows.values()) * int(hops.max()) > MAX_EXACT:  # each flow has two ends
        return 0
    flow = np.zeros((num, num), dtype=np.int64)
    for (a, b), f in sets.flows.items():
        flow[a, b] = f
    sides = [(flow, hops), (flow.T, hops.T)]
    if (hops == hops.T).all():  # then flows stand once, for both directions
        sides = [(flow + flow.T, hops)]
    cost = np.zeros((num, len(tile)), dtype=np.int64)
    for flows, distance in sides:
        degree = int((flows > 0).sum(axis=1).max())
        largest = -np.sort(-flows, axis=1)[:, :degree]
        # a place is 0 hops from itself: the first of its row is itself or one beside it
        nearest = np.sort(distance[np.ix_(tile, tile)], axis=1)[:, 1 : degree + 1]
        cost += largest @ nearest.T
    cluster, place = linear_sum_assignment(cost)
    return -(-int(cost[cluster, place].sum()) // 2)


def min_cut(sets: BindingSets) -> int:
    """Return the number of lines that must be crossed, times the least cut."""
    graph = nx.Graph()
    graph.add_nodes_from(sets.clusters)
    for (a, b), f in sets.flows.items():
        graph.add_edge(a, b, weight=f)
    if not nx.is_connected(graph):
        return 0
    least, _ = nx.stoer_wagner(graph)
    tile = places(sets)
    num, lines = len(sets.clusters), 0
    for place, size in ((tile % sets.width, sets.width), (tile // sets.width, sets.height)):
        for c in range(1, size):
            lines += bool((place < c).sum() < num and (place >= c).sum() < num)
    return int(least) * lines
