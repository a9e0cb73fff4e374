"""A child process of its own group that runs jobs, with a hard end in time and memory.

Solvers keep no memory limit and Python's signals do not fire inside them, so the parent watches: at
the hard limit, or above the memory limit, the whole group is killed (CBC is a grandchild).

What a child prints, one line each: ``compiles`` when it compiles a kernel that no cache holds,
``ready`` when a job's clock starts (imports, compiled kernels and the network are there), rows,
``done``. It runs one job after another; one that it runs in a copy of itself (``copied``) leaves
nothing behind, after another that must not share a process it says ``spent`` in place of ``done``.
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
from dataclasses import dataclass
from typing import IO, Any

from optmap.compiled import COMPILING, say_once
from optmap.experiment.run.job import Job
from optmap.experiment.run.memory import Use, group_use

#: Seconds a child may run on beyond its limit, to judge and print its result.
GRACE_S = 15.0
#: Seconds of processor time until its clock starts (imports, compiling kernels once, reading the
#: network), and of any clock, many times as many: a crowded machine takes nobody's row.
SET_UP_S, SET_UP_WALL_S = 300.0, 3000.0
#: A row of counted work counts as hung after its seconds of processor time, or after so many times
#: as many of any clock: it repeats on a crowded machine too.
CROWDED = 10
POLL_S = 0.01
MEMORY_POLL_S = 0.25
READY, DONE, COMPILES = b"ready\n", b"done\n", b"compiles\n"
COPIED, SPENT = b"copied\n", b"spent\n"
COMMAND = (sys.executable, "-m", "optmap.experiment.run.child")
THREAD_POOLS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended: its last row (or None), and what ended it.

    ``elapsed_s`` counts from its being sent, ``ran_s`` from when its own clock started (None: it
    never did).
    """

    row: dict[str, Any] | None
    cause: str  # "exit", "time", "memory" or "stopped"
    returncode: int
    stderr: str
    elapsed_s: float
    peak_rss_mb: float | None
    ran_s: float | None = None

    @property
    def crashed(self) -> bool:
        """Tell whether the system ended the child: a signal that we did not send."""
        return self.cause == "exit" and self.returncode < 0


class Child:
    """One child process; started at once, so that its imports are done when its job comes."""

    def __init__(self, threads: int, *arguments: str) -> None:
        # the child ends its group when the last writer of this pipe is gone: we died
        alive, self.lifeline = os.pipe()
        environment = dict.fromkeys(THREAD_POOLS, str(threads)) | {"PYTHONHASHSEED": "0"}
        self.process = subprocess.Popen(
            [*COMMAND, str(alive), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=(alive,),
            env={**os.environ, **environment},
        )
        os.close(alive)
        self.streams = _Streams(self.process)

    def run(self, job: Job, stop: threading.Event) -> Ended:
        """Run a job and return its last row and what ended it."""
        start = time.monotonic()
        self.streams.begin()
        watch = _Watch(self.process.pid, job, start, self.streams)
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it died at once; its stderr says why
                self.process.stdin.write(job.to_json().encode() + b"\n")
                self.process.stdin.flush()
        cause = "exit"
        while not self.streams.done.wait(POLL_S) and self.process.poll() is None:
            cause = "stopped" if stop.is_set() else watch.excess()
            if cause != "exit":
                break
        if not self.streams.done.is_set():
            self.kill()
            self.streams.join()
        end, ready = time.monotonic(), self.streams.ready_at
        return Ended(
            self.streams.last_row(),
            cause,
            self.process.returncode or 0,
            self.streams.errors(),
            end - start,
            watch.peak_mb,
            None if ready is None else end - ready,
        )

    @property
    def alive(self) -> bool:
        """Tell whether it can take another job."""
        return self.process.poll() is None and not self.streams.spent

    def kill(self) -> None:
        """End the whole group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        """End the group and let go of its pipes."""
        self.kill()
        self.streams.join()
        with contextlib.suppress(OSError):
            os.close(self.lifeline)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


class _Streams:
    """What a child says on both streams, read in threads so that neither fills up."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.rows: list[bytes] = []
        self.stderr: list[bytes] = []
        self.ready_at: float | None = None
        self.copied = self.spent = False
        self.done = threading.Event()
        self.threads = [
            threading.Thread(target=self._read_rows, args=(process.stdout,), daemon=True),
            threading.Thread(target=self._read_errors, args=(process.stderr,), daemon=True),
        ]
        for thread in self.threads:
            thread.start()

    def begin(self) -> None:
        """Forget the last job."""
        self.rows.clear()
        self.stderr.clear()
        self.ready_at = None
        self.copied = False
        self.done.clear()

    def _read_rows(self, stream: IO[bytes]) -> None:
        for line in stream:
            if line == READY:
                self.ready_at = time.monotonic()
            elif line in (DONE, SPENT):
                self.spent = line == SPENT
                self.done.set()
            elif line == COPIED:
                self.copied = True
            elif line == COMPILES:
                say_once(COMPILING)
            else:
                self.rows.append(line)

    def _read_errors(self, stream: IO[bytes]) -> None:
        for line in stream:
            self.stderr.append(line)

    def join(self) -> None:
        for thread in self.threads:
            thread.join()

    def last_row(self) -> dict[str, Any] | None:
        for line in reversed(self.rows):
            if line.endswith(b"\n"):  # a line cut off by the kill is no row
                row: dict[str, Any] = json.loads(line)
                return row
        return None

    def errors(self) -> str:
        return b"".join(self.stderr).decode(errors="replace")


def ended_after_s(limit_s: float, work: int | None) -> float:
    """Return the seconds of any clock after which a child that solves is ended."""
    return (limit_s + GRACE_S) * (1 if work is None else CROWDED)


class _Watch:
    """Compares a process group with a job's limits."""

    def __init__(self, group: int, job: Job, start: float, streams: _Streams) -> None:
        self.group, self.job, self.start, self.streams = group, job, start, streams
        self.peak_mb: float | None = None
        self.looked = 0.0
        self.cpu_before: float | None = None
        self.cpu_ready: float | None = None
        self.longest_s = ended_after_s(job.limits.wall_s, job.limits.work)

    def excess(self) -> str:
        """Return the limit that is exceeded, or "exit" if none is."""
        now = time.monotonic()
        ready = self.streams.ready_at
        if ready is not None and now > ready + self.longest_s:
            return "time"
        if ready is None and now > self.start + SET_UP_WALL_S:
            return "time"
        if now - self.looked >= MEMORY_POLL_S:
            self.looked = now
            used = group_use(self.group, self.streams.copied)
            if used is not None:
                self.peak_mb = max(used.rss_mb, self.peak_mb or 0.0)
                limit = self.job.limits.memory_mb
                if limit is not None and used.rss_mb > limit:
                    return "memory"
                if ready is None and self._set_up_s(used, now) > SET_UP_S:
                    return "time"
                if ready is not None and self._is_hung(used):
                    return "time"
        return "exit"

    def _set_up_s(self, used: Use, now: float) -> float:
        """Return the processor time of this job's preparation; seconds where it is not known."""
        if used.cpu_s is None:
            return now - self.start
        if self.cpu_before is None:
            self.cpu_before = used.cpu_s
        return used.cpu_s - self.cpu_before

    def _is_hung(self, used: Use) -> bool:
        """Tell whether a row of counted work took the processor time that it may at most."""
        limits = self.job.limits
        if limits.work is None or used.cpu_s is None:
            return False
        self.cpu_ready = used.cpu_s if self.cpu_ready is None else min(used.cpu_s, self.cpu_ready)
        return used.cpu_s - self.cpu_ready > (limits.wall_s + GRACE_S) * limits.threads
