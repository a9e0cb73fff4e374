"""Marked graphs as SDF graphs: another reader computes the same throughput."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sdf_graphs import small_marked

from optmap.errors import DeadlockError
from optmap.sdf.algorithms import by_algorithm
from optmap.sdf.cycle_ratio import maximum_cycle_ratio
from optmap.sdf.export import to_sdfg
from optmap.sdf.marked_graph import MarkedGraph
from optmap.sdf.xml import parse_sdf3, sdf3_text


@given(st.integers(0, 10**6), st.booleans())
def test_the_exported_file_runs_at_the_cycle_ratio(seed: int, offsets: bool):
    """Delays above, at and below the execution time; tokens below zero; self-timed execution."""
    rng = np.random.default_rng(seed)
    plain = small_marked(rng)
    n = plain.num_actors
    offset = rng.integers(0, 4, n) if offsets else np.zeros(n, dtype=np.int64)
    tokens = plain.tokens + offset[plain.target] - offset[plain.source]
    graph = MarkedGraph(n, plain.source, plain.target, plain.delay, tokens)
    exported = to_sdfg(graph, [f"n{a}" for a in range(n)], rng.integers(0, 6, n))
    again, notes = parse_sdf3(sdf3_text(exported).encode(), "exported.xml")
    assert (again, notes) == (exported, [])
    for algorithm in ("unfold", "selftimed"):
        result = by_algorithm(again, algorithm)
        try:
            ratio, _ = maximum_cycle_ratio(graph)
        except DeadlockError:
            assert result.status == "deadlock"
        else:
            assert result.period == (ratio or 0)


def test_network_latency_becomes_an_actor_that_holds_nothing_up():
    """Two messages of one sender and one latency share it; another latency has its own."""
    graph = MarkedGraph(
        3, [0, 0, 0, 1, 2, 0], [1, 2, 1, 0, 0, 0], [8, 8, 5, 2, 2, 3], [0, 0, 0, 1, 1, 1]
    )
    exported = to_sdfg(graph, ["s", "a", "b"], [3, 2, 2], ["x", "y", "z", "u", "v", "self"])
    assert exported.actor_names == ("s", "a", "b", "s+2", "s+5")
    assert exported.execution_time.tolist() == [3, 2, 2, 2, 5]
    assert exported.channel_names == ("x", "y", "z", "u", "v", "self", "s+2:in", "s+5:in")
    assert exported.source.tolist() == [4, 4, 3, 1, 2, 0, 0, 0]
    assert exported.target.tolist() == [1, 2, 1, 0, 0, 0, 3, 4]
    assert set(exported.production.tolist()) == set(exported.consumption.tolist()) == {1}


def test_without_latency_nothing_is_added():
    graph = MarkedGraph(2, [0, 1], [1, 0], [3, 2], [0, 1])
    exported = to_sdfg(graph, ["a", "b"], [3, 2])
    assert (exported.num_actors, exported.num_channels) == (2, 2)


def test_names_that_clash_are_primed():
    graph = MarkedGraph(2, [0, 1], [1, 0], [4, 2], [0, 1])
    exported = to_sdfg(graph, ["a", "a+1"], [3, 2])
    assert exported.actor_names == ("a", "a+1", "a+1'")


def test_a_deadlock_below_zero_cannot_be_exported():
    graph = MarkedGraph(2, [0, 1], [1, 0], [3, 2], [-2, 1])
    with pytest.raises(DeadlockError):
        to_sdfg(graph, ["a", "b"], [3, 2])


@pytest.mark.parametrize(
    ("names", "time", "edges"),
    [(["a"], [1, 1], None), (["a", "b"], [1], None), (["a", "b"], [1, 1], ["e"])],
)
def test_lengths_must_agree(names: list[str], time: list[int], edges: list[str] | None):
    graph = MarkedGraph(2, [0, 1], [1, 0], [3, 2], [0, 1])
    with pytest.raises(ValueError, match="2 "):
        to_sdfg(graph, names, time, edges)
