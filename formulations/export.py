"""The problems as files for other solvers: rows named by label, a start and a value in comments.

What stands upstream of a problem (the decomposition; for a binding, the clustering; for an order,
the binding) is taken from a heuristic's mapping, which is also the start. Upstream of ``whole``
stands nothing: the mapping is its start and gives the period beyond which nobody looks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from formulations.binding import cpsat_model as binding_cpsat
from formulations.binding import milp as binding_milp
from formulations.binding.families import BindingFamilies
from formulations.binding.sets import BindingSets, load_of, spike_hops_of
from formulations.clustering import cpsat_model as clustering_cpsat
from formulations.clustering.partition_families import PartitionFamilies
from formulations.clustering.sets import PartitionSets, sets_for, start_of, traffic_of
from formulations.joint.cpsat_model import JointModel
from formulations.joint.sets import JointSets
from formulations.ordering import cpsat_model as ordering_cpsat
from formulations.ordering import milp as ordering_milp
from formulations.ordering.sets import OrderSets
from formulations.solvers.answers import NamedAnswers
from formulations.solvers.labels import label_rows
from formulations.solvers.problem_file import LINES
from formulations.solvers.row_table import Column, RowEngine, RowTable, table_of
from formulations.whole.cpsat import MOST_PLACEMENTS, fits_model
from formulations.whole.cpsat_model import WholeModel
from formulations.whole.sets import WholeSets
from formulations.whole.start import usable_start, warm_mapping
from optmap.bounds.end_to_end import end_to_end_period_bound
from optmap.instance import Instance
from optmap.model.cluster_graph import ClusterGraph, cluster_graph
from optmap.model.mapping import Clustering, Decided, Mapping

#: File format -> the kind of model it is written from.
FORMATS = {"lp": "milp", "mps": "milp", "opb": "milp", "cpsat": "cpsat"}


@dataclass(frozen=True)
class Problem:
    """One model, ready to be written.

    Parameters
    ----------
    model : object
        A formulation's model with ``milp`` (PuLP, or a table of rows) or ``cp`` (CP-SAT).
    about : str
        The objective in words.
    value : int, Fraction or None
        What the start reaches.
    start : dict
        Variable name -> its value in the start; empty where the model has no hint of its own.
    rows : Counter
        Label -> number of rows.
    """

    model: Any
    about: str
    value: int | Fraction | None
    start: dict[str, int]
    rows: Counter[str]

    @cached_property
    def table(self) -> RowTable:
        """The columns and rows of a MILP."""
        milp = self.model.milp
        return milp if isinstance(milp, RowTable) else table_of(milp)

    @property
    def names(self) -> list[str]:
        """The variables' names, in the file's order; ``#3`` for the fourth, if it has none."""
        if hasattr(self.model, "cp"):
            variables = self.model.cp.proto.variables
            return [variable.name or f"#{i}" for i, variable in enumerate(variables)]
        return self.table.names

    @property
    def num_variables(self) -> int:
        """Number of variables."""
        return len(self.names)

    @property
    def num_rows(self) -> int:
        """Number of constraints."""
        if hasattr(self.model, "cp"):
            return len(self.model.cp.proto.constraints)
        return self.table.num_rows


def decided_by(problem: Problem, values: dict[str, float]) -> Decided:
    """Return what the values of a problem's variables decide, as another solver found them.

    Parameters
    ----------
    values : dict
        By the variables' names; 0 where a name is missing.

    Raises
    ------
    ValueError
        Values that contradict each other: a unit in two clusters, half of a 0-1 variable.
    """
    model, answers = problem.model, NamedAnswers(values)
    found: Decided
    if isinstance(model, PartitionFamilies):
        found = model.clustering(answers.value)
    elif isinstance(model, BindingFamilies):
        found = model.placed(answers)
    elif isinstance(model, ordering_milp.OrderModel):
        found = model.extract(values)
    else:
        found = model.extract(answers)
    return found


#: Writes the problem of an instance, given a heuristic's mapping, as a MILP or for CP-SAT.
Build = Callable[[Instance, Mapping, bool], Problem]


class TableModel(PartitionFamilies[Column]):
    """The families of a clustering in a table of rows: for a file, not for a solver."""

    def __init__(self, sets: PartitionSets) -> None:
        self.milp = RowTable()
        super().__init__(sets, RowEngine(self.milp))

    def hint(self, clustering: Clustering) -> dict[str, int]:
        """Return every variable's value in a clustering numbered by lowest member."""
        return {column.name: value for column, value in self.values(clustering)}


def _clustering(objective: str) -> Build:
    def build(instance: Instance, mapping: Mapping, milp: bool) -> Problem:
        platform = instance.platform
        start = start_of(mapping.decomposition, platform, mapping.clustering)
        network = mapping.decomposition.network
        sets = sets_for(network, platform, start.num_clusters)
        sets = replace(sets, rules=mapping.decomposition.rules)
        model: Any = TableModel(sets) if milp else clustering_cpsat.PartitionModel(sets)
        rows = label_rows(model)
        model.build()
        if objective == "clusters":
            model.minimize_clusters()
            about, value = "(P0a) fewest clusters", start.num_clusters
        else:
            model.link_remote_axons()
            model.minimize_traffic()
            about = f"(P0b) least traffic of at most {start.num_clusters} clusters"
            value = traffic_of(network, start)
        hint = model.hint(start) if milp else None
        return Problem(model, about, value, hint or _hinted(model), rows)

    return build


def _binding(objective: str) -> Build:
    def build(instance: Instance, mapping: Mapping, milp: bool) -> Problem:
        graph, platform = _graph(instance, mapping), instance.platform
        sets, binding = BindingSets(graph, platform), mapping.binding
        model: Any = (binding_milp if milp else binding_cpsat).BindingModel(sets)
        rows = label_rows(model)
        model.build()
        if objective == "load":
            model.minimize_load()
            about, value = "(B0b) least largest tile load", load_of(graph, platform, binding)
        else:
            model.measure_hops()
            model.minimize_spike_hops()
            about, value = "(B0a) fewest spike-hops", spike_hops_of(graph, platform, binding)
        start = {z.name: int(binding.tile_of[a] == t) for (a, t), z in model.z.items()}
        return Problem(model, about, value, start, rows)

    return build


def _order(instance: Instance, mapping: Mapping, milp: bool) -> Problem:
    sets = OrderSets(_graph(instance, mapping), instance.platform, mapping.binding)
    value = sets.period_of(mapping.orders)
    if milp:
        model: Any = ordering_milp.OrderModel(sets)
        about = "(S0) largest omega = floor / period, floor " + str(sets.floor)
    else:
        target = value or Fraction(sets.most_ticks)
        model = ordering_cpsat.OrderModel(sets, target)
        about = f"static orders of period {target} or less: feasible?"
    rows = label_rows(model)
    model.build()
    return Problem(model, about, value, {}, rows)


def _joint(instance: Instance, mapping: Mapping, milp: bool) -> Problem:
    if milp:
        raise ValueError("the joint problem is a CP-SAT model: write it as cpsat")
    sets = JointSets(_graph(instance, mapping), instance.platform)
    value = sets.value_of((mapping.binding, mapping.orders))
    most = -(-(value or Fraction(sets.most_ticks)) // 1)
    model = JointModel(sets, Fraction(most), least=int(sets.floor))
    if model.impossible:
        raise ValueError(f"no binding at all has a period of {most} ticks: nothing to write")
    rows = label_rows(model)
    model.build()
    model.minimize_period()
    return Problem(model, "(J0) least whole period of binding and orders", value, {}, rows)


def _whole(instance: Instance, mapping: Mapping, milp: bool) -> Problem:
    if milp:
        raise ValueError("the problem of all decisions is a CP-SAT model: write it as cpsat")
    sets = WholeSets(instance.snn, instance.platform, instance.tokens)
    found = usable_start(sets, mapping, False) or warm_mapping(sets, 0)
    if found is None:
        raise ValueError("no heuristic maps it: the model has no horizon")
    start, value = found
    if not fits_model(sets, value):
        raise ValueError(f"its model of all decisions has more than {MOST_PLACEMENTS} placements")
    least = -(-end_to_end_period_bound(instance.snn, instance.platform).value // 1)
    model = WholeModel(sets, Fraction(-(-value // 1)), least=int(least))
    rows = label_rows(model)
    model.build()
    model.hint(start)
    model.minimize_period()
    return Problem(model, "(W) least whole period of all decisions", value, _hinted(model), rows)


#: Formulation -> how it is built.
FORMULATIONS: dict[str, Build] = {
    "clustering": _clustering("clusters"),
    "traffic": _clustering("traffic"),
    "tile-load": _binding("load"),
    "spike-hops": _binding("hops"),
    "order": _order,
    "joint": _joint,
    "whole": _whole,
}


def _graph(instance: Instance, mapping: Mapping) -> ClusterGraph:
    units, clustering = mapping.decomposition, mapping.clustering
    return cluster_graph(units, clustering, instance.platform, instance.tokens)


def _hinted(model: Any) -> dict[str, int]:
    """Return the hint that a CP-SAT model carries, by variable name."""
    proto = model.cp.proto
    hint = proto.solution_hint
    names = [proto.variables[v].name for v in hint.vars]
    return dict(zip(names, map(int, hint.values), strict=True))


def lines_of(problem: Problem, form: str, comments: list[str]) -> Iterator[str]:
    """Yield the lines of a problem's file, as they are made: some files have millions.

    Parameters
    ----------
    form : str
        ``lp``, ``mps``, ``opb`` or ``cpsat`` (the model's text, as CP-SAT reads it).
    comments : list of str
        Lines for the head, behind which value and start follow.

    Raises
    ------
    ValueError
        ``opb`` and a model that has other than 0-1 variables or fractional numbers.
    """
    mark = {"lp": "\\ ", "mps": "* ", "opb": "* ", "cpsat": "# "}[form]
    head = [*comments, problem.about, f"value of the start: {problem.value}", *_start(problem)]
    yield from (f"{mark}{line}\n" for line in head)
    if form != "cpsat":
        yield from LINES[form](problem.table)
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.pbtxt"
        problem.model.cp.export_to_file(str(path))
        with path.open(encoding="utf-8") as file:
            yield from file


def start_text(problem: Problem) -> str:
    """Return the start as a solution file, in the form that HiGHS reads and writes.

    Raises
    ------
    ValueError
        If the problem has no start of its own.
    """
    if not problem.start:
        raise ValueError("this problem has no start by its variables")
    lines = [f"{name} {problem.start.get(name, 0)}" for name in problem.names]
    head = ["Model status", "Unknown", "", "# Primal solution values", "Feasible"]
    head += [f"Objective {problem.value}", f"# Columns {len(lines)}"]
    return "\n".join([*head, *lines, "# Rows 0"]) + "\n"


def _start(problem: Problem) -> Iterator[str]:
    """Yield the variables of the start that are not 0, a few a line."""
    named = [f"{name}={value}" for name, value in problem.start.items() if value]
    if named:
        yield "start, all others 0:"
    for i in range(0, len(named), 8):
        yield "  " + " ".join(named[i : i + 8])
