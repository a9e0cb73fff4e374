"""What a binding heuristic is, and the one list of them; each is imported when it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.platform import Platform


class Binder(Protocol):
    """Give every cluster a tile."""

    def __call__(self, graph: ClusterGraph, platform: Platform, *, seed: int = 0) -> Binding:
        """Return the tiles; CapacityError with the numbers if none were found."""


def _load_balance() -> Binder:
    from optmap.binding.load_balance import bind

    return bind


def _first_come() -> Binder:
    from optmap.binding.first_come import bind

    return bind


def _random() -> Binder:
    from optmap.binding.random import bind

    return bind


def _round_robin() -> Binder:
    from optmap.binding.round_robin import bind

    return bind


def _particle_swarm() -> Binder:
    from optmap.binding.particle_swarm import bind

    return bind


def _hill_climbing() -> Binder:
    from optmap.binding.hill_climbing import bind

    return bind


def _force_directed() -> Binder:
    from optmap.binding.force_directed import bind

    return bind


def _multicast() -> Binder:
    from optmap.binding.multicast import bind

    return bind


#: Binding -> loader.
BINDERS: dict[str, Callable[[], Binder]] = {
    "load-balance": _load_balance,
    "first-come": _first_come,
    "random": _random,
    "round-robin": _round_robin,
    "particle-swarm": _particle_swarm,
    "hill-climbing": _hill_climbing,
    "force-directed": _force_directed,
    "multicast": _multicast,
}
