"""Wall-clock seconds of one solve, all its stages together, and what they found when."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from optmap.method import Limits, TracePoint, Value


@dataclass
class Stopwatch:
    """Started when made; ``limits.wall_s`` is what there is to spend."""

    limits: Limits
    started: float = field(default_factory=time.perf_counter)
    points: list[TracePoint] = field(default_factory=list)

    @property
    def spent(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.started

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

    @property
    def trace(self) -> tuple[TracePoint, ...]:
        """The points so far."""
        return tuple(self.points)
