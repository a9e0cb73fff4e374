"""Listing the crossbars that so few could be made of, and covering with them, by enumeration."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import oracles
import pytest

from formulations.clustering.column_generation import solve as partition_colgen
from formulations.clustering.column_generation.column_cover import can_do
from formulations.clustering.column_generation.column_listing import columns_worth
from formulations.clustering.column_generation.pricing import Pricer
from formulations.clustering.sets import kinds_worth_having
from formulations.clustering.verify_certificate import verify
from formulations.solvers.stopwatch import Stopwatch
from optmap.clock import counted
from optmap.clustering.kernels.classes import classes_of
from optmap.clustering.overlap import partition
from optmap.decomposing.contract import decompose
from optmap.generators.generate import generate
from optmap.model.certificate import PriceCertificate
from optmap.model.outcome import Limits, Status

LIMITS = Limits(wall_s=60.0)


def pricers_of(seed: int, units: int) -> tuple[list[Pricer], np.ndarray, int]:
    """Return the pricers of a random case, random prices, and the fewest clusters."""
    case = oracles.random_partition_case(seed, units=units)
    classes = classes_of(case[0].network)
    prices = np.random.default_rng(seed).integers(0, 9, size=classes.num_classes)
    pricers = [Pricer(classes, r, c) for r, c in kinds_worth_having(case[1])]
    return pricers, prices.astype(np.int64), oracles.fewest_clusters(*case)


def answers(seed: int, units: int) -> list[bool | None]:
    """Return what is said of one crossbar too few, and of enough."""
    pricers, prices, fewest = pricers_of(seed, units)
    closed = [p.closed(prices, 0, 1.0) for p in pricers]
    watch = Stopwatch(LIMITS)
    return [
        can_do(pricers, prices, closed, most, watch, 20.0, 1).possible
        for most in (fewest - 1, fewest)
    ]


@pytest.mark.parametrize("seed", range(40))
def test_it_decides_as_enumeration_does(seed: int) -> None:
    assert answers(seed, 6) == [False, True]


@pytest.mark.full
@pytest.mark.parametrize("seed", range(300, 600))
def test_it_decides_as_enumeration_does_on_larger_ones(seed: int) -> None:
    assert answers(seed, 8) == [False, True]


@pytest.mark.parametrize("seed", range(30))
def test_every_crossbar_worth_so_much_is_inside_a_listed_one(seed: int) -> None:
    pricers, prices, _ = pricers_of(seed, 6)
    for pricer in pricers:
        classes, closed = pricer.classes, pricer.closed(prices, 0, 1.0)
        least = int(closed[-1]) * 2 // 3
        listed = columns_worth(pricer, prices, least, closed)
        assert listed is not None
        units = [q for q, n in enumerate(classes.size.tolist()) for _ in range(n)]
        for size in range(1, min(len(units), pricer.columns) + 1):
            for chosen in combinations(units, size):
                held = {q: chosen.count(q) for q in chosen}
                worth = sum(int(prices[q]) * n for q, n in held.items())
                if worth >= least and classes.rows_of(list(held)) <= pricer.rows:
                    assert any(all(col.get(q, 0) >= n for q, n in held.items()) for col in listed)
        for column in listed:
            assert classes.rows_of(list(column)) <= pricer.rows
            assert sum(column.values()) <= pricer.columns


def test_too_many_crossbars_are_no_answer() -> None:
    pricers, prices, _ = pricers_of(3, 6)
    closed = [p.closed(prices, 0, 1.0) for p in pricers]
    assert columns_worth(pricers[0], prices, 0, closed[0], most_columns=1) is None
    assert columns_worth(pricers[0], prices, 0, closed[0], most_labels=2) is None


def test_a_certificate_that_searched_is_searched_again() -> None:
    """What a search adds to prices of 1 is believed only as far as it is true."""
    decomposition = decompose(generate("gen:filter-8"), 32, "tree")
    platform = oracles.mesh([(32, 32)])
    fewest = partition_colgen.solve(decomposition, platform, LIMITS).claimed
    ones = (1,) * decomposition.num_units
    pricer = Pricer(classes_of(decomposition.network), 32, 32)
    most = pricer.bound(np.ones(pricer.classes.num_classes, dtype=np.int64), 0, 2.0)
    plain = PriceCertificate("as given", ((32, 32, 1),), ones, most)
    right = PriceCertificate("as given", plain.kinds, ones, most, fewest - plain.bound)
    assert right.bound == fewest
    assert verify(right, decomposition, platform, LIMITS).holds is True
    wrong = PriceCertificate("as given", plain.kinds, ones, most, fewest - plain.bound + 1)
    assert verify(wrong, decomposition, platform, LIMITS).holds is False


@pytest.mark.full
def test_sixteen_by_sixteen_outputs_are_proved() -> None:
    """The fractional master says 20, and 20 crossbars are impossible: 21 is optimal.

    Twenty units of counted work suffice: a search that is given up proves nothing.
    """
    decomposition = decompose(generate("gen:filter-32"), 64, "tree")
    platform = oracles.mesh([(64, 64)])
    warm = partition(decomposition, platform, seed=0)
    with counted():
        outcome = partition_colgen.solve(decomposition, platform, Limits(wall_s=20.0), warm)
    certificate = outcome.certificate
    assert (outcome.status, outcome.claimed, outcome.bound) == (Status.OPTIMAL, 21, 21)
    assert certificate is not None
    assert certificate.bound == 21
    assert verify(certificate, decomposition, platform, Limits(wall_s=300.0)).holds is True
