"""MILP formulation of static orders, given a binding, in PuLP (README.md, S).

Sets         tasks I, resources (sets.py)
Parameters   time_a, edges (a, b, delay, tokens); F, a lower bound on the period (order_sets.floor)
Variables    omega = F / lambda in (0, 1]; u[a] = start of a in periods;
             k[a,b] = 0 iff a fires before b in the same round, in {0, 1}; with prologue any whole
             number: how many rounds ahead of b it runs; y[a,b] producers' order (derived sends)
Objective    max omega (S0)
Bound        HiGHS's floating-point bound on omega, tolerance given away, then raised to the next
             fraction that can be a period (denominator <= Q); as sound as HiGHS's arithmetic, while
             cpsat.py proves in whole numbers
Check        the period of the orders by optmap.judge, which is also the value claimed

References
----------
Brucker and Kampmeyer, "Cyclic job shop scheduling problems with blocking", Annals of Operations
Research 159, 2008 (the cyclic job shop with heights k).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction

import pulp

from formulations.ordering.below import Below
from formulations.ordering.farey import at_least
from formulations.ordering.horizon import longest_paths, start_ranges
from formulations.ordering.sets import OrderSets, best_start
from formulations.ordering.size import OutOfTimeError, why_not_built
from formulations.solvers.highs import optimise
from formulations.solvers.second_proof import graded
from formulations.solvers.stopwatch import Stopwatch
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding, StaticOrders
from optmap.model.outcome import SOLVED, Limits, Outcome, Status
from optmap.model.platform import Platform
from optmap.model.snn import IntArray

#: Relative error granted to HiGHS's bound: far above its tolerances (10^-7 a row), far below the
#: distance of two periods of small denominator.
GRANTED = Fraction(1, 10**5)
#: What PuLP takes for each ordered pair of one resource's tasks until HiGHS has the model.
SECONDS_PER_PAIR = 5e-5


class OrderModel:
    """Variables and constraints, one method a family; building is separate from solving."""

    def __init__(
        self,
        sets: OrderSets,
        prologue: bool = False,
        free_sends: bool = True,
        expired: Callable[[], bool] = lambda: False,
    ) -> None:
        self.sets, self.prologue, self.free_sends = sets, prologue, free_sends
        self.expired = expired
        self.unit = float(sets.floor)
        self.milp = pulp.LpProblem("order", pulp.LpMaximize)
        self.omega = self.milp.add_variable("omega", 0, 1)
        self.distances = self._distances()
        self.ranges = start_ranges(self.distances, slack=2 if prologue else 0)
        self.u = [self.milp.add_variable(f"u_{a}", *self.ranges[a]) for a in sets.tasks]
        self.k: dict[tuple[int, int], pulp.LpVariable] = {}

    def _distances(self) -> IntArray:
        """Return implied distances in periods: u[b] - u[a] > -tokens whatever omega is.

        Without prologue tasks of one resource are less than a period apart. With it, components
        that only share resources may be shifted by whole periods: one task of each is in 0..1.
        """
        arcs = [(a, b, -tokens) for a, b, _, tokens in self.sets.edges]
        if not self.prologue:
            groups = self.sets.resources
            arcs += [(a, b, -1) for group in groups for a, b in itertools.permutations(group, 2)]
        dist = longest_paths(len(self.sets.time), arcs, self.expired)
        if dist is None:
            raise AssertionError("distances without delays closed a positive cycle")
        return dist

    def build(self) -> OrderModel:
        """Post every family and the objective."""
        self.milp.setObjective(self.omega)
        self.start_after_channels()
        self.fire_one_at_a_time()
        if not self.free_sends:
            self.derive_sends()
        self.respect_load()
        return self

    def _omegas(self, ticks: int) -> pulp.LpAffineExpression:
        """Return ``ticks`` in periods."""
        return (ticks / self.unit) * self.omega

    def start_after_channels(self) -> None:
        """(S1)  u[b] - u[a] >= delay_ab omega - tokens_ab  for all edges but those of orders."""
        for a, b, delay, tokens in self.sets.edges:
            self.milp += self.u[b] - self.u[a] >= self._omegas(delay) - tokens

    def fire_one_at_a_time(self) -> None:
        """(S2)  u[b] - u[a] >= time_a omega - k[a,b],  k[a,b] + k[b,a] = 1, on one resource.

        (S2+) is the same with k any whole number that the distance of a and b allows.
        """
        for group in self.sets.resources:
            for a, b in itertools.combinations(group, 2):
                if self.expired():
                    raise OutOfTimeError(f"{len(self.k)} pairs of tasks")
                low = max(int(self.distances[a, b]), self.ranges[b][0] - self.ranges[a][1])
                high = min(-int(self.distances[b, a]), self.ranges[b][1] - self.ranges[a][0])
                # 0 < u[b] - u[a] + k < 1 strictly, since times are positive
                k = self.milp.add_variable(f"k_{a}_{b}", 1 - high, -low, pulp.LpInteger)
                self.k[a, b] = k
                time_a, time_b = self._omegas(self.sets.time[a]), self._omegas(self.sets.time[b])
                self.milp += self.u[b] - self.u[a] >= time_a - k
                self.milp += self.u[a] - self.u[b] >= time_b - (1 - k)

    def derive_sends(self) -> None:
        """(S2d)  k of two sends = k of their producers; by consumer where the producer is one."""
        for sends in self.sets.interfaces:
            for x, y in itertools.combinations(sends, 2):  # by (producer, consumer)
                a, b = self.sets.channel_of[x][0], self.sets.channel_of[y][0]
                self.milp += self.k[x, y] == (0 if a == b else self.k[a, b])

    def respect_load(self) -> None:
        """(S3)  omega sum_a time_a <= 1  for every resource. Redundant."""
        for group in self.sets.resources:
            self.milp += self._omegas(sum(self.sets.time[a] for a in group)) <= 1

    def extract(self, values: dict[str, float]) -> StaticOrders:
        """Read the orders: without prologue by u; with it by u less the rounds that k counts."""
        rank = [values.get(u.name, 0.0) for u in self.u]  # a task without constraints has no u
        if not self.prologue:
            return self.sets.orders_by(rank, None, self.free_sends)
        wrap = [0] * len(rank)
        for first, *others in self.sets.resources:
            base, rank[first] = rank[first], 0.0
            for a in others:
                ahead = round(values[self.k[first, a].name])
                rank[a], wrap[a] = rank[a] - base + ahead, -ahead
        return self.sets.orders_by(rank, wrap, True)


def solve(
    graph: ClusterGraph,
    platform: Platform,
    binding: Binding,
    limits: Limits,
    *,
    prologue: bool = False,
    warm: StaticOrders | None = None,
    free_sends: bool = True,
) -> Outcome[StaticOrders]:
    """Return static orders of least period for a binding.

    Parameters
    ----------
    prologue, warm, free_sends
        As in :func:`formulations.ordering.cpsat.solve`; HiGHS is not given the warm start, which is
        kept where it finds nothing better.

    Raises
    ------
    ValueError
        ``prologue`` without ``free_sends``.
    """
    watch = Stopwatch(limits)
    sets = OrderSets(graph, platform, binding)
    orders, value = best_start(sets, prologue, free_sends, warm)
    low = sets.floor
    watch.note(value, low)
    size = sets.resources, len(sets.tasks)
    note = why_not_built(*size, watch.left, SECONDS_PER_PAIR) if low < value else ""
    model = None
    if low < value and not note:
        try:
            model = OrderModel(sets, prologue, free_sends, lambda: watch.left <= 0).build()
        except OutOfTimeError as error:
            note = f"no order model: the limit passed after {error}"
    if model is not None:
        run = optimise(model.milp, watch)
        if run.bound is not None and run.bound > 0:
            proved = sets.floor / (Fraction(run.bound) * (1 + GRANTED))
            low = max(low, at_least(proved, sets.most_tokens_from(low)))
        if run.status in SOLVED:
            found = model.extract(run.values)
            period = sets.period_of(found)
            if period is not None and period < value:
                orders, value = found, period
    watch.note(value, low)
    status = Status.OPTIMAL if low == value else Status.FEASIBLE
    outcome = Outcome(status, orders, value, low, watch.trace, note=note)
    if note:
        return outcome
    again = Below(sets, prologue, free_sends, watch, other_search=False)
    return graded(outcome, sets.floor, again)
