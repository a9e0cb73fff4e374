"""MILP formulation (PuLP) of binding clusters to tiles (README.md, B).

Sets         K clusters, T tiles, E channels, F pairs that exchange spikes (sets.py)
Parameters   tau_a, sigma, f_ab, h_tu, slots_t, buffers of t, q_ab
Variables    z[a,t] = 1 iff cluster a runs on tile t
             m[t] = 1 if tile t holds more than one cluster; w[a,t] >= z[a,t] m[t]
             o[e,t] = 1 if channel e leaves tile t
             X_a, Y_a coordinates; d[a,b] >= hops between the tiles of a and b
             L >= the load of every tile, in units of ``unit`` ticks, the largest tau: integers of
             10^5 beside binaries are what HiGHS gets wrong
Objectives   (B0a) min sum f_ab d[a,b]; (B0b) min L; (B0c) min sum f_ab d[a,b] + weight L
Bound        HiGHS's floating-point bound, rounded up with its tolerance given away; for (B0a) valid
             under the load cap that was given
Check        the binding by optmap.judge; the value by recomputation
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pulp

from formulations.binding.families import BindingFamilies
from formulations.binding.sets import BindingSets, usable_start
from formulations.binding.stages import Backend, Found, least_cost
from formulations.solvers.engine import MilpEngine
from formulations.solvers.highs import optimise
from formulations.solvers.status import whole_bound
from formulations.solvers.stopwatch import Stopwatch
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.outcome import SOLVED, Limits, Outcome, Status
from optmap.model.platform import Platform


class BindingModel(BindingFamilies[pulp.LpVariable]):
    """The families in a PuLP problem, and those that a MILP has words of its own for."""

    def __init__(self, sets: BindingSets, max_load: int | None = None) -> None:
        self.milp = pulp.LpProblem("binding", pulp.LpMinimize)
        super().__init__(sets, MilpEngine(self.milp))
        self.max_load = max_load
        self.unit = max([1, *sets.tau])
        # half a tick more: the cap is one of whole ticks, and its quotient is rounded
        most = None if max_load is None else (max_load + 0.5) / self.unit
        self.load = self.milp.add_variable("L", 0, most)
        self.d: dict[tuple[int, int], pulp.LpVariable] = {}

    def respect_load(self) -> None:
        """(B8)  sum_a tau_a z[a,t] + sigma w[a,t] <= L  for all t.

        w[a,t] >= z[a,t] + m[t] - 1 and sum_a z[a,t] <= 1 + (K - 1) m[t].
        docs/model.md: a tile pays switch_ticks for each of its clusters once it holds two.
        """
        sigma, num = self.sets.platform.switch_ticks / self.unit, len(self.sets.clusters)
        tau = [ticks / self.unit for ticks in self.sets.tau]
        for t in self.sets.tiles:
            work = [tau[a] * self.z[a, t] for a in self.sets.clusters]
            if sigma:
                shared = self.engine.boolean(f"m_{t}")
                held = pulp.lpSum(self.z[a, t] for a in self.sets.clusters)
                self.milp += held <= 1 + (num - 1) * shared
                for a in self.sets.clusters:
                    w = self.engine.boolean(f"w_{a}_{t}")
                    self.milp += w >= self.z[a, t] + shared - 1
                    work.append(sigma * w)
            self.milp += pulp.lpSum(work) <= self.load

    def measure_hops(self) -> None:
        """(B5)  d[a,b] >= |X_a - X_b| + |Y_a - Y_b|  on a mesh, for all pairs.

        X_a = sum_t x_t z[a,t], Y_a likewise. On other interconnects
        d[a,b] >= sum_u h_tu z[b,u] - H_t (1 - z[a,t]), H_t = max_u h_tu.
        """
        if self.sets.on_mesh:
            self._measure_on_mesh()
            return
        hops = self.sets.platform.hops.tolist()
        for a, b in self.sets.flows:
            d = self.d[a, b] = self.milp.add_variable(f"d_{a}_{b}", 0, None, pulp.LpInteger)
            for t in self.sets.tiles:
                reached = pulp.lpSum(hops[t][u] * self.z[b, u] for u in self.sets.tiles)
                self.milp += d >= reached - max(hops[t]) * (1 - self.z[a, t])

    def _measure_on_mesh(self) -> None:
        x = self.sets.width
        at = {
            a: [
                pulp.lpSum((t % x) * self.z[a, t] for t in self.sets.tiles),
                pulp.lpSum((t // x) * self.z[a, t] for t in self.sets.tiles),
            ]
            for a in sorted({a for pair in self.sets.flows for a in pair})
        }
        for a, b in self.sets.flows:
            parts = [
                self.milp.add_variable(f"d{axis}_{a}_{b}", 0, None, pulp.LpInteger) for axis in "xy"
            ]
            for part, p, q in zip(parts, at[a], at[b], strict=True):
                self.milp += part >= p - q
                self.milp += part >= q - p
            d = self.d[a, b] = self.milp.add_variable(f"d_{a}_{b}", 0, None, pulp.LpInteger)
            self.milp += d == parts[0] + parts[1]

    def respect_named_bound(self, least: int) -> None:
        """(B7)  sum f_ab d[a,b] >= the best named bound (bounds.py). Redundant."""
        if self.sets.flows:
            flows = self.sets.flows.items()
            self.milp += pulp.lpSum(f * self.d[pair] for pair, f in flows) >= least

    def minimize_load(self) -> None:
        """(B0b)  min L."""
        self.milp.setObjective(self.unit * self.load)

    def minimize_spike_hops(self) -> None:
        """(B0a)  min sum f_ab d[a,b]."""
        flows = [f * self.d[pair] for pair, f in self.sets.flows.items()]
        self.milp.setObjective(pulp.lpSum(flows))

    def minimize_weighted_sum(self, weight: int) -> None:
        """(B0c)  min sum f_ab d[a,b] + weight L."""
        flows = [f * self.d[pair] for pair, f in self.sets.flows.items()]
        self.milp.setObjective(pulp.lpSum(flows) + weight * self.unit * self.load)

    def extract(self, values: dict[str, float]) -> Binding:
        """Read the binding: each cluster on the tile that its z is largest for."""
        tile = np.zeros(len(self.sets.clusters), dtype=np.int32)
        for a in self.sets.clusters:
            tile[a] = max(self.sets.tiles, key=lambda t: values[self.z[a, t].name])
        return Binding(tile)


def solve(
    graph: ClusterGraph,
    platform: Platform,
    limits: Limits,
    *,
    objective: str,
    max_load: int | None = None,
    warm: Binding | None = None,
) -> Outcome[Binding]:
    """Return a binding: :func:`formulations.binding.stages.least_cost` by PuLP."""
    backend = Backend(BindingModel, partial(_run, objective=objective), is_cpsat=False)
    return least_cost(backend, graph, platform, limits, objective, max_load, warm)


def _run(model: BindingModel, watch: Stopwatch, start: Binding | None, objective: str) -> Found:
    """Run HiGHS; a binding that breaks a constraint once rounded is none, and proves nothing."""
    hint = None
    if start is not None:
        hint = {z.name: float(start.tile_of[a] == t) for (a, t), z in model.z.items()}
    run = optimise(model.milp, watch, hint=hint)
    bound = None if run.bound is None else whole_bound(run.bound)
    if run.status not in SOLVED:
        return Found(run.status, None, None, bound)
    sets, found = model.sets, model.extract(run.values)
    value = usable_start(sets, objective, model.max_load, found)[1]
    if value is None:
        return Found(Status.UNKNOWN, None, None, None)
    return Found(run.status, found, value, value if run.status is Status.OPTIMAL else bound)
