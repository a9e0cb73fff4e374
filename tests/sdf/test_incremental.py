"""Re-evaluation after changes and batches agree with solving afresh."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sdf_graphs import large_marked, small_marked

from optmap.errors import DeadlockError
from optmap.sdf.batch import Verdict, cycle_ratios
from optmap.sdf.cycle_ratio import maximum_cycle_ratio
from optmap.sdf.incremental import RatioSearch
from optmap.sdf.marked_graph import MarkedGraph


def afresh(graph: MarkedGraph) -> Verdict:
    try:
        return Verdict(False, maximum_cycle_ratio(graph)[0])
    except DeadlockError:
        return Verdict(True, None)


@given(st.integers(0, 10**6), st.sampled_from([0, 1, -1]))
def test_every_move_and_every_undo_agree_with_solving_afresh(seed: int, least_tokens: int):
    rng = np.random.default_rng(seed)
    graph = small_marked(rng, least_tokens=least_tokens)
    search, verdicts = RatioSearch(graph), [afresh(graph)]
    n, m = graph.num_actors, graph.num_edges
    for _ in range(25 if m else 0):
        assert search.verdict == verdicts[-1] == afresh(search.graph())
        if len(verdicts) > 1 and rng.random() < 0.35:
            verdicts.pop()
            assert search.undo() == verdicts[-1]
            continue
        edges = rng.choice(m, size=min(m, int(rng.integers(1, 4))), replace=False)
        ranges = {"source": (0, n), "target": (0, n), "delay": (0, 6), "tokens": (least_tokens, 4)}
        fields = {
            name: rng.integers(*bounds, len(edges))
            for name, bounds in ranges.items()
            if rng.random() < 0.6
        }
        verdicts.append(search.replace(edges, **fields))


def test_moves_on_a_large_graph_agree_with_solving_afresh():
    graph = large_marked(300)
    search, rng = RatioSearch(graph), np.random.default_rng(2)
    for _ in range(30):
        edges = rng.choice(np.arange(300, graph.num_edges), 4, replace=False)
        source, target = rng.integers(0, 300, (2, 4))
        found = search.replace(
            edges, source=source, target=target, delay=rng.integers(1, 200, 4), tokens=[1, 2, 3, 1]
        )
        assert found == afresh(search.graph())
        if rng.random() < 0.5:
            search.undo()
            assert search.verdict == afresh(search.graph())


def test_a_refused_change_leaves_everything_as_it_was():
    search = RatioSearch(MarkedGraph(2, [0, 1], [1, 0], [3, 2], [0, 1]))
    for field, value, message in [
        ("delay", -1, "delay -1"),
        ("source", 2, "actors are 0..1"),
        ("target", -1, "target -1"),
    ]:
        with pytest.raises(ValueError, match=message):
            search.replace([0], **{field: [value]})
    assert search.graph().delay.tolist() == [3, 2]
    with pytest.raises(ValueError, match="no replacement"):
        search.undo()


def test_an_edge_can_be_switched_off():
    search = RatioSearch(MarkedGraph(2, [0, 1, 0], [1, 0, 0], [3, 2, 4], [0, 1, 1]))
    off = search.replace([1], source=[1], target=[1], delay=[0], tokens=[1])
    assert off == Verdict(False, 4)


def test_numbers_beyond_64_bits_are_exact():
    big = 2**62 - 1
    search = RatioSearch(MarkedGraph(2, [0, 1], [1, 0], [1, 1], [0, 1]))
    assert search.replace([0, 1], delay=[big, big]).ratio == 2 * big
    assert cycle_ratios([search.graph()])[0].ratio == 2 * big


def test_a_batch_agrees_graph_by_graph():
    rng = np.random.default_rng(9)
    graphs = [small_marked(rng, least_tokens=k % 3 - 1) for k in range(400)]
    graphs.append(MarkedGraph(0, [], [], [], []))
    verdicts = cycle_ratios(graphs)
    assert verdicts == [afresh(graph) for graph in graphs]
    assert {(v.deadlock, v.ratio is None) for v in verdicts} == {
        (True, True), (False, True), (False, False),
    }  # fmt: skip
    assert cycle_ratios([]) == []
