"""Run a method: its stages one after the other within one limit, every claim judged.

A stage's claim is its value, the bound it proved and the scope for which that bound holds. A method
that uses a solver reports a complete heuristic mapping before it builds any model, and every better
one at once, so that a run that is killed loses nothing.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from optmap.clock import counted
from optmap.errors import CapacityError
from optmap.exact import (
    EXACT_BINDERS,
    EXACT_CLUSTERINGS,
    EXACT_MULTICASTS,
    EXACT_ORDERINGS,
    EXACT_SCHEDULES,
    EXACT_WHOLE,
)
from optmap.judge.binding_aware_graph import refuse_short_buffers
from optmap.judge.evaluation import evaluate
from optmap.judge.metrics import refuse_other_routes
from optmap.methods import Method
from optmap.model.claim import Run
from optmap.model.constraints import NONE, Constraints
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits, Outcome, Status, Value
from optmap.model.platform import Platform
from optmap.model.snn import SNN
from optmap.stages.constrain import limited, refuse
from optmap.stages.course import Course, ProvedInfeasibleError, Report
from optmap.stages.divide import divide
from optmap.stages.schedule import schedule
from optmap.whole.contract import WHOLE


def run(
    method: Method,
    snn: SNN,
    platform: Platform,
    tokens: str,
    limits: Limits,
    report: Report,
    placement: Mapping | None = None,
    constraints: Constraints = NONE,
) -> Run:
    """Run all stages of a method.

    Parameters
    ----------
    limits : Limits
        For all stages together; a stage gets its share of what is left.
    report : callable
        Called with a complete :class:`Run` whenever there is a better mapping to fall back on.
    placement : Mapping, optional
        What the method "imported" takes clusters and tiles from.
    constraints : Constraints
        What the user demands of the mapping (:mod:`optmap.stages.constrain`).

    Raises
    ------
    FanInError
        Decomposition ``none`` and a neuron that needs it.
    CapacityError
        If the method does not respect the constraints.
    InputError
        If the constraints name no neurons or contradict each other.
    """
    if limits.work is not None:
        in_work = replace(limits, wall_s=float(limits.work), work=None)
        with counted():
            return run(method, snn, platform, tokens, in_work, report, placement, constraints)
    refuse(method, constraints, snn, platform)
    platform = limited(platform, constraints)
    stages = solver_stages(method)
    course = Course(platform, tokens, limits, report, stages, constraints)
    try:
        units = course.heuristically("clustering", divide, course, method, snn, placement)
        graph = course.graph_of(*units)
        refuse_short_buffers(graph, platform)  # no binding and no order would help
        mapping = Mapping(*units, *schedule(course, method, units, graph, placement))
        _refuse_unmeasured(method, platform)
    except CapacityError as error:
        proved = isinstance(error, ProvedInfeasibleError)
        status = Status.INFEASIBLE if proved else Status.UNKNOWN
        return _run(course, status, None, str(error))
    if method.whole:
        course.report_mapping(mapping)
        mapping = course.timed("whole", _decide_all, course, method, snn, mapping)
    optimal = bool(course.claims) and all(c.status is Status.OPTIMAL for c in course.claims)
    return _run(course, Status.OPTIMAL if optimal else Status.FEASIBLE, mapping)


def _run(course: Course, status: Status, mapping: Mapping | None, reason: str = "") -> Run:
    text = "; ".join(filter(None, (reason, *course.notes)))
    return Run(status, mapping, tuple(course.claims), tuple(course.seconds), text)


def _refuse_unmeasured(method: Method, platform: Platform) -> None:
    """Raise CapacityError where a method minimises hops that no mapping here has."""
    stage = WHOLE.get(method.whole)
    if stage is not None and "multicast_hops" in stage.metrics:
        refuse_other_routes(platform)


def _decide_all(course: Course, method: Method, snn: SNN, start: Mapping) -> Mapping:
    """Run a method that decides everything from a known mapping; its bounds hold end to end."""
    stage = WHOLE.get(method.whole) or EXACT_WHOLE[method.whole]
    scope = stage.scope(course.platform)

    def on_better(outcome: Outcome[Mapping]) -> None:
        if outcome.solution is not None:
            course.report_mapping(outcome.solution)

    metrics, found, decide = stage.metrics or ("period",), start, stage.load()
    for left, metric in zip(range(len(metrics), 0, -1), metrics, strict=True):
        outcome = decide(
            snn,
            course.platform,
            course.tokens,
            replace(course.limits, wall_s=max(course.left / left, 0.1)),
            objective=metric,
            start=found,
            on_better=on_better,
        )
        reached = None
        if outcome.solution is not None:
            found = outcome.solution
            reached = _exact(evaluate(course.platform, found, course.tokens).row()[metric])
        course.claim(metric, outcome, scope, reached)
    return found


def _exact(value: object) -> Value | None:
    return value if isinstance(value, (int, Fraction)) else None


def solver_stages(method: Method) -> list[str]:
    """Return the metrics that the method's solver stages minimise, in order."""
    stages = []
    if method.clustering in EXACT_CLUSTERINGS:
        stages += ["clusters", "traffic"]
    if method.binding in EXACT_BINDERS:
        stages += ["tile_load_max", "spike_hops"]
    if method.binding in EXACT_MULTICASTS:
        stages.append("multicast_hops")
    if method.binding in EXACT_SCHEDULES or method.order in EXACT_ORDERINGS:
        stages.append("period")
    return stages
