"""A solver killed in the middle of the clustering leaves its last clustering and bound."""

import sys
import threading
import time
from types import SimpleNamespace

import pytest

from optmap.experiment.run import process
from optmap.experiment.run.children import run_child
from optmap.experiment.run.job import Job
from optmap.experiment.run.source import Source
from optmap.experiment.run.sweep import finish
from optmap.model.outcome import Limits, Status

PLATFORM = """schema = 1
name = "six by five"
[interconnect]
kind = "mesh"
width = 6
height = 5
"""
TILES = "[[tiles]]\nrows = 64\ncolumns = 64\n" * 30

#: Column generation that gets stuck where its search has just found fewer crossbars.
STUCK = """
import pathlib, sys, time
from formulations.clustering.column_generation import solve as partition_colgen
from formulations.clustering import large_neighbourhood_search as partition_lns
def stuck(*_):
    pathlib.Path({told!r}).touch()
    {then}
    time.sleep(300)
partition_colgen._Run.tighten = stuck
partition_lns._Search.pick = stuck
from optmap.experiment.run import solve
solve.warm_up_for = lambda *_: None
solve.main()
"""


TIME, MEMORY = ("pass", "timeout_hard", None), ("hog = bytearray(25 * 10**8)", "memout", 2000)


@pytest.mark.parametrize(
    ("method", "then", "status", "memory_mb"),
    [
        ("lns", *TIME),
        ("colgen", *MEMORY),
        pytest.param("colgen", *TIME, marks=pytest.mark.full),
    ],
)
def test_the_last_incumbent_and_bound_survive(
    tmp_path, monkeypatch, method, then, status, memory_mb
):
    (tmp_path / "p.toml").write_text(PLATFORM + TILES)
    (tmp_path / "i.toml").write_text(
        'schema = 1\nname = "i"\nnetwork = "gen:filter-32"\nplatform = "p.toml"\n'
    )
    told = tmp_path / "stuck"
    if memory_mb is None:  # from then on the parent's clock is past every limit
        later = SimpleNamespace(monotonic=lambda: time.monotonic() + 1e4 * told.exists())
        monkeypatch.setattr(process, "time", later)
    program = STUCK.format(then=then, told=str(told))
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", program))
    limits = Limits(wall_s=60.0, memory_mb=memory_mb)
    source = Source(file=str(tmp_path / "i.toml"))
    job = Job("i", source.load().digest(), source, method, limits)
    row, attached = finish(job, run_child(job, threading.Event()))
    assert (row.status, row.check) == (status, "ok")
    (claim,) = row.claims
    assert claim.metric == "clusters"
    assert claim.status is Status.FEASIBLE
    assert claim.value == claim.evaluated == row.metrics["clusters"] <= 22
    assert claim.bound == {"lns": 20, "colgen": 16}[method]  # shapes on a lattice come before
    assert claim.trace[0].incumbent == 22
    assert attached, "the mapping is kept too"
