"""Consistency and the repetition vector: how often each actor fires in one iteration."""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm
from typing import Any

import numpy as np

from optmap.compiled import compiled
from optmap.sdf.graph import SDFG
from optmap.sdf.longest_path import LIMIT


class InconsistentError(ValueError):
    """No number of firings balances the channels: tokens would pile up or run out.

    Parameters
    ----------
    channel : str
        A channel that contradicts the others.
    message : str
        The contradiction in numbers.
    """

    def __init__(self, channel: str, message: str) -> None:
        self.channel, self.message = channel, message
        super().__init__(f"inconsistent rates at channel {channel!r}: {message}")

    def __reduce__(self) -> tuple[type[InconsistentError], tuple[str, str]]:
        """Rebuild from the parts, so that the error crosses process borders."""
        return type(self), (self.channel, self.message)


@compiled
def _to_whole_numbers(part: Any, numerator: Any, denominator: Any) -> Any:
    """Scale a part's fractions to the smallest whole ones, in ``numerator``; False: too large."""
    scale, common = 1, 0
    for a in part:
        step = denominator[a] // gcd(scale, denominator[a])
        if float(scale) * float(step) > LIMIT:
            return False
        scale *= step
    for a in part:
        if float(numerator[a]) * float(scale // denominator[a]) > LIMIT:
            return False
        numerator[a] *= scale // denominator[a]
        common = gcd(numerator[a], common)
    for a in part:
        numerator[a] //= common
    return True


@compiled
def _balance(num_actors: int, source: Any, target: Any, production: Any, consumption: Any) -> Any:
    """Return (balanced, q) in int64; not balanced also where a number would leave int64.

    Within a weakly connected part, fractions spread from its first actor along the channels; the
    part is then scaled to the smallest whole numbers.
    """
    m = len(source)
    numerator = np.zeros(num_actors, dtype=np.int64)
    denominator = np.ones(num_actors, dtype=np.int64)
    indptr = np.zeros(num_actors + 1, dtype=np.int64)
    for c in range(m):
        indptr[source[c] + 1] += 1
        indptr[target[c] + 1] += 1
    for a in range(num_actors):
        indptr[a + 1] += indptr[a]
    place = indptr[:-1].copy()
    touching = np.empty(2 * m, dtype=np.int64)
    for c in range(m):
        touching[place[source[c]]] = c
        place[source[c]] += 1
        touching[place[target[c]]] = c
        place[target[c]] += 1
    part = np.empty(num_actors, dtype=np.int64)
    for start in range(num_actors):
        if numerator[start]:
            continue
        numerator[start] = 1
        part[0] = start
        size, done = 1, 0
        while done < size:
            a = part[done]
            done += 1
            for i in range(indptr[a], indptr[a + 1]):
                c = touching[i]
                if source[c] == a:
                    b, up, down = target[c], production[c], consumption[c]
                else:
                    b, up, down = source[c], consumption[c], production[c]
                if numerator[b]:
                    continue
                cross = gcd(numerator[a], down)
                other = gcd(up, denominator[a])
                if (
                    float(numerator[a] // cross) * float(up // other) > LIMIT
                    or float(denominator[a] // other) * float(down // cross) > LIMIT
                ):
                    return False, numerator
                numerator[b] = (numerator[a] // cross) * (up // other)
                denominator[b] = (denominator[a] // other) * (down // cross)
                part[size] = b
                size += 1
        if not _to_whole_numbers(part[:size], numerator, denominator):
            return False, numerator
    for c in range(m):
        if float(numerator[source[c]]) * float(production[c]) > LIMIT:
            return False, numerator
        if float(numerator[target[c]]) * float(consumption[c]) > LIMIT:
            return False, numerator
        if numerator[source[c]] * production[c] != numerator[target[c]] * consumption[c]:
            return False, numerator
    return True, numerator


def repetition_vector(graph: SDFG) -> list[int]:
    """Return the smallest positive q with q[source] * production = q[target] * consumption.

    Parts of the graph that no channel joins are each scaled to their own smallest numbers.

    Raises
    ------
    InconsistentError
        If there is none; it names a channel that contradicts the others.

    Examples
    --------
    >>> from optmap.sdf.graph import sdfg
    >>> repetition_vector(sdfg([("A", 1), ("B", 1)], [("A", "B", 3, 2, 0)]))
    [2, 3]
    """
    balanced, q = _balance(
        graph.num_actors, graph.source, graph.target, graph.production, graph.consumption
    )
    vector: list[int] = q.tolist() if balanced else _balance_exactly(graph)
    return vector


def _balance_exactly(graph: SDFG) -> list[int]:
    """Balance in unbounded integers; says what contradicts where nothing balances."""
    channels = list(
        zip(
            graph.source.tolist(),
            graph.target.tolist(),
            graph.production.tolist(),
            graph.consumption.tolist(),
            strict=True,
        )
    )
    touching: list[list[int]] = [[] for _ in range(graph.num_actors)]
    for c, (a, b, _, _) in enumerate(channels):
        touching[a].append(c)
        touching[b].append(c)
    rate: list[Fraction | None] = [None] * graph.num_actors
    vector = [0] * graph.num_actors
    for start in range(graph.num_actors):
        if rate[start] is not None:
            continue
        rate[start] = Fraction(1)
        part, seen = [start], {start: Fraction(1)}
        for a in part:
            for c in touching[a]:
                source, target, up, down = channels[c]
                b, factor = (
                    (target, Fraction(up, down)) if source == a else (source, Fraction(down, up))
                )
                if b not in seen:
                    rate[b] = seen[b] = seen[a] * factor
                    part.append(b)
                if seen[source] * up != seen[target] * down:
                    names = graph.actor_names
                    raise InconsistentError(
                        graph.channel_names[c],
                        f"{names[source]} puts {up} tokens a firing, {names[target]} takes {down},"
                        f" yet other channels make {names[target]} fire"
                        f" {seen[target] / seen[source]} times per firing of {names[source]}",
                    )
        scale = lcm(*(f.denominator for f in seen.values()))
        whole = {a: int(f * scale) for a, f in seen.items()}
        common = gcd(*whole.values())
        for a, count in whole.items():
            vector[a] = count // common
    return vector
