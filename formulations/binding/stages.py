"""(B0a), (B0b) and (B0c) whichever back-end solves them: start, size, named bound, outcome.

The families are the back-end's (cpsat.py, milp.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from formulations.binding.below import Below
from formulations.binding.bounds import hop_bounds
from formulations.binding.sets import (
    MAX_TERMS,
    BindingSets,
    keep_better,
    load_weight,
    sets_of,
    usable_start,
    value_of,
)
from formulations.solvers.second_proof import graded
from formulations.solvers.stopwatch import Stopwatch
from formulations.solvers.time_to_build import too_long
from optmap.bounds.bound import best
from optmap.bounds.period import period_bound
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding, compact
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Platform


class HopModel(Protocol):
    """What the stages ask of a model."""

    def build(self) -> object:
        """Post every family that all objectives need."""

    def break_tile_symmetry(self, objective: str) -> None:
        """(B6)."""

    def measure_hops(self) -> None:
        """(B5)."""

    def respect_named_bound(self, least: int) -> None:
        """(B7)."""

    def minimize_load(self) -> None:
        """(B0b)."""

    def minimize_spike_hops(self) -> None:
        """(B0a)."""

    def minimize_weighted_sum(self, weight: int) -> None:
        """(B0c)."""


M = TypeVar("M", bound=HopModel)


@dataclass(frozen=True)
class Found:
    """What a run says: how it ended, a binding with its value or None, a bound or None."""

    status: Status
    binding: Binding | None
    value: int | None
    bound: int | None


#: Terms of a model that are built in a second of one core; without distances.
TERMS_A_SECOND, LOAD_TERMS_A_SECOND = 30_000, 120_000


@dataclass(frozen=True)
class Backend(Generic[M]):
    """How to build a model under a load cap, and how to run it from a start.

    ``is_cpsat``: what it proves is then proved again by another search, else by CP-SAT.
    """

    model: Callable[[BindingSets, int | None], M]
    run: Callable[[M, Stopwatch, Binding | None], Found]
    is_cpsat: bool


def least_cost(
    backend: Backend[M],
    graph: ClusterGraph,
    platform: Platform,
    limits: Limits,
    objective: str,
    max_load: int | None = None,
    warm: Binding | None = None,
) -> Outcome[Binding]:
    """Return a binding of least load ("load"), spike-hops ("hops") or a sum ("hops+5load").

    Parameters
    ----------
    max_load : int, optional
        Ticks that no tile may exceed; the value and the bound then hold under this cap.
    warm : Binding, optional
        Kept where the solver finds nothing better; ignored if it breaks a constraint.
    """
    watch = Stopwatch(limits)
    sets = sets_of(graph, platform)
    start, value = usable_start(sets, objective, max_load, warm)
    if sets.num_terms > MAX_TERMS:
        note = f"no model of the binding: {sets.num_terms:,} terms, at most {MAX_TERMS:,} are tried"
        known = keep_better(watch, Status.UNKNOWN, None, None, None, start, value)
        return replace(known, note=note)
    floor, hops = floor_of(sets, limits, objective)
    if value is not None and value == floor:
        return graded(keep_better(watch, Status.FEASIBLE, None, None, floor, start, value), floor)
    note = why_not_built(sets.num_terms, objective, watch.left)
    if note and value is not None:
        known = keep_better(watch, Status.UNKNOWN, None, None, floor, start, value)
        return replace(graded(known, floor), note=note)
    model = _model(backend, sets, objective, max_load, hops)
    if start is not None and objective == "load" and sets.tiles_alike:
        start = Binding(compact(start.tile_of).cluster_of)  # numbered as (B6) wants it
    run = backend.run(model, watch, start)
    found = run.value
    if run.binding is not None and found is not None:
        # a solver that stops early may leave distances longer than its binding makes them
        found = min(found, value_of(graph, platform, run.binding, objective))
    outcome = keep_better(watch, run.status, run.binding, found, run.bound, start, value)
    below = Below(sets, objective, max_load, watch, backend.is_cpsat)
    return graded(outcome, floor, below)


def why_not_built(num_terms: int, objective: str, left: float) -> str:
    """Return why a model of so many terms is not built in ``left`` seconds; empty if it may be.

    Examples
    --------
    >>> why_not_built(1000, "hops", 0.1)
    ''
    >>> why_not_built(50_000, "hops", 0.1)
    'no model of the binding: 50,000 terms take some 1.7 s to build, 0.1 s are left'
    """
    seconds = num_terms / (LOAD_TERMS_A_SECOND if objective == "load" else TERMS_A_SECOND)
    return too_long("no model of the binding", f"{num_terms:,} terms", seconds, left)


def floor_of(sets: BindingSets, limits: Limits, objective: str) -> tuple[int, int]:
    """Return what needs no solver: a bound on an objective, and its part on spike-hops."""
    weight, hops = load_weight(objective), 0
    floor = period_bound(sets.graph, sets.platform).whole  # all of its arguments are tile loads
    if weight is None:
        return floor, hops
    named = best(hop_bounds(sets, Stopwatch(Limits(max(limits.wall_s / 5, 1e-3)))))
    hops = 0 if named is None else named.whole
    return hops + weight * floor, hops


def _model(
    backend: Backend[M], sets: BindingSets, objective: str, max_load: int | None, hops: int
) -> M:
    """Return the model of an objective; the spike-hops are known to be ``hops`` at least."""
    model = backend.model(sets, max_load)
    model.build()
    model.break_tile_symmetry(objective)
    weight = load_weight(objective)
    if weight is None:
        model.minimize_load()
        return model
    model.measure_hops()
    model.respect_named_bound(hops)
    if weight:
        model.minimize_weighted_sum(weight)
    else:
        model.minimize_spike_hops()
    return model
