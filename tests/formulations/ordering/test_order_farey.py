"""Neighbouring fractions and implied distances, against brute force."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from random import Random

import numpy as np
import pytest

from formulations.ordering.farey import above, at_least, below
from formulations.ordering.horizon import decide_pairs, longest_paths, start_ranges, tighten

MOST = 6
SOME = sorted({Fraction(p, q) for q in range(1, MOST + 1) for p in range(0, 5 * q)})


@pytest.mark.parametrize("value", [*SOME[1:-1], Fraction(17, 7), Fraction(31, 11)])
def test_neighbours_are_the_nearest_of_small_denominator(value: Fraction):
    assert below(value, MOST) == max(f for f in SOME if f < value)
    assert above(value, MOST) == min([f for f in SOME if f > value], default=Fraction(5))
    assert at_least(value, MOST) == min(f for f in SOME if f >= value)


@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize("value", [*SOME[1:], Fraction(17, 7)])
def test_neighbours_of_few_denominators(value: Fraction, most: int):
    some = {Fraction(p, q) for q in range(1, most + 1) for p in range(6 * q + 1)}
    assert below(value, most) == max(f for f in some if f < value)
    assert above(value, most) == min(f for f in some if f > value)
    assert at_least(value, most) == min(f for f in some if f >= value)


def test_denominators_below_one_are_refused():
    with pytest.raises(ValueError, match="expected at least 1"):
        below(Fraction(1), 0)


def test_positive_cycle_has_no_distances():
    assert longest_paths(2, [(0, 1, 3), (1, 0, -2)]) is None
    dist = longest_paths(2, [(0, 1, 3), (1, 0, -3)])
    assert dist is not None
    assert not tighten(dist, (1, 0, -2))


def test_one_way_paths_have_no_ranges():
    dist = longest_paths(2, [(0, 1, 3)])
    assert dist is not None
    with pytest.raises(ValueError, match="one way only"):
        start_ranges(dist)


def random_arcs(random: Random, n: int) -> list[tuple[int, int, int]]:
    """Return arcs in pairs, so that every component is joined both ways."""
    arcs = []
    for _ in range(random.randint(1, n)):
        a, b = random.sample(range(n), 2)
        arcs += [(a, b, random.randint(-2, 2)), (b, a, random.randint(-3, -1))]
    return arcs


@pytest.mark.parametrize("seed", range(40))
def test_ranges_hold_every_anchored_schedule_and_no_more(seed: int):
    n = 4
    arcs = random_arcs(Random(seed), n)
    dist = longest_paths(n, arcs)
    every = [
        s for s in product(range(-9, 10), repeat=n) if all(s[b] - s[a] >= w for a, b, w in arcs)
    ]
    if dist is None:
        assert not every
        return
    first = (dist > -(2**61)).argmax(axis=1)
    anchored = np.array([s for s in every if all(s[c] == 0 for c in first)])
    found = list(zip(anchored.min(axis=0), anchored.max(axis=0), strict=True))
    assert start_ranges(dist) == found
    shifted = start_ranges(dist, slack=3)
    assert shifted == [(low, high + 2) for low, high in found]


@pytest.mark.parametrize("seed", range(40))
def test_decided_pairs_are_those_that_no_schedule_reverses(seed: int):
    random, n = Random(seed), 3
    arcs = random_arcs(random, n)
    time = [random.randint(1, 3) for _ in range(n)]
    dist = longest_paths(n, arcs)
    if dist is None:
        return
    decided = decide_pairs(dist, [[0, 1, 2]], time)
    schedules = [
        s
        for s in product(range(10), repeat=n)
        if all(s[b] - s[a] >= w for a, b, w in arcs)
        and all(
            s[a] + time[a] <= s[b] or s[b] + time[b] <= s[a] for a, b in ((0, 1), (0, 2), (1, 2))
        )
    ]
    if decided is None:
        assert not schedules
        return
    for a, b in decided:
        assert all(s[a] < s[b] for s in schedules)
