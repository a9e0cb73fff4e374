"""(P0a), (P0b) and (P0c) on the plain model, whichever back-end solves it.

Sets, variables and families are the back-end's (cpsat_model.py, milp.py); here is
what both do around them: start, size, floor, outcome. Every value is measured on the clustering
that was found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, Protocol, TypeVar

from formulations.clustering.below import Below
from formulations.clustering.crossbar_kinds import Kind, area_of
from formulations.clustering.sets import (
    PartitionSets,
    area_start,
    clusters_of,
    demanded_start,
    keep_better,
    kinds_worth_having,
    not_built,
    sets_for,
    start_of,
    too_large,
    traffic_of,
)
from formulations.solvers.second_proof import graded
from formulations.solvers.stopwatch import Stopwatch
from optmap.bounds.bound import best
from optmap.bounds.clusters import cluster_bounds
from optmap.bounds.traffic import traffic_bound
from optmap.clustering.kernels.within_limits import exceeded
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Platform


class PlainModel(Protocol):
    """What the stages ask of a model."""

    def build(self) -> object:
        """Post every family that all objectives need."""

    def link_remote_axons(self) -> None:
        """Say which axons come from outside, for (P0b)."""

    def respect_stock(self) -> None:
        """Use no more crossbars of a kind than there are, for (P0c)."""

    def minimize_clusters(self) -> None:
        """(P0a)."""

    def minimize_traffic(self) -> None:
        """(P0b)."""

    def minimize_area(self) -> None:
        """(P0c)."""


M = TypeVar("M", bound=PlainModel)


@dataclass(frozen=True)
class Found:
    """What a run says: how it ended, a clustering or None, a bound or None."""

    status: Status
    clustering: Clustering | None
    bound: int | None


@dataclass(frozen=True)
class Backend(Generic[M]):
    """How to build a plain model, what a term of it costs in seconds, and how to run it.

    ``is_cpsat``: what it proves is then proved again by another search, else by CP-SAT.
    """

    model: Callable[[PartitionSets], M]
    seconds_per_term: float
    run: Callable[[M, Stopwatch, Clustering | None], Found]
    is_cpsat: bool

    def build(self, sets: PartitionSets) -> M:
        """Return the model of these sets, with all families but the objective's own."""
        model = self.model(sets)
        model.build()
        return model


def fewest_clusters(
    backend: Backend[M],
    decomposition: Decomposition,
    platform: Platform,
    limits: Limits,
    warm: Clustering | None = None,
) -> Outcome[Clustering]:
    """(P0a) Return a clustering of fewest clusters, and the bound that was proved.

    A model too large to build is not built: the outcome is then the warm start, or UNKNOWN.
    """
    watch = Stopwatch(limits)
    network, kinds = decomposition.network, kinds_worth_having(platform)
    simple = best(cluster_bounds(decomposition, platform))
    floor = None if simple is None else simple.whole
    fewest = max(1, -(-network.num_units // max(c for _, c in kinds)))
    least = PartitionSets(network, kinds, fewest, rules=decomposition.rules)
    if too_large(least, limits, backend.seconds_per_term):
        known = demanded_start(decomposition, warm)
        kept = keep_better(watch, clusters_of, Status.UNKNOWN, None, floor, known)
        return replace(graded(kept, floor), note=not_built(least))
    start = start_of(decomposition, platform, warm)
    if exceeded(decomposition, start, platform) or demanded_start(decomposition, start) is None:
        return _without_start(backend, decomposition, platform, watch, floor)
    sets = _sets(decomposition, platform, start.num_clusters)
    kept = graded(keep_better(watch, clusters_of, Status.UNKNOWN, None, floor, start), floor)
    if start.num_clusters == floor:
        return kept
    if too_large(sets, limits, backend.seconds_per_term):
        return replace(kept, note=not_built(sets))
    model = backend.build(sets)
    model.minimize_clusters()
    run = backend.run(model, watch, start)
    outcome = keep_better(watch, clusters_of, run.status, run.clustering, run.bound, start)
    below = Below(sets, "clusters", clusters_of, watch, backend.is_cpsat)
    return graded(outcome, floor, below)


def _sets(decomposition: Decomposition, platform: Platform, num_clusters: int) -> PartitionSets:
    """Return the sets of units on a platform, with all limits and demands."""
    found = sets_for(decomposition.network, platform, num_clusters)
    return replace(found, rules=decomposition.rules)


def _without_start(
    backend: Backend[M],
    decomposition: Decomposition,
    platform: Platform,
    watch: Stopwatch,
    floor: int | None,
) -> Outcome[Clustering]:
    """Return what a model with as many clusters as there can be finds, no start given.

    So it is where no heuristic keeps to the limits, or none to a user's demands.

    Axons out and fan-outs are no matter of one cluster alone: two may be worse than both apart.
    """
    smallest = (decomposition.rules.sizes.min_neurons if decomposition.rules else None) or 1
    sets = _sets(decomposition, platform, max(1, decomposition.num_units // smallest))
    if too_large(sets, watch.limits, backend.seconds_per_term):
        unknown = Outcome[Clustering](Status.UNKNOWN, bound=floor, trace=watch.trace)
        return replace(graded(unknown, floor), note=not_built(sets))
    model = backend.build(sets)
    model.minimize_clusters()
    run = backend.run(model, watch, None)
    outcome = keep_better(watch, clusters_of, run.status, run.clustering, run.bound)
    below = Below(sets, "clusters", clusters_of, watch, backend.is_cpsat)
    return graded(outcome, floor, below)


def least_traffic(
    backend: Backend[M],
    decomposition: Decomposition,
    platform: Platform,
    num_clusters: int,
    limits: Limits,
    warm: Clustering | None = None,
) -> Outcome[Clustering]:
    """(P0b) Return a clustering of at most ``num_clusters`` clusters with least traffic.

    A warm start of more clusters than that is not used; one that meets the bound is not improved.
    """
    watch = Stopwatch(limits)
    network = decomposition.network
    start = None
    if warm is not None and warm.num_clusters <= num_clusters:
        start = demanded_start(decomposition, start_of(decomposition, platform, warm))
        if start is not None and exceeded(decomposition, start, platform):
            start = None
    measure = partial(traffic_of, network)
    floor = traffic_bound(decomposition, platform).whole
    if start is not None and measure(start) == floor:
        return graded(keep_better(watch, measure, Status.UNKNOWN, start, floor), floor)
    sets = _sets(decomposition, platform, num_clusters)
    if too_large(sets, limits, backend.seconds_per_term):
        return graded(keep_better(watch, measure, Status.UNKNOWN, None, floor, start), floor)
    model = backend.build(sets)
    model.link_remote_axons()
    model.minimize_traffic()
    run = backend.run(model, watch, start)
    bound = max(floor, run.bound or 0)
    outcome = keep_better(watch, measure, run.status, run.clustering, bound, start)
    return graded(outcome, floor, Below(sets, "traffic", measure, watch, backend.is_cpsat))


def least_area(
    backend: Backend[M],
    decomposition: Decomposition,
    kinds: tuple[Kind, ...],
    limits: Limits,
    warm: Clustering | None = None,
) -> Outcome[Clustering]:
    """(P0c) Return a clustering of least area, each cluster on a crossbar of its own.

    The value is :func:`formulations.clustering.crossbar_kinds.area_of` the clustering, in the
    kinds' unit.
    """
    watch = Stopwatch(limits)
    sets, start, _ = area_start(decomposition, kinds, warm)
    measure = partial(area_of, decomposition.network, kinds=kinds)
    if too_large(sets, limits, backend.seconds_per_term):
        return replace(
            keep_better(watch, measure, Status.UNKNOWN, None, None, start), note=not_built(sets)
        )
    model = backend.build(sets)
    model.respect_stock()
    model.minimize_area()
    run = backend.run(model, watch, start)
    outcome = keep_better(watch, measure, run.status, run.clustering, run.bound, start)
    return graded(outcome, None, Below(sets, "area", measure, watch, backend.is_cpsat))
