"""Search over decomposition, clustering, binding and orders at once, on the objective itself.

Pseudo-code::

    report the best of the given start and of fast flows (starts.py)
    state = the placement whose tiles and interfaces are least busy (kernels/state.py)
    repeat, from the best state, with the next temperature of a cycle:
        anneal: pieces, twins, clusters, sources of pieces move, change places (kernels/anneal.py)
        give the result orders: projected, then running ahead (target.py); report it if better
        after each cycle the rounds are twice as long

What annealing minimises of the period is a norm of the ticks of all tiles and interfaces: no
schedule is shorter than the busiest, and orders that run ahead nearly always get there. What is
reported is the judge's value, exactly. Traffic, energy and clusters are annealed as they are.

A seed and a number of moves give one result; the clock only says when to stop. Networks whose
tables do not fit into memory (:func:`optmap.whole.convert.room_for`), and those that came
clustered, get the best of the fast flows and of their schedules.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np

from optmap.clustering.kernels.twins import twin_classes
from optmap.errors import CapacityError
from optmap.judge.binding_aware_graph import refuse_short_buffers
from optmap.judge.check import check
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits, Outcome, Status, TracePoint, Value
from optmap.model.platform import Platform
from optmap.model.snn import SNN
from optmap.whole.convert import Placed, placed_of, room_for, state_of
from optmap.whole.kernels.anneal import (
    ENERGY,
    FEWEST,
    PERIOD,
    TRAFFIC_GOAL,
    anneal,
    cost,
    mean_climb,
)
from optmap.whole.kernels.state import State, copied, restore
from optmap.whole.starts import starts
from optmap.whole.target import Expired, Target

#: Objective -> what annealing minimises.
GOALS = {"period": PERIOD, "traffic": TRAFFIC_GOAL, "energy_pj": ENERGY, "clusters": FEWEST}
#: Shares of the moves, in the order of :mod:`optmap.whole.kernels.anneal`; the last four are for
#: neurons that were split.
SHARES = (40.0, 20.0, 20.0, 10.0, 5.0, 0.5, 0.5, 20.0, 20.0, 3.0, 0.2)
NEED_SPLIT = 4
#: A cycle's rounds: temperature when they begin, in mean climbs, and the norm's power, 2 to this.
ROUNDS = ((0.003, 4), (0.02, 4), (0.1, 6), (0.1, 4), (0.4, 6))
#: Norms that judge a state: close to the largest, and one that knows the others too.
SHARPEST, SOFTEST = 10, 3
#: Temperature when a round ends, as a share of that when it begins.
COOLED = 0.05
#: Moves of the first rounds, for each piece and at least; draws for the mean climb.
MOVES_A_PIECE, LEAST_MOVES, CLIMB_DRAWS = 20, 4000, 2000
#: Seconds between looks at the clock, and moves before the first.
LOOK_S, FIRST_MOVES = 0.2, 200
#: Clusters up to which orders that run ahead are tried before other bindings.
MOST_PIPELINED = 64
#: Share of the time that the fast flows and one round's schedule may take, and what is kept back.
STARTS_SHARE, SCHEDULE_SHARE, KEPT_SHARE = 0.3, 0.1, 0.04

OnBetter = Callable[[Outcome[Mapping]], None]


def search(
    snn: SNN,
    platform: Platform,
    tokens: str,
    limits: Limits,
    *,
    objective: str = "period",
    start: Mapping | None = None,
    on_better: OnBetter | None = None,
    clock: Callable[[], float] = time.perf_counter,
    moves: float = inf,
) -> Outcome[Mapping]:
    """Return the best mapping found.

    Parameters
    ----------
    objective : str
        ``period``, ``traffic``, ``energy_pj`` or ``clusters``; other columns of the judge's row are
        compared, while annealing works on the period.
    start : Mapping, optional
        A valid mapping; the result is never worse.
    on_better : callable, optional
        Told of every better mapping at once.
    clock : callable, optional
        Seconds from some moment on.
    moves : float, optional
        Stop after so many moves, whatever the clock says.

    Raises
    ------
    CapacityError
        If no mapping was found.
    """
    target = Target(snn, platform, tokens, objective, limits.seed)
    run = _Search(target, limits, on_better, clock, moves)
    if start is not None:
        refuse_short_buffers(run.target.graph(_placed(start)), platform)
        run.offer(start)
    run.begin()
    run.improve()
    if run.best is None:
        raise CapacityError(f"no mapping on {platform.name!r} was found")
    return run.outcome()


def _placed(mapping: Mapping) -> Placed:
    return Placed(mapping.decomposition, mapping.clustering, mapping.binding)


@dataclass(frozen=True, slots=True)
class _Annealing:
    """A state with what its annealing needs."""

    state: State
    start: Placed
    twin: Any
    shares: Any
    goal: int
    weights: Any

    def at(self, norm: int) -> _Annealing:
        """Return the same with another norm."""
        if self.goal != PERIOD:
            return self
        return replace(self, weights=np.array([norm, 0.0, 0.0, 0.0]))

    def height(self) -> tuple[float, float]:
        """Return what is minimised, the busiest for the period; then a norm that breaks ties."""
        if self.goal != PERIOD:
            return cost(self.state, self.goal, self.weights), 0.0
        sharp, soft = (cost(self.state, PERIOD, self.at(n).weights) for n in (SHARPEST, SOFTEST))
        return sharp, soft


class _Search:
    """The best mapping so far, and the clock."""

    def __init__(
        self,
        target: Target,
        limits: Limits,
        on_better: OnBetter | None,
        clock: Callable[[], float],
        moves: float,
    ) -> None:
        self.target, self.limits, self.on_better = target, limits, on_better
        self.clock, self.moves_left, self.begun = clock, moves, clock()
        self.best: Mapping | None = None
        self.value: Value = 0
        self.trace: list[TracePoint] = []
        self.rng = np.random.default_rng(limits.seed)
        self.candidates: list[tuple[float, Placed]] = []

    def spent(self) -> float:
        """Return the seconds since the beginning."""
        return self.clock() - self.begun

    def until(self, share: float) -> Expired:
        """Return what says that this share of all time is over."""
        end = share * self.limits.wall_s
        return lambda: self.spent() >= end

    def outcome(self) -> Outcome[Mapping]:
        """Return the best mapping with what led to it."""
        return Outcome(
            Status.FEASIBLE, solution=self.best, claimed=self.value, trace=tuple(self.trace)
        )

    def offer(self, mapping: Mapping) -> bool:
        """Keep and report a mapping if it is better and valid; tell whether it was."""
        value = self.target.value(mapping)
        if self.best is not None and value >= self.value:
            return False
        if check(self.target.snn, self.target.platform, mapping, self.target.tokens):
            return False  # buffers: the state knows of none
        self.best, self.value = mapping, value
        self.trace.append(TracePoint(self.spent(), value, None))
        if self.on_better is not None:
            self.on_better(self.outcome())
        return True

    def begin(self) -> None:
        """Try the fast flows."""
        for mapping in starts(self.target, self.until(STARTS_SHARE)):
            self.offer(mapping)
            busy = self._busiest(mapping)
            self.candidates.append((busy, _placed(mapping)))
        if self.best is not None:
            self.candidates.append((self._busiest(self.best), _placed(self.best)))
            self._schedule(_placed(self.best), STARTS_SHARE + SCHEDULE_SHARE)

    def _busiest(self, mapping: Mapping) -> float:
        graph, tile = self.target.graph(_placed(mapping)), mapping.binding.tile_of
        return float(np.bincount(tile, weights=graph.tau).max(initial=0))

    def _schedule(self, placed: Placed, end: float) -> None:
        """Give a placement orders, and another binding where its own cannot be scheduled well.

        Parameters
        ----------
        end : float
            Share of all time after which to stop.
        """
        mapping, graph = self.target.projected(placed)
        self.offer(mapping)
        if self.target.objective != "period":
            return
        half = (self.spent() / self.limits.wall_s + end) / 2
        if graph.num_clusters > MOST_PIPELINED:  # too many to be pipelined on any binding
            self._rebound(mapping, graph, self.until(half))
            self.offer(self.target.with_prologue(mapping, graph, self.until(end)))
            return
        self.offer(self.target.with_prologue(mapping, graph, self.until(half)))
        if self.value > self._busiest(mapping):
            self._rebound(mapping, graph, self.until(end))

    def _rebound(self, mapping: Mapping, graph: ClusterGraph, expired: Expired) -> None:
        """Climb from a balanced binding, then from the mapping's own."""
        for start in (None, mapping.binding):
            if not expired():
                with suppress(CapacityError):
                    self.offer(self.target.climbed(mapping, graph, start, expired))

    def improve(self) -> None:
        """Anneal round by round until the time is over."""
        snn, expired = self.target.snn, self.until(1 - KEPT_SHARE)
        if not self.candidates or isinstance(snn, ClusteredSNN) or not snn.num_synapses:
            return
        placed = min(self.candidates, key=lambda c: c[0])[1]
        if not room_for(snn, placed.clustering.num_clusters):
            return
        work = self._annealing(placed)
        length = max(LEAST_MOVES, MOVES_A_PIECE * int(work.state.total["pieces"][0]))
        best, least, number = copied(work.state), work.height(), 0
        begun = False  # the first round runs a little in any case: a warm-up compiles the kernels
        while not (begun and expired()) and self.moves_left > 0:
            begun = True
            restore(work.state, best)
            heat, norm = ROUNDS[number % len(ROUNDS)]
            self._round(work.at(norm), heat, length, expired)
            height = work.height()
            end = min(1 - KEPT_SHARE, self.spent() / self.limits.wall_s + SCHEDULE_SHARE)
            self._schedule(placed_of(snn, work.state, work.start), end)
            if height < least:
                best, least = copied(work.state), height
                continue
            number += 1
            if number % len(ROUNDS) == 0:
                length *= 2

    def _annealing(self, placed: Placed) -> _Annealing:
        snn, platform = self.target.snn, self.target.platform
        state = state_of(snn, platform, placed)
        twin = np.zeros(snn.num_neurons, dtype=np.int64)
        twin[snn.units] = twin_classes(snn).class_of
        shares = np.array(SHARES)
        if not placed.decomposition.num_inserted:
            shares[-NEED_SPLIT:] = 0
        shares = np.cumsum(shares / shares.sum())
        shares[-1] = 1.0
        goal = GOALS.get(self.target.objective, PERIOD)
        price = platform.energy
        weights = np.zeros(4)
        if goal == ENERGY:
            synapse = price.synapse_pj * platform.cells_per_synapse
            prices = (price.spike_pj, synapse, price.route_pj, price.local_pj)
            weights = np.array([float(x) for x in prices])
        return _Annealing(state, placed, twin, shares, goal, weights)

    def _round(self, work: _Annealing, heat: float, length: int, expired: Expired) -> None:
        """Anneal once, or as far as time and moves allow."""
        climb = mean_climb(work.state, self.rng, work.goal, work.weights, CLIMB_DRAWS)
        heats = climb * heat * np.array([1.0, COOLED])
        done, step = 0, FIRST_MOVES
        while done < length and self.moves_left > 0 and not (done and expired()):
            stop = int(min(length, done + step, done + self.moves_left))
            begun = self.clock()
            anneal(
                work.state,
                self.rng,
                work.twin,
                work.shares,
                work.goal,
                work.weights,
                heats,
                np.array([done, stop, length]),
            )
            self.moves_left -= stop - done
            done = stop
            factor = LOOK_S / max(self.clock() - begun, 1e-6)
            step = int(step * min(2.0, max(0.5, factor))) + 1
