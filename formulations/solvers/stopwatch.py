"""Seconds of one solve (:mod:`optmap.clock`), all its stages together, and what they found when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from optmap.clock import busy, is_counted, now
from optmap.model.outcome import Limits, Outcome, Status, TracePoint, Value

#: Called with every better solution while a solve goes on, so that a kill does not lose it.
Report = Callable[[Outcome[Any]], None]

#: Seconds after which the share of a core that a process gets is known.
LEAST_WAITED = 0.2


@dataclass
class Stopwatch:
    """Started when made; ``limits.wall_s`` is what there is to spend."""

    limits: Limits
    started: float = field(default_factory=now)
    points: list[TracePoint] = field(default_factory=list)
    report: Report | None = None
    made: tuple[float, float] = field(default_factory=lambda: (now(), busy()))

    def processor(self, seconds: float) -> float:
        """Return the processor seconds to expect in so many seconds, at the pace so far.

        On a loaded machine that is less; shares of work are then the same as on a quiet one.
        """
        waited = now() - self.made[0]
        if is_counted() or waited < LEAST_WAITED:
            return max(seconds, 0.0)
        return max(seconds, 0.0) * min(1.0, (busy() - self.made[1]) / waited)

    @property
    def spent(self) -> float:
        """Seconds since the start."""
        return now() - self.started

    @property
    def left(self) -> float:
        """Seconds that remain; below 0 when the limit has passed."""
        return self.limits.wall_s - self.spent

    def note(self, incumbent: Value | None, bound: Value | None) -> None:
        """Add a point to the trace if it says something new."""
        if self.points and (self.points[-1].incumbent, self.points[-1].bound) == (incumbent, bound):
            return
        if incumbent is not None or bound is not None:
            self.points.append(TracePoint(self.spent, incumbent, bound))

    def better(self, solution: Any, value: Value, bound: Value | None) -> None:
        """Note a better solution, and report it to whoever asked for reports."""
        self.note(value, bound)
        if self.report is not None:
            self.report(Outcome(Status.FEASIBLE, solution, value, bound, self.trace))

    @property
    def trace(self) -> tuple[TracePoint, ...]:
        """The points so far."""
        return tuple(self.points)
