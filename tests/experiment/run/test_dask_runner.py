"""A sweep on a real Dask scheduler with two workers, one of them killed in the middle."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from optmap.experiment.run.store import Store

distributed = pytest.importorskip("distributed", reason="the extra [cluster] is not installed")

#: What takes longer hangs, on any machine.
HANG_S = 900
ROOT = Path(__file__).parents[3]
DASK = [sys.executable, "-m", "distributed.cli.dask_{}"]


def start(kind, *arguments):
    command = [part.format(kind) for part in DASK]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([*command, *arguments], start_new_session=True, **quiet)


@contextmanager
def running_cluster(tmp_path):
    file = tmp_path / "scheduler.json"
    running = [
        start("scheduler", "--port", "0", "--no-dashboard", "--host", "127.0.0.1",
              "--scheduler-file", str(file))
    ]  # fmt: skip
    for _ in range(10 * HANG_S):
        if file.exists() and file.read_text().strip().endswith("}"):
            break
        time.sleep(0.1)
    address = json.loads(file.read_text())["address"]
    options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--resources", "solver=1"]
    workers = [
        start("worker", address, *options, "--local-directory", str(tmp_path)) for _ in range(2)
    ]
    running += workers
    with distributed.Client(address, set_as_default=False) as client:
        client.wait_for_workers(len(workers), timeout=HANG_S)
    yield address, workers, running[0]
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def cluster(tmp_path):
    """Return a cluster whose processes a test may kill."""
    with running_cluster(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def refusing(tmp_path_factory):
    """Return a cluster for calls that run nothing on it."""
    with running_cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture
def instance(tmp_path):
    (tmp_path / "platforms").mkdir()
    (tmp_path / "platforms" / "p.toml").write_text(
        'schema = 1\nname = "tiny"\n[interconnect]\nkind = "mesh"\nwidth = 2\nheight = 1\n'
        "[[tiles]]\nrows = 6\ncolumns = 4\n"
    )
    (tmp_path / "net.csv").write_text("source,target\n" + "".join(f"a{i},b\n" for i in range(5)))
    file = tmp_path / "i.toml"
    file.write_text('schema = 1\nname = "i"\nnetwork = "net.csv"\nplatform = "platforms/p.toml"\n')
    return file


def compare(instance, out, *options):
    command = [sys.executable, "-m", "optmap.compare", str(instance), "--out", str(out)]
    command += ["--methods", "random,pacman,song2020,cpsat", "--work", "2"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*command, *options], **quiet)


def values(folder):
    with Store.opened(folder) as store:
        return {
            (row["method"], row["seed"]): (row["status"], row["check"], row["metrics"])
            for row in store.rows.values()
        }


def test_same_rows_as_a_local_run_although_a_worker_dies(cluster, instance, tmp_path):
    address, workers, _ = cluster
    remote = compare(instance, tmp_path / "remote", "--cluster", address)
    store = tmp_path / "remote" / "rows.jsonl"
    while remote.poll() is None and not (store.exists() and store.read_bytes().count(b"\n")):
        time.sleep(0.05)
    os.killpg(workers[0].pid, signal.SIGKILL)
    errors = remote.communicate(timeout=HANG_S)[1]
    assert remote.returncode == 0, errors
    local = compare(instance, tmp_path / "local")
    errors = local.communicate(timeout=HANG_S)[1]
    assert local.returncode == 0, errors
    assert values(tmp_path / "remote") == values(tmp_path / "local")
    assert len(values(tmp_path / "local")) == 4


def test_no_scheduler_is_one_line(instance, tmp_path):
    done = compare(instance, tmp_path / "run", "--cluster", "tcp://127.0.0.1:9")
    _, errors = done.communicate(timeout=HANG_S)
    assert done.returncode == 2
    assert "--cluster: found tcp://127.0.0.1:9" in errors.splitlines()[-1]


def test_a_scheduler_that_dies_costs_one_line_and_no_row(cluster, instance, tmp_path):
    address, _, scheduler = cluster
    remote = compare(instance, tmp_path / "remote", "--cluster", address)
    store = tmp_path / "remote" / "rows.jsonl"
    while remote.poll() is None and not (store.exists() and store.read_bytes().count(b"\n")):
        time.sleep(0.05)
    os.killpg(scheduler.pid, signal.SIGKILL)
    _, errors = remote.communicate(timeout=HANG_S)
    assert remote.returncode == 1
    assert "finished rows are kept, the same command goes on" in errors
    assert "Traceback" not in errors
    assert values(tmp_path / "remote")


def test_workers_that_may_take_no_row_are_named(refusing, instance, tmp_path):
    done = compare(instance, tmp_path / "run", "--cluster", refusing[0], "--threads", "2")
    _, errors = done.communicate(timeout=HANG_S)
    assert done.returncode == 2
    assert "found 2, each with a resource solver of at most 1" in errors.splitlines()[-1]
    assert "one started with --resources solver=2" in errors.splitlines()[-1]


def test_a_worker_of_another_version_is_named(refusing, instance, tmp_path, monkeypatch):
    address, _, _ = refusing
    changed = tmp_path / "changed"
    shutil.copytree(ROOT / "optmap", changed / "optmap", ignore=shutil.ignore_patterns("__pyc*"))
    shutil.copytree(ROOT / "formulations", changed / "formulations")
    (changed / "instances").symlink_to(ROOT / "instances")  # what comes with optmap
    (changed / "optmap" / "__init__.py").write_text(
        (ROOT / "optmap" / "__init__.py").read_text() + "\n# another version\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(changed))
    monkeypatch.chdir(changed)
    done = compare(instance, tmp_path / "run", "--cluster", address)
    _, errors = done.communicate(timeout=HANG_S)
    assert done.returncode == 2
    assert "found tcp://127.0.0.1:" in errors.splitlines()[-1]
    assert "on every worker, as here" in errors.splitlines()[-1]
