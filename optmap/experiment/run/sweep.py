"""Run many jobs, a few at a time, and store each row as it ends."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from typing import Any, Protocol

from optmap.experiment.row import SCHEMA, Row
from optmap.experiment.run.environment import code_version, solver_versions
from optmap.experiment.run.job import Job
from optmap.experiment.run.process import SET_UP_S, Ended
from optmap.experiment.run.store import CRASHED, Store, StoreError


class Watcher(Protocol):
    """Somebody who is told how a sweep goes."""

    def started(self, job: Job) -> None:
        """Hear that a solve begins."""

    def ended(self, job: Job, row: Row) -> None:
        """Hear that a solve ended and its row is stored."""


Runner = Callable[[Job, threading.Event], Ended]


def sweep(
    jobs: Iterable[Job],
    store: Store,
    watcher: Watcher,
    *,
    parallel: int,
    runner: Runner,
) -> None:
    """Run every job whose row the store lacks, at most ``parallel`` at a time.

    Raises
    ------
    StoreError
        If a row could not be written; running solves are ended, finished rows are kept.
    KeyboardInterrupt
        Passed on after running solves were ended.
    """
    stop = threading.Event()
    todo = [job for job in jobs if job.key() not in store.rows]
    with ThreadPoolExecutor(max_workers=parallel) as pool:
        waiting = iter(todo)
        running: dict[Future[Ended], Job] = {}

        def begin() -> None:
            for job in waiting:
                watcher.started(job)
                running[pool.submit(runner, job, stop)] = job
                return

        try:
            for _ in range(parallel):
                begin()
            while running:
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    job = running.pop(future)
                    row, attached = finish(job, future.result())
                    store.append(row.to_json(), attached)
                    watcher.ended(job, row)
                    begin()
        except (KeyboardInterrupt, StoreError):
            stop.set()
            raise


def _where(job: Job, ended: Ended) -> str:
    """Return the last line of the job's method file in the traceback, "" without one."""
    if not job.method_file:
        return ""
    lines = re.findall(rf'File "{re.escape(job.method_file)}", line (\d+)', ended.stderr)
    return f" ({job.method_file}, line {lines[-1]})" if lines else ""


#: Parts of a row that are stored as files of their own, and in which folder.
ATTACHED = {"mapping": "mappings", "details": "details"}


def finish(job: Job, ended: Ended) -> tuple[Row, dict[str, Any]]:
    """Return the row of an ended child, and what is stored beside it, by folder."""
    row = dict(ended.row or {"check": "not_run", "reason": ""})
    attached = {folder: row.pop(part) for part, folder in ATTACHED.items() if part in row}
    if ended.cause == "time":
        row["status"] = "timeout_hard"
        if ended.ran_s is None and not row.get("reason"):
            row["reason"] = (
                f"still in its first run, on a small network, after {SET_UP_S:.0f} s of a core"
            )
    elif ended.cause == "memory":
        row["status"] = "memout"
        row["reason"] = f"more than {job.limits.memory_mb} MB resident"
    elif ended.returncode != 0 or ended.row is None:
        row["status"] = CRASHED if ended.crashed else "error"
        last = ended.stderr.strip().splitlines()[-1:] or [f"exit status {ended.returncode}"]
        row["reason"] = f"the solve ended by itself: {last[0]}{_where(job, ended)}"
    if ended.cause != "exit" or ended.crashed:  # its row says when the mapping was found, not this
        row["wall_s"] = round(ended.elapsed_s if ended.ran_s is None else ended.ran_s, 4)
    row.setdefault("wall_s", round(ended.elapsed_s, 4))
    row |= {
        "schema": SCHEMA,
        "key": job.key(),
        "instance": job.instance,
        "digest": job.digest,
        "method": job.method,
        "source": job.source.to_json(),
        "seed": job.limits.seed,
        "limit_s": job.limits.wall_s,
        "threads": job.limits.threads,
        "memory_mb": job.limits.memory_mb,
        "work": job.limits.work,
        "elapsed_s": round(ended.elapsed_s, 4),
        "peak_rss_mb": None if ended.peak_rss_mb is None else round(ended.peak_rss_mb, 1),
        "code_version": code_version(),
        "solver_versions": solver_versions(),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return Row.from_json(row, f"row of {job.instance} by {job.method}"), attached
