"""Period and critical cycle from self-timed execution, against the unfolding."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from sdf_graphs import large_sdfg, small_sdfg

from optmap.sdf import throughput as throughput_module
from optmap.sdf.graph import SDFG, sdfg
from optmap.sdf.recurrence import recurrence
from optmap.sdf.repetition import InconsistentError, repetition_vector
from optmap.sdf.throughput import LIVE, expand, expansion_ratio, throughput


def limited_by(graph: SDFG, cycle: tuple[int, ...]) -> Fraction:
    """Return the period, in time units of the whole graph, of the channels of a cycle alone."""
    actors = sorted({int(graph.source[c]) for c in cycle})
    names = {a: graph.actor_names[a] for a in actors}
    ends = [(names[int(graph.source[c])], names[int(graph.target[c])]) for c in sorted(set(cycle))]
    rates = [
        (int(graph.production[c]), int(graph.consumption[c]), int(graph.tokens[c]))
        for c in sorted(set(cycle))
    ]
    alone = sdfg(
        [(names[a], int(graph.execution_time[a])) for a in actors],
        [(*pair, *three) for pair, three in zip(ends, rates, strict=True)],
    )
    found = throughput(alone, simulate=False)
    assert found.period is not None
    scale = repetition_vector(graph)[actors[0]] // repetition_vector(alone)[0]
    return found.period * scale


def test_small_graphs_have_the_period_of_the_unfolding_and_a_cycle_that_explains_it():
    settled = 0
    for seed in range(300):
        graph = small_sdfg(np.random.default_rng(seed), ring=seed % 2 == 0)
        try:
            repetitions = repetition_vector(graph)
        except InconsistentError:
            continue
        expected = throughput(graph, simulate=False)
        found = recurrence(graph, repetitions, 20_000)
        if found is None:
            continue
        assert expected.status == LIVE
        assert found.ticks == expected.period
        targets = [int(graph.target[c]) for c in found.cycle]
        sources = [int(graph.source[c]) for c in found.cycle]
        assert targets == sources[1:] + sources[:1]
        assert limited_by(graph, found.cycle) == expected.period
        settled += 1
    assert settled > 100


@pytest.mark.parametrize("machines", [False, True])
def test_what_is_simulated_is_what_would_be_unfolded(
    machines: bool, monkeypatch: pytest.MonkeyPatch
):
    for seed in range(3):
        graph = large_sdfg(12, 30, 1500, seed=seed, machines=machines)
        monkeypatch.setattr(throughput_module, "LEAST_CROWDS", 1)
        monkeypatch.setattr(throughput_module, "EDGES_A_CROWD", 1)
        raced = throughput(graph)
        repetitions = repetition_vector(graph)
        whole, _ = expansion_ratio(expand(graph, repetitions, repetitions))
        assert whole is not None
        assert raced.period == graph.units(whole)


def test_too_little_work_is_no_answer():
    graph = sdfg([("A", 4), ("B", 1)], [("A", "B", 2, 1, 0), ("B", "A", 1, 2, 2)])
    assert recurrence(graph, [1, 2], 2) is None


def test_a_deadlock_and_a_graph_without_time_are_left_to_the_unfolding():
    stuck = sdfg([("A", 4), ("B", 1)], [("A", "B", 2, 1, 0), ("B", "A", 1, 2, 1)])
    assert recurrence(stuck, [1, 2], 1000) is None
    timeless = sdfg([("A", 0), ("B", 0)], [("A", "B", 2, 1, 0), ("B", "A", 1, 2, 2)])
    assert recurrence(timeless, [1, 2], 1000) is None
