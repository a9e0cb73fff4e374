"""CP-SAT model of the partition with twins aggregated (README.md, P), for (P0a).

Families     twin_families.py, where it is said why they are exact
Bound        the solver's, an exact integer, valid for the plain problem
Check        the clustering by optmap.judge; the value by recomputation
"""

from __future__ import annotations

from functools import partial

from ortools.sat.python import cp_model

from formulations.clustering.sets import PartitionSets
from formulations.clustering.twin_families import Column, TwinFamilies, fewest_clusters
from formulations.solvers.engine import CpsatEngine
from formulations.solvers.run_cpsat import WORKERS, run_cpsat
from formulations.solvers.stopwatch import Stopwatch
from optmap.clustering.kernels.classes import Classes
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Platform

#: Measured, for the largest families; building counts as solving time.
SECONDS_PER_TERM = 5e-6


class TwinModel(TwinFamilies[cp_model.IntVar]):
    """The families in a CP-SAT model."""

    def __init__(self, classes: Classes, sets: PartitionSets) -> None:
        self.cp = cp_model.CpModel()
        super().__init__(classes, sets, CpsatEngine(self.cp))


def minimize_clusters(
    decomposition: Decomposition,
    platform: Platform,
    limits: Limits,
    warm: Clustering | None = None,
    *,
    workers: int = WORKERS,
) -> Outcome[Clustering]:
    """(P0a): :func:`formulations.clustering.twin_families.fewest_clusters` by CP-SAT."""
    run = partial(_run, workers)
    return fewest_clusters(run, SECONDS_PER_TERM, decomposition, platform, limits, warm)


def _run(
    workers: int,
    classes: Classes,
    sets: PartitionSets,
    start: list[Column] | None,
    watch: Stopwatch,
) -> tuple[Status, Clustering | None, int | None]:
    model = TwinModel(classes, sets)
    model.build()
    for variable, value in model.values(start) if start is not None else ():
        model.cp.add_hint(variable, value)
    run = run_cpsat(model.cp, watch, workers=workers)
    found = None if run.value is None else model.clustering(run.solver.value)
    return run.status, found, run.bound
