"""A state of the search over all decisions, with what annealing minimises and moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from optmap.clock import did, now
from optmap.clustering.kernels.twins import twin_classes
from optmap.whole.convert import MANY, Placed, state_of
from optmap.whole.kernels.anneal import (
    CHAIN,
    ENERGY,
    FEWEST,
    PERIOD,
    SPREAD,
    TRAFFIC_GOAL,
    anneal,
    cost,
    mean_climb,
)
from optmap.whole.kernels.state import State, copied, restore
from optmap.whole.target import Target

#: Objective -> what annealing minimises.
GOALS = {
    "period": PERIOD,
    "traffic": TRAFFIC_GOAL,
    "energy_pj": ENERGY,
    "multicast_hops": ENERGY,  # of hops alone
    "clusters": FEWEST,
}
#: Shares of the moves, in the order of :mod:`optmap.whole.kernels.anneal`; four are for
#: neurons that were split.
SHARES = (40.0, 20.0, 20.0, 10.0, 5.0, 0.5, 0.5, 2.0, 20.0, 20.0, 3.0, 2.0, 0.0)
NEED_SPLIT = slice(CHAIN + 1, SPREAD)
#: Up to so many units chains are cheap, and get this share: they lead where no single move fits.
MOST_CHAINED, CHAIN_SHARE = 1_000, 10.0
#: The same where clusters are to be spread over tiles that stand empty: move, merge, split them.
SPREADING = (0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0)
#: Norms that judge a state: close to the largest, and one that knows the others too.
SHARPEST, SOFTEST = 10, 3
#: Moves of that, and the power of the norm they lower, 2 to this.
SPREADING_MOVES, SPREADING_NORM = 1000, 4
#: A temperature at which nothing climbs, in mean climbs.
COLD = 1e-9
#: Temperature when a round ends, as a share of that when it begins; draws for the mean climb.
COOLED, CLIMB_DRAWS = 0.05, 2000
#: Seconds between looks at the clock, moves before the first, moves counted as a unit of work.
LOOK_S, FIRST_MOVES, MOVES_A_UNIT = 0.2, 200, 500_000


@dataclass(frozen=True, slots=True)
class Annealing:
    """A state with what its annealing needs."""

    state: State
    start: Placed
    twin: Any
    shares: Any
    goal: int
    weights: Any

    def at(self, norm: int) -> Annealing:
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


def _most_spikes(target: Target) -> int:
    """Return what the buffers of a channel hold in one iteration; recurrences are not looked at."""
    held = target.platform.buffer_tokens
    return MANY if held is None else held // (2 if target.tokens == "pipelined" else 1)


def annealing_of(target: Target, placed: Placed) -> Annealing:
    """Return the state of a placement, with goal, prices and shares of moves for a target."""
    snn = target.snn
    twin = np.zeros(snn.num_neurons, dtype=np.int64)
    twin[snn.units] = twin_classes(snn).class_of
    shares = np.array(SHARES)
    if not placed.decomposition.num_inserted:
        shares[NEED_SPLIT] = 0
    if snn.num_units <= MOST_CHAINED:
        shares[CHAIN] = CHAIN_SHARE
    goal = GOALS.get(target.objective, PERIOD)
    state = state_of(snn, target.platform, placed, _most_spikes(target))
    return Annealing(state, placed, twin, _cumulative(shares), goal, target.prices())


def _cumulative(shares: Any) -> Any:
    added = np.cumsum(shares / shares.sum())
    added[-1] = 1.0
    return added


def annealed(
    work: Annealing,
    rng: np.random.Generator,
    heat: float,
    length: int,
    expired: Callable[[], bool],
) -> float:
    """Anneal a state once, or as far as time and moves allow; return the moves a second.

    Parameters
    ----------
    heat : float
        First temperature, in mean climbs; at 0 nothing that costs more is accepted.
    length : int
        Moves; a few are made in any case.
    """
    climb = mean_climb(work.state, rng, work.goal, work.weights, CLIMB_DRAWS)
    heats = climb * max(heat, COLD) * np.array([1.0, COOLED])
    done, step, first = 0, FIRST_MOVES, now()
    while done < length and not (done and expired()):
        stop, begun = min(length, done + step), now()
        part = np.array([done, stop, length])
        anneal(work.state, rng, work.twin, work.shares, work.goal, work.weights, heats, part)
        did((stop - done) / MOVES_A_UNIT)
        done = stop
        factor = LOOK_S / max(now() - begun, 1e-6)
        step = int(step * min(2.0, max(0.5, factor))) + 1
    return done / max(now() - first, 1e-6)


def spread_out(work: Annealing, rng: np.random.Generator, expired: Callable[[], bool]) -> bool:
    """Spread busy clusters over tiles that stand empty; tell whether the period's floor is lower.

    In the rounds of annealing any piece may fill such a tile first, and then it is taken.
    """
    if work.goal != PERIOD or len(work.state.tiles) < 2:
        return False
    before, height = copied(work.state), work.height()
    round_ = replace(work.at(SPREADING_NORM), shares=_cumulative(np.array(SPREADING)))
    annealed(round_, rng, 0.0, SPREADING_MOVES, expired)
    if work.height() < height:
        return True
    restore(work.state, before)
    return False
