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

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from math import gcd, lcm

import numpy as np

from optmap.errors import DeadlockError
from optmap.sdf.cycle_ratio import retimed
from optmap.sdf.first_phases import stuck_actors
from optmap.sdf.graph import LARGEST, SDFG
from optmap.sdf.marked_graph import MarkedGraph
from optmap.sdf.phases import CSDFG, MAX_FIRINGS, Channel, Phases


def to_sdf(graph: CSDFG, *, overlap: bool = True) -> SDFG:
    """Return the graph as a synchronous one.

    One of single phases keeps its actors. Of any other, actor ``A.k`` is the k-th firing of A in an
    iteration; all rates are 1. ``overlap``: an actor of a single phase may overlap itself.

    Where the rates do not balance, neither do those of the graph returned: A's are the sums over
    its phases. Where the phases that happen once can never all fire, the firings of their actors
    wait for each other in the graph returned: both deadlock.

    Raises
    ------
    ValueError
        If there are too many phases, an iteration has too many firings, or too many of them come
        before the phases that happen once have fired.
    """
    lengths = graph.lengths()
    if all(shape == (0, 1) for shape in lengths):
        return _single(graph)
    if sum(once + cycle for once, cycle in lengths) > MAX_FIRINGS:
        raise ValueError(f"more than {MAX_FIRINGS} phases, each list repeated to a common length")
    channels = [
        (c, c.production.repeated(*lengths[c.source]), c.consumption.repeated(*lengths[c.target]))
        for c in graph.channels
    ]
    cycles = _repetitions(graph, channels)
    if cycles is None:
        return _summed(graph, channels)
    firings = [n * cycle for n, (_, cycle) in zip(cycles, lengths, strict=True)]
    if sum(firings) > MAX_FIRINGS:
        raise ValueError(f"{sum(firings)} firings in an iteration, at most {MAX_FIRINGS}")
    stuck = stuck_actors(len(graph.actors), [once for once, _ in lengths], channels)
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
            edges[key] = min(int(k + 1 == n and a not in stuck), edges.get(key, 1))
    return _unit_rates(graph, names, times, _retimed(len(names), edges))


def _retimed(num_firings: int, edges: dict[tuple[int, int], int]) -> dict[tuple[int, int], int]:
    """Return the same graph without negative tokens, every cycle with as many as before.

    The phases that happen once may leave a consumer ahead of its producer; numbering its firings
    from a later one moves tokens along its channels. A cycle of less than no tokens is a deadlock;
    it is returned with none on every edge, and so is whatever else would stay below zero.
    """
    source, target = (np.array(ends, dtype=np.int32) for ends in zip(*edges, strict=True))
    tokens = np.array(list(edges.values()), dtype=np.int64)
    marked = MarkedGraph(num_firings, source, target, np.zeros(len(edges), dtype=np.int64), tokens)
    try:
        tokens = retimed(marked)
    except DeadlockError as error:
        tokens = np.maximum(tokens, 0)
        tokens[list(error.cycle)] = 0
    return dict(zip(edges, tokens.tolist(), strict=True))


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
    rates = [(c.production.at(0), c.consumption.at(0)) for c in graph.channels]
    return _with_rates(graph, [time.at(0) for time in graph.times], rates)


def _summed(graph: CSDFG, channels: Sequence[tuple[Channel, Phases, Phases]]) -> SDFG:
    """Return actors that fire all phases at once: as little balanced as the graph is."""
    rates = [(sum(made.cycle), sum(taken.cycle)) for _, made, taken in channels]
    if max(map(max, rates)) > LARGEST:
        raise ValueError(f"rates do not balance, and those of all phases are above {LARGEST}")
    return _with_rates(graph, [0] * len(graph.actors), rates)


def _with_rates(graph: CSDFG, times: list[int], rates: Sequence[tuple[int, int]]) -> SDFG:
    c = graph.channels
    return SDFG(
        graph.actors,
        np.array(times, dtype=np.int64),
        [x.name for x in c],
        np.array([x.source for x in c], dtype=np.int32),
        np.array([x.target for x in c], dtype=np.int32),
        np.array([made for made, _ in rates], dtype=np.int64),
        np.array([taken for _, taken in rates], dtype=np.int64),
        np.array([x.tokens for x in c], dtype=np.int64),
        ticks_per_unit=graph.ticks_per_unit,
        name=graph.name,
    )


def _repetitions(
    graph: CSDFG, channels: Sequence[tuple[Channel, Phases, Phases]]
) -> list[int] | None:
    """Return how often each actor goes through its phases in an iteration, the smallest numbers.

    None where the rates do not balance.
    """
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
                    return None
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
    made = list(accumulate(production.at(len(production.once) + k) for k in range(makers)))
    taken = [consumption.at(len(consumption.once) + j) for j in range(takers)]
    total, so_far = made[-1], 0
    waits = []
    for j, count in enumerate(taken):
        so_far += count
        if not count:
            continue
        iteration = -(-(so_far - marking) // total) - 1
        k = bisect_left(made, so_far - marking - iteration * total)
        waits.append((k, j, -iteration))
    return waits
