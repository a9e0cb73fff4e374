"""What an ordering heuristic is, and the lists of them; each is imported when it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding, StaticOrders
from optmap.model.platform import Platform


class Orderer(Protocol):
    """Give every tile an order in which it fires its clusters."""

    def __call__(
        self, graph: ClusterGraph, binding: Binding, platform: Platform, *, seed: int = 0
    ) -> StaticOrders:
        """Return the orders; the graph under them must not deadlock."""


class OrderImprover(Protocol):
    """Improve known orders for as long as there is time."""

    def __call__(
        self,
        graph: ClusterGraph,
        binding: Binding,
        platform: Platform,
        *,
        seed: int = 0,
        start: StaticOrders | None = None,
        expired: Callable[[], bool] = lambda: False,
    ) -> StaticOrders:
        """Return orders no worse than ``start``; ``expired`` tells when to come to an end."""


def _projection() -> Orderer:
    from optmap.ordering.projection import order

    return order


def _topological() -> Orderer:
    from optmap.ordering.topological import order

    return order


def _random() -> Orderer:
    from optmap.ordering.random import order

    return order


def _list_scheduling() -> Orderer:
    from optmap.ordering.list_scheduling import order

    return order


def _prologue() -> OrderImprover:
    from optmap.ordering.prologue import order

    return order


#: Order -> loader.
ORDERERS: dict[str, Callable[[], Orderer]] = {
    "projection": _projection,
    "topological": _topological,
    "random": _random,
    "list": _list_scheduling,
}
#: Order that starts from the projection -> loader.
ORDER_IMPROVERS: dict[str, Callable[[], OrderImprover]] = {"prologue": _prologue}
