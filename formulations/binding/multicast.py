"""CP-SAT formulation of binding for fewest multicast hops (README.md, B0d): exact where small.

Sets         clusters, tiles of a mesh, nets: a source cluster with all clusters that read it
Parameters   w_n spikes of net n
Variables    z[a,t] = 1 iff cluster a runs on tile t (cpsat_model.py)
             G[a,c], H[a,r] = 1 iff a is at column <= c, at row <= r;  C[a,x] = 1 iff in column x
             e[n,c,s] = 1 if a route of n crosses line c along its source's row, s its direction
             v[n,x,r,s] = 1 if one crosses line r within column x
Objective    (B0d) min sum_n w_n (sum_c,s e[n,c,s] + sum_x,r,s v[n,x,r,s])
Bound        the solver's, an exact integer, for this clustering
Check        by enumeration in the tests; the value by recomputation here

XY routes go along the source's row first: a line is crossed eastwards iff the source stands before
it and some reader beyond, and a column's line northwards iff the source's row is before it and a
reader of that column is beyond. Shared links are one variable, so that they count once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from ortools.sat.python import cp_model

from formulations.binding.cpsat_model import BindingModel
from formulations.binding.sets import BindingSets, fits_platform
from formulations.solvers.run_cpsat import WORKERS, run_cpsat
from formulations.solvers.stopwatch import Stopwatch
from formulations.solvers.time_to_build import too_long
from optmap.binding.kernels.multicast_nets import Nets, cluster_nets
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Platform

#: No model is built with more variables of crossed lines.
MAX_CROSSINGS = 200_000
#: Seconds that a clause of (B12) takes to build and to hand over: measured 5 to 8 millionths.
SECONDS_PER_CLAUSE = 8e-6


@dataclass(frozen=True)
class Net:
    """One source cluster, the clusters that read it, and the spikes."""

    source: int
    readers: tuple[int, ...]
    weight: int


def nets_of(graph: ClusterGraph) -> list[Net]:
    """Return the nets of a clustering that carry spikes."""
    found: Nets = cluster_nets(graph)
    return [
        Net(int(source), tuple(found.readers[first:stop].tolist()), int(weight))
        for source, weight, first, stop in zip(
            found.source, found.weight, found.ptr[:-1], found.ptr[1:], strict=True
        )
        if weight
    ]


class MulticastModel(BindingModel):
    """The families of a binding, and the lines that routes cross."""

    def __init__(self, sets: BindingSets, nets: list[Net]) -> None:
        super().__init__(sets)
        self.nets = nets
        self.crossed: list[tuple[int, cp_model.IntVar]] = []

    def stand_in_a_quadrant(self) -> None:
        """(B6)  z[a,t] = 0  for the busiest cluster a, t outside one quadrant of the mesh.

        Reflections keep the links of XY routes; the diagonal does not. Redundant.
        """
        width, height = self.sets.width, self.sets.height
        if not self.sets.tiles_alike:
            return
        for t in self.sets.tiles:
            if 2 * (t % width) >= width + width % 2 or 2 * (t // width) >= height + height % 2:
                self.cp.add(self.z[self.sets.busiest, t] == 0)

    def _indicator(self, a: int, tiles: list[int], name: str) -> cp_model.IntVar:
        inside = self.cp.new_bool_var(name)
        self.cp.add(sum(self.z[a, t] for t in tiles) == inside)
        return inside

    def cross_lines(self) -> None:
        """(B12)  e[n,c] >= G[a,c] - G[b,c];  v[n,x,r] >= C[b,x] + H[a,r] - H[b,r] - 1.

        For all readers b of n, a its source; a and b change places for the other direction.
        """
        width, tiles = self.sets.width, self.sets.tiles
        columns, rows = range(width), range(self.sets.height - 1)
        before, below, inside = {}, {}, {}
        for a in self.sets.clusters:
            for c in columns:
                here = [t for t in tiles if t % width <= c]
                before[a, c] = self._indicator(a, here, f"G_{a}_{c}")
                only = [t for t in tiles if t % width == c]
                inside[a, c] = self._indicator(a, only, f"C_{a}_{c}")
            for r in rows:
                here = [t for t in tiles if t // width <= r]
                below[a, r] = self._indicator(a, here, f"H_{a}_{r}")
        for n, net in enumerate(self.nets):
            a = net.source
            for c, way in product(columns[:-1], (0, 1)):
                crossed = self._crossing(net.weight, f"e_{n}_{c}_{way}")
                for b in net.readers:
                    first, second = (a, b) if way == 0 else (b, a)
                    self.cp.add_bool_or(~before[first, c], before[second, c], crossed)
            for x, r, way in product(columns, rows, (0, 1)):
                crossed = self._crossing(net.weight, f"v_{n}_{x}_{r}_{way}")
                for b in net.readers:
                    first, second = (a, b) if way == 0 else (b, a)
                    sides = (~below[first, r], below[second, r])
                    self.cp.add_bool_or(~inside[b, x], *sides, crossed)

    def _crossing(self, weight: int, name: str) -> cp_model.IntVar:
        crossed = self.cp.new_bool_var(name)
        self.crossed.append((weight, crossed))
        return crossed

    def minimize_multicast_hops(self) -> None:
        """(B0d)."""
        self.cp.minimize(sum(weight * crossed for weight, crossed in self.crossed))


def multicast_hops_of(nets: list[Net], width: int, tile_of: list[int]) -> int:
    """Return the multicast hops of a binding on a mesh: what the model claims, not by the judge."""
    total = 0
    for net in nets:
        links = set()
        y, x = divmod(tile_of[net.source], width)
        for b in net.readers:
            row, column = divmod(tile_of[b], width)
            links |= {(0, y, c, column > x) for c in range(min(x, column), max(x, column))}
            links |= {(1, column, r, row > y) for r in range(min(y, row), max(y, row))}
        total += net.weight * len(links)
    return total


def why_not_built(crossings: int, clauses: int, left: float) -> str:
    """Return why a model of so many clauses is not built in ``left`` seconds; empty if it may be.

    Examples
    --------
    >>> why_not_built(1_000, 10_000, 0.5)
    ''
    >>> why_not_built(1_000, 600_000, 0.5)
    'no model of multicast hops: 600,000 terms take some 4.8 s to build, 0.5 s are left'
    >>> why_not_built(300_000, 600_000, 60.0)
    'no model of multicast hops: 300,000 lines to cross, at most 200,000 are tried'
    """
    if crossings > MAX_CROSSINGS:
        return (
            f"no model of multicast hops: {crossings:,} lines to cross,"
            f" at most {MAX_CROSSINGS:,} are tried"
        )
    terms, seconds = f"{clauses:,} terms", SECONDS_PER_CLAUSE * clauses
    return too_long("no model of multicast hops", terms, seconds, left)


def solve(
    graph: ClusterGraph,
    platform: Platform,
    limits: Limits,
    *,
    warm: Binding | None = None,
    workers: int = WORKERS,
) -> Outcome[Binding]:
    """(B0d) Return a binding of fewest multicast hops, and a bound for this clustering.

    Raises
    ------
    ValueError
        If the platform is no mesh with all tiles and links in use.
    """
    sets, watch = BindingSets(graph, platform), Stopwatch(limits)
    if not sets.on_mesh:
        raise ValueError(f"platform {platform.name!r}: multicast hops need a mesh, all in use")
    nets = nets_of(graph)
    known = warm if warm is not None and fits_platform(graph, platform, warm) else None
    reached = None if known is None else multicast_hops_of(nets, sets.width, known.tile_of.tolist())
    lines = 2 * (sets.width - 1) + 2 * sets.width * (sets.height - 1)
    why_not = why_not_built(
        lines * len(nets), lines * sum(len(n.readers) for n in nets), watch.left
    )
    if why_not:
        status = Status.UNKNOWN if known is None else Status.FEASIBLE
        return Outcome(status, known, reached, note=why_not)
    model = MulticastModel(sets, nets)
    model.build()
    model.stand_in_a_quadrant()
    model.cross_lines()
    model.minimize_multicast_hops()
    if known is not None:
        for (a, t), z in model.z.items():
            model.cp.add_hint(z, int(known.tile_of[a]) == t)
    run = run_cpsat(model.cp, watch, workers=workers)
    if run.value is not None:
        value = run.solver.value
        tiles = [next(t for t in sets.tiles if value(model.z[a, t])) for a in sets.clusters]
        found = multicast_hops_of(nets, sets.width, tiles)
        if reached is None or found < reached:
            known, reached = Binding(np.array(tiles, dtype=np.int32)), found
    if known is None:
        return Outcome(run.status, bound=run.bound, trace=watch.trace)
    status = Status.OPTIMAL if run.bound == reached else Status.FEASIBLE
    return Outcome(status, known, reached, run.bound, watch.trace)
