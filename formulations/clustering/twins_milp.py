"""MILP (PuLP) of the partition with twins aggregated (README.md, P), for (P0a).

Families     twin_families.py, where it is said why they are exact
Bound        HiGHS's floating-point bound, rounded up with its tolerance given away; valid for the
             plain problem
Check        the clustering by optmap.judge; the value by recomputation
"""

from __future__ import annotations

import pulp

from formulations.clustering.sets import PartitionSets
from formulations.clustering.twin_families import Column, TwinFamilies, fewest_clusters
from formulations.solvers.engine import MilpEngine
from formulations.solvers.run_pulp import run_highs
from formulations.solvers.stopwatch import Stopwatch
from optmap.clustering.kernels.classes import Classes
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Platform

#: Measured, for the largest families; building counts as solving time.
SECONDS_PER_TERM = 2e-5


class TwinModel(TwinFamilies[pulp.LpVariable]):
    """The families in a PuLP problem."""

    def __init__(self, classes: Classes, sets: PartitionSets) -> None:
        self.milp = pulp.LpProblem("partition", pulp.LpMinimize)
        super().__init__(classes, sets, MilpEngine(self.milp))


def minimize_clusters(
    decomposition: Decomposition,
    platform: Platform,
    limits: Limits,
    warm: Clustering | None = None,
) -> Outcome[Clustering]:
    """(P0a): :func:`formulations.clustering.twin_families.fewest_clusters` by PuLP."""
    return fewest_clusters(_run, SECONDS_PER_TERM, decomposition, platform, limits, warm)


def _run(
    classes: Classes, sets: PartitionSets, start: list[Column] | None, watch: Stopwatch
) -> tuple[Status, Clustering | None, int | None]:
    model = TwinModel(classes, sets)
    model.build()
    hint = None
    if start is not None:
        hint = {variable.name: value for variable, value in model.values(start)}
    run = run_highs(model.milp, watch, hint=hint)
    found = None if run.value is None else model.clustering(lambda x: run.values[x.name])
    return run.status, found, run.bound
