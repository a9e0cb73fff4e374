"""CP-SAT formulation of static orders, given a binding, without prologue (README.md, S).

Sets         tasks I, resources (sets.py)
Parameters   time_a, edges (a, b, delay, tokens), all delays times q for a period of p / q ticks
Variables    s[a] start of iteration 0; w[r] where the round of resource r begins;
             L the period times q: a constant, or a variable with q = 1
Objective    none (is there an order of this period?), or min L
Bound        a period that is infeasible; exact, since every number is whole
Check        the period of the orders by optmap.judge, which is also the value claimed

cpsat_model_prologue.py searches the schedules of (S2+) instead.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction

from ortools.sat.python import cp_model

from formulations.ordering.horizon import decide_pairs, longest_paths, start_ranges
from formulations.ordering.sets import OrderSets
from formulations.solvers.answers import Answers
from optmap.model.mapping import StaticOrders
from optmap.model.snn import IntArray


class OrderModel:
    """Variables and constraints at one period, one method a family.

    Parameters
    ----------
    period : Fraction
        p / q; starts are in units of 1 / q ticks.
    least : int, optional
        Makes the period a variable in least..p (q must be 1).
    expired : callable, optional
        Tells when to give up building, with OutOfTimeError.
    """

    def __init__(
        self,
        sets: OrderSets,
        period: Fraction,
        free_sends: bool = True,
        least: int | None = None,
        expired: Callable[[], bool] = lambda: False,
    ) -> None:
        self.sets, self.free_sends, self.expired = sets, free_sends, expired
        self.cp = cp_model.CpModel()
        self.scale, self.most = period.denominator, period.numerator
        self.period: cp_model.IntVar | int = self.most
        if least is not None:
            if self.scale != 1:
                raise ValueError(f"a variable period must be whole, got up to {period}")
            self.period = self.cp.new_int_var(least, self.most, "L")
        self.time = [t * self.scale for t in sets.time]
        self.dist = self._distances()
        self.decided: list[tuple[int, int]] | None = None
        if self.dist is not None:
            self.decided = decide_pairs(self.dist, sets.resources, self.time, expired)
        if self.dist is None or self.decided is None:
            self.impossible = True
            return
        self.impossible = False
        self.ranges = start_ranges(self.dist)
        self.s = [self.cp.new_int_var(lo, hi, f"s_{a}") for a, (lo, hi) in enumerate(self.ranges)]

    def _distances(self) -> IntArray | None:
        """Return implied distances at the largest period; at a smaller one they only grow.

        On one resource both a before b and b before a give s[b] - s[a] >= time_a - L.
        """
        arcs = [(a, b, d * self.scale - self.most * n) for a, b, d, n in self.sets.edges]
        for group in self.sets.resources:
            arcs += [(a, b, self.time[a] - self.most) for a in group for b in group if a != b]
        return longest_paths(len(self.time), arcs, self.expired)

    def build(self) -> OrderModel:
        """Post every family."""
        self.start_after_channels()
        self.fire_one_at_a_time()
        self.close_each_round()
        if not self.free_sends:
            self.derive_sends()
        self.keep_decided_pairs()
        return self

    def start_after_channels(self) -> None:
        """(S1)  s[b] - s[a] >= delay_ab - tokens_ab L  for all edges but those of orders."""
        for a, b, delay, tokens in self.sets.edges:
            self.cp.add(self.s[b] - self.s[a] >= delay * self.scale - tokens * self.period)

    def fire_one_at_a_time(self) -> None:
        """(S2a)  the intervals [s[a], s[a] + time_a) of one resource do not overlap."""
        for group in self.sets.resources:
            self.cp.add_no_overlap(
                self.cp.new_fixed_size_interval_var(self.s[a], self.time[a], f"i_{a}")
                for a in group
            )

    def close_each_round(self) -> None:
        """(S2b)  w[r] <= s[a] and s[a] + time_a <= w[r] + L  for all a on r.

        The last task of a round ends before the first one of the next begins.
        """
        for r, group in enumerate(self.sets.resources):
            earliest = min(self.ranges[a][0] for a in group)
            w = self.cp.new_int_var(earliest, min(self.ranges[a][1] for a in group), f"w_{r}")
            for a in group:
                self.cp.add(w <= self.s[a])
                self.cp.add(self.s[a] + self.time[a] <= w + self.period)

    def derive_sends(self) -> None:
        """(S2d)  y[a,b] = 1: s[a] < s[b], and the sends of a before those of b; else the reverse.

        Sends of one producer follow their consumers' index: the evaluator's default send order.
        """
        for sends in self.sets.interfaces:
            of: dict[int, list[int]] = {}
            for s in sends:
                of.setdefault(self.sets.channel_of[s][0], []).append(s)
            producers = sorted(of)
            for chain in of.values():  # sends are numbered by (producer, consumer)
                for x, y in itertools.pairwise(chain):
                    self.cp.add(self.s[x] + self.time[x] <= self.s[y])
            for i, a in enumerate(producers):
                for b in producers[i + 1 :]:
                    first = self.cp.new_bool_var(f"y_{a}_{b}")
                    for x, y, literal in ((a, b, first), (b, a, ~first)):
                        last, next_ = of[x][-1], of[y][0]
                        done = self.s[x] + self.time[x] <= self.s[y]
                        self.cp.add(done).only_enforce_if(literal)
                        sent = self.s[last] + self.time[last] <= self.s[next_]
                        self.cp.add(sent).only_enforce_if(literal)

    def keep_decided_pairs(self) -> None:
        """(S2e)  s[a] + time_a <= s[b]  where b before a closes a positive cycle. Redundant."""
        for a, b in self.decided or ():
            self.cp.add(self.s[a] + self.time[a] <= self.s[b])

    def minimize_period(self) -> None:
        """(S0)  min L."""
        self.cp.minimize(self.period)

    def hint(self, starts: list[int]) -> None:
        """Suggest starts of a known schedule."""
        for variable, start in zip(self.s, starts, strict=True):
            self.cp.add_hint(variable, start)

    def extract(self, solver: Answers) -> StaticOrders:
        """Read the orders: every resource by start."""
        starts = [solver.value(s) for s in self.s]
        return self.sets.orders_by(starts, None, self.free_sends)
