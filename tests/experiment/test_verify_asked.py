"""Instances that a call names and nobody planned, links and paths that no run writes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from forged_run import Stored, forged, row_problems
from tiny_run import write_tiny

from optmap.experiment.run.source import Source
from optmap.experiment.tables.derived import ENVIRONMENT
from optmap.experiment.verification.asked import asked_notes, asked_problems, call_problems
from optmap.experiment.verification.folder import read_folder, seal_problems
from optmap.shipped import shipped_folder

PLANNED = {"filter_8": ["cpsat"], "ring_12 [rate]": ["cpsat"], "mlp-9-4-2@dynap_se": ["cpsat"]}


@pytest.fixture
def environment(run: Path) -> dict[str, object]:
    """Return what a true run says of itself."""
    found: dict[str, object] = json.loads((run / ENVIRONMENT).read_text())
    return found


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["filter_8", "ring_12", "--limit", "3"], ""),
        (["compare", "filter_8"], ""),
        (["--methods", "cpsat", "ring_12", "ring_24"], "1 instances that the call asks for"),
        (["--limit", "3", "mlp_tiny", "adder_8", "filter_8"], "2 instances"),
        ([str(shipped_folder()), "--all"], "instances that the call asks for"),
        (["gen:mlp-9-4-2", "--platform", "dynap_se"], ""),
        (["nothing", "--of", "ours"], ""),
        (["gone.toml", "filter_8"], ""),
        ("filter_8", ""),
    ],
)
def test_a_shipped_instance_that_is_asked_for_is_planned(
    environment: dict[str, object], arguments: object, names: str
):
    found = environment | {"arguments": arguments, "planned": PLANNED}
    said = list(asked_problems(found))
    assert len(said) == bool(names)
    assert names in "".join(said)
    assert list(asked_problems(found | {"picked": True})) == []
    assert list(asked_problems(found | {"code_version": "another"})) == []


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ("filter_8 --limit 30 --methods cpsat", ""),
        ("filter_8 --lim=30", ""),
        ("filter_8", ""),
        ("compare filter_8 --limit 30.0 --threads 1", ""),
        ("compare filter_8", "wall_s 30.0, its call says --limit 10"),
        ("filter_8 --limit 60", "wall_s 30.0, its call says --limit 60"),
        ("filter_8 --limit ours", "wall_s"),
        ("filter_8 --work 5", "work None, its call says --work 5"),
        ("filter_8 --threads 8", "threads"),
        ("filter_8 --memory=900", "memory_mb"),
        ("filter_8 --methods cpsat,lns", "the methods of filter_8"),
        ("filter_8 --methods lns --method-file own.py", ""),
    ],
)
def test_a_call_says_what_its_rows_were_limited_by(
    environment: dict[str, object], arguments: str, wrong: str
):
    found = environment | {"arguments": arguments.split(), "planned": PLANNED}
    said = list(call_problems(found))
    assert len(said) == bool(wrong)
    assert wrong in "".join(said)
    assert list(call_problems(found | {"picked": True})) == []
    assert list(call_problems(found | {"code_version": "another"})) == []


def test_work_sets_the_seconds(environment: dict[str, object]):
    limits = {"wall_s": 60.0, "threads": 1, "memory_mb": None, "work": 2}
    found = environment | {"arguments": ["compare", "i.toml", "--work", "2"], "limits": limits}
    assert list(call_problems(found)) == []


def test_another_instance_that_is_there_now_is_said(environment: dict[str, object], tmp_path: Path):
    file = write_tiny(tmp_path)
    found = environment | {"arguments": [str(file), "filter_8"], "planned": PLANNED}
    assert list(asked_problems(found)) == []
    (line,) = asked_notes(found)
    assert "1 instances that the call asks for are not planned, as i" in line


def test_a_true_run_plans_what_it_was_asked_for(environment: dict[str, object]):
    assert [*asked_problems(environment), *asked_notes(environment)] == []
    assert list(call_problems(environment)) == []


def test_one_file_by_two_names_is_found(run: Path):
    """Two rows with equal files beside them: a run writes each."""
    one, other = sorted((run / "details").iterdir())[:2]
    other.unlink()
    os.link(one, other)
    said = list(seal_problems(run, read_folder(run)))
    assert f"details/{other.name}: one file with details/{one.name}, by two names" in said


def test_a_path_that_no_run_writes_is_found(run: Path):
    def spell(row: Stored, mapping: Stored) -> None:
        file = Path(row["source"]["file"])
        row["source"] = mapping["source"] = {"file": f"{file.parent}/./{file.name}"}

    assert row_problems(run, forged(run, lambda row, mapping: None)) == []
    (problem,) = row_problems(run, forged(run, spell))
    assert "its source is written otherwise than a run writes it" in problem


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"file": "./a//b.toml"}, {"file": "a/b.toml"}),
        ({"file": "filter_8"}, {"file": "filter_8"}),
        ({"network": "gen:mlp-3-2", "platform": "dynap_se:rows=64"}, {}),
        (
            {"network": "./n.npz", "platform": "./p.toml:rows=64", "spikes": "s//s.csv"},
            {"network": "n.npz", "platform": "p.toml:rows=64", "spikes": "s/s.csv"},
        ),
    ],
)
def test_paths_are_kept_as_path_writes_them(given: dict[str, str], kept: dict[str, str]):
    assert Source(**given).tidy() == Source(**{**given, **kept})


def test_a_derived_file_of_any_other_digest_is_found(run: Path):
    file = run / "gaps.csv"
    text = file.read_bytes()
    found = read_folder(run)
    for number in range(8):  # digests above the sealed one and below it
        file.write_bytes(text + bytes([number]))
        assert "gaps.csv: not the file that was sealed" in list(seal_problems(run, found))
    file.write_bytes(text)
    assert "gaps.csv: not the file that was sealed" not in list(seal_problems(run, found))
