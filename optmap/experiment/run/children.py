"""Which child runs a job: heuristics share one, every solver gets a copy of one.

A heuristic takes milliseconds, a start of Python with its libraries and kernels two seconds:
heuristic jobs run one after the other in one child, which copies itself for every solver's job.
Such a job never shares a process with another one: where a child cannot copy itself, for methods
of a file and under a memory limit it gets a fresh child, started while the job before it runs.
"""

from __future__ import annotations

import threading
from types import TracebackType

from optmap.experiment.run.ahead import AHEAD
from optmap.experiment.run.in_copy import may_be_copied, needs_own_process
from optmap.experiment.run.job import Job
from optmap.experiment.run.process import Child, Ended


def run_child(job: Job, stop: threading.Event) -> Ended:
    """Run one job in a child of its own, once more if the system ended that child.

    It is alone: what has to be compiled is compiled on two cores.
    """
    for last in (False, True):
        child = Child(job.limits.threads, AHEAD)
        try:
            ended = child.run(job, stop)
        finally:
            child.close()
        if last or not ended.crashed:
            break
    return ended


class Children:
    """The children of a sweep; may be used by several threads."""

    def __init__(self) -> None:
        self.idle: list[tuple[int, Child]] = []
        self.lock = threading.Lock()

    def __enter__(self) -> Children:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for _, child in self.idle:
            child.close()
        self.idle.clear()

    def run(self, job: Job, stop: threading.Event) -> Ended:
        """Run a job in an idle child or in a new one, once more if the system ended that child."""
        ended = self._run_once(job, stop)
        return self._run_once(job, stop) if ended.crashed and not stop.is_set() else ended

    def _run_once(self, job: Job, stop: threading.Event) -> Ended:
        threads = job.limits.threads
        child = self._take(threads)
        alone = needs_own_process(job) and not may_be_copied(job)
        if alone:
            self._prepare(threads)
        try:
            ended = child.run(job, stop)
        except BaseException:
            child.close()
            raise
        if alone or ended.cause != "exit" or not child.alive:
            child.close()
        else:
            with self.lock:
                self.idle.append((threads, child))
        return ended

    def _take(self, threads: int) -> Child:
        with self.lock:
            for i, (own, child) in enumerate(self.idle):
                if own == threads and child.alive:
                    del self.idle[i]
                    return child
        return Child(threads)

    def _prepare(self, threads: int) -> None:
        """Start the child of the next job, if none waits."""
        with self.lock:
            if not any(own == threads for own, _ in self.idle):
                self.idle.append((threads, Child(threads)))
