"""MILP formulation (PuLP) of the partition with twins aggregated (README.md, P), for (P0a).

Sets         Q twin classes, G groups of sources (classes.py), K clusters, H kinds
Parameters   n_q members; w_g sources; R_h, C_h rows and columns of kind h
Variables    x[q,k] members of class q in cluster k
             z[q,k] = 1 if any; b[g,k] = 1 if group g is on rows of k
             y[k,h] = 1 iff cluster k is used, on a crossbar of kind h
Objective    (P0a) min sum_k,h y[k,h]
Bound        HiGHS's floating-point bound, rounded up with its tolerance given away; valid for the
             plain problem (proof: twins_cpsat.py)
Check        the clustering by optmap.judge; the value by recomputation
"""

from __future__ import annotations

import pulp

from formulations.clustering.sets import (
    MAX_TERMS,
    clusters_of,
    keep_better,
    kinds_worth_having,
    start_of,
)
from formulations.solvers.run_pulp import run_highs
from formulations.solvers.stopwatch import Stopwatch
from optmap.clustering.kernels.classes import Classes, classes_of
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering, compact
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Platform


class TwinModel:
    """Variables and constraints, one method a family; building is separate from solving."""

    def __init__(
        self, classes: Classes, kinds: tuple[tuple[int, int], ...], num_clusters: int
    ) -> None:
        self.classes, self.kinds, self.clusters = classes, kinds, range(num_clusters)
        self.milp = pulp.LpProblem("partition", pulp.LpMinimize)
        self.q, self.g = range(classes.num_classes), range(len(classes.weight))
        self.n = [int(n) for n in classes.size]
        self.w = [int(w) for w in classes.weight]
        new = self._whole
        self.z = {(q, k): new(f"z_{q}_{k}", 1) for q in self.q for k in self.clusters}
        self.x = {(q, k): new(f"x_{q}_{k}", self.n[q]) for q, k in self.z}
        self.b = {(g, k): new(f"b_{g}_{k}", 1) for g in self.g for k in self.clusters}
        self.y = {(k, h): new(f"y_{k}_{h}", 1) for k in self.clusters for h in range(len(kinds))}

    def _whole(self, name: str, most: int) -> pulp.LpVariable:
        return self.milp.add_variable(name, 0, most, pulp.LpInteger)

    def build(self) -> TwinModel:
        """Post every family and the objective."""
        self.place_each_unit_once()
        self.respect_columns()
        self.count_classes()
        self.link_axons()
        self.respect_rows()
        self.choose_one_kind()
        self.break_cluster_symmetry()
        self.minimize_clusters()
        return self

    def used(self, k: int) -> pulp.LpAffineExpression:
        """sum_h y[k,h]."""
        return pulp.lpSum(self.y[k, h] for h in range(len(self.kinds)))

    def place_each_unit_once(self) -> None:
        """(P1)  sum_k x[q,k] = n_q  for all q."""
        for q in self.q:
            self.milp += pulp.lpSum(self.x[q, k] for k in self.clusters) == self.n[q]

    def respect_columns(self) -> None:
        """(P2)  sum_q x[q,k] <= sum_h C_h y[k,h]  for all k."""
        for k in self.clusters:
            room = pulp.lpSum(c * self.y[k, h] for h, (_, c) in enumerate(self.kinds))
            self.milp += pulp.lpSum(self.x[q, k] for q in self.q) <= room

    def count_classes(self) -> None:
        """(P9)  x[q,k] <= n_q z[q,k]  for all q, k."""
        for (q, k), x in self.x.items():
            self.milp += x <= self.n[q] * self.z[q, k]

    def link_axons(self) -> None:
        """(P3)  z[q,k] <= b[g,k]  for all q, g read by q, k."""
        for q, k in self.z:
            for g in self.classes.reads(q).tolist():
                self.milp += self.z[q, k] <= self.b[g, k]

    def respect_rows(self) -> None:
        """(P4)  sum_g w_g b[g,k] <= sum_h R_h y[k,h]  for all k."""
        for k in self.clusters:
            room = pulp.lpSum(r * self.y[k, h] for h, (r, _) in enumerate(self.kinds))
            self.milp += pulp.lpSum(self.w[g] * self.b[g, k] for g in self.g) <= room

    def choose_one_kind(self) -> None:
        """(P8)  sum_h y[k,h] <= 1  for all k."""
        for k in self.clusters:
            self.milp += self.used(k) <= 1

    def break_cluster_symmetry(self) -> None:
        """(P6)  z[q,k] = 0  for k > n_0 + ... + n_q - 1;  used clusters come first.

        Redundant: number clusters by their lowest class; classes 0..q fill at most that many.
        """
        before = 0
        for q in self.q:
            before += self.n[q]
            for k in self.clusters:
                if k >= before:
                    self.z[q, k].upBound = 0
        for k in self.clusters[:-1]:
            self.milp += self.used(k + 1) <= self.used(k)

    def minimize_clusters(self) -> None:
        """(P0a)  min sum_k,h y[k,h]."""
        self.milp.setObjective(pulp.lpSum(self.y.values()))

    def hint(self, columns: list[dict[int, int]]) -> dict[str, int]:
        """Return the members by class of some clusters as values of the variables."""
        hint: dict[str, int] = {}
        for (q, k), x in self.x.items():
            hint[x.name] = columns[k].get(q, 0)
            hint[self.z[q, k].name] = int(q in columns[k])
        sizes = [sum(c.values()) for c in columns]
        rows = [self.classes.rows_of(list(c)) for c in columns]
        for k, column in enumerate(columns):
            read = {int(g) for q in column for g in self.classes.reads(q)}
            hint |= {self.b[g, k].name: int(g in read) for g in self.g}
            fitting = [h for h, (r, c) in enumerate(self.kinds) if rows[k] <= r and sizes[k] <= c]
            hint |= {self.y[k, h].name: int([h] == fitting[:1]) for h in range(len(self.kinds))}
        return hint

    def extract(self, values: dict[str, int]) -> Clustering:
        """Deal the members of each class; ValueError unless each unit has one cluster."""
        columns = [
            {q: values[self.x[q, k].name] for q in self.q if values[self.x[q, k].name]}
            for k in self.clusters
        ]
        held = [c for c in columns if c]
        return compact(self.classes.clustering(held).cluster_of)


def minimize_clusters(
    decomposition: Decomposition,
    platform: Platform,
    limits: Limits,
    warm: Clustering | None = None,
) -> Outcome[Clustering]:
    """(P0a) Return a clustering of fewest clusters, and the bound that was proved.

    A model too large to build is not built: the outcome is then the start.
    """
    watch = Stopwatch(limits)
    start = start_of(decomposition, platform, warm)
    value = start.num_clusters
    classes = classes_of(decomposition.network)
    terms = value * (len(classes.groups) + len(classes.weight) + 2 * classes.num_classes)
    if terms > min(MAX_TERMS, limits.wall_s / 2 / 2e-5):
        return keep_better(watch, clusters_of, Status.UNKNOWN, None, None, start)
    model = TwinModel(classes, kinds_worth_having(platform), value).build()
    run = run_highs(model.milp, watch, hint=model.hint(classes.columns_of(start)))
    found = None if run.value is None else model.extract(run.values)
    return keep_better(watch, clusters_of, run.status, found, run.bound, start)
