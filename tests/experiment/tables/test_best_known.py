"""The best-known list is read whole or refused by name; what a run improves is said."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from stored_rows import stored_row

from optmap.bounds.bound import Bound
from optmap.errors import InputError
from optmap.experiment.tables.best_known import (
    NOTHING,
    BestKnown,
    Entry,
    Record,
    read_copy,
    read_folder,
)
from optmap.experiment.tables.derived import derived
from optmap.experiment.tables.terminal import improvements_text
from optmap.model.grade import Grade
from optmap.model.scope import END_TO_END, Scope

BOUND = Bound("period", "cover", Fraction(7, 2), END_TO_END, Grade.CERTIFIED)
RECORD = Record("period", Fraction(9, 2), "whole", "2026-11-25", {"schema": 1}, BOUND, "colgen")
ENTRY = Entry("a", "digest of a", "mesh 2 x 2", {"period": RECORD})


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(ENTRY.to_json()))
    return tmp_path


def test_an_entry_survives_its_file(folder):
    known = read_folder(folder)
    assert known == BestKnown({"digest of a": ENTRY})
    assert known.values("period") == [(Fraction(9, 2), "whole, 2026-11-25")]
    assert known.bounds("period") == [BOUND]
    assert known.of("another") == NOTHING
    copy = folder / "best_known.json"
    copy.write_text(json.dumps(known.to_json()))
    assert read_copy(copy) == known


def test_without_a_list_nothing_is_known(tmp_path):
    assert read_folder(tmp_path / "away") == NOTHING
    assert read_copy(tmp_path / "away.json") == NOTHING


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda e: e.update(schema=2), "schema"),
        (lambda e: e.update(colour=1), "colour"),
        (lambda e: e.pop("digest"), "no digest"),
        (lambda e: e["metrics"]["period"].update(value=0.5), "exact"),
        (lambda e: e["metrics"]["period"].update(colour=1), "metrics.period.colour"),
        (lambda e: e["metrics"]["period"]["bound"].update(metric="traffic"), "a bound on traffic"),
        (
            lambda e: e["metrics"]["period"]["bound"].update(scope=Scope(units="u").to_json()),
            "this decomposition",
        ),
    ],
)
def test_what_is_no_entry_is_refused_by_name(folder, change, word):
    data = ENTRY.to_json()
    change(data)
    (folder / "a.json").write_text(json.dumps(data))
    with pytest.raises(InputError, match=word) as caught:
        read_folder(folder)
    assert caught.value.where == str(folder / "a.json")


def test_two_files_of_one_instance_are_refused(folder):
    (folder / "b.json").write_text(json.dumps(ENTRY.to_json()))
    with pytest.raises(InputError, match="one file per instance"):
        read_folder(folder)


def test_a_run_says_what_it_improves():
    known = BestKnown({"digest of a": ENTRY})
    assert improvements_text([stored_row("a", "song2020", 3, 9)], known) == [
        "better than known: a period bound 4 (work; was 3.5)"
    ]
    found = improvements_text([stored_row("a", "overlap", 3, Fraction(17, 4))], known)
    assert found[0] == "better than known: a period value 4.2 (overlap; was 4.5)"
    assert improvements_text([stored_row("b", "song2020", 1, 4)], known) == []


def test_a_bound_that_the_list_would_not_take_is_no_improvement():
    row = stored_row("a", "song2020", 3, 9)
    whole = Scope(splits_above=4)  # mappings that keep what fits whole
    bounds = [replace(b, scope=whole) if b.metric == "period" else b for b in row.bounds]
    assert any(b.scope == whole for b in bounds)
    known = BestKnown({"digest of a": ENTRY})
    assert improvements_text([replace(row, bounds=tuple(bounds))], known) == []


def test_tables_are_derived_from_rows_and_the_list():
    rows = [replace(stored_row("a", "song2020", 3, 9), bounds=())]
    with_list = derived(rows, BestKnown({"digest of a": ENTRY}))
    assert with_list["gaps.csv"] != derived(rows)["gaps.csv"]
    assert "whole, 2026-11-25" in with_list["gaps.csv"]
