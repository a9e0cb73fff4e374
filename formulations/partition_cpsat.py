"""CP-SAT on the plain partition of units onto crossbars: (P0a), (P0b), (P0c).

The model, family by family, is formulations/partition_model.py.
"""

from __future__ import annotations

from functools import partial

from formulations.crossbar_kinds import Kind, area_of
from formulations.partition_model import SECONDS_PER_TERM, PartitionModel
from formulations.partition_sets import (
    PartitionSets,
    area_start,
    clusters_of,
    keep_better,
    kinds_worth_having,
    start_of,
    too_large,
    traffic_of,
)
from formulations.run_cpsat import WORKERS, run_cpsat
from formulations.stopwatch import Stopwatch
from optmap.decompose import Decomposition
from optmap.evaluate.traffic_bounds import traffic_bound
from optmap.hardware import Platform
from optmap.mapping import Clustering
from optmap.method import Limits, Outcome, Status


def minimize_clusters(
    decomposition: Decomposition,
    platform: Platform,
    limits: Limits,
    warm: Clustering | None = None,
    *,
    workers: int = WORKERS,
) -> Outcome[Clustering]:
    """(P0a) Return a clustering of fewest clusters, and the bound that was proved.

    A model too large to build is not built: the outcome is then the warm start, or UNKNOWN.
    """
    watch = Stopwatch(limits)
    network, kinds = decomposition.network, kinds_worth_having(platform)
    least = PartitionSets(network, kinds, max(1, -(-network.num_units // max(c for _, c in kinds))))
    if too_large(least, limits, SECONDS_PER_TERM):
        return keep_better(watch, clusters_of, Status.UNKNOWN, None, None, warm)
    start = start_of(decomposition, platform, warm)
    sets = PartitionSets(network, kinds, start.num_clusters)
    if too_large(sets, limits, SECONDS_PER_TERM):
        return keep_better(watch, clusters_of, Status.UNKNOWN, None, None, start)
    model = PartitionModel(sets).build()
    model.minimize_clusters()
    model.hint(start)
    run = run_cpsat(model.cp, watch, workers=workers)
    found = None if run.value is None else model.extract(run.solver)
    return keep_better(watch, clusters_of, run.status, found, run.bound, start)


def minimize_traffic(
    decomposition: Decomposition,
    platform: Platform,
    num_clusters: int,
    limits: Limits,
    warm: Clustering | None = None,
    *,
    workers: int = WORKERS,
) -> Outcome[Clustering]:
    """(P0b) Return a clustering of at most ``num_clusters`` clusters with least traffic.

    A warm start of more clusters than that is not used.
    """
    watch = Stopwatch(limits)
    network = decomposition.network
    start = None
    if warm is not None and warm.num_clusters <= num_clusters:
        start = start_of(decomposition, platform, warm)
    measure = partial(traffic_of, network)
    floor = traffic_bound(decomposition, platform).value
    if start is not None and measure(start) == floor:
        return keep_better(watch, measure, Status.UNKNOWN, start, floor)
    sets = PartitionSets(network, kinds_worth_having(platform), num_clusters)
    if too_large(sets, limits, SECONDS_PER_TERM):
        return keep_better(watch, measure, Status.UNKNOWN, None, floor, start)
    model = PartitionModel(sets).build()
    model.link_remote_axons()
    model.minimize_traffic()
    if start is not None:
        model.hint(start)
    run = run_cpsat(model.cp, watch, workers=workers)
    found = None if run.value is None else model.extract(run.solver)
    return keep_better(watch, measure, run.status, found, max(floor, run.bound or 0), start)


def minimize_area(
    decomposition: Decomposition,
    kinds: tuple[Kind, ...],
    limits: Limits,
    warm: Clustering | None = None,
    *,
    workers: int = WORKERS,
) -> Outcome[Clustering]:
    """(P0c) Return a clustering of least area, each cluster on a crossbar of its own.

    The value is :func:`formulations.crossbar_kinds.area_of` the clustering, in the kinds' unit.
    """
    watch = Stopwatch(limits)
    sets, start, _ = area_start(decomposition, kinds, warm)
    measure = partial(area_of, decomposition.network, kinds=kinds)
    if too_large(sets, limits, SECONDS_PER_TERM):
        return keep_better(watch, measure, Status.UNKNOWN, None, None, start)
    model = PartitionModel(sets).build()
    model.respect_stock()
    model.minimize_area()
    if start is not None:
        model.hint(start)
    run = run_cpsat(model.cp, watch, workers=workers)
    found = None if run.value is None else model.extract(run.solver)
    return keep_better(watch, measure, run.status, found, run.bound, start)
