"""The methods of the tables, as data: which decomposition, clustering, binding and order each uses.

Modules are named, not imported, so that a heuristic row does not pay for loading a solver.
:mod:`optmap.flow` runs a method.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Method:
    """One row of the tables.

    Parameters
    ----------
    name : str
        As users type it.
    decomposition : str
        ``chain``, ``tree`` or ``none``.
    clustering, binding, order : str
        Keys of the stage tables below.
    about : str
        One line for ``--help`` and the docs.
    by_default : bool
        Whether ``compare`` runs it without being asked.
    """

    name: str
    decomposition: str
    clustering: str
    binding: str
    order: str
    about: str
    by_default: bool = True

    @property
    def uses_solver(self) -> bool:
        """Tell whether some stage runs a solver."""
        return (
            self.clustering in EXACT_PARTITIONS
            or self.binding in EXACT_BINDINGS
            or self.binding in JOINT
            or self.order in EXACT_ORDERS
        )


#: Clustering -> module with ``partition(decomposition, platform, seed=)``.
PARTITIONS = {
    "greedy": "optmap.heuristics.partition_song2020",
    "populations": "optmap.heuristics.partition_pacman",
    "random": "optmap.heuristics.partition_random",
    "kernighan-lin": "optmap.heuristics.partition_spinemap",
    "overlap": "optmap.heuristics.partition_overlap",
    "edgemap": "optmap.heuristics.partition_edgemap",
    "hyperedge-overlap": "optmap.heuristics.partition_hyperedge_overlap",
}
#: Clustering that decomposes by itself -> module with ``partition(snn, platform, seed=)``.
DECOMPOSING_PARTITIONS = {"published": "optmap.heuristics.partition_song2020_published"}
#: Clustering -> module with ``minimize_clusters`` (P0a) and ``minimize_traffic`` (P0b).
EXACT_PARTITIONS = {
    "milp": "formulations.partition_milp",
    "cpsat": "formulations.partition_cpsat",
}
#: Binding -> module with ``bind(graph, platform, seed=)``.
BINDINGS = {
    "load-balance": "optmap.heuristics.bind_load_balance",
    "first-come": "optmap.heuristics.bind_first_come",
    "random": "optmap.heuristics.bind_random",
}
#: Binding -> module with ``solve(graph, platform, limits, objective=...)``, (B0b) then (B0a).
EXACT_BINDINGS = {
    "milp": "formulations.binding_milp",
    "cpsat": "formulations.binding_cpsat",
}
#: Binding and order together -> module with ``solve(graph, platform, limits, prologue=, warm=)``.
JOINT = {
    "joint": "formulations.joint_cpsat",
    "joint-prologue": "formulations.joint_cpsat",
}
#: Order -> module with ``order(graph, binding, platform, seed=)``.
ORDERS = {
    "projection": "optmap.heuristics.order_projection",
    "topological": "optmap.heuristics.order_topological",
    "random": "optmap.heuristics.order_random",
}
#: Order -> module with ``solve(graph, platform, binding, limits, prologue=, warm=)``.
EXACT_ORDERS = {
    "milp": "formulations.order_milp",
    "cpsat": "formulations.order_cpsat",
    "cpsat-prologue": "formulations.order_cpsat",
}

_ROWS = (
    Method("random", "tree", "random", "random", "random", "random first fit: the floor"),
    Method("pacman", "tree", "populations", "first-come", "topological", "PACMAN, SpiNNaker's"),
    Method(
        "song2020", "chain", "greedy", "load-balance", "projection", "the published greedy flow"
    ),
    Method(
        "song2020-published",
        "chain",
        "published",
        "load-balance",
        "projection",
        "the public code's clustering, inputs split",
    ),
    Method("song2020-tree", "tree", "greedy", "load-balance", "projection", "song2020 on the tree"),
    Method("overlap", "tree", "overlap", "load-balance", "projection", "best fit by shared axons"),
    Method(
        "edgemap",
        "tree",
        "edgemap",
        "load-balance",
        "projection",
        "streaming by connections",
        False,
    ),
    Method(
        "hyperedge-overlap",
        "tree",
        "hyperedge-overlap",
        "load-balance",
        "projection",
        "streaming by shared axons",
        False,
    ),
    Method("milp", "tree", "milp", "milp", "milp", "every stage by PuLP and HiGHS"),
    Method("cpsat", "tree", "cpsat", "cpsat", "cpsat", "every stage by CP-SAT"),
    Method(
        "cpsat-prologue",
        "tree",
        "cpsat",
        "cpsat",
        "cpsat-prologue",
        "cpsat with software pipelining",
        False,
    ),
    Method("cpsat-joint", "tree", "overlap", "joint", "joint", "binding and order together"),
    Method(
        "cpsat-joint-prologue",
        "tree",
        "overlap",
        "joint-prologue",
        "joint-prologue",
        "cpsat-joint with software pipelining",
        False,
    ),
    Method(
        "imported",
        "none",
        "imported",
        "imported",
        "projection",
        "the placement that a RANC folder comes with",
        False,
    ),
    Method(
        "song2020/order",
        "chain",
        "greedy",
        "load-balance",
        "cpsat",
        "song2020's binding, best order",
    ),
    Method(
        "song2020/joint",
        "chain",
        "greedy",
        "joint",
        "joint",
        "song2020's clusters, best binding and order",
    ),
)

METHODS: dict[str, Method] = {method.name: method for method in _ROWS}


def method_named(name: str) -> Method:
    """Return the method of that name; ValueError with the known names otherwise."""
    if name not in METHODS:
        raise ValueError(f"method {name!r}: expected one of {', '.join(METHODS)}")
    return METHODS[name]
