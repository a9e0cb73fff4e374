"""Sets and parameters of the joint formulations (README.md, J), shared by all of them.

Sets         K clusters, T tiles, E channels (a, b), each with one possible send
Parameters   tau_a; switch_ticks; send_e ticks on an interface; i_e initial iterations;
             W_e iterations that channel e holds at each place; h_tu hops; slots, crossbars and
             buffers of the tiles
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import numpy as np

from formulations.binding.sets import BindingSets, fits_platform, spike_hops_of
from formulations.joint.symmetry import Permutation, Rule, automorphisms, rules
from formulations.ordering.horizon import Arc
from formulations.ordering.sets import OrderSets
from formulations.ordering.size import SECONDS_PER_CUBE
from formulations.solvers.stopwatch import Stopwatch
from formulations.solvers.time_to_build import too_long
from optmap.bounds.period import period_bound
from optmap.judge.binding_aware_graph import refuse_short_buffers
from optmap.model.buffers import iterations_held, tokens_held
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.grade import Grade
from optmap.model.mapping import Binding, StaticOrders
from optmap.model.outcome import Outcome, Status
from optmap.model.platform import Platform

Solution = tuple[Binding, StaticOrders]

#: A term is a cluster or a channel on a tile: seconds that one takes in a model, most in a model.
SECONDS_PER_TERM, MAX_TERMS = 7e-5, 2_000_000


class JointChannel(NamedTuple):
    """Channel e = (a, b): ticks of its send, initial iterations, spikes, W_e, tokens held."""

    source: int
    target: int
    send: int
    initial: int
    spikes: int
    windows: int
    capacity: int


@dataclass(frozen=True)
class JointSets:
    """One joint problem, ready for a formulation to loop over.

    Parameters
    ----------
    hops_count : bool
        Whether an objective or a constraint counts spike-hops. Without it, tiles may also be
        exchanged that lie differently, if hops cost no time.

    Raises
    ------
    CapacityError
        If a buffer cannot hold a channel's initial tokens and one window.
    """

    graph: ClusterGraph
    platform: Platform
    hops_count: bool = False

    def __post_init__(self) -> None:
        refuse_short_buffers(self.graph, self.platform)

    @property
    def clusters(self) -> range:
        """K."""
        return range(self.graph.num_clusters)

    @property
    def tiles(self) -> range:
        """T."""
        return range(self.platform.num_tiles)

    @property
    def switch(self) -> int:
        """Ticks added to every firing on a tile of several clusters."""
        return self.platform.switch_ticks

    @cached_property
    def tau(self) -> list[int]:
        """Ticks of one firing, without switch_ticks."""
        return [int(t) for t in self.graph.tau]

    @cached_property
    def channels(self) -> list[JointChannel]:
        """E, in the graph's order."""
        g = self.graph
        held = np.minimum(iterations_held(g, self.platform), self.most_windows)
        tokens = tokens_held(g, self.platform)
        columns = (
            c.tolist() for c in (g.source, g.target, g.rate, g.initial, g.spikes, held, tokens)
        )
        return [
            JointChannel(a, b, self.platform.send_ticks(rate), i, spikes, w, q)
            for a, b, rate, i, spikes, w, q in zip(*columns, strict=True)
        ]

    @property
    def most_windows(self) -> int:
        """Iterations of room that are as good as any more.

        Whatever the places of the starts within a period L, the earliest starts that keep them put
        a consumer at most D + n L after a producer: D is all delays together, n all actors. So no
        more than D / L + n + 1 iterations are under way, and L is at least its bound.
        """
        g, platform = self.graph, self.platform
        actors = g.num_clusters + g.num_channels
        delays = int(g.tau.sum()) + platform.switch_ticks * g.num_clusters
        delays += int(platform.send_times(g.rate).sum())
        delays += int(platform.latency.max()) * g.num_channels if platform.has_latency else 0
        least = max(1, period_bound(g, platform).whole)
        return max(2, delays // least + actors + 2)

    @cached_property
    def hops(self) -> list[list[int]]:
        """h_tu."""
        hops: list[list[int]] = self.platform.hops.tolist()
        return hops

    @cached_property
    def fits(self) -> dict[tuple[int, int], bool]:
        """Whether the crossbar of tile t is large enough for cluster a."""
        return BindingSets(self.graph, self.platform).fits

    @cached_property
    def by_work(self) -> list[int]:
        """Clusters, longest first: the order in which symmetry is broken."""
        return sorted(self.clusters, key=lambda a: (-self.tau[a], a))

    @cached_property
    def group(self) -> list[Permutation]:
        """Automorphisms of the platform that change no value."""
        matter = self.hops_count or self.platform.has_latency
        return automorphisms(self.platform, hops_matter=matter)

    @cached_property
    def rules(self) -> list[Rule]:
        """(B6) as rules on the first clusters."""
        return rules(self.group, len(self.tiles))

    @cached_property
    def floor(self) -> Fraction:
        """No mapping of this clustering has a smaller period."""
        return Fraction(period_bound(self.graph, self.platform).value) if self.tau else Fraction(0)

    @cached_property
    def most_ticks(self) -> int:
        """The most ticks on a simple cycle of any mapping: each task left by its longest edge."""
        firing = sum(self.tau) + self.switch * len(self.tau)
        latency = int(self.platform.latency.max())
        return firing + sum(e.send + latency for e in self.channels)

    def most_tokens_from(self, low: Fraction) -> int:
        """Return Q: no period that is at least ``low`` has a larger denominator."""
        return max(1, int(self.most_ticks / low)) if low else 1

    def arcs_of_any_binding(self, period: int, scale: int) -> list[Arc]:
        """Return what holds between the starts of clusters wherever they are bound.

        s[b] - s[a] >= tau_a - i L along a channel (a send only adds to it), and back at least
        tau_b - (2 W_e - i) L: credits b -> send -> a, or one credit of W_e - i if local.
        """
        arcs = []
        for e in self.channels:
            arcs.append((e.source, e.target, self.tau[e.source] * scale - e.initial * period))
            back = self.tau[e.target] * scale - (2 * e.windows - e.initial) * period
            arcs.append((e.target, e.source, back))
        return arcs

    def why_not_built(self, left: float) -> str:
        """Return why a model of this problem is not built in ``left`` seconds; empty if it may."""
        if not self.platform.interconnect.has_table:
            return f"no joint model: {len(self.tiles):,} tiles, too many for a table of hops"
        terms = (len(self.clusters) + len(self.channels)) * len(self.tiles)
        if terms > MAX_TERMS:
            return f"no joint model: {terms:,} terms, at most {MAX_TERMS:,} are tried"
        parts = f"{terms:,} terms of {len(self.clusters):,} clusters"
        return too_long("no joint model", parts, self.seconds_to_build(), left)

    def seconds_to_build(self, part: float = 1.0) -> float:
        """Return what longest paths and such a part of the terms are expected to take."""
        terms = (len(self.clusters) + len(self.channels)) * len(self.tiles)
        return SECONDS_PER_CUBE * len(self.clusters) ** 3 + SECONDS_PER_TERM * terms * part

    def value_of(self, solution: Solution) -> Fraction | None:
        """Return the evaluator's period; None if the binding does not fit or deadlocks."""
        binding, orders = solution
        if not fits_platform(self.graph, self.platform, binding):
            return None
        return OrderSets(self.graph, self.platform, binding).period_of(orders)

    def spike_hops_of(self, binding: Binding) -> int:
        """Return sum f_e hops(e)."""
        return spike_hops_of(self.graph, self.platform, binding)


def not_built(
    watch: Stopwatch, sets: JointSets, best: tuple[Solution, Fraction] | None, note: str
) -> Outcome[Solution]:
    """Return what is known where no model is built."""
    watch.note(None if best is None else best[1], sets.floor)
    if best is None:
        return Outcome(Status.UNKNOWN, bound=sets.floor, trace=watch.trace, note=note)
    status = Status.OPTIMAL if best[1] == sets.floor else Status.FEASIBLE
    known = Outcome(status, *best, sets.floor, watch.trace, note=note)
    return replace(known, grade=Grade.CERTIFIED)


def usable_start(
    sets: JointSets, prologue: bool, warm: Solution | None
) -> tuple[Solution, Fraction] | None:
    """Return ``warm`` with its period if it may be used, else None."""
    if warm is None or (warm[1].has_prologue and not prologue):
        return None
    value = sets.value_of(warm)
    return None if value is None else (warm, value)
