"""Period against buffer space in tokens: the trade-off of one mapping, as plain nouns.

Binding and orders are kept; the capacity of every channel at each of its places is the decision
(:mod:`optmap.model.buffers`). Limits of tile buffers are no part of it; the judge says which
capacities keep them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from optmap.model.grade import Grade
from optmap.model.mapping import Buffers


@dataclass(frozen=True, slots=True)
class BufferPoint:
    """Capacities of a mapping's channels, judged, and how few tokens could be as fast.

    Parameters
    ----------
    total : int
        Tokens of all channels at all their places.
    period : Fraction
        Ticks of one iteration.
    buffers : Buffers
        The capacities.
    bound : int
        No fewer tokens reach the period; ``total`` where that is proved to be least.
    grade : Grade
        Who vouches for the bound.
    """

    total: int
    period: Fraction
    buffers: Buffers
    bound: int
    grade: Grade

    @property
    def is_proved(self) -> bool:
        """Tell whether no fewer tokens are as fast."""
        return self.total == self.bound


@dataclass(frozen=True, slots=True)
class BufferFront:
    """The points found, smallest total first, and what is proved of those that are missing.

    Parameters
    ----------
    points : tuple of BufferPoint
        Fewest tokens that run at all first, shortest period that any capacities give last; empty
        where no capacities run, or none were found.
    all_below : int or None
        Every Pareto point of a smaller total is among the points; None: they are all there are.
    """

    points: tuple[BufferPoint, ...]
    all_below: int | None

    @property
    def complete(self) -> bool:
        """Tell whether the points are proved to be all of the front."""
        return self.all_below is None
