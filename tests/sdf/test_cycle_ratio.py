"""Maximum cycle ratio and earliest schedule: hand-checked, enumeration, exact referee, limits."""

from __future__ import annotations

import pickle
from fractions import Fraction
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sdf_graphs import large_marked, small_marked

from optmap.errors import DeadlockError
from optmap.sdf import exact
from optmap.sdf.cycle_ratio import earliest_schedule, maximum_cycle_ratio, retimed
from optmap.sdf.marked_graph import MarkedGraph

SEEDS = st.integers(0, 10**6)


def lists(graph: MarkedGraph) -> tuple[list[int], list[int], list[int], list[int]]:
    return (
        graph.source.tolist(),
        graph.target.tolist(),
        graph.delay.tolist(),
        graph.tokens.tolist(),
    )


def by_enumeration(graph: MarkedGraph) -> str | Fraction | None:
    """Oracle: look at every simple cycle, parallel edges apart; "deadlock", a ratio or None."""
    # An edge becomes a node of its own, so that parallel edges stay distinct cycles.
    split = nx.DiGraph()
    for e, (a, b) in enumerate(zip(graph.source.tolist(), graph.target.tolist(), strict=True)):
        split.add_edge(("actor", a), ("edge", e))
        split.add_edge(("edge", e), ("actor", b))
    best: Fraction | None = None
    for cycle in nx.simple_cycles(split):
        edges = [number for kind, number in cycle if kind == "edge"]
        tokens = int(graph.tokens[edges].sum())
        if tokens <= 0:
            return "deadlock"
        ratio = Fraction(int(graph.delay[edges].sum()), tokens)
        best = ratio if best is None else max(best, ratio)
    return best


def assert_is_cycle(graph: MarkedGraph, cycle: list[int]) -> None:
    assert len(set(cycle)) == len(cycle)
    for e, f in pairwise([*cycle, cycle[0]]):
        assert graph.target[e] == graph.source[f]


def solved(graph: MarkedGraph) -> str | Fraction | None:
    """Return what the kernel says, after checking that its cycle shows it."""
    try:
        ratio, cycle = maximum_cycle_ratio(graph)
    except DeadlockError as error:
        stuck, names = error.cycle, error.names
    else:
        stuck, names = [], []
    if stuck:
        assert_is_cycle(graph, stuck)
        assert graph.tokens[stuck].sum() <= 0
        assert names == [str(a) for a in graph.source[stuck]]
        return "deadlock"
    if ratio is None:
        assert cycle == []
        return None
    assert_is_cycle(graph, cycle)
    assert Fraction(int(graph.delay[cycle].sum()), int(graph.tokens[cycle].sum())) == ratio
    return ratio


def test_two_actors_in_a_loop():
    graph = MarkedGraph(2, [0, 1], [1, 0], [3, 2], [0, 1])
    assert maximum_cycle_ratio(graph) == (Fraction(5), [0, 1])


def test_the_longer_of_two_parallel_edges_counts():
    graph = MarkedGraph(2, [0, 0, 1], [1, 1, 0], [3, 7, 2], [0, 0, 1])
    assert maximum_cycle_ratio(graph) == (Fraction(9), [1, 2])


def test_the_slower_of_two_components_counts():
    graph = MarkedGraph(3, [0, 1, 1, 2], [0, 1, 2, 2], [3, 5, 100, 4], [1, 2, 0, 1])
    assert maximum_cycle_ratio(graph) == (Fraction(4), [3])


def test_nothing_bounds_a_graph_without_cycle():
    assert maximum_cycle_ratio(MarkedGraph(3, [0, 1], [1, 2], [3, 5], [0, 0])) == (None, [])
    assert maximum_cycle_ratio(MarkedGraph(0, [], [], [], [])) == (None, [])


def test_cycles_without_delay_have_ratio_zero():
    assert maximum_cycle_ratio(MarkedGraph(2, [0, 1], [1, 0], [0, 0], [1, 0])) == (0, [0, 1])


def test_a_negative_edge_is_paid_by_the_rest_of_its_cycle():
    assert maximum_cycle_ratio(MarkedGraph(2, [0, 1], [1, 0], [3, 2], [-1, 3]))[0] == Fraction(5, 2)


def test_the_deadlocked_cycle_is_named():
    graph = MarkedGraph(3, [0, 0, 1, 2], [0, 1, 2, 1], [1, 1, 1, 1], [1, 0, 0, 0])
    with pytest.raises(DeadlockError, match="1 -> 2 -> 1") as caught:
        maximum_cycle_ratio(graph)
    assert caught.value.cycle == [2, 3]
    assert pickle.loads(pickle.dumps(caught.value)).cycle == [2, 3]


@pytest.mark.parametrize("tokens", [[-1, 1], [-2, 1]])
def test_a_negative_edge_can_deadlock(tokens: list[int]):
    with pytest.raises(DeadlockError):
        maximum_cycle_ratio(MarkedGraph(2, [0, 1], [1, 0], [3, 2], tokens))


@given(SEEDS, st.sampled_from([0, 0, 1, -1]))
def test_agrees_with_enumeration_of_simple_cycles(seed: int, least_tokens: int):
    graph = small_marked(np.random.default_rng(seed), least_tokens=least_tokens)
    assert solved(graph) == by_enumeration(graph)


def test_agrees_with_the_exact_referee_on_two_thousand_graphs():
    rng = np.random.default_rng(7)
    kinds = set()
    for round_ in range(2000):
        graph = small_marked(rng, least_tokens=(0, 1, -1)[round_ % 3])
        source, target, delay, tokens = lists(graph)
        found = solved(graph)
        kinds.add(found if found in ("deadlock", None) else "live")
        if exact.cycle_without_tokens(graph.num_actors, source, target, tokens):
            assert found == "deadlock"
        else:
            arguments = graph.num_actors, source, target, delay, tokens
            assert found == exact.exact_cycle_ratio(*arguments)[0]
    assert kinds == {"deadlock", None, "live"}


@pytest.mark.parametrize("num_actors", [50, 1000, 5000])
def test_large_graphs_are_proved_optimal(num_actors: int):
    """A ratio with a cycle that has it, and a schedule at that period, prove each other."""
    graph = large_marked(num_actors)
    ratio = solved(graph)
    assert isinstance(ratio, Fraction)
    starts = earliest_schedule(graph, ratio)
    p, q = ratio.numerator, ratio.denominator
    slack = starts[graph.target] - starts[graph.source] - q * graph.delay + p * graph.tokens
    assert slack.min() == 0


def test_delays_near_the_limit_of_64_bits_are_exact():
    """The kernel gives up, the referee answers: numerators beyond 64 bits included."""
    big = 2**62 - 1
    graph = MarkedGraph(3, [0, 1, 2, 0], [1, 2, 0, 0], [big, big, big - 2, 5], [1, 0, 1, 1])
    ratio, cycle = maximum_cycle_ratio(graph)
    assert ratio == Fraction(3 * big - 2, 2)
    assert cycle == [0, 1, 2]


def test_tokens_near_the_limit_of_64_bits_are_exact():
    big = 2**62 - 1
    graph = MarkedGraph(2, [0, 1, 0], [1, 0, 0], [7, 5, 1], [big, big, big])
    assert maximum_cycle_ratio(graph)[0] == Fraction(12, 2 * big)
    with pytest.raises(DeadlockError):
        maximum_cycle_ratio(MarkedGraph(2, [0, 1, 0], [1, 0, 0], [7, 5, big], [big, -big, 1]))


def test_ratios_that_floats_cannot_tell_apart_are_told_apart():
    a, b = 10**9 + 7, 10**9 + 9
    # (a * b + 1) / b > a: the difference is 1e-9 of 1e9, far below a float's resolution there.
    graph = MarkedGraph(2, [0, 1], [0, 1], [a * b, a * b + 1], [b, b])
    assert maximum_cycle_ratio(graph) == (Fraction(a * b + 1, b), [1])


@given(SEEDS, st.sampled_from([0, -1]))
def test_the_earliest_schedule_is_the_least_one(seed: int, least_tokens: int):
    graph = small_marked(np.random.default_rng(seed), least_tokens=least_tokens)
    found = solved(graph)
    if found == "deadlock":
        return
    source, target, delay, tokens = lists(graph)
    for period in [Fraction(3)] if found is None else [found, found + Fraction(1, 3)]:
        p, q = period.numerator, period.denominator
        weight = [q * d - p * t for d, t in zip(delay, tokens, strict=True)]
        least, _ = exact.longest_walks(graph.num_actors, source, target, weight)
        assert earliest_schedule(graph, period).tolist() == least
    if found:
        with pytest.raises(ValueError, match="a cycle of"):
            earliest_schedule(graph, found - Fraction(1, 10**6))


def test_a_schedule_beyond_64_bits_is_exact():
    big = 2**61
    graph = MarkedGraph(3, [0, 1, 2], [1, 2, 0], [big, big, big], [0, 0, 1])
    assert earliest_schedule(graph, Fraction(3 * big)).tolist() == [0, big, 2 * big]
    assert earliest_schedule(graph, Fraction(9 * big + 1, 3)).tolist() == [0, 3 * big, 6 * big]
    with pytest.raises(ValueError, match="period"):
        earliest_schedule(graph, Fraction(3 * big - 1))


@given(SEEDS)
def test_retiming_keeps_the_tokens_of_cycles(seed: int):
    rng = np.random.default_rng(seed)
    graph = small_marked(rng, least_tokens=0)
    offset = rng.integers(0, 5, graph.num_actors)
    shifted = graph.tokens + offset[graph.target] - offset[graph.source]
    moved = MarkedGraph(graph.num_actors, graph.source, graph.target, graph.delay, shifted)
    assert retimed(moved).min(initial=0) >= 0
    back = MarkedGraph(graph.num_actors, graph.source, graph.target, graph.delay, retimed(moved))
    assert solved(back) == solved(moved) == solved(graph)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (([0], [2], [1], [1]), "join actors 0..2"),
        (([-1], [0], [1], [1]), "join actors -1..0"),
        (([0], [1], [-1], [1]), "delay -1"),
        (([0], [1, 0], [1], [1]), "shapes"),
        (([0], [1], [1.5], [1]), "do not fit int64"),
    ],
)
def test_broken_graphs_cannot_be_made(arrays: tuple, message: str):
    with pytest.raises(ValueError, match=message):
        MarkedGraph(2, *arrays)


def test_graphs_are_frozen_copies():
    delay = np.array([3, 2])
    graph = MarkedGraph(2, [0, 1], [1, 0], delay, [0, 1])
    delay[0] = 100
    assert graph.delay.tolist() == [3, 2]
    with pytest.raises(ValueError, match="read-only"):
        graph.delay[0] = 1


def test_negative_tokens_far_from_where_they_are_paid_for():
    """A ring of 2,000 actors owes a token at one end and has two at the other."""
    n = 2_000
    source, target = np.arange(n), (np.arange(n) + 1) % n
    tokens = np.zeros(n, dtype=np.int64)
    tokens[n // 2], tokens[n // 2 - 1] = -1, 2
    ring = MarkedGraph(n, source, target, np.ones(n, dtype=np.int64), tokens)
    assert maximum_cycle_ratio(ring)[0] == n
    moved = retimed(ring)
    assert moved.min() >= 0
    assert moved.sum() == 1
