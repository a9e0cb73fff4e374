"""CP-SAT formulation of static orders with prologue: software pipelining (README.md, S, (S2+)).

Sets, parameters and check as in cpsat_model.py. A prologue lets an entry of an order run
iterations ahead, so that starts on one resource are compared modulo the period only.
Variables    s[a] start of iteration 0 in 1/q ticks; s[a] = L q[a] + r[a], 0 <= r[a] < L;
             k[a,b] whole: how many rounds a runs ahead of b
Objective    none: is there a schedule of period L = p (times 1/q ticks)?
Bound        a period that is infeasible, for every order and every prologue
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from ortools.sat.python import cp_model

from formulations.ordering.horizon import longest_paths, start_ranges
from formulations.ordering.sets import OrderSets
from formulations.solvers.answers import Answers
from optmap.model.mapping import StaticOrders


class PrologueModel:
    """Variables and constraints at one period, one method a family."""

    def __init__(
        self, sets: OrderSets, period: Fraction, expired: Callable[[], bool] = lambda: False
    ) -> None:
        self.sets = sets
        self.cp = cp_model.CpModel()
        self.period, self.scale = period.numerator, period.denominator
        self.time = [t * self.scale for t in sets.time]
        arcs = [(a, b, d * self.scale - self.period * n) for a, b, d, n in sets.edges]
        dist = longest_paths(len(self.time), arcs, expired)
        self.impossible = dist is None
        if dist is None:
            return
        self.dist = dist
        self.ranges = start_ranges(dist, slack=self.period)
        self.s = [self.cp.new_int_var(lo, hi, f"s_{a}") for a, (lo, hi) in enumerate(self.ranges)]
        self.r: dict[int, cp_model.IntVar] = {}

    def build(self) -> PrologueModel:
        """Post every family."""
        self.start_after_channels()
        self.wrap_starts()
        self.fire_one_at_a_time_in_the_round()
        self.run_whole_rounds_ahead()
        return self

    def start_after_channels(self) -> None:
        """(S1)  s[b] - s[a] >= delay_ab - tokens_ab L  for all edges but those of orders."""
        for a, b, delay, tokens in self.sets.edges:
            self.cp.add(self.s[b] - self.s[a] >= delay * self.scale - tokens * self.period)

    def wrap_starts(self) -> None:
        """(S2+a)  s[a] = L q[a] + r[a],  0 <= r[a] < L."""
        for group in self.sets.resources:
            for a in group:
                low, high = (bound // self.period for bound in self.ranges[a])
                q = self.cp.new_int_var(low, high, f"q_{a}")
                self.r[a] = self.cp.new_int_var(0, self.period - 1, f"r_{a}")
                self.cp.add(self.s[a] == self.period * q + self.r[a])

    def fire_one_at_a_time_in_the_round(self) -> None:
        """(S2+b)  [r[a], r[a] + time_a) and its copies one period later do not overlap."""
        for group in self.sets.resources:
            self.cp.add_no_overlap(
                self.cp.new_fixed_size_interval_var(
                    self.r[a] + shift, self.time[a], f"i_{a}_{shift}"
                )
                for a in group
                for shift in (0, self.period)
            )

    def run_whole_rounds_ahead(self) -> None:
        """(S2+)  time_a <= s[b] - s[a] + L k[a,b] <= L - time_b,  k[a,b] whole. Redundant.

        It is (S2) with k[b,a] = 1 - k[a,b]; bounds on k come from those on s[b] - s[a].
        """
        for group in self.sets.resources:
            for i, a in enumerate(group):
                for b in group[i + 1 :]:
                    low = max(int(self.dist[a, b]), self.ranges[b][0] - self.ranges[a][1])
                    high = min(-int(self.dist[b, a]), self.ranges[b][1] - self.ranges[a][0])
                    least = -(-(self.time[a] - high) // self.period)
                    most = (self.period - self.time[b] - low) // self.period
                    if least > most:
                        self.cp.add_bool_or([])  # no whole number is left: infeasible
                        continue
                    k = self.cp.new_int_var_from_domain(cp_model.Domain(least, most), f"k_{a}_{b}")
                    ahead = self.s[b] - self.s[a] + self.period * k
                    self.cp.add_linear_constraint(ahead, self.time[a], self.period - self.time[b])

    def extract(self, solver: Answers) -> StaticOrders:
        """Read orders and offsets: every resource by start modulo the period."""
        starts = [solver.value(s) for s in self.s]
        return self.sets.orders_of_rounds(starts, self.period)
