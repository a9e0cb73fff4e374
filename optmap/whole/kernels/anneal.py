"""Simulated annealing over all moves; what a move costs is known before or just after it.

Moves of one piece, the most frequent, are weighed before they are made: rows, columns and ticks of
the two clusters are enough to refuse nearly all of those that do not please.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from optmap.compiled import borrowing, compiled
from optmap.whole.kernels.chain import chain, rows_of
from optmap.whole.kernels.changes import take_back
from optmap.whole.kernels.moves import (
    alike,
    draw_exchange,
    drawn,
    exchange,
    exchange_rows,
    merge,
    move_cluster,
    new_piece,
    push_source,
    shift_source,
    split,
    spread,
)

#: The moves, in the order of ``shares``.
(
    ONE,
    TWINS,
    SWAP,
    SWAP_TWINS,
    CLUSTER,
    MERGE,
    SPLIT,
    CHAIN,
    SHIFT,
    EXCHANGE,
    PUSH,
    INSERT,
    SPREAD,
) = range(13)
NUM_MOVES = 13

#: How often only some of the twins in a cluster move.
PART_OF_TWINS = 0.3

PERIOD, TRAFFIC_GOAL, ENERGY, FEWEST = range(4)


@borrowing
def cost(st: Any, goal: int, weights: Any) -> Any:
    """Return what the search minimises.

    Parameters
    ----------
    goal : int
        PERIOD: norm of the ticks of all tiles and interfaces, close to the largest; the others as
        the judge counts them, clusters with a share of a cluster for how unevenly they are filled.
    weights : (4,) float array
        For PERIOD the logarithm to base 2 of the norm's power; for ENERGY picojoules per inserted
        spike, event, hop, local
        delivery.
    """
    if goal == PERIOD:
        most = 1.0
        for t in range(len(st.tiles)):
            switch = st.costs[0].switch * st.tiles[t].held if st.tiles[t].held > 1 else 0
            most = max(most, float(st.tiles[t].ticks + switch), float(st.tiles[t].sends))
        total = 0.0
        for t in range(len(st.tiles)):
            switch = st.costs[0].switch * st.tiles[t].held if st.tiles[t].held > 1 else 0
            x, y = (st.tiles[t].ticks + switch) / most, st.tiles[t].sends / most
            for _ in range(int(weights[0])):
                x *= x
                y *= y
            total += x + y
        return most * total ** (1 / 2 ** weights[0])
    if goal == TRAFFIC_GOAL:
        return float(st.total[0].traffic)
    if goal == ENERGY:
        return (
            weights[0] * st.total[0].inserted
            + weights[1] * st.total[0].events
            + weights[2] * st.total[0].hops
            + weights[3] * st.total[0].local
        )
    uneven = 0.0
    for k in range(len(st.clusters)):
        uneven += st.clusters[k].size * st.clusters[k].size
    columns = st.members.shape[1]
    return st.total[0].clusters + 1 - uneven / (columns * columns * len(st.clusters))


@borrowing
def _forecast(st: Any, here: Any, k: int, there: Any, goal: int, weights: Any) -> Any:
    """Return the cost after an exchange, sends as they were; infinite where rows do not suffice.

    Other goals than the period are not forecast: -inf lets the exchange be made.
    """
    p, m, n = here[0], len(here), len(there)
    q = there[0] if n else -1
    old = st.piece[p].cluster
    for_k, for_old = st.clusters[k].size + m - n, st.clusters[old].size + n - m
    v, t = st.clusters[k].tile, st.clusters[old].tile
    if for_k > st.tiles[v].columns or for_old > st.tiles[t].columns:
        return np.inf
    rows, on = rows_of(st, p, q, k, m, True)
    rows += st.clusters[k].rows
    if n == 0 and rows > st.tiles[v].rows:
        return np.inf
    off = rows_of(st, p, q, old, m, False)[1]
    if n:
        gone, quiet = rows_of(st, q, p, k, n, False)
        if rows - gone > st.tiles[v].rows:
            return np.inf
        on -= quiet
        off -= rows_of(st, q, p, old, n, True)[1]
    if goal != PERIOD:
        return -np.inf
    on, off = on * st.costs[0].event, off * st.costs[0].event
    if for_old == 0:
        off += st.costs[0].base
    if st.clusters[k].size == 0:
        on += st.costs[0].base
    st.tiles[t].ticks -= off
    st.tiles[v].ticks += on
    after = cost(st, goal, weights)
    st.tiles[t].ticks += off
    st.tiles[v].ticks -= on
    return after


@compiled
def _exchange_below(
    st: Any, rng: Any, move: int, twin: Any, goal: int, weights: Any, limit: float
) -> Any:
    """Make a move or swap of pieces unless it is known to cost more than ``limit``."""
    p, k, q = draw_exchange(st, rng, move in (SWAP, SWAP_TWINS))
    if k < 0:
        return False
    old = st.piece[p].cluster
    here, there = np.full(1, p, dtype=np.int64), np.full(1, q, dtype=np.int64)
    if move in (TWINS, SWAP_TWINS):
        here = alike(st, twin, p, old)
        if q >= 0:
            there = alike(st, twin, q, k)
        elif rng.random() < PART_OF_TWINS:
            here = here[: 1 + drawn(rng, len(here))]
    if q < 0:
        there = here[:0]
    most = st.members.shape[1] - 1
    if st.clusters[k].size + max(0, len(here) - len(there)) > most:
        return False
    if st.clusters[old].size + max(0, len(there) - len(here)) > most:
        return False
    if _forecast(st, here, k, there, goal, weights) > limit:
        return False
    exchange(st, here, k, there, old)
    return True


@compiled
def _make(st: Any, rng: Any, move: int) -> Any:
    """Make one move of another kind."""
    if move == CLUSTER:
        return move_cluster(st, rng)
    if move == MERGE:
        return merge(st, rng)
    if move == SPLIT:
        return split(st, rng)
    if move == CHAIN:
        return chain(st, rng)
    if move == SHIFT:
        return shift_source(st, rng)
    if move == EXCHANGE:
        return exchange_rows(st, rng)
    if move == PUSH:
        return push_source(st, rng)
    if move == INSERT:
        return new_piece(st, rng)
    return spread(st, rng)


@compiled
def anneal(
    st: Any, rng: Any, twin: Any, shares: Any, goal: int, weights: Any, heat: Any, steps: Any
) -> Any:
    """Make moves; the state is left as the last one accepted leaves it.

    Parameters
    ----------
    twin : (N,) int array
        Neurons that read the same have the same number.
    shares : (NUM_MOVES,) float array
        Cumulative shares of the moves, the last is 1.
    heat : (2,) float array
        Temperatures at the beginning and at the end of all steps.
    steps : (3,) int array
        The first step to make now, the step to stop before, and how many there are in all.

    Returns
    -------
    (NUM_MOVES, 2) int array
        Of each kind: moves tried and accepted.
    """
    done = np.zeros((NUM_MOVES, 2), dtype=np.int64)
    now = cost(st, goal, weights)
    for step in range(steps[0], steps[1]):
        temperature = heat[0] * (heat[1] / heat[0]) ** (step / steps[2])
        limit = now - temperature * np.log(1.0 - rng.random())
        st.total[0].logged = 0
        draw, move = rng.random(), 0
        while draw >= shares[move]:
            move += 1
        done[move, 0] += 1
        if move <= SWAP_TWINS:
            made = _exchange_below(st, rng, move, twin, goal, weights, limit)
        else:
            made = _make(st, rng, move)
        after = cost(st, goal, weights) if made and st.total[0].excess == 0 else np.inf
        if after <= limit:
            done[move, 1] += 1
            now = after
        else:
            take_back(st, 0)
    return done


@compiled
def mean_climb(st: Any, rng: Any, goal: int, weights: Any, draws: int) -> Any:
    """Return the mean by which moves and swaps of single pieces that fit raise the cost."""
    now, total, found = cost(st, goal, weights), 0.0, 0
    for _ in range(draws):
        st.total[0].logged = 0
        p, k, q = draw_exchange(st, rng, rng.random() < 0.5)
        if k >= 0:
            old = st.piece[p].cluster
            here, there = np.full(1, p, dtype=np.int64), np.full(1, q, dtype=np.int64)
            if q < 0:
                there = there[:0]
            if _forecast(st, here, k, there, goal, weights) < np.inf:
                exchange(st, here, k, there, old)
                after = cost(st, goal, weights)
                if st.total[0].excess == 0 and after > now:
                    total += after - now
                    found += 1
        take_back(st, 0)
    return total / found if found else 1.0
