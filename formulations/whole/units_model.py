"""Decomposition and clustering as CP-SAT families, shared by the whole model and its master.

Variables    act[q] = 1 iff the place q for an inserted unit is used; r[i,u] = 1 iff unit u of
             neuron j reads source i of P(j); b[q,v] = 1 iff unit v of j reads inserted unit q;
             below[i,q] = 1 if source i is summed by q; sum[q] its spikes, at least;
             x[u,k] unit u in cluster k; w[i,j,k] = 1 iff j reads i in k;
             a[i,k] = 1 iff neuron i stands on a row of k, a[q,k] likewise; y[k] cluster used;
             h[q,k] spikes of q that k reads; tau[k] ticks of one firing, without switch_ticks
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from ortools.sat.python import cp_model

from formulations.solvers.answers import Answers, the_one
from formulations.whole.sets import Inserted, WholeSets, build_decomposition, clustering_of
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering, Mapping

Bool = cp_model.IntVar


class UnitsModel:
    """Variables and families of decomposition and clustering at one period, one method a family.

    Parameters
    ----------
    period : Fraction
        p / q; all ticks are multiplied by q.
    """

    def __init__(self, sets: WholeSets, period: Fraction) -> None:
        self.sets, self.cp = sets, cp_model.CpModel()
        self.scale, self.most = period.denominator, period.numerator
        self.num_clusters = sets.most_clusters(period)
        self.impossible = self.num_clusters < sets.least_clusters
        self.clusters = range(self.num_clusters)
        self.units: list[tuple[int, int]] = [(j, 0) for j in sets.neurons]  # (neuron, 0 = root)
        for j in sets.neurons:
            self.units += [(j, q + 1) for q in range(sets.most_inserted(j, period))]
        self.inserted = self.units[len(sets.neurons) :]
        if not self.impossible:
            self._make_variables()

    def _make_variables(self) -> None:
        sets, new = self.sets, self.cp.new_bool_var
        self.act = {q: new(f"act_{q}") for q in self.inserted}
        self.r = {
            (i, u): new(f"r_{i}_{u}")
            for u in self.units
            if self.splits(u[0])
            for i in self.reads(u)
        }
        self.b = {(q, v): new(f"b_{q}_{v}") for q in self.inserted for v in self.later(q)}
        self.below = {(i, q): new(f"below_{i}_{q}") for q in self.inserted for i in self.reads(q)}
        self.sum = {
            q: self.cp.new_int_var(0, sum(sets.counts(q[0])), f"sum_{q}") for q in self.inserted
        }
        self.x = {(u, k): new(f"x_{u}_{k}") for u in self.units for k in self.clusters}
        self.y = [new(f"y_{k}") for k in self.clusters]
        self.w = {
            (i, j, k): new(f"w_{i}_{j}_{k}") if self.splits(j) else self.x[(j, 0), k]
            for j in sets.neurons
            for i in sets.sources[j]
            for k in self.clusters
        }
        read = sorted({i for j in sets.neurons for i in sets.sources[j]})
        self.read: list[int | tuple[int, int]] = [*read, *self.inserted]
        self.a = {(v, k): new(f"a_{v}_{k}") for v in self.read for k in self.clusters}
        self.h = {
            (q, k): self.cp.new_int_var(0, sum(sets.counts(q[0])), f"h_{q}_{k}")
            for q in self.inserted
            for k in self.clusters
        }
        self.tau = [self.cp.new_int_var(0, self.most, f"tau_{k}") for k in self.clusters]

    def splits(self, j: int) -> bool:
        """Tell whether neuron ``j`` has places for inserted units."""
        return any(q[0] == j for q in self.inserted)

    def reads(self, u: tuple[int, int]) -> list[int]:
        """Return the sources that unit ``u`` may read."""
        return self.sets.sources[u[0]]

    def later(self, q: tuple[int, int]) -> list[tuple[int, int]]:
        """Return the units that may read inserted unit ``q``: later ones of its neuron."""
        return [(j, n) for j, n in self.units if j == q[0] and (n > q[1] or n == 0)]

    def earlier(self, u: tuple[int, int]) -> list[tuple[int, int]]:
        """Return the inserted units that unit ``u`` may read."""
        return [q for q in self.inserted if q[0] == u[0] and (u[1] == 0 or q[1] < u[1])]

    def build_units(self) -> None:
        """Post every family of decomposition and clustering."""
        self.read_each_source_once()
        self.read_each_sum_once()
        self.sum_two_at_least()
        self.use_places_in_turn()
        self.count_sums()
        self.place_each_unit_once()
        self.respect_columns()
        self.place_each_synapse_once()
        self.fill_rows()
        self.respect_rows()
        self.keep_apart()
        self.number_clusters()
        self.take_time()

    def read_each_source_once(self) -> None:
        """(W1)  sum_u r[i,u] = 1  for i in P(j), u over the units of j;  r[i,q] <= act[q]."""
        for j in self.sets.neurons:
            if not self.splits(j):
                continue
            units = [u for u in self.units if u[0] == j]
            for i in self.sets.sources[j]:
                self.cp.add_exactly_one(self.r[i, u] for u in units)
        for (_, u), r in self.r.items():
            if u[1]:
                self.cp.add_implication(r, self.act[u])

    def read_each_sum_once(self) -> None:
        """(W2)  sum_v b[q,v] = act[q];  b[q,v] <= act[v]."""
        for q in self.inserted:
            self.cp.add(sum(self.b[q, v] for v in self.later(q)) == self.act[q])
        for (_, v), b in self.b.items():
            if v[1]:
                self.cp.add_implication(b, self.act[v])

    def sum_two_at_least(self) -> None:
        """(W3)  2 act[u] <= sum_i r[i,u] + sum_q b[q,u] <= F;  roots: where an inserted unit is."""
        for u in self.units:
            if self.splits(u[0]):
                summed = [self.r[i, u] for i in self.reads(u)]
                count = sum([*summed, *(self.b[q, u] for q in self.earlier(u))])
                self.cp.add(count >= 2 * self.act[u[0], max(1, u[1])])
                self.cp.add(count <= self.sets.widest)

    def use_places_in_turn(self) -> None:
        """(W4)  act[j,n+1] <= act[j,n];  act[j,n] = 1 for the units that P(j) needs. Redundant."""
        for j, n in self.inserted:
            if n > 1:
                self.cp.add_implication(self.act[j, n], self.act[j, n - 1])
            if n <= self.sets.least_inserted(j):
                self.cp.add(self.act[j, n] == 1)

    def count_sums(self) -> None:
        """(W5)  below[i,q] >= r[i,q];  and below[i,v] >= below[i,q] + b[q,v] - 1;  sum[q]."""
        spikes = self.sets.spikes
        for q in self.inserted:
            for i in self.reads(q):
                self.cp.add_implication(self.r[i, q], self.below[i, q])
                for v in self.later(q):
                    if v[1]:
                        self.cp.add_bool_or(~self.below[i, q], ~self.b[q, v], self.below[i, v])
            self.cp.add(self.sum[q] >= sum(spikes[i] * self.below[i, q] for i in self.reads(q)))
            two = sum(self.sets.counts(q[0])[:2])
            if two:
                self.cp.add(self.sum[q] >= two * self.act[q])

    def place_each_unit_once(self) -> None:
        """(P1)  sum_k x[u,k] = 1 for roots, = act[u] for inserted units;  x[u,k] <= y[k]."""
        for u in self.units:
            places = [self.x[u, k] for k in self.clusters]
            if u[1]:
                self.cp.add(sum(places) == self.act[u])
            else:
                self.cp.add_exactly_one(places)
            for k in self.clusters:
                self.cp.add_implication(self.x[u, k], self.y[k])
        for k in self.clusters:
            self.cp.add_bool_or(~self.y[k], *(self.x[u, k] for u in self.units))

    def respect_columns(self) -> None:
        """(P2)  sum_u x[u,k] <= C'."""
        for k in self.clusters:
            used = sum(self.x[u, k] for u in self.units)
            self.cp.add(used <= self.sets.platform.max_columns)

    def place_each_synapse_once(self) -> None:
        """(W6)  w[i,j,k] >= r[i,u] + x[u,k] - 1;  sum_k w[i,j,k] = 1."""
        for j in self.sets.neurons:
            if not self.splits(j):
                continue
            for i in self.sets.sources[j]:
                self.cp.add_exactly_one(self.w[i, j, k] for k in self.clusters)
                for u in (u for u in self.units if u[0] == j):
                    for k in self.clusters:
                        self.cp.add_bool_or(~self.r[i, u], ~self.x[u, k], self.w[i, j, k])

    def fill_rows(self) -> None:
        """(P3)  a[i,k] = max_j w[i,j,k];  a[q,k] >= b[q,v] + x[v,k] - 1, sum_k a[q,k] = act[q]."""
        readers: dict[int, list[int]] = {}
        for j in self.sets.neurons:
            for i in self.sets.sources[j]:
                readers.setdefault(i, []).append(j)
        for k in self.clusters:
            for i, reading in readers.items():
                places = [self.w[i, j, k] for j in reading]
                for w in places:
                    self.cp.add_implication(w, self.a[i, k])
                self.cp.add_bool_or(~self.a[i, k], *places)
            for (q, v), b in self.b.items():
                self.cp.add_bool_or(~b, ~self.x[v, k], self.a[q, k])
        for q in self.inserted:
            self.cp.add(sum(self.a[q, k] for k in self.clusters) == self.act[q])

    def respect_rows(self) -> None:
        """(P4)  sum_i a[i,k] + sum_q a[q,k] <= R y[k]."""
        for k in self.clusters:
            self.cp.add(sum(self.a[v, k] for v in self.read) <= self.sets.rows * self.y[k])

    def keep_apart(self) -> None:
        """(W7)  x[q,k] + a[q,k] <= 1  where F = R.

        Redundant: a unit beside its reader is absorbed by it. The reader takes over what it reads,
        the cluster loses a row and a column, and no channel, rate or token changes. Where F < R the
        reader may not read so much, and a sum beside it may pay.
        """
        if self.sets.widest < self.sets.rows:
            return
        for q in self.inserted:
            for k in self.clusters:
                self.cp.add_at_most_one(self.x[q, k], self.a[q, k])

    def number_clusters(self) -> None:
        """(P6)  x[u,k] <= sum of x[v,k-1] over v before u;  y[k] <= y[k-1]. Redundant."""
        for k in self.clusters[1:]:
            self.cp.add_implication(self.y[k], self.y[k - 1])
            for n, u in enumerate(self.units):
                before = [self.x[v, k - 1] for v in self.units[:n]]
                self.cp.add_bool_or(~self.x[u, k], *before)
        for k in range(self.sets.least_clusters):
            self.cp.add(self.y[k] == 1)

    def take_time(self) -> None:
        """(W8)  tau[k] = base y[k] + event (sum s_i a[i,k] + h[q,k]);  h >= sum[q] if a[q,k]."""
        platform, spikes = self.sets.platform, self.sets.spikes
        base, event = platform.base_ticks * self.scale, platform.event_ticks * self.scale
        for k in self.clusters:
            raw = sum(spikes[v] * self.a[v, k] for v in self.read if isinstance(v, int))
            sums = sum(self.h[q, k] for q in self.inserted)
            self.cp.add(self.tau[k] == base * self.y[k] + event * raw + event * sums)
        for (q, k), h in self.h.items():
            self.cp.add(h >= self.sum[q]).only_enforce_if(self.a[q, k])
            self.cp.add(h == 0).only_enforce_if(~self.a[q, k])
        for q in self.inserted:
            self.cp.add(sum(self.h[q, k] for k in self.clusters) >= self.sum[q])

    def hint_units(self, mapping: Mapping) -> dict[int, int]:
        """Suggest the clusters of the roots; return the model's number of each cluster."""
        network, cluster_of = mapping.decomposition.network, mapping.clustering.cluster_of
        home = dict(zip(network.units.tolist(), cluster_of.tolist(), strict=True))
        number: dict[int, int] = {}
        for j in self.sets.neurons:
            number.setdefault(home[j], len(number))
        for j in self.sets.neurons:
            for k in self.clusters:
                self.cp.add_hint(self.x[(j, 0), k], number[home[j]] == k)
        return number

    def extract_units(self, solver: Answers) -> tuple[Decomposition, Clustering, dict[int, int]]:
        """Read decomposition and clustering, and the cluster that each place became."""
        value = solver.boolean_value
        used = sorted(q for q in self.inserted if value(self.act[q]))
        index = {q: self.sets.snn.num_neurons + n for n, q in enumerate(used)}

        def reads(u: tuple[int, int]) -> list[int]:
            raw = [i for i in self.reads(u) if value(self.r[i, u])]
            return raw + [index[q] for q in self.earlier(u) if q in index and value(self.b[q, u])]

        lists: list[Inserted] = [(q[0], reads(q)) for q in used]
        replaced = {j: reads((j, 0)) for j in sorted({q[0] for q in used})}
        made = build_decomposition(self.sets.snn, self.sets.widest, lists, replaced)
        labels = []
        for u in [*((j, 0) for j in self.sets.neurons), *used]:
            held = [k for k in self.clusters if value(self.x[u, k])]
            labels.append(the_one(held, f"unit {u}", "cluster"))
        clustering, number = clustering_of(labels)
        return made, clustering, number


def tiles_of(labels: dict[int, int], tile: dict[int, int]) -> np.ndarray:
    """Return the tile of every cluster, given the tile of every place."""
    found = np.zeros(len(labels), dtype=np.int32)
    for place, cluster in labels.items():
        found[cluster] = tile[place]
    return found
