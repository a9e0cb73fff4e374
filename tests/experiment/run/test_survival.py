"""kill -9 at any moment: after resuming, the rows are those of an undisturbed run."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from tiny_run import write_tiny

from optmap.experiment.run.store import Store

METHODS = "random,pacman,song2020,overlap,cpsat"
TIMES = {
    "wall_s",
    "cpu_s",
    "elapsed_s",
    "peak_rss_mb",
    "ended",
    "stage_seconds",
    "checksum",
    "chain",
}


def start(folder, out):
    command = [sys.executable, "-m", "optmap.compare", str(folder), "--out", str(out)]
    command += ["--methods", METHODS, "--work", "5"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, **quiet)


def values(out):
    with Store.opened(out) as store:
        rows = {}
        for key, row in store.rows.items():
            rows[key] = {name: v for name, v in row.items() if name not in TIMES}
            for claim in rows[key]["claims"]:
                claim.pop("trace")
        return rows


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("survival")
    write_tiny(folder, "gen:mlp-7-3-2")
    begin = time.monotonic()
    whole = start(folder / "i.toml", folder / "whole")
    said = whole.communicate()[1]
    assert whole.returncode == 0, said
    return folder, values(folder / "whole"), time.monotonic() - begin


MOMENTS = [pytest.param(k, marks=() if k < 2 else pytest.mark.full) for k in range(20)]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_kill_costs_nothing_but_time(undisturbed, tmp_path, moment):
    folder, expected, duration = undisturbed
    running = start(folder / "i.toml", tmp_path / "run")
    time.sleep(random.Random(moment).uniform(0.2, 1) * duration)
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    store = tmp_path / "run" / "rows.jsonl"
    before = store.read_bytes() if store.exists() else b""
    again = start(folder / "i.toml", tmp_path / "run")
    said = again.communicate()[1]
    assert again.returncode == 0, said
    if b"\n" in before:
        assert "finished already" in said
    assert store.read_bytes().startswith(before[: before.rfind(b"\n") + 1])
    assert store.read_bytes().count(b"\n") == len(expected) == 5
    assert values(tmp_path / "run") == expected
