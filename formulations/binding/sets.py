"""Sets and parameters of the binding formulations (README.md, B), shared by both back-ends.

Sets         K clusters, T tiles, E channels (a,b), F pairs of clusters that exchange spikes
Parameters   tau_a ticks; sigma switch_ticks; f_ab spikes; h_tu hops; rows and columns of clusters
             and crossbars; slots_t; buffers of t in tokens; q_ab tokens a channel can hold
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from formulations.solvers.stopwatch import Stopwatch
from optmap.bounds.spike_hops import flows
from optmap.model.buffers import tokens_held
from optmap.model.capacity import overfull, tile_memory
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.cluster_rules import ClusterRules, rules_of_graph
from optmap.model.mapping import Binding
from optmap.model.outcome import Outcome, Status
from optmap.model.platform import Platform
from optmap.model.snn import IntArray

#: Beyond this many terms a model is not built.
MAX_TERMS = 500_000

OBJECTIVES = ("load", "hops", "hops+<weight>load")


def load_weight(objective: str) -> int | None:
    """Return what a tick of load costs in spike-hops: "hops" 0, "hops+5load" 5, "load" None.

    Raises
    ------
    ValueError
        If the objective is unknown.
    """
    weighted = re.fullmatch(r"hops\+([1-9][0-9]*)load", objective)
    if weighted:
        return int(weighted[1])
    if objective not in OBJECTIVES[:2]:
        raise ValueError(f"objective {objective!r}: expected one of {', '.join(OBJECTIVES)}")
    return None if objective == "load" else 0


def value_of(graph: ClusterGraph, platform: Platform, binding: Binding, objective: str) -> int:
    """Return the value of a binding."""
    weight, load = load_weight(objective), load_of(graph, platform, binding)
    return load if weight is None else spike_hops_of(graph, platform, binding) + weight * load


@dataclass(frozen=True)
class BindingSets:
    """One instance of the binding problem, ready for a formulation to loop over."""

    graph: ClusterGraph
    platform: Platform

    @property
    def clusters(self) -> range:
        """K."""
        return range(self.graph.num_clusters)

    @property
    def tiles(self) -> range:
        """T."""
        return range(self.platform.num_tiles)

    @cached_property
    def tau(self) -> list[int]:
        """Ticks of one firing, without switch_ticks."""
        return [int(t) for t in self.graph.tau]

    @cached_property
    def channels(self) -> list[tuple[int, int, int]]:
        """(a, b, q_ab): q_ab tokens is what the channel can hold."""
        q = tokens_held(self.graph, self.platform)
        columns = (self.graph.source.tolist(), self.graph.target.tolist(), q.tolist())
        return list(zip(*columns, strict=True))

    @cached_property
    def flows(self) -> dict[tuple[int, int], int]:
        """f_ab > 0 by pair: unordered (a < b, both directions added) on symmetric hops."""
        return flows(self.graph, self.platform)

    @property
    def flow_matrix(self) -> IntArray:
        """f_ab both ways, shape (K, K), for symmetric hops."""
        matrix: IntArray = np.zeros((len(self.clusters),) * 2, dtype=np.int64)
        for (a, b), f in self.flows.items():
            matrix[a, b] = matrix[b, a] = f
        return matrix

    @cached_property
    def busiest(self) -> int:
        """The cluster with most spikes to and from others, the first of equals."""
        spikes = [0] * len(self.clusters)
        for (a, b), f in self.flows.items():
            spikes[a] += f
            spikes[b] += f
        return max(self.clusters, key=lambda a: (spikes[a], -a))

    @cached_property
    def fits(self) -> dict[tuple[int, int], bool]:
        """Whether the crossbar of tile t is large enough for cluster a."""
        fits = self.graph.fits(self.platform).tolist()
        return {(a, t): fits[a][t] for a in self.clusters for t in self.tiles}

    @property
    def on_mesh(self) -> bool:
        """Whether hops are Manhattan distances of coordinates."""
        return self.platform.interconnect.kind == "mesh" and self.platform.interconnect.is_regular

    @property
    def width(self) -> int:
        """X of the mesh."""
        return self.platform.interconnect.width or 1

    @property
    def height(self) -> int:
        """Y of the mesh."""
        return self.platform.interconnect.height or 1

    @property
    def tiles_alike(self) -> bool:
        """Whether all tiles have equal crossbars, slots and buffers; demands tell them apart."""
        return len(set(self.platform.tiles)) == 1 and self.rules is None

    @cached_property
    def rules(self) -> ClusterRules | None:
        """What a user demands of the clusters' tiles."""
        return rules_of_graph(self.graph.made_of)

    @cached_property
    def same_tile(self) -> list[tuple[int, int]]:
        """Pairs of clusters that share a tile: each with the first of its group."""
        if self.rules is None:
            return []
        first: dict[int, int] = {}
        pairs = ((first.setdefault(g, a), a) for a, g in enumerate(self.rules.group.tolist()))
        return [(a, b) for a, b in pairs if a != b]

    @cached_property
    def pinned(self) -> dict[int, int]:
        """Tile of each cluster that is demanded to be there; -1 where demands contradict."""
        if self.rules is None:
            return {}
        if not self.rules.possible:
            return {0: -1}
        tiles = [self.rules.tile[g] for g in self.rules.group.tolist()]
        return {a: t for a, t in enumerate(tiles) if t >= 0}

    @cached_property
    def apart(self) -> list[list[list[int]]]:
        """By list of sets apart, the clusters of each set."""
        if self.rules is None:
            return []
        colours = [row[self.rules.group] for row in self.rules.colour]
        return [
            [np.flatnonzero(row == c).tolist() for c in range(int(row.max(initial=-1)) + 1)]
            for row in colours
        ]

    @property
    def first_tiles(self) -> list[int]:
        """(B6) where one cluster may stand without loss: a fundamental domain of the tiles.

        Only automorphisms of the hop matrix that keep the tiles' kinds count: reflections of a mesh
        (one quadrant), its diagonal if X = Y (one octant), translations of a torus (one tile).
        """
        kind, x, y = self.platform.interconnect.kind, self.width, self.height
        net = self.platform.interconnect
        if not self.tiles_alike or not net.is_regular or net.chip is not None:
            return list(self.tiles)
        if kind == "torus":
            return [0]
        quadrant = [(t % x, t // x) for t in self.tiles]
        quadrant = [(i, j) for i, j in quadrant if 2 * i < x and 2 * j < y]
        return [j * x + i for i, j in quadrant if x != y or j <= i]

    @property
    def num_terms(self) -> int:
        """Size of the largest families."""
        k, t, e = len(self.clusters), len(self.tiles), len(self.channels)
        buffers = any(tile.output_buffer is not None for tile in self.platform.tiles)
        pairs = 0 if self.on_mesh else len(self.flows) * t * t
        return 3 * k * t + pairs + (e * t if buffers else 0) + len(self.flows)


@lru_cache(maxsize=1)
def sets_of(graph: ClusterGraph, platform: Platform) -> BindingSets:
    """Return the sets of a problem, made once for all stages that ask for them in turn."""
    return BindingSets(graph, platform)


def load_of(graph: ClusterGraph, platform: Platform, binding: Binding) -> int:
    """Return the largest tile load in ticks, switch_ticks of shared tiles included."""
    tile = binding.tile_of
    count = np.bincount(tile, minlength=platform.num_tiles)
    ticks = graph.tau + platform.switch_ticks * (count[tile] > 1)
    load: IntArray = np.zeros(platform.num_tiles, dtype=np.int64)
    np.add.at(load, tile, ticks)
    return int(load.max())


def spike_hops_of(graph: ClusterGraph, platform: Platform, binding: Binding) -> int:
    """Return sum f_ab hops(a, b): what a formulation claims, so not by the judge that checks it."""
    tile = binding.tile_of
    return int((graph.spikes * platform.hops[tile[graph.source], tile[graph.target]]).sum())


def fits_platform(graph: ClusterGraph, platform: Platform, binding: Binding) -> bool:
    """Tell whether slots, crossbars, memory and buffers hold the binding ((B2)-(B4))."""
    tile = binding.tile_of.tolist()
    if len(tile) != graph.num_clusters or any(t >= platform.num_tiles for t in tile):
        return False
    if not graph.fits(platform)[np.arange(len(tile)), tile].all():
        return False
    clusters = [0] * platform.num_tiles
    for t in tile:
        clusters[t] += 1
    held, into, out = tokens_held(graph, platform), *np.zeros((2, platform.num_tiles), np.int64)
    sends, gets = binding.tile_of[graph.source], binding.tile_of[graph.target]
    np.add.at(into, gets, held)
    np.add.at(out, sends[sends != gets], held[sends != gets])
    rules = rules_of_graph(graph.made_of)
    if rules is not None and not rules.allows(binding.tile_of):
        return False
    if next(overfull(tile_memory(graph.needs, platform), binding.tile_of), None) is not None:
        return False
    return all(
        (have.slots is None or clusters[t] <= have.slots)
        and (have.input_buffer is None or into[t] <= have.input_buffer)
        and (have.output_buffer is None or out[t] <= have.output_buffer)
        for t, have in enumerate(platform.tiles)
    )


def usable_start(
    sets: BindingSets, objective: str, max_load: int | None, warm: Binding | None
) -> tuple[Binding | None, int | None]:
    """Return ``warm`` and its value if it is feasible, else two None.

    Raises
    ------
    ValueError
        If the objective is unknown.
    """
    load_weight(objective)
    if warm is None or not fits_platform(sets.graph, sets.platform, warm):
        return None, None
    load = load_of(sets.graph, sets.platform, warm)
    if max_load is not None and load > max_load:
        return None, None
    return warm, value_of(sets.graph, sets.platform, warm, objective)


def keep_better(
    watch: Stopwatch,
    status: Status,
    found: Binding | None,
    value: int | None,
    bound: int | None,
    warm: Binding | None,
    warm_value: int | None,
) -> Outcome[Binding]:
    """Return the outcome of a run: what it found, or the warm start where that is no worse.

    A bound above the value is kept as it is: the outcome then contradicts itself, for all to see;
    as it does where the solver calls infeasible what the warm start solves.
    """
    if status is Status.INFEASIBLE and warm_value is not None:
        bound = warm_value + 1
    if warm_value is not None and (value is None or warm_value < value):
        found, value = warm, warm_value
    if found is None or value is None:
        return Outcome(status, bound=bound, trace=watch.trace)
    watch.note(value, bound)
    status = Status.OPTIMAL if bound == value else Status.FEASIBLE
    return Outcome(status, found, value, bound, watch.trace)
