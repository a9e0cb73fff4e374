"""Seconds of a solve: of the machine's clock, or of counted work, which repeats on any machine.

Everything that looks at the time while it solves asks :func:`now`. Under :func:`counted` time
passes by work alone: solvers add what they count themselves (CP-SAT its deterministic time, HiGHS
iterations and nodes), searches their moves, nodes and labels (:func:`did`), and every look at the
clock adds LOOK, so that a loop that does nothing else ends too. A unit is about what one core does
in a second. One process does one or the other; threads share the count, so that only runs of one
thread repeat exactly.

Heuristics repeat exactly too, and know no limits. The slow ones ask :func:`over` between rounds,
each of which leaves something complete: whoever runs them says with :func:`ending` when the limit
passes, and learns whether it ended them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf

#: Counted work in whole millionths of a unit, and what one look at the clock adds.
MILLION, LOOK = 1_000_000, 20

_counts: list[int] = []  # empty: the machine's clock


@dataclass
class Ending:
    """When heuristics are to end, in seconds of :func:`now`, and whether one was ended by it."""

    at: float
    was_early: bool = False


_endings: list[Ending] = []  # empty: heuristics end by themselves


def now() -> float:
    """Return seconds since some moment, or units of work counted so far."""
    if not _counts:
        return time.perf_counter()
    _counts[-1] += LOOK
    return _counts[-1] / MILLION


def busy() -> float:
    """Return seconds that processors have worked for this process, or units of work counted."""
    return now() if _counts else time.process_time()


def is_counted() -> bool:
    """Tell whether time passes by work alone."""
    return bool(_counts)


def did(units: float) -> None:
    """Count work; nothing happens where the machine's clock is asked."""
    if _counts:
        _counts[-1] += max(round(units * MILLION), 0)


@contextmanager
def counted() -> Iterator[None]:
    """Let time pass by work alone inside the block."""
    _counts.append(0)
    try:
        yield
    finally:
        _counts.pop()


@contextmanager
def ending(at: float) -> Iterator[Ending]:
    """Let heuristics end at a moment of :func:`now`; of counted work they end by themselves."""
    made = Ending(inf if is_counted() else at)
    _endings.append(made)
    try:
        yield made
    finally:
        _endings.pop()


def over(needed_s: float = 0.0) -> bool:
    """Tell a heuristic to return what it has: its limit passes within the seconds it needs."""
    if left_s() > needed_s:
        return False
    _endings[-1].was_early = True
    return True


def left_s() -> float:
    """Return the seconds that a heuristic may still take; infinity where nobody set a limit."""
    end = _endings[-1].at if _endings else inf
    return inf if end == inf else end - now()
