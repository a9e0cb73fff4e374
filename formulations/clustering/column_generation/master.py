"""The restricted master of column generation: cover every row by crossbars, as an LP in HiGHS.

Rows are *orbits*: sets of classes that get one price (singletons, or classes that refinement
cannot tell apart). A column counts the members it holds of each orbit; its cost is the crossbar's.
Prices are constant on orbits by construction, so that the dual of this smaller LP is a vector of
prices for the classes, feasible for the full problem: the bound it gives is valid whatever the
orbits are, and nothing is lost where the orbits are those of automorphisms (average a dual over
the group).
"""

from __future__ import annotations

import highspy
import numpy as np

from formulations.solvers.highs import ITERATIONS_A_UNIT
from optmap.clock import did
from optmap.model.snn import FloatArray, IndexArray, IntArray


class Master:
    """min sum cost_j l_j  s.t.  sum_j count_oj l_j >= n_o, l >= 0; columns are only added."""

    def __init__(self, demand: IntArray, orbit_of: IndexArray) -> None:
        self.orbit_of = orbit_of
        self.num_orbits = int(orbit_of.max()) + 1 if len(orbit_of) else 0
        self.demand = np.bincount(orbit_of, weights=demand, minlength=self.num_orbits)
        self.columns: list[dict[int, int]] = []
        self.costs: list[int] = []
        self.seen: set[tuple[tuple[int, int], ...]] = set()
        highspy.Highs.resetGlobalScheduler(True)
        self.lp = highspy.Highs()
        self.lp.setOptionValue("output_flag", False)
        self.lp.setOptionValue("threads", 1)
        for n in self.demand:
            self.lp.addRow(float(n), highspy.kHighsInf, 0, [], [])

    def add(self, column: dict[int, int], cost: int = 1) -> bool:
        """Add a crossbar (members by class); False if an equal one is there."""
        by_orbit: dict[int, int] = {}
        for q, count in column.items():
            o = int(self.orbit_of[q])
            by_orbit[o] = by_orbit.get(o, 0) + count
        key = (*sorted(by_orbit.items()), (-1, cost))
        if key in self.seen:
            return False
        self.seen.add(key)
        self.columns.append(column)
        self.costs.append(cost)
        index = np.array(list(by_orbit), dtype=np.int32)
        value = np.array(list(by_orbit.values()), dtype=np.float64)
        self.lp.addCol(float(cost), 0.0, highspy.kHighsInf, len(index), index, value)
        return True

    def solve(self) -> tuple[float, FloatArray]:
        """Return the LP's value and the price of every class; prices may be a hair off."""
        before = self.lp.getInfo().simplex_iteration_count
        self.lp.run()
        did(max(self.lp.getInfo().simplex_iteration_count - before, 1) / ITERATIONS_A_UNIT)
        if self.lp.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise ValueError(f"master LP ended as {self.lp.getModelStatus()}")
        dual = np.maximum(np.array(self.lp.getSolution().row_dual), 0.0)
        return float(self.lp.getObjectiveValue()), dual[self.orbit_of]

    def levels(self) -> FloatArray:
        """Return l_j of every column."""
        return np.array(self.lp.getSolution().col_value)
