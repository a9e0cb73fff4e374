"""Remember the last answer of a pure function of rows: a run's files ask for the same gaps each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TypeVar

from optmap.experiment.row import Row
from optmap.experiment.tables.best_known import NOTHING, BestKnown

T = TypeVar("T")


def remembered(
    function: Callable[[Sequence[Row], BestKnown], list[T]],
) -> Callable[..., list[T]]:
    """Return the function with a memory of one call: the same rows, the same list of best values.

    Rows are frozen, so that the same objects in the same order have the same answer. Every caller
    gets a list of its own.
    """
    last: list[tuple[list[Row], BestKnown, list[T]]] = []

    @wraps(function)
    def asked(rows: Sequence[Row], known: BestKnown = NOTHING) -> list[T]:
        if last:
            before, known_before, answer = last[0]
            same = len(before) == len(rows) and known_before is known
            if same and all(a is b for a, b in zip(before, rows, strict=True)):
                return list(answer)
        answer = function(rows, known)
        last[:] = [(list(rows), known, answer)]
        return list(answer)

    return asked
