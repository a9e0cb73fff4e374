"""CP-SAT formulation of all decisions at one period, without prologue (README.md, W).

Variables    those of binding_model.py, and: s[k], g[k,n] starts of firing and of send; w[t], v[t]
             where rounds begin
Objective    none (is there a mapping of this period?), or min L
Bound        a period that is infeasible, for every decomposition, clustering, binding and order
Check        the period of the mapping by optmap.judge, which is also the value claimed
"""

from __future__ import annotations

from fractions import Fraction

from ortools.sat.python import cp_model

from formulations.ordering.sets import OrderSets
from formulations.solvers.answers import Answers
from formulations.whole.binding_model import BindingModel, Pair
from formulations.whole.sets import WholeSets
from optmap.model.mapping import Mapping, StaticOrders


class WholeModel(BindingModel):
    """Variables and families at one period, one method a family."""

    def __init__(self, sets: WholeSets, period: Fraction, least: int | None = None) -> None:
        super().__init__(sets, period, least)
        if self.impossible:
            return
        low, high = self._range()
        self.s = [self.cp.new_int_var(low, high, f"s_{k}") for k in self.clusters]
        self.g = {p: self.cp.new_int_var(low, high, f"g_{p}") for p in self.pairs}
        self.low, self.high = low, high

    def _range(self) -> Pair:
        """Return a range that holds some schedule if there is one.

        Under fixed orders, starts only obey s_b - s_a >= weight with weights up to the longest
        delay of a; the least non-negative starts are at most the sum of these over all tasks.
        Every resource is busy for a period at most.
        """
        platform = self.sets.platform
        sends = self.num_clusters * (self.num_clusters - 1)
        latency = int(platform.latency.max()) * self.scale * sends
        return 0, 2 * platform.num_tiles * self.most + latency

    def build(self) -> WholeModel:
        """Post every family but an objective."""
        self.build_units()
        self.build_binding()
        self.start_after_channels()
        self.fire_one_at_a_time()
        self.send_one_at_a_time()
        self.close_each_round()
        return self

    def _ahead(self, pair: Pair) -> cp_model.LinearExpr:
        """Return tok L, the period of the initial tokens."""
        if not self.variable:
            return self.most * self.tok[pair]
        ahead = self.cp.new_int_var(0, self.most, "")
        self.cp.add(ahead == self.period).only_enforce_if(self.tok[pair])
        self.cp.add(ahead == 0).only_enforce_if(~self.tok[pair])
        return ahead

    def start_after_channels(self) -> None:
        """(S1)  the evaluator's edges of every open channel, i = tok.

        s[n] - s[k] >= time[k] - i L. Local: s[k] - s[n] >= time[n] - (W - i) L. Sent: g - s[k] >=
        time[k], s[n] - g >= send + d - i L, s[k] - g >= send - W L, g - s[n] >=
        time[n] - (W - i) L.
        """
        windows: cp_model.LinearExpr | int = self.sets.platform.buffer_windows * self.period
        for k, n in self.pairs:
            s_k, s_n, g, send = self.s[k], self.s[n], self.g[k, n], self.send[k, n]
            ahead = self._ahead((k, n))
            credit = self.time[n] - windows + ahead
            self.cp.add(s_n - s_k >= self.time[k] - ahead).only_enforce_if(self.c[k, n])
            self.cp.add(s_k - s_n >= credit).only_enforce_if(self.local[k, n])
            for row in (
                g - s_k >= self.time[k],
                s_n - g >= send + self.scale * self.d[k, n] - ahead,
                s_k - g >= send - windows,
                g - s_n >= credit,
            ):
                self.cp.add(row).only_enforce_if(self.remote[k, n])

    def _interval(
        self, start: cp_model.LinearExprT, time: cp_model.IntVar, here: cp_model.IntVar
    ) -> cp_model.IntervalVar:
        end = self.cp.new_int_var(self.low, self.high + 2 * self.most, "")
        return self.cp.new_optional_interval_var(start, time, end, here, "")

    def fire_one_at_a_time(self) -> None:
        """(S2a)  intervals [s[k], s[k] + time[k]) present by z[k,t] do not overlap."""
        for t in self.sets.tiles:
            self.cp.add_no_overlap(
                self._interval(self.s[k], self.time[k], self.z[k, t]) for k in self.clusters
            )

    def send_one_at_a_time(self) -> None:
        """(S2c)  intervals [g[k,n], g[k,n] + send[k,n]) present by sent[k,n,t] do not overlap."""
        for t in self.sets.tiles:
            self.cp.add_no_overlap(
                self._interval(self.g[p], self.send[p], self.sent[p, t]) for p in self.pairs
            )

    def close_each_round(self) -> None:
        """(S2b)  w[t] <= s[k], s[k] + time[k] <= w[t] + L where z[k,t]; v[t] likewise for sends."""
        for t in self.sets.tiles:
            tasks = [(self.s[k], self.time[k], self.z[k, t]) for k in self.clusters]
            sends = [(self.g[p], self.send[p], self.sent[p, t]) for p in self.pairs]
            for group in (tasks, sends):
                begin = self.cp.new_int_var(self.low, self.high, "")
                for start, time, here in group:
                    self.cp.add(begin <= start).only_enforce_if(here)
                    self.cp.add(start + time <= begin + self.period).only_enforce_if(here)

    def extract(self, solver: Answers) -> Mapping:
        """Read the mapping; its orders are those of the starts."""
        decomposition, clustering, binding, graph, number = self.extract_binding(solver)
        sets = OrderSets(graph, self.sets.platform, binding)
        place = {cluster: k for k, cluster in number.items()}
        starts = [solver.value(self.s[place[a]]) for a in range(graph.num_clusters)]
        starts += [solver.value(self.g[place[a], place[b]]) for a, b in sets.channel_of.values()]
        return Mapping(decomposition, clustering, binding, self._orders(sets, starts))

    def _orders(self, sets: OrderSets, starts: list[int]) -> StaticOrders:
        return sets.orders_by(starts, None, True)
