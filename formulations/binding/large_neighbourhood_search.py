"""Large neighbourhood search for spike-hops (B0a): hundreds of clusters, meshes up to 32 x 32.

Pseudo-code::

    start: the given binding (Hilbert or spectral, from the heuristics), else the first that fits
    exchange whole tiles (tile_exchange.py): loads stay, distances fall
    anneal it (annealing.py) in runs of doubled length, for half of the limit, and exchange again
    repeat until the time is up:
        take out a cluster, its partners and partners' partners until there are 4 to 14,
        or what stands within two hops of a tile
        put them back, each in turn (random order) where it costs least among the tiles that have
        room, load and buffers for it (every twentieth tile is overlooked); ties at random
        keep the result if it is no worse, or by a little at first (record-to-record travel)

Capacities: slots, crossbars, input buffers and the load cap are kept at every step; output
buffers, which depend on where partners stand, are checked before a result is kept. One step costs
O(removed * tiles), in compiled code; nothing is random but by the seed. A bound comes from
bounds.py, by name.

References
----------
.. [1] P. Shaw, "Using constraint programming and local search methods to solve vehicle routing
   problems", CP 1998 (large neighbourhood search); G. Dueck, "New optimization heuristics", 1993
   (record-to-record travel).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from formulations.binding.annealing import anneal, nearest_tiles
from formulations.binding.bounds import hop_bounds
from formulations.binding.ruin_and_recreate import (
    MOST_REMOVED,
    UNLIMITED,
    BindingProblem,
    cheapest_fit,
    ruin_and_recreate,
)
from formulations.binding.sets import (
    BindingSets,
    fits_platform,
    keep_better,
    load_of,
    sets_of,
    spike_hops_of,
    usable_start,
)
from formulations.binding.tile_exchange import exchanged
from formulations.solvers.second_proof import graded
from formulations.solvers.stopwatch import Stopwatch
from optmap.bounds.bound import best
from optmap.clock import did
from optmap.model.buffers import tokens_held
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Platform
from optmap.model.snn import IntArray

#: Steps between two looks at the clock, and steps without a better result that end the search.
STEPS_A_LOOK = 500
#: Steps, and moves of annealing, that about a second of one core is counted as.
STEPS_A_UNIT, MOVES_A_UNIT = 50_000, 2_000_000
MOST_IDLE_LOOKS = 400
#: Record-to-record travel accepts up to 1/64 above the best at first, nothing in the end.
DEVIATION = 64
#: Annealing: its share of the limit, moves of the first run, temperatures in the mean flow.
ANNEALED, FIRST_MOVES = 0.5, 50_000
HOT, COLD = 2.4, 0.1


def solve(
    graph: ClusterGraph,
    platform: Platform,
    limits: Limits,
    *,
    max_load: int | None = None,
    warm: Binding | None = None,
) -> Outcome[Binding]:
    """Return a binding of few spike-hops.

    Parameters
    ----------
    max_load : int, optional
        Ticks that no tile may exceed.
    warm : Binding, optional
        Where to start. Without a usable one the first that a greedy pass finds; UNKNOWN if it
        finds none.
    """
    watch = Stopwatch(limits)
    sets = sets_of(graph, platform)
    start, value = usable_start(sets, "hops", max_load, warm)
    problem = _Problem.of(sets, max_load)
    rng = np.random.default_rng(limits.seed)
    if start is None:
        start = problem.first(rng)
        if start is None or not _feasible(sets, start, max_load):
            return Outcome(Status.UNKNOWN, trace=watch.trace)
        value = spike_hops_of(graph, platform, start)
    named = best(hop_bounds(sets, Stopwatch(Limits(max(limits.wall_s * 0.2, 1e-3)))))
    low = 0 if named is None else named.whole
    watch.note(value, low)
    tile, least = start.tile_of.astype(np.int64), int(value or 0)
    for met in _begun(problem, tile, sets, watch, rng):
        reached = spike_hops_of(graph, platform, Binding(met.astype(np.int32)))
        if reached < least and _feasible(sets, Binding(met.astype(np.int32)), max_load):
            tile[:], least = met, reached
            watch.note(least, low)
        if least <= low:
            break
    record, idle, begun = tile.copy(), 0, watch.spent
    while watch.left > 0 and idle < MOST_IDLE_LOOKS and least > low:
        # the limit passes, or the idle looks run out: the deviation falls with either
        gone = max((watch.spent - begun) / limits.wall_s, idle / MOST_IDLE_LOOKS)
        deviation = int(least / DEVIATION * max(0.0, 1 - 2 * gone))
        met, reached = problem.steps(tile, rng, least, deviation)
        if reached < least and _feasible(sets, Binding(met.astype(np.int32)), max_load):
            record, least, idle = met, reached, 0
            watch.note(least, low)
        else:
            idle += 1
        if problem.bounded_output and not _feasible(sets, Binding(tile.astype(np.int32)), max_load):
            tile[:] = record
    found = Binding(record.astype(np.int32))
    return graded(keep_better(watch, Status.FEASIBLE, found, least, low, start, value), low)


def _begun(
    problem: _Problem, tile: IntArray, sets: BindingSets, watch: Stopwatch, rng: np.random.Generator
) -> Iterator[IntArray]:
    """Yield bindings to begin with: ``tile`` and each annealed one, and with tiles exchanged."""
    yield exchanged(sets.graph, sets.platform, tile, rng)
    for met, _ in problem.annealed(tile, watch, rng):
        yield met
        yield exchanged(sets.graph, sets.platform, met, rng)


def _feasible(sets: BindingSets, binding: Binding, max_load: int | None) -> bool:
    """Tell whether a binding keeps every capacity and the load cap."""
    return fits_platform(sets.graph, sets.platform, binding) and (
        max_load is None or load_of(sets.graph, sets.platform, binding) <= max_load
    )


@dataclass(frozen=True)
class _Problem:
    """A problem for the compiled steps, and whether they leave output buffers to the caller."""

    arrays: BindingProblem
    bounded_output: bool

    @classmethod
    def of(cls, sets: BindingSets, max_load: int | None) -> _Problem:
        """Read a binding problem; with a load cap every firing pays switch_ticks, to be safe."""
        graph, platform = sets.graph, sets.platform
        k = graph.num_clusters
        flows: dict[tuple[int, int], list[int]] = {}
        rows = (graph.source.tolist(), graph.target.tolist(), graph.spikes.tolist())
        for a, b, f in zip(*rows, strict=True):
            flows.setdefault((a, b), [0, 0])[0] += f
            flows.setdefault((b, a), [0, 0])[1] += f
        keys = sorted(flows)
        indptr = np.searchsorted([a for a, _ in keys], np.arange(k + 1)).astype(np.int64)
        need = np.zeros(k, dtype=np.int64)
        np.add.at(need, graph.target, tokens_held(graph, platform))
        tiles = platform.tiles
        fits = [[sets.fits[a, t] for t in sets.tiles] for a in sets.clusters]
        arrays = BindingProblem(
            indptr,
            np.array([b for _, b in keys], dtype=np.int64),
            np.array([flows[key][0] for key in keys], dtype=np.int64),
            np.array([flows[key][1] for key in keys], dtype=np.int64),
            np.ascontiguousarray(platform.hops),
            np.array(fits).reshape(k, len(tiles)),
            _limited([t.slots for t in tiles]),
            np.array(sets.tau, dtype=np.int64) + platform.switch_ticks,
            need,
            _limited([t.input_buffer for t in tiles]),
            UNLIMITED if max_load is None else max_load,
        )
        return cls(arrays, any(t.output_buffer is not None for t in tiles))

    def steps(
        self, tile: IntArray, rng: np.random.Generator, least: int, deviation: int
    ) -> tuple[IntArray, int]:
        """Make some steps from ``tile``, in place; return the best binding met, and its value."""
        did(STEPS_A_LOOK / STEPS_A_UNIT)
        draws = rng.random((STEPS_A_LOOK, MOST_REMOVED + 3))
        found, value = ruin_and_recreate(tile, draws, least, deviation, self.arrays)
        return found, int(value)

    def annealed(
        self, tile: IntArray, watch: Stopwatch, rng: np.random.Generator
    ) -> Iterator[tuple[IntArray, int]]:
        """Yield the best binding of each annealing run from ``tile``, each twice as long."""
        flows = self.arrays.flow_to + self.arrays.flow_from
        flows = flows[flows > 0]
        if not len(flows) or len(self.arrays.slots) < 2:
            return
        near, hot = nearest_tiles(self.arrays.hops), max(HOT * float(flows.mean()), 1.0)
        moves, seconds, until = FIRST_MOVES, 0.0, ANNEALED * watch.limits.wall_s
        while watch.spent + 2 * seconds < until:
            begun, seed = watch.spent, int(rng.integers(2**31))
            cold = hot * COLD / HOT
            did(moves / MOVES_A_UNIT)
            found, value = anneal(tile.copy(), near, self.arrays, seed, moves, hot, cold)
            yield found, int(value)
            moves, seconds = 2 * moves, watch.spent - begun

    def first(self, rng: np.random.Generator) -> Binding | None:
        """Put one cluster after the other where it costs least; None if one finds no room."""
        k, need = len(self.arrays.ticks), self.arrays.need
        tile = np.full(k, -1, dtype=np.int64)
        order = np.lexsort((rng.random(k), -need, self.arrays.fits.sum(axis=1))).astype(np.int64)
        if not cheapest_fit(tile, order, rng.random(max(k, 1)), self.arrays):
            return None
        return Binding(tile.astype(np.int32))


def _limited(values: list[int | None]) -> IntArray:
    return np.array([UNLIMITED if v is None else v for v in values], dtype=np.int64)
