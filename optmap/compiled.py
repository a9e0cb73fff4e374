"""Compilation of kernels: cached where a cache can be written, in memory where not."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import scipy.linalg  # noqa: F401  numba loads it in the first call of any kernel; better here
from numba import njit
from numba.core import event

#: Tells this process's code files from those of others.
PROCESS = uuid4().hex[:12]


def compiled(function: Callable[..., Any]) -> Any:
    """Return ``function`` compiled by numba, its machine code kept for later processes.

    The code is kept beside the source, else in the user's cache folder, or where the environment
    variable NUMBA_CACHE_DIR says. Where none of them can be written, numba would refuse; here the
    kernel is then compiled anew in every process, which costs seconds, and nothing else changes.

    Kernels touch no Python object: while one runs, other threads do. Their arguments are annotated
    Any, for numba finds the types at the first call.
    """
    try:
        kernel = njit(cache=True, nogil=True)(function)
    except RuntimeError:
        return njit(nogil=True)(function)
    file = getattr(getattr(kernel, "_cache", None), "_cache_file", None)
    if file is not None and hasattr(file, "_source_stamp"):
        # numba takes kept code for current when the kernel's own file has not changed, although
        # the code holds the kernels it calls, from other files: the whole folder's stamp is right.
        file._source_stamp = folder_stamp(Path(function.__code__.co_filename).parent)
    if file is not None and hasattr(file, "_data_name_pattern"):
        # numba numbers code files 1, 2, ... in an index. Two processes that compile at once, for
        # different types, would both write number 1, and the index would then name the wrong code.
        name = file._data_name_pattern
        file._data_name_pattern = name.replace(".{number", f".{PROCESS}-{{number")
    return kernel


#: What is said where kernels are compiled that no cache holds.
COMPILING = "compiling kernels for this machine, once: up to a minute"


def _to_stderr(line: str) -> None:
    if sys.stderr is not None:
        with suppress(OSError):
            print(line, file=sys.stderr, flush=True)  # noqa: T201


@cache
def say_once(line: str) -> None:
    """Print a line on standard error, once in this process."""
    _to_stderr(line)


@cache
def announce_compilation(say: Callable[[str], None] = _to_stderr) -> None:
    """See to it that ``say`` is told, once, when a kernel is compiled that no cache holds.

    Where the environment variable OPTMAP_QUIET is set nothing is said.
    """
    if "OPTMAP_QUIET" not in os.environ:
        heard = _Announcement(say)
        event.register("numba:compile", heard)  # type: ignore[no-untyped-call]  # numba's gap


class _Announcement(event.Listener):
    """Hears that numba compiles, and says so once."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say, self.said = say, False

    def on_start(self, event: event.Event) -> None:
        """Say it; a kernel that calls others starts several times."""
        if not self.said:
            self.said = True
            self.say(COMPILING)

    def on_end(self, event: event.Event) -> None:
        """Do nothing."""


@cache
def folder_stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return name, time of change and size of every Python file in a folder."""
    files = sorted(folder.glob("*.py"))
    return tuple((f.name, f.stat().st_mtime_ns, f.stat().st_size) for f in files)
