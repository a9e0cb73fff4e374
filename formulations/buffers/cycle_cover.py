"""(T0) over (T5): the least room that gives every cycle known the tokens it needs, by CP-SAT.

Sets         P places of buffers; Z cycles known
Parameters   r_e tokens of an iteration at place e; need_c iterations that cycle c lacks
Variables    x[e] iterations of room at place e above the least
Objective    (T0) min sum_e r_e x_e

Of all cycles this would be the whole problem, without starts; of some it is a relaxation, so that
its bound holds. :func:`dual_bound` is another, in whole numbers: prices y of cycles with
sum_{c through e} y_c <= r_e are worth sum_c need_c y_c, whoever proposed them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from ortools.sat.python import cp_model
from scipy.optimize import linprog
from scipy.sparse import csr_array

from formulations.buffers.places import Cycle, Ints
from optmap.clock import did

#: Prices of cycles are whole multiples of one part in so many.
PARTS = 10**6
#: Entries of a linear program that is solved in about a second.
ENTRIES_A_UNIT = 100_000


@dataclass(frozen=True, slots=True)
class Target:
    """Periods asked for: any (None), up to ``period``, or ``below`` it."""

    period: Fraction | None = None
    below: bool = False

    def tokens(self, delay: int) -> int:
        """Return the fewest tokens on a cycle of ``delay`` ticks that keep to the target."""
        if self.period is None:
            return 1
        ticks, period = delay * self.period.denominator, self.period.numerator
        return max(1, ticks // period + 1 if self.below else -(-ticks // period))

    def is_met(self, period: Fraction | None) -> bool:
        """Tell whether a period (None: a deadlock) keeps to the target."""
        if period is None or self.period is None:
            return period is not None
        return period < self.period if self.below else period <= self.period


@dataclass(frozen=True, slots=True)
class Row:
    """One inequality (T5): so many iterations more in the places together."""

    places: tuple[int, ...]
    need: int


def rows_of(cycles: Iterable[Cycle], target: Target) -> list[Row]:
    """Return what a target asks of cycles; of equal places the larger need."""
    needs: dict[tuple[int, ...], int] = {}
    for cycle in cycles:
        need = target.tokens(cycle.delay) - cycle.tokens
        if need > needs.get(cycle.places, 0):
            needs[cycle.places] = need
    return [Row(places, need) for places, need in needs.items()]


class CoverModel:
    """The cover as a CP-SAT model.

    Parameters
    ----------
    rows : sequence of Row
        Each with a place at least.
    rate : (P,) int64 array
        Tokens of an iteration at each place.
    """

    def __init__(self, rows: Sequence[Row], rate: Ints) -> None:
        self.rows, self.rate, self.cp = rows, rate, cp_model.CpModel()
        most = max((row.need for row in rows), default=0)
        passed = sorted({e for row in rows for e in row.places})
        self.room = {e: self.cp.new_int_var(0, most, f"x_{e}") for e in passed}

    def build(self, start: Ints | None) -> None:
        """Post every family; ``start``: a cover, shape (P,)."""
        self.cover_cycles()
        self.minimize_tokens()
        if start is not None:
            for e, x in self.room.items():
                self.cp.add_hint(x, int(start[e]))

    def cover_cycles(self) -> None:
        """(T5)  sum_{e in c} x[e] >= need_c  for every cycle c known."""
        for row in self.rows:
            self.cp.add(sum(self.room[e] for e in row.places) >= row.need)

    def minimize_tokens(self) -> None:
        """(T0)  min sum_e r_e x[e]."""
        self.cp.minimize(sum(int(self.rate[e]) * x for e, x in self.room.items()))

    def extract(self, solver: cp_model.CpSolver) -> Ints:
        """Return the iterations of a solution, shape (P,)."""
        extra = np.zeros(len(self.rate), dtype=np.int64)
        for e, x in self.room.items():
            extra[e] = solver.value(x)
        return extra


def dual_bound(rows: Sequence[Row], rate: Ints) -> int:
    """Return tokens that every cover of the rows takes at least, proved in whole numbers.

    The prices come from the linear relaxation; rounded to whole parts and lowered until no place
    is charged more than its tokens, they prove the bound whatever the solver did.
    """
    if not rows:
        return 0
    passed = sorted({e for row in rows for e in row.places})
    index = {e: i for i, e in enumerate(passed)}
    at = [index[e] for row in rows for e in row.places]
    which = np.repeat(np.arange(len(rows)), [len(row.places) for row in rows])
    need = np.array([row.need for row in rows], dtype=np.int64)
    charged = csr_array((np.ones(len(at), dtype=np.int64), (at, which)))
    did(len(at) / ENTRIES_A_UNIT)
    found = linprog(-need, A_ub=charged, b_ub=rate[passed], method="highs")
    if found.x is None:
        return 0
    price = np.floor(np.maximum(found.x, 0.0) * PARTS).astype(np.int64)
    allowed = rate[passed] * PARTS
    over = np.flatnonzero(charged @ price > allowed)
    for i in over.tolist():  # a rounding error's worth, off the prices of that place
        for c in which[np.array(at) == i].tolist():
            excess = int((charged[[i]] @ price)[0] - allowed[i])
            price[c] -= max(0, min(excess, int(price[c])))
    worth: int = sum(n * y for n, y in zip(need.tolist(), price.tolist(), strict=True))
    return -(-worth // PARTS)
