"""One iteration of an SDF graph as a max-plus matrix over its initial tokens.

Executing one iteration of a live graph symbolically gives a square matrix: entry (i, j) is the
least time from when old token j is there to when new token i is, and minus infinity where i does
not depend on j. Tokens are numbered channel by channel, first in first out. The eigenvalue is the
iteration's period. With few tokens the matrix is far smaller than the unfolded graph.

References
----------
.. [1] M. Geilen, "Synchronous dataflow scenarios", ACM TECS 10(2), 2010.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from optmap.compiled import borrowing, compiled
from optmap.sdf.components import group_by
from optmap.sdf.graph import SDFG
from optmap.sdf.longest_path import LIMIT
from optmap.sdf.maxplus import NEVER, MaxPlusMatrix
from optmap.sdf.repetition import repetition_vector

#: Entries (8 bytes each) of the largest array up to which the matrix is made.
MOST_ENTRIES = 40_000_000


class StuckError(ValueError):
    """No iteration can be completed: the graph deadlocks."""


@borrowing
def _join(row: Any, other: Any) -> None:
    """Raise ``row`` to the entrywise maximum with ``other``."""
    for j in range(len(row)):
        if other[j] > row[j]:
            row[j] = other[j]


class Channels(NamedTuple):
    """Channels into and out of each actor, as compressed lists; their ends, rates and tokens."""

    in_first: Any
    in_channel: Any
    out_first: Any
    out_channel: Any
    source: Any
    target: Any
    production: Any
    consumption: Any
    tokens: Any


@compiled
def _iterate(channels: Channels, duration: Any, repetitions: Any, first: Any) -> Any:
    """Execute one iteration symbolically; return (firings left, matrix entries).

    Firing k of actor a has the row ``first[a] + k`` of ``end``, its end over the initial tokens.
    Token x on a channel with d initial tokens is initial token x where x < d, else a product of
    firing (x - d) // production.
    """
    source, target, tokens = channels.source, channels.target, channels.tokens
    production, consumption = channels.production, channels.consumption
    in_first, in_channel = channels.in_first, channels.in_channel
    n, m = len(duration), len(tokens)
    offset = np.zeros(m + 1, dtype=np.int64)
    for c in range(m):
        offset[c + 1] = offset[c] + tokens[c]
    size, left = offset[m], first[n]
    end = np.full((left, size), NEVER, dtype=np.int64)
    fired = np.zeros(n, dtype=np.int64)
    waiting = np.arange(n)
    queued = np.ones(n, dtype=np.bool_)
    num_waiting = n
    while num_waiting:
        num_waiting -= 1
        a = waiting[num_waiting]
        queued[a] = False
        before = fired[a]
        while fired[a] < repetitions[a]:
            k = fired[a]
            if not _is_ready(channels, fired, a):
                break
            row = end[first[a] + k]
            for i in range(in_first[a], in_first[a + 1]):
                c = in_channel[i]
                begin, stop = consumption[c] * k, consumption[c] * (k + 1)
                for x in range(begin, min(stop, tokens[c])):
                    row[offset[c] + x] = max(row[offset[c] + x], 0)
                if stop <= tokens[c]:
                    continue
                low = (max(begin, tokens[c]) - tokens[c]) // production[c]
                high = (stop - 1 - tokens[c]) // production[c]
                for f in range(low, high + 1):
                    _join(row, end[first[source[c]] + f])
            for j in range(size):
                if row[j] != NEVER:
                    row[j] += duration[a]
            fired[a] += 1
        left -= fired[a] - before
        if fired[a] > before:
            for i in range(channels.out_first[a], channels.out_first[a + 1]):
                b = target[channels.out_channel[i]]
                if not queued[b]:
                    queued[b] = True
                    waiting[num_waiting] = b
                    num_waiting += 1
    if left:
        return left, np.full((size, size), NEVER, dtype=np.int64)
    return left, _rows_of_tokens(channels, repetitions, first, offset, end)


@borrowing
def _is_ready(channels: Channels, fired: Any, a: Any) -> Any:
    """Tell whether the tokens for the next firing of actor a are there."""
    for i in range(channels.in_first[a], channels.in_first[a + 1]):
        c = channels.in_channel[i]
        there = channels.tokens[c] + channels.production[c] * fired[channels.source[c]]
        if there < channels.consumption[c] * (fired[a] + 1):
            return False
    return True


@compiled
def _rows_of_tokens(channels: Channels, repetitions: Any, first: Any, offset: Any, end: Any) -> Any:
    """Return, for the tokens there after the iteration, when each was made over those before."""
    tokens, production = channels.tokens, channels.production
    size = offset[len(tokens)]
    matrix = np.full((size, size), NEVER, dtype=np.int64)
    for c in range(len(tokens)):
        taken = channels.consumption[c] * repetitions[channels.target[c]]
        for j in range(tokens[c]):
            x = taken + j
            if x < tokens[c]:
                matrix[offset[c] + j, offset[c] + x] = 0
            else:
                f = (x - tokens[c]) // production[c]
                matrix[offset[c] + j, :] = end[first[channels.source[c]] + f]
    return matrix


def num_entries(graph: SDFG) -> int:
    """Return the entries of the largest array that :func:`iteration_matrix` makes."""
    tokens: int = sum(graph.tokens.tolist())
    return max(sum(repetition_vector(graph)), tokens) * tokens


def iteration_matrix(graph: SDFG) -> MaxPlusMatrix:
    """Return the max-plus matrix of one iteration, one row and column per initial token.

    Entries are ticks.

    Raises
    ------
    InconsistentError
        If the graph has no iteration.
    StuckError
        If it deadlocks.
    OverflowError
        If more than ``MOST_ENTRIES`` entries are needed or times leave 64-bit integers.

    Examples
    --------
    >>> from optmap.sdf.graph import sdfg
    >>> graph = sdfg([("A", 4), ("B", 1)], [("A", "B", 2, 1, 0), ("B", "A", 1, 2, 2)])
    >>> iteration_matrix(graph).entries.tolist()
    [[5, 5], [5, 5]]
    """
    repetitions = repetition_vector(graph)
    firings = sum(repetitions)
    if num_entries(graph) > MOST_ENTRIES:
        raise OverflowError(f"max-plus matrix: more than {MOST_ENTRIES} entries")
    most = max(
        int(values.max(initial=0))
        for values in (graph.execution_time, graph.production, graph.consumption)
    )
    if 2 * firings * most + int(graph.tokens.max(initial=0)) > LIMIT:
        raise OverflowError("max-plus matrix: times leave 64-bit integers")
    q = np.array(repetitions, dtype=np.int64)
    everything = np.ones(graph.num_channels, dtype=np.bool_)
    in_first, in_channel = group_by(graph.num_actors, graph.target, everything)
    out_first, out_channel = group_by(graph.num_actors, graph.source, everything)
    ends = (graph.source, graph.target, graph.production, graph.consumption, graph.tokens)
    channels = Channels(in_first, in_channel, out_first, out_channel, *ends)
    left, entries = _iterate(channels, graph.execution_time, q, np.concatenate(([0], np.cumsum(q))))
    if left:
        raise StuckError(f"deadlock: {left} of {firings} firings of an iteration cannot happen")
    return MaxPlusMatrix(entries)


def maxplus_period(graph: SDFG) -> Fraction | None:
    """Return the eigenvalue of the iteration's matrix in time units; None in a deadlock.

    Zero where nothing limits the graph. Raises as :func:`iteration_matrix` otherwise.
    """
    try:
        value = iteration_matrix(graph).eigenvalue()
    except StuckError:
        return None
    return Fraction(0) if value is None else graph.units(value)
