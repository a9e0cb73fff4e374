"""Which decision brings what: by rows that change nothing else, never by names."""

from dataclasses import replace
from fractions import Fraction

import pytest
from stored_rows import stored_row

from optmap.experiment.tables.decisions import (
    ALL,
    DECISIONS,
    changed,
    decisions,
    geometric_mean,
)
from optmap.experiment.tables.headline import headline_markdown, summary_table
from optmap.experiment.tables.markdown import decisions_line, tables_markdown
from optmap.experiment.tables.publish import readme_part, results_page
from optmap.experiment.tables.terminal import decisions_text
from optmap.methods import METHODS

PERIODS = {
    "song2020": 24,
    "song2020-tree": 16,
    "dfsynthesizer": 20,
    "song2020/order": 22,
    "song2020/joint": 18,
    "lns": 10,
}
ROWS = [stored_row("a", method, 6, period) for method, period in PERIODS.items()]


def alone(found):
    return {step.name: step for step in found.alone}


def test_a_decision_alone_is_the_best_of_the_rows_that_change_nothing_else():
    (found,) = decisions(ROWS)
    steps = alone(found)
    assert steps["decomposition"].period == 16
    assert (steps["binding"].period, steps["binding"].method) == (20, "dfsynthesizer")
    assert steps["order"].factor == Fraction(24, 22)
    assert (steps["binding and order"].period, steps["binding and order"].tried) == (18, 3)
    assert (steps["clustering"].period, steps["clustering"].tried) == (24, 0)  # nobody looked


def test_the_waterfall_frees_one_decision_after_the_other_and_ends_at_the_best():
    (found,) = decisions(ROWS)
    periods = [step.period for step in found.waterfall]
    assert [step.name for step in found.waterfall] == ["song2020", *DECISIONS, ALL]
    assert periods == [24, 16, 16, 16, 10, 10]
    assert found.limit == 4  # the end-to-end bound of the rows
    assert found.limit_factor == 6
    assert found.gap == Fraction(6, 10)


def test_a_worse_row_changes_nothing_and_a_failed_one_is_not_there():
    worse = stored_row("a", "pacman", 6, 99)
    failed = stored_row("a", "cpsat", 1, 1, check="violation")
    assert decisions([*ROWS, worse])[0].waterfall[-1].period == 10
    assert decisions([*ROWS, failed]) == decisions(ROWS)
    assert decisions([row for row in ROWS if row.method != "song2020"]) == []


@pytest.mark.parametrize("method", METHODS)
def test_every_method_changes_what_its_stages_say(method):
    found, own, flow = changed(method), METHODS[method], METHODS["song2020"]
    if found is None:
        assert own.whole
    else:
        assert all((getattr(own, d) != getattr(flow, d)) == (d in found) for d in DECISIONS)


def test_the_same_numbers_stand_everywhere():
    (found,) = decisions(ROWS)
    line = decisions_line(found)
    assert "+ decomposition 1.50x (song2020-tree)" in line
    assert "+ clustering 1.50x" in line
    assert "everything 2.40x (lns)" in line
    assert "no mapping above 6.00x (proved)" in line
    assert line in tables_markdown(ROWS)
    summary = summary_table([found])
    assert len(summary) == 2 + 8  # README's eight lines
    assert "| best clustering alone | - | - | no row |" in summary
    assert "\n".join(summary) in headline_markdown(ROWS)
    assert any("everything" in text and "2.40x" in text for text in decisions_text(ROWS))


def test_readme_and_results_page_are_made_of_the_rows():
    rows = [replace(row, limit_s=10.0) for row in ROWS]
    from optmap.experiment.tables.best_known import NOTHING

    headline = headline_markdown(rows, NOTHING)
    part, page = readme_part(headline), results_page(rows, NOTHING, headline)
    assert part.strip() in page
    assert "Every method" not in part
    assert "1 instances, 6 methods, 6 rows of at most 10 s each" in page


def test_geometric_mean():
    assert geometric_mean([]) is None
    assert geometric_mean([Fraction(2), Fraction(8)]) == pytest.approx(4)
