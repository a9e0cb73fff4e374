"""Random graphs by seed: small ones of every kind for tests, large live ones for benchmarks."""

from __future__ import annotations

from math import gcd

import numpy as np

from optmap.sdf.graph import SDFG, sdfg
from optmap.sdf.marked_graph import MarkedGraph


def small_sdfg(
    rng: np.random.Generator,
    *,
    most_actors: int = 5,
    most_repetitions: int = 6,
    most_extra: int = 5,
    ring: bool = True,
) -> SDFG:
    """Return a small consistent multigraph: parallel channels, self-loops, zero times, deadlocks.

    With ``ring`` it is strongly connected.
    """
    n = int(rng.integers(1, most_actors + 1))
    q = rng.integers(1, most_repetitions + 1, n).tolist()
    pairs = [(a, (a + 1) % n) for a in range(n)] if ring else []
    pairs += rng.integers(0, n, (int(rng.integers(0, most_extra + 1)), 2)).tolist()
    channels = []
    for a, b in pairs:
        k, g = int(rng.integers(1, 3)), gcd(q[a], q[b])
        p, c = q[b] // g * k, q[a] // g * k
        tokens = int(rng.integers(0, 3)) * max(p, c) + int(rng.integers(0, p + c))
        channels.append((f"a{a}", f"a{b}", p, c, tokens))
    return sdfg([(f"a{a}", int(rng.integers(0, 6))) for a in range(n)], channels)


def small_marked(rng: np.random.Generator, *, least_tokens: int = 0) -> MarkedGraph:
    """Return a small marked multigraph; ``least_tokens`` below 0 gives negative edges."""
    n, m = int(rng.integers(1, 9)), int(rng.integers(0, 18))
    return MarkedGraph(
        n,
        rng.integers(0, n, m),
        rng.integers(0, n, m),
        rng.integers(0, 6, m),
        rng.integers(least_tokens, 4, m),
    )


def large_marked(num_actors: int, degree: int = 5, seed: int = 1) -> MarkedGraph:
    """Return a live strongly connected graph: a ring and random edges, in shuffled numbering.

    Ring edges hold 0 or 1 tokens (the last one 1), the others 1 to 9; delays are 1 to 99.
    """
    rng = np.random.default_rng(seed)
    n, m = num_actors, num_actors * degree
    ring = np.arange(n)
    source = np.concatenate((ring, rng.integers(0, n, m - n)))
    target = np.concatenate(((ring + 1) % n, rng.integers(0, n, m - n)))
    tokens = rng.integers(1, 10, m)
    tokens[:n] = rng.integers(0, 2, n)
    tokens[n - 1] = 1
    number = rng.permutation(n)
    return MarkedGraph(n, number[source], number[target], rng.integers(1, 100, m), tokens)


def large_sdfg(
    num_actors: int, num_channels: int, repetitions: int, seed: int = 1, *, machines: bool = False
) -> SDFG:
    """Return a live strongly connected graph whose repetitions sum to about ``repetitions``.

    Channels against the actors' order hold one iteration of tokens, those along it none. Actor
    repetitions are products of small primes, as rates of real applications are. With ``machines``
    every actor has a one-token self-loop.
    """
    rng = np.random.default_rng(seed)
    n = num_actors
    mean = max(1.0, repetitions / n)
    smooth = sorted(
        x
        for x in (2**i * 3**j * 5**k for i in range(14) for j in range(6) for k in range(4))
        if x <= 4 * mean
    )
    q = [smooth[i] for i in rng.integers(0, len(smooth), n)] if repetitions > n else [1] * n
    scale = repetitions / sum(q)
    if repetitions > n and scale > 1:
        q = [max(1, round(scale)) * x for x in q]
    pairs = [(a, (a + 1) % n) for a in range(n)]
    pairs += rng.integers(0, n, (num_channels - n, 2)).tolist()
    channels = []
    for a, b in pairs:
        g = gcd(q[a], q[b])
        p, c = q[b] // g, q[a] // g
        channels.append((f"a{a}", f"a{b}", p, c, 0 if a < b else q[a] * p))
    if machines:
        channels += [(f"a{a}", f"a{a}", 1, 1, 1) for a in range(n)]
    return sdfg([(f"a{a}", int(rng.integers(1, 100))) for a in range(n)], channels)
