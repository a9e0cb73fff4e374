"""Copies of single clusters: programs that hold a mapping up get a second tile, the others none.

A network of W windows side by side (:mod:`optmap.model.copies`) leaves open which clusters have
copies: where the programs of several windows stand on one tile they take its crossbar in turn;
where they stand on several tiles they are copies that take windows in turn. Pseudo-code::

    map one window by a fast flow; lay all windows over each other on its tiles
    between what copies can reach at best and what none reaches, bisect a load T for each window:
        while a tile or its interface has more than W T: its largest cluster that another tile takes
        goes there, for one of the windows; each window keeps the order of the one that was mapped
        the exact period of what came out says on which side to go on

No copy lowers the work of all tiles, and W copies of a cluster of tau ticks need tau / W a window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from optmap.binding.contract import BINDERS
from optmap.clock import did, now
from optmap.clustering.contract import CLUSTERERS, cluster
from optmap.decomposing.contract import DECOMPOSERS
from optmap.errors import CapacityError
from optmap.judge.check import check
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.copies import one_window
from optmap.model.decomposition import Decomposition, custom_arrays
from optmap.model.mapping import Binding, Clustering, Mapping
from optmap.model.outcome import Limits, Outcome, Status, TracePoint, Value
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IntArray
from optmap.ordering.kernels.order_on_tiles import projected
from optmap.ordering.kernels.single_tile import single_tile_order
from optmap.whole.convert import Placed
from optmap.whole.target import Target

#: What maps one window: decomposition, clustering.
FLOWS = (("spikes", "overlap"), ("spikes", "song2020"))
#: Loads that are tried for a flow, and the units of work that a channel counts for each.
TARGETS, WORK_A_CHANNEL = 10, 2e-6
#: Periods this far above the shortest one are as good, if they take fewer tiles.
NEAR = Fraction(1, 100)


def with_copies(
    snn: SNN,
    platform: Platform,
    tokens: str,
    limits: Limits,
    *,
    objective: str = "period",
    start: Mapping | None = None,
    on_better: Callable[[Outcome[Mapping]], None] | None = None,
) -> Outcome[Mapping]:
    """Return a mapping of all windows in which single clusters have copies.

    Of all mappings whose period is within ``NEAR`` of the shortest, the start among them, it is the
    one with the fewest tiles. A network of one window, or one that came clustered, keeps its start.

    Raises
    ------
    CapacityError
        If no mapping was found.
    """
    target, begun = Target(snn, platform, tokens, objective, limits.seed), now()
    found = [] if start is None else [_Found(start, target.value(start), "as it started")]
    window, windows = (snn, 1) if isinstance(snn, ClusteredSNN) else one_window(snn)
    trace = [TracePoint(now() - begun, one.value, None) for one in found]
    for laid in _laid(target, window, windows) if windows > 1 else ():
        for mapping, value in _trials(target, laid):
            if not check(snn, platform, mapping, tokens):
                better = not found or value < min(one.value for one in found)
                found.append(_Found(mapping, value, laid.words(mapping)))
                if better:
                    trace.append(TracePoint(now() - begun, value, None))
                if better and on_better is not None:
                    on_better(_outcome(found[-1], trace))
            if now() - begun > limits.wall_s:
                break
    if not found:
        raise CapacityError(f"no mapping on {platform.name!r} was found")
    near = min(one.value for one in found) * (1 + NEAR)
    return _outcome(min((f for f in found if f.value <= near), key=_Found.cost), trace)


@dataclass(frozen=True)
class _Found:
    """A valid mapping, its period, and how many clusters have copies, in words."""

    mapping: Mapping
    value: Value
    words: str

    def cost(self) -> tuple[int, Value]:
        """Return what is least of the mappings that are fast enough: tiles in use, then period."""
        return len(set(self.mapping.binding.tile_of.tolist())), self.value


def _outcome(one: _Found, trace: list[TracePoint]) -> Outcome[Mapping]:
    return Outcome(Status.FEASIBLE, one.mapping, one.value, trace=tuple(trace), note=one.words)


@dataclass(frozen=True)
class Laid:
    """All windows on the tiles of the one that was mapped.

    Parameters
    ----------
    units, clusters : Decomposition, Clustering
        Of all windows; cluster w K + k is cluster k of window w.
    graph : ClusterGraph
        What they make.
    binding : (K,) int64 array
        Tile of each cluster of one window.
    sequence : int64 array
        All clusters in an order that no tile's order contradicts, window by window.
    windows : int
        W.
    """

    units: Decomposition
    clusters: Clustering
    graph: ClusterGraph
    binding: IntArray
    sequence: IntArray
    windows: int

    def words(self, mapping: Mapping) -> str:
        """Say how many clusters have copies."""
        tile_of = mapping.binding.tile_of.reshape(self.windows, -1)
        copied = (tile_of != tile_of[0]).any(axis=0)
        more = len(set(tile_of.ravel().tolist())) - len(set(self.binding.tolist()))
        text = f"{int(copied.sum())} of {len(copied)} clusters have copies on other tiles"
        return f"{text}, {more} more tiles in use"


def _laid(target: Target, window: SNN, windows: int) -> Iterator[Laid]:
    """Yield what fast flows make of one window, laid W times."""
    for policy, clusterer in FLOWS:
        one = Target(window, target.platform, target.tokens, "period", target.seed)
        with suppress(CapacityError):
            units = DECOMPOSERS[policy]()(window, target.platform, seed=target.seed)
            clusters = cluster(CLUSTERERS[clusterer](), units, target.platform, seed=target.seed)
            anywhere = Binding(np.zeros(clusters.num_clusters, dtype=np.int32))
            graph = one.graph(Placed(units, clusters, anywhere))
            binding = BINDERS["load-balance"]()(graph, target.platform, seed=target.seed)
            sequence, k = single_tile_order(graph), graph.num_clusters
            every = laid_units(target.snn, units, windows)
            labels = laid_clusters(units, clusters, every, windows)
            tiled = Binding(np.tile(binding.tile_of, windows))
            yield Laid(
                every,
                labels,
                target.graph(Placed(every, labels, tiled)),
                binding.tile_of.astype(np.int64),
                np.concatenate([sequence + w * k for w in range(windows)]),
                windows,
            )


def laid_units(snn: SNN, units: Decomposition, windows: int) -> Decomposition:
    """Return the decomposition of W windows that divides each as ``units`` divides one."""
    network, n = units.network, units.num_neurons
    inserted, many = network.num_neurons - n, windows * n
    cut, counts = network.indptr[n], np.diff(network.indptr)

    def shifted(reads: IntArray, w: int) -> IntArray:
        return np.where(reads < n, reads + w * n, reads - n + many + w * inserted)

    indices = network.indices.astype(np.int64)
    lists = [shifted(part, w) for part in (indices[:cut], indices[cut:]) for w in range(windows)]
    sizes = np.concatenate((np.tile(counts[:n], windows), np.tile(counts[n:], windows)))
    owner = np.concatenate(
        [np.arange(many), *(units.owner[n:].astype(np.int64) + w * n for w in range(windows))]
    )
    return custom_arrays(
        snn,
        units.rows,
        np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        np.concatenate(lists).astype(np.int32),
        owner.astype(np.int32),
    )


def laid_clusters(
    units: Decomposition, clusters: Clustering, every: Decomposition, windows: int
) -> Clustering:
    """Return the clusters of all windows, those of window w after those of w - 1."""
    n, inserted = units.num_neurons, units.network.num_neurons - units.num_neurons
    label = np.full(n + inserted, -1, dtype=np.int64)
    label[units.network.units] = clusters.cluster_of
    unit = every.network.units.astype(np.int64)
    beyond = unit - windows * n
    raw = beyond < 0
    window = np.where(raw, unit // n, beyond // max(inserted, 1))
    own = np.where(raw, unit % n, n + beyond % max(inserted, 1))
    return Clustering((window * clusters.num_clusters + label[own]).astype(np.int32))


def _trials(target: Target, laid: Laid) -> Iterator[tuple[Mapping, Value]]:
    """Yield mappings with their periods: without copies, then with those that a load asks for."""
    windows, k = laid.windows, len(laid.binding)
    demand = demands(laid.graph, target.platform)[:, :k]
    high = max(int(np.bincount(laid.binding, d).max(initial=0)) for d in demand)
    share = -(-int(demand.sum(axis=1).max(initial=0)) // max(len(target.platform.in_use), 1))
    low = max(-(-int(demand.max(initial=0)) // windows), share)
    load, last = high, np.empty(0, dtype=np.int64)
    value: Value = 0
    for _ in range(TARGETS):
        tile_of = spread(laid, target.platform, load)
        did(WORK_A_CHANNEL * laid.graph.num_channels)
        if tile_of is not None and not np.array_equal(tile_of, last):
            mapping, last = _placed(target.platform, laid, tile_of), tile_of
            placed = Placed(laid.units, laid.clusters, mapping.binding)
            value = target.period(laid.graph, placed, mapping.orders)
            yield mapping, value
        # where something else than loads holds it up, fewer copies are as good
        holds_up = tile_of is None or value > windows * load
        low, high = (load + 1, high) if holds_up else (low, load)
        if low >= high:
            return
        load = (low + high) // 2


def _placed(platform: Platform, laid: Laid, tile_of: IntArray) -> Mapping:
    binding = Binding(tile_of.astype(np.int32))
    orders = projected(laid.sequence, binding, platform)
    return Mapping(laid.units, laid.clusters, binding, orders)


def demands(graph: ClusterGraph, platform: Platform) -> IntArray:
    """Return what each cluster takes of its tile, and of its interface if all it sends leaves it.

    Shape (2, K), in ticks.
    """
    rate = platform.ni_tokens_per_tick
    ticks = -(-graph.rate * rate.denominator // rate.numerator)
    sent = np.zeros(graph.num_clusters, dtype=np.int64)
    np.add.at(sent, graph.source, ticks)
    return np.stack((graph.tau.astype(np.int64), sent))


def spread(laid: Laid, platform: Platform, load: int) -> IntArray | None:
    """Return a tile for every cluster of every window, none above ``load`` a window.

    That is the load of the tile and of its interface. Only what exceeds it is moved; None where no
    tile takes a cluster that has to go.
    """
    demand, k = demands(laid.graph, platform), len(laid.binding)
    most = laid.windows * load
    tile_of = np.tile(laid.binding, laid.windows)
    loads = np.zeros((2, platform.num_tiles), dtype=np.int64)
    for kind in (0, 1):
        np.add.at(loads[kind], tile_of, demand[kind])
    programs = np.bincount(tile_of, minlength=platform.num_tiles)
    slots = np.array([len(tile_of) if t.slots is None else t.slots for t in platform.tiles])
    fits = laid.graph.fits(platform)
    for tile in np.argsort(-loads.max(axis=0), kind="stable").tolist():
        mine = np.flatnonzero(tile_of == tile)
        largest = np.lexsort((-(mine // k), -demand[:, mine].max(axis=0)))
        for c in mine[largest].tolist():
            if loads[:, tile].max() <= most:
                break
            takes = fits[c] & (programs < slots) & (loads + demand[:, c, None] <= most).all(axis=0)
            takes[tile] = False
            if not takes.any():
                continue
            busy = np.where(takes, loads.max(axis=0), np.iinfo(np.int64).max)
            there = int(np.argmin(busy))
            tile_of[c] = there
            loads[:, tile] -= demand[:, c]
            loads[:, there] += demand[:, c]
            programs[tile], programs[there] = programs[tile] - 1, programs[there] + 1
        if loads[:, tile].max() > most:
            return None
    return tile_of
