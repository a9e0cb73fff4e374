"""Buffer capacities: the exact trade-off between storage and throughput.

A channel of capacity k >= its initial tokens is a pair: itself, and a reverse channel with k minus
the initial tokens of free space. Space is claimed at the producer's start and freed at the
consumer's end; self-loops likewise. Total storage is the sum of capacities in tokens.

Start from the least capacities that could let each channel move. If a distribution is too
slow (or stuck), its critical (or blocking) cycle passes through some reverse channels; every
distribution that is larger everywhere and faster is larger on one of *these*, or the cycle would
still be there. So growing one of them at a time, smallest total first, visits every minimal
distribution [1]_ in the order of its total. A cycle without reverse channels proves that no
capacity helps: the throughput of the graph itself is reached.

References
----------
.. [1] S. Stuijk, M. Geilen, T. Basten, "Throughput-buffering trade-off exploration for cyclo-static
       and synchronous dataflow graphs", IEEE Trans. Computers 57(10), 2008.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor

import numpy as np

from optmap.sdf.capacities import least_capacities, with_capacities
from optmap.sdf.graph import LARGEST, SDFG
from optmap.sdf.longest_path import LIMIT
from optmap.sdf.repetition import repetition_vector
from optmap.sdf.throughput import LIVE, UNBOUNDED, Limit, limit, throughput

#: Distributions looked at before the search is given up, unless told otherwise.
MOST_DISTRIBUTIONS = 20_000


class SearchLimitError(ValueError):
    """The trade-off has more distributions than the search may look at, or its time is over.

    ``looked_at`` distributions were allowed, ``points`` were found before: all of them that hold
    fewer than ``below`` tokens. ``in_time`` tells whether the number was the limit, not the time.
    """

    def __init__(
        self, looked_at: int, points: list[BufferPoint], in_time: bool = True, below: int = 0
    ) -> None:
        self.looked_at, self.points, self.in_time = looked_at, points, in_time
        self.below = below
        why = f"more than {looked_at} distributions to look at" if in_time else "the time is over"
        super().__init__(f"buffers: {why}, {len(points)} points found before")

    def __reduce__(self) -> tuple[type[SearchLimitError], tuple[int, list[BufferPoint], bool, int]]:
        """Rebuild from the parts, so that the error crosses process borders."""
        return type(self), (self.looked_at, self.points, self.in_time, self.below)


class _EndedError(Exception):
    """The search may look at no more: by its number (True), or its time is over."""


class EndlessTradeOffError(ValueError):
    """Without a limit of its own the graph gets faster with every further buffer."""


@dataclass(frozen=True, slots=True)
class BufferPoint:
    """A Pareto point: no smaller total reaches its throughput.

    Parameters
    ----------
    total : int
        Sum of the capacities, in tokens.
    capacities : tuple of int
        Capacity of each channel in tokens, its initial tokens included.
    throughput : Fraction or None
        Iterations per time unit; None when unbounded.
    """

    total: int
    capacities: tuple[int, ...]
    throughput: Fraction | None


def pareto_points(
    graph: SDFG,
    *,
    at_least: Fraction | None = None,
    most_distributions: int = MOST_DISTRIBUTIONS,
    unbounded: Collection[int] = (),
    expired: Callable[[], bool] = lambda: False,
    on_point: Callable[[BufferPoint], None] = lambda point: None,
) -> list[BufferPoint]:
    """Return the Pareto points of total capacity against throughput, smallest total first.

    One distribution a point; others of the same total may reach the same throughput.

    Parameters
    ----------
    at_least : Fraction, optional
        Stop at the first point with this throughput (iterations per time unit).
    most_distributions : int
        Distributions that may be looked at.
    unbounded : collection of int
        Channels whose capacity is no question, as orders: they do not count, and are given as 0.
    expired : callable
        Asked before every distribution whether the time is over.
    on_point : callable
        Told of every point as soon as it is found.

    Returns
    -------
    list of BufferPoint
        The last one reaches the throughput of the graph with unbounded channels; empty where the
        graph deadlocks or is inconsistent whatever the capacities.

    Raises
    ------
    SearchLimitError
        If ``most_distributions`` or the time did not suffice.
    EndlessTradeOffError
        If the graph itself is unbounded, bounded channels are not, and ``at_least`` is missing.

    Examples
    --------
    >>> from optmap.sdf.graph import sdfg
    >>> graph = sdfg([("A", 2), ("B", 2)], [("A", "B", 1, 1, 0), ("A", "A", 1, 1, 1)])
    >>> [(point.total, str(point.throughput)) for point in pareto_points(graph)]
    [(3, '1/4'), (4, '1/2')]
    """
    points: list[BufferPoint] = []
    if at_least is None and _endless(graph):
        raise EndlessTradeOffError(
            "buffers: nothing but the buffers limits this graph, so that every further token of"
            " capacity makes it faster; ask for a throughput"
        )
    whole = throughput(graph)
    if whole.status not in (LIVE, UNBOUNDED):
        return []
    per_tick = None if whole.throughput is None else whole.throughput / graph.ticks_per_unit
    search = _Search(graph, most_distributions, unbounded, expired)
    try:
        for found in map(search.counted, search.points(per_tick)):
            speed = found.throughput
            speed = None if speed is None else speed * graph.ticks_per_unit
            points.append(replace(found, throughput=speed))
            on_point(points[-1])
            if at_least is not None and (speed is None or speed >= at_least):
                break
    except _EndedError as error:
        below = search.counted_total(search.least)
        in_time = bool(error.args[0])
        raise SearchLimitError(most_distributions, points, in_time, below) from None
    return points


def minimal_capacities(
    graph: SDFG, at_least: Fraction, *, most_distributions: int = MOST_DISTRIBUTIONS
) -> BufferPoint | None:
    """Return a distribution of least total with this throughput; None if no capacity reaches it.

    Raises
    ------
    SearchLimitError
        If ``most_distributions`` did not suffice.
    """
    points = pareto_points(graph, at_least=at_least, most_distributions=most_distributions)
    if points and (points[-1].throughput is None or points[-1].throughput >= at_least):
        return points[-1]
    return None


@dataclass(frozen=True, slots=True)
class _Cut:
    """Channels of which at least one must exceed its ceiling, or nothing beats the speed known."""

    channels: tuple[int, ...]
    ceilings: tuple[int, ...]


class _Search:
    """Best-first search over distributions; ``points`` yields the Pareto points in order.

    Only distributions that beat the best throughput t found so far are of interest. Each one that
    does not leaves a cut: the channels of its critical cycle and their capacities. A distribution
    within a cut is of no interest either, without being looked at; it must grow past the ceiling
    of one of the cut's channels. Cuts on disjoint channels add up to a lower bound on the growth,
    by which the queue is ordered; branching is on the smallest.

    Little's law gives a further bound: t times the delays along a cycle is at most its tokens, each
    counted in iterations; so a channel between a and b needs more than t * (time of a + time of b)
    iterations of capacity.
    """

    def __init__(
        self, graph: SDFG, most: int, unbounded: Collection[int], expired: Callable[[], bool]
    ) -> None:
        self.graph, self.most, self.expired = graph, most, expired
        self.unbounded = frozenset(unbounded)
        self.repetitions = repetition_vector(graph)
        q = np.array(self.repetitions, dtype=object)
        #: Tokens on a channel in one iteration.
        self.flow = [int(x) for x in q[graph.source] * graph.production]
        least, self.steps = least_capacities(graph)
        # more tokens than ticks of all firings: no cycle through such a space takes a tick a token
        ample = int(graph.execution_time.sum()) + graph.num_actors + 2
        more = (ample * f if c in self.unbounded else 0 for c, f in enumerate(self.flow))
        self.start = tuple(n + extra for n, extra in zip(least, more, strict=True))
        self.bounded = with_capacities(graph, self.start)
        largest = max(int(graph.tokens.max(initial=0)), max(self.start, default=0) // 4)
        if 4 * (graph.num_actors + 4) * (max(self.flow, default=0) + largest) > LIMIT:
            raise OverflowError("buffers: capacities could leave 64-bit integers")
        time: list[int] = graph.execution_time.tolist()
        self.delay: list[int] = []
        self.kept: list[int] = []  # tokens that a self-loop never frees
        for a, b, d in zip(
            graph.source.tolist(), graph.target.tolist(), graph.tokens.tolist(), strict=True
        ):
            self.delay.append(time[a] if a == b else time[a] + time[b])
            self.kept.append(d if a == b else 0)
        #: Every point of a smaller total is found.
        self.least = sum(self.start)
        self.beat = Fraction(0)
        self.copies = [1] * graph.num_actors
        self.cuts: list[_Cut] = []
        # One row per cut: its ceilings, elsewhere more than any capacity.
        self.ceilings = np.empty((64, graph.num_channels), dtype=np.int64)

    def counted(self, point: BufferPoint) -> BufferPoint:
        """Return a point without the channels that do not count."""
        kept = [0 if c in self.unbounded else n for c, n in enumerate(point.capacities)]
        return replace(point, total=sum(kept), capacities=tuple(kept))

    def counted_total(self, total: int) -> int:
        """Return a total without what the channels that do not count start with."""
        return total - sum(self.start[c] for c in self.unbounded)

    def grown(self, capacity: int, channel: int, least: int) -> int:
        """Return the first capacity from ``capacity`` on, in whole steps, that is >= ``least``."""
        step = self.steps[channel]
        return capacity + max(0, -((capacity - least) // step)) * step

    def raised(self, capacities: tuple[int, ...]) -> tuple[int, ...]:
        """Return the least distribution from here on that Little's law lets beat the best."""
        law = zip(self.kept, self.flow, self.delay, strict=True)
        least = [kept + floor(flow * self.beat * delay) + 1 for kept, flow, delay in law]
        return tuple(self.grown(k, c, least[c]) for c, k in enumerate(capacities))

    def disjoint_cuts(self, capacities: tuple[int, ...]) -> list[_Cut]:
        """Return cuts on disjoint channels that hold ``capacities``, small ones first."""
        rows = self.ceilings[: len(self.cuts)]
        holding = np.flatnonzero((np.array(capacities, dtype=np.int64) <= rows).all(axis=1))
        chosen: list[_Cut] = []
        used: set[int] = set()
        for i in sorted(holding.tolist(), key=lambda i: len(self.cuts[i].channels)):
            if used.isdisjoint(self.cuts[i].channels):
                chosen.append(self.cuts[i])
                used.update(self.cuts[i].channels)
        return chosen

    def look(self, capacities: tuple[int, ...], freed: set[int]) -> tuple[Limit, _Cut]:
        """Evaluate a distribution, with ample space on the ``freed`` channels.

        The cut is that of its critical cycle.
        """
        m, initial = self.graph.num_channels, self.graph.tokens
        space = np.array(capacities, dtype=np.int64) - initial
        ample = self.graph.num_actors + 2
        for c in freed:
            space[c] += ample * self.flow[c]
        found = limit(self.bounded, self.repetitions, self.copies, np.concatenate((initial, space)))
        channels = tuple(sorted({c - m for c in found.cycle if c >= m}))
        return found, _Cut(channels, tuple(int(space[c] + initial[c]) for c in channels))

    def keep(self, cut: _Cut) -> None:
        """Add a cut to those known."""
        count = len(self.cuts)
        if count == self.most:
            raise _EndedError(True)
        if count == len(self.ceilings):
            self.ceilings = np.concatenate((self.ceilings, np.empty_like(self.ceilings)))
        self.ceilings[count] = LARGEST
        self.ceilings[count, list(cut.channels)] = cut.ceilings
        self.cuts.append(cut)

    def points(self, whole: Fraction | None) -> Iterator[BufferPoint]:
        """Yield the points up to ``whole``, the graph's own throughput (per tick; None: none)."""
        frontier = [(sum(self.start), self.start)]
        seen = {self.start}
        held: BufferPoint | None = None  # the best of the present total
        while frontier:
            self.least = frontier[0][0]
            if held is not None and self.least > held.total:
                yield held
                held = None
            if self.expired():
                raise _EndedError(False)
            priority, capacities = heapq.heappop(frontier)
            raised = self.raised(capacities)
            cuts = self.disjoint_cuts(raised)
            total = sum(raised)
            bound = total + sum(self.least_growth(raised, cut) for cut in cuts)
            if bound > priority:
                heapq.heappush(frontier, (bound, raised))
                continue
            freed = {c for cut in cuts for c in cut.channels}
            found, cut = self.look(raised, freed)
            speed = 1 / found.ticks if found.ticks and not found.stuck else None
            free = speed is None and not found.stuck
            if not cuts:
                if free or (speed is not None and speed > self.beat):
                    held = BufferPoint(total, raised, speed)
                if speed == whole and not found.stuck:
                    yield held or BufferPoint(total, raised, speed)
                    return
                self.beat = max(self.beat, speed or Fraction(0))
            if not cut.channels and found.stuck:
                continue  # stuck whatever the capacities
            if cut.channels and not free and (found.stuck or (speed or 0) <= self.beat):
                self.keep(cut)
                if freed.isdisjoint(cut.channels):
                    heapq.heappush(frontier, (priority, raised))
                    continue
            for c, ceiling in zip(cuts[0].channels, cuts[0].ceilings, strict=True):
                higher = self.grown(raised[c], c, ceiling + 1)
                larger = (*raised[:c], higher, *raised[c + 1 :])
                if larger not in seen:
                    if len(seen) == self.most:
                        raise _EndedError(True)
                    seen.add(larger)
                    heapq.heappush(frontier, (max(priority, sum(larger)), larger))
        if held is not None:
            yield held

    def least_growth(self, capacities: tuple[int, ...], cut: _Cut) -> int:
        """Return how many tokens it takes at least to grow past a cut."""
        return min(
            self.grown(capacities[c], c, ceiling + 1) - capacities[c]
            for c, ceiling in zip(cut.channels, cut.ceilings, strict=True)
        )


def _endless(graph: SDFG) -> bool:
    """Return whether the graph is unbounded although some bounded channel would take time."""
    time = graph.execution_time
    takes_time = bool((time[graph.source] + time[graph.target] > 0).any())
    return takes_time and throughput(graph).status == UNBOUNDED
