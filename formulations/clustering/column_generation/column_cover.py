"""Can K crossbars do? Decided over the crossbars that K of them could be (column_listing.py).

This is what branch and price would do where the fractional master leaves little: instead of
branching on pairs of units, all crossbars whose reduced cost the gap admits are listed, and CP-SAT
decides whether K of them cover every unit. "No" proves K + 1, "yes" is a clustering of K.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from formulations.clustering.column_generation.column_listing import MOST_LABELS, columns_worth
from formulations.clustering.column_generation.pricing import Pricer
from formulations.solvers.run_cpsat import run_cpsat
from formulations.solvers.stopwatch import Stopwatch
from optmap.clustering.kernels.classes import Classes
from optmap.model.outcome import Status
from optmap.model.snn import IntArray

#: Labels listed in a second, cautiously (filter-32: 2.4 x 10^6): seconds as a repeatable limit.
LABELS_PER_SECOND = 1_600_000


@dataclass(frozen=True)
class Answer:
    """``possible``: True with the crossbars, False where proved, None where not decided."""

    possible: bool | None
    columns: tuple[dict[int, int], ...] = ()


def can_do(
    pricers: list[Pricer],
    prices: IntArray,
    closed: list[IntArray],
    most: int,
    watch: Stopwatch,
    seconds: float,
    workers: int,
) -> Answer:
    """Decide whether ``most`` crossbars, of any of the pricers' kinds, can hold all units.

    Parameters
    ----------
    prices : (Q,) int64 array
        Price of one member of each class, >= 0; any are valid.
    closed : list of (R + 1,) int64 arrays
        Proved bounds on what so many rows of each kind are worth.
    """
    classes = pricers[0].classes
    worth = max(int(c[-1]) for c in closed)
    least = worth - (most * worth - int((classes.size * prices).sum()))
    if least > worth:
        return Answer(False)  # even the best crossbars are too few
    labels = int(min(MOST_LABELS, max(seconds, 0.1) * LABELS_PER_SECOND))
    columns: list[dict[int, int]] = []
    for pricer, bounds in zip(pricers, closed, strict=True):
        listed = columns_worth(pricer, prices, least, bounds, most_labels=labels)
        if listed is None:
            return Answer(None)
        columns += listed
    return cover(classes, columns, most, watch, seconds, workers)


def cover(
    classes: Classes,
    columns: list[dict[int, int]],
    most: int,
    watch: Stopwatch,
    seconds: float,
    workers: int,
) -> Answer:
    """Decide whether at most ``most`` of these crossbars, repeated or not, cover every class."""
    held = np.zeros(classes.num_classes, dtype=np.int64)
    for column in columns:
        for q, count in column.items():
            held[q] += count
    if most < 1 or not held.all():
        return Answer(False)
    model = cp_model.CpModel()
    level = [model.new_int_var(0, most, f"l{j}") for j in range(len(columns))]
    by_class: list[list[tuple[int, int]]] = [[] for _ in range(classes.num_classes)]
    for j, column in enumerate(columns):
        for q, count in column.items():
            by_class[q].append((j, count))
    for q, terms in enumerate(by_class):
        model.add(sum(n * level[j] for j, n in terms) >= int(classes.size[q]))
    model.add(sum(level) <= most)
    run = run_cpsat(
        model, Stopwatch(watch.limits, watch.started), workers=workers, wall_s=max(seconds, 0.1)
    )
    if run.status is Status.INFEASIBLE:
        return Answer(False)
    if run.status not in (Status.OPTIMAL, Status.FEASIBLE):
        return Answer(None)
    chosen = [dict(columns[j]) for j, v in enumerate(level) for _ in range(run.solver.value(v))]
    return Answer(True, tuple(chosen))


def without_surplus(classes: Classes, picked: list[dict[int, int]]) -> list[dict[int, int]]:
    """Return a cover with each class held exactly n_q times: what is left over goes, last first."""
    held = np.zeros(classes.num_classes, dtype=np.int64)
    exact: list[dict[int, int]] = []
    for column in picked:
        kept = {}
        for q, count in column.items():
            room = min(count, int(classes.size[q] - held[q]))
            if room > 0:
                kept[q] = room
                held[q] += room
        if kept:
            exact.append(kept)
    return exact
