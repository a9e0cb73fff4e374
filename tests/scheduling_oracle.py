"""Every binding, every order, every prologue within reach; the evaluator is the judge.

The only thing taken for granted is that an edge never lowers the period, so that a partial order
that is no better than the best complete one need not be completed.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations, product

import numpy as np

from optmap.errors import DeadlockError
from optmap.judge.binding_aware_graph import BindingAwareGraph, Reason, lower
from optmap.judge.check import buffer_violations
from optmap.model.capacity import SLICES, stated
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding, StaticOrders
from optmap.model.platform import Platform
from optmap.sdf.cycle_ratio import maximum_cycle_ratio
from optmap.sdf.marked_graph import MarkedGraph

#: (tasks in order, their offsets)
Round = tuple[tuple[int, ...], tuple[int, ...]]


def best_period(
    graph: ClusterGraph,
    platform: Platform,
    binding: Binding,
    *,
    prologue: bool = False,
    limit: Fraction | None = None,
) -> Fraction | None:
    """Return the least period over all orders, sends too; None if none is below ``limit``."""
    bound = lower(graph, platform, binding, _some_orders(binding, platform))
    kept = bound.reason <= Reason.BUFFER
    g = bound.graph
    edges = [
        tuple(row)
        for row in zip(
            *(c[kept].tolist() for c in (g.source, g.target, g.delay, g.tokens)), strict=True
        )
    ]
    groups = [r for r in _resources(bound, binding, platform) if len(r) > 1]
    reach = _reach(g.num_actors, edges) if prologue else 0
    time = bound.time.tolist()
    best = limit

    def descend(depth: int, edges: list[tuple[int, ...]]) -> None:
        nonlocal best
        value = _ratio(g.num_actors, edges)
        if value is None or (best is not None and value >= best):
            return
        if depth == len(groups):
            best = value
            return
        for order, offsets in _rounds(groups[depth], reach, prologue):
            ring = zip(
                order, order[1:] + order[:1], offsets, offsets[1:] + offsets[:1], strict=True
            )
            more = [[a, b, time[a], ob - oa] for a, b, oa, ob in ring]
            more[-1][3] += 1
            descend(depth + 1, edges + [tuple(e) for e in more])

    descend(0, edges)
    return best if best != limit else None


def best_joint_period(
    graph: ClusterGraph, platform: Platform, *, prologue: bool = False
) -> Fraction | None:
    """Return the least period over all bindings that fit and their orders; None if none fits."""
    best = None
    for binding in feasible_bindings(graph, platform):
        found = best_period(graph, platform, binding, prologue=prologue, limit=best)
        best = best if found is None else found
    return best


def holds(graph: ClusterGraph, platform: Platform, a: int, t: int) -> bool:
    """Tell, limit by limit, whether tile t can hold cluster a."""
    tile = platform.tiles[t]
    needs = [(graph.rows[a], tile.crossbar.rows)]
    needs += [(graph.columns[a] * platform.cells_per_synapse, tile.crossbar.columns)]
    needs += [(graph.axons_out[a], tile.axons_out), (graph.fan_out[a], tile.fan_out)]
    for limit, need in zip(stated(platform), graph.needs[:, a], strict=False):
        cells = tile.crossbar.columns // platform.cells_per_synapse
        named = dict(platform.population_neurons).get(limit.population or "")
        most = cells if limit is SLICES else named or getattr(tile, limit.field)
        needs += [(need, most)]
    return tile.slots != 0 and all(have is None or need <= have for need, have in needs)


def feasible_bindings(graph: ClusterGraph, platform: Platform) -> Iterator[Binding]:
    """Yield the bindings whose slots, crossbars and buffers suffice."""
    slots = [tile.slots for tile in platform.tiles]
    buffered = any(
        t.input_buffer is not None or t.output_buffer is not None for t in platform.tiles
    )
    fitting = [
        [t for t in range(platform.num_tiles) if holds(graph, platform, a, t)]
        for a in range(graph.num_clusters)
    ]
    for tiles in product(*fitting):
        if any(s is not None and tiles.count(t) > s for t, s in enumerate(slots)):
            continue
        binding = Binding(np.array(tiles, dtype=np.int32))
        if not (buffered and buffer_violations(graph, platform, binding)):
            yield binding


def _some_orders(binding: Binding, platform: Platform) -> StaticOrders:
    lists = [np.flatnonzero(binding.tile_of == t).tolist() for t in range(platform.num_tiles)]
    return StaticOrders(tuple(map(tuple, lists)))


def _resources(bound: BindingAwareGraph, binding: Binding, platform: Platform) -> list[list[int]]:
    k, graph = bound.clusters.num_clusters, bound.clusters
    groups: list[list[int]] = [[] for _ in range(2 * platform.num_tiles)]
    for a in range(k):
        groups[binding.tile_of[a]].append(a)
    for i, e in enumerate(bound.send_channel):
        groups[platform.num_tiles + binding.tile_of[graph.source[e]]].append(k + i)
    return groups


def _rounds(group: list[int], reach: int, prologue: bool) -> Iterator[Round]:
    """Yield every order; with prologue every rotation class with every offset up to ``reach``."""
    if not prologue:
        for order in permutations(group):
            yield order, (0,) * len(order)
        return
    first, *others = group
    for rest in permutations(others):
        for offsets in product(range(reach + 1), repeat=len(group)):
            if min(offsets) == 0:
                yield (first, *rest), offsets


def _reach(num_tasks: int, edges: list[tuple[int, ...]]) -> int:
    """Return how many rounds one task can run ahead of another: fewest tokens between them."""
    far = 10**6
    tokens = np.full((num_tasks, num_tasks), far)
    np.fill_diagonal(tokens, 0)
    for a, b, _, n in edges:
        tokens[a, b] = min(tokens[a, b], n)
    for k in range(num_tasks):
        tokens = np.minimum(tokens, tokens[:, [k]] + tokens[[k], :])
    return int(tokens[tokens < far].max()) + 1


def _ratio(num_tasks: int, edges: list[tuple[int, ...]]) -> Fraction | None:
    source, target, delay, tokens = zip(*edges, strict=True)
    try:
        ratio, _ = maximum_cycle_ratio(
            MarkedGraph(num_tasks, *(np.array(c) for c in (source, target, delay, tokens)))
        )
    except DeadlockError:
        return None
    return ratio
