"""CP-SAT formulation of the partition with twins aggregated (README.md, P), for (P0a).

Sets         Q twin classes, G groups of sources (classes.py), K clusters, H kinds
Parameters   n_q members; w_g sources; R_h, C_h rows and columns of kind h
Variables    x[q,k] members of class q in cluster k
             z[q,k] = 1 if any; b[g,k] = 1 if group g is on rows of k
             y[k,h] = 1 iff cluster k is used, on a crossbar of kind h
Objective    (P0a) min sum_k,h y[k,h]
Bound        the solver's, an exact integer, valid for the plain problem: exchanging two twins
             changes neither rows nor columns of any cluster, so a clustering is feasible exactly
             if its counts x[q,k] are, and deals of equal counts have equally many clusters.
             Traffic is another matter: twins may differ in readers and spikes, so (P0b) is not
             aggregated here
Check        the clustering by optmap.judge; the value by recomputation
"""

from __future__ import annotations

from ortools.sat.python import cp_model

from formulations.clustering.sets import (
    MAX_TERMS,
    clusters_of,
    keep_better,
    kinds_worth_having,
    start_of,
)
from formulations.solvers.run_cpsat import WORKERS, run_cpsat
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
        self.cp = cp_model.CpModel()
        self.q, self.g = range(classes.num_classes), range(len(classes.weight))
        self.n = [int(n) for n in classes.size]
        self.w = [int(w) for w in classes.weight]
        new = self.cp.new_bool_var
        self.z = {(q, k): new(f"z_{q}_{k}") for q in self.q for k in self.clusters}
        self.x = {(q, k): self.cp.new_int_var(0, self.n[q], f"x_{q}_{k}") for q, k in self.z}
        self.b = {(g, k): new(f"b_{g}_{k}") for g in self.g for k in self.clusters}
        self.y = {(k, h): new(f"y_{k}_{h}") for k in self.clusters for h in range(len(kinds))}

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

    def used(self, k: int) -> cp_model.LinearExprT:
        """sum_h y[k,h]."""
        return cp_model.LinearExpr.sum([self.y[k, h] for h in range(len(self.kinds))])

    def place_each_unit_once(self) -> None:
        """(P1)  sum_k x[q,k] = n_q  for all q."""
        for q in self.q:
            self.cp.add(sum(self.x[q, k] for k in self.clusters) == self.n[q])

    def respect_columns(self) -> None:
        """(P2)  sum_q x[q,k] <= sum_h C_h y[k,h]  for all k."""
        for k in self.clusters:
            room = sum(c * self.y[k, h] for h, (_, c) in enumerate(self.kinds))
            self.cp.add(sum(self.x[q, k] for q in self.q) <= room)

    def count_classes(self) -> None:
        """(P9)  x[q,k] <= n_q z[q,k]  for all q, k."""
        for (q, k), x in self.x.items():
            self.cp.add(x <= self.n[q] * self.z[q, k])

    def link_axons(self) -> None:
        """(P3)  z[q,k] <= b[g,k]  for all q, g read by q, k."""
        for q, k in self.z:
            for g in self.classes.reads(q).tolist():
                self.cp.add_implication(self.z[q, k], self.b[g, k])

    def respect_rows(self) -> None:
        """(P4)  sum_g w_g b[g,k] <= sum_h R_h y[k,h]  for all k."""
        for k in self.clusters:
            room = sum(r * self.y[k, h] for h, (r, _) in enumerate(self.kinds))
            self.cp.add(sum(self.w[g] * self.b[g, k] for g in self.g) <= room)

    def choose_one_kind(self) -> None:
        """(P8)  sum_h y[k,h] <= 1  for all k."""
        for k in self.clusters:
            self.cp.add(self.used(k) <= 1)

    def break_cluster_symmetry(self) -> None:
        """(P6)  z[q,k] = 0  for k > n_0 + ... + n_q - 1;  used clusters come first.

        Redundant: number clusters by their lowest class; classes 0..q fill at most that many.
        """
        before = 0
        for q in self.q:
            before += self.n[q]
            for k in self.clusters:
                if k >= before:
                    self.cp.add(self.z[q, k] == 0)
        for k in self.clusters[:-1]:
            self.cp.add(self.used(k + 1) <= self.used(k))

    def minimize_clusters(self) -> None:
        """(P0a)  min sum_k,h y[k,h]."""
        self.cp.minimize(sum(self.y.values()))

    def hint(self, columns: list[dict[int, int]]) -> None:
        """Suggest clusters given as members by class."""
        for (q, k), x in self.x.items():
            count = columns[k].get(q, 0)
            self.cp.add_hint(x, count)
            self.cp.add_hint(self.z[q, k], count > 0)
        for k, column in enumerate(columns):
            read = {int(g) for q in column for g in self.classes.reads(q)}
            for g in self.g:
                self.cp.add_hint(self.b[g, k], g in read)

    def extract(self, solver: cp_model.CpSolver) -> Clustering:
        """Deal the members of each class; ValueError unless each unit has one cluster."""
        columns = [
            {q: int(solver.value(self.x[q, k])) for q in self.q if solver.value(self.x[q, k])}
            for k in self.clusters
        ]
        held = [c for c in columns if c]
        return compact(self.classes.clustering(held).cluster_of)


def minimize_clusters(
    decomposition: Decomposition,
    platform: Platform,
    limits: Limits,
    warm: Clustering | None = None,
    *,
    workers: int = WORKERS,
) -> Outcome[Clustering]:
    """(P0a) Return a clustering of fewest clusters, and the bound that was proved.

    A model too large to build is not built: the outcome is then the start.
    """
    watch = Stopwatch(limits)
    start = start_of(decomposition, platform, warm)
    value = start.num_clusters
    classes = classes_of(decomposition.network)
    terms = value * (len(classes.groups) + len(classes.weight) + 2 * classes.num_classes)
    if terms > min(MAX_TERMS, limits.wall_s / 2 / 5e-6):
        return keep_better(watch, clusters_of, Status.UNKNOWN, None, None, start)
    model = TwinModel(classes, kinds_worth_having(platform), value).build()
    if classes.num_classes:
        model.hint(classes.columns_of(start))
    run = run_cpsat(model.cp, watch, workers=workers)
    found = None if run.value is None else model.extract(run.solver)
    return keep_better(watch, clusters_of, run.status, found, run.bound, start)
