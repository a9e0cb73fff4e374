"""CP-SAT formulation of binding clusters to tiles (README.md, B).

Sets         K clusters, T tiles, E channels, F pairs that exchange spikes (sets.py)
Parameters   tau_a, sigma, f_ab, h_tu, slots_t, buffers of t, q_ab
Variables    z[a,t] = 1 iff cluster a runs on tile t
             m[t] = 1 if tile t holds more than one cluster; w[a,t] >= z[a,t] m[t]
             o[e,t] = 1 if channel e leaves tile t
             G[a,c] = 1 iff a stands before line c of the mesh; d[a,b] >= hops from a to b
             L >= the load of every tile
Objectives   (B0a) min sum f_ab d[a,b]; (B0b) min L; (B0c) min sum f_ab d[a,b] + weight L
Bound        the solver's, an exact integer; for (B0a) valid under the load cap that was given
Check        the binding by optmap.judge; the value by recomputation
"""

from __future__ import annotations

from ortools.sat.python import cp_model

from formulations.binding.families import BindingFamilies
from formulations.binding.sets import BindingSets
from formulations.solvers.answers import Answers
from formulations.solvers.engine import CpsatEngine
from optmap.model.mapping import Binding


class BindingModel(BindingFamilies[cp_model.IntVar]):
    """The families in a CP-SAT model, and those that CP-SAT has words of its own for."""

    def __init__(self, sets: BindingSets, max_load: int | None = None) -> None:
        self.cp = cp_model.CpModel()
        super().__init__(sets, CpsatEngine(self.cp))
        highest = sum(sets.tau) + sets.platform.switch_ticks * len(sets.tau)
        if max_load is not None:
            highest = min(highest, max_load)
        self.load = self.cp.new_int_var(0, max(highest, 0), "L")
        self.d: dict[tuple[int, int], cp_model.IntVar] = {}

    def respect_load(self) -> None:
        """(B8)  sum_a tau_a z[a,t] + sigma w[a,t] <= L  for all t.

        w[a,t] >= z[a,t] + m[t] - 1 and sum_a z[a,t] <= 1 where m[t] = 0.
        docs/model.md: a tile pays switch_ticks for each of its clusters once it holds two.
        """
        sigma = self.sets.platform.switch_ticks
        for t in self.sets.tiles:
            work = sum(self.sets.tau[a] * self.z[a, t] for a in self.sets.clusters)
            if sigma:
                shared = self.cp.new_bool_var(f"m_{t}")
                alone = [self.z[a, t] for a in self.sets.clusters]
                self.cp.add(sum(alone) <= 1).only_enforce_if(~shared)
                for a in self.sets.clusters:
                    w = self.cp.new_bool_var(f"w_{a}_{t}")
                    self.cp.add_bool_or(~self.z[a, t], ~shared, w)
                    work += sigma * w
            self.cp.add(work <= self.load)

    def measure_hops(self) -> None:
        """(B5)  d[a,b] = number of lines between columns and rows that part a and b, on a mesh.

        G[a,c] = 1 iff X_a <= c, by the tiles left of the line; likewise for rows. Hops on a mesh
        are Manhattan, so this is |X_a - X_b| + |Y_a - Y_b|; some line is crossed where no tile
        holds two clusters (redundant). On other interconnects d[a,b] >= sum_u h_tu z[b,u] where
        z[a,t] = 1.
        """
        if self.sets.on_mesh:
            self._measure_on_mesh()
            return
        hops = self.sets.platform.hops.tolist()
        for a, b in self.sets.flows:
            d = self.d[a, b] = self.cp.new_int_var(0, max(map(max, hops)), f"d_{a}_{b}")
            for t in self.sets.tiles:
                reached = sum(hops[t][u] * self.z[b, u] for u in self.sets.tiles if hops[t][u])
                self.cp.add(d >= reached).only_enforce_if(self.z[a, t])

    def _measure_on_mesh(self) -> None:
        width = self.sets.width
        crossed: dict[tuple[int, int], list[cp_model.IntVar]] = {p: [] for p in self.sets.flows}
        lines = [[t for t in self.sets.tiles if t % width <= c] for c in range(width - 1)]
        rows = range(self.sets.height - 1)
        lines += [[t for t in self.sets.tiles if t // width <= c] for c in rows]
        for c, here in enumerate(lines):
            side = {a: self.cp.new_bool_var(f"G_{a}_{c}") for a in self.sets.clusters}
            for a, g in side.items():
                self.cp.add(sum(self.z[a, t] for t in here) == g)
            for (a, b), cuts in crossed.items():
                cut = self.cp.new_bool_var(f"cut_{a}_{b}_{c}")
                self.cp.add_bool_or(~side[a], side[b], cut)
                self.cp.add_bool_or(side[a], ~side[b], cut)
                cuts.append(cut)
        for (a, b), cuts in crossed.items():
            self.d[a, b] = self.cp.new_int_var(0, len(lines), f"d_{a}_{b}")
            self.cp.add(self.d[a, b] == sum(cuts))
            if all(tile.slots == 1 for tile in self.sets.platform.tiles):
                self.cp.add_bool_or(cuts)

    def respect_named_bound(self, least: int) -> None:
        """(B7)  sum f_ab d[a,b] >= the best named bound (bounds.py). Redundant."""
        flows = self.sets.flows.items()
        self.cp.add(sum((f * self.d[p] for p, f in flows), 0 * self.load) >= least)

    def weighted_sum(self, weight: int) -> cp_model.LinearExprT:
        """Sum f_ab d[a,b] + weight L."""
        hops = sum((f * self.d[p] for p, f in self.sets.flows.items()), 0 * self.load)
        return hops + weight * self.load

    def minimize_load(self) -> None:
        """(B0b)  min L."""
        self.cp.minimize(self.load)

    def minimize_spike_hops(self) -> None:
        """(B0a)  min sum f_ab d[a,b]."""
        self.cp.minimize(self.weighted_sum(0))

    def minimize_weighted_sum(self, weight: int) -> None:
        """(B0c)  min sum f_ab d[a,b] + weight L."""
        self.cp.minimize(self.weighted_sum(weight))

    def cap(self, weight: int, most: int) -> None:
        """(B9)  sum f_ab d[a,b] + weight L <= most."""
        self.cp.add(self.weighted_sum(weight) <= most)

    def extract(self, solver: Answers) -> Binding:
        """Read the binding; ValueError unless each cluster has one tile."""
        return self.placed(solver)
