"""Forgeries of a run's files: read twice, counted twice, of another kind, without a plan."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from forged_run import problems, rows_of, seal, typed_rows, write_rows

from optmap.experiment.run.store import Store
from optmap.experiment.tables.best_known import NOTHING
from optmap.experiment.tables.derived import BEST_KNOWN, ENVIRONMENT, REPORT, RUNS, derived
from optmap.experiment.verification.context import unverifiable
from optmap.experiment.verification.environment import environment_problems
from optmap.verify import main


def test_a_row_that_is_counted_twice_is_found(run: Path) -> None:
    typed = typed_rows(run)
    for name, text in derived([*typed, typed[-1]], NOTHING).items():
        (run / name).write_text(text)
    store = Store(run)
    store.read()
    store.seal(list(json.loads((run / "manifest.json").read_text())["files"]))
    assert f"{RUNS}: a row stands twice, so that means count it twice" in problems(run, again=False)


@pytest.mark.parametrize("end", ["\x0c", "\r\n", "\u2028"])
def test_tables_whose_lines_end_otherwise_are_found(run: Path, end: str) -> None:
    file = run / "headline.md"
    file.write_bytes(file.read_text().replace("\n", end).encode())
    store = Store(run)
    store.read()
    store.seal(list(json.loads((run / "manifest.json").read_text())["files"]))
    assert any(p.startswith("headline.md") for p in problems(run, again=False))


@pytest.mark.parametrize("name", [ENVIRONMENT, "manifest.json", BEST_KNOWN])
def test_a_file_beside_the_rows_says_each_thing_once(run: Path, name: str) -> None:
    file = run / name
    if name == BEST_KNOWN:
        file.write_text(" " + file.read_text())
    else:
        first = next(iter(json.loads(file.read_text())))
        file.write_text(file.read_text().replace("{", f'{{\n "{first}": 1,', 1))
    if name != "manifest.json":
        seal(run)
    expected = f"{name}: written otherwise than a run writes it"
    assert expected in problems(run, again=False)


def test_a_manifest_counts_in_whole_numbers(run: Path) -> None:
    file = run / "manifest.json"
    file.write_text(file.read_text().replace('"rows": 2', '"rows": 2.0'))
    assert problems(run, again=False)


@pytest.mark.parametrize("value", ["1e400", "[" * 990 + "]" * 990, '"\\ud800"'])
def test_what_no_run_can_write_is_a_problem_not_a_traceback(run: Path, value: str) -> None:
    lines = (run / "rows.jsonl").read_text().splitlines(keepends=True)
    lines[0] = lines[0].replace('"wall_s":', f'"wall_s":{value},"cpu_s":', 1)
    (run / "rows.jsonl").write_text("".join(lines))
    assert any("line 1" in problem for problem in problems(run, again=False))


def test_a_pipe_is_no_file_of_a_run(run: Path) -> None:
    os.mkfifo(run / "more")
    assert problems(run, again=False) == ["more: belongs to no row and is not sealed"]


def test_a_folder_from_elsewhere_is_a_link(run: Path) -> None:
    (run / "mappings").rename(run.parent / "theirs")
    (run / "mappings").symlink_to(run.parent / "theirs")
    assert "mappings: a link, not a file of the run" in problems(run, again=False)


def test_blank_lines_and_a_mark_before_the_first_are_found(run: Path) -> None:
    data = (run / "rows.jsonl").read_bytes()
    for changed in (b"\xef\xbb\xbf" + data, data.replace(b"\n", b"\n\n", 1), data[:-1]):
        (run / "rows.jsonl").write_bytes(changed)
        assert any("rows.jsonl, line" in problem for problem in problems(run, again=False))


def test_two_instances_of_one_name_are_found(run: Path) -> None:
    """An easier instance under the name of a harder one: each row is true by itself."""
    theirs, ours = typed_rows(run)
    environment = json.loads((run / ENVIRONMENT).read_text())
    for name in ("i", "\uff49"):  # the second is a wide letter, alike on a screen
        other = replace(ours, instance=name, digest="0" * 64)
        found = environment_problems(environment, [theirs, other])
        assert any("two instances are called 'i'" in problem for problem in found)
    assert list(environment_problems(environment, [theirs, ours])) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"planned": {}}, "a plan of nothing"),
        ({"planned": {"i": []}}, "a plan of nothing"),
        ({"planned": {"i": "cpsat"}}, "planned rows are missing"),
        ({"seeds": [0.0]}, "seeds that are none"),
        ({"seeds": [False]}, "seeds that are none"),
        ({"optmap": "99.0"}, "optmap '99.0'"),
    ],
)
def test_an_environment_that_no_call_gives_is_found(
    run: Path, change: dict[str, Any], expected: str
) -> None:
    environment = json.loads((run / ENVIRONMENT).read_text()) | change
    assert any(expected in p for p in environment_problems(environment, typed_rows(run)))


def test_a_plan_that_forgets_rows_of_the_run_is_said(run: Path) -> None:
    environment = json.loads((run / ENVIRONMENT).read_text()) | {"planned": {"i": ["cpsat"]}}
    found = list(unverifiable(run, typed_rows(run), environment))
    assert any("1 rows are of earlier calls, as i / song2020-tree" in line for line in found)


def test_a_report_with_data_before_its_data_is_found(run: Path) -> None:
    """A page shows the first element of a name."""
    file = run / REPORT
    text = file.read_text()
    at = text.index('<script type="text/plain" id="packed-data">')
    end = text.index("</script>", at) + len("</script>")
    file.write_text(text[:at] + text[at:end] + text[at:])
    store = Store(run)
    store.read()
    store.seal(list(json.loads((run / "manifest.json").read_text())["files"]))
    assert f"{REPORT}: its data are not what the rows give" in problems(run, again=False)


def test_no_escape_code_reaches_the_terminal(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = rows_of(run)
    for row in rows:
        row["instance"] = "i\x1b[31m\u202e"
        shutil.copy(run / "mappings" / f"{row['key']}.json", run / "mappings" / "copy.json")
    write_rows(run, rows, sealed=False)
    assert main([str(run), "--not-again", "--jobs", "1"]) != 0
    said = "".join(capsys.readouterr())
    assert "wrong" in said
    assert "\x1b[31m" not in said
    assert "\u202e" not in said
