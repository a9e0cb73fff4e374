"""What limits a graph, read from its self-timed execution: the period, and a critical cycle.

Once the state recurs (:mod:`optmap.sdf.selftimed`), every firing starts the moment the last of its
tokens arrives. Walked back from firing to firing, to the one that made that token, the walk comes
to a firing that it has met some iterations later: in between lie the channels of a cycle whose
time over its tokens is the period. Graphs of huge repetitions whose firings come in crowds settle
in an iteration or two, where unfolding them makes an edge of every firing.

References
----------
.. [1] A. Ghamarian et al., ACSD 2006, and M. Geilen, S. Stuijk, "Worst-case performance analysis
       of synchronous dataflow scenarios", CODES+ISSS 2010 (self-timed execution is the max-plus
       recursion, whose critical walks these are).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from optmap.compiled import borrowing, compiled
from optmap.sdf.components import group_by
from optmap.sdf.graph import SDFG
from optmap.sdf.marked_graph import IntArray
from optmap.sdf.parts import Part, parts_on_cycles
from optmap.sdf.repetition import repetition_vector
from optmap.sdf.selftimed import SelfTimed, TooLongError, settle


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Ticks of an iteration of the whole graph, and a critical cycle as channels."""

    ticks: Fraction
    cycle: tuple[int, ...]


class Firings(NamedTuple):
    """One recurrence, and how it repeats.

    Crowds of actor a are ``first[a]`` to ``first[a + 1]``, of these starts; ``before`` counts its
    firings in earlier ones. The recurrence begins with its firing number ``fired[a]``, has
    ``count[a]`` of them, and comes again ``length`` ticks later.
    """

    first: Any
    start: Any
    before: Any
    fired: Any
    count: Any
    length: int


class Into(NamedTuple):
    """Channels into each actor, as compressed lists; their sources, rates and initial tokens."""

    first: Any
    channel: Any
    source: Any
    production: Any
    consumption: Any
    tokens: Any
    duration: Any


@borrowing
def _start(firings: Firings, a: int, i: int) -> int:
    """Return when the i-th firing of a starts, in this recurrence, an earlier or a later one."""
    away, i = i // firings.count[a], i % firings.count[a]
    low, high = firings.first[a], firings.first[a + 1]
    while high - low > 1:
        middle = (low + high) // 2
        if firings.before[middle] <= i:
            low = middle
        else:
            high = middle
    start: int = firings.start[low] + away * firings.length
    return start


@borrowing
def _cause(into: Into, firings: Firings, a: int, i: int) -> Any:
    """Return (channel, firing of its source) whose token the i-th firing of a waited for last.

    The channel is -1 where no token arrives just then.
    """
    k = firings.fired[a] + i
    now = _start(firings, a, i)
    for e in range(into.first[a], into.first[a + 1]):
        c = into.channel[e]
        b = into.source[c]
        missing = (k + 1) * into.consumption[c] - into.tokens[c]
        j = -(-missing // into.production[c]) - 1 - firings.fired[b]
        if _start(firings, b, j) + into.duration[b] == now:
            return c, j % firings.count[b]
    return -1, 0


@compiled
def _walk_back(into: Into, firings: Firings) -> Any:
    """Return the channels of a critical cycle, last first; none where a firing waited for none.

    R. Brent, "An improved Monte Carlo factorization algorithm", BIT 20, 1980: one firing that the
    walk has met is remembered, a later one whenever the walk has doubled.
    """
    a, i, met_a, met_i, steps, doubled = 0, 0, -1, -1, 0, 1
    while met_a != a or met_i != i:
        if steps == doubled or met_a < 0:
            met_a, met_i, doubled, steps = a, i, 2 * doubled, 0
        c, i = _cause(into, firings, a, i)
        if c < 0:
            return np.zeros(0, np.int64)
        a = into.source[c]
        steps += 1
    walked = np.zeros(steps, np.int64)
    for s in range(steps):
        walked[s], i = _cause(into, firings, a, i)
        a = into.source[walked[s]]
    return walked


def _firings(run: SelfTimed, fired: IntArray, count: IntArray, length: int) -> Firings | None:
    """Return what a run has recorded of one recurrence; None if it is not a whole one."""
    time, actor, many = run.log
    order = np.argsort(actor, kind="stable")
    ends = np.cumsum(many[order])
    first = np.searchsorted(actor[order], np.arange(len(count) + 1))
    done = np.concatenate(([0], ends))[first]
    if (np.diff(done) != count).any():
        return None
    before = ends - many[order] - np.repeat(done[:-1], np.diff(first))
    return Firings(first, time[order], before, fired, count, length)


def _of_part(part: Part, most_crowds: int) -> tuple[Recurrence | None, int]:
    """Return what limits a strongly connected graph, None where it is not found; crowds left."""
    graph = part.graph
    repetitions = repetition_vector(graph)
    reference = int(np.argmin(repetitions))
    run = SelfTimed(graph, reference, most_crowds=max(most_crowds, 1))
    found = settle(run, repetitions)
    if found.period is None:
        return None, 0
    fired = run.fired.copy()
    run.watch_all()
    if not run.run_until(int(fired[reference]) + found.iterations * repetitions[reference]):
        return None, 0
    count = found.iterations * np.array(repetitions, dtype=np.int64)
    firings = _firings(run, fired, count, int(found.period * found.iterations))
    if firings is None:
        return None, 0
    everything = np.ones(graph.num_channels, dtype=np.bool_)
    in_first, in_channel = group_by(graph.num_actors, graph.target, everything)
    into = Into(
        in_first, in_channel, graph.source,
        graph.production, graph.consumption, graph.tokens, graph.execution_time,
    )  # fmt: skip
    back = _walk_back(into, firings)
    cycle = tuple(part.channels[c] for c in back[::-1].tolist())
    return (Recurrence(found.period, cycle) if cycle else None), run.crowds_left


def recurrence(graph: SDFG, repetitions: list[int], most_crowds: int) -> Recurrence | None:
    """Return what limits a live graph, or None where its state recurs too late.

    Parameters
    ----------
    most_crowds : int
        Crowds of firings (of one actor, at one moment) to spend on all components together.

    Notes
    -----
    Nothing is said of deadlocks, of graphs in which nothing takes time, and of numbers that could
    leave 64 bits: None.

    Examples
    --------
    >>> from optmap.sdf.graph import sdfg
    >>> graph = sdfg([("A", 4), ("B", 1)], [("A", "B", 2, 1, 0), ("B", "A", 1, 2, 2)])
    >>> recurrence(graph, [1, 2], 1000)
    Recurrence(ticks=Fraction(5, 1), cycle=(0, 1))
    """
    slowest: Recurrence | None = None
    for part in parts_on_cycles(graph)[0]:
        if not part.graph.execution_time.any():
            return None
        try:
            found, most_crowds = _of_part(part, most_crowds)
        except (TooLongError, OverflowError):
            return None
        if found is None:
            return None
        scale = repetitions[part.actors[0]] // repetition_vector(part.graph)[0]
        if slowest is None or scale * found.ticks > slowest.ticks:
            slowest = Recurrence(scale * found.ticks, found.cycle)
    return slowest
