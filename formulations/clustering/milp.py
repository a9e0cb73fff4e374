"""MILP formulation (PuLP) of the partition of units onto crossbars (README.md, P, plain).

Sets         U units, A sources, K clusters, H kinds of crossbar (sets.py)
Parameters   P(u) fan-in of u; s_i spikes; deg_i readers of i; R_h, C_h rows and columns of kind h
Variables    x[u,k] = 1 iff unit u is in cluster k
             a[i,k] = 1 if source i is on a row of cluster k
             y[k,h] = 1 iff cluster k is used, on a crossbar of kind h
             r[i,k] = 1 if unit i reaches cluster k from another cluster
Objectives   (P0a) min sum_k,h y[k,h]; (P0b) min sum s_i r[i,k] over units + s_i a[i,k] over inputs;
             (P0c) min sum_k,h area_h y[k,h]
Bound        HiGHS's (or CBC's) floating-point bound, rounded up, tolerance given away; valid for
             this decomposition and, (P0b), for clusterings of at most K clusters
Check        the clustering by optmap.judge; the value by recomputation
"""

from __future__ import annotations

import numpy as np
import pulp

from formulations.clustering import stages as partition_stages
from formulations.clustering.crossbar_kinds import Kind
from formulations.clustering.sets import PartitionSets
from formulations.clustering.stages import Backend, Found
from formulations.solvers.run_pulp import run_cbc, run_highs
from formulations.solvers.stopwatch import Stopwatch
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering, compact
from optmap.model.outcome import Limits, Outcome
from optmap.model.platform import Platform

#: Measured, for the largest families; building counts as solving time.
SECONDS_PER_TERM = 2e-5


class PartitionModel:
    """Variables and constraints, one method a family; building is separate from solving."""

    def __init__(self, sets: PartitionSets) -> None:
        self.sets, self.milp = sets, pulp.LpProblem("partition", pulp.LpMinimize)
        self.x = {(u, k): self._binary(f"x_{u}_{k}") for u in sets.units for k in sets.clusters}
        self.a = {(i, k): self._binary(f"a_{i}_{k}") for i in sets.sources for k in sets.clusters}
        kinds = range(len(sets.kinds))
        self.y = {(k, h): self._binary(f"y_{k}_{h}") for k in sets.clusters for h in kinds}
        self.r: dict[tuple[int, int], pulp.LpVariable] = {}

    def _binary(self, name: str) -> pulp.LpVariable:
        return self.milp.add_variable(name, 0, 1, pulp.LpInteger)

    def build(self) -> PartitionModel:
        """Post every family that both objectives need."""
        self.place_each_unit_once()
        self.respect_columns()
        self.link_axons()
        self.respect_rows()
        self.choose_one_kind()
        self.break_cluster_symmetry()
        self.imply_axon_copies()
        return self

    def used(self, k: int) -> pulp.LpAffineExpression:
        """sum_h y[k,h]."""
        return pulp.lpSum(self.y[k, h] for h in range(len(self.sets.kinds)))

    def place_each_unit_once(self) -> None:
        """(P1)  sum_k x[u,k] = 1  for all u."""
        for u in self.sets.units:
            self.milp += pulp.lpSum(self.x[u, k] for k in self.sets.clusters) == 1

    def respect_columns(self) -> None:
        """(P2)  sum_u x[u,k] <= sum_h C_h y[k,h]  for all k."""
        for k in self.sets.clusters:
            room = pulp.lpSum(c * self.y[k, h] for h, (_, c) in enumerate(self.sets.kinds))
            self.milp += pulp.lpSum(self.x[u, k] for u in self.sets.units) <= room

    def link_axons(self) -> None:
        """(P3)  x[u,k] <= a[i,k]  for all u, i in P(u), k."""
        for u in self.sets.units:
            for i in self.sets.reads[u]:
                for k in self.sets.clusters:
                    self.milp += self.x[u, k] <= self.a[i, k]

    def respect_rows(self) -> None:
        """(P4)  sum_i a[i,k] <= sum_h R_h y[k,h]  for all k."""
        for k in self.sets.clusters:
            room = pulp.lpSum(r * self.y[k, h] for h, (r, _) in enumerate(self.sets.kinds))
            self.milp += pulp.lpSum(self.a[i, k] for i in self.sets.sources) <= room

    def link_remote_axons(self) -> None:
        """(P5)  a[i,k] - x[i,k] <= r[i,k]  for all units i that spike and are read, k.

        One direction is enough: (P0b) pushes r down.
        """
        for i in self.sets.sources:
            if i in self.sets.position and self.sets.spikes[i]:
                for k in self.sets.clusters:
                    r = self.r[i, k] = self._binary(f"r_{i}_{k}")
                    self.milp += self.a[i, k] - self.x[self.sets.position[i], k] <= r

    def break_cluster_symmetry(self) -> None:
        """(P6)  x[u,k] = 0  for k > rank(u);  sum_h y[k+1,h] <= sum_h y[k,h].

        Redundant: clusters have no names, so number them by their lowest unit.
        """
        for (u, k), x in self.x.items():
            if k > u:
                x.upBound = 0
        for k in self.sets.clusters[:-1]:
            self.milp += self.used(k + 1) <= self.used(k)

    def imply_axon_copies(self) -> None:
        """(P7)  sum_k a[i,k] >= ceil(deg_i / C)  for all i.

        Redundant: one crossbar holds at most C readers of i.
        """
        for i in self.sets.sources:
            copies = -(-self.sets.readers[i] // self.sets.max_columns)
            self.milp += pulp.lpSum(self.a[i, k] for k in self.sets.clusters) >= copies

    def choose_one_kind(self) -> None:
        """(P8)  sum_h y[k,h] <= 1  for all k."""
        for k in self.sets.clusters:
            self.milp += self.used(k) <= 1

    def respect_stock(self) -> None:
        """(P10)  sum_k y[k,h] <= stock_h  for all h of limited stock."""
        for h, stock in enumerate(self.sets.stock):
            if stock is not None:
                self.milp += pulp.lpSum(self.y[k, h] for k in self.sets.clusters) <= stock

    def minimize_area(self) -> None:
        """(P0c)  min sum_k,h area_h y[k,h]."""
        self.milp.setObjective(pulp.lpSum(self.sets.area[h] * y for (_, h), y in self.y.items()))

    def minimize_clusters(self) -> None:
        """(P0a)  min sum_k,h y[k,h]."""
        self.milp.setObjective(pulp.lpSum(self.y.values()))

    def minimize_traffic(self) -> None:
        """(P0b)  min sum over units s_i r[i,k] + sum over inputs s_i a[i,k]."""
        spikes = self.sets.spikes
        inputs = [(i, k) for i, k in self.a if i not in self.sets.position and spikes[i]]
        self.milp.setObjective(
            pulp.lpSum(spikes[i] * r for (i, _), r in self.r.items())
            + pulp.lpSum(spikes[i] * self.a[i, k] for i, k in inputs)
        )

    def hint(self, clustering: Clustering) -> dict[str, int]:
        """Return every variable's value in a clustering numbered by lowest member."""
        of, rows = clustering.cluster_of.tolist(), self.sets.rows_of(clustering)
        hint = {x.name: int(of[u] == k) for (u, k), x in self.x.items()}
        hint |= {a.name: int(i in rows[k]) for (i, k), a in self.a.items()}
        hint |= {
            r.name: int(i in rows[k] and of[self.sets.position[i]] != k)
            for (i, k), r in self.r.items()
        }
        kinds = self.sets.kinds_of(clustering)
        return hint | {y.name: int(kinds[k] == h) for (k, h), y in self.y.items()}

    def extract(self, values: dict[str, int]) -> Clustering:
        """Read the placement; ValueError unless each unit has one cluster."""
        label = np.zeros(len(self.sets.units), dtype=np.int32)
        for u in self.sets.units:
            (label[u],) = [k for k in self.sets.clusters if values[self.x[u, k].name]]
        return compact(label)


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
