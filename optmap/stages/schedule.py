"""Binding and static orders: by heuristics, by solvers one after the other, or together."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from optmap.clock import over
from optmap.errors import CapacityError
from optmap.exact import (
    EXACT_BINDERS,
    EXACT_MULTICASTS,
    EXACT_ORDERINGS,
    EXACT_SCHEDULES,
    ExactBinder,
    ExactMulticast,
    ExactOrdering,
    ExactSchedule,
    Schedule,
)
from optmap.judge.metrics import max_tile_load, refuse_other_routes, spike_hops
from optmap.judge.multicast import deliveries, multicast
from optmap.methods import Method
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding, Mapping, StaticOrders
from optmap.model.outcome import Outcome, Status
from optmap.model.scope import Scope
from optmap.ordering.contract import ORDER_IMPROVERS
from optmap.stages.course import WARM_BINDING, WARM_ORDER, Course, ProvedInfeasibleError, sparingly
from optmap.stages.divide import Units

T = TypeVar("T")

#: Heuristics that solvers of a schedule, and of spike-hops, start from.
WARM_SCHEDULES, WARM_HOPS = ("load-balance", "hill-climbing"), "force-directed"
WARM_MULTICAST = "multicast"


def schedule(
    course: Course, method: Method, units: Units, graph: ClusterGraph, placement: Mapping | None
) -> Schedule:
    """Return the binding and the orders of a method, whichever lists its stages stand in."""
    if placement is not None:
        binding = placement.binding
    elif method.binding in EXACT_SCHEDULES:
        course.fall_back_on(*units)
        stage = EXACT_SCHEDULES[method.binding]
        return course.timed("binding and order", _solve_both, course, stage, units, graph)
    elif method.binding in EXACT_BINDERS:
        course.fall_back_on(*units)
        binder = EXACT_BINDERS[method.binding]()
        binding = course.timed("binding", _solve_binding, course, binder, graph)
    elif method.binding in EXACT_MULTICASTS:
        course.fall_back_on(*units)
        nearest = EXACT_MULTICASTS[method.binding]()
        binding = course.timed("binding", _solve_multicast, course, nearest, graph)
    else:
        if method.uses_solver and method.binding != WARM_BINDING:
            course.fall_back_on(*units)
        binding = course.heuristically("binding", course.bound_by, method.binding, graph)
    orders = course.heuristically("order", _order, course, method, units, graph, binding)
    return binding, orders


def _order(
    course: Course, method: Method, units: Units, graph: ClusterGraph, binding: Binding
) -> StaticOrders:
    name = method.order
    if name not in EXACT_ORDERINGS and name not in ORDER_IMPROVERS:
        return course.ordered_by(name, graph, binding)
    warm = course.ordered_by(WARM_ORDER, graph, binding)
    course.report_mapping(Mapping(*units, binding, warm))
    if name in EXACT_ORDERINGS:
        return _solve_order(course, EXACT_ORDERINGS[name], units, (graph, binding), warm)
    return ORDER_IMPROVERS[name]()(
        graph,
        binding,
        course.platform,
        seed=course.limits.seed,
        start=warm,
        expired=over,
    )


def _solve_order(
    course: Course,
    stage: ExactOrdering,
    units: Units,
    bound: tuple[ClusterGraph, Binding],
    warm: StaticOrders,
) -> StaticOrders:
    graph, binding = bound

    def report(_: Outcome[StaticOrders], orders: StaticOrders) -> None:
        course.report_mapping(Mapping(*units, binding, orders))

    limits, on_better = course.share("period"), sparingly(report)
    outcome = stage.load()(graph, course.platform, binding, limits, start=warm, on_better=on_better)
    found = outcome.solution
    scope = Scope(binding=graph.identity_of(binding), prologue=stage.prologue)
    period = course.period(graph, binding, found) if found else None
    course.claim("period", outcome, scope, period)
    return found or warm


def _solve_both(
    course: Course, stage: ExactSchedule, units: Units, graph: ClusterGraph
) -> Schedule:
    warm = _warm_schedule(course, units, graph)

    def report(_: Outcome[Schedule], found: Schedule) -> None:
        course.report_mapping(Mapping(*units, *found))

    limits, on_better = course.share("period"), sparingly(report)
    outcome = stage.load()(graph, course.platform, limits, start=warm, on_better=on_better)
    found = outcome.solution
    scope = replace(graph.scope, prologue=stage.prologue)
    course.claim("period", outcome, scope, course.period(graph, *found) if found else None)
    return _found(course, found or warm, graph, outcome.status)


def _warm_schedule(course: Course, units: Units, graph: ClusterGraph) -> Schedule | None:
    """Return the heuristic schedule of the shortest period; None if no heuristic found any."""
    found = [
        (binding, course.ordered_by(WARM_ORDER, graph, binding))
        for binding in course.bound_by_any(WARM_SCHEDULES, graph)
    ]
    shortest = min(found, key=lambda pair: course.period(graph, *pair) or 0, default=None)
    if shortest is not None:
        course.report_mapping(Mapping(*units, *shortest))
    return shortest


def _found(course: Course, solution: T | None, graph: ClusterGraph, status: Status) -> T:
    if solution is not None:
        return solution
    text = f"no binding of {graph.num_clusters} clusters on {course.platform.name!r}"
    if status is Status.INFEASIBLE:
        raise ProvedInfeasibleError(f"{text}: proved infeasible for this clustering")
    raise CapacityError(f"{text} was found")


def _solve_binding(course: Course, solve: ExactBinder, graph: ClusterGraph) -> Binding:
    """Find the least tile load, then the fewest spike-hops under it."""
    platform = course.platform
    warm = next(course.bound_by_any((WARM_BINDING,), graph), None)
    if not platform.interconnect.has_table:
        note = f"no binding model: {platform.num_tiles:,} tiles, too many for a table of hops"
        only = _found(course, warm, graph, Status.UNKNOWN)
        ticks = max_tile_load(graph, only, platform)
        outcome = Outcome(Status.FEASIBLE, only, ticks, note=note)
        course.claim("tile_load_max", outcome, graph.scope, ticks)
        return only
    share = course.share("tile_load_max")
    lightest = solve(graph, platform, share, objective="load", start=warm)
    found = lightest.solution
    load = max_tile_load(graph, found, platform) if found else None
    course.claim("tile_load_max", lightest, graph.scope, load)
    warm = _found(course, found or warm, graph, lightest.status)
    cap = max_tile_load(graph, warm, platform)
    for near in () if course.expired() else course.bound_by_any((WARM_HOPS,), graph):
        if max_tile_load(graph, near, platform) <= cap:
            warm = min(warm, near, key=lambda b: spike_hops(graph, platform, b))
    alone = platform.one_program_each  # then every binding has this load
    nearest = solve(
        graph, platform, course.share("spike_hops"), objective="hops", max_load=cap, start=warm
    )
    found = nearest.solution
    hops = spike_hops(graph, platform, found) if found else None
    scope = graph.scope if alone else replace(graph.scope, max_load=cap)
    course.claim("spike_hops", nearest, scope, hops)
    return found or warm


def _solve_multicast(course: Course, solve: ExactMulticast, graph: ClusterGraph) -> Binding:
    """Find the fewest multicast hops from the annealed binding on."""
    refuse_other_routes(course.platform)
    warm = course.bound_by(WARM_MULTICAST, graph)
    outcome = solve(graph, course.platform, course.share("multicast_hops"), start=warm)
    found = outcome.solution
    hops = None
    if found is not None and graph.made_of is not None:
        links = multicast(deliveries(*graph.made_of), course.platform, found)
        hops = None if links is None else links.hops
    course.claim("multicast_hops", outcome, graph.scope, hops)
    return found or warm
