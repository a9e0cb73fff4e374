"""Means say over what they run; profiles and wins agree with a count by hand."""

import math
from fractions import Fraction

import pytest
from stored_rows import stored_row

from optmap.experiment.tables.aggregate import (
    data_profile,
    headline,
    performance_profile,
    seed_spread,
    shifted_geometric_mean,
    times,
    wins,
)
from optmap.experiment.tables.gaps import all_gaps
from optmap.model.grade import Grade


def test_shifted_geometric_mean_of_nothing_and_of_equals():
    assert shifted_geometric_mean([]) is None
    assert shifted_geometric_mean([7.0, 7.0]) == pytest.approx(7.0)
    assert shifted_geometric_mean([0.0, 8.0], shift=1) == pytest.approx(math.sqrt(9) - 1)


def test_headline_counts_only_instances_that_all_methods_have():
    rows = [stored_row("a", "x", 4, 8), stored_row("a", "y", 2, 4), stored_row("b", "x", 8, 8)]
    rows.append(stored_row("b", "y", 0, 0, check="violation"))
    found = {(h.method, h.metric): h for h in headline(rows, all_gaps(rows), ["x", "y"])}
    x, y = found["x", "period"], found["y", "period"]
    half = Fraction(1, 2)
    assert (x.mean, x.worst, x.distance, x.farthest) == (half, half, half, half)
    assert (x.proved, x.counted, x.left_out) == ({}, 1, 1)
    assert (y.mean, y.distance, y.proved) == (0, 0, {Grade.CERTIFIED: 1})
    clusters = found["x", "clusters"]  # 2 is proved for a decomposition only
    assert (clusters.mean, clusters.distance, clusters.counted) == (None, half, 1)


def test_several_seeds_count_once_with_their_mean():
    rows = [stored_row("a", "x", 4, 8), stored_row("a", "x", 2, 4, seed=1)]
    (h,) = [h for h in headline(rows, all_gaps(rows), ["x"]) if h.metric == "period"]
    assert (h.mean, h.distance, h.proved, h.counted) == (Fraction(1, 4), Fraction(1, 4), {}, 1)
    assert seed_spread(all_gaps(rows))["a", "x", "clusters"] == (2, 3, 4)


def test_wins_count_strictly_better_pairs():
    rows = [stored_row("a", "x", 4, 8), stored_row("a", "y", 2, 8)]
    rows += [stored_row("b", "x", 1, 8), stored_row("b", "y", 2, 8)]
    count = wins(all_gaps(rows), "clusters", ["x", "y"])
    assert count == {("x", "x"): 0, ("x", "y"): 1, ("y", "x"): 1, ("y", "y"): 0}
    assert set(wins(all_gaps(rows), "period", ["x", "y"]).values()) == {0}


def test_performance_profile_starts_at_wins_and_ends_at_solved():
    values = {("x", "a"): 1.0, ("y", "a"): 2.0, ("x", "b"): 3.0, ("y", "b"): 3.0, ("y", "c"): 1.0}
    profile = performance_profile(values, ["x", "y"])
    assert profile["x"] == [(1.0, 1 / 3), (1.0, 2 / 3)]
    assert profile["y"] == [(1.0, 1 / 3), (1.0, 2 / 3), (2.0, 1.0)]


def test_times_and_data_profile_count_proofs():
    rows = [stored_row("a", "x", 1, 1, status="optimal", wall_s=0.5), stored_row("b", "x", 1, 1)]
    (t,) = times(rows, ["x"])
    assert (t.rows, t.solved, t.proved) == (2, 2, 1)
    assert data_profile(rows, ["x"]) == {"x": [(0.5, 0.5)]}
