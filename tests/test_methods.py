"""Methods of one's own: registered at run time, from a file, from an installed package."""

from __future__ import annotations

import os
import types
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from optmap import methods
from optmap.binding.contract import BINDERS
from optmap.clustering.contract import CLUSTERERS
from optmap.errors import InputError
from optmap.experiment.run.job import Job
from optmap.experiment.run.source import Source
from optmap.flow import run
from optmap.instance import Instance
from optmap.judge.case import judge
from optmap.methods import (
    METHODS,
    load_entry_points,
    load_method_file,
    method_named,
    method_or_none,
    register,
)
from optmap.model.mapping import Clustering
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile

TILE = Tile(Crossbar(16, 16))
PLATFORM = Platform("two", (TILE, TILE), Interconnect("mesh", 2, 1))
INSTANCE = Instance("two", "gen:mlp-17-3", PLATFORM)

FILE = """
import numpy as np
from optmap.methods import register
from optmap.model.mapping import Clustering

def alone(decomposition, platform, *, seed=0):
    return Clustering(np.arange(decomposition.num_units))

register("alone", clustering=alone, about="a cluster for every unit")
"""


@pytest.fixture(autouse=True)
def leave_no_trace(monkeypatch: pytest.MonkeyPatch):
    """Give each test tables of its own."""
    for name in ("METHODS", "_LOADED"):
        monkeypatch.setattr(methods, name, dict(getattr(methods, name)))
    monkeypatch.setitem(globals(), "METHODS", methods.METHODS)
    before = [(stages, dict(stages)) for stages in (CLUSTERERS, BINDERS, methods.WHOLE)]
    yield
    for stages, kept in before:
        stages.clear()
        stages.update(kept)


def alone(decomposition, platform, *, seed=0):
    """Give every unit a cluster of its own."""
    return Clustering(np.arange(decomposition.num_units))


def solved(method):
    reports = []
    made = run(method, INSTANCE.snn, PLATFORM, "dataflow", Limits(5.0), reports.append)
    assert made.mapping is not None
    assert judge(INSTANCE.snn, PLATFORM, made.mapping, "dataflow").violations == ()
    return made, reports


def test_a_registered_function_runs_among_known_stages():
    method = register("alone", clustering=alone, binding="load-balance")
    assert method_named("alone") is method
    assert (method.decomposition, method.order, method.by_default) == ("tree", "projection", False)
    made, _ = solved(method)
    assert made.mapping.clustering.num_clusters == made.mapping.decomposition.num_units
    assert not method.uses_solver


def test_a_function_that_decides_everything_starts_from_a_reported_mapping():
    given = []

    def keep(snn, platform, tokens, limits, *, objective="period", start=None, on_better=None):
        given.append((start, limits.wall_s))
        found = Outcome(Status.FEASIBLE, start, judged, 1)
        on_better(found)
        return found

    plain, _ = solved(register("plain", clustering=alone))
    row = judge(INSTANCE.snn, PLATFORM, plain.mapping, "dataflow").evaluation.row()
    judged = row["period"]
    made, reports = solved(register("keeper", clustering=alone, whole=keep))
    ((start, seconds),) = given
    assert [report.mapping for report in reports] == [start, start]
    assert seconds <= 5
    (claim,) = made.claims
    assert claim.holds
    assert str(claim.scope) == "any decomposition, clustering, binding and order"


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ({"name": "song2020"}, "taken"),
        ({"name": ""}, "no name"),
        ({"name": "x", "clustering": "best"}, "clustering 'best'"),
        ({"name": "x", "binding": "best"}, "binding 'best'"),
        ({"name": "x", "order": 3}, "order 3"),
        ({"name": "x", "whole": "best"}, "whole 'best'"),
    ],
)
def test_what_is_no_method_is_refused(arguments, wrong):
    known = set(METHODS)
    with pytest.raises(ValueError, match=wrong):
        register(**arguments)
    assert set(METHODS) == known


def test_a_pipe_is_no_method_file(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.py")
    with pytest.raises(InputError, match="no regular file"):
        load_method_file(tmp_path / "pipe.py")


def test_a_method_file_is_loaded_once_and_keys_only_its_own_rows(tmp_path: Path):
    job = Job("two", "d", Source(), "song2020", Limits(5.0))
    theirs = job.key()
    file = tmp_path / "my.py"
    file.write_text(FILE)
    (method,) = load_method_file(file)
    assert load_method_file(file) == (method,)
    solved(method)
    own = replace(job, method="alone", method_file=str(file))
    assert replace(Job.from_json(own.to_json()), method_digest="") == own
    first = own.key()
    del METHODS["alone"]
    file.write_text(FILE + "\n# another idea\n")
    (method,) = load_method_file(file)
    assert own.key() != first
    assert job.key() == theirs


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "no method"),
        ("1 / 0", "ZeroDivisionError"),
        (FILE + "\nraise SystemError('late')", "late"),
        (FILE + "\nraise SystemExit(0)", "SystemExit: 0"),
        ("import optmap.methods as m\nm.register('song2020')", "taken"),
    ],
)
def test_a_file_that_registers_nothing_leaves_nothing(tmp_path: Path, text: str, wrong: str):
    known = set(METHODS)
    file = tmp_path / "my.py"
    file.write_text(text)
    with pytest.raises(InputError, match=wrong):
        load_method_file(file)
    assert set(METHODS) == known
    assert "alone" not in CLUSTERERS
    with pytest.raises(InputError, match="No such file"):
        load_method_file(tmp_path / "not there.py")


def test_entry_points_are_loaded_when_an_unknown_name_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
):
    asked = []
    point = types.SimpleNamespace(
        name="theirs",
        value="their_package:announce",
        dist=types.SimpleNamespace(version="1.2"),
        load=lambda: lambda: register("theirs", clustering=alone),
    )
    monkeypatch.setattr(methods, "entry_points", lambda group: asked.append(group) or [point])
    assert method_named("song2020").digest == ""
    assert asked == []
    assert method_or_none("nobody's") is None, "as verify asks of the rows of a run"
    assert asked.pop() == "optmap.methods"
    assert method_or_none("theirs") == method_named("theirs")
    assert method_named("theirs").digest
    assert asked == []
    load_entry_points()
    with pytest.raises(ValueError, match="theirs"):
        method_named("nobody's")
