"""(T0) Least buffer space in tokens for a given period, by CP-SAT; binding and orders are given.

Sets         E places of buffers: the input of every channel, and the output of remote ones
Parameters   lambda = p / q the period; r_e tokens an iteration, i_e initial iterations of place e;
             delay and tokens of every edge of the binding-aware graph
Variables    S[a] q times the start of actor a, w[e] iterations that place e holds
Objective    (T0) min sum_e r_e w_e

The starts are whole numbers without loss: with all w fixed the rest is a system of differences with
whole right-hand sides. Tile buffers are limits where the platform states them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from ortools.sat.python import cp_model

from formulations.solvers.run_cpsat import WORKERS, run_cpsat
from formulations.solvers.stopwatch import Stopwatch
from optmap.judge.binding_aware_graph import BindingAwareGraph, Reason, lower
from optmap.model.buffers import is_remote
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding, Buffers, StaticOrders
from optmap.model.outcome import SOLVED, Limits, Outcome
from optmap.model.platform import Platform


@dataclass(frozen=True)
class BufferSets:
    """One problem: a placed and ordered graph, and the period to be kept."""

    graph: ClusterGraph
    platform: Platform
    binding: Binding
    orders: StaticOrders
    period: Fraction

    def bound(self) -> BindingAwareGraph:
        """Return the binding-aware graph with two iterations at every place."""
        remote = is_remote(self.graph, self.binding).tolist()
        columns = (self.graph.source, self.graph.target, self.graph.rate)
        rows = zip(*(c.tolist() for c in columns), remote, strict=True)
        two = Buffers(tuple((a, b, 2 * r if far else 0, 2 * r) for a, b, r, far in rows))
        return lower(self.graph, self.platform, self.binding, self.orders, two)


class BufferModel:
    """The families as a CP-SAT model.

    Parameters
    ----------
    sets : BufferSets
        The problem.
    """

    def __init__(self, sets: BufferSets) -> None:
        self.sets, self.cp = sets, cp_model.CpModel()
        self.marked = sets.bound()
        graph = self.marked.graph
        p, q = sets.period.numerator, sets.period.denominator
        span = q * int(graph.delay.sum()) + p * int(np.abs(graph.tokens).sum() + 1)
        self.start = [self.cp.new_int_var(0, span, f"S_{a}") for a in range(graph.num_actors)]
        self.most = -(-int(graph.delay.sum()) * q // p) + 2
        remote = is_remote(sets.graph, sets.binding)
        least = np.maximum(1, sets.graph.initial).tolist()
        every = range(sets.graph.num_channels)
        self.input = [self.cp.new_int_var(least[e], self.most, f"w_{e}") for e in every]
        self.output = {
            e: self.cp.new_int_var(1, self.most, f"v_{e}") for e in every if bool(remote[e])
        }

    def build(self) -> None:
        """Post every family."""
        self.keep_the_period()
        self.hold_outputs()
        self.hold_inputs()
        self.fit_tile_buffers()

    def _after(self, a: int, b: int, delay: int, tokens: int | cp_model.LinearExpr) -> None:
        """Post S[b] - S[a] >= q delay - p tokens."""
        p, q = self.sets.period.numerator, self.sets.period.denominator
        self.cp.add(self.start[b] - self.start[a] + p * tokens >= q * delay)

    def keep_the_period(self) -> None:
        """(T1)  S[b] - S[a] >= q delay - p tokens  for every edge but those of buffers."""
        g = self.marked.graph
        columns = (g.source, g.target, g.delay, g.tokens, self.marked.reason)
        for a, b, delay, tokens, reason in zip(*(c.tolist() for c in columns), strict=True):
            if reason != Reason.BUFFER and a != b:
                self._after(a, b, delay, tokens)
            elif reason != Reason.BUFFER and delay > self.sets.period * tokens:
                self.cp.add_bool_or([])  # an actor alone is slower

    def hold_outputs(self) -> None:
        """(T2)  S[a] - S[s] >= q send time - p v[e]  for the send s of channel e from a."""
        k, time = self.sets.graph.num_clusters, self.marked.time.tolist()
        for i, e in enumerate(self.marked.send_channel.tolist()):
            self._after(k + i, int(self.sets.graph.source[e]), time[k + i], self.output[e])

    def hold_inputs(self) -> None:
        """(T3)  S[x] - S[b] >= q tau_b - p (w[e] - i_e);  x is a, or the send of the channel."""
        graph, time = self.sets.graph, self.marked.time.tolist()
        sender = {e: graph.num_clusters + i for i, e in enumerate(self.marked.send_channel)}
        for e, w in enumerate(self.input):
            x, b = sender.get(e, int(graph.source[e])), int(graph.target[e])
            self._after(b, x, time[b], w - int(graph.initial[e]))

    def fit_tile_buffers(self) -> None:
        """(T4)  sum r_e w[e] over the channels into tile t <= its input buffer; outputs alike."""
        graph, tile = self.sets.graph, self.sets.binding.tile_of
        rate = graph.rate.tolist()
        for t, of in enumerate(self.sets.platform.tiles):
            if of.input_buffer is not None:
                into = (rate[e] * w for e, w in enumerate(self.input) if tile[graph.target[e]] == t)
                self.cp.add(sum(into) <= of.input_buffer)
            if of.output_buffer is not None:
                out = (rate[e] * v for e, v in self.output.items() if tile[graph.source[e]] == t)
                self.cp.add(sum(out) <= of.output_buffer)

    def minimize_space(self) -> None:
        """(T0)  min sum_e r_e w[e] + sum_e r_e v[e]."""
        rate = self.sets.graph.rate.tolist()
        into = sum(rate[e] * w for e, w in enumerate(self.input))
        self.cp.minimize(into + sum(rate[e] * v for e, v in self.output.items()))

    def extract(self, solver: cp_model.CpSolver) -> Buffers:
        """Return the capacities of a solution."""
        graph, found = self.sets.graph, []
        rate = graph.rate.tolist()
        for e, w in enumerate(self.input):
            out = rate[e] * solver.value(self.output[e]) if e in self.output else 0
            ends = int(graph.source[e]), int(graph.target[e])
            found.append((*ends, out, rate[e] * solver.value(w)))
        return Buffers(tuple(found))


def least_space(sets: BufferSets, limits: Limits, *, workers: int = WORKERS) -> Outcome[Buffers]:
    """Return capacities of least total with which the period is kept; the value is that total.

    INFEASIBLE: no capacities that the tile buffers hold keep it.
    """
    watch = Stopwatch(limits)
    model = BufferModel(sets)
    model.build()
    model.minimize_space()
    done = run_cpsat(model.cp, watch, workers=workers)
    found = model.extract(done.solver) if done.status in SOLVED else None
    return Outcome(done.status, found, done.value, done.bound, watch.trace)
