"""The referee in Python's unbounded integers: slow, short, used where int64 would overflow.

Reiter's method: start from the ratio of any cycle and, while the graph weighted with
``q * delay - p * tokens`` has a positive cycle, take that cycle's ratio.

References
----------
.. [1] R. Reiter, "Scheduling parallel computations", J. ACM 15(4), 1968.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def longest_walks(
    num_actors: int, source: Sequence[int], target: Sequence[int], weight: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Return (value, []) with the least non-negative values, or ([], a positive cycle).

    ``value[b] >= value[a] + weight`` for every edge a -> b. Bellman and Ford, O(n m).
    """
    value, chosen = [0] * num_actors, [-1] * num_actors
    edges = list(zip(source, target, weight, strict=True))
    for _ in range(num_actors + 1):
        changed = -1
        for e, (a, b, w) in enumerate(edges):
            if value[a] + w > value[b]:
                value[b], chosen[b] = value[a] + w, e
                changed = b
        if changed < 0:
            return value, []
        cycle = _cycle_of(chosen, source)
        if cycle:
            return [], cycle
    raise AssertionError("Bellman-Ford neither settled nor closed a cycle")


def _cycle_of(chosen: Sequence[int], source: Sequence[int]) -> list[int]:
    """Return the edges of a cycle among the chosen edges in, in firing order, else []."""
    seen = [-1] * len(chosen)
    for start in range(len(chosen)):
        u = start
        while seen[u] < 0 and chosen[u] >= 0:
            seen[u] = start
            u = source[chosen[u]]
        if chosen[u] >= 0 and seen[u] == start:
            cycle, v = [chosen[u]], source[chosen[u]]
            while v != u:
                cycle.append(chosen[v])
                v = source[chosen[v]]
            return cycle[::-1]
    return []


def cycle_without_tokens(
    num_actors: int, source: Sequence[int], target: Sequence[int], tokens: Sequence[int]
) -> list[int]:
    """Return the edges of a cycle whose tokens sum to zero or less, else []."""
    # A cycle has at most num_actors edges, hence at most that much is added to (n + 1) * sum.
    weight = [1 - (num_actors + 1) * t for t in tokens]
    return longest_walks(num_actors, source, target, weight)[1]


def exact_cycle_ratio(
    num_actors: int,
    source: Sequence[int],
    target: Sequence[int],
    delay: Sequence[int],
    tokens: Sequence[int],
) -> tuple[Fraction | None, list[int]]:
    """Return the maximum cycle ratio and a critical cycle of a graph without deadlock."""
    ratio: Fraction | None = None
    critical: list[int] = []
    cycle = longest_walks(num_actors, source, target, [1] * len(source))[1]
    while cycle:
        critical = cycle
        ratio = Fraction(sum(delay[e] for e in cycle), sum(tokens[e] for e in cycle))
        p, q = ratio.numerator, ratio.denominator
        weight = [q * d - p * t for d, t in zip(delay, tokens, strict=True)]
        cycle = longest_walks(num_actors, source, target, weight)[1]
    return ratio, critical
