"""Pricing: which crossbar is worth most at given prices, and how much can none be worth.

Prices are whole numbers; so are all values and bounds, and what is proved is proved exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

import numpy as np

from formulations.clustering.column_generation.frontier import MAX_BITS, Sweep, sweep_of
from formulations.clustering.column_generation.pricing_frontier import (
    Completion,
    Found,
    completion_of,
    price,
)
from formulations.solvers.time_to_build import too_long
from optmap.clock import busy, did
from optmap.clustering.kernels.classes import Classes
from optmap.model.snn import IndexArray, IntArray

#: Label visits that one core does in a second, cautiously: turns seconds into a repeatable limit.
WORK_PER_SECOND = 2_500_000
#: The part of the time of a bound, or of a search, that beams before it may take.
BEAM_SHARE = 0.2

#: Labels that are kept at once in an exact sweep (about 150 bytes each), one try after the other.
LABELS = (5_000, 100_000, 500_000, 2_000_000)

#: Share of the time for the goal itself, which often is fast; then it may be so much off.
EXACT_SHARE = 0.25
SLACKS = (0.18, 0.12, 0.08, 0.055, 0.035, 0.02)

#: Seconds for each input that a class reads until the first prices: measured 5 to 30 millionths.
SECONDS_PER_READ = 3e-5


def why_not_built(reads: int, left: float) -> str:
    """Return why no prices are looked for in ``left`` seconds; empty if they may be.

    Examples
    --------
    >>> why_not_built(1000, 0.1)
    ''
    >>> why_not_built(20_000, 0.1)
    'no prices of the clustering: 20,000 terms take some 0.6 s to build, 0.1 s are left'
    """
    seconds = SECONDS_PER_READ * reads
    return too_long("no prices of the clustering", f"{reads:,} terms", seconds, left)


def sweep_order(classes: Classes) -> IndexArray:
    """Return the classes component by component, each by lowest member.

    Units are numbered along feature maps, row by row, so that a filter's frontier is some rows of
    its inputs; a component's frontier is empty before and after it.
    """
    return np.argsort(classes.component, kind="stable").astype(np.int32)


@dataclass(frozen=True, eq=False)
class Pricer:
    """The pricing problem of one kind of crossbar."""

    classes: Classes
    rows: int
    columns: int
    sweep: Sweep = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sweep", sweep_of(self.classes, sweep_order(self.classes)))

    @property
    def can_prove(self) -> bool:
        """Whether the frontier is narrow enough for exact sweeps."""
        return self.sweep.bits <= MAX_BITS

    def completion(self, prices: IntArray) -> Completion:
        """Return the completion bounds at these prices."""
        return completion_of(self.sweep, self.classes, prices, self.rows, self.columns)

    def heuristic(
        self, prices: IntArray, threshold: int, most_labels: int, seconds: float = inf
    ) -> Found:
        """Return crossbars worth more than ``threshold`` found by a beam of labels.

        Parameters
        ----------
        most_labels : int
            The width of the beam; less where that takes more than ``seconds`` of a processor.
        """
        affordable = seconds * WORK_PER_SECOND / max(self.classes.num_classes, 1)
        most_labels = max(1, int(min(most_labels, affordable)))
        found = price(
            self.sweep,
            self.classes,
            prices,
            self.rows,
            self.columns,
            threshold=threshold,
            most_labels=most_labels,
            beam=True,
        )
        did(found.work / WORK_PER_SECOND)
        return found

    def bound(self, prices: IntArray, goal: int, seconds: float, total: int = 0) -> int:
        """Return a proved upper bound on the worth of every crossbar, at best max(goal, the truth).

        Parameters
        ----------
        goal : int
            Bounds below this are not asked for.
        seconds : float
            About the processor time to spend; what is not proved by then falls back on weaker
            bounds.
        total : int
            Worth of all units, if ceil(total / bound) is what is asked for.
        """
        return int(self.closed(prices, goal, seconds, total)[self.rows])

    def closed(
        self,
        prices: IntArray,
        goal: int,
        seconds: float,
        total: int = 0,
        exactly: float = EXACT_SHARE,
    ) -> IntArray:
        """Return a proved upper bound on the worth of every choice of so many rows, shape (R + 1,).

        Budgets of rows are solved one after the other: what fits into few rows bounds what can be
        added to a partial choice of many (``closed`` of :func:`price`). Where that is too slow, the
        bounds of all budgets are loosened in proportion to their rows: a partial choice is then
        only followed if its units are nearly as well placed as those of the best one. It gets
        tighter and tighter while time lasts, each time as loose as ceil(total / worth) allows.

        Parameters
        ----------
        exactly : float
            Part of the time for bounds that are not loosened, which come first.
        """
        if not self.classes.num_classes:
            return np.zeros(self.rows + 1, dtype=np.int64)
        completion = self.completion(prices)
        closed: IntArray = np.minimum(completion.by_rows[0], completion.by_columns[0, self.columns])
        if closed[self.rows] <= goal or not self.can_prove:
            return closed
        reached = self.heuristic(prices, 0, 500, BEAM_SHARE * seconds).by_rows
        begun, top = busy(), int(reached[self.rows])
        looser = [self._slack(slack, goal, top, total) for slack in SLACKS]
        slacks = [max(0.0, goal / max(top, 1) - 1), *looser]
        for k, slack in enumerate(slacks):
            share = exactly + (1 - exactly) * k / len(SLACKS)
            stop = begun + share * seconds
            if k == 0 or closed[self.rows] > max(goal, top * (1 + slack)):
                self._climb(prices, goal, slack, stop, completion, reached, closed)
            if closed[self.rows] <= goal:
                break
        return closed

    @staticmethod
    def _slack(slack: float, goal: int, top: int, total: int) -> float:
        """Return a slack with which a bound of whole crossbars is the same, but easier to prove."""
        worth = max(int(top * (1 + slack)), goal, 1)
        crossbars = -(-total // worth)
        return slack if crossbars < 2 or not top else (total - 1) // (crossbars - 1) / top - 1

    def _climb(
        self,
        prices: IntArray,
        goal: int,
        slack: float,
        stop: float,
        completion: Completion,
        reached: IntArray,
        closed: IntArray,
    ) -> None:
        """Lower ``closed`` budget by budget, each to (1 + slack) times what is reached in it."""
        proved = 0
        step = 1 if self.rows <= 64 else 2
        least = int(self.classes.fan_in.min())
        for r in [*range(least, self.rows, step), self.rows]:
            last = r == self.rows
            threshold = max(proved, int(reached[r] * (1 + slack)), goal if last else 0)
            if closed[r] <= threshold:
                proved = int(closed[r])
                continue
            for labels in LABELS:  # room for labels costs time to clear: start with little
                found = price(
                    self.sweep,
                    self.classes,
                    prices,
                    r,
                    self.columns,
                    threshold=threshold,
                    most_labels=labels,
                    most_work=int(max(stop - busy(), 0.0) * WORK_PER_SECOND),
                    keep=1,
                    closed=closed,
                    completion=completion,
                )
                did(found.work / WORK_PER_SECOND)
                if found.complete or busy() > stop:
                    break
            if not found.complete:
                return
            proved = max(found.best, threshold)
            closed[: r + 1] = np.minimum(closed[: r + 1], proved)
