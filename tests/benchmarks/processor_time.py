"""Limits of processor seconds, so that what a benchmark reaches does not depend on other work.

The clock is the process's own. CP-SAT looks at the wall clock alone and is told when to stop; HiGHS
is not, and may stop earlier.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from ortools.sat.python import cp_model

#: What ends CP-SAT where nothing else does, how often its processor time is looked at, its method.
ON_THE_WALL, LOOK_S, SOLVE = 3600.0, 0.05, cp_model.CpSolver.solve


def _solve(self: cp_model.CpSolver, *given: Any) -> Any:
    """Solve as ``CpSolver.solve`` does; its limit is of processor seconds, all workers together."""
    end = time.process_time() + self.parameters.max_time_in_seconds
    self.parameters.max_time_in_seconds = ON_THE_WALL
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK_S):
            if time.process_time() >= end:
                self.stop_search()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        return SOLVE(self, *given)
    finally:
        ended.set()
        watcher.join()


@contextmanager
def processor_time() -> Iterator[None]:
    """Let every limit be of processor seconds inside the block."""
    with (
        patch("optmap.clock.time.perf_counter", time.process_time),
        patch.object(cp_model.CpSolver, "solve", _solve),
    ):
        yield
