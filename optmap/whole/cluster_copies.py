"""Copies of single clusters: programs that hold a mapping up get a second tile, the others none.

A network of W windows side by side (:mod:`optmap.model.copies`) leaves open which clusters have
copies: where the programs of several windows stand on one tile they take its crossbar in turn;
where they stand on several tiles they are copies that take windows in turn. Pseudo-code::

    map one window by a fast flow; lay all windows over each other on its tiles
    between what copies can reach at best and what none reaches, bisect a load T for each window:
        while a tile has more than W T: its largest cluster that another tile takes goes there,
        for one of the windows; each window keeps the order of the one that was mapped
        the exact period of what came out says on which side to go on

No copy lowers the work of all tiles, and W copies of a cluster of tau ticks need tau / W a window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

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
from optmap.model.outcome import Limits, Outcome, Status, TracePoint
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IntArray
from optmap.ordering.kernels.order_on_tiles import projected
from optmap.ordering.kernels.single_tile import single_tile_order
from optmap.whole.convert import Placed
from optmap.whole.target import Target

#: What maps one window: decomposition, clustering.
FLOWS = (("spikes", "overlap"), ("spikes", "song2020"))
#: Loads that are tried for a flow, and the units of work an exact period of 10^4 channels counts.
TARGETS, WORK_A_CHANNEL = 8, 2e-6


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
    """Return the best mapping of all windows in which single clusters have copies.

    A network of one window, or one that came clustered, keeps its start.

    Raises
    ------
    CapacityError
        If no mapping was found.
    """
    target, begun = Target(snn, platform, tokens, objective, limits.seed), now()
    best, value, note = start, None if start is None else target.value(start), ""
    trace = [] if value is None else [TracePoint(now() - begun, value, None)]
    window, windows = (snn, 1) if isinstance(snn, ClusteredSNN) else one_window(snn)
    for laid in _laid(target, window, windows) if windows > 1 else ():
        for mapping in _trials(target, laid):
            reached = target.value(mapping)
            good = best is None or value is None or reached < value
            if good and not check(snn, platform, mapping, tokens):
                best, value, note = mapping, reached, laid.words(mapping)
                trace.append(TracePoint(now() - begun, value, None))
                if on_better is not None:
                    found = Outcome(Status.FEASIBLE, best, value, trace=tuple(trace), note=note)
                    on_better(found)
            if now() - begun > limits.wall_s:
                break
    if best is None:
        raise CapacityError(f"no mapping on {platform.name!r} was found")
    return Outcome(Status.FEASIBLE, best, value, trace=tuple(trace), note=note)


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


def _trials(target: Target, laid: Laid) -> Iterator[Mapping]:
    """Yield mappings with copies where tiles would exceed a load, bisected by what they reach."""
    tau, windows = laid.graph.tau, laid.windows
    tiles = len(target.platform.in_use)
    k = len(laid.binding)
    high = int(np.bincount(laid.binding, tau[:k]).max(initial=0))
    low = max(-(-int(tau[:k].max(initial=0)) // windows), -(-int(tau[:k].sum()) // max(tiles, 1)))
    for _ in range(TARGETS):
        load = (low + high) // 2
        tile_of = spread(laid, target.platform, load)
        did(WORK_A_CHANNEL * laid.graph.num_channels)
        if tile_of is None:
            low = load + 1
        else:
            mapping = _placed(target.platform, laid, tile_of)
            yield mapping
            reached = target.value(mapping)
            if reached <= windows * load:
                high = load
            else:  # something else than loads holds it up: fewer copies cost less
                low = load + 1
        if low >= high:
            return


def _placed(platform: Platform, laid: Laid, tile_of: IntArray) -> Mapping:
    binding = Binding(tile_of.astype(np.int32))
    orders = projected(laid.sequence, binding, platform)
    return Mapping(laid.units, laid.clusters, binding, orders)


def spread(laid: Laid, platform: Platform, load: int) -> IntArray | None:
    """Return a tile for every cluster of every window, no tile above ``load`` a window.

    Only what exceeds it is moved; None where no tile takes a cluster that has to go.
    """
    tau, k = laid.graph.tau, len(laid.binding)
    most = laid.windows * load
    tile_of = np.tile(laid.binding, laid.windows)
    loads = np.bincount(tile_of, tau, minlength=platform.num_tiles).astype(np.int64)
    programs = np.bincount(tile_of, minlength=platform.num_tiles)
    slots = np.array([len(tau) if t.slots is None else t.slots for t in platform.tiles])
    fits = laid.graph.fits(platform)
    for tile in np.argsort(-loads, kind="stable"):
        if loads[tile] <= most:
            return tile_of
        mine = np.flatnonzero(tile_of == tile)
        for c in mine[np.lexsort((-(mine // k), -tau[mine]))].tolist():
            takes = fits[c] & (programs < slots) & (loads + tau[c] <= most)
            takes[tile] = False
            if not takes.any():
                continue
            there = int(np.argmin(np.where(takes, loads, np.iinfo(np.int64).max)))
            tile_of[c] = there
            loads[tile], loads[there] = loads[tile] - tau[c], loads[there] + tau[c]
            programs[tile], programs[there] = programs[tile] - 1, programs[there] + 1
            if loads[tile] <= most:
                break
        if loads[tile] > most:
            return None
    return tile_of
