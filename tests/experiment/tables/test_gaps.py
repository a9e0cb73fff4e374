"""A gap uses the strongest bound whose scope covers the row, and no other."""

from fractions import Fraction

import pytest

from optmap.bounds.end_to_end import ANY_MAPPING
from optmap.experiment.tables.gaps import all_gaps, gap


def row(method, decomposition, clusters, traffic, bounds=(), claims=(), check="ok"):
    metrics = {
        "clusters": clusters,
        "traffic": traffic,
        "spike_hops": 0,
        "period": "55/2",
        "energy_pj": "100",
    }
    return {
        "instance": "i",
        "digest": "d",
        "method": method,
        "seed": 0,
        "decomposition": decomposition,
        "check": check,
        "metrics": metrics,
        "bounds": list(bounds),
        "claims": list(claims),
    }


def bound(metric, value, scope):
    return {"metric": metric, "name": "n", "value": value, "scope": scope}


def claim(metric, value, proved, max_clusters=None, scope="s"):
    return {
        "metric": metric,
        "value": value,
        "bound": proved,
        "scope": scope,
        "max_clusters": max_clusters,
    }


def find(gaps, method, metric):
    (found,) = [g for g in gaps if g.method == method and g.metric == metric]
    return found


@pytest.mark.parametrize(
    ("value", "proved", "expected"),
    [(20, 13, Fraction(7, 20)), (13, 13, 0), (0, 0, 0), (0, -1, 10**9), (-2, -3, Fraction(1, 2))],
)
def test_gap_formula(value, proved, expected):
    assert gap(Fraction(value), Fraction(proved)) == expected


def test_a_solver_bound_covers_rows_of_the_same_decomposition_only():
    exact = row("cpsat", "tree", 13, 90, claims=[claim("clusters", 13, 13)])
    rows = [exact, row("song2020-tree", "tree", 20, 80), row("song2020", "chain", 600, 70)]
    gaps = all_gaps(rows)
    assert find(gaps, "song2020-tree", "clusters").to_bound == Fraction(7, 20)
    assert find(gaps, "song2020", "clusters").bound is None
    assert find(gaps, "song2020", "clusters").to_best_known == Fraction(587, 13)


def test_a_traffic_bound_for_few_clusters_does_not_bind_rows_with_more():
    exact = row("cpsat", "tree", 13, 90, claims=[claim("traffic", 90, 85, 13)])
    gaps = all_gaps([exact, row("a", "tree", 13, 100), row("b", "tree", 14, 80)])
    assert find(gaps, "cpsat", "traffic").to_bound == Fraction(5, 90)
    assert find(gaps, "a", "traffic").to_bound == Fraction(15, 100)
    assert find(gaps, "b", "traffic").bound is None


def test_a_bound_for_one_clustering_stays_with_its_row():
    one = row("a", "tree", 3, 9, bounds=[bound("period", 20, "clustering, any binding and order")])
    other = row("b", "tree", 3, 9)
    everywhere = row("c", "chain", 3, 9, bounds=[bound("period", "25/2", ANY_MAPPING)])
    gaps = all_gaps([one, other, everywhere])
    assert find(gaps, "a", "period").bound == 20
    assert find(gaps, "b", "period").bound == Fraction(25, 2)
    assert find(gaps, "b", "period").to_bound == Fraction(30, 55)


def test_decompositions_that_left_the_same_units_share_their_bounds():
    exact = row("colgen", "tree", 6, 9, claims=[claim("clusters", 6, 6)]) | {"units": "as given"}
    same = row("song2020", "chain", 7, 9) | {"units": "as given"}
    split = row("song2020-published", "custom", 7, 9) | {"units": "custom 1"}
    gaps = all_gaps([exact, same, split])
    assert find(gaps, "song2020", "clusters").bound == 6
    assert find(gaps, "song2020-published", "clusters").bound is None


def test_a_period_proved_for_one_binding_is_no_bound_of_the_column():
    proved = claim("period", "55/2", "55/2", scope="this binding, orders without prologue")
    gaps = all_gaps([row("song2020/order", "chain", 3, 9, claims=[proved])])
    assert find(gaps, "song2020/order", "period").bound is None


def test_a_period_proved_for_a_clustering_covers_all_rows_with_it_but_not_both_classes():
    proved = claim("period", 20, 20, scope="this clustering, orders without prologue")
    rows = [
        row("song2020/joint", "chain", 3, 9, claims=[proved]) | {"clustering": "c"},
        row("song2020", "chain", 3, 9) | {"clustering": "c"},
        row("song2020-prologue", "chain", 3, 9) | {"clustering": "c"},
        row("spinemap", "chain", 3, 9) | {"clustering": "d"},
    ]
    bounds = {g.method: g.bound for g in all_gaps(rows) if g.metric == "period"}
    assert bounds == {
        "song2020/joint": 20,
        "song2020": 20,
        "song2020-prologue": None,
        "spinemap": None,
    }


def test_fewest_spike_hops_cover_all_rows_of_the_clustering_unless_the_load_was_capped():
    proved = claim("spike_hops", 9, 9, scope="this clustering")
    capped = claim("spike_hops", 7, 7, scope="this clustering, tile load at most 5")
    rows = [
        row("song2020/hops", "chain", 3, 9, claims=[proved]) | {"clustering": "c"},
        row("song2020", "chain", 3, 9) | {"clustering": "c"},
        row("cpsat", "chain", 3, 9, claims=[capped]) | {"clustering": "d"},
        row("lns", "chain", 3, 9) | {"clustering": "d"},
    ]
    bounds = {g.method: g.bound for g in all_gaps(rows) if g.metric == "spike_hops"}
    assert bounds == {"song2020/hops": 9, "song2020": 9, "cpsat": 7, "lns": None}


def test_rows_that_failed_the_check_have_no_gap_and_lend_no_best_value():
    wrong = row("bad", "tree", 1, 1, check="mismatch")
    gaps = all_gaps([wrong, row("a", "tree", 3, 9)])
    assert {g.method for g in gaps} == {"a"}
    assert find(gaps, "a", "clusters").best_known == 3
