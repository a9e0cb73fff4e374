"""A child watches its parent from its first moment: what it has still to load takes seconds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from types import ModuleType, SimpleNamespace

import pytest

from optmap.experiment.run import child
from optmap.experiment.run.process import Child


class _Solve(ModuleType):
    """Stands in for the module that takes long to load, and says when it is asked for."""

    def __init__(self, did: list[str]) -> None:
        super().__init__("optmap.experiment.run.solve")
        self.did = did

    def main(self) -> None:
        self.did.append("solves")


@pytest.mark.parametrize(
    ("argument", "expected"), [("7", ["watches", "solves"]), ("compile", ["solves"])]
)
def test_it_watches_before_it_loads(
    monkeypatch: pytest.MonkeyPatch, argument: str, expected: list[str]
):
    did: list[str] = []

    def thread(**_: object) -> SimpleNamespace:
        return SimpleNamespace(start=lambda: did.append("watches"))

    monkeypatch.setattr(child.threading, "Thread", thread)
    monkeypatch.setitem(sys.modules, "optmap.experiment.run.solve", _Solve(did))
    monkeypatch.setattr(sys, "argv", ["child", argument])
    child.main()
    assert did == expected


def test_nothing_that_takes_long_is_loaded_first():
    code = "import sys; import optmap.experiment.run.child; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "numba", "networkx", "optmap.flow"} & set(done.stdout.split())


def test_it_ends_when_the_pipe_closes():
    started = Child(1)
    os.close(started.lifeline)
    assert started.process.wait(120) == -signal.SIGKILL
    started.lifeline = os.open(os.devnull, os.O_RDONLY)  # there is one to close
    started.close()
