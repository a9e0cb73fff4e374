"""Run a method in this process: for notebooks, and for methods that no other process knows.

Nothing ends it from outside: a limit holds as far as the method keeps it, and a crash is a crash.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from optmap import judge
from optmap.compiled import interpreted, is_kept, sparing
from optmap.errors import CapacityError, FanInError
from optmap.experiment.run.description import describe
from optmap.experiment.run.job import ChangedError, Job
from optmap.experiment.run.process import Ended
from optmap.experiment.run.store import CRASHED
from optmap.flow import run
from optmap.instance import Instance
from optmap.methods import METHODS, Method, method_named
from optmap.model.claim import Run

#: Synapses of a network that a heuristic maps as plain Python in less time than a child takes to
#: start and load its kernels (half a second), and than it takes to compile them (10 s and more).
SMALL, SMALL_BEFORE_COMPILING = 10_000, 50_000
#: The same for stages that take longer as Python, or were not measured: they search by many draws.
SMALL_FOR_SEARCHES = 2000
SEARCHES = frozenset(
    (
        "blocks",
        "leaves",
        "hyperedge-overlap",
        "hypergraph",
        "multilevel",
        "song2020-published",
        "multicast",
    )
)
#: Synapses up to which only those kernels are compiled that take long, and the seconds that a run
#: must have where their compiling is on its clock.
SPARED, SPARED_S = 20_000_000, 30.0


def most_synapses(method: Method) -> int:
    """Return how large a network may be for plain Python to be the faster way to its mapping."""
    if _searches(method):
        return SMALL_FOR_SEARCHES
    return SMALL if is_kept(Path(judge.__file__).parent) else SMALL_BEFORE_COMPILING


def _searches(method: Method) -> bool:
    """Tell whether some stage takes long as Python, or was not measured."""
    return bool(SEARCHES & {method.decomposition, method.clustering, method.binding})


def run_if_small(job: Job, instance: Instance) -> Ended | None:
    """Run a heuristic of ours on a network that is not large here; None: it is not so.

    No other process is started. On a small network kernels run as Python, and numba is not loaded;
    on a larger one those that take long are compiled, or loaded, and no others. Nothing of this
    takes long, so nobody has to be there to end it.
    """
    method = METHODS.get(job.method)
    if method is None or method.digest or job.method_file or not method.runs_alone:
        return None
    if job.limits.memory_mb is not None:
        return None
    synapses = instance.snn.num_synapses
    if synapses <= most_synapses(method):
        with interpreted():
            return run_in_process(job, instance)
    if synapses > SPARED or job.limits.wall_s < SPARED_S or _searches(method):
        return None
    with sparing():
        return run_in_process(job, instance)


def has_machine_code() -> bool:
    """Tell whether this session has numba loaded, and machine code of kernels is kept."""
    return "numba" in sys.modules and is_kept(Path(judge.__file__).parent)


def judging(instance: Instance) -> AbstractContextManager[None]:
    """Return in what a mapping is judged here: with kernels as Python where a network is small."""
    if has_machine_code():
        return nullcontext()
    kept = is_kept(Path(judge.__file__).parent)
    most = SMALL if kept else SMALL_BEFORE_COMPILING
    return interpreted() if instance.snn.num_synapses <= most else nullcontext()


def mapping_again(instance: Instance, method: Method) -> AbstractContextManager[None]:
    """Return in what a method maps here, again and again: a heuristic as Python where it is small.

    What searches until its limit finds more by machine code.
    """
    if has_machine_code() or not method.runs_alone or method.digest:
        return nullcontext()
    small = instance.snn.num_synapses <= most_synapses(method)
    return interpreted() if small else nullcontext()


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
    try:
        instance = job.load()
    except ChangedError as error:
        row = {"status": CRASHED, "check": "not_run", "reason": str(error)}
        return Ended(row, "exit", 0, "", 0.0, None)
    return run_in_process(job, instance)
