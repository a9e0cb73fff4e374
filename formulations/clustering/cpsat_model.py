"""CP-SAT model of the partition of units onto crossbars (README.md, P, plain).

Families     partition_families.py
Bound        the solver's, an exact integer; valid for this decomposition and, (P0b), for
             clusterings of at most K clusters
Check        the clustering by optmap.judge; the value by recomputation
"""

from __future__ import annotations

from ortools.sat.python import cp_model

from formulations.clustering.partition_families import PartitionFamilies
from formulations.clustering.sets import PartitionSets
from formulations.solvers.answers import Answers
from formulations.solvers.engine import CpsatEngine
from optmap.model.mapping import Clustering

#: Measured, for the largest families; building counts as solving time.
SECONDS_PER_TERM = 5e-6


class PartitionModel(PartitionFamilies[cp_model.IntVar]):
    """The families in a CP-SAT model, with hints and solutions as it has them."""

    def __init__(self, sets: PartitionSets) -> None:
        self.cp = cp_model.CpModel()
        super().__init__(sets, CpsatEngine(self.cp))

    def hint(self, clustering: Clustering) -> None:
        """Suggest a clustering numbered by lowest member; every variable gets its value."""
        for variable, value in self.values(clustering):
            self.cp.add_hint(variable, value)

    def extract(self, solver: Answers) -> Clustering:
        """Read the placement; ValueError unless each unit has one cluster."""
        return self.clustering(solver.value)
