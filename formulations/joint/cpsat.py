"""Binding and static orders together by CP-SAT: bisection on the period, then fewest spike-hops.

The model is cpsat_model.py, with ``prologue`` cpsat_model_prologue.py; the search that ends in a
proof is ordering/period_search.py. Among mappings of the period found, one of few spike-hops is
then looked for with part of what is left of the limit ("energy-aware tie-breaking"); that stage
claims nothing.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from formulations.joint.search import JointSearch
from formulations.joint.sets import JointSets, Solution, not_built, usable_start
from formulations.solvers.run_cpsat import WORKERS
from formulations.solvers.second_proof import graded
from formulations.solvers.stopwatch import Report, Stopwatch
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.outcome import SOLVED, Limits, Outcome
from optmap.model.platform import Platform

#: Part of what is left of the limit that may go into fewer spike-hops.
HOPS_SHARE = 0.2


def solve(
    graph: ClusterGraph,
    platform: Platform,
    limits: Limits,
    *,
    prologue: bool = False,
    warm: Solution | None = None,
    workers: int = WORKERS,
    minimize_spike_hops: bool = True,
    report: Report | None = None,
) -> Outcome[Solution]:
    """Return a binding with static orders of least period.

    Parameters
    ----------
    prologue : bool
        Search schedules with a prologue (S2+); offsets are then part of the answer.
    warm : (Binding, StaticOrders), optional
        Kept where the solver finds nothing better; ignored if it does not fit or deadlocks, or
        has a prologue where none is asked for.
    minimize_spike_hops : bool
        Look for fewer spike-hops at the period found, with a fifth of what the limit leaves.
    report : callable, optional
        Told of every better solution at once.

    Raises
    ------
    CapacityError
        If a buffer cannot hold a channel's initial tokens and one window.
    """
    watch = Stopwatch(limits, report=report)
    sets = JointSets(graph, platform)
    best = usable_start(sets, prologue, warm)
    note = sets.why_not_built(watch.left)
    if note:
        return not_built(watch, sets, best, note)
    search = JointSearch(sets, watch, prologue, workers)
    outcome = search.least_period(best)
    outcome = graded(outcome, sets.floor, search.below)
    if (
        not minimize_spike_hops
        or outcome.solution is None
        or not isinstance(outcome.claimed, Fraction)
    ):
        return outcome
    solution = fewer_hops(search, outcome.solution, outcome.claimed, HOPS_SHARE * watch.left)
    return replace(outcome, solution=solution)


def fewer_hops(
    search: JointSearch, solution: Solution, period: Fraction, seconds: float
) -> Solution:
    """Return a mapping of exactly that period with as few spike-hops as the seconds allow."""
    hops = search.sets.spike_hops_of(solution[0])
    if hops == 0 or seconds < 0.05 or period == 0:
        return solution
    counting = replace(search, sets=replace(search.sets, hops_count=True))
    found = counting.fewest_hops(period, hops - 1, seconds, solution[0])
    if found.status not in SOLVED or found.solution is None:
        return solution
    return found.solution if search.sets.value_of(found.solution) == period else solution
