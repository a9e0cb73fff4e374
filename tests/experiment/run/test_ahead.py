"""A second process compiles kernels only where that helps, and never outlives its purpose."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from optmap.clustering import overlap
from optmap.compiled import _INTERPRETED, interpreted
from optmap.experiment.run import ahead, warm_up
from optmap.instance import Instance
from optmap.methods import METHODS
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile

OVERLAP = METHODS["overlap"]


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "is_kept", lambda folder: False)
    monkeypatch.setattr(ahead.os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)


def test_kernels_are_compiled_ahead_on_a_second_core_for_a_heuristic_of_ours(
    cold: None, monkeypatch: pytest.MonkeyPatch
):
    assert ahead.is_worth_it(OVERLAP)
    assert not ahead.is_worth_it(METHODS["cpsat"])
    monkeypatch.setattr(ahead.os, "sched_getaffinity", lambda pid: {0}, raising=False)
    assert not ahead.is_worth_it(OVERLAP)


def test_where_code_is_kept_nothing_is_compiled_ahead(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ahead, "is_kept", lambda folder: True)
    assert not ahead.is_worth_it(OVERLAP)


def test_the_second_process_ends_with_the_block(
    cold: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    sleeper = (sys.executable, "-c", "import time; time.sleep(600)")
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def note(*args: object, **options: object) -> subprocess.Popen[bytes]:
        started.append(popen(*args, **options))  # type: ignore[call-overload]  # passed on
        return started[-1]

    monkeypatch.setattr(ahead, "COMMAND", sleeper)
    monkeypatch.setattr(ahead.subprocess, "Popen", note)
    with ahead.compiling_ahead(OVERLAP, cuts=True, allowed=True):
        assert started[0].poll() is None
    assert started[0].poll() is not None
    with ahead.compiling_ahead(OVERLAP, cuts=True, allowed=False):
        assert len(started) == 1


def test_ahead_the_clusters_are_made_as_python(monkeypatch: pytest.MonkeyPatch):
    seen: list[tuple[str, ...]] = []
    monkeypatch.setattr(warm_up, "warm_up", lambda *_, **__: seen.append(_INTERPRETED.get()))
    monkeypatch.setattr(warm_up, "_run_and_describe", lambda *_: seen.append(_INTERPRETED.get()))
    warm_up.compile_ahead(OVERLAP, cuts=True)
    assert seen == [warm_up.CUTTING + warm_up.CLUSTERING, ()]
    warm_up.compile_ahead(OVERLAP, cuts=False)
    assert seen[2:] == [warm_up.CUTTING + warm_up.CLUSTERING, warm_up.CUTTING]


def test_what_needs_no_cut_compiles_none(monkeypatch: pytest.MonkeyPatch):
    seen: list[tuple[str, ...]] = []
    monkeypatch.setattr(warm_up, "_run_and_describe", lambda *_: seen.append(_INTERPRETED.get()))
    warm_up.warm_up.__wrapped__(OVERLAP, cuts=False)
    warm_up.warm_up.__wrapped__(OVERLAP, cuts=True)
    assert seen == [(), (), warm_up.CUTTING, (), (), ()]


def test_a_dense_network_compiles_nothing_that_grows_clusters_anew(
    monkeypatch: pytest.MonkeyPatch,
):
    platform = Platform("chip", (Tile(Crossbar(128, 128)),), Interconnect("mesh", 1, 1))
    sparse, cut = (Instance("", f"gen:{name}", platform) for name in ("smooth-16", "mlp-200-9"))
    monkeypatch.setattr(warm_up, "is_kept", lambda folder, module: False)
    assert warm_up.may_grow_anew(OVERLAP, sparse)
    monkeypatch.setattr(overlap, "ENCLOSED_WORK", 100)
    with interpreted():
        assert not warm_up.may_grow_anew(OVERLAP, sparse)
    assert warm_up.may_grow_anew(OVERLAP, cut)
    monkeypatch.setattr(warm_up, "is_kept", lambda folder, module: True)
    assert warm_up.may_grow_anew(OVERLAP, sparse)
