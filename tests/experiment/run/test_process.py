"""A child is ended at its limits, whole group, and the last row it printed survives."""

import os
import sys
import threading
import time
from dataclasses import replace

import pytest

from optmap.experiment.run import process
from optmap.experiment.run.children import Children, run_child
from optmap.experiment.run.job import Job
from optmap.experiment.run.memory import group_use
from optmap.experiment.run.process import Ended
from optmap.experiment.run.source import Source
from optmap.experiment.run.sweep import finish
from optmap.model.outcome import Limits

ROW = 'print("ready", flush=True); print(\'{"status":"feasible","check":"ok"}\', flush=True)'
SLEEP = "import time; time.sleep(60)"
#: It holds none of the child's pipes: its parent's reader does not wait for it.
GRANDCHILD = (
    "import subprocess, sys; quiet = dict.fromkeys(('stdin', 'stdout', 'stderr'), -3)\n"
    "g = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], **quiet)"
)
HALF_ROW = """import sys; sys.stdout.write('{"status":'); sys.stdout.flush()"""


def job(memory_mb=None, wall_s=0.5):
    limits = Limits(wall_s=wall_s, memory_mb=memory_mb)
    return Job("i", "d", Source(file="none"), "song2020", limits)


@pytest.fixture
def child_runs(monkeypatch):
    """Make the child run the given program instead of a solve, once its job has come."""

    def install(program):
        if "stdin" not in program:
            program = f"import sys; sys.stdin.readline()\n{program}"
        monkeypatch.setattr(process, "GRACE_S", 0.5)
        monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", program))

    return install


def test_a_row_comes_back(child_runs):
    child_runs(ROW)
    ended = run_child(job(), threading.Event())
    assert ended.cause == "exit"
    assert finish(job(), ended)[0].status == "feasible"


def test_an_endless_solve_is_killed_with_its_grandchild_and_keeps_its_row(child_runs):
    child_runs(f"{GRANDCHILD}\n{ROW}\nprint(g.pid, file=sys.stderr, flush=True)\n{SLEEP}")
    ended = run_child(job(), threading.Event())
    row, _ = finish(job(), ended)
    assert (ended.cause, row.status, row.check) == ("time", "timeout_hard", "ok")
    assert _gone(int(ended.stderr))


def _gone(pid: int) -> bool:
    for _ in range(2400):
        try:
            os.kill(pid, 0)
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False


def test_a_memory_hog_is_killed_with_a_status_of_its_own(child_runs):
    child_runs(f"{ROW}\nx = bytearray(400_000_000)\nimport time; time.sleep(600)")
    hog = job(200, wall_s=600.0)
    row, _ = finish(hog, run_child(hog, threading.Event()))
    assert row.status == "memout"
    assert row.check == "ok"
    assert "200 MB" in row.reason


def test_a_crash_costs_one_row_and_says_why(child_runs):
    child_runs("import os; os.abort()")
    row, attached = finish(job(), run_child(job(), threading.Event()))
    assert row.status == "crashed"
    assert "ended by itself" in row.reason
    assert attached == {}


def test_a_child_that_the_system_ended_is_run_once_more(child_runs, tmp_path):
    lives = tmp_path / "lives"
    count = f"open({str(lives)!r}, 'a').write('x')"
    once = f"import os; {count}; os.path.getsize({str(lives)!r}) > 1 or os.kill(os.getpid(), 9)"
    child_runs(f"{once}\n{ROW}")
    row, _ = finish(job(), run_child(job(), threading.Event()))
    assert (row.status, lives.read_text()) == ("feasible", "xx")
    child_runs(f"import os; {count}; os.kill(os.getpid(), 9)")
    row, _ = finish(job(), run_child(job(), threading.Event()))
    assert (row.status, lives.read_text()) == ("crashed", "xxxx")


def test_a_killed_row_shows_the_time_it_took(child_runs):
    child_runs(f"{ROW}\n{SLEEP}")
    row, _ = finish(job(), run_child(job(), threading.Event()))
    assert row.status == "timeout_hard"
    assert row.wall_s >= 0.99  # limit and grace, although its mapping came at once


def test_a_method_that_loops_before_its_clock_starts_says_so():
    row, _ = finish(job(), Ended(None, "time", -9, "", 300.0, None))
    assert (row.status, row.check) == ("timeout_hard", "not_run")
    assert "first run, on a small network, after 300 s of a core" in row.reason


def test_a_half_written_row_does_not_count(child_runs):
    child_runs(f"{ROW}\n{HALF_ROW}\n{SLEEP}")
    row, _ = finish(job(), run_child(job(), threading.Event()))
    assert row.status == "timeout_hard"
    assert row.check == "ok"


def test_stop_ends_a_running_child_at_once(child_runs):
    child_runs(SLEEP)
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    assert run_child(job(), stop).cause == "stopped"


def test_group_rss_counts_this_group():
    here = group_use(os.getpgid(0))
    assert here is not None
    assert here.rss_mb > 10
    assert here.cpu_s is None or here.cpu_s > 0
    assert group_use(2**22 + 1) is None


def test_a_child_that_never_gets_ready_is_ended_too(child_runs, monkeypatch):
    monkeypatch.setattr(process, "SET_UP_WALL_S", 0.5)
    child_runs(SLEEP)
    row, _ = finish(job(), run_child(job(), threading.Event()))
    assert row.status == "timeout_hard"


def test_preparing_is_counted_in_processor_time(child_runs, monkeypatch):
    monkeypatch.setattr(process, "SET_UP_S", 0.3)
    child_runs(f"import time; time.sleep(1)\n{ROW}")  # others have the machine
    row, _ = finish(job(), run_child(job(), threading.Event()))
    assert row.status == "feasible"
    child_runs("while True: pass")
    row, _ = finish(job(), run_child(job(), threading.Event()))
    assert (row.status, "first run" in row.reason) == ("timeout_hard", True)


def test_counted_work_is_ended_by_processor_time(child_runs):
    """A crowded machine takes no row that repeats on any machine; an endless one ends."""
    counted = replace(job(), limits=Limits(wall_s=0.5, work=1))
    ready = 'import time; print("ready", flush=True)'
    child_runs(f"{ready}\ntime.sleep(2)\n{ROW}")  # others have the machine
    row, _ = finish(counted, run_child(counted, threading.Event()))
    assert row.status == "feasible"
    child_runs(f"{ready}\nwhile True: pass")
    row, _ = finish(counted, run_child(counted, threading.Event()))
    assert row.status == "timeout_hard"


def test_set_up_is_not_counted_against_the_limit(child_runs):
    child_runs(f"import time; time.sleep(1.5)\n{ROW}")
    row, _ = finish(job(), run_child(job(), threading.Event()))
    assert row.status == "feasible"


ECHO = (
    "import os, sys\n"
    "for line in sys.stdin:\n"
    '    print(\'ready\'); print(\'{"pid": %d, "status": "x"}\' % os.getpid())\n'
    "    print('done', flush=True)\n"
)


def pids(methods, memory_mb=None):
    found = []
    with Children() as children:
        for method in methods:
            one = Job("i", "d", Source(), method, Limits(wall_s=5, memory_mb=memory_mb))
            found.append(children.run(one, threading.Event()).row["pid"])
    return found


def test_heuristics_share_a_child(child_runs):
    child_runs(ECHO)
    assert len(set(pids(["random", "pacman", "song2020"]))) == 1


def test_a_child_that_a_solver_ran_in_takes_no_other_job(child_runs):
    child_runs(ECHO.replace("'done'", "'spent'"))
    assert len(set(pids(["milp", "cpsat", "milp"]))) == 3


def test_solvers_get_a_fresh_child_where_none_may_be_copied(child_runs):
    child_runs(ECHO)
    assert len(set(pids(["milp", "cpsat", "milp"], memory_mb=4000))) == 3
    mixed = pids(["random", "milp", "pacman"], memory_mb=4000)
    assert mixed[1] != mixed[2]


def test_a_child_that_crashed_is_replaced(child_runs):
    child_runs(ECHO.replace("print('done', flush=True)", "sys.stdout.flush(); os.abort()"))
    assert len(set(pids(["random", "random"]))) == 2


def test_no_child_outlives_the_sweep(child_runs):
    child_runs(ECHO)
    assert all(_gone(pid) for pid in pids(["random", "milp"]))
