"""Tables are derived from rows, fit 100 columns, and never turn "nothing" into a number."""

import re
import shutil
import subprocess
from dataclasses import replace
from fractions import Fraction

import pytest
from stored_rows import stored_row

from optmap.experiment.report.html import page_data
from optmap.experiment.row import Row
from optmap.experiment.run.job import Job
from optmap.experiment.run.source import Source
from optmap.experiment.tables.baseline import differences
from optmap.experiment.tables.best_known import NOTHING
from optmap.experiment.tables.derived import derived
from optmap.experiment.tables.frames import gaps_frame, runs_frame, stage_gaps_frame, stages_frame
from optmap.experiment.tables.gaps import all_gaps
from optmap.experiment.tables.headline import headline_markdown
from optmap.experiment.tables.latex import escape, tables_latex
from optmap.experiment.tables.markdown import (
    HEADERS,
    failed,
    instance_lines,
    stage_lines,
    status_word,
    summary_line,
    tables_markdown,
)
from optmap.experiment.tables.metrics import GAPPED, METRICS
from optmap.experiment.tables.publish import results_page
from optmap.experiment.tables.stages import stage_losses
from optmap.experiment.tables.terminal import headline_text, plan_lines
from optmap.experiment.tables.text import compact, percent
from optmap.model.claim import Claim
from optmap.model.outcome import Limits, Status
from optmap.model.scope import Scope

ANY_BINDING = Scope(clustering="c")
STATUSES = (
    "optimal",
    "feasible",
    "infeasible",
    "no_solution",
    "timeout_hard",
    "memout",
    "error",
    "unsupported",
)
ROWS = [
    stored_row("a", "song2020", 6, 12),
    stored_row("a", "song2020-tree", 4, 9),
    stored_row("a", "song2020/order", 6, 10, status="optimal"),
    stored_row("a", "song2020/joint", 6, 8, status="optimal"),
    stored_row("a", "cpsat", 2, 5, status="optimal"),
    Row("k", "a", "digest of a", "milp", 0, "timeout_hard", "not_run", wall_s=25.0),
]


def test_a_row_without_a_mapping_shows_dashes_only():
    lines = {line[0]: line for line in instance_lines(ROWS, all_gaps(ROWS))}
    assert set(lines["milp"][1:-2]) == {"-"}
    assert lines["cpsat"][2:4] == ("2", "- / 0%")  # 2 is proved for its decomposition only
    assert lines["song2020"][2:4] == ("6", "- / 67%")
    period = HEADERS.index("period")
    assert lines["song2020"][period : period + 2] == ("12", "67% / 58%")
    assert all(len(line) == len(HEADERS) for line in lines.values())


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (9999999, "9999999"), (10**7, "1.000e7"), (Fraction(1, 3), "0.3"), (-5, "-5")],
)
def test_numbers_stay_short(value, text):
    assert compact(Fraction(value)) == text


@pytest.mark.parametrize(("value", "text"), [(0, "0%"), (1, "100%"), (Fraction(1, 200), "0.5%")])
def test_percentages(value, text):
    assert percent(Fraction(value)) == text


@pytest.mark.parametrize("width", [60, 80, 100])
def test_the_headline_fits_every_terminal_and_cuts_no_number(width):
    metrics = {"traffic": 123456789, "spike_hops": 99999999, "energy_pj": "98765432101/2"}
    rows = [
        stored_row(f"i{k}", method, 12345 + k * len(method), Fraction(99999999999, 7 + len(method)),
                   wall_s=3600.04, metrics=metrics)
        for k in range(12)
        for method in ("song2020", "cpsat-joint-prologue", "a-method-with-a-very-long-name-indeed")
    ]  # fmt: skip
    lines = headline_text(rows, width=width)
    assert max(map(len, lines)) <= width
    wide = headline_text(rows, width=300)
    numbers = [re.findall(r"[\d<>][^ ]*", line[40:]) for line in wide if "/" in line[40:]]
    for own, line in zip(numbers, [li for li in lines if li.count("/") >= 4], strict=True):
        assert all(number in line for number in own)
    assert sum("a-me" in line for line in lines) == 1
    groups = [line for line in lines if line in ("published", "exact", "yours")]
    assert groups == ["published", "exact", "yours"]


def test_why_an_instance_is_in_no_mean_is_said():
    rows = [stored_row(i, "song2020", 5, 4) for i in ("a", "b")]
    example = replace(rows[1], instance="c", network={"set": "example"})
    assert "over 2 of 2 instances" in headline_text(rows)
    lines = headline_text([*rows, example])
    assert "over 2 of 2 instances" in lines
    assert "1 example in no mean" in lines


def test_what_is_to_come_is_said_first():
    limits = Limits(wall_s=10.0)
    jobs = [Job(i, "d", Source(), m, limits) for i in "ab" for m in ("song2020", "cpsat")]
    (first,) = plan_lines(jobs, 0, 1)
    assert first.startswith("4 rows to run (2 instances, 2 methods), 2 of them with a solver")
    given = replace(jobs[0], method="mapping:theirs")
    assert "0 of them with a solver or a search" in plan_lines([given], 0, 1)[0]
    assert first.endswith(": up to 22 s")
    assert plan_lines([], 7, 1) == ["7 of 7 rows are finished already"]
    (alone,) = plan_lines(jobs[:1], 0, 1)
    assert alone.startswith("1 row to run (1 instance, 1 method), 0 of them")


@pytest.mark.parametrize("word", [*STATUSES, "violation", "mismatch"])
def test_status_words_are_short_and_differ(word):
    assert len(status_word(Row("k", "i", "d", "m", 0, word, "ok"))) <= 8


def test_frames_have_a_line_per_row_and_metric():
    runs, gaps = runs_frame(ROWS), gaps_frame(all_gaps(ROWS))
    assert len(runs) == 6
    assert list(runs["method"]) == [row.method for row in ROWS]
    assert len(gaps) == 5 * 5
    one = gaps[(gaps.method == "song2020") & (gaps.metric == "period")].iloc[0]
    assert (one.value, one.bound, one.bound_name, one.proved) == ("12", "4", "work", "")
    assert (one.grade, one.best_known, one.best_known_by) == ("certified", "5", "cpsat")
    of_stage = stage_gaps_frame(ROWS)
    (own,) = of_stage[(of_stage.method == "cpsat") & (of_stage.metric == "clusters")].itertuples()
    assert (own.optimum_of, own.proved, own.gap) == ("its decomposition", "*", 0)


def test_only_wrong_claims_invalid_mappings_and_errors_fail_a_run():
    assert failed(ROWS) == []
    wrong = [stored_row("a", "m", 1, 1, check=c) for c in ("violation", "mismatch")]
    broken = stored_row("a", "m", 1, 1, status="error", check="not_run")
    assert failed([*ROWS, *wrong, broken]) == [*wrong, broken]
    assert summary_line(ROWS).startswith("6 rows: 5 with a checked mapping, 3 proved")


def test_rows_of_several_seeds_can_be_told_apart():
    rows = [stored_row("a", "x", 4, 8), stored_row("a", "x", 2, 6, seed=1)]
    assert [line[0] for line in instance_lines(rows, all_gaps(rows))] == ["x #0", "x #1"]
    assert instance_lines(rows[:1], all_gaps(rows[:1]))[0][0] == "x"


def test_stage_losses_of_a_flow():
    found = {(s.stage, s.metric): s for s in stage_losses(ROWS)}
    assert found["decomposition", "clusters"].loss == Fraction(2, 6)
    assert found["clustering", "clusters"].loss == Fraction(4, 6)
    assert found["order", "period"].loss == Fraction(2, 12)
    assert found["binding", "period"].loss == Fraction(2, 10)
    assert found["clustering", "period"].loss == Fraction(3, 8)
    assert found["together", "period"].loss == Fraction(8, 12)
    assert found["order", "period"].sure == "proved"
    assert found["binding", "period"].sure == "proved"
    assert found["clustering", "clusters"].sure == "at most"  # 2 is a bound nobody reached
    assert found["clustering", "period"].sure == "at least"
    assert found["together", "period"].sure == "at most"


def test_stage_losses_are_said_under_the_instance():
    (line,) = stage_lines(ROWS)
    assert line == (
        "song2020 loses of its clusters 33% by decomposition, <=67% by clustering;"
        " of its period 17% by order, 20% by binding, >=38% by clustering, <=67% in all"
    )
    assert line in tables_markdown(ROWS)
    frame = stages_frame(ROWS)
    assert list(frame["loss"]) == [float(s.loss) for s in stage_losses(ROWS)]
    assert list(stages_frame([]).columns) == list(frame.columns)
    assert "loses" in headline_markdown(ROWS).split("**Wins")[0]


def nearest_row(method, status, scope, hops=2, **more):
    made = stored_row("a", method, 6, 12, metrics={"spike_hops": hops}, **more)
    claim = Claim("spike_hops", Status(status), hops, hops, hops, scope)
    return replace(made, claims=(claim,))


@pytest.mark.parametrize(("status", "sign"), [("optimal", ""), ("feasible", ">=")])
def test_a_binding_that_sends_spikes_too_far_loses_spike_hops(status, sign):
    rows = [stored_row("a", "spinemap", 6, 12), nearest_row("spinemap/hops", status, ANY_BINDING)]
    assert stage_lines(rows) == [f"spinemap loses of its spike-hops {sign}33% by binding"]


def test_fewest_spike_hops_of_another_clustering_or_under_a_load_cap_are_no_stage():
    flow = stored_row("a", "spinemap", 6, 12)
    of_other = Scope(clustering="other")
    other = nearest_row("spinemap/hops", "optimal", of_other, clustering="other")
    capped = nearest_row("spinemap/hops", "optimal", replace(ANY_BINDING, max_load=5))
    assert stage_lines([flow, other]) == []
    assert stage_lines([flow, capped]) == []


def test_a_flow_is_compared_with_the_best_order_of_its_own_binding():
    """Hill climbing binds by seed: seed 1's best order says nothing of seed 0's binding."""
    flow, ordered = "dfsynthesizer", "dfsynthesizer/order"
    killed = stored_row("a", ordered, 6, 12, status="timeout_hard", check="not_run")
    best = stored_row("a", ordered, 6, 9, seed=1, status="optimal")
    rows = [stored_row("a", flow, 6, 12), killed, best]
    assert "order" not in {s.stage for s in stage_losses(rows)}
    (order,) = [
        s for s in stage_losses([*rows, stored_row("a", flow, 6, 10, seed=1)]) if s.stage == "order"
    ]
    assert (order.value, order.better, order.sure) == (10, 9, "proved")


def test_stages_of_another_clustering_are_not_compared():
    joint = stored_row("a", "song2020/joint", 5, 8, status="optimal", clustering="other")
    ordered = stored_row("a", "song2020/order", 6, 10, status="optimal", clustering="one")
    rows = [stored_row("a", "song2020", 6, 12, clustering="one"), ordered, joint]
    found = {s.stage for s in stage_losses(rows) if s.metric == "period"}
    assert found == {"order", "together"}


def test_markdown_shows_every_method_and_the_formula():
    for text in (tables_markdown(ROWS), headline_markdown(ROWS)):
        for row in ROWS:
            assert f"| {row.method} |" in text or f" {row.method} |" in text
        assert "gap = (P - D) / max(|P|, 1e-9)" in text


def test_significance_needs_pairs_and_says_so():
    before = all_gaps([stored_row(f"i{k}", "m", 10 + k, 10 + k) for k in range(8)])
    same = differences(before, before)
    assert {d.verdict for d in same} == {"equal"}
    better = all_gaps([stored_row(f"i{k}", "m", 9 + k, 5 + k) for k in range(8)])
    found = {d.metric: d for d in differences(better, before)}
    assert found["period"].verdict == "better"
    assert found["period"].p_value < 0.05
    assert found["spike_hops"].verdict == "equal"
    few = {d.metric: d.verdict for d in differences(better[:10], before)}
    assert few["period"] == "too few pairs"


def test_latex_escapes_what_would_break_it():
    text = tables_latex([*ROWS, stored_row("odd_%&#{name}", "m^~\\", 1, 1)])
    assert r"odd\_\%\&\#\{name\}" in text
    body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    assert body.count(r"\begin{table}") == body.count(r"\end{table}") == 3
    assert not re.search(r"(?<!\\)[%#_]", re.sub(r"\\begin\{tabular\}\{\w+\}", "", body))
    for table in re.findall(r"\\toprule\n(.*?)\\bottomrule", body, re.S):
        columns = {
            line.count("&") - line.count(r"\&") for line in table.splitlines() if "&" in line
        }
        assert len(columns) == 1
    assert escape("plain text 1.5") == "plain text 1.5"


def test_latex_compiles_where_there_is_latex(tmp_path):
    compiler = shutil.which("pdflatex")
    if compiler is None:
        pytest.skip("no pdflatex on this machine; the syntax is checked above")
    (tmp_path / "tables.tex").write_text(tables_latex(ROWS))
    head = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}"
    (tmp_path / "main.tex").write_text(head + "\\input{tables}\\end{document}")
    done = subprocess.run(
        [compiler, "-interaction=nonstopmode", "-halt-on-error", "main.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-500:]


def test_wins_and_the_spread_over_seeds_are_in_the_headline():
    two = [stored_row("a", "x", 4, 8), stored_row("a", "x", 2, 6, seed=1)]
    text = headline_markdown([*two, stored_row("a", "y", 5, 5)])
    assert "| x |  | 1 |" in text  # clusters: 3 on the mean against 5
    assert "| a | x | clusters | 2 | 3 | 4 |" in text
    assert "Spread" not in headline_markdown(ROWS)


@pytest.mark.parametrize("metric", GAPPED, ids=lambda metric: metric.name)
def test_every_metric_with_a_gap_is_in_every_table(metric):
    """The tables follow the list: an entry is all that a metric needs."""
    measured = [replace(r, metrics={metric.name: 1} | r.metrics) for r in ROWS if r.accepted]
    texts = derived(measured)
    assert metric.label in HEADERS
    assert f"| {metric.label} |" in texts["headline.md"]
    assert f" {metric.label} & " in texts["tables.tex"]
    assert f",{metric.name}," in texts["gaps.csv"]
    assert metric.label in page_data(ROWS, {})["metrics"][METRICS.index(metric)].values()
    assert metric.about in results_page(ROWS, NOTHING, headline_markdown(ROWS, NOTHING))
    assert any(metric.label in line for line in headline_text(ROWS))
