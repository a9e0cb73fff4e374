"""From an SDFG to a marked graph: K-periodic expansion, of which unfolding is the largest case.

Firing n of actor a is copy i = n mod K[a] of a, where K[a] divides the repetitions q[a]. A
K-periodic schedule repeats every copy of a with period lambda * K[a] / q[a]. Firing m of b on a
channel (a, b) with rates p, c and d tokens waits for firing n(m) = ceil((c (m + 1) - d) / p) - 1 of
a, the last it needs. Put i + K[a] x for n and j + K[b] y for m: p K[a] x - c K[b] y is a multiple
X of G = gcd(p K[a], c K[b]) with

    c (j + 1) - d - p (i + 1) <= X <= c (j + 1) - d - 1 - p i,

and the largest such X makes the edge (a, i) -> (b, j) with -X / (q[a] p) iterations of tokens.

The maximum cycle ratio of these edges is the least period of a K-periodic schedule. It falls as K
grows by factors and at K = q, where every token count is whole, is the period of self-timed
execution; K = 1 needs no copies at all [1]_. Waiting for the last firing needed suffices: the
least solution of these inequalities is self-timed execution, in which later firings of an actor
never end earlier, so that any solution bounds it from above.

References
----------
.. [1] B. Bodin, A. Munier-Kordon, B. Dupont de Dinechin, "K-periodic schedules for evaluating the
       maximum throughput of a synchronous dataflow graph", SAMOS 2012.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from math import gcd, lcm
from typing import Any, NamedTuple

import numpy as np

from optmap.compiled import compiled, interpreted
from optmap.sdf.graph import SDFG
from optmap.sdf.longest_path import LIMIT
from optmap.sdf.marked_graph import IndexArray, IntArray, MarkedGraph

#: Edges up to which an expansion is made (about 100 bytes each while it is analysed).
MOST_EDGES = 40_000_000


@dataclass(frozen=True, eq=False)
class Expansion:
    """A K-periodic expansion.

    Parameters
    ----------
    copies : (n,) int64 array
        K[a], a divisor of the repetitions of a.
    first : (n + 1,) int64 array
        Copies of actor a are numbered ``first[a]..first[a + 1] - 1``.
    source, target : int32 arrays
        Copies that an edge joins.
    delay : int64 array
        Execution time of the edge's source, in ticks.
    tokens : sequence of int
        Tokens times ``scale``; int64 array, or list of Python integers where int64 is too small.
    scale : int
        Units of ``tokens`` in one iteration.
    channel : int64 array
        The channel that an edge comes from.
    """

    copies: IntArray
    first: IntArray
    source: IndexArray
    target: IndexArray
    delay: IntArray
    tokens: Any
    scale: int
    channel: IntArray

    @property
    def num_copies(self) -> int:
        """Number of copies of all actors together."""
        return int(self.first[-1])

    def marked_graph(self) -> MarkedGraph | None:
        """Return the edges as a marked graph; None where tokens exceed int64."""
        if isinstance(self.tokens, list):
            return None
        return MarkedGraph(self.num_copies, self.source, self.target, self.delay, self.tokens)


class Channels(NamedTuple):
    """Channels of a graph, as the kernel takes them; all of shape (m,), numbers of one kind."""

    source: Any
    target: Any
    production: Any
    consumption: Any
    tokens: Any


@compiled
def _edges(channels: Channels, time: Any, copies: Any, first: Any, repetitions: Any) -> Any:
    """Return (source, target, delay, multiple, denominator, channel); see the module's text.

    An edge holds -multiple / denominator iterations of tokens, a channel one denominator. Where a
    one-token self-loop makes copies follow each other, a copy need not wait again for what the
    copy before it has waited for; those edges are left out.

    Run as plain Python on arrays of objects it is exact for numbers of any size.
    """
    source, target, tokens = channels.source, channels.target, channels.tokens
    production, consumption = channels.production, channels.consumption
    m = len(source)
    denominator = np.empty(m, dtype=repetitions.dtype)
    total = 0
    for c in range(m):
        a, b = source[c], target[c]
        up, down = production[c] * copies[a], consumption[c] * copies[b]
        group = gcd(up, down)
        denominator[c] = (repetitions[a] // copies[a]) * (up // group)
        total += copies[b] * min(copies[a], up // group)
    tail = np.empty(total, dtype=np.int32)
    head = np.empty(total, dtype=np.int32)
    delay = np.empty(total, dtype=np.int64)
    multiple = np.empty(total, dtype=repetitions.dtype)
    channel = np.empty(total, dtype=np.int64)
    in_turn = np.zeros(len(time), dtype=np.bool_)
    for c in range(m):
        if source[c] == target[c] and tokens[c] // consumption[c] == 1:
            in_turn[source[c]] = True
    e = 0
    for c in range(m):
        a, b = source[c], target[c]
        p = production[c]
        up, down = p * copies[a], consumption[c] * copies[b]
        group = gcd(up, down)
        for j in range(copies[b]):
            most = consumption[c] * (j + 1) - tokens[c] - 1
            if group <= p:
                count, x = copies[a], 0  # one x for every i
            else:
                count, x = up // group, most // group
            for k in range(count):
                before = most - consumption[c]
                if group <= p:
                    i, y = k, (most - p * k) // group
                    known = y == (before - p * i) // group
                else:
                    y = x - k
                    i = (most - group * y) // p
                    known = i == (before - group * y) // p
                if known and j > 0 and in_turn[b] and a != b:
                    continue
                tail[e] = first[a] + i
                head[e] = first[b] + j
                delay[e] = time[a]
                multiple[e] = y
                channel[e] = c
                e += 1
    return tail[:e], head[:e], delay[:e], multiple[:e], denominator, channel[:e]


def num_edges(graph: SDFG, copies: list[int]) -> int:
    """Return how many edges the expansion with ``copies`` has at most, without making them."""
    k = np.array(copies, dtype=np.float64)
    if float(k.max(initial=1)) * float(max(graph.production.max(initial=1), 1)) < 2**52:
        whole: IntArray = k.astype(np.int64)
        up = graph.production * whole[graph.source]
        group = np.gcd(up, graph.consumption * whole[graph.target])
        each = whole[graph.target] * np.minimum(whole[graph.source], up // group).astype(np.float64)
        return int(each.sum())
    return sum(
        copies[b] * min(copies[a], p * copies[a] // gcd(p * copies[a], c * copies[b]))
        for a, b, p, c in zip(
            graph.source.tolist(),
            graph.target.tolist(),
            graph.production.tolist(),
            graph.consumption.tolist(),
            strict=True,
        )
    )


def expand(
    graph: SDFG, repetitions: list[int], copies: list[int], tokens: IntArray | None = None
) -> Expansion:
    """Return the expansion of a consistent graph with ``copies[a]`` copies of each actor.

    Parameters
    ----------
    repetitions : list of int
        The repetition vector.
    copies : list of int
        K, each a divisor of its actor's repetitions; all ones is the smallest, the repetition
        vector itself the unfolding.
    tokens : (m,) int64 array, optional
        Initial tokens instead of the graph's.

    Raises
    ------
    ValueError
        If a number of copies does not divide the repetitions.
    OverflowError
        If more than ``MOST_EDGES`` edges would be needed.

    Examples
    --------
    >>> from optmap.sdf.graph import sdfg
    >>> graph = sdfg([("A", 4), ("B", 1)], [("A", "B", 2, 1, 0), ("B", "A", 1, 2, 2)])
    >>> unfolding = expand(graph, [1, 2], [1, 2])
    >>> list(zip(unfolding.source.tolist(), unfolding.target.tolist(), unfolding.tokens.tolist()))
    [(0, 1, 0), (0, 2, 0), (2, 0, 1)]
    """
    if copies != repetitions and any(
        k < 1 or q % k for q, k in zip(repetitions, copies, strict=True)
    ):
        raise ValueError("copies must divide the repetitions")
    if sum(copies) > MOST_EDGES // 8 or num_edges(graph, copies) > MOST_EDGES:
        raise OverflowError(f"expansion: more than {MOST_EDGES} edges")
    initial = graph.tokens if tokens is None else tokens
    most = int(max(graph.production.max(initial=1), graph.consumption.max(initial=1)))
    wide = max([*repetitions, 1]) * most * 4 + int(initial.max(initial=0)) > LIMIT
    kind = np.dtype(object if wide else np.int64)
    k = np.array(copies, dtype=np.int64)
    first = np.concatenate(([0], np.cumsum(k)))
    rates = (graph.production.astype(kind, copy=False), graph.consumption.astype(kind, copy=False))
    channels = Channels(graph.source, graph.target, *rates, initial.astype(kind, copy=False))
    with interpreted() if wide else nullcontext():
        tail, head, delay, multiple, denominator, channel = _edges(
            channels, graph.execution_time, k.astype(kind), first, np.array(repetitions, dtype=kind)
        )
    scale = lcm(*set(denominator.tolist()))
    largest = max(int(multiple.max(initial=0)), -int(multiple.min(initial=0)))
    scaled: Any
    if scale * largest <= LIMIT and not wide:
        scaled = -multiple * (scale // denominator)[channel]
    else:
        unit = [scale // d for d in denominator.tolist()]
        scaled = [-x * unit[c] for x, c in zip(multiple.tolist(), channel.tolist(), strict=True)]
    return Expansion(k, first, tail, head, delay, scaled, scale, channel)
