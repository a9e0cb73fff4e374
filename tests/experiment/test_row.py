"""A row comes back from JSON as it was, whatever it holds; another schema is refused by number."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from stored_rows import stored_row

from optmap.bounds.bound import Bound
from optmap.errors import InputError
from optmap.experiment.row import SCHEMA, Row, StoredCertificate
from optmap.experiment.run.exact_json import dumps
from optmap.model.claim import Claim
from optmap.model.grade import Grade
from optmap.model.outcome import Status, TracePoint
from optmap.model.scope import END_TO_END, Scope


def full_row():
    trace = (TracePoint(0.5, None, 3), TracePoint(1.25, Fraction(7, 2), Fraction(10, 3)))
    half = Fraction(7, 2)
    claim = Claim("period", Status.FEASIBLE, half, 3, half, Scope(clustering="c"), trace=trace)
    certificate = StoredCertificate({"kind": "prices", "bound": 4, "prices": [1, 2]})
    bound = Bound("period", "cover", 4, END_TO_END, Grade.CERTIFIED, certificate)
    row = stored_row("a", "whole", 3, Fraction(9, 2), metrics={"latency": None})
    return replace(row, claims=(claim,), bounds=(bound,), certificates=({"bound": 4},))


@pytest.mark.parametrize(
    "row", [full_row(), Row("k", "a", "d", "milp", 0, "timeout_hard", "not_run")]
)
def test_a_row_survives_json(row):
    data = json.loads(dumps(row.to_json()))
    assert Row.from_json(data) == row
    assert Row.from_json(data).to_json() == data
    assert Row.from_json(data | {"checksum": "x", "attached": ["mappings"]}) == row


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"schema": 1}, "schema: found 1, expected 2"),
        ({"schema": "2"}, "schema"),
        ({"colour": 3}, "colour"),
        ({"place": {"units": 3}}, "units"),
        ({"metrics": {"period": 0.5}}, "no exact number"),
        ({"metrics": {"clusters": True}}, "no exact number"),
        ({"bounds": [{"metric": "period"}]}, "KeyError"),
        ({"claims": None}, "TypeError"),
        ({"claims": [{"status": "perfect"}]}, "odd"),
    ],
)
def test_what_is_no_row_is_refused_in_one_line(change, word):
    with pytest.raises(InputError, match=word) as caught:
        Row.from_json(full_row().to_json() | change, "rows.jsonl, row k")
    assert str(caught.value).startswith("rows.jsonl, row k")


def test_a_row_without_a_number_is_of_schema_1():
    data = full_row().to_json()
    del data["schema"]
    with pytest.raises(InputError, match=f"found 1, expected {SCHEMA}"):
        Row.from_json(data)


def test_every_metric_that_a_row_lacks_is_none_not_an_error():
    row = stored_row("a", "m", 3, 9)
    assert row.value("a metric of the future") is None
    assert not replace(row, metrics={}).accepted
