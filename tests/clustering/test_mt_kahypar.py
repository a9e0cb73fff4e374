"""The partitioner in a process of its own: the same blocks, and it ends when it has to."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from optmap.clustering.kernels import mt_kahypar
from optmap.clustering.kernels.mt_kahypar import Hypergraph, Wanted

pytest.importorskip("mtkahypar", reason="the extra [partition] is not installed")


def hypergraph() -> Hypergraph:
    """Return 60 nodes under 90 hyperedges of 4 or fewer."""
    rng = np.random.default_rng(5)
    edges = [sorted(set(rng.integers(0, 60, 4).tolist())) for _ in range(90)]
    return Hypergraph(60, edges, rng.integers(1, 9, len(edges)).tolist())


@pytest.mark.parametrize(("seed", "seconds"), [(0, float("inf")), (7, 1e9)])
def test_a_process_of_its_own_finds_the_same_blocks(seed: int, seconds: float):
    wanted = Wanted(5, 0.1, seed)
    blocks = mt_kahypar.partitioned(hypergraph(), wanted)
    assert mt_kahypar.partitioned_within(hypergraph(), wanted, seconds) == blocks
    assert len(set(blocks)) == 5


def test_it_is_ended_when_the_time_has_passed(monkeypatch: pytest.MonkeyPatch):
    started: list[subprocess.Popen[bytes]] = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *arguments, **options) -> None:
            super().__init__(*arguments, **options)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    assert mt_kahypar.partitioned_within(hypergraph(), Wanted(5, 0.1, 0), 0.0) is None
    assert [child.returncode for child in started] == [-signal.SIGKILL]


def test_a_process_that_fails_says_why():
    with pytest.raises(ChildProcessError, match="ended without blocks: Invoked with"):
        mt_kahypar.partitioned_within(hypergraph(), Wanted("5", 0.1, 0), float("inf"))


def test_it_ends_with_its_parent_even_before_it_has_read_anything():
    """No thread could watch: none runs beside the partitioner."""
    reading, writing = os.pipe()
    command = [sys.executable, "-P", mt_kahypar.__file__, str(reading)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=(reading,)) as child:
        os.close(reading)
        os.close(writing)
        try:
            assert child.wait(60) in (1, -signal.SIGIO)  # 1: it was gone before it looked
        finally:
            child.kill()
