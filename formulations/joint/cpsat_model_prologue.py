"""CP-SAT formulation of binding and static orders together, with prologue (README.md, J, S2+).

As cpsat_model.py, except that starts on one resource are compared modulo the period only, which
must therefore be a constant. (S2+) stands in whole/cpsat_model_prologue.py too, over its variables
and without domains that a given binding allows: two models that tests hold against each other.
Variables    r[i] = s[i] modulo L for firings and sends, s[i] = L q[i] + r[i]
Bound        a period that is infeasible, for every binding, order and prologue
"""

from __future__ import annotations

from fractions import Fraction

from ortools.sat.python import cp_model

from formulations.joint.cpsat_model import JointModel
from formulations.joint.sets import JointSets
from formulations.ordering.horizon import longest_paths, start_ranges
from formulations.ordering.sets import OrderSets
from optmap.model.mapping import StaticOrders


class JointPrologueModel(JointModel):
    """The joint model with rounds that may run ahead."""

    def __init__(self, sets: JointSets, period: Fraction) -> None:
        super().__init__(sets, period)
        if self.impossible:
            return
        self.r = [
            self._wrapped(s, domain, f"s_{a}")
            for a, (s, domain) in enumerate(zip(self.s, self.ranges, strict=True))
        ]
        self.r_send = [
            self._wrapped(g, domain, f"g_{e}")
            for e, (g, domain) in enumerate(zip(self.g, self.send_ranges, strict=True))
        ]

    def _cluster_ranges(self) -> list[tuple[int, int]] | None:
        """Return the domains of s, the first cluster of each component starting in 0..L - 1.

        Components share tiles at most, where only starts modulo L are compared: each may be
        shifted by whole periods on its own.
        """
        arcs = self.sets.arcs_of_any_binding(self.most, self.scale)
        dist = longest_paths(len(self.tau), arcs)
        return None if dist is None else start_ranges(dist, slack=self.most)

    def _wrapped(
        self, start: cp_model.IntVar, domain: tuple[int, int], name: str
    ) -> cp_model.IntVar:
        """(S2+a)  start = L q + r,  0 <= r < L."""
        low, high = domain[0] // self.most, max(domain) // self.most
        q = self.cp.new_int_var(low, high, f"q_{name}")
        r = self.cp.new_int_var(0, self.most - 1, f"r_{name}")
        self.cp.add(start == self.most * q + r)
        return r

    def fire_one_at_a_time(self) -> None:
        """(S2+b)  [r[a], r[a] + tau_a + switch_ticks) and copies a period later do not overlap."""
        for t in self.sets.tiles:
            self.cp.add_no_overlap(
                self.cp.new_optional_fixed_size_interval_var(
                    self.r[a] + shift, self.tau[a] + self.switch, self.z[a, t], f"i_{a}_{t}_{shift}"
                )
                for a in self.sets.clusters
                for shift in self._shifts(self.tau[a] + self.switch)
            )

    def send_one_at_a_time(self) -> None:
        """(S2+c)  [r[e], r[e] + send_e) and copies a period later do not overlap."""
        for t in self.sets.tiles:
            self.cp.add_no_overlap(
                self.cp.new_optional_fixed_size_interval_var(
                    self.r_send[e] + shift, self._send(e), self.x[e, t], f"n_{e}_{t}_{shift}"
                )
                for e in range(len(self.sets.channels))
                for shift in self._shifts(self._send(e))
            )

    def _shifts(self, time: int) -> tuple[int, ...]:
        """Return where copies of an interval stand; one longer than a period is alone anyway."""
        return (0, self.most) if time <= self.most else (0,)

    def close_each_round(self) -> None:
        """(S2b)  is part of (S2+b) and (S2+c)."""

    def _orders(self, sets: OrderSets, starts: list[int]) -> StaticOrders:
        return sets.orders_of_rounds(starts, self.most)
