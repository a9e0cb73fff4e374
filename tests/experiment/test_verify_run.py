"""``verify`` passes a true run and finds each deliberate corruption, checksum repaired or not."""

import json
import shutil

import pytest
from forged_run import EDITED, claim_of, edit, problems, rows_of, verdict_of, write_rows

from optmap.experiment.run.job import Job
from optmap.experiment.run.source import Source
from optmap.experiment.run.store import Store
from optmap.experiment.tables.best_known import read_copy
from optmap.experiment.tables.derived import BEST_KNOWN, ENVIRONMENT, REPORT, derived
from optmap.experiment.verification.folder import read_folder, seal_problems
from optmap.model.outcome import Limits


def test_a_true_run_passes(run):
    verdict = verdict_of(run)
    assert verdict.problems == []
    assert (verdict.rows, verdict.mappings) == (2, 2)
    assert verdict.claims >= 5
    assert verdict.bounds > 10
    assert sum(verdict.proofs.values()) >= 5


def test_any_change_breaks_the_checksum(run):
    text = (run / "rows.jsonl").read_text()
    (run / "rows.jsonl").write_text(text.replace('"wall_s":', '"wall_s":1'))
    assert any("checksum" in problem for problem in problems(run, again=False))


def test_a_heuristic_under_a_false_name_is_found_by_running_it_again(run):
    def rename(row, mapping):
        row["method"] = mapping["method"] = "pacman"
        limits = Limits(row["limit_s"], row["threads"], row["seed"], row["memory_mb"])
        job = Job(row["instance"], row["digest"], Source(), "pacman", limits)
        row["key"] = job.key(code=row["code_version"], solvers=row["solver_versions"])

    rows = rows_of(run)
    for row in rows:
        if row["method"] == "song2020-tree":
            old = row["key"]
            file = run / "mappings" / f"{old}.json"
            mapping = json.loads(file.read_text())
            rename(row, mapping)
            file.unlink()
            (run / "mappings" / f"{row['key']}.json").write_text(json.dumps(mapping))
            (run / "details" / f"{old}.json").rename(run / "details" / f"{row['key']}.json")
    write_rows(run, rows)
    assert any("gives another mapping" in problem for problem in problems(run))


def test_a_rival_without_its_mapping_is_run_again(run):
    rows = rows_of(run)
    for row in rows:
        row.update(status="timeout_hard", check="not_run", reason="", claims=[], bounds=[])
        row.update(metrics={}, place=None, certificates=[], attached={}, decomposition="")
        (run / "mappings" / f"{row['key']}.json").unlink()
        (run / "details" / f"{row['key']}.json").unlink()
    write_rows(run, rows)
    assert sum("finds a valid one" in problem for problem in problems(run)) == 2


def test_a_row_that_was_removed_is_missed(run):
    lines = (run / "rows.jsonl").read_text().splitlines(keepends=True)
    (run / "rows.jsonl").write_text(lines[1])
    found = problems(run)
    assert any("was removed or moved" in problem for problem in found)
    assert any("seals 2 rows" in problem for problem in found)


def test_a_row_that_the_tables_hide_is_found(run):
    typed = [row for row in Store(run).typed() if row.method != "cpsat"]
    rows = rows_of(run)
    write_rows(run, rows)
    store = Store(run)
    store.read()
    typed = [row for row in store.typed() if row.method != "cpsat"]
    texts = derived(typed, read_copy(run / BEST_KNOWN))
    for name, text in texts.items():
        (run / name).write_text(text)
    store.seal([*texts, REPORT, ENVIRONMENT, BEST_KNOWN])
    found = problems(run, again=False)
    assert "runs.csv: 1 rows of this run are not shown, as i / cpsat" in found


def test_a_row_under_a_second_key_is_found(run):
    rows = rows_of(run)
    double = json.loads(json.dumps(rows[0]))
    double["key"] = "0" * 20
    for place in ("mappings", "details"):
        shutil.copy(run / place / f"{rows[0]['key']}.json", run / place / f"{double['key']}.json")
    write_rows(run, [*rows, double])
    assert any("is not that of its method" in problem for problem in problems(run))


@pytest.mark.parametrize(
    "text", ["our rows are better", "process 7 on a host with more", "process 7 on " + "h" * 2_000]
)
def test_a_lock_that_says_more_than_its_owner_is_found(run, text):
    assert list(seal_problems(run, read_folder(run))) == []
    (run / "lock").write_text(text)
    (said,) = seal_problems(run, read_folder(run))
    assert said == "lock: says more than who opened the store"


def test_a_row_with_the_times_of_another_is_found(run):
    first, second = rows_of(run)
    for row in (first, second):
        row |= {"wall_s": 0.25, "cpu_s": 0.25, "elapsed_s": 0.5}
        row["stage_seconds"] = dict.fromkeys(row["stage_seconds"], 0.01)
    write_rows(run, [first, second])
    assert any("all its times are those of" in problem for problem in problems(run, again=False))
    second["elapsed_s"] = 0.5001
    write_rows(run, [first, second])
    assert not any("its times" in problem for problem in problems(run, again=False))


@pytest.mark.parametrize("name", ["report.html", "environment.json", "runs.csv", "manifest.json"])
def test_a_sealed_file_that_changed_or_went_is_found(run, name):
    (run / name).write_text((run / name).read_text() + " ")
    if name != "manifest.json":
        assert any(problem.startswith(name) for problem in problems(run, again=False))
    (run / name).unlink()
    assert any(problem.startswith(name) for problem in problems(run, again=False))


def test_details_are_those_of_the_mapping(run):
    for file in (run / "details").iterdir():
        data = json.loads(file.read_text())
        data["tau"][0] += 1
        file.write_text(json.dumps(data))
    write_rows(run, rows_of(run))
    assert sum("details" in problem for problem in problems(run)) == 2


def test_a_file_of_nobody_is_found(run):
    (run / "more_tables.md").write_text("| our method | best |")
    assert problems(run, again=False) == ["more_tables.md: belongs to no row and is not sealed"]
    (run / "more_tables.md").unlink()
    (run / "figures").mkdir()
    assert problems(run, again=False) == ["figures: a folder that no run makes"]


def test_a_bound_that_another_row_refutes_is_found(run):
    def both(row, mapping):
        claim = claim_of(row, "clusters")
        claim["bound"] = claim["value"] = 99
        claim["status"] = "optimal"

    edit(run, both)
    assert any("refuted by song2020-tree" in problem for problem in problems(run))


@pytest.mark.parametrize(
    "name", ["runs.csv", "gaps.csv", "stages.csv", "tables.md", "headline.md", "tables.tex"]
)
def test_a_table_that_was_edited_is_found(run, name):
    text = (run / name).read_text()
    at = max(i for i, letter in enumerate(text) if letter.isalnum())
    (run / name).write_text(text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :])
    line = text[:at].count("\n") + 1
    assert f"{name}, line {line}: {EDITED}" in problems(run, again=False)
    if name != "runs.csv":  # it says which rows the others show
        (run / name).write_text(text + "and more\n")
        assert f"{name}, line {text.count(chr(10)) + 1}: {EDITED}" in problems(run, again=False)
        (run / name).unlink()
        assert f"{name}, line 1: {EDITED}" in problems(run, again=False)


def test_a_line_of_a_row_that_is_not_there_is_found(run):
    with (run / "runs.csv").open("a") as stream:
        stream.write("made up\n")
    assert "runs.csv: of 3 lines 1 belong to no row, as None" in problems(run, again=False)


def test_missing_files_and_torn_rows_are_problems_not_tracebacks(run):
    for file in (run / "mappings").iterdir():
        file.unlink()
    with (run / "rows.jsonl").open("a") as stream:
        stream.write("[" * 100_000 + '\n{"key": "k", "checksum": Infinity}\n')
        stream.write('{"key": "torn", "che')
    found = problems(run)
    assert sum("no row" in problem for problem in found) == 3
    assert sum("No such file" in problem for problem in found) >= 2


def test_a_third_file_beside_a_row_is_found(run):
    rows = rows_of(run)
    (run / "notes").mkdir()
    (run / "notes" / f"{rows[0]['key']}.json").write_text("{}\n")
    rows[0]["attached"]["notes"] = ""
    write_rows(run, rows)
    (found,) = read_folder(run).problems
    assert "a row with files beside it that no run writes" in found


def test_lines_are_counted_from_one(run):
    lines = (run / "rows.jsonl").read_bytes().splitlines(keepends=True)
    (run / "rows.jsonl").write_bytes(b"".join([lines[0], b"torn\n", lines[1]]))
    assert "rows.jsonl, line 2: no row" in read_folder(run).problems


def test_a_row_that_stands_twice_is_found(run):
    lines = (run / "rows.jsonl").read_text()
    (run / "rows.jsonl").write_text(lines + lines.splitlines(keepends=True)[0])
    assert any("stands twice" in problem for problem in problems(run))
    first, second = lines.splitlines(keepends=True)
    (run / "rows.jsonl").write_text(first + first + second)
    assert [row["method"] for row in read_folder(run).rows] == ["song2020-tree", "cpsat"]


def test_details_that_nobody_can_draw_are_a_problem_not_an_end(run):
    for file in (run / "details").iterdir():
        file.write_text(json.dumps({"platform": []}))
    assert any("cannot be drawn" in problem for problem in problems(run, again=False))
