"""A second process that compiles kernels while a child compiles others: two cores, half the wait.

It belongs to the child's process group and ends with it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from optmap import judge
from optmap.compiled import is_kept
from optmap.experiment.run.process import COMMAND
from optmap.methods import METHODS, Method

#: The arguments of a child that may let another process compile for it, and of that process; the
#: last says that some fan-in has to be cut.
AHEAD, COMPILE_ONLY, CUTS = "ahead", "compile", "cuts"


def is_worth_it(method: Method) -> bool:
    """Tell whether a method's kernels have to be compiled, and there is a core for a second one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    listed = METHODS.get(method.name) == method and method.runs_alone
    return listed and (cores or 1) > 1 and not is_kept(Path(judge.__file__).parent)


@contextmanager
def compiling_ahead(method: Method, cuts: bool, allowed: bool) -> Iterator[None]:
    """Let a second process compile, where that is allowed and worth it, until the block is left.

    It compiles what cuts fan-in only where ``cuts`` says so.
    """
    if not (allowed and is_worth_it(method)):
        yield
        return
    quiet = subprocess.DEVNULL
    command = [*COMMAND, COMPILE_ONLY, method.name, *([CUTS] if cuts else [])]
    ahead = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        yield
    finally:
        ahead.kill()  # all that the method needs is there
        ahead.wait()
