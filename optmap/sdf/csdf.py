"""Cyclo-static dataflow: rates and times that change from firing to firing, and back again.

Actor a goes through phases 1..P, over and over; phase k takes and gives what its place in each rate
list says. Phases before a semicolon happen once, before the others. A graph of several phases is
expanded exactly into one of single rates: every firing of an iteration is an actor, and firing j of
a consumer waits for the first firing of the producer after which the tokens of its first j firings
are there (Bilsen et al., "Cyclo-static dataflow", 1996). Everything known of synchronous graphs
then holds for it, by every algorithm here.

An actor of several phases fires one phase after the other, never two at a time, as in Kiter and as
the order of phases asks for; one of a single phase overlaps itself as in SDF3, unless a self-loop
limits it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

import numpy as np

from optmap.sdf.graph import SDFG

#: Firings of one iteration beyond which an expansion is refused.
MAX_FIRINGS = 200_000


@dataclass(frozen=True)
class Phases:
    """Numbers of the phases that happen once, and of those that repeat."""

    once: tuple[int, ...]
    cycle: tuple[int, ...]

    def repeated(self, once: int, cycle: int) -> Phases:
        """Return the same numbers for ``once`` and ``cycle`` phases, repeating the cycle."""
        first = [self.at(k) for k in range(once)]
        return Phases(tuple(first), tuple(self.at(once + k) for k in range(cycle)))

    def at(self, phase: int) -> int:
        """Return the number of the phase of that index, from 0."""
        if phase < len(self.once):
            return self.once[phase]
        return self.cycle[(phase - len(self.once)) % len(self.cycle)]


@dataclass(frozen=True)
class Channel:
    """A channel between actors, by index, with rates of phases and initial tokens."""

    name: str
    source: int
    target: int
    production: Phases
    consumption: Phases
    tokens: int


@dataclass(frozen=True)
class CSDFG:
    """A cyclo-static graph: names, ticks of every phase, channels."""

    name: str
    actors: tuple[str, ...]
    times: tuple[Phases, ...]
    channels: tuple[Channel, ...]
    ticks_per_unit: int = 1

    def lengths(self) -> list[tuple[int, int]]:
        """Return for each actor how many phases happen once, and how many repeat."""
        lists: list[list[Phases]] = [[time] for time in self.times]
        for channel in self.channels:
            lists[channel.source].append(channel.production)
            lists[channel.target].append(channel.consumption)
        return [(max(len(p.once) for p in own), lcm(*(len(p.cycle) for p in own))) for own in lists]


def to_sdf(graph: CSDFG, *, overlap: bool = True) -> SDFG:
    """Return the graph as a synchronous one.

    One of single phases keeps its actors. Of any other, actor ``A.k`` is the k-th firing of A in an
    iteration; all rates are 1. ``overlap``: an actor of a single phase may overlap itself.

    Raises
    ------
    ValueError
        If the rates do not balance, an iteration has too many firings, or the phases that happen
        once can never all fire.
    """
    lengths = graph.lengths()
    if all(shape == (0, 1) for shape in lengths):
        return _single(graph)
    channels = [
        (c, c.production.repeated(*lengths[c.source]), c.consumption.repeated(*lengths[c.target]))
        for c in graph.channels
    ]
    _refuse_stuck(graph, lengths, channels)
    cycles = _repetitions(graph, channels)
    firings = [n * cycle for n, (_, cycle) in zip(cycles, lengths, strict=True)]
    if sum(firings) > MAX_FIRINGS:
        raise ValueError(f"{sum(firings)} firings in an iteration, at most {MAX_FIRINGS}")
    first = np.concatenate(([0], np.cumsum(firings)))
    names = [f"{name}.{k + 1}" for name, n in zip(graph.actors, firings, strict=True)
             for k in range(n)]  # fmt: skip
    times = [time.repeated(*shape).at(shape[0] + k)
             for time, shape, n in zip(graph.times, lengths, firings, strict=True)
             for k in range(n)]  # fmt: skip
    edges: dict[tuple[int, int], int] = {}
    for channel, production, consumption in channels:
        a, b = channel.source, channel.target
        marking = channel.tokens + sum(production.once) - sum(consumption.once)
        for k, j, tokens in _waits(production, consumption, firings[a], firings[b], marking):
            key = int(first[a]) + k, int(first[b]) + j
            edges[key] = min(tokens, edges.get(key, tokens))
    for a, (shape, n) in enumerate(zip(lengths, firings, strict=True)):
        for k in range(n if shape != (0, 1) or not overlap else 0):
            key = int(first[a]) + k, int(first[a]) + (k + 1) % n
            edges[key] = min(int(k + 1 == n), edges.get(key, 1))
    return _unit_rates(graph, names, times, _retimed(len(names), edges))


def _retimed(firings: int, edges: dict[tuple[int, int], int]) -> dict[tuple[int, int], int]:
    """Return the same graph without negative tokens, every cycle with as many as before.

    The phases that happen once may leave a consumer ahead of its producer; numbering its firings
    from a later one moves tokens along its channels. Shortest paths (Bellman and Ford) tell by how
    many; a cycle of less than no tokens is a deadlock.
    """
    ahead = [0] * firings
    changed = min(edges.values(), default=0) < 0
    for _ in range(firings + 1):
        if not changed:
            return {(a, b): tokens + ahead[a] - ahead[b] for (a, b), tokens in edges.items()}
        changed = False
        for (a, b), tokens in edges.items():
            if ahead[a] + tokens < ahead[b]:
                ahead[b], changed = ahead[a] + tokens, True
    raise ValueError("deadlock once the first phases have fired")


def _unit_rates(
    graph: CSDFG, names: list[str], times: list[int], edges: dict[tuple[int, int], int]
) -> SDFG:
    ones = np.ones(len(edges), dtype=np.int64)
    return SDFG(
        names,
        np.array(times, dtype=np.int64),
        [f"{names[s]}>{names[t]}" for s, t in edges],
        np.array([s for s, _ in edges], dtype=np.int32),
        np.array([t for _, t in edges], dtype=np.int32),
        ones,
        ones,
        np.array(list(edges.values()), dtype=np.int64),
        ticks_per_unit=graph.ticks_per_unit,
        name=graph.name,
    )


def _single(graph: CSDFG) -> SDFG:
    """Return a graph of single phases as it is."""
    c = graph.channels
    return SDFG(
        graph.actors,
        np.array([time.at(0) for time in graph.times], dtype=np.int64),
        [x.name for x in c],
        np.array([x.source for x in c], dtype=np.int32),
        np.array([x.target for x in c], dtype=np.int32),
        np.array([x.production.at(0) for x in c], dtype=np.int64),
        np.array([x.consumption.at(0) for x in c], dtype=np.int64),
        np.array([x.tokens for x in c], dtype=np.int64),
        ticks_per_unit=graph.ticks_per_unit,
        name=graph.name,
    )


def _repetitions(graph: CSDFG, channels: Sequence[tuple[Channel, Phases, Phases]]) -> list[int]:
    """Return how often each actor goes through its phases in an iteration, the smallest numbers."""
    n = len(graph.actors)
    share: list[Fraction | None] = [None] * n
    beside: list[list[tuple[int, Fraction]]] = [[] for _ in range(n)]
    for channel, production, consumption in channels:
        made, taken = sum(production.cycle), sum(consumption.cycle)
        if not made or not taken:
            raise ValueError(f"channel {channel.name!r}: a cycle of phases without a token")
        beside[channel.source].append((channel.target, Fraction(made, taken)))
        beside[channel.target].append((channel.source, Fraction(taken, made)))
    repetitions = [0] * n
    for start in range(n):
        if share[start] is not None:
            continue
        share[start], stack, part = Fraction(1), [start], [start]
        while stack:
            here = stack.pop()
            for other, ratio in beside[here]:
                wanted = (share[here] or Fraction(0)) * ratio
                if share[other] is None:
                    share[other] = wanted
                    stack.append(other)
                    part.append(other)
                elif share[other] != wanted:
                    raise ValueError(f"rates do not balance at actor {graph.actors[other]!r}")
        shares = [share[a] or Fraction(0) for a in part]
        scale = Fraction(lcm(*(s.denominator for s in shares)))
        common = gcd(*(int(s * scale) for s in shares))
        for a, s in zip(part, shares, strict=True):
            repetitions[a] = int(s * scale) // common
    return repetitions


def _waits(
    production: Phases, consumption: Phases, makers: int, takers: int, marking: int
) -> list[tuple[int, int, int]]:
    """Return (firing of the producer, firing of the consumer, tokens) of every wait."""
    made = np.cumsum([production.at(len(production.once) + k) for k in range(makers)])
    taken = [consumption.at(len(consumption.once) + j) for j in range(takers)]
    total, so_far = int(made[-1]), 0
    waits = []
    for j, count in enumerate(taken):
        so_far += count
        if not count:
            continue
        iteration = -(-(so_far - marking) // total) - 1
        k = int(np.searchsorted(made, so_far - marking - iteration * total))
        waits.append((k, j, -iteration))
    return waits


def _refuse_stuck(
    graph: CSDFG,
    lengths: Sequence[tuple[int, int]],
    channels: Sequence[tuple[Channel, Phases, Phases]],
) -> None:
    """Raise ValueError if the phases that happen once can never all fire."""
    marking = [c.tokens for c in graph.channels]
    fired = [0] * len(graph.actors)
    into: list[list[int]] = [[] for _ in graph.actors]
    out: list[list[int]] = [[] for _ in graph.actors]
    for i, c in enumerate(graph.channels):
        into[c.target].append(i)
        out[c.source].append(i)
    open_ = {a for a, (once, _) in enumerate(lengths) if once}
    budget = 100 * sum(once + cycle for once, cycle in lengths)
    moving = True
    while open_ and moving:
        moving = False
        for a in range(len(fired)):
            if budget <= 0:
                raise ValueError("phases that happen once, too many firings before them")
            if any(marking[i] < channels[i][2].at(fired[a]) for i in into[a]):
                continue
            if a not in open_ and fired[a] >= 4 * sum(lengths[a]):
                continue
            for i in into[a]:
                marking[i] -= channels[i][2].at(fired[a])
            for i in out[a]:
                marking[i] += channels[i][1].at(fired[a])
            fired[a] += 1
            budget -= 1
            moving = True
            if fired[a] >= lengths[a][0]:
                open_.discard(a)
    if open_:
        names = ", ".join(graph.actors[a] for a in sorted(open_))
        raise ValueError(f"deadlock before the first phases of {names} have fired")
