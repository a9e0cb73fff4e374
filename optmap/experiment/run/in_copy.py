"""A job in a copy of this process: what it loads, keeps or breaks goes with the copy.

Python, its libraries and the kernels take two seconds to load, a copy of the process that has them
a hundredth. What runs in threads is not copied, so that a process with threads makes none.
"""

from __future__ import annotations

import gc
import os
import sys
import traceback
import warnings
from collections.abc import Callable

from optmap.experiment.run.job import Job
from optmap.methods import METHODS

#: Whether processes copy themselves here: elsewhere system libraries start threads of their own.
COPIES = sys.platform.startswith("linux")

#: Threads of a child that waits for a job: Python's own, and the one that looks for the parent.
IDLE_THREADS = 2


def needs_own_process(job: Job) -> bool:
    """Tell whether no other job may run in the process of this one."""
    if job.mapping_file:
        return False
    return bool(job.method_file) or job.method not in METHODS or METHODS[job.method].uses_solver


def may_be_copied(job: Job) -> bool:
    """Tell whether a job may run in a copy: not strangers' code, nor where memory is counted.

    A copy holds what its original has loaded for other jobs.
    """
    return COPIES and not job.method_file and job.limits.memory_mb is None


def can_copy() -> bool:
    """Tell whether this process can copy itself: no library has a thread that waits for work."""
    return len(os.listdir("/proc/self/task")) <= IDLE_THREADS


def run_in_copy(work: Callable[[], None]) -> None:
    """Run ``work`` in a copy of this process and wait for it.

    A copy that a signal ends ends this process by the same signal, an error ends it as an error.
    """
    gc.freeze()  # what is here already is not written to by the copy's garbage collection
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: one thread waits
        copy = os.fork()
    if copy == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:  # printed, and nothing runs after it
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    gc.unfreeze()
    ended = os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
    if ended < 0:
        os.kill(os.getpid(), -ended)
    if ended:
        sys.exit(ended)
