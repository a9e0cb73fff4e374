"""Run one job in a process group of its own, with a hard end in time and memory.

Solvers keep no memory limit and Python's signals do not fire inside them, so the parent watches: at
the hard limit, or above the memory limit, the whole group is killed (CBC is a grandchild).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from optmap.experiment.job import Job

#: Seconds a child may run on beyond its limit, to judge and print its result.
GRACE_S = 15.0
#: Seconds until its clock starts: imports, compiling kernels once, reading the network.
SET_UP_S = 300.0
POLL_S = 0.02
#: What a child prints when its clock starts.
READY = b"ready\n"
MEMORY_POLL_S = 0.25


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended: its last row (or None), and what ended it."""

    row: dict[str, Any] | None
    cause: str  # "exit", "time", "memory" or "stopped"
    returncode: int
    stderr: str
    elapsed_s: float
    peak_rss_mb: float | None


def run_child(job: Job, stop: threading.Event) -> Ended:
    """Run ``job`` in a child process and return its last row and what ended it."""
    start = time.monotonic()
    with _started(job) as child:
        collector = _Collector(child)
        watch = _Watch(child.pid, job, start, collector)
        cause = "exit"
        while child.poll() is None:
            cause = "stopped" if stop.is_set() else watch.excess()
            if cause != "exit":
                _kill_group(child)
                break
            time.sleep(POLL_S)
        child.wait()
        _kill_group(child)  # grandchildren that outlived it
        collector.join()
    return Ended(
        collector.last_row(),
        cause,
        child.returncode,
        collector.errors(),
        time.monotonic() - start,
        watch.peak_mb,
    )


@contextlib.contextmanager
def _started(job: Job) -> Iterator[subprocess.Popen[bytes]]:
    threads = str(job.limits.threads)
    pools = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    child = subprocess.Popen(
        [sys.executable, "-m", "optmap.experiment.solve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, **dict.fromkeys(pools, threads), "PYTHONHASHSEED": "0"},
    )
    try:
        if child.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it died at once; its stderr says why
                child.stdin.write(job.to_json().encode() + b"\n")
                child.stdin.flush()  # stays open: the child ends when it closes
        yield child
    finally:
        _kill_group(child)
        for stream in (child.stdin, child.stdout, child.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


class _Collector:
    """Reads both output streams of a child so that neither fills up."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self.lines: dict[str, list[bytes]] = {"out": [], "err": []}
        self.ready_at: float | None = None
        self.threads = [
            threading.Thread(target=self._read, args=(stream, name), daemon=True)
            for stream, name in ((child.stdout, "out"), (child.stderr, "err"))
        ]
        for thread in self.threads:
            thread.start()

    def _read(self, stream: IO[bytes], name: str) -> None:
        for line in stream:
            if line == READY:
                self.ready_at = time.monotonic()
            else:
                self.lines[name].append(line)

    def join(self) -> None:
        for thread in self.threads:
            thread.join()

    def last_row(self) -> dict[str, Any] | None:
        for line in reversed(self.lines["out"]):
            if line.endswith(b"\n"):  # a line cut off by the kill is no row
                row: dict[str, Any] = json.loads(line)
                return row
        return None

    def errors(self) -> str:
        return b"".join(self.lines["err"]).decode(errors="replace")


class _Watch:
    """Compares a process group with its limits."""

    def __init__(self, group: int, job: Job, start: float, collector: _Collector) -> None:
        self.group, self.job, self.start, self.collector = group, job, start, collector
        self.peak_mb: float | None = None
        self.looked = 0.0

    def excess(self) -> str:
        """Return the limit that is exceeded, or "exit" if none is."""
        now = time.monotonic()
        ready = self.collector.ready_at
        end = self.start + SET_UP_S if ready is None else ready + self.job.limits.wall_s + GRACE_S
        if now > end:
            return "time"
        if now - self.looked >= MEMORY_POLL_S:
            self.looked = now
            used = group_rss_mb(self.group)
            if used is not None:
                self.peak_mb = max(used, self.peak_mb or 0.0)
                limit = self.job.limits.memory_mb
                if limit is not None and used > limit:
                    return "memory"
        return "exit"


def group_rss_mb(group: int) -> float | None:
    """Return the resident memory of a process group in MB; None where the system does not say."""
    if Path("/proc/self/statm").exists():
        return _rss_from_proc(group)
    listing = subprocess.run(
        ["ps", "-axo", "pgid=,rss="], capture_output=True, text=True, check=False
    )
    rows = [line.split() for line in listing.stdout.splitlines()]
    used = [int(row[1]) for row in rows if len(row) == 2 and row[0] == str(group)]
    return sum(used) / 1024 if used else None


def _rss_from_proc(group: int) -> float | None:
    page_mb = os.sysconf("SC_PAGE_SIZE") / 2**20
    total, found = 0.0, False
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            stat = Path(entry.path, "stat").read_text()
            fields = stat[stat.rindex(")") + 2 :].split()
            if int(fields[2]) == group:
                total += int(fields[21]) * page_mb
                found = True
        except (OSError, ValueError):  # it ended while we looked
            continue
    return total if found else None
