"""What a family of constraints asks of the engine it is written for: variables, sums, rows.

A family that CP-SAT and a MILP post alike is written once, over an :class:`Engine`; what the two
want in other words (distances on a mesh, loads in units, optional rows) stays with each one's
model. An engine adds nothing of its own: the rows are those the family's docstring says.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import pulp
from ortools.sat.python import cp_model


class Term(Protocol):
    """A variable, or a linear expression in variables, of either library."""

    def __add__(self, other: Any, /) -> Any: ...
    def __sub__(self, other: Any, /) -> Any: ...
    def __rmul__(self, factor: Any, /) -> Any: ...
    def __le__(self, other: Any, /) -> Any: ...
    def __ge__(self, other: Any, /) -> Any: ...


V = TypeVar("V", bound=Term)


class Engine(ABC, Generic[V]):
    """Variables of type ``V``, and rows over them, in one model.

    Expressions are what the library makes of ``+``, ``-`` and whole factors, rows what it makes of
    ``<=``, ``>=`` and ``==``; the two libraries have no type in common for either.
    """

    @abstractmethod
    def boolean(self, name: str) -> V:
        """Return a new variable in {0, 1}."""

    @abstractmethod
    def whole(self, name: str, most: int) -> V:
        """Return a new variable in {0, ..., most}."""

    @abstractmethod
    def total(self, terms: Iterable[Term]) -> Any:
        """Return the sum of ``terms``."""

    @abstractmethod
    def add(self, row: Any) -> None:
        """Post an inequality or an equality."""

    @abstractmethod
    def exactly_one(self, booleans: Iterable[V]) -> None:
        """Post sum of ``booleans`` = 1."""

    @abstractmethod
    def implies(self, a: V, b: V) -> None:
        """Post a <= b."""

    @abstractmethod
    def one_of(self, booleans: Sequence[V], *, unless: Sequence[V]) -> None:
        """Post sum of ``booleans`` >= 1 where every one of ``unless`` is 1."""

    @abstractmethod
    def forbid(self, x: V) -> None:
        """Post x = 0."""

    @abstractmethod
    def minimize(self, value: Any) -> None:
        """Set the objective."""


class CpsatEngine(Engine[cp_model.IntVar]):
    """Posts to a CP-SAT model."""

    def __init__(self, cp: cp_model.CpModel) -> None:
        self.cp = cp

    def boolean(self, name: str) -> cp_model.IntVar:
        """Return a new variable in {0, 1}."""
        return self.cp.new_bool_var(name)

    def whole(self, name: str, most: int) -> cp_model.IntVar:
        """Return a new variable in {0, ..., most}."""
        return self.cp.new_int_var(0, most, name)

    def total(self, terms: Iterable[Term]) -> Any:
        """Return the sum of ``terms``."""
        return sum(terms)

    def add(self, row: Any) -> None:
        """Post an inequality or an equality."""
        self.cp.add(row)

    def exactly_one(self, booleans: Iterable[cp_model.IntVar]) -> None:
        """Post the one constraint of that name."""
        self.cp.add_exactly_one(booleans)

    def implies(self, a: cp_model.IntVar, b: cp_model.IntVar) -> None:
        """Post an implication."""
        self.cp.add_implication(a, b)

    def one_of(
        self, booleans: Sequence[cp_model.IntVar], *, unless: Sequence[cp_model.IntVar]
    ) -> None:
        """Post a clause."""
        self.cp.add_bool_or(*(~x for x in unless), *booleans)

    def forbid(self, x: cp_model.IntVar) -> None:
        """Post a row; the domain stays, so that a hint may be checked against it."""
        self.cp.add(x == 0)

    def minimize(self, value: Any) -> None:
        """Set the objective."""
        self.cp.minimize(value)


class MilpEngine(Engine[pulp.LpVariable]):
    """Posts to a PuLP problem."""

    def __init__(self, milp: pulp.LpProblem) -> None:
        self.milp = milp

    def boolean(self, name: str) -> pulp.LpVariable:
        """Return a new variable in {0, 1}."""
        return self.whole(name, 1)

    def whole(self, name: str, most: int) -> pulp.LpVariable:
        """Return a new variable in {0, ..., most}."""
        return self.milp.add_variable(name, 0, most, pulp.LpInteger)

    def total(self, terms: Iterable[Term]) -> Any:
        """Return the sum of ``terms``."""
        return pulp.lpSum(terms)

    def add(self, row: Any) -> None:
        """Post an inequality or an equality."""
        self.milp += row

    def exactly_one(self, booleans: Iterable[pulp.LpVariable]) -> None:
        """Post an equality."""
        self.milp += pulp.lpSum(booleans) == 1

    def implies(self, a: pulp.LpVariable, b: pulp.LpVariable) -> None:
        """Post a <= b."""
        self.milp += a <= b

    def one_of(
        self, booleans: Sequence[pulp.LpVariable], *, unless: Sequence[pulp.LpVariable]
    ) -> None:
        """Post sum of ``unless`` - sum of ``booleans`` <= their number - 1."""
        self.milp += pulp.lpSum(unless) - pulp.lpSum(booleans) <= len(unless) - 1

    def forbid(self, x: pulp.LpVariable) -> None:
        """Set the upper bound."""
        x.upBound = 0

    def minimize(self, value: Any) -> None:
        """Set the objective."""
        self.milp.setObjective(value)
