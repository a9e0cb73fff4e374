"""Small random networks, platforms and mappings, drawn from one seeded ``random.Random``.

Hypothesis can shrink them: give it ``strategies.randoms(use_true_random=False)``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random

import networkx as nx
import numpy as np

from optmap.decomposing.contract import decompose
from optmap.judge.binding_aware_graph import derived_sends
from optmap.model.cluster_graph import ClusterGraph, cluster_graph
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Binding, Mapping, StaticOrders, compact
from optmap.model.platform import Area, Crossbar, Energy, Interconnect, Platform, Tile
from optmap.model.snn import SNN, Population, from_edges


@dataclass(frozen=True)
class Case:
    """A network, a platform, a mapping of one onto the other, and the token mode."""

    snn: SNN
    platform: Platform
    mapping: Mapping
    tokens: str

    @property
    def graph(self) -> ClusterGraph:
        """The actors and channels of the mapping's clustering."""
        mapping = self.mapping
        return cluster_graph(mapping.decomposition, mapping.clustering, self.platform, self.tokens)

    def with_orders(self, orders: StaticOrders) -> Case:
        """Return the case with other orders."""
        return replace(self, mapping=replace(self.mapping, orders=orders))


def random_network(random: Random, most_neurons: int = 9) -> SNN:
    """Return inputs and neurons with forward, recurrent and self synapses; some never spike."""
    inputs, neurons = random.randint(0, 3), random.randint(1, most_neurons)
    n = inputs + neurons
    recurrent = random.choice((0.0, 0.1))
    pairs = [
        (i, j)
        for j in range(inputs, n)
        for i in range(n)
        if random.random() < (0.35 if i < j else recurrent)
    ] or [(n - 1, n - 1)]
    populations = [Population("hidden", inputs, n - 1)]
    if inputs:
        populations.insert(0, Population("pixels", 0, inputs - 1))
    return from_edges(
        [i for i, _ in pairs],
        [j for _, j in pairs],
        n,
        spikes=[random.choice((0, 0, 1, 2, 5, 9)) for _ in range(n)],
        populations=populations,
    )


def random_interconnect(random: Random) -> Interconnect:
    """Return a mesh, a torus or an asymmetric hop matrix of one to six tiles."""
    kind = random.choice(("mesh", "torus", "matrix"))
    if kind == "matrix":
        size = random.randint(1, 4)
        return Interconnect(
            kind,
            matrix=tuple(
                tuple(0 if s == t else random.randint(1, 5) for t in range(size))
                for s in range(size)
            ),
        )
    width, height = random.choice(((1, 1), (2, 1), (3, 1), (1, 4), (2, 2), (3, 2)))
    return Interconnect(kind, width, height)


def random_platform(random: Random, rows: int, columns: int) -> Platform:
    """Return a platform whose every crossbar takes ``rows`` and ``columns`` units."""
    net = random_interconnect(random)
    cells = random.randint(1, 2)
    extra = [random.randint(0, 2) for _ in range(net.num_tiles)]
    return Platform(
        "random",
        tuple(Tile(Crossbar(rows + e, (columns + e) * cells)) for e in extra),
        net,
        hop_ticks=random.randint(0, 3),
        ni_tokens_per_tick=Fraction(random.randint(1, 5), random.randint(1, 3)),
        base_ticks=random.randint(1, 8),
        event_ticks=random.randint(0, 2),
        switch_ticks=random.choice((0, 0, 3)),
        cells_per_synapse=cells,
        buffer_windows=random.randint(2, 4),
        energy=Energy(*(Fraction(random.randint(0, 9), 3) for _ in range(4))),
        area=Area(*(Fraction(random.randint(0, 9), 2) for _ in range(3))),
    )


def global_order(graph: ClusterGraph, random: Random) -> list[int]:
    """Return a random order of all clusters that is topological along token-free channels."""
    waits = nx.DiGraph()
    waits.add_nodes_from(range(graph.num_clusters))
    waits.add_edges_from(
        (int(a), int(b))
        for a, b, i in zip(graph.source, graph.target, graph.initial, strict=True)
        if i == 0
    )
    left = {k: waits.in_degree(k) for k in waits}
    order: list[int] = []
    while left:
        k = random.choice(sorted(k for k, missing in left.items() if missing == 0))
        del left[k]
        order.append(k)
        for b in waits[k]:
            left[b] -= 1
    return order


def projected(order: list[int], binding: Binding, num_tiles: int) -> tuple[tuple[int, ...], ...]:
    """Return each tile's part of one global order."""
    return tuple(tuple(k for k in order if binding.tile_of[k] == t) for t in range(num_tiles))


def random_case(
    random: Random,
    *,
    most_neurons: int = 9,
    tokens: str | None = None,
    wild_orders: bool = False,
    prologue: bool = False,
) -> Case:
    """Return a mapping that fits its platform; it deadlocks only if asked to be wild.

    Parameters
    ----------
    random : Random
        The only source of chance.
    wild_orders : bool
        Orders and send orders are any permutations, so that some cases deadlock; otherwise they
        are the projections of one valid global order, with derived sends.
    prologue : bool
        Entries carry offsets 0 to 2; some cases deadlock.
    """
    snn = random_network(random, most_neurons)
    decomposition = _random_decomposition(random, snn)
    clustering = compact([random.randint(0, 4) for _ in range(decomposition.num_units)])
    tokens = tokens or random.choice(("dataflow", "pipelined"))
    platform = random_platform(
        random, _rows_needed(decomposition, clustering.cluster_of), int(clustering.sizes.max())
    )
    tiles = platform.num_tiles
    binding = Binding(np.array([random.randrange(tiles) for _ in range(clustering.num_clusters)]))
    graph = cluster_graph(decomposition, clustering, platform, tokens)
    orders = StaticOrders(projected(global_order(graph, random), binding, tiles))
    if wild_orders:
        orders = StaticOrders(_shuffled(random, orders.clusters))
        if random.random() < 0.7:
            sends = _shuffled(random, derived_sends(graph, binding, orders))
            orders = replace(orders, sends=sends)
    if prologue:
        sends = derived_sends(graph, binding, orders) if orders.sends is None else orders.sends
        orders = replace(
            orders,
            offsets=_offsets(random, orders.clusters),
            sends=sends,
            send_offsets=_offsets(random, sends),
        )
    return Case(snn, platform, Mapping(decomposition, clustering, binding, orders), tokens)


def _random_decomposition(random: Random, snn: SNN) -> Decomposition:
    rows = random.choice((2, 3, 4, max(2, snn.max_fan_in)))
    return decompose(snn, rows, random.choice(("chain", "tree")))


def _rows_needed(decomposition: Decomposition, cluster_of: np.ndarray) -> int:
    network, read = decomposition.network, {}
    for unit, cluster in zip(network.units, cluster_of, strict=True):
        read.setdefault(int(cluster), set()).update(network.sources_of(unit).tolist())
    return max(decomposition.rows, *(len(sources) for sources in read.values()))


def _shuffled(random: Random, rows):
    return tuple(tuple(random.sample(row, len(row))) for row in rows)


def _offsets(random: Random, rows):
    return tuple(tuple(random.choice((0, 0, 0, 1, 2)) for _ in row) for row in rows)
