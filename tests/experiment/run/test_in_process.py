"""A small network is mapped as plain Python here; its row is the one machine code makes."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from optmap import compiled
from optmap.compiled import Kernel, interpreted, sparing
from optmap.experiment.run import in_process
from optmap.experiment.run.in_process import (
    SMALL,
    SPARED_S,
    most_synapses,
    run_if_small,
    run_in_process,
)
from optmap.experiment.run.job import Job
from optmap.experiment.run.source import Source
from optmap.methods import METHODS
from optmap.model.outcome import Limits

ALONE = [name for name, method in METHODS.items() if method.runs_alone]
CLOCKS = ("wall_s", "cpu_s", "stage_seconds")


def row_of(
    source: Source, method: str, *, as_python: bool = False, spared: bool = False
) -> dict[str, Any]:
    instance = source.load()
    job = Job(instance.name, instance.digest(), source, method, Limits(60.0))
    with sparing() if spared else interpreted(as_python):
        ended = run_in_process(job, instance)
    assert ended.row is not None
    return {name: value for name, value in ended.row.items() if name not in CLOCKS}


@pytest.mark.parametrize("method", ALONE)
@pytest.mark.parametrize("instance", ["lenet_mnist_7", "ring_24", "filter_16"])
def test_python_and_machine_code_make_one_row(instance: str, method: str):
    here = row_of(Source(file=instance), method, as_python=True)
    assert here == row_of(Source(file=instance), method, as_python=False)


@pytest.mark.parametrize("method", ["song2020-tree", "overlap"])
def test_python_and_machine_code_may_take_turns(method: str, monkeypatch: pytest.MonkeyPatch):
    """Some kernels of a row run as Python, others compiled, one kernel now so and now so."""
    source = Source(file="filter_16")
    every = row_of(source, method)
    kernels = [k for k in gc.get_objects() if type(k) is Kernel]
    for kernel in kernels:
        monkeypatch.delitem(vars(kernel), "dispatcher", raising=False)
        monkeypatch.setattr(kernel, "ready", {})
    monkeypatch.setattr(compiled, "kept_in", lambda folder: {})
    monkeypatch.setattr(compiled, "MOST_NUMBERS", 3000)
    assert row_of(source, method, spared=True) == every
    assert {"dispatcher" in vars(kernel) for kernel in kernels} == {True, False}


def test_only_a_heuristic_on_a_small_network_is_run_here(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(in_process, "is_kept", lambda folder: True)

    def runs_here(method: str, network: str, limit_s: float = 29.0, **limits: int) -> bool:
        source = Source(network=network, platform="dynap_se")
        instance = source.load()
        job = Job(instance.name, instance.digest(), source, method, Limits(limit_s, **limits))
        return run_if_small(job, instance) is not None

    assert SMALL == 10_000
    assert runs_here("song2020-tree", "gen:mlp-3-2")
    assert not runs_here("song2020-tree", "gen:mlp-3-2", memory_mb=1000)
    assert not runs_here("song2020-tree", "gen:mlp-100-101")
    assert not runs_here("cpsat", "gen:mlp-3-2")
    assert not runs_here("whole", "gen:mlp-3-2")
    assert runs_here("song2020-tree", "gen:mlp-100-101", SPARED_S)
    assert not runs_here("blocks", "gen:mlp-100-101", SPARED_S)
    monkeypatch.setattr(in_process, "SPARED", SMALL)
    assert not runs_here("song2020-tree", "gen:mlp-100-101", SPARED_S)


def test_before_kernels_are_compiled_more_is_small(monkeypatch: pytest.MonkeyPatch):
    for kept, most in ((True, SMALL), (False, 50_000)):
        monkeypatch.setattr(in_process, "is_kept", lambda folder, kept=kept: kept)
        assert most_synapses(METHODS["song2020-tree"]) == most
        assert most_synapses(METHODS["blocks"]) == 2000
