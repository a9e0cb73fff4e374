"""MILP formulation (PuLP) of the partition of units onto crossbars (FORMULATIONS P, plain).

Sets         U units, A sources, K clusters, H kinds of crossbar (formulations/partition_sets.py)
Parameters   P(u) fan-in of u; s_i spikes; deg_i readers of i; R_h, C_h rows and columns of kind h
Variables    x[u,k] = 1 iff unit u is in cluster k
             a[i,k] = 1 if source i is on a row of cluster k
             y[k,h] = 1 iff cluster k is used, on a crossbar of kind h
             r[i,k] = 1 if unit i reaches cluster k from another cluster
Objectives   (P0a) min sum_k,h y[k,h]; (P0b) min sum s_i r[i,k] over units + s_i a[i,k] over inputs;
             (P0c) min sum_k,h area_h y[k,h]
Bound        HiGHS's (or CBC's) floating-point bound, rounded up, tolerance given away; valid for
             this decomposition and, (P0b), for clusterings of at most K clusters
Check        the clustering by optmap.evaluate; the value by recomputation
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pulp

from formulations.crossbar_kinds import Kind, area_of
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
from formulations.run_pulp import PulpRun, run_cbc, run_highs
from formulations.stopwatch import Stopwatch
from optmap.decompose import Decomposition
from optmap.evaluate.traffic_bounds import traffic_bound
from optmap.hardware import Platform
from optmap.mapping import Clustering, compact
from optmap.method import Limits, Outcome, Status

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
        of = clustering.cluster_of.tolist()
        rows: list[set[int]] = [set() for _ in self.sets.clusters]
        for u, k in enumerate(of):
            rows[k].update(self.sets.reads[u])
        hint = {x.name: int(of[u] == k) for (u, k), x in self.x.items()}
        hint |= {a.name: int(i in rows[k]) for (i, k), a in self.a.items()}
        hint |= {
            r.name: int(i in rows[k] and of[self.sets.position[i]] != k)
            for (i, k), r in self.r.items()
        }
        sizes = np.bincount(clustering.cluster_of, minlength=self.sets.num_clusters)
        for k in self.sets.clusters:
            fitting = [
                h
                for h, (r, c) in enumerate(self.sets.kinds)
                if sizes[k] and len(rows[k]) <= r and sizes[k] <= c
            ]
            hint |= {
                self.y[k, h].name: int(fitting[:1] == [h]) for h in range(len(self.sets.kinds))
            }
        return hint

    def extract(self, values: dict[str, int]) -> Clustering:
        """Read the placement; ValueError unless each unit has one cluster."""
        label = np.zeros(len(self.sets.units), dtype=np.int32)
        for u in self.sets.units:
            (label[u],) = [k for k in self.sets.clusters if values[self.x[u, k].name]]
        return compact(label)


def _run(model: PartitionModel, watch: Stopwatch, start: Clustering | None, solver: str) -> PulpRun:
    hint = None if start is None else model.hint(start)
    if solver == "highs":
        return run_highs(model.milp, watch, hint=hint)
    if solver == "cbc":
        return run_cbc(model.milp, watch, hint=hint)
    raise ValueError(f"solver {solver!r}: expected highs or cbc")


def minimize_clusters(
    decomposition: Decomposition,
    platform: Platform,
    limits: Limits,
    warm: Clustering | None = None,
    *,
    solver: str = "highs",
) -> Outcome[Clustering]:
    """(P0a) Return a clustering of fewest clusters, and the bound that was proved.

    A model too large to build is not built: the outcome is then the warm start, or UNKNOWN.

    Parameters
    ----------
    solver : str
        ``highs``, or ``cbc`` for a second opinion.
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
    run = _run(model, watch, start, solver)
    found = None if run.value is None else model.extract(run.values)
    return keep_better(watch, clusters_of, run.status, found, run.bound, start)


def minimize_traffic(
    decomposition: Decomposition,
    platform: Platform,
    num_clusters: int,
    limits: Limits,
    warm: Clustering | None = None,
    *,
    solver: str = "highs",
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
    run = _run(model, watch, start, solver)
    found = None if run.value is None else model.extract(run.values)
    return keep_better(watch, measure, run.status, found, max(floor, run.bound or 0), start)


def minimize_area(
    decomposition: Decomposition,
    kinds: tuple[Kind, ...],
    limits: Limits,
    warm: Clustering | None = None,
    *,
    solver: str = "highs",
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
    run = _run(model, watch, start, solver)
    found = None if run.value is None else model.extract(run.values)
    return keep_better(watch, measure, run.status, found, run.bound, start)
