"""Throughput by every algorithm: self-timed = cycle ratio = eigenvalue; repetitions; expansion."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sdf_graphs import large_sdfg, small_sdfg

from optmap.sdf import throughput as throughput_module
from optmap.sdf.algorithms import ALGORITHMS, by_algorithm
from optmap.sdf.expansion import expand, num_edges
from optmap.sdf.graph import SDFG, sdfg, with_auto_concurrency
from optmap.sdf.iteration_matrix import iteration_matrix
from optmap.sdf.parts import is_strongly_connected, parts_on_cycles
from optmap.sdf.repetition import InconsistentError, repetition_vector
from optmap.sdf.selftimed import TooLongError, regime, selftimed_period
from optmap.sdf.throughput import throughput

SEEDS = st.integers(0, 10**6)

#: The published LeNet-MNIST graph of the DFSynthesizer tutorial: (source, target, rate = tokens).
LENET = [
    (0, 1, 2), (0, 2, 2), (1, 0, 2), (1, 5, 2), (2, 1, 3), (2, 5, 3), (3, 1, 1), (3, 5, 1),
    (4, 0, 2), (4, 1, 2), (5, 3, 3), (5, 1, 3), (7, 0, 1),
]  # fmt: skip


def agree(graph: SDFG) -> str:
    """Return the status that all algorithms agree on."""
    found = {algorithm: by_algorithm(graph, algorithm) for algorithm in ALGORITHMS}
    assert len({(result.status, result.period) for result in found.values()}) == 1, found
    return found["unfold"].status


@pytest.fixture
def always_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let K grow cycle by cycle even where unfolding at once would be chosen."""
    monkeypatch.setattr(throughput_module, "SMALL_UNFOLDING", 0)
    monkeypatch.setattr(throughput_module, "_enough", lambda graph, q, grown, rounds: grown)


@pytest.mark.usefixtures("always_grow")
def test_all_algorithms_agree_on_a_thousand_strongly_connected_graphs():
    rng = np.random.default_rng(11)
    counts = Counter(agree(small_sdfg(rng)) for _ in range(1000))
    assert min(counts["live"], counts["deadlock"], counts["unbounded"]) >= 10


@given(SEEDS)
@pytest.mark.usefixtures("always_grow")
def test_all_algorithms_agree_where_graphs_fall_apart(seed: int):
    agree(small_sdfg(np.random.default_rng(seed), ring=False, most_actors=6, most_extra=9))


@given(SEEDS, st.integers(1, 3))
def test_all_algorithms_agree_with_auto_concurrency_limited(seed: int, limit: int):
    agree(with_auto_concurrency(small_sdfg(np.random.default_rng(seed)), limit))


@given(SEEDS)
def test_the_critical_cycle_alone_has_the_graph_s_throughput(seed: int):
    """The channels of the critical cycle, cut out as a graph, explain the whole period."""
    graph = small_sdfg(np.random.default_rng(seed))
    result = throughput(graph)
    if result.status == "unbounded":
        return
    actors = sorted({int(graph.source[c]) for c in result.cycle})
    alone = sdfg(
        [(graph.actor_names[a], int(graph.execution_time[a])) for a in actors],
        [
            (
                graph.actor_names[graph.source[c]],
                graph.actor_names[graph.target[c]],
                int(graph.production[c]),
                int(graph.consumption[c]),
                int(graph.tokens[c]),
            )
            for c in sorted(set(result.cycle))
        ],
    )
    explained = throughput(alone, unfold=True)
    assert explained.status == result.status
    if result.period is not None:
        scale = result.repetitions[actors[0]] // explained.repetitions[0]
        assert explained.period * scale == result.period


def test_lenet_mnist_runs_at_one_sixteenth():
    names = [str(a) for a in (0, 1, 2, 3, 4, 5, 7)]
    channels = [(str(a), str(b), rate, rate, rate) for a, b, rate in LENET]
    result = throughput(sdfg([(name, 16) for name in names], channels))
    assert result.throughput == Fraction(1, 16)
    assert result.repetitions == (1,) * 7


def test_channels_in_both_directions_of_many_rates():
    graph = sdfg([("A", 4), ("B", 1)], [("A", "B", 2, 1, 0), ("B", "A", 1, 2, 2)])
    result = throughput(graph)
    assert (result.status, result.period, result.throughput) == ("live", 5, Fraction(1, 5))
    assert (result.rate(0), result.rate(1)) == (Fraction(1, 5), Fraction(2, 5))


def test_auto_concurrency_is_a_parameter():
    graph = sdfg([("A", 6)], [("A", "A", 1, 1, 3)])
    assert throughput(graph).period == 2
    assert throughput(with_auto_concurrency(graph, 2)).period == 3
    assert throughput(with_auto_concurrency(graph, 1)).period == 6
    with pytest.raises(ValueError, match="auto-concurrency 0"):
        with_auto_concurrency(graph, 0)


def test_fractional_times_are_exact():
    graph = sdfg([("A", Fraction(1, 3)), ("B", Fraction(5, 7))], [("A", "B", 1, 1, 0)])
    assert throughput(with_auto_concurrency(graph, 1)).period == Fraction(5, 7)


def test_a_deadlock_names_its_cycle():
    graph = sdfg([("A", 1), ("B", 1)], [("A", "B", 3, 2, 0), ("B", "A", 2, 3, 2)])
    result = throughput(graph)
    assert (result.status, result.throughput, result.period) == ("deadlock", 0, None)
    assert sorted(result.cycle) == [0, 1]


def test_no_algorithm_answers_for_an_inconsistent_graph():
    graph = sdfg([("A", 1), ("B", 1)], [("A", "B", 3, 2, 0), ("B", "A", 2, 2, 2)])
    with pytest.raises(InconsistentError, match="channel 'c1'") as caught:
        repetition_vector(graph)
    assert caught.value.channel == "c1"
    for algorithm in ALGORITHMS:
        result = by_algorithm(graph, algorithm)
        assert (result.status, result.period, result.throughput) == ("inconsistent", None, None)
        assert "other channels make A fire 2/3 times per firing of B" in result.message


def test_an_inconsistent_self_loop_is_named():
    with pytest.raises(InconsistentError, match="'c0'"):
        repetition_vector(sdfg([("A", 1)], [("A", "A", 1, 2, 5)]))


@given(SEEDS)
def test_the_repetition_vector_balances_and_is_the_smallest(seed: int):
    graph = small_sdfg(np.random.default_rng(seed), ring=False, most_actors=7)
    q = np.array(repetition_vector(graph))
    assert (q[graph.source] * graph.production == q[graph.target] * graph.consumption).all()
    assert q.min() >= 1
    parts, loose = parts_on_cycles(graph)
    assert sorted([a for part in parts for a in part.actors] + loose) == list(range(len(q)))


def test_parts_that_nothing_joins_have_their_own_smallest_repetitions():
    graph = sdfg(
        [("A", 1), ("B", 1), ("C", 1), ("D", 1)], [("A", "B", 2, 4, 0), ("C", "D", 3, 1, 0)]
    )
    assert repetition_vector(graph) == [2, 1, 1, 3]


def test_repetitions_beyond_64_bits_are_exact():
    """A chain that multiplies by 2^31 three times leaves int64."""
    names = ["A", "B", "C", "D"]
    channels = [(a, b, 2**31, 1, 0) for a, b in pairwise(names)]
    graph = sdfg([(name, 1) for name in names], channels)
    assert repetition_vector(graph) == [1, 2**31, 2**62, 2**93]
    assert throughput(graph).status == "unbounded"


def test_rates_near_the_limit_of_64_bits_are_exact():
    rate = 2**61
    graph = sdfg(
        [("A", 3), ("B", 4)], [("A", "B", rate, rate, 0), ("B", "A", rate, rate, rate + 5)]
    )
    assert throughput(graph).period == 7
    stuck = sdfg([("A", 3)], [("A", "A", rate, rate, rate - 1)])
    assert throughput(stuck).status == "deadlock"


def test_zero_times_and_unbounded_throughput_are_values_of_their_own():
    free = sdfg([("A", 0), ("B", 0)], [("A", "B", 1, 1, 0), ("B", "A", 1, 1, 1)])
    loose = sdfg([("A", 5), ("B", 5)], [("A", "B", 1, 1, 0)])
    alone = sdfg([("A", 5)], [])
    for graph in (free, loose, alone):
        result = throughput(graph)
        assert (result.status, result.period, result.throughput) == ("unbounded", 0, None)
        assert agree(graph) == "unbounded"


def test_the_slowest_component_counts_in_iterations_of_the_whole():
    graph = sdfg(
        [("A", 1), ("B", 10)],
        [("A", "A", 1, 1, 1), ("A", "B", 1, 3, 0), ("B", "B", 1, 1, 1)],
    )
    assert throughput(graph).period == 10
    assert not is_strongly_connected(graph)
    assert [part.graph.actor_names for part in parts_on_cycles(graph)[0]] == [("B",), ("A",)]


def test_huge_repetition_vectors_need_no_unfolding():
    """An iteration has 10^12 firings; C, one at a time, is what limits it."""
    n = 10**6
    graph = with_auto_concurrency(
        sdfg(
            [("A", 7), ("B", 3), ("C", 2)],
            [("A", "B", n, 1, 0), ("B", "C", n, 1, 0), ("C", "A", 1, n * n, 4 * n * n)],
        ),
        1,
    )
    assert sum(repetition_vector(graph)) == 1 + n + n * n
    assert throughput(graph).period == 2 * n * n
    with pytest.raises(OverflowError, match="edges"):
        throughput(graph, unfold=True)


@pytest.mark.parametrize("machines", [False, True])
@pytest.mark.parametrize("size", [(20, 60, 3000), (50, 200, 3000)])
def test_larger_multi_rate_graphs_agree(size: tuple[int, int, int], machines: bool):
    graph = large_sdfg(*size, machines=machines)
    result = throughput(graph)
    assert result.status == "live"
    assert throughput(graph, unfold=True).period == result.period == selftimed_period(graph)


@given(SEEDS)
def test_more_copies_never_slow_a_periodic_schedule_down(seed: int):
    """K = 1 <= K = q: the period falls, and at K = q it is the graph's own."""
    graph = small_sdfg(np.random.default_rng(seed))
    q = repetition_vector(graph)
    if throughput(graph).status != "live":
        return
    try:
        one, _ = throughput_module.expansion_ratio(expand(graph, q, [1] * len(q)))
    except throughput_module.DeadlockError:
        return  # a 1-periodic schedule need not exist
    whole, _ = throughput_module.expansion_ratio(expand(graph, q, q))
    assert one is not None
    assert one >= whole == throughput(graph).period


def test_copies_must_divide_the_repetitions():
    graph = sdfg([("A", 1), ("B", 1)], [("A", "B", 4, 1, 0)])
    assert num_edges(graph, [1, 4]) == 4
    assert expand(graph, [1, 4], [1, 2]).num_copies == 3
    with pytest.raises(ValueError, match="divide"):
        expand(graph, [1, 4], [1, 3])


def test_unfolding_leaves_out_what_a_machine_waits_for_anyway():
    """B's four firings follow each other, so only the first waits for A."""
    graph = with_auto_concurrency(sdfg([("A", 1), ("B", 1)], [("A", "B", 4, 1, 0)]), 1)
    unfolding = expand(graph, [1, 4], [1, 4])
    assert (unfolding.channel == 0).sum() == 1
    assert num_edges(graph, [1, 4]) == 9


def test_self_timed_execution_says_when_it_gives_up():
    slow = sdfg([("A", 1), ("B", 10**6)], [("A", "A", 1, 1, 1), ("B", "B", 1, 1, 1)])
    with pytest.raises(TooLongError, match="firings allowed"):
        selftimed_period(large_sdfg(20, 60, 3000), most_firings=100)
    assert regime(parts_on_cycles(slow)[0][0].graph).iterations == 1


def test_a_regime_may_span_several_iterations():
    """Two tokens in a loop of 2 + 3: states recur every two iterations, 5 ticks apart."""
    found = regime(sdfg([("A", 2), ("B", 3)], [("A", "B", 1, 1, 0), ("B", "A", 1, 1, 2)]))
    assert (found.period, found.iterations) == (Fraction(5, 2), 2)


def test_too_many_tokens_for_a_matrix_are_refused():
    graph = sdfg([("A", 1)], [("A", "A", 1, 1, 10**5)])
    with pytest.raises(OverflowError, match="entries"):
        iteration_matrix(graph)
