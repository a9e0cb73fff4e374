"""All best trade-offs of period, spike-hops and tiles used, by an epsilon-constraint sweep.

For every number of tiles k, from few to many, and a cap on the period that falls from "any"::

    H = fewest spike-hops of a mapping on at most k tiles with a period within the cap
    P = least period of a mapping on at most k tiles with at most H spike-hops
    note (P, H, tiles used); the next cap is the largest period below P

With both solves proved, every point that no other dominates is found: below P no mapping on k
tiles has H hops or fewer, and above it none has fewer than H. Models, claims and their check are
those of cpsat_model.py.

References
----------
Haimes, Lasdon, Wismer, "On a bicriterion formulation of the problems of integrated system
identification and system optimization", IEEE Trans. SMC 1, 1971 (the epsilon-constraint method).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from formulations.joint.cpsat_model import JointModel
from formulations.joint.search import JointSearch
from formulations.joint.sets import JointSets, Solution
from formulations.ordering.farey import below
from formulations.solvers.run_cpsat import WORKERS
from formulations.solvers.stopwatch import Stopwatch
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Platform


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """The three values of one mapping; smaller is better in each."""

    period: Fraction
    spike_hops: int
    tiles_used: int

    def dominates(self, other: Point) -> bool:
        """Tell whether this is nowhere worse and somewhere better."""
        no_worse = (
            self.period <= other.period
            and self.spike_hops <= other.spike_hops
            and self.tiles_used <= other.tiles_used
        )
        return no_worse and self != other


@dataclass(frozen=True, slots=True)
class Front:
    """Points that no other dominates, by rising period, and one mapping for each."""

    points: tuple[Point, ...]
    mappings: tuple[Solution, ...]


def point_of(graph: ClusterGraph, platform: Platform, mapping: Solution) -> Point | None:
    """Return where any method's mapping stands; None if it does not fit or deadlocks."""
    sets = JointSets(graph, platform)
    period = sets.value_of(mapping)
    if period is None:
        return None
    used = len(np.unique(mapping[0].tile_of))
    return Point(period, sets.spike_hops_of(mapping[0]), used)


def front_of(found: Iterable[tuple[Point, Solution]]) -> Front:
    """Return the points that none of the others dominates, each once."""
    known: dict[Point, Solution] = {}
    for point, mapping in found:
        known.setdefault(point, mapping)
    kept = sorted(p for p in known if not any(q.dominates(p) for q in known))
    return Front(tuple(kept), tuple(known[p] for p in kept))


def solve(
    graph: ClusterGraph,
    platform: Platform,
    limits: Limits,
    *,
    prologue: bool = False,
    known: Sequence[Solution] = (),
    workers: int = WORKERS,
) -> Outcome[Front]:
    """Return the Pareto front of period, spike-hops and tiles used.

    Parameters
    ----------
    prologue : bool
        Of schedules with a prologue (S2+).
    known : sequence of (Binding, StaticOrders)
        Mappings of other methods; they stand on the front if nothing found dominates them.

    Returns
    -------
    outcome : Outcome[Front]
        OPTIMAL if every point is proved and none is missing; FEASIBLE if the limit came first. A
        front has no single value: ``claimed`` and ``bound`` are None.
    """
    watch = Stopwatch(limits)
    sets = JointSets(graph, platform, hops_count=True)
    found: list[tuple[Point, Solution]] = []
    for mapping in known:
        point = point_of(graph, platform, mapping)
        if point is not None and (prologue or not mapping[1].has_prologue):
            found.append((point, mapping))
    proved = True
    for tiles in range(1, min(platform.num_tiles, max(graph.num_clusters, 1)) + 1):
        sweep = _Sweep(sets, watch, prologue, workers, tiles)
        points, complete = sweep.run()
        found += points
        proved = proved and complete
    front = front_of(found)
    if not front.points:
        return Outcome(Status.INFEASIBLE if proved else Status.UNKNOWN, trace=watch.trace)
    status = Status.OPTIMAL if proved else Status.FEASIBLE
    watch.note(None, sets.floor)
    return Outcome(status, front, trace=watch.trace)


@dataclass(frozen=True)
class _Sweep:
    """The sweep over periods on at most ``tiles`` tiles."""

    sets: JointSets
    watch: Stopwatch
    prologue: bool
    workers: int
    tiles: int

    def run(self) -> tuple[list[tuple[Point, Solution]], bool]:
        """Return the points found, and whether all of them are."""
        sets = self.sets
        found: list[tuple[Point, Solution]] = []
        cap = Fraction(max(sets.most_ticks, 1))
        while cap >= sets.floor:
            fewest = self._search(None).fewest_hops(cap, None, self.watch.left)
            if fewest.status is Status.INFEASIBLE:
                return found, True
            if fewest.status is not Status.OPTIMAL or fewest.solution is None:
                return found, False
            hops = sets.spike_hops_of(fewest.solution[0])
            period = sets.value_of(fewest.solution)
            if period is None or period > cap:
                raise ValueError(f"a schedule of period {cap} evaluates to {period}")
            best = self._search(hops).least_period((fewest.solution, period))
            if best.solution is None or best.claimed is None:
                return found, False
            point = point_of(sets.graph, sets.platform, best.solution)
            if point is None:
                raise AssertionError("a solution that was evaluated no longer fits")
            found.append((point, best.solution))
            if best.status is not Status.OPTIMAL:
                return found, False
            cap = below(point.period, sets.most_tokens_from(sets.floor))
        return found, True

    def _search(self, most_hops: int | None) -> JointSearch:
        def restrict(model: JointModel) -> None:
            model.limit_tiles(self.tiles)
            if most_hops is not None:
                model.limit_hops(most_hops)

        return JointSearch(self.sets, self.watch, self.prologue, self.workers, restrict)
