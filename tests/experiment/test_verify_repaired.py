"""Forgeries by somebody who knows the store: each is found by what it says, not by a checksum."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from forged_run import (
    Stored,
    as_written,
    claim_of,
    forged,
    problems,
    row_problems,
    rows_of,
    seal,
    verdict_of,
    write_rows,
)

from optmap.experiment.report.details import details
from optmap.experiment.run.exact_json import dumps
from optmap.experiment.run.mapping_file import read_document
from optmap.experiment.run.store import Store
from optmap.experiment.tables.best_known import BestKnown
from optmap.experiment.tables.derived import BEST_KNOWN, ENVIRONMENT, REPORT
from optmap.judge.case import Case
from optmap.judge.evaluation import ADDED


def lower_a_bound_and_its_trace(row: Stored, mapping: Stored) -> None:
    claim = claim_of(row, "spike_hops")
    claim["bound"], claim["status"], claim["trace"] = 0, "feasible", []
    claim["grade"], row["status"] = "claimed", "feasible"


def forget_a_bound_and_its_trace(row: Stored, mapping: Stored) -> None:
    claim = claim_of(row, "tile_load_max")
    claim["bound"], claim["status"], claim["trace"] = None, "feasible", []
    claim["grade"], row["status"] = "claimed", "feasible"


def lower_a_bound_below_what_needs_no_solver(row: Stored, mapping: Stored) -> None:
    claim = claim_of(row, "clusters")
    claim["bound"], claim["status"], claim["trace"] = 1, "feasible", []
    row["status"] = "feasible"


def lower_a_grade(row: Stored, mapping: Stored) -> None:
    claim_of(row, "period")["grade"] = "claimed"


def raise_a_grade(row: Stored, mapping: Stored) -> None:
    claim = claim_of(row, "spike_hops")
    assert claim["grade"] == "two solvers"
    claim["grade"] = "certified"


def raise_value_bound_and_trace_of_a_load(row: Stored, mapping: Stored) -> None:
    """Say that less was reached, with a bound above what the mapping has."""
    claim = claim_of(row, "tile_load_max")
    claim["value"] = claim["evaluated"] = int(claim["value"]) + 7
    claim["bound"], claim["trace"] = claim["value"], []
    claim_of(row, "spike_hops")["scope"]["max_load"] = claim["value"]


def forget_one_claim(row: Stored, mapping: Stored) -> None:
    row["claims"] = [claim for claim in row["claims"] if claim["metric"] != "spike_hops"]


def claim_twice(row: Stored, mapping: Stored) -> None:
    row["claims"].append(row["claims"][-1])


def claim_out_of_turn(row: Stored, mapping: Stored) -> None:
    row["claims"].reverse()


def claim_of_an_end_to_end_optimum(row: Stored, mapping: Stored) -> None:
    claim = claim_of(row, "period")
    row["claims"].append({**claim, "scope": {}, "grade": "two solvers"})


def end_a_trace_elsewhere(row: Stored, mapping: Stored) -> None:
    claim = claim_of(row, "traffic")
    claim["trace"] = [[0.01, 10_000, None]]


def outlast_the_row(row: Stored, mapping: Stored) -> None:
    claim = claim_of(row, "traffic")
    claim["trace"] = [[4000.0, claim["value"], claim["bound"]]]


def run_backwards(row: Stored, mapping: Stored) -> None:
    claim = claim_of(row, "traffic")
    claim["trace"] = [[0.2, None, None], [0.1, claim["value"], claim["bound"]]]


def negative_time(row: Stored, mapping: Stored) -> None:
    row["wall_s"] = -1.0


def time_below_its_stages(row: Stored, mapping: Stored) -> None:
    row["stage_seconds"]["binding"] = row["wall_s"] + 30.0


def more_than_the_process_took(row: Stored, mapping: Stored) -> None:
    row["elapsed_s"] = 0.0
    row["wall_s"] = 3.0


def time_in_words(row: Stored, mapping: Stored) -> None:
    row["cpu_s"] = "fast"


def a_stage_of_nobody(row: Stored, mapping: Stored) -> None:
    row["stage_seconds"]["our secret"] = 0.0


def seed_of_another_type(row: Stored, mapping: Stored) -> None:
    row["seed"] = False


def no_date(row: Stored, mapping: Stored) -> None:
    row["ended"] = "yesterday"


def excuse(row: Stored, mapping: Stored) -> None:
    row["reason"] = "found by our method first"


def another_source_of_the_mapping(row: Stored, mapping: Stored) -> None:
    mapping["source"] = {"file": "ours.toml"}


def negative_memory(row: Stored, mapping: Stored) -> None:
    row["peak_rss_mb"] = -5


FORGERIES = [
    lower_a_bound_and_its_trace,
    forget_a_bound_and_its_trace,
    lower_a_bound_below_what_needs_no_solver,
    lower_a_grade,
    raise_a_grade,
    raise_value_bound_and_trace_of_a_load,
    forget_one_claim,
    claim_twice,
    claim_out_of_turn,
    claim_of_an_end_to_end_optimum,
    end_a_trace_elsewhere,
    outlast_the_row,
    run_backwards,
    negative_time,
    time_below_its_stages,
    more_than_the_process_took,
    time_in_words,
    a_stage_of_nobody,
    seed_of_another_type,
    no_date,
    excuse,
    another_source_of_the_mapping,
    negative_memory,
]


#: Only running the method once more shows these.
BY_RUNNING = (
    lower_a_bound_and_its_trace,
    forget_a_bound_and_its_trace,
    raise_value_bound_and_trace_of_a_load,
    lower_a_grade,
)


def test_a_row_that_nobody_touched_is_right(run: Path) -> None:
    for row in rows_of(run):
        assert row_problems(run, row, again=True) == []


@pytest.mark.parametrize("change", FORGERIES)
def test_each_is_found(run: Path, change: Callable[[Stored, Stored], None]) -> None:
    row = forged(run, change)
    assert row_problems(run, row, again=change in BY_RUNNING)
    if change in BY_RUNNING[:2]:
        assert all("no course" in p for p in row_problems(run, row, again=False))


def _worse(row: Stored, mapping: Stored, folder: Path) -> dict[str, Any]:
    """Put every cluster of a row on one tile, and derive from that what a row says."""
    tiles, orders = mapping["mapping"]["tile_of"], mapping["mapping"]["orders"]
    tiles[:] = [0] * len(tiles)
    mapping["mapping"].pop("sends", None)
    file = folder / "mappings" / f"{row['key']}.json"
    for order in permutations(range(len(tiles))):
        orders[:] = [list(order), *([] for _ in orders[1:])]
        file.write_text(json.dumps(mapping))
        _, instance, made = read_document(file)
        case = Case(instance.snn, instance.platform, instance.tokens, made)
        if case.evaluation is not None:
            break
    assert case.evaluation is not None
    assert case.place is not None
    row["metrics"] = json.loads(dumps(case.evaluation.row()))
    row["place"] = case.place.to_json()
    row["bounds"] = [json.loads(dumps(bound.to_json())) for bound in case.bounds]
    row["critical_cycle"] = [str(step) for step in case.evaluation.critical_cycle]
    for name, scope in (("tile_load_max", {}), ("spike_hops", {}), ("period", {})):
        claim, judged = claim_of(row, name), row["metrics"][name]
        judged = int(judged) if name != "period" else judged
        claim |= {"value": judged, "evaluated": judged, "status": "feasible", "trace": []}
        claim |= {"bound": None, "grade": "claimed"}
        claim["scope"] = {"clustering": case.place.clustering} | scope
    claim_of(row, "spike_hops")["scope"]["max_load"] = claim_of(row, "tile_load_max")["value"]
    claim_of(row, "period")["scope"] = {"binding": case.place.binding, "prologue": False}
    row["status"] = "feasible"
    return details(case)


def test_a_rival_with_a_worse_mapping_is_found_by_a_short_run_of_its_method(run: Path) -> None:
    rows = rows_of(run)
    for row in rows:
        if row["method"] == "cpsat":
            file = run / "mappings" / f"{row['key']}.json"
            drawn = _worse(row, json.loads(file.read_text()), run)
            (run / "details" / f"{row['key']}.json").write_text(dumps(drawn))
    write_rows(run, rows)
    assert any("a tenth of the time" in problem for problem in problems(run))
    # the orders drawn here are no first ones either, which needs no run to be seen
    words = ("lack the sends", "no course that leads to it")
    assert all(any(w in problem for w in words) for problem in problems(run, again=False))


def test_a_row_that_was_removed_everywhere_was_planned(run: Path) -> None:
    rows = [row for row in rows_of(run) if row["method"] != "cpsat"]
    gone = next(row for row in rows_of(run) if row["method"] == "cpsat")
    for folder in ("mappings", "details"):
        (run / folder / f"{gone['key']}.json").unlink()
    write_rows(run, rows)
    found = problems(run, again=False)
    assert found == ["rows.jsonl: 1 of 2 planned rows are missing, as i / cpsat / 0"]


def test_a_table_of_nobody_is_found_although_it_is_sealed(run: Path) -> None:
    (run / "more_tables.md").write_text("| our method | best |")
    seal(run, more=["more_tables.md"])
    found = problems(run, again=False)
    assert "more_tables.md: sealed, and no file of a run" in found


def test_no_file_outside_the_folder_is_read_for_a_manifest(run: Path) -> None:
    (run.parent / "secret").write_text("x")
    seal(run, more=["../secret"])
    assert problems(run, again=False) == ["../secret: sealed, and no file of a run"]


def _edit_report(run: Path, old: str, new: str) -> list[str]:
    text = (run / REPORT).read_text()
    assert old in text
    (run / REPORT).write_text(text.replace(old, new, 1))
    store = Store(run)
    store.read()
    manifest = json.loads((run / "manifest.json").read_text())
    store.seal(list(manifest["files"]))
    return problems(run, again=False)


def test_a_report_that_was_edited_and_sealed_is_found(run: Path) -> None:
    found = _edit_report(run, "How far from the optimum?", "Our method is best!")
    assert found == ["report.html: its page is not what the rows give"]


def test_data_of_a_report_that_were_edited_and_sealed_are_found(run: Path) -> None:
    found = _edit_report(run, 'id="packed-data">', 'id="packed-data">H4sI')
    assert found == ["report.html: its data are not what the rows give"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"code_version": "0123456789ab"}, "code_version '0123456789ab'"),
        ({"libraries": {"ortools": "99"}}, "solvers ortools-99"),
        ({"planned": {"i": ["song2020-tree", "cpsat", "milp"]}}, "1 of 3 planned rows"),
    ],
)
def test_an_environment_of_other_rows_is_found(
    run: Path, change: dict[str, Any], expected: str
) -> None:
    file = run / ENVIRONMENT
    as_written(file, json.loads(file.read_text()) | change)
    seal(run)
    assert any(expected in problem for problem in problems(run, again=False))


def _entry(run: Path, record: dict[str, Any]) -> None:
    row = rows_of(run)[0]
    entry = {"schema": 1, "instance": "i", "digest": row["digest"], "platform": "tiny"}
    made = BestKnown.from_json([entry | {"metrics": {"period": record}}], "copy")
    (run / BEST_KNOWN).write_text(dumps(made.to_json()) + "\n")
    seal(run)


def test_a_best_known_value_of_nobody_is_found(run: Path) -> None:
    _entry(run, {"value": 1, "method": "ours", "date": "2026-01-01"})
    found = problems(run, again=False)
    assert found == ["best_known.json: i: period 1 stands in no list"]


def test_a_star_that_rests_on_a_bound_of_nobody_is_found(run: Path) -> None:
    least = min(int(row["metrics"]["period"]) for row in rows_of(run))
    bound = {"metric": "period", "name": "ours", "value": least, "scope": {}}
    _entry(run, {"bound": bound | {"grade": "certified"}, "bound_by": "ours"})
    found = problems(run, again=False)
    assert found == [f"best_known.json: i: bound {least} on period stands in no list"]


def test_details_that_were_taken_away_are_missed(run: Path) -> None:
    rows = rows_of(run)
    for row in rows:
        del row["attached"]["details"]
    shutil.rmtree(run / "details")
    write_rows(run, rows)
    assert sum("details: missing" in problem for problem in problems(run, again=False)) == 2


def test_a_row_that_says_two_things_is_found(run: Path) -> None:
    """A field that stands twice: readers of the file may take the first, optmap takes the last."""
    rows = rows_of(run)
    write_rows(run, rows)
    text = (run / "rows.jsonl").read_text()
    (run / "rows.jsonl").write_text(text.replace('{"schema":2,', '{"schema":2,"schema":2,'))
    found = problems(run, again=False)
    assert sum("written otherwise" in p or "checksum" in p for p in found) == 2


def test_a_link_is_no_file_of_a_run(run: Path) -> None:
    file = next((run / "mappings").iterdir())
    file.rename(run.parent / "elsewhere.json")
    file.symlink_to(run.parent / "elsewhere.json")
    found = problems(run, again=False)
    assert found == [f"mappings/{file.name}: a link, not a file of the run"]


def test_a_row_that_waits_aside_is_found(run: Path) -> None:
    lines = (run / "rows.jsonl").read_text().splitlines(keepends=True)
    (run / "rows.jsonl").write_text(lines[0])
    (run / "rows.aside.jsonl").write_text(lines[1])
    found = problems(run, again=False)
    assert "rows.aside.jsonl, line 1: a whole row that the run does not show" in found
    (run / "rows.aside.jsonl").write_text("our method was better\n")
    assert any(n.startswith("rows.aside.jsonl: 1 lines") for n in verdict_of(run).notes)


def test_metrics_left_out_and_fields_that_count_for_nothing_are_found(run: Path) -> None:
    row = forged(run, lambda row, mapping: [row["metrics"].pop(name) for name in ADDED])
    assert any(p.startswith("connectivity: stored") for p in row_problems(run, row))

    def add(row: Stored, mapping: Stored) -> None:
        row["source"]["tokens"] = mapping["source"]["tokens"] = "pipelined"

    row = forged(run, add, method="song2020-tree")
    assert any("source is written" in p for p in row_problems(run, row))
