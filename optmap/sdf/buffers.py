"""Buffer capacities: the exact trade-off between storage and throughput.

A channel of capacity k >= its initial tokens is a pair: the channel itself, and a reverse channel
with k minus the initial tokens of free space. Space is claimed at the producer's start and freed at
the consumer's end; self-loops are bounded the same way. Total storage is the sum of capacities in
tokens.

MODEL. Start from the least capacities that could let each channel move. If a distribution is too
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
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd

import numpy as np

from optmap.sdf.graph import LARGEST, SDFG
from optmap.sdf.throughput import INCONSISTENT, LIVE, UNBOUNDED, Throughput, throughput

#: Distributions looked at before the search is given up, unless told otherwise.
MOST_DISTRIBUTIONS = 100_000


class SearchLimitError(ValueError):
    """The trade-off has more distributions than the search may look at."""


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


def with_capacities(graph: SDFG, capacities: tuple[int, ...]) -> SDFG:
    """Return the graph with bounded channels: channel m + c is the free space of channel c.

    Raises
    ------
    ValueError
        If a capacity is smaller than its channel's initial tokens.
    """
    space = np.array(capacities, dtype=np.int64) - graph.tokens
    if len(space) and space.min() < 0:
        c = int(space.argmin())
        raise ValueError(
            f"channel {graph.channel_names[c]!r} holds {graph.tokens[c]} tokens,"
            f" capacity {capacities[c]}"
        )
    taken = set(graph.channel_names)
    names = []
    for channel in graph.channel_names:
        name = f"space_{channel}"
        while name in taken:
            name = "_" + name
        taken.add(name)
        names.append(name)
    return replace(
        graph,
        channel_names=(*graph.channel_names, *names),
        source=np.concatenate((graph.source, graph.target)),
        target=np.concatenate((graph.target, graph.source)),
        production=np.concatenate((graph.production, graph.consumption)),
        consumption=np.concatenate((graph.consumption, graph.production)),
        tokens=np.concatenate((graph.tokens, space)),
        token_size=None,
    )


def least_capacities(graph: SDFG) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return (capacities, steps): below the former a channel cannot move; only steps matter.

    With rates p, c, g = gcd(p, c) and d tokens, a channel between two actors needs
    max(d, p + c - g + d mod g) [1]_; more space helps in steps of g. A self-loop claims its space
    before it frees any, hence d + p.

    References
    ----------
    .. [1] P. Murthy, S. Bhattacharyya, "Shared buffer implementations of signal processing
           systems using lifetime analysis techniques", IEEE Trans. CAD 20(2), 2001.
    """
    capacities, steps = [], []
    for a, b, p, c, d in zip(
        graph.source.tolist(),
        graph.target.tolist(),
        graph.production.tolist(),
        graph.consumption.tolist(),
        graph.tokens.tolist(),
        strict=True,
    ):
        g = gcd(p, c)
        if a == b:
            capacities.append(d + p)
        else:
            # Below d there is no space to start with; from d on, space in whole steps of g.
            need = p + c - g + d % g
            capacities.append(need if need >= d else d)
        steps.append(g)
    return tuple(capacities), tuple(steps)


def pareto_points(
    graph: SDFG,
    *,
    at_least: Fraction | None = None,
    most_distributions: int = MOST_DISTRIBUTIONS,
) -> list[BufferPoint]:
    """Return the Pareto points of total capacity against throughput, smallest total first.

    One distribution is given per point; others of the same total may reach the same throughput.

    Parameters
    ----------
    at_least : Fraction, optional
        Stop at the first point with this throughput (iterations per time unit).
    most_distributions : int
        Distributions that may be looked at.

    Returns
    -------
    list of BufferPoint
        The last one reaches the throughput of the graph with unbounded channels; empty where the
        graph deadlocks or is inconsistent whatever the capacities.

    Raises
    ------
    SearchLimitError
        If ``most_distributions`` did not suffice.
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
    for point in _rising(graph, most_distributions):
        points.append(point)
        if at_least is not None and (point.throughput is None or point.throughput >= at_least):
            break
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


def _rising(graph: SDFG, most_distributions: int) -> Iterator[BufferPoint]:
    """Yield Pareto points as the search reaches them, best-first by total."""
    whole = throughput(graph)
    if whole.status not in (LIVE, UNBOUNDED):
        return
    m = graph.num_channels
    start, steps = least_capacities(graph)
    frontier = [(sum(start), start)]
    seen = {start}
    best: Fraction | None = Fraction(0)  # throughput of the last point
    held: BufferPoint | None = None  # best point of the present total
    while frontier:
        total, capacities = heapq.heappop(frontier)
        if held is not None and total > held.total:
            yield held
            best, held = held.throughput, None
            if best == whole.throughput:
                return
        result = throughput(with_capacities(graph, capacities))
        reached = _reached(result)
        known = held.throughput if held is not None else best
        if known is not None and (reached is None or reached > known):
            held = BufferPoint(total, capacities, reached)
            if reached == whole.throughput:
                yield held
                return
        for c in {c - m for c in result.cycle if c >= m}:
            larger = (*capacities[:c], capacities[c] + steps[c], *capacities[c + 1 :])
            if larger not in seen and max(larger) <= LARGEST:
                seen.add(larger)
                heapq.heappush(frontier, (total + steps[c], larger))
        if len(seen) > most_distributions:
            raise SearchLimitError(
                f"buffers: more than {most_distributions} distributions of capacities to look at"
            )
    if held is not None:
        yield held


def _endless(graph: SDFG) -> bool:
    """Return whether the graph is unbounded although some bounded channel would take time."""
    time = graph.execution_time
    takes_time = bool((time[graph.source] + time[graph.target] > 0).any())
    return takes_time and throughput(graph).status == UNBOUNDED


def _reached(result: Throughput) -> Fraction | None:
    """Return the throughput; None when unbounded."""
    if result.status == INCONSISTENT:
        raise AssertionError("bounding a channel cannot change its balance")
    return result.throughput
