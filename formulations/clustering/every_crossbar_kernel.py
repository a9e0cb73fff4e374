"""Kernels of every_crossbar.py: list all sets of units that fit one crossbar, and cover by some.

Both go on from where they stopped, so that whoever calls them can look at the clock between.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from optmap.compiled import borrowing, compiled
from optmap.model.snn import IntArray


class Units(NamedTuple):
    """What units read; sources are numbered, those that no unit reads left out.

    Parameters
    ----------
    first, source
        Sources of unit u: ``source[first[u] : first[u + 1]]``.
    own : (U,)
        The source that unit u is, -1 where nobody reads it.
    spikes : (S,)
    """

    first: IntArray
    source: IntArray
    own: IntArray
    spikes: IntArray


class Listing(NamedTuple):
    """Where a listing stands: the set at hand, unit by unit, and what may still join.

    Parameters
    ----------
    at : (2,)
        Units in the set at hand; sets listed.
    node : (depths,)
        By depth, the number of the set listed; -1 for the empty one.
    joins, num, next : (depths, U), (depths,), (depths,)
        By depth, units that may join, how many there are, and which is next.
    held : (S,)
        How many units of the set at hand read each source.
    inside : (S,)
        Whether each source is a unit of the set at hand.
    """

    at: IntArray
    node: IntArray
    joins: IntArray
    num: IntArray
    next: IntArray
    held: IntArray
    inside: npt.NDArray[np.bool_]


class Sets(NamedTuple):
    """The sets listed: each is the set ``parent`` (-1: empty) and ``unit``; its traffic."""

    parent: IntArray
    unit: IntArray
    traffic: IntArray


@borrowing
def _new_rows(u: int, units: Any, held: Any) -> int:
    rows = 0
    for p in range(units.first[u], units.first[u + 1]):
        rows += held[units.source[p]] == 0
    return rows


@borrowing
def _enter(u: int, units: Any, state: Any, sign: int) -> None:
    for p in range(units.first[u], units.first[u + 1]):
        state.held[units.source[p]] += sign
    if units.own[u] >= 0:
        state.inside[units.own[u]] = sign > 0


@borrowing
def _traffic(units: Any, state: Any) -> Any:
    total, rows = 0, 0
    for i in range(len(units.spikes)):
        if state.held[i] > 0:
            rows += 1
            if not state.inside[i]:
                total += units.spikes[i]
    return total, rows


@compiled
def list_sets(units: Any, rows: int, columns: int, state: Any, sets: Any, steps: int) -> int:
    """List on; return the steps that are left, 0 if they or the room for sets ran out.

    Every set that fits is listed once, its units in rising order. A unit that does not fit beside
    some of a set does not fit beside all of it, so that it is not tried again.
    """
    d, made = state.at[0], state.at[1]
    while d >= 0 and steps > 0 and made < len(sets.parent):
        if state.next[d] >= state.num[d] or d >= columns:
            if d > 0:
                _enter(sets.unit[state.node[d]], units, state, -1)
            d -= 1
            continue
        u = state.joins[d, state.next[d]]
        state.next[d] += 1
        _enter(u, units, state, 1)
        sets.parent[made], sets.unit[made] = state.node[d], u
        sets.traffic[made], used = _traffic(units, state)
        num = 0
        for j in range(state.next[d], state.num[d]):
            v = state.joins[d, j]
            if used + _new_rows(v, units, state.held) <= rows:
                state.joins[d + 1, num] = v
                num += 1
        steps -= len(units.spikes) + 8 * (state.num[d] - state.next[d])
        d += 1
        state.node[d], state.num[d], state.next[d] = made, num, 0
        made += 1
    state.at[0], state.at[1] = d, made
    return max(steps, 0) if d < 0 else 0


@compiled
def beyond(sets: Any, prices: IntArray, scale: int, out: IntArray) -> None:
    """Enter by how much the traffic of each set, times ``scale``, exceeds its units' prices."""
    for n in range(len(out)):
        p = sets.parent[n]
        traffic = sets.traffic[p] if p >= 0 else 0
        before = out[p] if p >= 0 else 0
        out[n] = before + scale * (sets.traffic[n] - traffic) - prices[sets.unit[n]]


class Crossbars(NamedTuple):
    """Crossbars a cover may use: units of each, what each is dearer than its prices, and by unit.

    Parameters
    ----------
    first, unit
        Units of crossbar c: ``unit[first[c] : first[c + 1]]``.
    dearer : (C,)
        Not below 0.
    first_of, of
        Crossbars of unit u, the least dear first: ``of[first_of[u] : first_of[u + 1]]``.
    """

    first: IntArray
    unit: IntArray
    dearer: IntArray
    first_of: IntArray
    of: IntArray


class Cover(NamedTuple):
    """Where a search for a cover stands, by depth.

    Parameters
    ----------
    at : (2,)
        Crossbars chosen; crossbars of the best cover, -1 before there is one.
    branch, next, chosen, spent : (depths,)
        By depth: the unit to be covered, its next crossbar, the one chosen, what all chosen before
        are dearer.
    covered : (U,)
    best : (depths,)
        The crossbars of the best cover.
    """

    at: IntArray
    branch: IntArray
    next: IntArray
    chosen: IntArray
    spent: IntArray
    covered: npt.NDArray[np.bool_]
    best: IntArray


@borrowing
def _is_free(c: int, bars: Any, covered: Any) -> bool:
    taken = 0
    for p in range(bars.first[c], bars.first[c + 1]):
        taken += covered[bars.unit[p]]
    return taken == 0


@borrowing
def _scarcest(left: int, bars: Any, covered: Any) -> Any:
    """Return the unit that the fewest free crossbars may cover, -1 for none left; their number."""
    fewest, scarcest = len(bars.dearer) + 1, -1
    for u in range(len(covered)):
        if covered[u]:
            continue
        num = 0
        for p in range(bars.first_of[u], bars.first_of[u + 1]):
            c = bars.of[p]
            if bars.dearer[c] > left or num >= fewest:
                break
            num += _is_free(c, bars, covered)
        if num < fewest:
            fewest, scarcest = num, u
    return scarcest, fewest


@borrowing
def _put(c: int, bars: Any, covered: Any, on: bool) -> None:
    for p in range(bars.first[c], bars.first[c + 1]):
        covered[bars.unit[p]] = on


@compiled
def cover(bars: Any, most: int, idle: int, allowed: int, state: Any, nodes: int) -> Any:
    """Search on for exact covers by at most ``most`` crossbars, always better ones.

    Parameters
    ----------
    idle : int
        What each crossbar below ``most`` costs more.
    allowed : int
        The most that crossbars and idle ones may be dearer together.

    Returns
    -------
    allowed : int
        One less than what the best cover found is.
    finished : bool
        Whether there is no better one.
    """
    d = state.at[0]
    while d >= 0 and nodes > 0:
        if state.branch[d] < 0:
            nodes -= 1
            u, num = _scarcest(allowed - state.spent[d], bars, state.covered)
            if u < 0 and state.spent[d] + idle * (most - d) <= allowed:
                allowed = state.spent[d] + idle * (most - d) - 1
                state.at[1] = d
                state.best[:d] = state.chosen[:d]
            if u >= 0 and num > 0 and d < most:
                state.branch[d], state.next[d] = u, bars.first_of[u]
            else:
                d -= 1
                if d >= 0:
                    _put(state.chosen[d], bars, state.covered, False)
                continue
        u = state.branch[d]
        chosen = -1
        while chosen < 0 and state.next[d] < bars.first_of[u + 1]:
            c = bars.of[state.next[d]]
            state.next[d] += 1
            if state.spent[d] + bars.dearer[c] > allowed:
                state.next[d] = bars.first_of[u + 1]
            elif _is_free(c, bars, state.covered):
                chosen = c
        if chosen < 0:
            state.branch[d] = -1
            d -= 1
            if d >= 0:
                _put(state.chosen[d], bars, state.covered, False)
            continue
        _put(chosen, bars, state.covered, True)
        state.chosen[d] = chosen
        state.spent[d + 1] = state.spent[d] + bars.dearer[chosen]
        state.branch[d + 1] = -1
        d += 1
    state.at[0] = d
    return allowed, d < 0
