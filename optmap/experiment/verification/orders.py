"""What a method can leave: neurons cut for its platform, a prologue, sends that it chose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from optmap.exact import EXACT_ORDERINGS, EXACT_SCHEDULES
from optmap.judge.case import Case
from optmap.methods import Method
from optmap.model.clustered_snn import ClusteredSNN
from optmap.ordering.contract import ORDER_IMPROVERS, ORDERERS
from optmap.stages.course import ENDED_EARLY, WARM_ORDER

#: Searches over all decisions that lay clusters out by a sequence of their own.
OWN_SEQUENCE = ("copies",)


def may_run_ahead(method: Method) -> bool:
    """Tell whether a method makes orders with a prologue."""
    by_schedule = method.binding in EXACT_SCHEDULES and EXACT_SCHEDULES[method.binding].prologue
    by_order = method.order in EXACT_ORDERINGS and EXACT_ORDERINGS[method.order].prologue
    return bool(method.whole) or method.order in ORDER_IMPROVERS or by_schedule or by_order


def order_problems(row: dict[str, Any], method: Method, case: Case) -> Iterator[str]:
    """Yield where a method never leaves such orders, whatever its clock.

    A solver of orders, or a search for those that run ahead, writes the sends that it chose. Orders
    without them are those that it started from, which a heuristic gives again.
    """
    made = case.mapping
    if made.orders.has_prologue and not may_run_ahead(method):
        yield f"its orders have a prologue, which {method.name} never makes"
    by_solver = method.order in EXACT_ORDERINGS or method.binding in EXACT_SCHEDULES
    searched = bool(method.whole) and method.whole not in OWN_SEQUENCE
    chosen = by_solver or searched or method.order in ORDER_IMPROVERS
    if not chosen or made.orders.sends is not None or ENDED_EARLY in row["reason"]:
        return
    started_from = ORDERERS[WARM_ORDER]()(case.graph, made.binding, case.platform, seed=row["seed"])
    if made.orders != started_from:
        yield f"its orders lack the sends that {method.name} chooses, and are not its first ones"


def cut_problems(method: Method, case: Case) -> Iterator[str]:
    """Yield where neurons are cut for crossbars of other rows than the platform has.

    Where no neuron is cut, nothing but the mapping itself says for how many.
    """
    rows, given = case.mapping.decomposition.rows, case.platform.max_rows
    if isinstance(case.snn, ClusteredSNN):
        given = max(given, case.snn.max_fan_in)
    if method.clustering != "imported" and rows != given:
        yield f"its neurons are cut for {rows} rows; {method.name} cuts them for {given}"
