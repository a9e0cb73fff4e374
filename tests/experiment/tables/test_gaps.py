"""A gap is end to end: against bounds for every mapping, never under a row's own decisions."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stored_rows import stored_row

from optmap.bounds.bound import Bound
from optmap.experiment.tables.best_known import BestKnown, Entry, Record
from optmap.experiment.tables.gaps import (
    all_gaps,
    best_for_every_mapping,
    covering,
    gap,
    shared_bounds,
)
from optmap.experiment.tables.metrics import GAPPED
from optmap.experiment.tables.stage_gaps import stage_gaps
from optmap.model.claim import Claim
from optmap.model.grade import Grade
from optmap.model.outcome import Status
from optmap.model.scope import END_TO_END, Scope

TREE = Scope(units="tree")


def row(method, clusters, period, bounds=(), claims=(), **more):
    made = stored_row("i", method, clusters, period, **more)
    return replace(made, bounds=tuple(bounds), claims=tuple(claims))


def bound(metric, value, scope=END_TO_END, grade=Grade.CERTIFIED, name="n"):
    return Bound(metric, name, value, scope, grade)


def claim(metric, value, proved, scope, grade=Grade.CLAIMED):
    return Claim(metric, Status.FEASIBLE, value, proved, value, scope, grade)


def find(gaps, method, metric):
    (found,) = [g for g in gaps if g.method == method and g.metric == metric]
    return found


@pytest.mark.parametrize(
    ("value", "proved", "expected"),
    [
        (20, 13, Fraction(7, 20)),
        (13, 13, 0),
        (0, 0, 0),
        (0, -1, 10**9),
        (-2, -3, Fraction(1, 2)),
        (Fraction(1, 10**8), Fraction(1, 2 * 10**8), Fraction(1, 2)),
        (Fraction(1, 10**10), 0, Fraction(1, 10)),
    ],
)
def test_gap_formula(value, proved, expected):
    assert gap(Fraction(value), Fraction(proved)) == expected


def test_nothing_is_less_than_no_hop_at_all():
    """A row that reaches 0 is optimal end to end, without a proof; 0 says nothing elsewhere."""
    some = [replace(r, metrics=r.metrics | {"spike_hops": v}) for r, v in
            ((row("a", 4, 9), 0), (row("b", 4, 9), 6))]  # fmt: skip
    found = all_gaps(some)
    reached, left = (find(found, method, "spike_hops") for method in "ab")
    assert (reached.to_bound, reached.mark) == (0, "*")
    assert (left.to_bound, left.to_best_known, left.mark) == (1, 1, "")
    assert find(found, "a", "clusters").bound is None
    alone = find(all_gaps(some[1:]), "b", "spike_hops")
    assert alone.bound is None
    assert alone.to_bound is None


def test_no_stage_stands_below_what_is_proved_for_every_mapping():
    """A bound of one stage that is weaker than the end-to-end one would contradict the headline."""
    stages = [
        bound("clusters", 5, TREE),
        bound("clusters", 4, Scope(splits_above=9)),
        bound("traffic", 30, TREE),
        bound("traffic", 31, Scope(splits_above=9)),
    ]
    made = row("overlap", 9, 9, [*stages, bound("clusters", 7)])
    shown = {(s.metric, s.given): s.bound.value for s in stage_gaps([made])}
    assert shown[("clusters", "units")] == 7
    assert (
        "clusters",
        "end to end",
    ) not in shown  # a class of mappings about which no more is known
    known = BestKnown(
        {
            made.digest: Entry(
                "i", made.digest, "p", {"clusters": Record("clusters", bound=bound("clusters", 8))}
            )
        }
    )
    shown = {(s.metric, s.given): s.bound.value for s in stage_gaps([made], known)}
    assert shown[("clusters", "units")] == 8
    assert (shown[("traffic", "units")], shown[("traffic", "end to end")]) == (31, 31)


def test_what_is_proved_for_one_decomposition_moves_no_gap_and_gives_no_star():
    """503 crossbars are optimal for a chain; 13 suffice."""
    chain = row("song2020", 503, 9, [bound("clusters", 503, Scope(units="chain"))])
    tree = row("overlap", 13, 9, [bound("clusters", 13, TREE), bound("clusters", 12)])
    gaps = all_gaps([chain, tree])
    g = find(gaps, "song2020", "clusters")
    assert (g.to_bound, g.mark) == (Fraction(491, 503), "")
    assert g.to_best_known == Fraction(490, 503)
    assert find(gaps, "overlap", "clusters").to_bound == Fraction(1, 13)
    stage = {s.method: s for s in stage_gaps([chain, tree]) if s.metric == "clusters"}
    assert (stage["song2020"].to_bound, stage["song2020"].mark) == (0, "*")
    assert stage["song2020"].record()["optimum_of"] == "its decomposition"


@pytest.mark.parametrize(
    "scope",
    [
        Scope(clustering="c"),
        Scope(binding="b"),
        Scope(max_clusters=99),
        Scope(max_load=99),
        Scope(prologue=False),
    ],
)
def test_a_narrower_scope_is_never_end_to_end(scope):
    (g,) = [
        g for g in all_gaps([row("a", 3, 9, [bound("period", 9, scope)])]) if g.metric == "period"
    ]
    assert g.bound is None
    assert g.mark == ""


@pytest.mark.parametrize(
    ("grades", "mark", "proved", "claimed"),
    [
        ([(9, Grade.CERTIFIED)], "*", 9, None),
        ([(9, Grade.TWO_SOLVERS)], "+", 9, None),
        ([(9, Grade.TWO_SOLVERS), (9, Grade.CERTIFIED)], "*", 9, None),
        ([(9, Grade.CLAIMED)], "", None, 9),
        ([(9, Grade.CLAIMED), (5, Grade.CERTIFIED)], "", 5, 9),
        ([(4, Grade.CLAIMED), (5, Grade.CERTIFIED)], "", 5, None),
    ],
)
def test_grades_have_marks_of_their_own_and_a_claim_has_none(grades, mark, proved, claimed):
    bounds = [bound("period", value, grade=grade) for value, grade in grades]
    g = find(all_gaps([row("a", 3, 9, bounds)]), "a", "period")
    assert g.mark == mark
    assert (g.bound and g.bound.value) == proved
    assert (g.claimed and g.claimed.value) == claimed


def test_a_bound_that_another_row_proves_end_to_end_counts_for_all():
    exact = row("whole", 3, 5, claims=[claim("period", 5, 5, END_TO_END, Grade.CERTIFIED)])
    gaps = all_gaps([exact, row("song2020", 3, 10)])
    assert find(gaps, "song2020", "period").to_bound == Fraction(1, 2)
    assert find(gaps, "whole", "period").mark == "*"


def test_the_best_known_list_lends_values_and_bounds_by_digest():
    record = Record("period", Fraction(4), "whole", "2026-11-25", bound=bound("period", 3))
    entries = {d: Entry("i", d, "p", {"period": record}) for d in ("digest of i", "other")}
    g = find(all_gaps([row("a", 3, 8)], BestKnown(entries)), "a", "period")
    assert (g.to_bound, g.to_best_known) == (Fraction(5, 8), Fraction(1, 2))
    assert g.best_known_by == "whole, 2026-11-25"
    del entries["digest of i"]
    g = find(all_gaps([row("a", 3, 8)], BestKnown(entries)), "a", "period")
    assert (g.to_bound, g.to_best_known) == (None, 0)


def test_rows_that_failed_the_check_have_no_gap_and_lend_no_best_value():
    wrong = row("bad", 1, 1, check="mismatch")
    gaps = all_gaps([wrong, row("a", 3, 9)])
    assert {g.method for g in gaps} == {"a"}
    assert find(gaps, "a", "clusters").best_known == 3


def test_a_traffic_bound_for_few_clusters_does_not_cover_rows_with_more():
    fewest = replace(TREE, max_clusters=13)
    few, more = row("a", 13, 9), row("b", 14, 9)
    bounds = list(shared_bounds([row("cpsat", 13, 9, claims=[claim("traffic", 90, 85, fewest)])]))
    assert [b.value for b in covering(few, "traffic", bounds)] == [85]
    assert covering(more, "traffic", bounds) == []
    assert covering(few, b"traffic".decode(), bounds) == bounds  # equal text is enough


def test_a_bound_is_held_against_each_place_once(monkeypatch):
    """300 files of one content with 4,200 rows: 14 places, not 4,200 a bound."""
    asked = []
    covers = Scope.covers
    monkeypatch.setattr(Scope, "covers", lambda *a: asked.append(a) or covers(*a))
    bounds = [bound("clusters", 3, Scope(splits_above=9))]
    all_gaps([replace(row("a", 3, 9, bounds), key=str(i)) for i in range(20)])
    few = len(asked)
    all_gaps([replace(row("a", 3, 9, bounds), key=str(i)) for i in range(40)])
    assert 0 < len(asked) - few <= 2 * few


SCOPES = st.builds(
    Scope,
    units=st.sampled_from([None, "tree", "chain"]),
    clustering=st.sampled_from([None, "c", "d"]),
    max_clusters=st.sampled_from([None, 3, 9]),
    prologue=st.booleans(),
)


@st.composite
def runs(draw):
    """Return rows of one instance, with every true bound that somebody might prove for a scope."""
    count = draw(st.integers(1, 5))
    methods = ["song2020", "song2020-prologue", "overlap", "cpsat", "whole"][:count]
    values = st.integers(1, 9)
    rows = [
        row(m, draw(values), draw(values), clustering=draw(st.sampled_from("cd"))) for m in methods
    ]
    known = {m.name: draw(st.integers(1, 9)) for m in GAPPED}
    for i, own in enumerate(rows):
        bounds = []
        for metric in GAPPED:
            scope = draw(SCOPES)
            covered = [r.value(metric.name) for r in rows if scope.covers(r.place)]
            if scope == END_TO_END:
                covered.append(Fraction(known[metric.name]))
            if covered:  # a true bound: no mapping in its scope is better
                least = min(covered)
                value = max(Fraction(0), least - draw(st.integers(0, 3)))
                bounds.append(bound(metric.name, value, scope, draw(st.sampled_from(Grade))))
        rows[i] = replace(own, bounds=tuple(bounds))
    records = {name: Record(name, Fraction(value), "x", "") for name, value in known.items()}
    return rows, BestKnown({"digest of i": Entry("i", "digest of i", "p", records)})


@given(runs())
def test_no_gap_is_smaller_than_the_distance_to_the_best_known_value(run):
    """Were one smaller, its bound would not hold for the mapping that has the best value."""
    rows, known = run
    for g in all_gaps(rows, known):
        assert g.to_bound is None or g.to_bound >= g.to_best_known >= 0
        assert g.to_claimed is None or g.to_claimed >= g.to_best_known
        assert not g.mark or g.to_best_known == 0


@given(runs())
def test_other_rows_change_a_gap_only_by_better_bounds(run):
    rows, known = run
    together = {(g.key, g.metric): g for g in all_gaps(rows, known)}
    for one in rows:
        for alone in all_gaps([one], known):
            g = together[alone.key, alone.metric]
            assert g.value == alone.value
            assert alone.to_bound is None or g.to_bound <= alone.to_bound


WHOLE_NEURONS = Scope(splits_above=128)


def unsplit(method, period, least_split=None, **more):
    """Return a row whose decomposition splits no neuron narrower than ``least_split``."""
    made = row(method, 3, period, **more)
    return replace(made, place=replace(made.place, least_split=least_split))


def test_a_bound_where_what_fits_stays_whole_counts_while_every_row_keeps_it_whole():
    proved = [bound("period", 8, WHOLE_NEURONS), bound("period", 5)]
    kept = [unsplit("a", 9, 129, bounds=proved), unsplit("b", 10)]
    assert {g.bound.value for g in all_gaps(kept) if g.metric == "period"} == {8}
    cut = [*kept, unsplit("c", 7, 60)]
    assert {g.bound.value for g in all_gaps(cut) if g.metric == "period"} == {5}


def test_such_a_bound_is_dropped_where_a_known_value_undercuts_it():
    rows = [unsplit("a", 9, bounds=[bound("period", 8, WHOLE_NEURONS), bound("period", 5)])]
    digest = rows[0].digest
    record = Record("period", value=Fraction(7), method="elsewhere")
    known = BestKnown({digest: Entry("i", digest, "p", {"period": record})})
    (g,) = [g for g in all_gaps(rows, known) if g.metric == "period"]
    assert (g.bound.value, g.best_known) == (5, 7)


def test_a_bound_for_units_as_given_counts_while_no_row_has_others():
    given = bound("clusters", 3, Scope(units="as given"))
    first = row("a", 3, 9, [given], units="as given")
    (g,) = [g for g in all_gaps([first]) if g.metric == "clusters"]
    assert (g.bound, g.mark) == (given, "*")
    both = all_gaps([first, row("b", 4, 9, units="others")])
    assert {g.bound for g in both if g.metric == "clusters"} == {None}


def test_a_bound_for_every_mapping_counts_even_above_what_is_known():
    """It then is wrong, and tables must show it."""
    wrong = bound("period", 9, Scope())
    assert best_for_every_mapping([wrong], None, Fraction(8)) == wrong


@pytest.mark.parametrize(("least_split", "best"), [(None, 9), (None, 6), (5, 9)])
def test_one_mapping_alone_has_the_bound_that_its_row_has_in_tables(least_split, best):
    kept = bound("period", 7, Scope(splits_above=8))
    bounds = [bound("period", 5), kept, bound("period", 8, Scope(clustering="c"))]
    one = replace(unsplit("one", best, least_split), bounds=tuple(bounds))
    (shown,) = [g for g in all_gaps([one]) if g.metric == "period"]
    found = best_for_every_mapping(bounds, one.place, Fraction(best))
    assert found == shown.bound
    assert found is not None
    assert found.value == (7 if least_split is None and best == 9 else 5)
