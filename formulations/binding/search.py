"""(B0b) and (B0a) by whatever does best: CP-SAT, nested search, neighbourhoods.

Tile load     CP-SAT.
Spike-hops    one cluster a tile: nested search (russian_doll.py), which also has the best bounds;
              otherwise CP-SAT for CPSAT_SHARE of the time, which proves what is small, then, if
              that is open, neighbourhoods (large_neighbourhood_search.py) from what it
              found. With 5 s for 60 clusters on 6 x 6 tiles of 4 slots, CP-SAT has 751 spike-hops,
              they have 459.
"""

from __future__ import annotations

from dataclasses import replace

from formulations.binding import large_neighbourhood_search as binding_lns
from formulations.binding import russian_doll
from formulations.binding.cpsat_backend import cpsat_backend
from formulations.binding.sets import MAX_TERMS, load_weight, sets_of
from formulations.binding.spreading_bound import MAX_CLUSTERS
from formulations.binding.stages import least_cost
from formulations.solvers.stopwatch import Stopwatch
from optmap.clock import counted
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Platform

#: Part of the time for CP-SAT where neighbourhoods follow.
CPSAT_SHARE = 0.5


def solve(
    graph: ClusterGraph,
    platform: Platform,
    limits: Limits,
    *,
    objective: str,
    max_load: int | None = None,
    warm: Binding | None = None,
) -> Outcome[Binding]:
    """Return a binding of least load ("load") or spike-hops ("hops"); parameters as the others'."""
    if load_weight(objective) != 0:
        return least_cost(cpsat_backend(), graph, platform, limits, objective, max_load, warm)
    sets = sets_of(graph, platform)
    if len(sets.clusters) <= MAX_CLUSTERS and russian_doll.applies(sets):
        return russian_doll.solve(graph, platform, limits, max_load=max_load, warm=warm)
    watch = Stopwatch(limits)
    proved: Outcome[Binding] = Outcome(Status.UNKNOWN)
    if sets.num_terms <= MAX_TERMS:
        part = _limits(limits, CPSAT_SHARE * limits.wall_s)
        proved = least_cost(cpsat_backend(), graph, platform, part, "hops", max_load, warm)
    if proved.status in (Status.OPTIMAL, Status.INFEASIBLE) or watch.left <= 0:
        return proved
    begun, start = watch.spent, proved.solution or warm
    left = _limits(limits, max(watch.left, 1e-3))
    found = binding_lns.solve(graph, platform, left, max_load=max_load, warm=start)
    if found.solution is None:
        return proved
    higher = max((found, proved), key=lambda o: -1 if o.bound is None else o.bound)
    status = Status.OPTIMAL if higher.bound == found.claimed else Status.FEASIBLE
    trace = proved.trace + tuple(replace(p, seconds=begun + p.seconds) for p in found.trace)
    return replace(found, status=status, bound=higher.bound, trace=trace, grade=higher.grade)


def warm_up(graph: ClusterGraph, platform: Platform) -> None:
    """Compile the kernels of both searches; ``platform`` has a tile for each cluster alone.

    They work for counted seconds: of the clock's, compiling would leave none.
    """
    with counted():
        russian_doll.solve(graph, platform, Limits(60.0))
        binding_lns.solve(graph, platform, Limits(0.3))


def _limits(limits: Limits, wall_s: float) -> Limits:
    return Limits(wall_s, limits.threads, limits.seed, limits.memory_mb)
