"""CP-SAT formulation of binding and static orders together, without prologue (README.md, J).

Sets         K clusters, T tiles, E channels, one possible send per channel (sets.py)
Parameters   tau_a, switch_ticks; send_e; i_e, W; h_tu; all ticks times q for a period of p / q
Variables    z[a,t] = 1 iff cluster a runs on tile t; y[e,t] = 1 iff both ends of e do;
             x[e,t] = 1 iff e = (a,b) is sent from t; remote[e] = sum_t x[e,t]; d[e] >= hops of e
             s[a], g[e] starts of firing and of send; w[t], v[t] where rounds of crossbar and
             interface begin; m[t] = 1 if t holds several clusters; L the period times q
Objective    none (is there a mapping of this period?), min L, or min sum f_e d[e] at a period
Bound        a period that is infeasible; exact, since every number is whole
Check        the period of the orders by optmap.judge, which is also the value claimed

cpsat_model_prologue.py searches the schedules of (S2+) instead.
"""

from __future__ import annotations

from fractions import Fraction

from ortools.sat.python import cp_model

from formulations.binding.families import Placement
from formulations.joint.sets import JointSets, Solution
from formulations.ordering.horizon import NO_PATH, longest_paths, start_ranges
from formulations.ordering.sets import OrderSets
from formulations.solvers.answers import Answers
from formulations.solvers.engine import CpsatEngine
from optmap.model.mapping import Binding, StaticOrders


class JointModel(Placement[cp_model.IntVar]):
    """Variables and constraints at one period, one method a family; (B1) to (B3) are Placement's.

    Parameters
    ----------
    period : Fraction
        p / q; starts are in units of 1 / q ticks.
    least : int, optional
        Makes the period a variable in least..p (q must be 1).
    """

    sets: JointSets

    def __init__(self, sets: JointSets, period: Fraction, least: int | None = None) -> None:
        self.sets = sets
        self.cp = cp = cp_model.CpModel()
        self.engine = CpsatEngine(cp)
        self.scale, self.most = period.denominator, period.numerator
        self.period: cp_model.IntVar | int = self.most
        if least is not None:
            if self.scale != 1:
                raise ValueError(f"a variable period must be whole, got up to {period}")
            self.period = cp.new_int_var(least, self.most, "L")
        self.tau = [t * self.scale for t in sets.tau]
        self.switch = sets.switch * self.scale
        ranges = self._cluster_ranges()
        self.impossible = ranges is None
        if ranges is None:
            return
        channels = range(len(sets.channels))
        self.z = {(a, t): cp.new_bool_var(f"z_{a}_{t}") for a in sets.clusters for t in sets.tiles}
        self.y = {(e, t): cp.new_bool_var(f"y_{e}_{t}") for e in channels for t in sets.tiles}
        self.x = {(e, t): cp.new_bool_var(f"x_{e}_{t}") for e in channels for t in sets.tiles}
        self.remote = [cp.new_bool_var(f"remote_{e}") for e in channels]
        self.d = [cp.new_int_var(0, max(map(max, sets.hops)), f"d_{e}") for e in channels]
        self.late: list[cp_model.IntVar] = []
        self.travel = self._travel()
        self.m = [cp.new_bool_var(f"m_{t}") for t in sets.tiles]
        self.extra = [cp.new_bool_var(f"extra_{a}") for a in sets.clusters]
        self.ranges = ranges
        self.s = [cp.new_int_var(lo, hi, f"s_{a}") for a, (lo, hi) in enumerate(ranges)]
        self.send_ranges = [self._send_range(e) for e in channels]
        self.g = [
            cp.new_int_var(lo, max(lo, hi), f"g_{e}") for e, (lo, hi) in enumerate(self.send_ranges)
        ]

    def _cluster_ranges(self) -> list[tuple[int, int]] | None:
        """Return the domains of s; None where no binding at all has this period.

        Components of the cluster graph are held at 0 each, but may be chained through tiles they
        share, where starts lie less than a round apart: then their reaches add up.
        """
        arcs = self.sets.arcs_of_any_binding(self.most, self.scale)
        dist = longest_paths(len(self.tau), arcs)
        if dist is None:
            return None
        ranges = start_ranges(dist)
        component = (dist > NO_PATH).argmax(axis=1).tolist()
        if len(set(component)) <= 1:
            return ranges
        span = dict.fromkeys(component, 0)
        for c, (low, high) in zip(component, ranges, strict=True):
            span[c] = max(span[c], -low, high)
        reach = sum(2 * s + self.most for s in span.values())
        return [(-reach, reach)] * len(ranges)

    def _send_range(self, e: int) -> tuple[int, int]:
        """Return the domain of g[e]: after its producer, before its credits run out."""
        channel = self.sets.channels[e]
        low, high = self.ranges[channel.source]
        room = self.most * channel.windows - channel.send * self.scale
        return low + self.tau[channel.source], high + room

    def build(self) -> JointModel:
        """Post every family but an objective."""
        self.place_each_cluster_once()
        self.respect_slots()
        self.respect_crossbars()
        self.link_channels()
        self.respect_buffers()
        self.measure_hops()
        self.switch_on_shared_tiles()
        self.start_after_channels()
        self.fire_one_at_a_time()
        self.send_one_at_a_time()
        self.close_each_round()
        self.respect_loads()
        self.break_tile_symmetry()
        return self

    def link_channels(self) -> None:
        """(J1)  y[e,t] = z[a,t] z[b,t];  x[e,t] = z[a,t] - y[e,t];  remote[e] = sum_t x[e,t]."""
        for e, channel in enumerate(self.sets.channels):
            for t in self.sets.tiles:
                a, b = self.z[channel.source, t], self.z[channel.target, t]
                self.cp.add_bool_or(~a, ~b, self.y[e, t])
                self.cp.add_implication(self.y[e, t], a)
                self.cp.add_implication(self.y[e, t], b)
                self.cp.add(self.x[e, t] + self.y[e, t] == a)
            self.cp.add(sum(self.x[e, t] for t in self.sets.tiles) == self.remote[e])
            if self.send_ranges[e][0] > self.send_ranges[e][1]:
                self.cp.add(self.remote[e] == 0)  # its send outlasts its credits

    def respect_buffers(self) -> None:
        """(B4)  sum_ab q_ab z[b,t] <= input buffer;  sum_e q_e x[e,t] <= output buffer."""
        for t in self.sets.tiles:
            tile = self.sets.platform.tiles[t]
            every = list(enumerate(self.sets.channels))
            if tile.input_buffer is not None:
                taken = sum(c.capacity * self.z[c.target, t] for _, c in every)
                self.cp.add(taken <= tile.input_buffer)
            if tile.output_buffer is not None:
                taken = sum(c.capacity * self.x[e, t] for e, c in every)
                self.cp.add(taken <= tile.output_buffer)

    def _travel(self) -> list[cp_model.LinearExpr]:
        """Return the ticks on the way of every channel: hop_ticks d, where all links are alike."""
        platform = self.sets.platform
        if (platform.latency == platform.hop_ticks * platform.hops).all():
            return [platform.hop_ticks * d for d in self.d]
        most = int(platform.latency.max())
        self.late = [self.cp.new_int_var(0, most, f"l_{e}") for e in range(len(self.d))]
        return list(self.late)

    def measure_hops(self) -> None:
        """(B5)  d[e] >= sum_u h_tu z[b,u]  where z[a,t] = 1; likewise ticks, if links differ."""
        far = [(self.d, self.sets.hops), (self.late, self.sets.platform.latency.tolist())]
        targets = {channel.target for channel in self.sets.channels}
        for distance, matrix in far:
            if not distance:
                continue
            reached = {
                (b, t): cp_model.LinearExpr.weighted_sum(
                    [self.z[b, u] for u in self.sets.tiles], row
                )
                for b in targets
                for t, row in enumerate(matrix)
            }
            for at_least, channel in zip(distance, self.sets.channels, strict=True):
                for t in self.sets.tiles:
                    here = self.z[channel.source, t]
                    self.cp.add(at_least >= reached[channel.target, t]).only_enforce_if(here)

    def switch_on_shared_tiles(self) -> None:
        """(J2)  sum_a z[a,t] <= 1 where m[t] = 0;  extra[a] >= z[a,t] + m[t] - 1."""
        for t in self.sets.tiles:
            self.cp.add_at_most_one(self.z[a, t] for a in self.sets.clusters).only_enforce_if(
                ~self.m[t]
            )
            for a in self.sets.clusters:
                self.cp.add_bool_or(~self.z[a, t], ~self.m[t], self.extra[a])

    def start_after_channels(self) -> None:
        """(S1)  the evaluator's edges of every channel e = (a,b), tau'_a = tau_a + switch extra[a].

        Local: s[b] - s[a] >= tau'_a - i L and s[a] - s[b] >= tau'_b - (W_e - i) L;
        sent: g - s[a] >= tau'_a, s[b] - g >= send + travel - i L, s[a] - g >= send - W_e L,
        g - s[b] >= tau'_b - (W_e - i) L.
        """
        for e, channel in enumerate(self.sets.channels):
            a, b, i, send = channel.source, channel.target, channel.initial, self._send(e)
            s_a, s_b, g, remote = self.s[a], self.s[b], self.g[e], self.remote[e]
            tau_a = self.tau[a] + self.switch * self.extra[a]
            tau_b = self.tau[b] + self.switch * self.extra[b]
            self.cp.add(s_b - s_a >= tau_a - i * self.period)  # sent or not
            credit = tau_b - (channel.windows - i) * self.period
            self.cp.add(s_a - s_b >= credit).only_enforce_if(~remote)
            for row in (
                g - s_a >= tau_a,
                s_b - g >= send + self.scale * self.travel[e] - i * self.period,
                s_a - g >= send - channel.windows * self.period,
                g - s_b >= credit,
            ):
                self.cp.add(row).only_enforce_if(remote)

    def _send(self, e: int) -> int:
        return self.sets.channels[e].send * self.scale

    def fire_one_at_a_time(self) -> None:
        """(S2a)  intervals [s[a], s[a] + tau_a + switch_ticks) present by z[a,t] do not overlap.

        A cluster alone on its tile overlaps nothing, so that its shorter firing needs no case.
        """
        for t in self.sets.tiles:
            self.cp.add_no_overlap(
                self.cp.new_optional_fixed_size_interval_var(
                    self.s[a], self.tau[a] + self.switch, self.z[a, t], f"i_{a}_{t}"
                )
                for a in self.sets.clusters
            )

    def send_one_at_a_time(self) -> None:
        """(S2c)  intervals [g[e], g[e] + send_e) present by x[e,t] do not overlap."""
        for t in self.sets.tiles:
            self.cp.add_no_overlap(
                self.cp.new_optional_fixed_size_interval_var(
                    self.g[e], self._send(e), self.x[e, t], f"n_{e}_{t}"
                )
                for e in range(len(self.sets.channels))
            )

    def close_each_round(self) -> None:
        """(S2b)  w[t] <= s[a], s[a] + tau'_a <= w[t] + L where z[a,t]; v[t] likewise for sends."""
        low = min((lo for lo, _ in (*self.ranges, *self.send_ranges)), default=0)
        high = max((hi for _, hi in (*self.ranges, *self.send_ranges)), default=0)
        for t in self.sets.tiles:
            w = self.cp.new_int_var(low, high, f"w_{t}")
            v = self.cp.new_int_var(low, high, f"v_{t}")
            for a in self.sets.clusters:
                tau = self.tau[a] + self.switch * self.extra[a]
                self.cp.add(w <= self.s[a]).only_enforce_if(self.z[a, t])
                self.cp.add(self.s[a] + tau <= w + self.period).only_enforce_if(self.z[a, t])
            for e in range(len(self.sets.channels)):
                self.cp.add(v <= self.g[e]).only_enforce_if(self.x[e, t])
                done = self.g[e] + self._send(e) <= v + self.period
                self.cp.add(done).only_enforce_if(self.x[e, t])

    def respect_loads(self) -> None:
        """(S3)  sum_a tau_a z[a,t] <= L, with switch_ticks where m[t]; sum_e send_e x[e,t] <= L.

        Redundant with (S2a,b,c).
        """
        clusters, channels = self.sets.clusters, range(len(self.sets.channels))
        for t in self.sets.tiles:
            work = sum(self.tau[a] * self.z[a, t] for a in clusters)
            self.cp.add(work <= self.period)
            if self.switch:
                more = sum((self.tau[a] + self.switch) * self.z[a, t] for a in clusters)
                self.cp.add(more <= self.period).only_enforce_if(self.m[t])
            self.cp.add(sum(self._send(e) * self.x[e, t] for e in channels) <= self.period)

    def break_tile_symmetry(self) -> None:
        """(B6)  of bindings equal up to an automorphism of the platform, only the least. Redundant.

        The first cluster on a moved tile stands on an allowed one (symmetry.py).
        """
        order = self.sets.by_work
        for rule in self.sets.rules:
            given = [] if rule.given is None else [~self.z[order[0], rule.given]]
            entered: cp_model.IntVar | None = None
            for a in order if rule.given is None else order[1:]:
                for t in rule.moved - rule.allowed:
                    earlier = [] if entered is None else [entered]
                    self.cp.add_bool_or(*given, ~self.z[a, t], *earlier)
                now = self.cp.new_bool_var("")
                here = [self.z[a, t] for t in rule.moved]
                self.cp.add_bool_or(~now, *here, *([] if entered is None else [entered]))
                entered = now

    def spike_hops(self) -> cp_model.LinearExprT:
        """Return sum f_e d[e], at least the spike-hops of the binding."""
        return sum((c.spikes * d for c, d in zip(self.sets.channels, self.d, strict=True)), 0)

    def limit_hops(self, most: int) -> None:
        """(E1)  sum f_e d[e] <= most."""
        if any(c.spikes for c in self.sets.channels):
            self.cp.add(self.spike_hops() <= most)

    def limit_tiles(self, most: int) -> None:
        """(E2)  u[t] >= z[a,t];  sum_t u[t] <= most."""
        used = [self.cp.new_bool_var(f"u_{t}") for t in self.sets.tiles]
        for (_, t), z in self.z.items():
            self.cp.add_implication(z, used[t])
        self.cp.add(sum(used) <= most)

    def minimize_spike_hops(self) -> None:
        """(B0a)  min sum f_e d[e]."""
        if any(c.spikes for c in self.sets.channels):
            self.cp.minimize(self.spike_hops())

    def minimize_period(self) -> None:
        """(S0)  min L."""
        self.cp.minimize(self.period)

    def binding(self, solver: Answers) -> Binding:
        """Read the binding; ValueError unless each cluster has one tile."""
        return self.placed(solver)

    def extract(self, solver: Answers) -> Solution:
        """Read binding and orders."""
        binding = self.binding(solver)
        sets = OrderSets(self.sets.graph, self.sets.platform, binding)
        starts = [solver.value(s) for s in self.s]
        starts += [solver.value(self.g[int(e)]) for e in sets.unordered.send_channel]
        return binding, self._orders(sets, starts)

    def _orders(self, sets: OrderSets, starts: list[int]) -> StaticOrders:
        return sets.orders_by(starts, None, True)
