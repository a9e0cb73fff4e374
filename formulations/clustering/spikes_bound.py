"""A bound on the traffic (P0b) of at most K clusters whose sources spike differently.

Master       min sum_j traffic_j l_j  s.t.  sum_{j holds u} l_j >= 1, sum_j l_j <= K
Dual         traffic >= sum_u pi_u - K mu, for any pi >= 0 and any mu >= 0 with
             sum_{u in S} pi_u - traffic(S) <= mu  for every S that fits one crossbar
Pricing      the most that prices exceed traffic in one crossbar, by CP-SAT: (P2)-(P5) for one
             cluster; its bound is as good as its optimum
Prices       first: each cluster of a known clustering shares its traffic out among its units by
             what they read, a source's spikes divided among its readers. Then boxstep [1]_: the
             restricted dual, its prices within a box around the best ones so far; the box grows
             with success and shrinks without.

All in whole numbers once prices are rounded, so that every round's bound is exact; the best one
counts. The first prices alone often prove most: on filter-16 they give 2259 for 2472, where bounds
without a solver stand at 1788.

References
----------
.. [1] R. E. Marsten, W. W. Hogan, J. W. Blankenship, "The boxstep method for large-scale
   optimization", Operations Research 23, 1975.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from ortools.sat.python import cp_model
from scipy.optimize import linprog

from formulations.solvers.run_cpsat import WORKERS, run_cpsat
from formulations.solvers.stopwatch import Stopwatch
from optmap.bounds.bound import Bound
from optmap.bounds.traffic import traffic_bound
from optmap.model.decomposition import Decomposition
from optmap.model.grade import Grade
from optmap.model.mapping import Clustering
from optmap.model.outcome import Limits
from optmap.model.platform import Platform
from optmap.model.scope import Scope
from optmap.model.snn import SNN, IntArray

#: One spike in whole-number prices, and what the traffic of all clusters in them must stay below:
#: prices may stand some thousand times higher, and their sums must be far from overflow.
SCALE, MAX_WORTH = 1000, 2**40
#: Beyond so many units or synapses pricing takes longer than anybody waits.
MAX_UNITS, MAX_SYNAPSES = 1000, 50_000
#: A step is a success if the bound rises by this much of what the restricted dual promised.
SUCCESS, GREAT_SUCCESS = 0.1, 0.5

Members = tuple[int, ...]
Prices = npt.NDArray[np.float64]


def spikes_bound(
    decomposition: Decomposition,
    platform: Platform,
    most: int,
    known: Clustering,
    limits: Limits,
    *,
    workers: int = WORKERS,
) -> Bound:
    """(P0b) Return a lower bound on the traffic of clusterings of at most ``most`` clusters.

    Crossbars of several kinds count as the most rows and the most columns among them. Where the
    network is too large for pricing, the best bound without a solver comes back.
    """
    watch = Stopwatch(limits)
    simple, network = traffic_bound(decomposition, platform), decomposition.network
    if not applies(network, most):
        return simple
    pricing = Pricing(network, platform.max_rows, platform.max_columns, workers)
    columns = {tuple(m.tolist()): pricing.traffic(m.tolist()) for m in known.members()}
    reached = sum(columns.values())
    columns |= {(u,): pricing.traffic([u]) for u in range(network.num_units)}
    centre = prices = pricing.shares(known)
    widest = 2.0 * max(float(centre.max()), 1.0)
    box, value, promised = max(1.0, float(centre.mean()) / 8), 0, 0.0
    while value < reached and watch.left > 0:
        proved, found = pricing.bound(prices, most, columns, watch)
        columns |= {column: pricing.traffic(column) for column in found}
        if proved is None:
            break
        gained = (proved - value) / max(promised - value, 1.0)
        if gained > SUCCESS:
            centre = prices
            box *= 1.5 if gained > GREAT_SUCCESS else 1.0
        else:
            box *= 0.7
        value = max(value, proved)
        prices, promised = _boxed_dual(columns, most, centre, box)
        while promised < value + 1 and box < widest:  # nothing better in this box
            box *= 4
            prices, promised = _boxed_dual(columns, most, centre, box)
        if promised < value + 1:
            break
    scope = Scope(units=decomposition.identity, max_clusters=most)
    by_prices = Bound("traffic", "prices", value, scope, Grade.CLAIMED)
    return max(simple, by_prices, key=lambda b: b.value)


def applies(network: SNN, most: int) -> bool:
    """Tell whether pricing is small enough, in units and in whole numbers."""
    return (
        0 < network.num_units <= MAX_UNITS
        and network.num_synapses <= MAX_SYNAPSES
        and 2 * SCALE * int(network.spikes.sum()) * most <= MAX_WORTH
    )


class Pricing:
    """What prices exceed traffic by in one crossbar: the families of P for one cluster."""

    def __init__(self, network: SNN, rows: int, columns: int, workers: int) -> None:
        self.workers, self.spikes = workers, network.spikes.tolist()
        self.units = network.units.tolist()
        self.sources = [network.sources_of(u).tolist() for u in self.units]
        self.readers = network.fan_out.tolist()
        self.model = cp_model.CpModel()
        self.x = {u: self.model.new_bool_var(f"x_{u}") for u in self.units}
        read = sorted({i for sources in self.sources for i in sources})
        self.a = {i: self.model.new_bool_var(f"a_{i}") for i in read}
        self.r = {i: self.model.new_bool_var(f"r_{i}") for i in read if i in self.x}
        self.respect_columns(columns)
        self.read_on_rows()
        self.respect_rows(rows)
        self.link_remote_axons()

    def respect_columns(self, columns: int) -> None:
        """(P2)  sum_u x[u] <= C."""
        self.model.add(sum(self.x.values()) <= columns)

    def read_on_rows(self) -> None:
        """(P3)  x[u] <= a[i], i in P(u)."""
        for u, sources in zip(self.units, self.sources, strict=True):
            for i in sources:
                self.model.add_implication(self.x[u], self.a[i])

    def respect_rows(self, rows: int) -> None:
        """(P4)  sum_i a[i] <= R."""
        self.model.add(sum(self.a.values()) <= rows)

    def link_remote_axons(self) -> None:
        """(P5)  a[i] - x[i] <= r[i], i a unit."""
        for i, remote in self.r.items():
            self.model.add(self.a[i] - self.x[i] <= remote)

    def traffic(self, members: Sequence[int]) -> int:
        """Return the spikes that enter a cluster of these units (by position)."""
        held = {self.units[m] for m in members}
        rows = {i for m in members for i in self.sources[m]}
        return sum(self.spikes[i] for i in rows - held)

    def shares(self, known: Clustering) -> Prices:
        """Return what each unit costs in its cluster: traffic by the spikes it reads alone."""
        alone = np.array([sum(self.spikes[i] / self.readers[i] for i in s) for s in self.sources])
        prices: Prices = np.zeros(len(alone))
        for members in known.members():
            own = alone[members] + 1e-9
            prices[members] = self.traffic(members.tolist()) * own / own.sum()
        return prices

    def bound(
        self, prices: Prices, most: int, columns: dict[Members, int], watch: Stopwatch
    ) -> tuple[int | None, set[Members]]:
        """Return the bound that prices prove (None in lack of time) and the crossbars found."""
        whole: IntArray = np.floor(np.maximum(prices, 0.0) * SCALE).astype(np.int64)
        traffic = sum(self.spikes[i] * v for i, v in self.a.items() if i not in self.r)
        traffic += sum(self.spikes[i] * v for i, v in self.r.items())
        worth = sum(int(p) * v for p, v in zip(whole, self.x.values(), strict=True))
        self.model.minimize(SCALE * traffic - worth)
        self._hint(max(columns, key=lambda c: int(whole[list(c)].sum()) - SCALE * columns[c]))
        found: set[Members] = set()

        def record(solution: cp_model.CpSolverSolutionCallback) -> None:
            chosen = [solution.boolean_value(x) for x in self.x.values()]
            if any(chosen):
                found.add(tuple(np.flatnonzero(chosen).tolist()))

        own = Stopwatch(watch.limits, watch.started)
        run = run_cpsat(self.model, own, workers=self.workers, on_solution=record)
        if run.bound is None:
            return None, found
        mu = max(0, -run.bound)
        return -(-(int(whole.sum()) - most * mu) // SCALE), found

    def _hint(self, column: Members) -> None:
        held = {self.units[m] for m in column}
        rows = {i for m in column for i in self.sources[m]}
        self.model.clear_hints()  # type: ignore[no-untyped-call]  # ortools does not say
        for variables, chosen in ((self.x, held), (self.a, rows), (self.r, rows - held)):
            for i, v in variables.items():
                self.model.add_hint(v, i in chosen)


def _boxed_dual(
    columns: dict[Members, int], most: int, centre: Prices, box: float
) -> tuple[Prices, float]:
    """Return the prices of the largest dual value over known columns within the box, and it."""
    held = np.zeros((len(columns), len(centre) + 1))
    for j, column in enumerate(columns):
        held[j, list(column)] = 1.0
    held[:, -1] = -1.0
    near = np.stack([np.maximum(centre - box, 0.0), centre + box], axis=1)
    found = linprog(
        np.append(-np.ones(len(centre)), most),
        A_ub=held,
        b_ub=list(columns.values()),
        bounds=[*near.tolist(), (0, None)],
    )
    if found.x is None:
        raise ValueError(f"the boxed dual of the traffic's master ended as {found.message}")
    return found.x[:-1], -float(found.fun)
