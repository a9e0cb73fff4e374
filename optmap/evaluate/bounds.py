"""Lower bounds that need no solver (MODEL 4.3), each with the scope it was proved for.

A bound for one decomposition is no bound for another, and a bound for one clustering none for
another; the ``scope`` says which. All are whole numbers by exact integer arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from optmap.decompose import Decomposition
from optmap.evaluate.cluster_graph import ClusterGraph
from optmap.hardware import Platform


@dataclass(frozen=True, slots=True)
class Bound:
    """Nothing within ``scope`` has a smaller value; ``name`` says which argument proves it."""

    name: str
    value: int
    scope: str


def best(bounds: Iterable[Bound]) -> Bound | None:
    """Return the largest bound, the first of equals; None if there is none."""
    return max(bounds, key=lambda b: b.value, default=None)


def cluster_bounds(decomposition: Decomposition, platform: Platform) -> tuple[Bound, ...]:
    """Return lower bounds on the number of clusters, for this decomposition.

    ``columns``: ceil(U / C'). ``rows``: a source read by deg_i units takes a row on at least
    ceil(deg_i / C') crossbars, so that sum_i ceil(deg_i / C') rows are taken in all, of R each.
    Platforms of several kinds of crossbar: with the largest R and the largest C' among them.
    """
    network, scope = decomposition.network, f"decomposition {decomposition.policy}"
    rows, columns = platform.max_rows, platform.max_columns
    taken = int((-(-network.fan_out // columns)).sum())
    return (
        Bound("columns", -(-network.num_units // columns), scope),
        Bound("rows", -(-taken // rows), scope),
    )


def traffic_bounds(decomposition: Decomposition, platform: Platform) -> tuple[Bound, ...]:
    """Return lower bounds on the traffic, for this decomposition and any number of clusters.

    Notes
    -----
    ``readers``: at most C' units share a cluster. An input read by deg_i units is therefore
    delivered to at least ceil(deg_i / C') clusters. A unit i stands in a cluster itself, beside at
    most C' - 1 others, so that at most own_i = C' - 1 of its readers (C' if it reads itself, for
    then it is one of them) need nothing from outside; the other deg_i - own_i are spread over other
    clusters, at most C' in each, and each of these clusters is entered once by every spike of i:
    at least max(0, ceil((deg_i - own_i) / C')) times. The sources' shares add up, since traffic is
    the sum over sources.
    """
    network, columns = decomposition.network, platform.max_columns
    is_unit = network.fan_in > 0
    post = network.post_of_synapse()
    own = np.where(is_unit, columns - 1, 0)
    own[post[post == network.indices]] += 1
    entered = np.maximum(0, -(-(network.fan_out - own) // columns))
    value = sum(
        int(s) * int(e) for s, e in zip(network.spikes, entered, strict=True)
    )  # Python integers: the product of spikes and crossbars may leave int64
    return (
        Bound("readers", value, f"decomposition {decomposition.policy}, any number of clusters"),
    )


def traffic_bound(decomposition: Decomposition, platform: Platform) -> Bound:
    """Return the best of :func:`traffic_bounds`."""
    return max(traffic_bounds(decomposition, platform), key=lambda b: b.value)


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
    scope = "clustering, any binding and order"
    if not tau:
        return (Bound("actor", 0, scope),)
    tiles, switch = platform.num_tiles, platform.switch_ticks
    extra = switch * (len(tau) - (tiles - 1)) if len(tau) > tiles else 0
    found = [Bound("actor", max(tau), scope), Bound("load", -(-(sum(tau) + extra) // tiles), scope)]
    allowed = _tiles_that_fit(graph, platform)
    for tile_set in set(allowed):
        work = sum(t for t, where in zip(tau, allowed, strict=True) if where <= tile_set)
        if tile_set:
            found.append(Bound("load", -(-work // len(tile_set)), scope))
    if len(tau) > tiles:
        longest = sorted(tau, reverse=True)
        pair = longest[tiles - 1] + longest[tiles] + 2 * switch
        found.append(Bound("pair", pair, scope))
    return tuple(found)


def _tiles_that_fit(graph: ClusterGraph, platform: Platform) -> list[frozenset[int]]:
    """Return for each cluster the tiles whose crossbars are large enough."""
    shapes = list(zip(graph.rows.tolist(), graph.columns.tolist(), strict=True))
    known = {
        (r, c): frozenset(t for t in range(platform.num_tiles) if platform.fits(t, r, c))
        for r, c in set(shapes)
    }
    return [known[shape] for shape in shapes]


def period_bound(graph: ClusterGraph, platform: Platform) -> Bound:
    """Return the best of :func:`period_bounds`."""
    return max(period_bounds(graph, platform), key=lambda b: b.value)
