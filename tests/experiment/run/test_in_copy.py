"""A solver's job runs in a copy of its child: its answers come back, its end is the child's."""

import signal
import subprocess
import sys
import threading

import pytest

from optmap.experiment.run.children import Children
from optmap.experiment.run.in_copy import COPIES, may_be_copied, needs_own_process
from optmap.experiment.run.job import Job
from optmap.experiment.run.memory import group_use
from optmap.experiment.run.source import Source
from optmap.model.outcome import Limits

pytestmark = pytest.mark.skipif(not COPIES, reason="processes copy themselves on Linux only")

COPY = """
import os, sys
from optmap.experiment.run.in_copy import run_in_copy
def work():
    print(os.getpid(), flush=True)
    {work}
print(os.getpid(), flush=True)
run_in_copy(work)
print("back", flush=True)
"""


def copied(work: str) -> subprocess.CompletedProcess[str]:
    program = COPY.format(work=work)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


def test_work_is_done_by_another_process():
    first, second, third = copied("pass").stdout.split()
    assert first != second
    assert third == "back"


def test_an_error_in_the_copy_ends_its_original_and_says_why():
    ended = copied("raise ArithmeticError('no')")
    assert (ended.returncode, "back" in ended.stdout) == (1, False)
    assert "ArithmeticError: no" in ended.stderr


def test_a_copy_that_a_signal_ends_ends_its_original_by_it():
    assert copied("os.kill(os.getpid(), 9)").returncode == -signal.SIGKILL


def test_solvers_leave_their_child_to_the_next_job():
    source = Source(file="mlp_tiny")
    job = Job("mlp_tiny", source.load().digest(), source, "milp", Limits(wall_s=30))
    with Children() as children:
        rows = []
        for _ in range(2):
            rows.append(children.run(job, threading.Event()).row)
            assert len(children.idle) == 1
            child = children.idle[0][1]
            assert child.streams.copied
        assert child.alive
    assert [row["status"] for row in rows] == ["optimal"] * 2


def test_strangers_methods_and_counted_memory_get_no_copy():
    plain = Job("i", "d", Source(), "milp", Limits(wall_s=5))
    own = Job("i", "d", Source(), "mine", Limits(wall_s=5), "mine.py")
    counted = Job("i", "d", Source(), "milp", Limits(wall_s=5, memory_mb=500))
    assert [needs_own_process(j) for j in (plain, own, counted)] == [True] * 3
    assert [may_be_copied(j) for j in (plain, own, counted)] == [True, False, False]


def test_a_waiting_leader_is_not_counted():
    leader = subprocess.Popen(
        [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert leader.stdout is not None
    leader.stdout.readline()
    alone, waiting = group_use(leader.pid), group_use(leader.pid, waiting_leader=True)
    leader.communicate()
    assert alone is not None
    assert waiting is not None
    assert alone.rss_mb > 0 == waiting.rss_mb
