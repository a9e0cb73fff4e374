"""Self-timed execution: every actor fires as soon as its tokens are there, until states recur.

An event simulation in whole ticks; nothing here knows of cycles or matrices, so that it can judge
them. The state of a strongly connected graph (tokens on channels, remaining times of the firings
under way) recurs; between two equal states lie the period's iterations. Where the graph is not
strongly connected tokens may pile up for ever, hence components are run one by one.

References
----------
.. [1] A. Ghamarian, M. Geilen, S. Stuijk, T. Basten, B. Theelen, A. Moonen, M. Bekooij,
       "Throughput analysis of synchronous data flow graphs", ACSD 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from optmap.compiled import borrowing, compiled
from optmap.sdf.components import group_by
from optmap.sdf.crowds import Crowds, longer, pop, push, put
from optmap.sdf.graph import SDFG
from optmap.sdf.longest_path import LIMIT
from optmap.sdf.marked_graph import IntArray
from optmap.sdf.parts import parts_on_cycles
from optmap.sdf.repetition import repetition_vector

RUNNING, STOPPED, TOO_MANY = 0, 1, 2

#: Firings of one run after which it is given up, unless told otherwise.
MOST_FIRINGS = 50_000_000


class TooLongError(ValueError):
    """The state did not recur within the firings allowed."""


@dataclass(frozen=True, slots=True)
class Regime:
    """What self-timed execution of a strongly connected graph settles into.

    Parameters
    ----------
    period : Fraction or None
        Ticks of one iteration, averaged over the recurring states; 0 where an iteration takes no
        time, None in a deadlock.
    transient : int
        Iterations of the reference actor before the first recurring state.
    iterations : int
        Iterations between two equal states; 0 in a deadlock.
    """

    period: Fraction | None
    transient: int
    iterations: int


class Channels(NamedTuple):
    """Channels out of and into each actor, as compressed lists; targets, rates; and durations."""

    out_first: Any
    out_channel: Any
    in_first: Any
    in_channel: Any
    target: Any
    production: Any
    consumption: Any
    duration: Any


class Marking(NamedTuple):
    """Tokens of each channel; firings started, a stack of actors to look at, and who is on it."""

    tokens: Any
    fired: Any
    waiting: Any
    queued: Any
    watched: Any


@borrowing
def _take(channels: Channels, tokens: Any, a: Any, allowed: int) -> int:
    """Take the tokens of all firings that actor a can start, ``allowed`` at most; return these."""
    ready = allowed
    for i in range(channels.in_first[a], channels.in_first[a + 1]):
        c = channels.in_channel[i]
        ready = min(ready, tokens[c] // channels.consumption[c])
    if ready > 0:
        for i in range(channels.in_first[a], channels.in_first[a + 1]):
            c = channels.in_channel[i]
            tokens[c] -= ready * channels.consumption[c]
    return ready


@borrowing
def _produce(channels: Channels, marking: Marking, a: Any, count: int, num_waiting: int) -> int:
    """Put down what ``count`` firings of actor a make; return how many actors to look at."""
    for i in range(channels.out_first[a], channels.out_first[a + 1]):
        c = channels.out_channel[i]
        marking.tokens[c] += count * channels.production[c]
        b = channels.target[c]
        if not marking.queued[b]:
            marking.queued[b] = True
            marking.waiting[num_waiting] = b
            num_waiting += 1
    return num_waiting


@compiled
def _advance(
    channels: Channels,
    marking: Marking,
    clock: Any,
    heap: Any,
    log: Any,
    reference: int,
    until: int,
) -> Any:
    """Run until ``reference`` has fired ``until`` times and the instant is over.

    Arrays are changed in place. ``clock`` holds (now, heap size, firings still allowed, entries
    in the log, crowds still allowed: firings of one actor that start at once); ``log`` the crowds
    of watched actors.

    Returns
    -------
    status, heap, log
        RUNNING when ``until`` was reached, STOPPED when nothing can fire any more, TOO_MANY when
        the firings allowed are used up; the arrays may have been replaced by longer ones.
    """
    now, size, allowed, logged, crowds = clock[0], clock[1], clock[2], clock[3], clock[4]
    num_waiting = 0
    for a in range(len(marking.queued)):
        if marking.queued[a]:
            marking.waiting[num_waiting] = a
            num_waiting += 1
    status = RUNNING
    while True:
        # Start what is ready, as often as it is ready.
        while num_waiting and status == RUNNING:
            num_waiting -= 1
            a = marking.waiting[num_waiting]
            marking.queued[a] = False
            ready = _take(channels, marking.tokens, a, allowed)
            if ready == 0:
                continue
            allowed -= ready
            crowds -= 1
            marking.fired[a] += ready
            if size == len(heap.time):
                heap = longer(heap)
            size = push(heap, size, (now + channels.duration[a], a, ready))
            if marking.watched[a]:
                if logged == len(log.time):
                    log = longer(log)
                put(log, logged, (now, a, ready))
                logged += 1
            if allowed == 0 or crowds == 0:
                status = TOO_MANY
        if status == TOO_MANY:
            break
        if size and heap.time[0] == now:  # firings of zero duration end in the same instant
            pass
        elif marking.fired[reference] >= until:
            break
        elif size == 0:
            status = STOPPED
            break
        now = heap.time[0]
        while size and heap.time[0] == now:
            a, count = heap.actor[0], heap.count[0]
            size = pop(heap, size)
            num_waiting = _produce(channels, marking, a, count, num_waiting)
    clock[0], clock[1], clock[2], clock[3], clock[4] = now, size, allowed, logged, crowds
    return status, heap, log


class SelfTimed:
    """A self-timed execution that can be run on, iteration by iteration.

    Parameters
    ----------
    graph : SDFG
        A graph in which every actor has at least one channel in; otherwise it would fire without
        end in the first instant.
    reference : int
        The actor whose firings count iterations.
    watched : sequence of int
        Actors whose starts are recorded.
    most_firings : int
        Firings after which :class:`TooLongError` is raised.
    most_crowds : int
        The same for firings of one actor that start at once, counted as one: what takes time.

    Raises
    ------
    ValueError
        If an actor has no channel in.
    OverflowError
        If numbers could leave int64 within ``most_firings``.
    """

    def __init__(
        self,
        graph: SDFG,
        reference: int,
        watched: tuple[int, ...] = (),
        most_firings: int = MOST_FIRINGS,
        most_crowds: int = MOST_FIRINGS,
    ) -> None:
        n, m = graph.num_actors, graph.num_channels
        if len(np.unique(graph.target)) < n:
            raise ValueError("self-timed execution: an actor without input fires without end")
        largest = max(
            int(values.max(initial=1))
            for values in (graph.production, graph.consumption, graph.execution_time, graph.tokens)
        )
        if 2 * largest * most_firings > LIMIT:
            raise OverflowError("self-timed execution: tokens or times could leave 64-bit integers")
        everything = np.ones(m, dtype=np.bool_)
        self.graph, self.reference = graph, reference
        out_first, out_channel = group_by(n, graph.source, everything)
        in_first, in_channel = group_by(n, graph.target, everything)
        self._channels = Channels(
            out_first, out_channel, in_first, in_channel,
            graph.target, graph.production, graph.consumption, graph.execution_time,
        )  # fmt: skip
        self.tokens = graph.tokens.copy()
        self.fired = np.zeros(n, dtype=np.int64)
        self._heap = Crowds(*np.zeros((3, max(16, n)), dtype=np.int64))
        self._clock = np.array([0, 0, most_firings, 0, most_crowds], dtype=np.int64)
        waiting, queued = np.zeros(n, dtype=np.int64), np.ones(n, dtype=np.bool_)
        looked_at = np.zeros(n, dtype=np.bool_)
        looked_at[list(watched)] = True
        self._marking = Marking(self.tokens, self.fired, waiting, queued, looked_at)
        self._log = Crowds(*np.zeros((3, 64), dtype=np.int64))

    @property
    def now(self) -> int:
        """Ticks since the start."""
        return int(self._clock[0])

    def run_until(self, firings: int) -> bool:
        """Run until the reference actor has started ``firings`` times; False if all stops first.

        Raises
        ------
        TooLongError
            If the firings allowed are used up.
        """
        status, self._heap, self._log = _advance(
            self._channels,
            self._marking,
            self._clock,
            self._heap,
            self._log,
            self.reference,
            firings,
        )
        if status == TOO_MANY:
            raise TooLongError(
                "self-timed execution: no recurring state within the firings allowed"
            )
        return bool(status == RUNNING)

    def state(self) -> bytes:
        """Return tokens and remaining times of all firings under way; equal states, equal bytes."""
        time, actor, count = (part[: int(self._clock[1])] for part in self._heap)
        order = np.lexsort((time, actor))
        time, actor, count = time[order] - self.now, actor[order], count[order]
        new = np.ones(len(order), dtype=np.bool_)
        new[1:] = (time[1:] != time[:-1]) | (actor[1:] != actor[:-1])
        total = np.add.reduceat(count, np.flatnonzero(new)) if len(order) else count
        parts = (self.tokens, actor[new], time[new], total)
        return b"".join(part.tobytes() for part in parts)

    @property
    def crowds_left(self) -> int:
        """Crowds of firings still allowed."""
        return int(self._clock[4])

    def watch_all(self) -> None:
        """Record every actor's starts from now on."""
        self._marking.watched[:] = True

    @property
    def log(self) -> Crowds:
        """The recorded crowds of watched actors, in order of time."""
        return Crowds(*(part[: int(self._clock[3])] for part in self._log))

    def starts(self, actor: int) -> IntArray:
        """Return the recorded starts of a watched actor, in ticks, ascending."""
        time, who, count = self.log
        mine = who == actor
        starts: IntArray = np.repeat(time[mine], count[mine])
        return starts


def regime(graph: SDFG, most_firings: int = MOST_FIRINGS) -> Regime:
    """Run a strongly connected, consistent graph until its state recurs.

    Raises
    ------
    TooLongError
        If the state did not recur within ``most_firings`` firings.

    Examples
    --------
    >>> from optmap.sdf.graph import sdfg
    >>> regime(sdfg([("A", 2), ("B", 3)], [("A", "B", 1, 1, 0), ("B", "A", 1, 1, 2)])).period
    Fraction(5, 2)
    """
    repetitions = repetition_vector(graph)
    reference = int(np.argmin(repetitions))
    if not graph.execution_time.any():
        # Nothing advances the clock: one iteration tells whether anything ever stops.
        run = SelfTimed(graph, reference, most_firings=4 * sum(repetitions))
        try:
            live = run.run_until(2 * repetitions[reference])
        except TooLongError:
            live = True
        return Regime(Fraction(0) if live else None, 0, 1 if live else 0)
    return settle(SelfTimed(graph, reference, most_firings=most_firings), repetitions)


def settle(run: SelfTimed, repetitions: Sequence[int]) -> Regime:
    """Run until the state recurs, of a graph in which something takes time."""
    each = repetitions[run.reference]
    seen: dict[bytes, tuple[int, int]] = {}
    target = 0
    while True:
        target += each
        if not run.run_until(target):
            return Regime(None, len(seen), 0)
        fired = int(run.fired[run.reference])
        state = run.state()
        if state in seen:
            before, then = seen[state]
            iterations = (fired - before) // each
            return Regime(Fraction(run.now - then, iterations), before // each, iterations)
        seen[state] = fired, run.now
        target = max(target, fired)


def selftimed_period(graph: SDFG, most_firings: int = MOST_FIRINGS) -> Fraction | None:
    """Return the slowest component's time units per iteration of the whole graph.

    Returns
    -------
    Fraction or None
        0 where nothing limits the graph; None in a deadlock.

    Raises
    ------
    InconsistentError, TooLongError
        If the graph has no iteration, or its state does not recur in time.
    """
    whole = repetition_vector(graph)
    slowest = Fraction(0)
    for part in parts_on_cycles(graph)[0]:
        found = regime(part.graph, most_firings)
        if found.period is None:
            return None
        scale = whole[part.actors[0]] // repetition_vector(part.graph)[0]
        slowest = max(slowest, scale * found.period)
    return graph.units(slowest)
