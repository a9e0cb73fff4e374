"""Bisection on the period with an exact end: feasible or not at lambda, then the Farey step.

``low`` is a proved bound, ``value`` the evaluator's period of the best solution so far. A target
that is infeasible raises ``low`` to the next fraction of denominator <= Q above it; a solution
lowers ``value`` to its exact period. When nothing of denominator <= Q lies between them the value
is optimal. Targets: ``low`` itself (often reached), then whole numbers, which keep delays unscaled,
in steps that double (bounds are close, and a test is the harder the nearer the optimum is), then
the predecessor of ``value``. Where a target's share of the limit leaves it open, the search goes on
above it, for a better solution, and comes back to it with what is left in the end. A test that has
no time to build its model ends the search.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeVar

from formulations.ordering.farey import above, at_least, below
from formulations.solvers.stopwatch import Stopwatch
from optmap.model.outcome import SOLVED, Outcome, Status

S = TypeVar("S")

#: With less than this left, targets that were given up stay so.
SECOND_PASS_S = 0.5


@dataclass(frozen=True, slots=True)
class Probe(Generic[S]):
    """What a test at one period said: a solution with its exact period, or why there is none.

    Attributes
    ----------
    ended : bool
        The limit leaves no time for a test: neither for this one nor for another.
    """

    status: Status
    solution: S | None = None
    period: Fraction | None = None
    ended: bool = False


#: ``test(target, seconds)`` looks for a solution of period <= target.
Test = Callable[[Fraction, float], Probe[S]]

#: ``minimise(least, most, seconds)`` looks for the least whole period in least..most and also
#: returns a whole number that no whole period in that range is below.
Minimise = Callable[[int, int, float], tuple[Probe[S], int]]


def search_period(
    watch: Stopwatch,
    test: Test[S],
    low: Fraction,
    most_tokens: Callable[[Fraction], int],
    best: tuple[S, Fraction] | None,
    ceiling: Fraction,
    minimise: Minimise[S] | None = None,
) -> Outcome[S]:
    """Return the solution of least period, with the proved bound.

    Parameters
    ----------
    low : Fraction
        A period that none is below.
    most_tokens : callable
        Q, the largest denominator of a period that is at least its argument.
    best : (solution, period), optional
        Where to start from.
    ceiling : Fraction
        If anything is feasible, so is something at this period.
    minimise : callable, optional
        Used once, when ``low`` itself is infeasible, in place of most whole targets.
    """
    solution, value = best if best is not None else (None, None)
    open_from, step = low, 0  # targets below open_from are decided or given up
    gave_up = ended = False
    while watch.left > 0 and not ended:
        most = most_tokens(low)
        if not gave_up:
            low = max(low, at_least(low, most))
            open_from = max(open_from, low)
        watch.note(value, low)
        last = ceiling if value is None else below(value, most)
        if last < open_from:
            if value is None and not gave_up:  # nothing up to the ceiling
                return Outcome(Status.INFEASIBLE, trace=watch.trace)
            if gave_up and watch.left > SECOND_PASS_S:
                gave_up, open_from, step = False, low, 0
                continue
            break
        least, most_whole = -(-open_from // 1), last // 1
        if minimise is not None and step and least < most_whole:
            probe, whole = minimise(least, most_whole, watch.left * 0.8)
            minimise = None
            if whole > low and not gave_up:  # infeasible at whole - 1
                low = max(low, above(Fraction(whole - 1), most))
            if probe.status in SOLVED:
                solution, value = probe.solution, probe.period
                _tell(watch, solution, value, low)
            continue
        target = _target(open_from, last, None if gave_up else step)
        share = 0.35 if target < last else 1.0
        step = max(1, 2 * step)
        probe = test(target, max(watch.left * share, 0.05))
        if probe.status in SOLVED:
            if probe.period is None or probe.period > target:
                raise ValueError(f"a schedule of period {target} evaluates to {probe.period}")
            solution, value = probe.solution, probe.period
            _tell(watch, solution, value, low)
            step = 1
        elif probe.status is Status.INFEASIBLE:
            if not gave_up:
                low = above(target, most)
            open_from = max(open_from, above(target, most))
        else:
            gave_up, ended = True, probe.ended
            open_from = above(target, most)
    if solution is None or value is None:
        return Outcome(Status.UNKNOWN, bound=low, trace=watch.trace)
    if not gave_up and below(value, most_tokens(low)) < low < value:
        low = value
    watch.note(value, low)
    status = Status.OPTIMAL if low == value else Status.FEASIBLE
    return Outcome(status, solution, value, low, watch.trace)


def _tell(watch: Stopwatch, solution: S | None, value: Fraction | None, low: Fraction) -> None:
    if solution is not None and value is not None:
        watch.better(solution, value, low)


def _target(open_from: Fraction, last: Fraction, step: int | None) -> Fraction:
    """Return the next period to test, in open_from..last: a whole number where there is one.

    Without ``step``, that is, once a test was given up, the middle.
    """
    if step == 0:
        return open_from
    first_whole, last_whole = -(-open_from // 1), last // 1
    if first_whole > last_whole:
        return last
    middle = (first_whole + last_whole) // 2
    return Fraction(middle if step is None else min(first_whole + step - 1, middle))
