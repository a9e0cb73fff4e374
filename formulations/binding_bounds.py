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
    distances of all pairs with these rows, triangle inequalities and, where each place is a tile of
    a mesh, even perimeters of triangles (spreading metrics [2]_). The bound is recomputed from
    rounded duals in whole numbers, hence exact whatever the solver's tolerances.

References
----------
.. [1] P. C. Gilmore, "Optimal and suboptimal algorithms for the quadratic assignment problem",
   SIAM Journal 10, 1962; E. L. Lawler, Management Science 9, 1963.
.. [2] G. Even, J. Naor, S. Rao, B. Schieber, "Divide-and-conquer approximation algorithms via
   spreading metrics", Journal of the ACM 47, 2000.
"""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx
import numpy as np
from scipy.optimize import linear_sum_assignment

from formulations.binding_sets import BindingSets
from formulations.binding_spreading import spreading_bound
from formulations.stopwatch import Stopwatch
from optmap.evaluate.bounds import Bound
from optmap.snn import IntArray

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


def places(sets: BindingSets) -> list[int]:
    """Return the tile of every place: min(slots, K) places a tile."""
    num = len(sets.clusters)
    slots = (num if t.slots is None else min(t.slots, num) for t in sets.platform.tiles)
    return [t for t, count in enumerate(slots) for _ in range(count)]


def gilmore_lawler(sets: BindingSets) -> int:
    """Return the Gilmore-Lawler bound, in whole numbers."""
    tile_of_place = np.array(places(sets), dtype=np.int64)
    if len(tile_of_place) < len(sets.clusters):
        return 0  # nothing fits: every number bounds nothing
    hops = sets.platform.hops
    out: list[list[int]] = [[] for _ in sets.clusters]
    into: list[list[int]] = [[] for _ in sets.clusters]
    for (a, b), f in sets.flows.items():
        out[a].append(f)
        into[b].append(f)
    symmetric = bool((hops == hops.T).all())
    cost = np.zeros((len(sets.clusters), len(tile_of_place)), dtype=np.int64)
    for p, t in enumerate(tile_of_place):
        others = np.delete(tile_of_place, p)
        away, back = np.sort(hops[t, others]), np.sort(hops[others, t])
        for a in sets.clusters:
            if symmetric:
                cost[a, p] = _matched(out[a] + into[a], away)
            else:
                cost[a, p] = _matched(out[a], away) + _matched(into[a], back)
    cluster, place = linear_sum_assignment(cost)
    return -(-int(cost[cluster, place].sum()) // 2)


def _matched(flows: Sequence[int], hops: IntArray) -> int:
    """Return the least sum of products: largest flow, nearest place."""
    largest = sorted(flows, reverse=True)
    return sum(f * int(h) for f, h in zip(largest, hops[: len(largest)], strict=True))


def min_cut(sets: BindingSets) -> int:
    """Return the number of lines that must be crossed, times the least cut."""
    graph = nx.Graph()
    graph.add_nodes_from(sets.clusters)
    for (a, b), f in sets.flows.items():
        graph.add_edge(a, b, weight=f)
    if not nx.is_connected(graph):
        return 0
    least, _ = nx.stoer_wagner(graph)
    tile = np.array(places(sets), dtype=np.int64)
    num, lines = len(sets.clusters), 0
    for place, size in ((tile % sets.width, sets.width), (tile // sets.width, sets.height)):
        for c in range(1, size):
            lines += bool((place < c).sum() < num and (place >= c).sum() < num)
    return int(least) * lines
