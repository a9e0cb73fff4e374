"""Latency from one actor to another, as SDF3 defines and computes it.

Firing n of ``source`` (from 0) corresponds to firing n of an *iteration* of ``target`` shifted by
the offset K: ``target`` can end ``distance`` firings without ``source`` ever firing; the
corresponding firing is the last one of the iteration in which the next one falls,
K = (distance - distance mod q) + q - 1 with q the repetitions of the target.

- *Self-timed latency*: maximum over all iterations i of the end of target firing q(target) i + K
  minus the start of source firing q(source) i, in self-timed execution.
- *Minimal latency*: everything that does not need the source has run already; then the source may
  fire one iteration's worth at once and only the firings that target firing K needs are executed,
  each as soon as it can.
- *Single-processor minimal latency*: the same firings one after another.

References
----------
.. [1] A. Ghamarian, S. Stuijk, T. Basten, M. Geilen, B. Theelen, "Latency minimization for
       synchronous data flow graphs", DSD 2007.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

from optmap.sdf.graph import SDFG
from optmap.sdf.parts import is_strongly_connected
from optmap.sdf.repetition import repetition_vector
from optmap.sdf.selftimed import MOST_FIRINGS, SelfTimed


class NoLatencyError(ValueError):
    """Latency is not defined: the graph is not strongly connected, or it deadlocks."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Latencies between two actors, in time units of the graph's file.

    Parameters
    ----------
    self_timed, minimal, single_processor : Fraction
        As the module defines them.
    offset : int
        K, the target's firing that corresponds to the source's firing 0.
    """

    self_timed: Fraction
    minimal: Fraction
    single_processor: Fraction
    offset: int


def latency(graph: SDFG, source: int, target: int, *, most_firings: int = MOST_FIRINGS) -> Latency:
    """Return the latencies from ``source`` to ``target``.

    Raises
    ------
    NoLatencyError
        If the graph is not strongly connected or deadlocks.
    InconsistentError, TooLongError
        If it has no iteration, or its state does not recur in ``most_firings`` firings.

    Examples
    --------
    >>> from optmap.sdf.graph import sdfg
    >>> pipeline = sdfg([("A", 2), ("B", 3)], [("A", "B", 1, 1, 0), ("B", "A", 1, 1, 2)])
    >>> result = latency(pipeline, 0, 1)
    >>> str(result.self_timed), str(result.minimal), result.offset
    ('5', '5', 0)
    """
    if not is_strongly_connected(graph):
        raise NoLatencyError("latency needs a strongly connected graph")
    repetitions = repetition_vector(graph)
    before = _firings_without(graph, source)
    distance = before[target]
    q = repetitions[target]
    offset = distance - distance % q + q - 1
    minimal, work = _minimal(graph, repetitions, before, source, target, offset)
    slowest = _self_timed(graph, repetitions, source, target, offset, most_firings)
    return Latency(graph.units(slowest), graph.units(minimal), graph.units(work), offset)


def _firings_without(graph: SDFG, blocked: int) -> list[int]:
    """Return how often each actor of a strongly connected graph can fire if one never does."""
    fired = [0] * graph.num_actors
    into = _channels(graph, into=True)
    out = _channels(graph, into=False)
    waiting = deque(a for a in range(graph.num_actors) if a != blocked)
    while waiting:
        a = waiting.popleft()
        # Tokens on a self-loop return, so only firings of other actors bound this one; with too
        # few tokens for one firing it never starts.
        bounds = []
        for source, production, consumption, tokens in into[a]:
            if source != a:
                bounds.append((tokens + production * fired[source]) // consumption)
            elif tokens < consumption:
                bounds.append(0)
        most = min(bounds)
        if most > fired[a]:
            fired[a] = most
            waiting.extend(b for b, *_ in out[a] if b not in (blocked, a))
    return fired


def _channels(graph: SDFG, *, into: bool) -> list[list[tuple[int, int, int, int]]]:
    """Return (other end, production, consumption, tokens) of the channels into or out of actors."""
    near, far = (graph.target, graph.source) if into else (graph.source, graph.target)
    lists: list[list[tuple[int, int, int, int]]] = [[] for _ in range(graph.num_actors)]
    rows = zip(
        near.tolist(),
        far.tolist(),
        graph.production.tolist(),
        graph.consumption.tolist(),
        graph.tokens.tolist(),
        strict=True,
    )
    for a, b, production, consumption, tokens in rows:
        lists[a].append((b, production, consumption, tokens))
    return lists


def _minimal(
    graph: SDFG,
    repetitions: list[int],
    before: list[int],
    source: int,
    target: int,
    offset: int,
) -> tuple[int, int]:
    """Return (minimal latency, total work) in ticks of the firings target firing K needs."""
    into = _channels(graph, into=True)
    out = _channels(graph, into=False)
    needed = list(before)
    needed[target] = offset + 1
    waiting = deque([target])
    while waiting:
        b = waiting.popleft()
        for a, production, consumption, tokens in into[b]:
            count = -((tokens - consumption * needed[b]) // production)
            if count > needed[a]:
                needed[a] = count
                waiting.append(a)
    if needed[source] > repetitions[source]:
        raise NoLatencyError("latency: the graph deadlocks")
    time = graph.execution_time.tolist()
    end: list[list[int]] = [[] for _ in range(graph.num_actors)]
    ready = deque(range(graph.num_actors))
    left = sum(needed) - sum(before)
    while left:
        if not ready:
            raise NoLatencyError("latency: the graph deadlocks")
        a = ready.popleft()
        progressed = False
        while before[a] + len(end[a]) < needed[a]:
            n = before[a] + len(end[a])
            start = 0
            for b, production, consumption, tokens in into[a]:
                last = -((tokens - consumption * (n + 1)) // production) - 1 - before[b]
                if last >= len(end[b]):
                    break
                if last >= 0:
                    start = max(start, end[b][last])
            else:
                end[a].append(start + time[a])
                left -= 1
                progressed = True
                continue
            break
        if progressed:
            ready.extend(b for b, *_ in out[a] if b != a)
    work = sum((needed[a] - before[a]) * time[a] for a in range(graph.num_actors))
    return end[target][-1], work


def _self_timed(
    graph: SDFG,
    repetitions: list[int],
    source: int,
    target: int,
    offset: int,
    most_firings: int,
) -> int:
    """Return the self-timed latency in ticks, over the transient and one period."""
    if not graph.execution_time.any():
        return 0
    q_source, q_target = repetitions[source], repetitions[target]
    run = SelfTimed(graph, source, (source, target), most_firings)
    seen: dict[bytes, int] = {}
    while True:
        if not run.run_until(int(run.fired[source]) + q_source):
            raise NoLatencyError("latency: the graph deadlocks")
        state = run.state()
        if state in seen:
            break
        seen[state] = int(run.fired[source])
    # From firing seen[state] on, starts repeat; every iteration begun so far is then covered.
    iterations = -(-int(run.fired[source]) // q_source)
    while int(run.fired[target]) < q_target * (iterations - 1) + offset + 1:
        run.run_until(int(run.fired[source]) + q_source)
    begin = run.starts(source)[::q_source][:iterations]
    finish = run.starts(target)[offset::q_target][:iterations]
    return int((finish - begin).max()) + int(graph.execution_time[target])
