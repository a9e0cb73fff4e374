"""Every decomposition, clustering, binding and order of a tiny case; the judge's graph decides.

What is enumerated, and why no optimum is lost (clusters, traffic, spike-hops, energy and period,
with and without prologue, in both token modes):

- A decomposition of one neuron is a rooted tree: leaves are its sources, inner nodes its units,
  each with two to R children (:func:`optmap.model.decomposition.violations` refuses a unit of a
  split neuron that reads one thing only: it sums nothing). For f sources these are finitely many:
  with f - 2 inserted units at most; f = 3, 4, 5 has 4, 26, 236 trees before R cuts some.
- ``split="needed"`` splits the neurons whose fan-in exceeds R, which must be; ``split="any"`` tries
  all trees of all neurons, as a flow may that splits what would fit. The second set holds the
  first, and its optimum can be smaller: a unit that takes one row in place of three saves a
  cluster.
- An inserted unit q in the cluster of its reader p is left out. Let p read q's sources instead of
  q: the cluster loses q's row and column, and reads s_q fewer spikes, while the sources of q stand
  on its rows already (so p's fan-in stays within R); p's own sum, and with it every channel, its
  rate and its tokens stay. One unit, its spikes and one synapse fewer are fired, so that no metric
  grows. Where the platform limits what one unit reads below R, p may not read so much: there all
  are tried.
- Nothing else is left out. Two inserted units of one neuron in one cluster, or an inserted unit of
  silent sources, can pay: they may carry a channel that closes a cycle of clusters, which holds
  tokens in mode ``dataflow``.

Clusters are numbered by their first unit. A binding must hold slots, crossbars and buffers; orders
are enumerated by :mod:`scheduling_oracle`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np
from oracles import fits_some, set_partitions
from scheduling_oracle import best_period, feasible_bindings

from optmap.decomposing.contract import decompose
from optmap.errors import CapacityError
from optmap.judge.binding_aware_graph import refuse_short_buffers
from optmap.judge.metrics import computing_energy, energy, max_tile_load, spike_hops, traffic
from optmap.model.cluster_graph import ClusterGraph, cluster_graph
from optmap.model.decomposition import Decomposition, custom
from optmap.model.mapping import Binding, Clustering, Mapping, StaticOrders
from optmap.model.platform import Crossbar, Energy, Interconnect, Platform, Tile
from optmap.model.snn import SNN, from_edges

#: A source, or the children of an inner node.
Tree = int | tuple["Tree", ...]


def trees(sources: list[int], rows: int) -> Iterator[tuple[Tree, ...]]:
    """Yield every tree over ``sources`` whose inner nodes have two to ``rows`` children."""
    if len(sources) < 2:
        yield tuple(sources)
        return
    for labels in set_partitions(len(sources)):
        if not 2 <= max(labels) + 1 <= rows:
            continue
        blocks: list[list[int]] = [[] for _ in range(max(labels) + 1)]
        for source, label in zip(sources, labels, strict=True):
            blocks[label].append(source)
        below = [[b[0]] if len(b) == 1 else list(trees(b, rows)) for b in blocks]
        yield from product(*below)


def decompositions(snn: SNN, rows: int, split: str = "needed") -> Iterator[Decomposition]:
    """Yield every decomposition of ``snn`` for ``rows`` rows, the plain one first if it fits."""
    least = {"needed": rows, "any": 2}[split]
    wide = [j for j in range(snn.num_neurons) if snn.fan_in[j] > least]
    choices = [sorted(trees(snn.sources_of(j).tolist(), rows), key=_inner) for j in wide]
    for chosen in product(*choices):
        inserted: list[tuple[int, list[int]]] = []
        replaced = {}
        for j, tree in zip(wide, chosen, strict=True):
            if _inner(tree):
                replaced[j] = [_insert(child, j, inserted, snn.num_neurons) for child in tree]
        yield custom(snn, rows, inserted, replaced) if inserted else decompose(snn, rows, "none")


def _inner(tree: Tree) -> int:
    """Count the inserted units below the root."""
    return 0 if isinstance(tree, int) else sum(_inner(t) + isinstance(t, tuple) for t in tree)


def _insert(tree: Tree, owner: int, inserted: list[tuple[int, list[int]]], first: int) -> int:
    """Append the units of a subtree, children first; return what its reader reads."""
    if isinstance(tree, int):
        return tree
    reads = [_insert(child, owner, inserted, first) for child in tree]
    inserted.append((owner, reads))
    return first + len(inserted) - 1


def clusterings(
    decomposition: Decomposition, platform: Platform, absorb: bool = True
) -> Iterator[Clustering]:
    """Yield every clustering that fits; with ``absorb``, no inserted unit beside its reader."""
    network, n = decomposition.network, decomposition.num_neurons
    units = network.units.tolist()
    reads = [set(network.sources_of(u).tolist()) for u in units]
    kinds = list(platform.kinds)
    apart = [(p, units.index(q)) for p in range(len(units)) for q in reads[p] if q >= n]
    for labels in set_partitions(len(units)):
        if absorb and any(labels[p] == labels[q] for p, q in apart):
            continue
        groups: dict[int, list[int]] = {}
        for u, k in enumerate(labels):
            groups.setdefault(k, []).append(u)
        if all(fits_some(reads, group, kinds) for group in groups.values()):
            yield Clustering(np.array(labels, dtype=np.int32))


@dataclass(frozen=True)
class Placed:
    """A mapping without its orders."""

    decomposition: Decomposition
    clustering: Clustering
    graph: ClusterGraph
    binding: Binding


def clustered(
    snn: SNN, platform: Platform, tokens: str, split: str = "needed"
) -> Iterator[tuple[Decomposition, Clustering, ClusterGraph]]:
    """Yield every decomposition with every clustering whose channels do not deadlock."""
    widest = min(platform.max_rows, platform.fan_in or platform.max_rows)
    for decomposition in decompositions(snn, widest, split):
        for clustering in clusterings(decomposition, platform, widest == platform.max_rows):
            graph = cluster_graph(decomposition, clustering, platform, tokens)
            try:
                refuse_short_buffers(graph, platform)
            except CapacityError:
                continue
            yield decomposition, clustering, graph


def placed(snn: SNN, platform: Platform, tokens: str, split: str = "needed") -> Iterator[Placed]:
    """Yield every decomposition, clustering and binding that has valid orders."""
    for decomposition, clustering, graph in clustered(snn, platform, tokens, split):
        for binding in feasible_bindings(graph, platform):
            yield Placed(decomposition, clustering, graph, binding)


def least_period(
    snn: SNN,
    platform: Platform,
    tokens: str,
    *,
    prologue: bool = False,
    split: str = "needed",
    limit: Fraction | None = None,
) -> Fraction | None:
    """Return the least period over all mappings; None if none fits or is below ``limit``.

    Seconds grow with trees times Bell numbers times T to the clusters: six units on two tiles take
    0.1 s; a prologue takes some 100 times longer from six clusters on.
    """
    best, tiles = limit, platform.num_tiles
    for _, _, graph in clustered(snn, platform, tokens, split):
        tau = graph.tau.tolist()
        if best is not None and max(max(tau), -(-sum(tau) // tiles)) >= best:
            continue
        for binding in feasible_bindings(graph, platform):
            if best is not None and max_tile_load(graph, binding, platform) >= best:
                continue
            found = best_period(graph, platform, binding, prologue=prologue, limit=best)
            best = best if found is None else found
    return best if best != limit else None


def least(
    snn: SNN, platform: Platform, tokens: str, metrics: tuple[str, ...], split: str = "needed"
) -> dict[str, int | Fraction | None]:
    """Return the least value of each metric that no order changes; None if nothing fits.

    Parameters
    ----------
    metrics : tuple of str
        Of ``clusters``, ``traffic``, ``spike_hops``, ``energy_pj``; one pass serves all.
    """
    best: dict[str, int | Fraction | None] = dict.fromkeys(metrics)
    no_binding_changes = {"clusters", "traffic"}
    if platform.energy == Energy():
        no_binding_changes.add("energy_pj")
    for decomposition, clustering, graph in clustered(snn, platform, tokens, split):
        asked = set(metrics)
        for binding in feasible_bindings(graph, platform):
            case = Placed(decomposition, clustering, graph, binding)
            for metric in asked:
                value, known = _VALUES[metric](case, platform), best[metric]
                best[metric] = value if known is None else min(known, value)
            asked -= no_binding_changes
            asked -= {m for m in asked if m == "spike_hops" and best[m] == 0}
            if not asked:
                break
    return best


def _energy(case: Placed, platform: Platform) -> Fraction:
    empty = StaticOrders(((),) * platform.num_tiles)  # no order changes the energy
    mapping = Mapping(case.decomposition, case.clustering, case.binding, empty)
    assert computing_energy(case.decomposition, platform)[0] >= 0
    return energy(mapping, case.graph, platform).total_pj


_VALUES = {
    "clusters": lambda case, platform: case.clustering.num_clusters,
    "traffic": lambda case, platform: traffic(case.decomposition, case.clustering).total,
    "spike_hops": lambda case, platform: spike_hops(case.graph, platform, case.binding),
    "energy_pj": _energy,
}


def random_whole_case(seed: int, most_units: int = 6) -> tuple[SNN, Platform, str]:
    """Return a network of up to ``most_units`` units, one or two tiles, and a token mode.

    In every third case (by seed) some fan-in exceeds the rows, so that fewer neurons are drawn.
    """
    rng = np.random.default_rng(seed + 50_000)
    wide = seed % 3 == 0
    rows = int(rng.integers(2, 4)) if wide else int(rng.integers(3, 6))
    units = int(rng.integers(1, (4 if wide else most_units) + 1))
    inputs = int(rng.integers(rows if wide else 1, rows + 2 if wide else 5))
    n = inputs + units
    pre, post = [], []
    over = int(rng.integers(units)) if wide else -1
    for u in range(units):
        size = min(n, rows + 1) if u == over else int(rng.integers(1, min(rows, 4, n) + 1))
        for i in rng.choice(n, size=size, replace=False).tolist():
            if u != over and rng.random() < 0.5 and i > inputs + u:  # mostly forward
                i = int(rng.integers(inputs + u + 1))
            pre.append(i)
            post.append(inputs + u)
    columns = int(rng.integers(1, 4))
    tiles = 1 if rng.random() < 0.15 else 2
    alike = rng.random() < 0.6
    slots = None if rng.random() < 0.7 else int(rng.integers(2, 5))
    buffer = None if rng.random() < 0.8 else int(rng.integers(20, 60))

    def tile(t: int) -> Tile:
        less = 0 if alike or t == 0 else 1
        return Tile(Crossbar(max(2, rows - less), max(1, columns - less)), buffer, buffer, slots)

    return (
        from_edges(pre, post, n, spikes=rng.integers(0, 6, size=n)),
        Platform(
            "random",
            tuple(tile(t) for t in range(tiles)),
            Interconnect("mesh", tiles, 1),
            hop_ticks=int(rng.integers(0, 4)),
            ni_tokens_per_tick=Fraction(int(rng.integers(1, 4)), int(rng.integers(1, 3))),
            base_ticks=int(rng.integers(1, 6)),
            event_ticks=int(rng.integers(0, 3)),
            switch_ticks=int(rng.choice([0, 0, 2])),
        ),
        str(rng.choice(["dataflow", "pipelined"])),
    )
