"""MILP formulation (PuLP) of the partition of units onto crossbars (README.md, P, plain).

Families     partition_families.py
Bound        HiGHS's (or CBC's) floating-point bound, rounded up, tolerance given away; valid for
             this decomposition and, (P0b), for clusterings of at most K clusters
Check        the clustering by optmap.judge; the value by recomputation
"""

from __future__ import annotations

import pulp

from formulations.clustering import stages as partition_stages
from formulations.clustering.crossbar_kinds import Kind
from formulations.clustering.partition_families import PartitionFamilies
from formulations.clustering.sets import PartitionSets
from formulations.clustering.stages import Backend, Found
from formulations.solvers.engine import MilpEngine
from formulations.solvers.run_pulp import run_cbc, run_highs
from formulations.solvers.stopwatch import Stopwatch
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.outcome import Limits, Outcome
from optmap.model.platform import Platform

#: Measured, for the largest families; building counts as solving time.
SECONDS_PER_TERM = 2e-5


class PartitionModel(PartitionFamilies[pulp.LpVariable]):
    """The families in a PuLP problem, with hints and solutions as it has them."""

    def __init__(self, sets: PartitionSets) -> None:
        self.milp = pulp.LpProblem("partition", pulp.LpMinimize)
        super().__init__(sets, MilpEngine(self.milp))

    def hint(self, clustering: Clustering) -> dict[str, int]:
        """Return every variable's value in a clustering numbered by lowest member."""
        return {variable.name: value for variable, value in self.values(clustering)}

    def extract(self, values: dict[str, int]) -> Clustering:
        """Read the placement; ValueError unless each unit has one cluster."""
        return self.clustering(lambda variable: values[variable.name])


def minimize_clusters(
    decomposition: Decomposition,
    platform: Platform,
    limits: Limits,
    warm: Clustering | None = None,
    *,
    solver: str = "highs",
) -> Outcome[Clustering]:
    """(P0a): :func:`formulations.clustering.stages.fewest_clusters` by PuLP.

    Parameters
    ----------
    solver : str
        ``highs``, or ``cbc`` for a second opinion.
    """
    stage = partition_stages.fewest_clusters
    return stage(_backend(solver), decomposition, platform, limits, warm)


def minimize_traffic(
    decomposition: Decomposition,
    platform: Platform,
    num_clusters: int,
    limits: Limits,
    warm: Clustering | None = None,
    *,
    solver: str = "highs",
) -> Outcome[Clustering]:
    """(P0b): :func:`formulations.clustering.stages.least_traffic` by PuLP."""
    stage = partition_stages.least_traffic
    return stage(_backend(solver), decomposition, platform, num_clusters, limits, warm)


def minimize_area(
    decomposition: Decomposition,
    kinds: tuple[Kind, ...],
    limits: Limits,
    warm: Clustering | None = None,
    *,
    solver: str = "highs",
) -> Outcome[Clustering]:
    """(P0c): :func:`formulations.clustering.stages.least_area` by PuLP."""
    stage = partition_stages.least_area
    return stage(_backend(solver), decomposition, kinds, limits, warm)


def _backend(solver: str) -> Backend[PartitionModel]:
    solvers = {"highs": run_highs, "cbc": run_cbc}
    if solver not in solvers:
        raise ValueError(f"solver {solver!r}: expected highs or cbc")

    def run(model: PartitionModel, watch: Stopwatch, start: Clustering | None) -> Found:
        hint = None if start is None else model.hint(start)
        done = solvers[solver](model.milp, watch, hint=hint)
        found = None if done.value is None else model.extract(done.values)
        return Found(done.status, found, done.bound)

    return Backend(PartitionModel, SECONDS_PER_TERM, run, is_cpsat=False)
