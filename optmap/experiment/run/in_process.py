"""Run a method in this process: for notebooks, and for methods that no other process knows.

Nothing ends it from outside: a limit holds as far as the method keeps it, and a crash is a crash.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from optmap import judge
from optmap.compiled import interpreted, is_kept
from optmap.errors import CapacityError, FanInError
from optmap.experiment.run.job import Job
from optmap.experiment.run.process import Ended
from optmap.experiment.run.solve import describe
from optmap.flow import run
from optmap.instance import Instance
from optmap.methods import METHODS, method_named
from optmap.model.claim import Run

#: Synapses of a network that a heuristic maps as plain Python in less time than a child takes to
#: start and load its kernels (half a second), and than it takes to compile them (20 s and more).
SMALL, SMALL_BEFORE_COMPILING = 10_000, 50_000


def is_small(synapses: int) -> bool:
    """Tell whether plain Python is the faster way to a first mapping of so many synapses."""
    if synapses <= SMALL:
        return True
    return synapses <= SMALL_BEFORE_COMPILING and not is_kept(Path(judge.__file__).parent)


def run_if_small(job: Job, instance: Instance) -> Ended | None:
    """Run a heuristic of ours on a small network here, its kernels as Python; None: it is not so.

    No other process is started and numba is not loaded. Nothing of this takes seconds, so nobody
    has to be there to end it.
    """
    method = METHODS.get(job.method)
    own = method is not None and method.runs_alone and not method.digest and not job.method_file
    if not own or job.limits.memory_mb is not None or not is_small(instance.snn.num_synapses):
        return None
    with interpreted():
        return run_in_process(job, instance)


def run_in_process(job: Job, instance: Instance) -> Ended:
    """Run a job's method on an instance that is loaded already."""
    method = method_named(job.method)
    placement = instance.placement() if method.clustering == "imported" else None

    def solved() -> Run:
        return run(
            method,
            instance.snn,
            instance.platform,
            instance.tokens,
            job.limits,
            lambda _: None,
            placement,
            instance.constraints,
        )

    return judged(job, instance, solved)


def judged(job: Job, instance: Instance, solved: Callable[[], Run]) -> Ended:
    """Return what a job's child would say of a run."""
    start, cpu = time.perf_counter(), time.process_time()
    row: dict[str, Any]
    try:
        result = solved()
        wall_s, cpu_s = time.perf_counter() - start, time.process_time() - cpu
        row = describe(result, instance, job)
    except (CapacityError, FanInError) as error:
        wall_s, cpu_s = time.perf_counter() - start, time.process_time() - cpu
        row = {"status": "unsupported", "check": "not_run", "reason": str(error)}
    row |= {"wall_s": round(wall_s, 4), "cpu_s": round(cpu_s, 4)}
    return Ended(row, "exit", 0, "", time.perf_counter() - start, None)


def runner(job: Job, stop: threading.Event) -> Ended:
    """Run a job of a sweep here: it loads its own instance."""
    return run_in_process(job, job.source.load())
