"""Families of the partition with twins aggregated (README.md, P), for (P0a), for either engine.

Sets         Q twin classes, G groups of sources (classes.py), K clusters, H kinds
Parameters   n_q members; w_g sources; R_h, C_h rows and columns of kind h; v_dq what a member of q
             takes of resource d, L_hd what kind h has; A_h, F_h axons out, fan-out; g(q) the group
             that the members of q, read by others, are in
Variables    x[q,k] members of class q in cluster k
             z[q,k] = 1 if any; b[g,k] = 1 if group g is on rows of k
             p[q,k,n] members of class q in cluster k whose axons reach cluster n
             y[k,h] = 1 iff cluster k is used, on a crossbar of kind h
Objective    (P0a) min sum_k,h y[k,h]
Why exact    exchanging two twins changes neither rows nor columns of any cluster, so a clustering
             is feasible exactly if its counts x[q,k] are, and deals of equal counts have equally
             many clusters. Where more is limited, twins take alike and have the same readers
             besides (twin_classes.py). Traffic is another matter: twins may differ in readers and
             spikes, so (P0b) is not aggregated here
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Generic, Self

from formulations.clustering.below import Below
from formulations.clustering.sets import (
    MAX_TERMS,
    PartitionSets,
    clusters_of,
    keep_better,
    sets_for,
    start_of,
)
from formulations.clustering.twin_classes import group_of_class, twins_that_take_alike
from formulations.solvers.engine import Engine, V
from formulations.solvers.second_proof import graded
from formulations.solvers.stopwatch import Stopwatch
from optmap.bounds.bound import best
from optmap.bounds.clusters import cluster_bounds
from optmap.clustering.kernels.classes import Classes
from optmap.clustering.kernels.within_limits import exceeded
from optmap.model.capacity import UNLIMITED
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering, compact
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Platform

#: Members of each class that one crossbar holds.
Column = dict[int, int]


class TwinFamilies(Generic[V]):
    """Variables and constraints, one method a family; building is separate from solving."""

    def __init__(self, classes: Classes, sets: PartitionSets, engine: Engine[V]) -> None:
        self.classes, self.sets, self.kinds = classes, sets, sets.kinds
        self.clusters = sets.clusters
        self.engine, new = engine, engine.boolean
        self.q, self.g = range(classes.num_classes), range(len(classes.weight))
        self.n = [int(n) for n in classes.size]
        self.w = [int(w) for w in classes.weight]
        self.z = {(q, k): new(f"z_{q}_{k}") for q in self.q for k in self.clusters}
        self.x = {(q, k): engine.whole(f"x_{q}_{k}", self.n[q]) for q, k in self.z}
        self.b = {(g, k): new(f"b_{g}_{k}") for g in self.g for k in self.clusters}
        self.y = {(k, h): new(f"y_{k}_{h}") for k in self.clusters for h in range(len(self.kinds))}
        self.p: dict[tuple[int, int, int], V] = {}
        self.group = group_of_class(classes, sets.network) if sets.sent else {}

    def build(self) -> Self:
        """Post every family and the objective."""
        self.place_each_unit_once()
        self.respect_columns()
        self.count_classes()
        self.link_axons()
        self.respect_rows()
        self.respect_resources()
        self.respect_fan_out()
        self.respect_axons_out()
        self.choose_one_kind()
        self.break_cluster_symmetry()
        self.minimize_clusters()
        return self

    def used(self, k: int) -> Any:
        """sum_h y[k,h]."""
        return self.engine.total([self.y[k, h] for h in range(len(self.kinds))])

    def place_each_unit_once(self) -> None:
        """(P1)  sum_k x[q,k] = n_q  for all q."""
        for q in self.q:
            placed = self.engine.total(self.x[q, k] for k in self.clusters)
            self.engine.add(placed == self.n[q])

    def respect_columns(self) -> None:
        """(P2)  sum_q x[q,k] <= sum_h C_h y[k,h]  for all k."""
        for k in self.clusters:
            placed = self.engine.total(self.x[q, k] for q in self.q)
            columns = enumerate(c for _, c in self.kinds)
            self.engine.add(placed <= self.engine.total(c * self.y[k, h] for h, c in columns))

    def count_classes(self) -> None:
        """(P9)  x[q,k] <= n_q z[q,k]  for all q, k."""
        for (q, k), x in self.x.items():
            self.engine.add(x <= self.n[q] * self.z[q, k])

    def link_axons(self) -> None:
        """(P3)  z[q,k] <= b[g,k]  for all q, g read by q, k."""
        for q, k in self.z:
            for g in self.classes.reads(q).tolist():
                self.engine.implies(self.z[q, k], self.b[g, k])

    def respect_rows(self) -> None:
        """(P4)  sum_g w_g b[g,k] <= sum_h R_h y[k,h]  for all k."""
        for k in self.clusters:
            taken = self.engine.total(self.w[g] * self.b[g, k] for g in self.g)
            rows = enumerate(r for r, _ in self.kinds)
            self.engine.add(taken <= self.engine.total(r * self.y[k, h] for h, r in rows))

    def respect_resources(self) -> None:
        """(P12)  sum_q v_dq x[q,k] <= sum_h L_hd y[k,h]  for all resources d, k."""
        total = self.engine.total
        for d, taken in enumerate(self.sets.taken):
            for k in self.clusters:
                room = total(have[d] * self.y[k, h] for h, have in enumerate(self.sets.room))
                placed = total(taken[self.classes.members[q][0]] * self.x[q, k] for q in self.q)
                self.engine.add(placed <= room)

    def respect_fan_out(self) -> None:
        """(P13)  sum_n b[g(q),n] <= F_h + K (2 - z[q,k] - y[k,h])  for all q that is read, k, h."""
        num = len(self.clusters)
        for h, (_, most) in enumerate(self.sets.sent):
            for q, g in self.group.items() if most < num else ():
                for k in self.clusters:
                    here = [num * self.z[q, k], num * self.y[k, h]]
                    read = [self.b[g, n] for n in self.clusters]
                    self.engine.add(self.engine.total([*read, *here]) <= most + 2 * num)

    def respect_axons_out(self) -> None:
        """(P14)  p[q,k,n] >= x[q,k] - n_q (1 - b[g(q),n]);  sum p[q,k,n] <= A_h + E (1 - y[k,h]).

        The sum is over q and n; E: K for each unit that is read.
        """
        limited = [(h, most) for h, (most, _) in enumerate(self.sets.sent) if most < UNLIMITED]
        loose = len(self.clusters) * sum(self.n[q] for q in self.group)
        for k in self.clusters if limited else ():
            for q, g in self.group.items():
                for n in self.clusters:
                    p = self.p[q, k, n] = self.engine.whole(f"p_{q}_{k}_{n}", self.n[q])
                    reached = [self.x[q, k], self.n[q] * self.b[g, n]]
                    self.engine.add(self.engine.total(reached) - p <= self.n[q])
            for h, most in limited:
                out = [self.p[q, k, n] for q in self.group for n in self.clusters]
                self.engine.add(self.engine.total([*out, loose * self.y[k, h]]) <= most + loose)

    def choose_one_kind(self) -> None:
        """(P8)  sum_h y[k,h] <= 1  for all k."""
        for k in self.clusters:
            self.engine.add(self.used(k) <= 1)

    def break_cluster_symmetry(self) -> None:
        """(P6)  z[q,k] = 0  for k > n_0 + ... + n_q - 1;  used clusters come first.

        Redundant: number clusters by their lowest class; classes 0..q fill at most that many.
        """
        before = 0
        for q in self.q:
            before += self.n[q]
            for k in self.clusters:
                if k >= before:
                    self.engine.forbid(self.z[q, k])
        for k in self.clusters[:-1]:
            self.engine.add(self.used(k + 1) <= self.used(k))

    def minimize_clusters(self) -> None:
        """(P0a)  min sum_k,h y[k,h]."""
        self.engine.minimize(self.engine.total(self.y.values()))

    def values(self, columns: list[Column]) -> Iterator[tuple[V, int]]:
        """Yield every variable with its value in clusters given as members by class."""
        for (q, k), x in self.x.items():
            yield x, columns[k].get(q, 0)
            yield self.z[q, k], int(q in columns[k])
        kinds = self.sets.kinds_of(self.classes.clustering(columns))
        on_rows = [{int(g) for q in column for g in self.classes.reads(q)} for column in columns]
        for k, read in enumerate(on_rows):
            yield from ((self.b[g, k], int(g in read)) for g in self.g)
            yield from ((self.y[k, h], int(kinds[k] == h)) for h in range(len(self.kinds)))
        for (q, k, n), p in self.p.items():
            yield p, columns[k].get(q, 0) * (self.group[q] in on_rows[n])

    def clustering(self, value: Callable[[V], int]) -> Clustering:
        """Deal the members of each class; ValueError unless each unit has one cluster."""
        counts = [{q: value(self.x[q, k]) for q in self.q} for k in self.clusters]
        held = [{q: n for q, n in column.items() if n} for column in counts]
        return compact(self.classes.clustering([c for c in held if c]).cluster_of)


#: Runs the model of these classes and sets, from a start or none: status, clustering, bound.
Run = Callable[
    [Classes, PartitionSets, list[Column] | None, Stopwatch],
    tuple[Status, Clustering | None, int | None],
]


def fewest_clusters(
    run: Run,
    seconds_per_term: float,
    decomposition: Decomposition,
    platform: Platform,
    limits: Limits,
    warm: Clustering | None,
) -> Outcome[Clustering]:
    """(P0a) Return a clustering of fewest clusters, and the bound that was proved.

    A model too large to build is not built: the outcome is then the start. What is proved is asked
    again of CP-SAT on the plain model, where that is not too large.
    """
    watch = Stopwatch(limits)
    network = decomposition.network
    first = start_of(decomposition, platform, warm)
    simple = best(cluster_bounds(decomposition, platform))
    floor = None if simple is None else simple.whole
    # Axons out: more clusters than at the start may be the way.
    start = None if exceeded(decomposition, first, platform) else first
    known = graded(keep_better(watch, clusters_of, Status.UNKNOWN, None, floor, start), floor)
    if known.status is Status.OPTIMAL:
        return known
    num_clusters = decomposition.num_units if start is None else start.num_clusters
    plain = sets_for(network, platform, num_clusters)
    below = Below(plain, "clusters", clusters_of, watch, other_search=False)
    classes = twins_that_take_alike(network, plain)
    terms = len(classes.groups) + len(classes.weight) + 2 * classes.num_classes
    terms += classes.num_classes * num_clusters if plain.sent else 0
    if num_clusters * terms > min(MAX_TERMS, limits.wall_s / 2 / seconds_per_term):
        return replace(known, note="no model of the classes: too many terms for the limit")
    columns = None if start is None else classes.columns_of(start)
    status, found, bound = run(classes, plain, columns, watch)
    outcome = keep_better(watch, clusters_of, status, found, bound, start)
    return graded(outcome, floor, below)
