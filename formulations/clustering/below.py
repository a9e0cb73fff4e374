"""Is there a clustering below a value? CP-SAT on the plain model, as a second engine.

The question is a model of its own: (P0a) with one cluster less, (P0b) and (P0c) with a row that
caps the objective, and no objective.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from formulations.clustering.cpsat_model import SECONDS_PER_TERM, PartitionModel
from formulations.clustering.sets import PartitionSets, too_large
from formulations.solvers.run_cpsat import run_cpsat
from formulations.solvers.second_proof import seconds_for
from formulations.solvers.stopwatch import Stopwatch
from optmap.model.mapping import Clustering
from optmap.model.outcome import SOLVED, Outcome, Status, Value


@dataclass(frozen=True)
class Below:
    """The question, for one objective.

    Parameters
    ----------
    objective : str
        "clusters", "traffic" or "area".
    measure : callable
        The objective of a clustering.
    other_search : bool
        Whether the first engine was CP-SAT too.
    """

    sets: PartitionSets
    objective: str
    measure: Callable[[Clustering], int | None]
    watch: Stopwatch
    other_search: bool

    def __call__(self, value: Value | None) -> Outcome[Clustering]:
        """Look for a clustering below ``value``; None: for any."""
        sets, seconds = self.sets, seconds_for(self.watch)
        most = None if value is None else int(value) - 1
        if self.objective == "clusters" and most is not None:
            sets = replace(sets, num_clusters=most)
        if seconds <= 0 or too_large(
            sets, replace(self.watch.limits, wall_s=seconds), SECONDS_PER_TERM
        ):
            return Outcome(Status.UNKNOWN)
        model = PartitionModel(sets).build()
        if self.objective == "traffic":
            model.link_remote_axons()
        if self.objective == "area":
            model.respect_stock()
        if most is not None:
            model.cap(self.objective, most)
        run = run_cpsat(model.cp, self.watch, wall_s=seconds, other_search=self.other_search)
        if run.status not in SOLVED:
            return Outcome(run.status)
        found = model.extract(run.solver)
        return Outcome(Status.FEASIBLE, found, self.measure(found))
