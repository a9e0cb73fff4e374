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
        ``chain``, ``tree``, ``spikes`` or ``none``.
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
    "greedy": "optmap.clustering.song2020",
    "populations": "optmap.clustering.pacman",
    "random": "optmap.clustering.random",
    "kernighan-lin": "optmap.clustering.spinemap",
    "overlap": "optmap.clustering.overlap",
    "edgemap": "optmap.clustering.edgemap",
    "hyperedge-overlap": "optmap.clustering.hyperedge_overlap",
    "hypergraph": "optmap.clustering.hypergraph",
}
#: Clustering that decomposes by itself -> module with ``partition(snn, platform, seed=)``.
DECOMPOSING_PARTITIONS = {"published": "optmap.clustering.song2020_published"}
#: Clustering -> module with ``optimise_leaves(snn, decomposition, platform, clustering, limits)``.
IMPROVED_TREES = {"leaves": "formulations.clustering.leaves"}
#: Clustering -> (module for (P0a), module with ``minimize_traffic`` (P0b)).
EXACT_PARTITIONS = {
    "milp": ("formulations.clustering.milp", "formulations.clustering.milp"),
    "cpsat": ("formulations.clustering.cpsat", "formulations.clustering.cpsat"),
    "colgen": (
        "formulations.clustering.column_generation.solve",
        "formulations.clustering.large_neighbourhood_search",
    ),
    "lns": (
        "formulations.clustering.large_neighbourhood_search",
        "formulations.clustering.large_neighbourhood_search",
    ),
}
#: Binding -> module with ``bind(graph, platform, seed=)``.
BINDINGS = {
    "load-balance": "optmap.binding.load_balance",
    "first-come": "optmap.binding.first_come",
    "random": "optmap.binding.random",
    "round-robin": "optmap.binding.round_robin",
    "particle-swarm": "optmap.binding.particle_swarm",
    "hill-climbing": "optmap.binding.hill_climbing",
    "force-directed": "optmap.binding.force_directed",
}
#: Binding -> module with ``solve(graph, platform, limits, objective=...)``, (B0b) then (B0a).
EXACT_BINDINGS = {
    "milp": "formulations.binding.milp",
    "cpsat": "formulations.binding.cpsat",
    "search": "formulations.binding.search",
}
#: Binding and order together -> module with ``solve(graph, platform, limits, prologue=, warm=)``.
JOINT = {
    "joint": "formulations.joint.cpsat",
    "joint-prologue": "formulations.joint.cpsat",
    "benders": "formulations.joint.benders",
}
#: Order -> module with ``order(graph, binding, platform, seed=)``.
ORDERS = {
    "projection": "optmap.ordering.projection",
    "topological": "optmap.ordering.topological",
    "random": "optmap.ordering.random",
    "list": "optmap.ordering.list_scheduling",
}
#: Order that starts from the projection -> module with ``order(..., start=)``.
IMPROVING_ORDERS = {"prologue": "optmap.ordering.prologue"}
#: Order -> module with ``solve(graph, platform, binding, limits, prologue=, warm=)``.
EXACT_ORDERS = {
    "milp": "formulations.ordering.milp",
    "cpsat": "formulations.ordering.cpsat",
    "cpsat-prologue": "formulations.ordering.cpsat",
}

#: name, decomposition, clustering, binding, order, about; "+": run by default.
_TABLE = """
random               | tree  | random            | random         | random         | + random first fit: the floor
pacman               | tree  | populations       | first-come     | topological    | + PACMAN, population by population
spinemap             | chain | kernighan-lin     | particle-swarm | random         | + SpiNeMap: fewest external spikes
song2020             | chain | greedy            | load-balance   | projection     | + the published greedy flow
song2020-published   | chain | published         | load-balance   | projection     | + the public code's clustering, inputs split
dfsynthesizer        | chain | greedy            | hill-climbing  | projection     | + DFSynthesizer: hill climbing on throughput
song2020-spikes      | spikes| greedy            | load-balance   | projection     | + song2020, loud sources read directly
song2020-tree        | tree  | greedy            | load-balance   | projection     | + song2020 on the tree
overlap              | tree  | overlap           | force-directed | projection     | + best fit by shared axons
overlap-spikes       | spikes| overlap           | hill-climbing  | projection     | + overlap, loud sources read directly
edgemap              | tree  | edgemap           | force-directed | projection     |   streaming by connections
hyperedge-overlap    | tree  | hyperedge-overlap | force-directed | projection     |   streaming by shared axons
hypergraph           | tree  | hypergraph        | force-directed | projection     |   Mt-KaHyPar, repaired (extra [partition])
list                 | tree  | overlap           | load-balance   | list           |   overlap with list scheduling by criticality
song2020-prologue    | chain | greedy            | load-balance   | prologue       | + song2020 with software pipelining
overlap-prologue     | tree  | overlap           | hill-climbing  | prologue       |   overlap with software pipelining
milp                 | tree  | milp              | milp           | milp           | + every stage by PuLP and HiGHS
cpsat                | tree  | cpsat             | cpsat          | cpsat          | + every stage by CP-SAT
cpsat-prologue       | tree  | cpsat             | cpsat          | cpsat-prologue |   cpsat with software pipelining
colgen               | tree  | colgen            | search         | cpsat          | + column generation; searched binding; CP-SAT
lns                  | tree  | lns               | joint          | joint          | + large neighbourhood search, then joint
cpsat-joint          | tree  | overlap           | joint          | joint          | + binding and order together
cpsat-joint-prologue | tree  | overlap           | joint-prologue | joint-prologue | + cpsat-joint with software pipelining
benders              | tree  | overlap           | benders        | benders        |   cpsat-joint by logic-based Benders
leaves               | tree  | leaves            | force-directed | projection     |   overlap, then leaves that follow the axons
imported             | none  | imported          | imported       | projection     |   the placement a RANC folder comes with
song2020/order       | chain | greedy            | load-balance   | cpsat          | + song2020's binding, best order
song2020/joint       | chain | greedy            | joint          | joint          | + song2020's clusters, best binding and order
song2020/hops        | chain | greedy            | search         | projection     | + song2020's clusters, least load, then fewest hops
spinemap/hops        | chain | kernighan-lin     | search         | random         | + spinemap's clusters, least load, then fewest hops
dfsynthesizer/order  | chain | greedy            | hill-climbing  | cpsat          | + dfsynthesizer's binding, best order
"""  # noqa: E501 - a table is read by its columns


def _read(line: str) -> Method:
    name, decomposition, clustering, binding, order, about = (c.strip() for c in line.split("|"))
    default = about.startswith("+")
    return Method(name, decomposition, clustering, binding, order, about.lstrip("+ "), default)


METHODS: dict[str, Method] = {m.name: m for m in map(_read, _TABLE.strip().splitlines())}


def method_named(name: str) -> Method:
    """Return the method of that name; ValueError with the known names otherwise."""
    if name not in METHODS:
        raise ValueError(f"method {name!r}: expected one of {', '.join(METHODS)}")
    return METHODS[name]
