"""Buffer capacities against enumeration of all distributions."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from sdf_graphs import small_sdfg

from optmap.sdf.buffers import (
    EndlessTradeOffError,
    SearchLimitError,
    minimal_capacities,
    pareto_points,
)
from optmap.sdf.capacities import least_capacities, with_capacities
from optmap.sdf.graph import SDFG, sdfg, with_auto_concurrency
from optmap.sdf.throughput import throughput

#: Stands for an unbounded throughput where numbers are compared.
ENDLESS = 10**9


def splits(parts: int, total: int) -> Iterator[tuple[int, ...]]:
    """Yield all ways to give at most ``total`` to ``parts`` channels."""
    if not parts:
        yield ()
        return
    for first in range(total + 1):
        for rest in splits(parts - 1, total - first):
            yield (first, *rest)


def by_enumeration(graph: SDFG, most: int) -> list[tuple[int, Fraction | int]]:
    """Oracle: the best throughput of every total up to ``most``, where it rises."""
    least = graph.tokens.tolist()
    best: dict[int, Fraction | int] = {}
    for more in splits(graph.num_channels, most - sum(least)):
        capacities = tuple(a + b for a, b in zip(least, more, strict=True))
        reached = throughput(with_capacities(graph, capacities)).throughput
        total = sum(capacities)
        best[total] = max(best.get(total, 0), ENDLESS if reached is None else reached)
    points, known = [], Fraction(0)
    for total in sorted(best):
        if best[total] > known:
            known = best[total]
            points.append((total, known))
    return points


def test_pareto_points_are_those_of_an_enumeration():
    rng = np.random.default_rng(5)
    counts: Counter[str] = Counter()
    while counts["compared"] < 60:
        graph = small_sdfg(rng, most_actors=3, most_repetitions=3, most_extra=1)
        try:
            points = pareto_points(graph)
        except EndlessTradeOffError:
            assert throughput(graph).status == "unbounded"
            continue
        if not points:
            assert throughput(graph).status == "deadlock"
            counts["deadlock"] += 1
            continue
        if points[-1].total - graph.tokens.sum() > 11:
            continue
        found = [(p.total, ENDLESS if p.throughput is None else p.throughput) for p in points]
        assert found == by_enumeration(graph, points[-1].total)
        for point in points:
            assert sum(point.capacities) == point.total
            bounded = with_capacities(graph, point.capacities)
            assert throughput(bounded, unfold=True).throughput == point.throughput
        counts["compared"] += 1
        counts["several points"] += len(points) > 2
    assert counts["deadlock"] >= 3
    assert counts["several points"] >= 10


def test_the_last_point_has_the_throughput_of_the_graph():
    chain = with_auto_concurrency(sdfg([("A", 2), ("B", 3)], [("A", "B", 3, 2, 1)]), 1)
    points = pareto_points(chain)
    assert points[-1].throughput == throughput(chain).throughput
    assert [p.throughput for p in points] == sorted({p.throughput for p in points})


def test_a_self_loop_claims_its_space_before_it_frees_any():
    loop = sdfg([("A", 4)], [("A", "A", 1, 1, 1)])
    assert least_capacities(loop)[0] == (2,)
    assert [(p.total, p.throughput) for p in pareto_points(loop)] == [(2, Fraction(1, 4))]


def test_least_capacities_are_needed():
    """One step less, and the channel never moves."""
    for p, c, d in [(2, 3, 0), (4, 6, 1), (1, 1, 0), (5, 2, 3), (2, 2, 7)]:
        graph = sdfg([("A", 1), ("B", 1)], [("A", "B", p, c, d)])
        (least,), (step,) = least_capacities(graph)
        assert throughput(with_capacities(graph, (least,))).status == "live"
        if least - step >= d:
            assert throughput(with_capacities(graph, (least - step,))).status == "deadlock"


def test_minimal_capacities_for_a_throughput():
    graph = with_auto_concurrency(sdfg([("A", 2), ("B", 2)], [("A", "B", 1, 1, 0)]), 1)
    half = minimal_capacities(graph, Fraction(1, 2))
    assert half is not None
    assert (half.capacities, half.total) == ((2, 2, 2), 6)
    quarter = minimal_capacities(graph, Fraction(1, 5))
    assert quarter is not None
    assert quarter.capacities == (1, 2, 2)
    assert minimal_capacities(graph, Fraction(2, 3)) is None


def test_fractional_times_scale_the_points():
    graph = with_auto_concurrency(
        sdfg([("A", Fraction(1, 2)), ("B", Fraction(1, 2))], [("A", "B", 1, 1, 0)]), 1
    )
    assert [p.throughput for p in pareto_points(graph)] == [Fraction(1), Fraction(2)]


def test_an_endless_trade_off_needs_a_target():
    graph = sdfg([("A", 2), ("B", 2)], [("A", "B", 1, 1, 0)])
    with pytest.raises(EndlessTradeOffError, match="ask for a throughput"):
        pareto_points(graph)
    point = minimal_capacities(graph, Fraction(3, 4))
    assert point is not None
    assert point.total == 3


def test_the_search_says_when_it_gives_up_and_what_it_has():
    rng = np.random.default_rng(3)
    n = 8
    channels = [(f"a{a}", f"a{(a + 1) % n}", 2, 2, 0 if a < n - 1 else 30) for a in range(n)]
    graph = sdfg([(f"a{a}", int(rng.integers(1, 20))) for a in range(n)], channels)
    with pytest.raises(SearchLimitError, match="more than 12 distributions") as caught:
        pareto_points(graph, most_distributions=12)
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.points == caught.value.points


def test_capacity_below_the_initial_tokens_is_refused():
    with pytest.raises(ValueError, match="holds 3 tokens, capacity 2"):
        with_capacities(sdfg([("A", 1)], [("A", "A", 1, 1, 3)]), (2,))


def test_a_search_whose_time_is_over_keeps_what_it_found():
    graph = sdfg(
        [("A", 2), ("B", 3), ("C", 1)],
        [("A", "B", 2, 3, 0), ("B", "C", 1, 2, 0), ("A", "A", 1, 1, 1), ("B", "B", 1, 1, 1)],
    )
    whole = pareto_points(graph)
    assert len(whole) > 1
    found: list[int] = []
    for most in range(40):
        looks, text = iter(range(most)), "the time is over"
        try:
            points = pareto_points(graph, expired=lambda looks=looks: next(looks, None) is None)
        except SearchLimitError as error:
            again = pickle.loads(pickle.dumps(error))
            points, text = again.points, str(again)
            assert points == [point for point in whole if point.total < again.below]
        assert "the time is over" in text
        assert points == whole[: len(points)]
        found.append(len(points))
    assert found == sorted(found)
    assert (found[0], found[-1]) == (0, len(whole))
    assert found[len(found) // 2] > 0 or len(set(found)) > 2
