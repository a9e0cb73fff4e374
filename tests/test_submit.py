"""``submit`` takes what the judge and ``verify`` confirm, and nothing else."""

import json
from pathlib import Path

import pytest
from tiny_run import compare_tiny

from optmap import submit
from optmap.experiment.best_known_check import entry_problems, missing_values
from optmap.experiment.tables.best_known import read_folder
from optmap.instance import load
from optmap.model.outcome import Limits
from optmap.shipped import shipped_instances

LIMITS = Limits(5.0, seed=9)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("submit")
    compare_tiny(folder, "random,song2020-tree")
    return folder


@pytest.fixture(autouse=True)
def verified_here(monkeypatch):
    """Verify in this process; processes of verify's own are tested with verify."""
    monkeypatch.setattr(submit, "cores", lambda: 1)


def test_a_run_improves_an_empty_list_once(run, tmp_path, capsys):
    to = ["--to", str(tmp_path / "list"), "--limit", "5"]
    assert submit.main([str(run / "run"), *to]) == 0
    first = capsys.readouterr().out
    assert "period value nothing ->" in first
    assert "clusters bound nothing ->" in first
    (entry,) = read_folder(tmp_path / "list").entries.values()
    rows = [json.loads(x) for x in (run / "run" / "rows.jsonl").read_text().splitlines()]
    assert entry.records["clusters"].value == min(r["metrics"]["clusters"] for r in rows)
    assert list(entry_problems(tmp_path / "list", entry, load(run / "i.toml"), LIMITS)) == []
    before = {f: f.read_bytes() for f in (tmp_path / "list").rglob("*") if f.is_file()}
    assert submit.main([str(run / "run"), *to]) == 0
    assert capsys.readouterr().out == "nothing is better than what is known\n"
    assert {f: f.read_bytes() for f in (tmp_path / "list").rglob("*") if f.is_file()} == before


def test_a_mapping_file_alone_is_judged(run, tmp_path, capsys):
    mapping = next((run / "run" / "mappings").glob("*.json"))
    assert submit.main([str(mapping), "--to", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "traffic value nothing" in said
    assert "energy" not in said  # the platform charges none: 0 says nothing


def test_a_run_that_does_not_verify_is_refused(run, tmp_path, capsys):
    rows = run / "run" / "rows.jsonl"
    text = rows.read_text()
    try:
        rows.write_text(text.replace('"clusters":', '"clusters":1', 1))
        assert submit.main([str(run / "run"), "--to", str(tmp_path / "list")]) == 1
    finally:
        rows.write_text(text)
    assert not (tmp_path / "list").exists()


def test_an_entry_with_a_false_value_is_found(run, tmp_path):
    assert submit.main([str(run / "run"), "--to", str(tmp_path), "--limit", "5"]) == 0
    (file,) = tmp_path.glob("*.json")
    data = json.loads(file.read_text())
    data["metrics"]["clusters"]["value"] = 3
    file.write_text(json.dumps(data))
    (entry,) = read_folder(tmp_path).entries.values()
    found = entry_problems(tmp_path, entry, load(run / "i.toml"), LIMITS)
    assert any("judged" in problem for problem in found)


def test_what_the_list_does_not_cover_is_named(run, tmp_path):
    mapping = next((run / "run" / "mappings").glob("*.json"))
    assert submit.main([str(mapping), "--to", str(tmp_path)]) == 0
    (file,) = tmp_path.glob("*.json")
    data = json.loads(file.read_text())
    data["metrics"]["traffic"]["value"] = None
    file.write_text(json.dumps(data))
    (entry,) = read_folder(tmp_path).entries.values()
    names = [entry.instance, "another"]
    missing = [f"{entry.instance}: no value of traffic", "another: no entry"]
    assert missing_values([entry], names) == missing


def test_the_shipped_list_is_what_the_judge_says(capsys):
    assert submit.main(["--check"]) == 0, capsys.readouterr().out
    entries = int(capsys.readouterr().out.split()[0])
    assert entries == len(shipped_instances())


def test_the_page_has_the_gaps_of_the_list(capsys):
    assert submit.main(["--table"]) == 0
    table = capsys.readouterr().out
    assert len(table.splitlines()) == 2 + len(shipped_instances())
    page = Path("docs/best_known.md").read_text()
    assert page.split("gaps: begin -->\n")[1].split("<!-- gaps: end")[0] == table
