"""The methods of the tables: which decomposition, clustering, binding and order each uses.

A method names its stages; the rooms' contracts (``optmap/clustering/contract.py`` and so on, and
:mod:`optmap.exact`) say what a stage is and load it when it is used, so that a heuristic row does
not pay for loading a solver. :mod:`optmap.flow` runs a method.

A method of your own, in a file ``my.py`` of your own::

    import optmap.methods

    def first_fit(decomposition, platform, *, seed=0):  # a Clusterer, see clustering/contract.py
        ...
        return Clustering(labels)

    optmap.methods.register("my-first-fit", clustering=first_fit, binding="hill-climbing")

``load_method_file(Path("my.py"))`` runs the file and returns the methods it registered; a job that
names the file (:attr:`optmap.experiment.run.job.Job.method_file`) does so in its own process. The
digest of the file is part of the key of its methods' rows, and of no other row's. Packages announce
methods by an entry point of the group ``optmap.methods``: a module that calls :func:`register` when
it is imported, or a function that does when it is called; they are loaded only when a name is asked
for that is not known otherwise.
"""

from __future__ import annotations

import hashlib
import runpy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from optmap.binding.contract import BINDERS, Binder
from optmap.clustering.contract import CLUSTERERS, DIVIDERS, Clusterer
from optmap.decomposing.contract import DECOMPOSERS, Decomposing
from optmap.errors import InputError, refuse_special
from optmap.exact import (
    EXACT_BINDERS,
    EXACT_CLUSTERINGS,
    EXACT_MULTICASTS,
    EXACT_ORDERINGS,
    EXACT_SCHEDULES,
    EXACT_WHOLE,
    TREE_IMPROVERS,
)
from optmap.ordering.contract import ORDER_IMPROVERS, ORDERERS, Orderer
from optmap.shipped import did_you_mean
from optmap.whole.contract import WHOLE, Whole, WholeMapper

T = TypeVar("T")

#: Group of entry points by which packages announce methods.
GROUP = "optmap.methods"

#: The placement that an instance comes with, as clustering and binding.
IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class Method:
    """One row of the tables.

    Parameters
    ----------
    name : str
        As users type it.
    decomposition, clustering, binding, order : str
        Names of the contracts' lists.
    about : str
        One line for ``--help`` and the docs.
    by_default : bool
        Whether ``compare`` runs it without being asked.
    whole : str
        A name of the lists of methods that decide everything: the four stages then only make the
        mapping that it starts from.
    digest : str
        Of the file that registered it; empty for the methods that come with optmap.
    """

    name: str
    decomposition: str
    clustering: str
    binding: str
    order: str
    about: str
    by_default: bool = True
    whole: str = ""
    digest: str = ""

    @property
    def uses_solver(self) -> bool:
        """Tell whether some stage runs a solver."""
        return (
            self.clustering in EXACT_CLUSTERINGS
            or self.binding in EXACT_BINDERS
            or self.binding in EXACT_MULTICASTS
            or self.binding in EXACT_SCHEDULES
            or self.order in EXACT_ORDERINGS
            or self.whole in EXACT_WHOLE
        )

    @property
    def runs_alone(self) -> bool:
        """Tell whether it is a heuristic of stages, which asks nothing but a network to start."""
        return not (self.uses_solver or self.whole or self.clustering == "imported")


#: name, decomposition, clustering, binding, order, about; "+": run by default.
_TABLE = """
random               | tree  | random            | random         | random         | + random first fit: the floor
pacman               | tree  | pacman            | first-come     | topological    | + PACMAN, population by population
spinemap             | chain | spinemap          | particle-swarm | random         | + SpiNeMap: fewest external spikes
spinemap-clusters    | chain | song2020          | particle-swarm | random         |   SpiNeMap's placement of the fewest clusters
song2020             | chain | song2020          | load-balance   | projection     | + the published greedy flow
song2020-published   | chain | song2020-published| load-balance   | projection     | + the public code's clustering, inputs split
dfsynthesizer        | chain | song2020          | hill-climbing  | projection     | + DFSynthesizer: hill climbing on throughput
song2020-spikes      | spikes| song2020          | load-balance   | projection     | + song2020, loud sources read directly
song2020-tree        | tree  | song2020          | load-balance   | projection     | + song2020 on the tree
overlap              | tree  | overlap           | force-directed | projection     | + best fit by shared axons
overlap-spikes       | spikes| overlap           | hill-climbing  | projection     | + overlap, loud sources read directly
blocks               | tree  | blocks            | hill-climbing  | projection     | + overlap, cut so that pieces share rows
edgemap              | tree  | edgemap           | force-directed | projection     |   streaming by connections
hyperedge-overlap    | tree  | hyperedge-overlap | force-directed | projection     |   streaming by shared axons
multicast            | tree  | overlap           | multicast      | projection     |   overlap, tiles by multicast hops
multicast-cpsat      | tree  | overlap           | multicast-cpsat| projection     |   overlap, fewest multicast hops by CP-SAT
hypergraph           | tree  | hypergraph        | force-directed | projection     |   Mt-KaHyPar, repaired (extra [partition])
multilevel           | tree  | multilevel        | force-directed | projection     |   multilevel partitioning for little traffic
list                 | tree  | overlap           | load-balance   | list           |   overlap with list scheduling by criticality
song2020-prologue    | chain | song2020          | load-balance   | prologue       | + song2020 with software pipelining
overlap-prologue     | tree  | overlap           | hill-climbing  | prologue       |   overlap with software pipelining
milp                 | tree  | milp              | milp           | milp           | + every stage by PuLP and HiGHS
cpsat                | tree  | cpsat             | cpsat          | cpsat          | + every stage by CP-SAT
cpsat-prologue       | tree  | cpsat             | cpsat          | cpsat-prologue |   cpsat with software pipelining
milp-twins           | tree  | milp-twins        | milp           | milp           |   milp, units of equal fan-in as one class
cpsat-twins          | tree  | cpsat-twins       | cpsat          | cpsat          |   cpsat, units of equal fan-in as one class
colgen               | tree  | colgen            | search         | cpsat          | + column generation; searched binding; CP-SAT
lns                  | tree  | lns               | joint          | joint          | + large neighbourhood search, then joint
cpsat-joint          | tree  | overlap           | joint          | joint          | + binding and order together
cpsat-joint-prologue | tree  | overlap           | joint-prologue | joint-prologue | + cpsat-joint with software pipelining
benders              | tree  | overlap           | benders        | benders        |   cpsat-joint by logic-based Benders
leaves               | tree  | leaves            | force-directed | projection     |   overlap, then leaves that follow the axons
imported             | none  | imported          | imported       | projection     |   the placement a RANC folder comes with
song2020/order       | chain | song2020          | load-balance   | cpsat          | + song2020's binding, best order
song2020/joint       | chain | song2020          | joint          | joint          | + song2020's clusters, best binding and order
song2020/hops        | chain | song2020          | search         | projection     | + song2020's clusters, least load, then fewest hops
spinemap/hops        | chain | spinemap          | search         | random         | + spinemap's clusters, least load, then fewest hops
dfsynthesizer/order  | chain | song2020          | hill-climbing  | cpsat          | + dfsynthesizer's binding, best order
"""  # noqa: E501 - a table is read by its columns


#: Methods that decide everything: the stages that make the mapping it starts from, then the whole.
_WHOLE_TABLE = """
whole                | spikes | overlap | load-balance   | projection | search         | + search over all decisions, on the period itself
whole-clusters       | spikes | overlap | load-balance   | projection | search-clusters|   whole for the fewest clusters
whole-traffic        | spikes | overlap | load-balance   | projection | search-traffic |   whole for the least traffic
whole-energy         | spikes | overlap | load-balance   | projection | search-energy  |   whole for the least energy
copies               | spikes | overlap | load-balance   | projection | copies         |   copies of single clusters (explore, map --windows)
whole-multicast      | spikes | overlap | load-balance   | projection | search-multicast|  whole for the fewest multicast hops
whole-cpsat          | spikes | overlap | hill-climbing  | projection | cpsat          | + all decisions in one CP-SAT model
whole-cpsat-prologue | spikes | overlap | hill-climbing  | projection | cpsat-prologue |   whole-cpsat with software pipelining
cover                | tree   | overlap | force-directed | projection | cover          | + overlap, with bounds by covering neurons
"""  # noqa: E501 - a table is read by its columns


def _read(line: str) -> Method:
    name, *stages, about = (column.strip() for column in line.split("|"))
    decomposition, clustering, binding, order, *whole = stages
    return Method(
        name,
        decomposition,
        clustering,
        binding,
        order,
        about.lstrip("+ "),
        by_default=about.startswith("+"),
        whole=whole[0] if whole else "",
    )


METHODS: dict[str, Method] = {
    method.name: method
    for method in map(_read, (_TABLE.strip() + "\n" + _WHOLE_TABLE.strip()).splitlines())
}
#: What ``whole`` can be told to minimise -> the method that does.
OBJECTIVES = {
    "period": "whole",
    "clusters": "whole-clusters",
    "traffic": "whole-traffic",
    "energy": "whole-energy",
    "multicast": "whole-multicast",
}
OBJECTIVE_HELP = f"what method whole minimises: {', '.join(OBJECTIVES)} (period)"
#: The names of those that come with optmap: every process knows them.
BUILT_IN = frozenset(METHODS)


def method_or_none(name: str) -> Method | None:
    """Return the method of that name, built in, registered or announced; None if there is none."""
    if name not in METHODS:
        load_entry_points()
    return METHODS.get(name)


def method_named(name: str) -> Method:
    """Return the method of that name; ValueError with the known names otherwise."""
    found = method_or_none(name)
    if found is None:
        near = did_you_mean(str(name), list(METHODS))
        raise ValueError(f"method {name!r}: expected one of {', '.join(METHODS)}{near}")
    return found


def register(
    name: str,
    *,
    decomposition: str | Decomposing = "tree",
    clustering: str | Clusterer = "overlap",
    binding: str | Binder = "hill-climbing",
    order: str | Orderer = "projection",
    whole: str | WholeMapper = "",
    about: str = "",
) -> Method:
    """Add a method under a name of its own; each stage is a function, or the name of a known one.

    Parameters
    ----------
    name : str
        As users will type it; no method may have it yet.
    decomposition, clustering, binding, order
        Functions as ``contract.py`` of optmap/decomposing, clustering, binding, ordering asks for.
        What is not given is the tree, ``overlap``, hill climbing and the projected order.
    whole
        A function that decides everything (optmap/whole/contract.py); it is given the mapping of
        the four stages as its start.
    about : str
        One line for ``--help``.

    Raises
    ------
    ValueError
        If the name is taken, or a stage is not known.

    Notes
    -----
    A decomposition of a stranger's policy is written into mapping files as lists, since nobody
    could make it again by its name.
    """
    if not name or name in METHODS:
        raise ValueError(f"method {name!r}: " + ("the name is taken" if name else "no name"))
    method = Method(
        name,
        _stage(name, "decomposition", decomposition, DECOMPOSERS, ()),
        _stage(
            name,
            "clustering",
            clustering,
            CLUSTERERS,
            (*DIVIDERS, *EXACT_CLUSTERINGS, *TREE_IMPROVERS),
        ),
        _stage(
            name,
            "binding",
            binding,
            BINDERS,
            (*EXACT_BINDERS, *EXACT_MULTICASTS, *EXACT_SCHEDULES),
        ),
        _stage(name, "order", order, ORDERERS, (*ORDER_IMPROVERS, *EXACT_ORDERINGS)),
        about or f"registered as {name}",
        by_default=False,
        whole=name if callable(whole) else whole,
    )
    if callable(whole):
        WHOLE[name] = Whole(lambda: whole)
    elif whole and whole not in WHOLE and whole not in EXACT_WHOLE:
        names = ", ".join((*WHOLE, *EXACT_WHOLE))
        raise ValueError(f"method {name!r}: whole {whole!r}, expected a function or {names}")
    METHODS[name] = method
    return method


def _stage(
    method: str,
    kind: str,
    given: str | T,
    known: dict[str, Callable[[], T]],
    others: Sequence[str],
) -> str:
    """Return the name of a stage; a function enters the list under the method's name."""
    if not isinstance(given, str):
        if not callable(given):
            raise ValueError(f"method {method!r}: {kind} {given!r}, expected a function or a name")
        known[method] = lambda: given
        return method
    if given not in known and given not in others:
        names = ", ".join(n for n in (*known, *others) if n)
        raise ValueError(f"method {method!r}: {kind} {given!r}, expected a function or {names}")
    return given


def load_method_file(path: Path) -> tuple[Method, ...]:
    """Run a file of one's own and return the methods it registered; once for equal content.

    Raises
    ------
    InputError
        If the file cannot be read, fails, or registers nothing.
    """
    refuse_special(path, "a method file")
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(str(path), "", error.strerror or "unreadable", "a method file") from None
    if digest not in _LOADED:
        _LOADED[digest] = _registered_by(partial(_run_file, path), str(path), digest)
    return _LOADED[digest]


#: Methods by digest of the file that registered them.
_LOADED: dict[str, tuple[Method, ...]] = {}


def _run_file(path: Path) -> None:
    try:
        runpy.run_path(str(path), run_name=f"optmap_method_file_{path.stem}")
    except (Exception, SystemExit) as error:  # whatever a stranger's file raises is its own fault
        text = f"{type(error).__name__}: {error}"
        raise InputError(str(path), "", text, "a file that registers a method") from error


def _registered_by(load: Callable[[], None], where: str, digest: str) -> tuple[Method, ...]:
    """Return the methods that ``load`` registers, with their digest; none is left if it fails."""
    before = set(METHODS)
    try:
        load()
        added = [name for name in METHODS if name not in before]
        if not added:
            raise InputError(where, "", "no method", "a call of om.register")
    except InputError:
        for name in set(METHODS) - before:
            for known in (METHODS, DECOMPOSERS, CLUSTERERS, BINDERS, ORDERERS, WHOLE):
                known.pop(name, None)
        raise
    for name in added:
        METHODS[name] = replace(METHODS[name], digest=digest)
    return tuple(METHODS[name] for name in added)


def load_entry_points() -> None:
    """Load what installed packages announce in the group ``optmap.methods``, once.

    Raises
    ------
    InputError
        Naming the entry point that fails or registers nothing.
    """
    for point in entry_points(group=GROUP):
        version = f"{point.value} {point.dist.version if point.dist else ''}"
        digest = hashlib.sha256(version.encode()).hexdigest()
        if digest not in _LOADED:
            where = f"{GROUP}: {point.name}"
            _LOADED[digest] = _registered_by(partial(_load_point, point), where, digest)


def _load_point(point: EntryPoint) -> None:
    try:
        loaded = point.load()
        if not isinstance(loaded, ModuleType):
            loaded()
    except (Exception, SystemExit) as error:  # a stranger's package's own fault
        text = f"{type(error).__name__}: {error}"
        raise InputError(GROUP, point.name, text, "what registers a method") from error
