"""Rows named after their constraint family: (P2)_0, (P2)_1, ... in models that go elsewhere.

A family is a method whose docstring begins with its label; the rows that it posts are named by it,
so that a row in another solver's log is found in formulations/README.md at once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from formulations.solvers.row_table import RowTable

LABEL = re.compile(r"\((?P<label>[A-Z]\d*\+?[a-z]*)\)")


def label_rows(model: Any) -> Counter[str]:
    """Make ``model`` name each row that it posts from now on; return what counts them by label.

    Parameters
    ----------
    model : a formulation's model object
        With a PuLP problem or a table ``milp``, or a CP-SAT model ``cp``; its methods post the
        families.
    """
    table = getattr(model, "milp", None)
    counted = table.counted if isinstance(table, RowTable) else Counter[str]()
    for name in dir(type(model)):
        family = getattr(type(model), name)
        found = LABEL.match((getattr(family, "__doc__", None) or "").strip())
        if callable(family) and found and not name.startswith("_"):
            post, label = getattr(model, name), found["label"]
            if isinstance(table, RowTable):
                setattr(model, name, _labelling(table, post, label))
                continue
            wrap = _naming_constraints if hasattr(model, "cp") else _naming_rows
            setattr(model, name, wrap(model, post, label, counted))
    return counted


def _naming_constraints(
    model: Any, family: Callable[..., Any], label: str, counted: Counter[str]
) -> Callable[..., Any]:
    """Return ``family``, naming what it adds to a CP-SAT model."""

    def post(*arguments: Any, **options: Any) -> Any:
        before = len(model.cp.proto.constraints)
        result = family(*arguments, **options)
        for row in range(before, len(model.cp.proto.constraints)):
            model.cp.proto.constraints[row].name = f"({label})_{counted[label]}"
            counted[label] += 1
        return result

    return post


def _naming_rows(
    model: Any, family: Callable[..., Any], label: str, counted: Counter[str]
) -> Callable[..., Any]:
    """Return ``family``, naming what it adds to a PuLP problem."""

    def post(*arguments: Any, **options: Any) -> Any:
        before = model.milp.numConstraints()
        result = family(*arguments, **options)
        for row in model.milp.constraints()[before:]:
            row.name = f"({label})_{counted[label]}"
            counted[label] += 1
        return result

    return post


def _labelling(table: RowTable, family: Callable[..., Any], label: str) -> Callable[..., Any]:
    """Return ``family``, telling a table, which counts them, whose rows it posts."""

    def post(*arguments: Any, **options: Any) -> Any:
        outer, table.label = table.label, label
        try:
            return family(*arguments, **options)
        finally:
            table.label = outer

    return post
