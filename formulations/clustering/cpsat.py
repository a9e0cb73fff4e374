"""CP-SAT on the plain partition of units onto crossbars: (P0a), (P0b), (P0c).

The model, family by family, is cpsat_model.py.
"""

from __future__ import annotations

from formulations.clustering import stages as partition_stages
from formulations.clustering.cpsat_model import SECONDS_PER_TERM, PartitionModel
from formulations.clustering.crossbar_kinds import Kind
from formulations.clustering.stages import Backend, Found
from formulations.solvers.run_cpsat import WORKERS, run_cpsat
from formulations.solvers.stopwatch import Stopwatch
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.outcome import Limits, Outcome
from optmap.model.platform import Platform


def minimize_clusters(
    decomposition: Decomposition,
    platform: Platform,
    limits: Limits,
    warm: Clustering | None = None,
    *,
    workers: int = WORKERS,
) -> Outcome[Clustering]:
    """(P0a): :func:`formulations.clustering.stages.fewest_clusters` by CP-SAT."""
    stage = partition_stages.fewest_clusters
    return stage(_backend(workers), decomposition, platform, limits, warm)


def minimize_traffic(
    decomposition: Decomposition,
    platform: Platform,
    num_clusters: int,
    limits: Limits,
    warm: Clustering | None = None,
    *,
    workers: int = WORKERS,
) -> Outcome[Clustering]:
    """(P0b): :func:`formulations.clustering.stages.least_traffic` by CP-SAT."""
    stage = partition_stages.least_traffic
    return stage(_backend(workers), decomposition, platform, num_clusters, limits, warm)


def minimize_area(
    decomposition: Decomposition,
    kinds: tuple[Kind, ...],
    limits: Limits,
    warm: Clustering | None = None,
    *,
    workers: int = WORKERS,
) -> Outcome[Clustering]:
    """(P0c): :func:`formulations.clustering.stages.least_area` by CP-SAT."""
    stage = partition_stages.least_area
    return stage(_backend(workers), decomposition, kinds, limits, warm)


def _backend(workers: int) -> Backend[PartitionModel]:
    def run(model: PartitionModel, watch: Stopwatch, start: Clustering | None) -> Found:
        if start is not None:
            model.hint(start)
        done = run_cpsat(model.cp, watch, workers=workers)
        found = None if done.value is None else model.extract(done.solver)
        return Found(done.status, found, done.bound)

    return Backend(PartitionModel, SECONDS_PER_TERM, run, is_cpsat=True)
