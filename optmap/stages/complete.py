"""A whole mapping of what one stage decided elsewhere: what follows it is a heuristic's."""

from __future__ import annotations

from dataclasses import replace

from optmap.methods import Method
from optmap.model.cluster_graph import cluster_graph
from optmap.model.mapping import Binding, Decided, Mapping, StaticOrders
from optmap.stages.course import Course
from optmap.stages.schedule import schedule


def complete(course: Course, method: Method, given: Mapping, decided: Decided) -> Mapping:
    """Return ``given`` with what was decided in place of its own; what follows is made again.

    Parameters
    ----------
    course : Course
        Platform, token mode, seed and the user's constraints.
    method : Method
        Whose heuristics bind and order a new clustering, or order a new binding.
    given : Mapping
        What stood before the decision: its units, then its clusters, then its binding.

    Raises
    ------
    ValueError
        If the decision is not one for these units or clusters, or no heuristic goes on from it.
    """
    if isinstance(decided, Mapping):
        return decided
    if isinstance(decided, StaticOrders):
        return replace(given, orders=decided)
    if isinstance(decided, tuple):
        binding, orders = decided
        return replace(given, binding=binding, orders=orders)
    placed = None
    if isinstance(decided, Binding):
        placed = given = replace(given, binding=decided)
        units = given.decomposition, given.clustering
    else:
        units = given.decomposition, decided
    graph = cluster_graph(*units, course.platform, course.tokens)
    return Mapping(*units, *schedule(course, method, units, graph, placed))
