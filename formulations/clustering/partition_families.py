"""Families of the plain partition of units onto crossbars (README.md, P), for either engine.

Sets         U units, A sources, K clusters, H kinds of crossbar (sets.py)
Parameters   P(u) fan-in of u; s_i spikes; deg_i readers of i; R_h, C_h rows and columns of kind h;
             w_du what unit u takes of resource d, L_hd what kind h has; A_h, F_h axons out, fan-out
Variables    x[u,k] = 1 iff unit u is in cluster k
             a[i,k] = 1 if source i is on a row of cluster k
             y[k,h] = 1 iff cluster k is used, on a crossbar of kind h
             r[i,k] = 1 if unit i reaches cluster k from another cluster
             e[i,k] axons out that unit i takes of cluster k
             b[l,k] = 1 if a unit of label l is in cluster k (labels: demands of a user)
             most, least units of a cluster in use, where a user demands balance
Objectives   (P0a) min sum_k,h y[k,h]; (P0b) min sum s_i r[i,k] over units + s_i a[i,k] over inputs;
             (P0c) min sum_k,h area_h y[k,h]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, Self

import numpy as np

from formulations.clustering.sets import PartitionSets
from formulations.solvers.answers import the_one
from formulations.solvers.engine import Engine, V
from optmap.model.capacity import UNLIMITED
from optmap.model.mapping import Clustering, compact


class PartitionFamilies(Generic[V]):
    """Variables and constraints, one method a family; building is separate from solving."""

    def __init__(self, sets: PartitionSets, engine: Engine[V]) -> None:
        self.sets, self.engine = sets, engine
        new = engine.boolean
        self.x = {(u, k): new(f"x_{u}_{k}") for u in sets.units for k in sets.clusters}
        self.a = {(i, k): new(f"a_{i}_{k}") for i in sets.sources for k in sets.clusters}
        self.y = {(k, h): new(f"y_{k}_{h}") for k in sets.clusters for h in range(len(sets.kinds))}
        self.r: dict[tuple[int, int], V] = {}
        self.e: dict[tuple[int, int], V] = {}
        self.b: dict[tuple[int, int], V] = {}
        self.most: V | None = None
        self.least: V | None = None

    def build(self) -> Self:
        """Post every family that all objectives need."""
        self.place_each_unit_once()
        self.respect_columns()
        self.link_axons()
        self.respect_rows()
        self.respect_resources()
        self.respect_fan_out()
        self.respect_axons_out()
        self.choose_one_kind()
        self.break_cluster_symmetry()
        self.imply_axon_copies()
        self.keep_apart()
        self.respect_least_size()
        self.respect_difference()
        self.respect_imbalance()
        return self

    def used(self, k: int) -> Any:
        """sum_h y[k,h]."""
        return self.engine.total([self.y[k, h] for h in range(len(self.sets.kinds))])

    def place_each_unit_once(self) -> None:
        """(P1)  sum_k x[u,k] = 1  for all u."""
        for u in self.sets.units:
            self.engine.exactly_one(self.x[u, k] for k in self.sets.clusters)

    def respect_columns(self) -> None:
        """(P2)  sum_u x[u,k] <= sum_h C_h y[k,h]  for all k."""
        for k in self.sets.clusters:
            columns = enumerate(c for _, c in self.sets.kinds)
            self.engine.add(self.size(k) <= self.engine.total(c * self.y[k, h] for h, c in columns))

    def link_axons(self) -> None:
        """(P3)  x[u,k] <= a[i,k]  for all u, i in P(u), k."""
        for u in self.sets.units:
            for i in self.sets.reads[u]:
                for k in self.sets.clusters:
                    self.engine.implies(self.x[u, k], self.a[i, k])

    def respect_rows(self) -> None:
        """(P4)  sum_i a[i,k] <= sum_h R_h y[k,h]  for all k."""
        for k in self.sets.clusters:
            taken = self.engine.total(self.a[i, k] for i in self.sets.sources)
            rows = enumerate(r for r, _ in self.sets.kinds)
            self.engine.add(taken <= self.engine.total(r * self.y[k, h] for h, r in rows))

    def respect_resources(self) -> None:
        """(P12)  sum_u w_du x[u,k] <= sum_h L_hd y[k,h]  for all resources d, k."""
        total = self.engine.total
        for d, taken in enumerate(self.sets.taken):
            for k in self.sets.clusters:
                room = total(have[d] * self.y[k, h] for h, have in enumerate(self.sets.room))
                placed = total(w * self.x[u, k] for u, w in enumerate(taken))
                self.engine.add(placed <= room)

    def respect_fan_out(self) -> None:
        """(P13)  sum_n a[i,n] <= F_h + K (2 - x[i,k] - y[k,h])  for all units i read, k, h.

        F_h: the most crossbars that may read a unit on a crossbar of kind h.
        """
        num = self.sets.num_clusters
        for h, (_, most) in enumerate(self.sets.sent):
            for i in self.sets.read_units if most < num else ():
                for k in self.sets.clusters:
                    here = [num * self.x[self.sets.position[i], k], num * self.y[k, h]]
                    read = [self.a[i, n] for n in self.sets.clusters]
                    self.engine.add(self.engine.total([*read, *here]) <= most + 2 * num)

    def respect_axons_out(self) -> None:
        """(P14)  e[i,k] >= sum_n a[i,n] - K (1 - x[i,k]);  sum_i e[i,k] <= A_h + E (1 - y[k,h]).

        E: K for each unit that is read.
        """
        num, units = self.sets.num_clusters, self.sets.read_units
        limited = [(h, most) for h, (most, _) in enumerate(self.sets.sent) if most < UNLIMITED]
        for k in self.sets.clusters if limited else ():
            for i in units:
                e = self.e[i, k] = self.engine.whole(f"e_{i}_{k}", num)
                here = num * self.x[self.sets.position[i], k]
                read = [self.a[i, n] for n in self.sets.clusters]
                self.engine.add(self.engine.total([*read, here]) - e <= num)
            for h, most in limited:
                loose = num * len(units)
                out = [*(self.e[i, k] for i in units), loose * self.y[k, h]]
                self.engine.add(self.engine.total(out) <= most + loose)

    def link_remote_axons(self) -> None:
        """(P5)  a[i,k] - x[i,k] <= r[i,k]  for all units i that spike and are read, k.

        One direction is enough: (P0b) pushes r down.
        """
        for i in self.sets.sources:
            if i in self.sets.position and self.sets.spikes[i]:
                for k in self.sets.clusters:
                    r = self.r[i, k] = self.engine.boolean(f"r_{i}_{k}")
                    own = self.x[self.sets.position[i], k]
                    self.engine.one_of([own, r], unless=[self.a[i, k]])

    def break_cluster_symmetry(self) -> None:
        """(P6)  x[u,k] = 0  for k > rank(u);  sum_h y[k+1,h] <= sum_h y[k,h].

        Redundant: clusters have no names, so number them by their lowest unit.
        """
        for (u, k), x in self.x.items():
            if k > u:
                self.engine.forbid(x)
        for k in self.sets.clusters[:-1]:
            self.engine.add(self.used(k + 1) <= self.used(k))

    def imply_axon_copies(self) -> None:
        """(P7)  sum_k a[i,k] >= ceil(deg_i / C)  for all i.

        Redundant: one crossbar holds at most C readers of i.
        """
        for i in self.sets.sources:
            copies = -(-self.sets.readers[i] // self.sets.max_columns)
            self.engine.add(self.engine.total(self.a[i, k] for k in self.sets.clusters) >= copies)

    def choose_one_kind(self) -> None:
        """(P8)  sum_h y[k,h] <= 1  for all k."""
        for k in self.sets.clusters:
            self.engine.add(self.used(k) <= 1)

    def respect_stock(self) -> None:
        """(P10)  sum_k y[k,h] <= stock_h  for all h of limited stock."""
        for h, stock in enumerate(self.sets.stock):
            if stock is not None:
                built = self.engine.total(self.y[k, h] for k in self.sets.clusters)
                self.engine.add(built <= stock)

    def keep_apart(self) -> None:
        """(P15)  x[u,k] <= b[l,k]  for u of label l;  b[l,k] + b[m,k] <= 1  where l, m clash."""
        for label, units in self.sets.labelled.items():
            for k in self.sets.clusters:
                b = self.b[label, k] = self.engine.boolean(f"b_{label}_{k}")
                for u in units:
                    self.engine.implies(self.x[u, k], b)
        for one, other in self.sets.clashes:
            for k in self.sets.clusters:
                self.engine.add(self.b[one, k] + self.b[other, k] <= 1)

    def respect_least_size(self) -> None:
        """(P16)  sum_u x[u,k] >= least sum_h y[k,h]  for all k, where a least size is demanded."""
        least = self.sets.least_size
        if least > 1:
            for k in self.sets.clusters:
                self.engine.add(self.size(k) >= least * self.used(k))

    def size(self, k: int) -> Any:
        """sum_u x[u,k]."""
        return self.engine.total(self.x[u, k] for u in self.sets.units)

    def _largest(self) -> V:
        """Return a variable that no cluster's size is above."""
        if self.most is None:
            self.most = self.engine.whole("most", len(self.sets.units))
            for k in self.sets.clusters:
                self.engine.add(self.size(k) <= self.most)
        return self.most

    def respect_difference(self) -> None:
        """(P17)  least - U (1 - sum_h y[k,h]) <= sum_u x[u,k] <= most;  most - least <= D.

        For all k; D: the most units that clusters in use may differ by.
        """
        allowed, units = self.sets.sizes.max_difference, len(self.sets.units)
        if allowed is None:
            return
        least = self.least = self.engine.whole("least", units)
        self.engine.add(self._largest() - least <= allowed)
        for k in self.sets.clusters:
            self.engine.add(self.size(k) - least - units * self.used(k) >= -units)

    def respect_imbalance(self) -> None:
        """(P18)  sum_u x[u,k] <= most <= L_m + (U - L_m) (1 - sum_h y[m-1,h])  for all k, m.

        L_m: the most that one of m clusters may hold. By (P6) cluster m - 1 is in use iff m are.
        """
        if self.sets.sizes.max_imbalance is None:
            return
        units = len(self.sets.units)
        for m in range(1, self.sets.num_clusters + 1):
            loose = units - self.sets.sizes.largest(units, m)
            self.engine.add(self._largest() + loose * self.used(m - 1) <= units)

    def clusters(self) -> Any:
        """sum_k,h y[k,h]."""
        return self.engine.total(self.y.values())

    def traffic(self) -> Any:
        """Sum over units s_i r[i,k] + sum over inputs s_i a[i,k]."""
        spikes = self.sets.spikes
        inputs = [(i, k) for i, k in self.a if i not in self.sets.position and spikes[i]]
        remote = self.engine.total(spikes[i] * r for (i, _), r in self.r.items())
        return remote + self.engine.total(spikes[i] * self.a[i, k] for i, k in inputs)

    def area(self) -> Any:
        """sum_k,h area_h y[k,h]."""
        return self.engine.total(self.sets.area[h] * y for (_, h), y in self.y.items())

    def minimize_clusters(self) -> None:
        """(P0a)  min sum_k,h y[k,h]."""
        self.engine.minimize(self.clusters())

    def minimize_traffic(self) -> None:
        """(P0b)  min sum over units s_i r[i,k] + sum over inputs s_i a[i,k]."""
        self.engine.minimize(self.traffic())

    def minimize_area(self) -> None:
        """(P0c)  min sum_k,h area_h y[k,h]."""
        self.engine.minimize(self.area())

    def cap(self, objective: str, most: int) -> None:
        """(P11)  the objective ("clusters", "traffic" or "area") <= most."""
        value = {"clusters": self.clusters, "traffic": self.traffic, "area": self.area}[objective]
        self.engine.add(value() <= most)

    def values(self, clustering: Clustering) -> Iterator[tuple[V, int]]:
        """Yield every variable with its value in a clustering numbered by lowest member."""
        of, rows = clustering.cluster_of.tolist(), self.sets.rows_of(clustering)
        yield from ((x, int(of[u] == k)) for (u, k), x in self.x.items())
        yield from ((a, int(i in rows[k])) for (i, k), a in self.a.items())
        for (i, k), r in self.r.items():
            yield r, int(i in rows[k] and of[self.sets.position[i]] != k)
        for (i, k), e in self.e.items():
            yield e, sum(i in row for row in rows) * (of[self.sets.position[i]] == k)
        for (name, k), b in self.b.items():
            yield b, int(any(of[u] == k for u in self.sets.labelled[name]))
        sizes = np.bincount(clustering.cluster_of).tolist()
        extremes = ((self.most, max(sizes)), (self.least, min(sizes)))
        yield from ((variable, size) for variable, size in extremes if variable is not None)
        kinds = self.sets.kinds_of(clustering)
        yield from ((y, int(kinds[k] == h)) for (k, h), y in self.y.items())

    def clustering(self, value: Callable[[V], int]) -> Clustering:
        """Read the placement; ValueError unless each unit has one cluster."""
        label = np.zeros(len(self.sets.units), dtype=np.int32)
        for u in self.sets.units:
            held = [k for k in self.sets.clusters if value(self.x[u, k])]
            label[u] = the_one(held, f"unit {u}", "cluster")
        return compact(label)
