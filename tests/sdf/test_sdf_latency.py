"""Latency against a firing-by-firing recurrence written down here."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sdf_graphs import small_sdfg

from optmap.sdf.graph import SDFG, sdfg
from optmap.sdf.latency import NoLatencyError, latency
from optmap.sdf.repetition import repetition_vector
from optmap.sdf.throughput import throughput


def starts_by_recurrence(graph: SDFG, iterations: int) -> list[list[int]]:
    """Oracle: firing k waits for firing ceil((c (k + 1) - d) / p) - 1 of each producer."""
    q = repetition_vector(graph)
    starts: list[list[int]] = [[] for _ in q]
    progress = True
    while progress:
        progress = False
        for a in range(graph.num_actors):
            while len(starts[a]) < q[a] * iterations:
                k, start = len(starts[a]), 0
                for c in np.flatnonzero(graph.target == a).tolist():
                    b, p = int(graph.source[c]), int(graph.production[c])
                    need = int(graph.consumption[c]) * (k + 1) - int(graph.tokens[c])
                    last = -(-need // p) - 1
                    if last >= len(starts[b]):
                        break
                    if last >= 0:
                        start = max(start, starts[b][last] + int(graph.execution_time[b]))
                else:
                    starts[a].append(start)
                    progress = True
                    continue
                break
    return starts


@given(st.integers(0, 10**6))
def test_self_timed_latency_is_the_worst_over_many_iterations(seed: int):
    rng = np.random.default_rng(seed)
    graph = small_sdfg(rng, most_actors=4, most_repetitions=4)
    source, target = rng.integers(0, graph.num_actors, 2).tolist()
    if throughput(graph).status == "deadlock":
        with pytest.raises(NoLatencyError, match="deadlocks"):
            latency(graph, source, target)
        return
    found = latency(graph, source, target)
    q = repetition_vector(graph)
    starts = starts_by_recurrence(graph, 60)
    time = int(graph.execution_time[target])
    worst = max(
        starts[target][q[target] * i + found.offset] + time - starts[source][q[source] * i]
        for i in range(40 - found.offset // q[target])
    )
    assert found.self_timed == worst
    assert found.minimal <= found.self_timed
    assert found.minimal <= found.single_processor


def test_a_pipeline_of_two_stages():
    pipeline = sdfg([("A", 2), ("B", 3)], [("A", "B", 1, 1, 0), ("B", "A", 1, 1, 2)])
    found = latency(pipeline, 0, 1)
    assert (found.minimal, found.single_processor, found.offset) == (5, 5, 0)
    assert found.self_timed == 5


def test_tokens_on_the_way_shift_the_firing_that_counts():
    """Three tokens wait at B already: its fourth firing answers A's first."""
    ring = sdfg([("A", 2), ("B", 3)], [("A", "B", 1, 1, 3), ("B", "A", 1, 1, 1)])
    found = latency(ring, 0, 1)
    assert found.offset == 3
    assert found.self_timed == Fraction(5)


def test_latency_needs_a_strongly_connected_graph():
    for graph in (sdfg([("A", 1), ("B", 1)], [("A", "B", 1, 1, 0)]), sdfg([("A", 1)], [])):
        with pytest.raises(NoLatencyError, match="strongly connected"):
            latency(graph, 0, graph.num_actors - 1)


def test_times_are_in_units_of_the_file():
    halves = sdfg([("A", Fraction(1, 2)), ("B", 1)], [("A", "B", 1, 1, 0), ("B", "A", 1, 1, 1)])
    assert latency(halves, 0, 1).self_timed == Fraction(3, 2)
