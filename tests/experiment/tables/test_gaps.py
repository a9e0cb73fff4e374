"""A gap uses the strongest bound whose scope covers the row, and no other."""

from dataclasses import replace
from fractions import Fraction

import pytest

from optmap.bounds.bound import Bound
from optmap.experiment.tables.gaps import all_gaps, gap
from optmap.model.grade import Grade
from optmap.model.scope import END_TO_END, Place, Scope

TREE, CHAIN = Scope(units="tree"), Scope(units="chain")


def row(method, units, clusters, traffic, bounds=(), claims=(), check="ok", **place):
    metrics = {
        "clusters": clusters,
        "traffic": traffic,
        "spike_hops": 0,
        "period": "55/2",
        "energy_pj": "100",
    }
    own = Place(units, f"{method}'s", f"{method}'s", clusters, 5, False)
    return {
        "key": f"key of {method}",
        "instance": "i",
        "digest": "d",
        "method": method,
        "seed": 0,
        "check": check,
        "metrics": metrics,
        "place": replace(own, **place).to_json(),
        "bounds": [bound.to_json() for bound in bounds],
        "claims": list(claims),
    }


def bound(metric, value, scope):
    return Bound(metric, "n", value, scope, Grade.CERTIFIED)


def claim(metric, value, proved, scope):
    return {
        "metric": metric,
        "value": value,
        "bound": proved,
        "scope": scope.to_json(),
        "grade": "claimed",
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


def test_a_solver_bound_covers_rows_of_the_same_units_only():
    exact = row("cpsat", "tree", 13, 90, claims=[claim("clusters", 13, 13, TREE)])
    rows = [exact, row("song2020-tree", "tree", 20, 80), row("song2020", "chain", 600, 70)]
    gaps = all_gaps(rows)
    assert find(gaps, "song2020-tree", "clusters").to_bound == Fraction(7, 20)
    assert find(gaps, "song2020-tree", "clusters").scope == "this decomposition"
    assert find(gaps, "song2020", "clusters").bound is None
    assert find(gaps, "song2020", "clusters").to_best_known == Fraction(587, 13)


def test_a_traffic_bound_for_few_clusters_does_not_bind_rows_with_more():
    proved = claim("traffic", 90, 85, replace(TREE, max_clusters=13))
    exact = row("cpsat", "tree", 13, 90, claims=[proved])
    gaps = all_gaps([exact, row("a", "tree", 13, 100), row("b", "tree", 14, 80)])
    assert find(gaps, "cpsat", "traffic").to_bound == Fraction(5, 90)
    assert find(gaps, "a", "traffic").to_bound == Fraction(15, 100)
    assert find(gaps, "b", "traffic").bound is None


def test_a_bound_for_one_clustering_stays_with_it():
    of_one = bound("period", 20, Scope(clustering="one"))
    one = row("a", "tree", 3, 9, bounds=[of_one], clustering="one")
    other = row("b", "tree", 3, 9)
    everywhere = row("c", "chain", 3, 9, bounds=[bound("period", Fraction(25, 2), END_TO_END)])
    gaps = all_gaps([one, other, everywhere])
    assert find(gaps, "a", "period").bound == 20
    assert find(gaps, "b", "period").bound == Fraction(25, 2)
    assert find(gaps, "b", "period").to_bound == Fraction(30, 55)


def test_a_period_proved_for_one_binding_is_no_bound_of_the_column():
    proved = claim("period", "55/2", "55/2", Scope(binding="b", prologue=False))
    gaps = all_gaps([row("song2020/order", "chain", 3, 9, claims=[proved], binding="b")])
    assert find(gaps, "song2020/order", "period").bound is None


def test_a_period_proved_for_a_clustering_covers_all_rows_with_it_but_not_both_classes():
    proved = claim("period", 20, 20, Scope(clustering="c", prologue=False))
    rows = [
        row("song2020/joint", "chain", 3, 9, claims=[proved], clustering="c"),
        row("song2020", "chain", 3, 9, clustering="c"),
        row("song2020-prologue", "chain", 3, 9, clustering="c", has_prologue=True),
        row("spinemap", "chain", 3, 9, clustering="d"),
    ]
    bounds = {g.method: g.bound for g in all_gaps(rows) if g.metric == "period"}
    assert bounds == {
        "song2020/joint": 20,
        "song2020": 20,
        "song2020-prologue": None,
        "spinemap": None,
    }


def test_fewest_spike_hops_under_a_load_cap_cover_the_rows_that_keep_to_it():
    proved = claim("spike_hops", 9, 9, Scope(clustering="c"))
    capped = claim("spike_hops", 7, 7, Scope(clustering="d", max_load=5))
    rows = [
        row("song2020/hops", "chain", 3, 9, claims=[proved], clustering="c"),
        row("song2020", "chain", 3, 9, clustering="c", load=8),
        row("cpsat", "chain", 3, 9, claims=[capped], clustering="d", load=5),
        row("milp", "chain", 3, 9, clustering="d", load=5),
        row("lns", "chain", 3, 9, clustering="d", load=6),
    ]
    bounds = {g.method: g.bound for g in all_gaps(rows) if g.metric == "spike_hops"}
    assert bounds == {"song2020/hops": 9, "song2020": 9, "cpsat": 7, "milp": 7, "lns": None}


def test_rows_that_failed_the_check_have_no_gap_and_lend_no_best_value():
    wrong = row("bad", "tree", 1, 1, check="mismatch")
    gaps = all_gaps([wrong, row("a", "tree", 3, 9)])
    assert {g.method for g in gaps} == {"a"}
    assert find(gaps, "a", "clusters").best_known == 3
