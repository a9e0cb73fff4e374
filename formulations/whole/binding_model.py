"""Channels, tokens, binding and loads as CP-SAT families: the whole model but for its starts.

Variables    those of units_model.py, and: c[k,n] = 1 iff n reads a unit of k; send[k,n] ticks of
             its send; tok[k,n] its initial iterations; z[k,t] cluster k on tile t; m[t] tile
             shared; local, remote = channels within a tile, between tiles; time[k] = tau[k] with
             switch_ticks; d[k,n] >= ticks on the way; L the period times q

Times and sends are bounded from below only: a schedule for longer times is one for the judge's.
Channels and tokens are exact, since a channel more can close a cycle, whose channels hold tokens.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, permutations

from ortools.sat.python import cp_model

from formulations.solvers.answers import Answers, the_one
from formulations.whole.chip_limits import respect_chip
from formulations.whole.sets import WholeSets
from formulations.whole.units_model import UnitsModel, tiles_of
from optmap.model.cluster_graph import ClusterGraph, cluster_graph
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Binding, Clustering, Mapping

Pair = tuple[int, int]


class BindingModel(UnitsModel):
    """The whole model without starts: its loads only bound the period.

    Parameters
    ----------
    period : Fraction
        p / q; all ticks are multiplied by q.
    least : int, optional
        Makes the period a variable in least..p (q must be 1).
    """

    def __init__(self, sets: WholeSets, period: Fraction, least: int | None = None) -> None:
        super().__init__(sets, period)
        if self.impossible:
            return
        if least is not None and self.scale != 1:
            raise ValueError(f"a variable period must be whole, got up to {period}")
        cp, new = self.cp, self.cp.new_bool_var
        self.variable = least is not None
        self.period: cp_model.LinearExpr | int = self.most
        if least is not None:
            self.period = cp.new_int_var(least, self.most, "L")
        self.pairs: list[Pair] = list(permutations(self.clusters, 2))
        self.c = {p: new(f"c_{p}") for p in self.pairs}
        self.tok = {p: new(f"tok_{p}") for p in self.pairs}
        self.send = {p: cp.new_int_var(0, self.most, f"send_{p}") for p in self.pairs}
        self.z = {(k, t): new(f"z_{k}_{t}") for k in self.clusters for t in sets.tiles}
        self.m = [new(f"m_{t}") for t in sets.tiles]
        self.local = {p: new(f"local_{p}") for p in self.pairs}
        self.remote = {p: new(f"remote_{p}") for p in self.pairs}
        self.sent = {(p, t): new(f"sent_{p}_{t}") for p in self.pairs for t in sets.tiles}
        far = int(sets.platform.latency.max())
        self.d = {p: cp.new_int_var(0, far, f"d_{p}") for p in self.pairs}
        self.time = [cp.new_int_var(0, self.most, f"time_{k}") for k in self.clusters]

    def build_binding(self) -> None:
        """Post channels, tokens and binding: all that the master of Benders knows too."""
        self.open_channels()
        self.measure_sends()
        self.put_tokens()
        self.build_loads()
        self.link_tiles()
        self.respect_buffers()
        self.measure_hops()
        self.respect_interface_loads()

    def build_loads(self) -> None:
        """Post binding and loads of crossbars alone: a relaxation far smaller than the rest."""
        self.place_each_cluster_once()
        self.respect_slots()
        self.respect_crossbars()
        respect_chip(self, self.z)
        self.switch_on_shared_tiles()
        self.respect_loads()
        self.break_tile_symmetry()

    def _units_read(self) -> list[tuple[tuple[int, int], int | tuple[int, int]]]:
        """Return every unit that may be read, with its name in ``a``."""
        read = set(self.read)
        roots = [((j, 0), j) for j in self.sets.neurons if j in read]
        return [*roots, *((q, q) for q in self.inserted)]

    def open_channels(self) -> None:
        """(W9)  f[v,k,n] = x[v,k] a[v,n];  c[k,n] = max_v f[v,k,n]."""
        self.f = {
            (v, k, n): self.cp.new_bool_var(f"f_{v}_{k}_{n}")
            for v, _ in self._units_read()
            for k, n in self.pairs
        }
        for v, name in self._units_read():
            for k, n in self.pairs:
                f, x, a = self.f[v, k, n], self.x[v, k], self.a[name, n]
                self.cp.add_bool_or(~x, ~a, f)
                self.cp.add_implication(f, x)
                self.cp.add_implication(f, a)
                self.cp.add_implication(f, self.c[k, n])
        for k, n in self.pairs:
            self.cp.add_bool_or(~self.c[k, n], *(self.f[v, k, n] for v, _ in self._units_read()))

    def measure_sends(self) -> None:
        """(W10)  send >= q rate / tokens per tick,  rate >= c[k,n],  rate >= sum s_v f[v,k,n]."""
        tokens, spikes = self.sets.platform.ni_tokens_per_tick, self.sets.spikes
        self.rate = {}
        for k, n in self.pairs:
            carried: list[cp_model.LinearExpr] = []
            for v, _ in self._units_read():
                if v[1] == 0:
                    carried.append(spikes[v[0]] * self.f[v, k, n])
                    continue
                most = sum(self.sets.counts(v[0]))
                through = self.cp.new_int_var(0, most, "")
                self.cp.add(through >= self.sum[v]).only_enforce_if(self.f[v, k, n])
                carried.append(through)
            most = sum(spikes) + sum(sum(self.sets.counts(q[0])) for q in self.inserted) + 1
            rate = self.rate[k, n] = self.cp.new_int_var(0, most, f"rate_{k}_{n}")
            self.cp.add(rate >= self.c[k, n])
            self.cp.add(rate >= sum(carried))
            ticks = self.cp.new_int_var(0, self.most // self.scale, "")
            sends = tokens.numerator * ticks >= tokens.denominator * rate
            self.cp.add(sends).only_enforce_if(self.remote[k, n])
            self.cp.add(self.send[k, n] == self.scale * ticks)

    def put_tokens(self) -> None:
        """(W11)  tok = c (pipelined), or c and one component (dataflow);  W >= 1 + tok.

        A component's root is its lowest cluster; every other cluster of it is reached from the root
        and reaches it along channels of the component, by trees of rising ranks. Channels between
        components rise in level. So components are exactly the strongly connected ones.
        """
        if self.sets.platform.buffer_windows < 2:
            for pair in self.pairs:
                self.cp.add(self.tok[pair] == 0)
        if self.sets.tokens == "pipelined":
            for pair in self.pairs:
                self.cp.add(self.tok[pair] == self.c[pair])
            return
        cp, last = self.cp, max(self.num_clusters - 1, 0)
        root = {(k, m): cp.new_bool_var("") for k in self.clusters for m in range(k + 1)}
        level = [cp.new_int_var(0, last, "") for _ in self.clusters]
        together = {}
        for k in self.clusters:
            cp.add(sum(root[k, m] for m in range(k + 1)) == self.y[k])
            for m in range(k):
                cp.add_implication(root[k, m], root[m, m])
        for k, n in combinations(self.clusters, 2):
            both = [cp.new_bool_var("") for _ in range(k + 1)]
            for m in range(k + 1):
                cp.add_bool_or(~root[k, m], ~root[n, m], both[m])
                cp.add_implication(both[m], root[k, m])
                cp.add_implication(both[m], root[n, m])
            one = together[k, n] = together[n, k] = cp.new_bool_var("")
            cp.add(sum(both) == one)
            cp.add(level[k] == level[n]).only_enforce_if(one)
        for k, n in self.pairs:
            tok, c, one = self.tok[k, n], self.c[k, n], together[k, n]
            cp.add_bool_or(~c, ~one, tok)
            cp.add_implication(tok, c)
            cp.add_implication(tok, one)
            cp.add(level[k] + 1 <= level[n]).only_enforce_if(c, ~one)
        for towards in (True, False):
            rank = [cp.new_int_var(0, last, "") for _ in self.clusters]
            for k in self.clusters:
                steps = []
                for n in self.clusters:
                    if n != k:
                        step = cp.new_bool_var("")
                        cp.add_implication(step, self.tok[(k, n) if towards else (n, k)])
                        cp.add(rank[n] + 1 <= rank[k]).only_enforce_if(step)
                        steps.append(step)
                cp.add(sum(steps) == self.y[k] - root[k, k])

    def place_each_cluster_once(self) -> None:
        """(B1)  sum_t z[k,t] = y[k].

        Redundant beside (S3), which gives the time of a cluster to tiles: nobody has no time.
        """
        for k in self.clusters:
            self.cp.add(sum(self.z[k, t] for t in self.sets.tiles) == self.y[k])

    def respect_slots(self) -> None:
        """(B2)  sum_k z[k,t] <= slots_t."""
        for t in self.sets.tiles:
            slots = self.sets.platform.tiles[t].slots
            if slots is not None:
                self.cp.add(sum(self.z[k, t] for k in self.clusters) <= slots)

    def respect_crossbars(self) -> None:
        """(B3)  rows of k <= R_t and columns of k <= C'_t where z[k,t], for smaller crossbars."""
        platform = self.sets.platform
        for k in self.clusters:
            rows = sum(self.a[v, k] for v in self.read)
            columns = sum(self.x[u, k] for u in self.units)
            for t in self.sets.tiles:
                if platform.rows_of[t] < platform.max_rows:
                    self.cp.add(rows <= platform.rows_of[t]).only_enforce_if(self.z[k, t])
                if platform.columns_of[t] < platform.max_columns:
                    self.cp.add(columns <= platform.columns_of[t]).only_enforce_if(self.z[k, t])

    def link_tiles(self) -> None:
        """(W12)  c = local + remote, by same[k,n];  sent[k,n,t] = remote[k,n] z[k,t]."""
        for k, n in combinations(self.clusters, 2):
            same = self.cp.new_bool_var(f"same_{k}_{n}")
            for t in self.sets.tiles:
                self.cp.add_bool_or(~self.z[k, t], ~self.z[n, t], same)
                self.cp.add_bool_or(~self.z[k, t], self.z[n, t], ~same)
            for pair in ((k, n), (n, k)):
                self.cp.add(self.local[pair] + self.remote[pair] == self.c[pair])
                self.cp.add_implication(self.local[pair], same)
                self.cp.add_implication(self.remote[pair], ~same)
        for (k, n), t in self.sent:
            sent, z, remote = self.sent[(k, n), t], self.z[k, t], self.remote[k, n]
            self.cp.add_bool_or(~remote, ~z, sent)
            self.cp.add_implication(sent, remote)
            self.cp.add_implication(sent, z)

    def respect_buffers(self) -> None:
        """(B4)  W sum rate[k,n] z[n,t] <= input buffer;  W sum rate[k,n] sent[k,n,t] <= output."""
        windows = self.sets.platform.buffer_windows
        for t in self.sets.tiles:
            tile = self.sets.platform.tiles[t]
            for room, side in ((tile.input_buffer, 0), (tile.output_buffer, 1)):
                if room is None:
                    continue
                taken = []
                for k, n in self.pairs:
                    share = self.cp.new_int_var(0, room, "")
                    here = [self.sent[(k, n), t]] if side else [self.c[k, n], self.z[n, t]]
                    self.cp.add(share >= windows * self.rate[k, n]).only_enforce_if(*here)
                    taken.append(share)
                self.cp.add(sum(taken) <= room)

    def measure_hops(self) -> None:
        """(B5)  d[k,n] >= sum_u l_tu z[n,u]  where z[k,t] = 1; l: ticks from tile to tile."""
        if not self.sets.platform.has_latency:
            return
        hops = self.sets.platform.latency.tolist()
        for (k, n), d in self.d.items():
            for t in self.sets.tiles:
                reached = sum(h * self.z[n, u] for u, h in enumerate(hops[t]) if h)
                self.cp.add(d >= reached).only_enforce_if(self.z[k, t])

    def switch_on_shared_tiles(self) -> None:
        """(J2)  sum_k z[k,t] <= 1 where m[t] = 0;  time[k] = tau[k] + switch if z[k,t], m[t]."""
        switch = self.sets.platform.switch_ticks * self.scale
        for t in self.sets.tiles:
            here = [self.z[k, t] for k in self.clusters]
            self.cp.add_at_most_one(here).only_enforce_if(~self.m[t])
            self.cp.add(sum(here) >= 2).only_enforce_if(self.m[t])
        for k in self.clusters:
            extra = self.cp.new_bool_var(f"extra_{k}")
            for t in self.sets.tiles:
                self.cp.add_bool_or(~self.z[k, t], ~self.m[t], extra)
            self.cp.add(self.time[k] == self.tau[k] + switch * extra)

    def respect_loads(self) -> None:
        """(S3)  time[k] = sum_t load[k,t], sum_k load[k,t] <= L. Redundant.

        load[k,t] = 0 where z[k,t] = 0.
        """
        places = [{t: self.z[k, t] for t in self.sets.tiles} for k in self.clusters]
        for time, parts in zip(self.time, self._on_tiles(self.time, places), strict=True):
            self.cp.add(sum(parts) == time)

    def respect_interface_loads(self) -> None:
        """(S3)  sum of send[k,n] over sent[k,n,t] <= L. Redundant."""
        places = [{t: self.sent[p, t] for t in self.sets.tiles} for p in self.pairs]
        self._on_tiles([self.send[p] for p in self.pairs], places)

    def _on_tiles(
        self, times: list[cp_model.IntVar], places: list[dict[int, cp_model.IntVar]]
    ) -> list[list[cp_model.IntVar]]:
        """Keep what runs on each tile within L; return the share of every task on every tile."""
        on: dict[int, list[cp_model.IntVar]] = {t: [] for t in self.sets.tiles}
        shares = []
        for time, where in zip(times, places, strict=True):
            for t, here in where.items():
                share = self.cp.new_int_var(0, self.most, "")
                self.cp.add(share == 0).only_enforce_if(~here)
                self.cp.add(share >= time).only_enforce_if(here)
                on[t].append(share)
            shares.append([on[t][-1] for t in where])
        for parts in on.values():
            self.cp.add(sum(parts) <= self.period)
        return shares

    def break_tile_symmetry(self) -> None:
        """(B6)  the first cluster on a moved tile is on an allowed one (symmetry.py). Redundant."""
        for rule in self.sets.tile_rules:
            given = [] if rule.given is None else [~self.z[0, rule.given]]
            entered: cp_model.IntVar | None = None
            for k in self.clusters if rule.given is None else self.clusters[1:]:
                for t in rule.moved - rule.allowed:
                    earlier = [] if entered is None else [entered]
                    self.cp.add_bool_or(*given, ~self.z[k, t], *earlier)
                now = self.cp.new_bool_var("")
                here = [self.z[k, t] for t in rule.moved]
                self.cp.add_bool_or(~now, *here, *([] if entered is None else [entered]))
                entered = now

    def minimize_period(self) -> None:
        """(S0)  min L."""
        self.cp.minimize(self.period)

    def hint(self, mapping: Mapping) -> None:
        """Suggest clusters and tiles of a known mapping."""
        number = self.hint_units(mapping)
        for cluster, k in number.items():
            if k < self.num_clusters:
                for t in self.sets.tiles:
                    self.cp.add_hint(self.z[k, t], int(mapping.binding.tile_of[cluster]) == t)

    def extract_binding(
        self, solver: Answers
    ) -> tuple[Decomposition, Clustering, Binding, ClusterGraph, dict[int, int]]:
        """Read all but the orders, and the cluster that each place became."""
        decomposition, clustering, number = self.extract_units(solver)
        tile = {}
        for k in number:
            held = [t for t in self.sets.tiles if solver.boolean_value(self.z[k, t])]
            tile[k] = the_one(held, f"place {k}", "tile")
        binding = Binding(tiles_of(number, tile))
        graph = cluster_graph(decomposition, clustering, self.sets.platform, self.sets.tokens)
        return decomposition, clustering, binding, graph, number
