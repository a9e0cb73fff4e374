"""CP-SAT formulation of all decisions at one period, with prologue (README.md, W, S2+).

As cpsat_model.py, except that starts on one resource are compared modulo the period only, which
must therefore be a constant.
Variables    r[i] = s[i] modulo L for firings and sends, s[i] = L q[i] + r[i]
Bound        a period that is infeasible, for every mapping, with any prologue
"""

from __future__ import annotations

from fractions import Fraction

from ortools.sat.python import cp_model

from formulations.ordering.sets import OrderSets
from formulations.whole.binding_model import Pair
from formulations.whole.cpsat_model import WholeModel
from formulations.whole.sets import WholeSets
from optmap.model.mapping import StaticOrders


class WholePrologueModel(WholeModel):
    """The whole model with rounds that may run ahead."""

    def __init__(self, sets: WholeSets, period: Fraction) -> None:
        super().__init__(sets, period)
        if self.impossible:
            return
        self.phase = [self._wrapped(s) for s in self.s]
        self.phase_send = {p: self._wrapped(g) for p, g in self.g.items()}

    def _range(self) -> Pair:
        """Return a range that holds some schedule if there is one.

        Clusters joined by a channel start within 2 W periods of each other, by its data and its
        credits; each component may be shifted by whole periods until its first start is in
        0..L - 1. A send starts at most W periods after its producer.
        """
        windows = 2 * self.sets.platform.buffer_windows
        return 0, (windows * self.num_clusters + 1) * self.most

    def _wrapped(self, start: cp_model.IntVar) -> cp_model.IntVar:
        """(S2+a)  start = L q + r,  0 <= r < L."""
        q = self.cp.new_int_var(0, self.high // self.most, "")
        r = self.cp.new_int_var(0, self.most - 1, "")
        self.cp.add(start == self.most * q + r)
        return r

    def fire_one_at_a_time(self) -> None:
        """(S2+b)  [r[k], r[k] + time[k]) and copies a period later do not overlap."""
        for t in self.sets.tiles:
            self.cp.add_no_overlap(
                self._interval(self.phase[k] + shift, self.time[k], self.z[k, t])
                for k in self.clusters
                for shift in (0, self.most)
            )

    def send_one_at_a_time(self) -> None:
        """(S2+c)  [r[k,n], r[k,n] + send[k,n]) and copies a period later do not overlap."""
        for t in self.sets.tiles:
            self.cp.add_no_overlap(
                self._interval(self.phase_send[p] + shift, self.send[p], self.sent[p, t])
                for p in self.pairs
                for shift in (0, self.most)
            )

    def close_each_round(self) -> None:
        """(S2b)  is part of (S2+b) and (S2+c)."""

    def _orders(self, sets: OrderSets, starts: list[int]) -> StaticOrders:
        return sets.orders_of_rounds(starts, self.most)
