"""Tells whether the phases that happen once can all fire."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from optmap.sdf.phases import MAX_FIRINGS, Channel, Phases


def stuck_actors(
    num_actors: int, once: Sequence[int], channels: Sequence[tuple[Channel, Phases, Phases]]
) -> set[int]:
    """Return the actors whose first phases can never all fire; empty where all can.

    Actors fire only as often as somebody's first phases need: what they want of their channels says
    how often the producers have to fire, and so on back along the channels. Untimed execution of
    dataflow has one outcome, whatever the order: an actor that cannot fire then never can.

    Parameters
    ----------
    once : (A,) sequence of int
        How many phases of each actor happen once.
    channels : sequence of (channel, production, consumption)
        Rates with as many phases as their actors have.

    Raises
    ------
    ValueError
        If more than MAX_FIRINGS firings come before the first phases are over.
    """
    into: list[list[int]] = [[] for _ in range(num_actors)]
    out: list[list[int]] = [[] for _ in range(num_actors)]
    for i, (c, _, _) in enumerate(channels):
        into[c.target].append(i)
        out[c.source].append(i)
    marking = [c.tokens for c, _, _ in channels]
    fired, wanted, firings = [0] * num_actors, list(once), 0
    waiting = {a for a in range(num_actors) if once[a]}
    while waiting:
        a = waiting.pop()
        if fired[a] >= wanted[a]:
            continue  # looked at again where more of it is wanted
        lacking = [i for i in into[a] if marking[i] < channels[i][2].at(fired[a])]
        for i in lacking:
            channel, made, taken = channels[i]
            b = channel.source
            needed = firings_for(made, fired[b], taken.at(fired[a]) - marking[i])
            if fired[b] + needed > wanted[b]:
                wanted[b] = fired[b] + needed
                waiting.add(b)
        if lacking:
            continue  # looked at again when tokens arrive
        for i in into[a]:
            marking[i] -= channels[i][2].at(fired[a])
        for i in out[a]:
            marking[i] += channels[i][1].at(fired[a])
            waiting.add(channels[i][0].target)
        fired[a] += 1
        firings += 1
        if firings > MAX_FIRINGS:
            raise ValueError(
                f"more than {MAX_FIRINGS} firings before the phases that happen once are over"
            )
        waiting.add(a)
    return {a for a in range(num_actors) if fired[a] < once[a]}


def firings_for(made: Phases, fired: int, tokens: int) -> int:
    """Return how many firings, after ``fired``, make so many tokens; the cycle makes some."""
    rest = list(accumulate(made.once[fired:]))
    if rest and rest[-1] >= tokens:
        return bisect_left(rest, tokens) + 1
    tokens -= rest[-1] if rest else 0
    place = max(0, fired - len(made.once)) % len(made.cycle)
    turn = list(accumulate((*made.cycle[place:], *made.cycle[:place])))
    turns = max(0, -(-tokens // turn[-1]) - 1)
    return len(rest) + turns * len(turn) + bisect_left(turn, tokens - turns * turn[-1]) + 1
