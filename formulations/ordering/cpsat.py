"""Static orders of least period for a binding, by CP-SAT: bisection that ends in a proof.

The model is cpsat_model.py, with ``prologue`` cpsat_model_prologue.py; the search that proves a
Fraction optimal is period_search.py.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from formulations.ordering.below import Below
from formulations.ordering.cpsat_model import OrderModel
from formulations.ordering.cpsat_model_prologue import PrologueModel
from formulations.ordering.period_search import Probe, search_period
from formulations.ordering.sets import OrderSets, best_start
from formulations.ordering.size import OutOfTimeError, why_not_built
from formulations.solvers.run_cpsat import WORKERS, run_cpsat
from formulations.solvers.second_proof import graded
from formulations.solvers.stopwatch import Report, Stopwatch
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.grade import Grade
from optmap.model.mapping import Binding, StaticOrders
from optmap.model.outcome import SOLVED, Limits, Outcome, Status
from optmap.model.platform import Platform


def solve(
    graph: ClusterGraph,
    platform: Platform,
    binding: Binding,
    limits: Limits,
    *,
    prologue: bool = False,
    warm: StaticOrders | None = None,
    free_sends: bool = True,
    workers: int = WORKERS,
    report: Report | None = None,
) -> Outcome[StaticOrders]:
    """Return static orders of least period for a binding.

    Parameters
    ----------
    prologue : bool
        Search schedules with a prologue (S2+); offsets are then part of the answer.
    warm : StaticOrders, optional
        Kept where the solver finds nothing better; ignored if it deadlocks, or has a prologue or
        explicit sends where none is asked for.
    free_sends : bool
        Choose the send orders too; else they follow the evaluator's default. A prologue needs
        free sends: rotating an order changes nothing but the default send order.
    report : callable, optional
        Told of every better solution at once.

    Raises
    ------
    ValueError
        ``prologue`` without ``free_sends``.
    """
    watch = Stopwatch(limits, report=report)
    sets = OrderSets(graph, platform, binding)
    best = best_start(sets, prologue, free_sends, warm)
    proved = sets.floor == best[1]  # then there is nothing to search
    note = "" if proved else why_not_built(sets.resources, len(sets.tasks), watch.left)
    if proved or note:
        watch.note(best[1], sets.floor)
        status = Status.OPTIMAL if proved else Status.FEASIBLE
        known = Outcome(status, *best, sets.floor, watch.trace, note=note)
        return replace(known, grade=Grade.CERTIFIED)

    def expired() -> bool:
        return watch.left <= 0

    def test(target: Fraction, seconds: float) -> Probe[StaticOrders]:
        model: OrderModel | PrologueModel
        try:
            if prologue:
                model = PrologueModel(sets, target, expired=expired)
            else:
                model = OrderModel(sets, target, free_sends, expired=expired)
        except OutOfTimeError:
            return Probe(Status.UNKNOWN)
        if model.impossible:
            return Probe(Status.INFEASIBLE)
        run = run_cpsat(model.build().cp, watch, workers=workers, wall_s=seconds)
        if run.status not in SOLVED:
            return Probe(run.status)
        orders = model.extract(run.solver)
        return Probe(run.status, orders, sets.period_of(orders))

    outcome = search_period(
        watch, test, sets.floor, sets.most_tokens_from, best, Fraction(sets.most_ticks)
    )
    again = Below(sets, prologue, free_sends, watch, other_search=True)
    return graded(outcome, sets.floor, again)
