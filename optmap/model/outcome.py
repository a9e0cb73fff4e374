"""The contract of every method: limits in, outcome out.

Statuses, values and bounds are separate facts. ``None`` means "no solution" or "no bound", never
0 or infinity, so that nothing can be mistaken for something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from math import inf
from numbers import Real
from typing import Generic, TypeVar

from optmap.model.certificate import Certificate
from optmap.model.grade import Grade

S = TypeVar("S")

Value = int | Fraction


class Status(Enum):
    """How a run ended; one value per distinct fact."""

    OPTIMAL = "optimal"  # solution found and proven best
    FEASIBLE = "feasible"  # solution found, not proven best
    INFEASIBLE = "infeasible"  # proven that no solution exists
    UNKNOWN = "unknown"  # neither solution nor proof


SOLVED = (Status.OPTIMAL, Status.FEASIBLE)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a method may use, all its stages together.

    Parameters
    ----------
    wall_s : float
        Wall-clock seconds, > 0.
    threads : int
        Threads, >= 1. CP-SAT's worker count is its own knob (it chooses the sub-solvers).
    seed : int
        The only source of randomness, >= 0.
    memory_mb : int or None
        Memory; enforced by the process that runs the solve. None: not limited.
    work : int, optional
        Units of counted work (:mod:`optmap.clock`) in place of ``wall_s``, about a second of one
        core each: value, bound and mapping of a seed are then the same on any machine.
    """

    wall_s: float = 60.0
    threads: int = 1
    seed: int = 0
    memory_mb: int | None = None
    work: int | None = None

    def __post_init__(self) -> None:
        for name, asked in (
            ("wall_s", self.wall_s),
            ("threads", self.threads),
            ("seed", self.seed),
        ):
            if not isinstance(asked, Real):
                raise ValueError(f"limits: found {name} {asked!r}, expected a number")
        if not 0 < self.wall_s < inf:
            raise ValueError(f"limits: found {self.wall_s} seconds, expected a number > 0")
        if self.threads < 1:
            raise ValueError(f"limits: found {self.threads} threads, expected 1 or more")
        if self.seed < 0:
            raise ValueError(f"limits: found seed {self.seed}, expected 0 or more")
        if self.work is not None and self.work < 1:
            raise ValueError(f"limits: found {self.work} units of work, expected 1 or more")
        if self.memory_mb is not None and self.memory_mb < 1:
            raise ValueError(f"limits: found {self.memory_mb} MB, expected 1 or more")


@dataclass(frozen=True, slots=True)
class TracePoint:
    """Incumbent and bound known after ``seconds``; either may be None."""

    seconds: float
    incumbent: Value | None
    bound: Value | None


@dataclass(frozen=True, slots=True)
class Outcome(Generic[S]):
    """Result of one stage of a method.

    ``solution`` is None exactly when the status says there is none. ``claimed`` is the objective
    the method believes it reached (re-checked by ``evaluate``), ``bound`` the value it proved
    nothing can beat; both are for minimisation. A bound above the claimed value is a contradiction:
    it is kept as it is, never optimal, and whoever judges the outcome reports both numbers.
    ``note`` says what was left out and why: a model too large for the time that remained.
    """

    status: Status
    solution: S | None = None
    claimed: Value | None = None
    bound: Value | None = None
    trace: tuple[TracePoint, ...] = ()
    certificate: Certificate | None = None
    grade: Grade = Grade.CLAIMED
    note: str = ""

    def __post_init__(self) -> None:
        if (self.status in SOLVED) != (self.solution is not None):
            raise ValueError(f"status {self.status.value} with solution {self.solution!r}")
        if self.claimed is not None and self.solution is None:
            raise ValueError(f"value {self.claimed} claimed without a solution")
        if self.status is Status.OPTIMAL and self.claimed != self.bound:
            raise ValueError(f"optimal, yet value {self.claimed} and bound {self.bound} differ")

    @property
    def contradicts(self) -> bool:
        """Tell whether the bound is above the value that was reached: one of them is wrong."""
        return self.claimed is not None and self.bound is not None and self.bound > self.claimed
