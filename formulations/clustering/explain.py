"""Why a network does not fit a platform, and the smallest relaxation that helps.

Each suggestion changes one number, crossbars, rows or columns, or rows and columns together in
their proportion, to the least value for which a clustering was found, and says which smaller values
are proved impossible; in between nothing is known, and the suggestion says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from formulations.clustering.column_generation import solve as partition_colgen
from optmap.bounds.bound import best
from optmap.bounds.clusters import cluster_bounds
from optmap.bounds.rows import crossbars_needed, rows_taken
from optmap.clustering.contract import cluster as hold
from optmap.decomposing.contract import decompose
from optmap.errors import CapacityError
from optmap.model.capacity import unit_fan_in
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.outcome import Limits
from optmap.model.platform import Crossbar, Platform
from optmap.model.snn import SNN

ROWS, COLUMNS, BOTH = "rows", "columns", "rows and columns together"


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One number changed: ``enough`` is known to suffice, all below ``needed`` to be impossible.

    ``enough`` equals ``needed`` where the relaxation is proved smallest; otherwise it is an
    estimate from above. None for ``enough``: nothing tried was enough. ``columns`` are (had,
    enough), where rows and columns grow together and the numbers are the rows.
    """

    what: str
    have: int
    needed: int
    enough: int | None
    columns: tuple[int, int] | None = None

    @property
    def proved(self) -> bool:
        """Whether no smaller relaxation exists."""
        return self.enough == self.needed

    def __str__(self) -> str:
        """Say it in one line."""
        have, enough = str(self.have), str(self.enough)
        if self.columns is not None:
            have, enough = f"{have} x {self.columns[0]}", f"{enough} x {self.columns[1]}"
        if self.enough is None:
            return f"{self.what}: {have} do not suffice, no larger number tried did"
        how = "proved smallest" if self.proved else f"below {self.needed} proved impossible"
        if self.columns is not None:
            how = how.replace("impossible", "impossible for the rows")
        return f"{self.what}: {enough} instead of {have} suffice ({how})"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why the clusters outnumber the slots.

    Parameters
    ----------
    slots : int
        Clusters the platform holds.
    needed : int
        Proved lower bound on the clusters.
    by_population : tuple of (name, clusters)
        Lower bounds for single populations, largest first: the part each must take by itself.
    relaxations : tuple of Relaxation
        Changes of one number each that make it fit.
    """

    slots: int
    needed: int
    by_population: tuple[tuple[str, int], ...]
    relaxations: tuple[Relaxation, ...]


Cluster = Callable[[Decomposition, Platform], Clustering]


def explain(
    snn: SNN,
    platform: Platform,
    policy: str,
    limits: Limits,
    cluster: Cluster,
    *,
    most: int = 4096,
) -> Conflict | None:
    """Return why ``snn`` does not fit the slots of ``platform``; None if a clustering does fit.

    Parameters
    ----------
    cluster : callable
        A heuristic clustering, the start of each search.
    most : int
        Largest number of rows or columns tried.
    """
    slots = platform.total_slots
    if slots is None:
        return None
    decomposition = decompose(snn, unit_fan_in(snn, platform), policy)
    share = replace(limits, wall_s=limits.wall_s / 2)
    outcome = partition_colgen.solve(
        decomposition, platform, share, cluster(decomposition, platform)
    )
    found, needed = outcome.claimed, int(outcome.bound or 0)
    solution = outcome.solution
    if solution is not None:  # held to what the platform limits besides rows and columns
        found = hold(lambda *_, **__: solution, decomposition, platform).num_clusters
    if found is not None and found <= slots:
        return None
    search = _Search(snn, platform, policy, cluster, slots, most)
    wider = [search.least(what) for what in (ROWS, COLUMNS, BOTH)]
    crossbars = Relaxation("crossbars", slots, max(needed, slots + 1), None)
    if found is not None:
        crossbars = Relaxation("crossbars", slots, needed, int(found))
    return Conflict(slots, needed, _by_population(decomposition, platform), (crossbars, *wider))


def _by_population(decomposition: Decomposition, platform: Platform) -> tuple[tuple[str, int], ...]:
    """Return a lower bound on the clusters that hold units of each population."""
    network = decomposition.network
    rows, columns = platform.max_rows, platform.max_columns
    post = network.post_of_synapse()
    found = []
    for population in network.populations:
        own = (post >= population.first) & (post <= population.last)
        units = int((network.fan_in[population.first : population.last + 1] > 0).sum())
        if units:
            readers = np.bincount(network.indices[own], minlength=network.num_neurons)
            taken = rows_taken(readers, columns)
            found.append((population.name, crossbars_needed(units, taken, rows, columns)))
    return tuple(sorted(found, key=lambda item: -item[1]))


@dataclass(frozen=True, slots=True)
class _Search:
    """Searches the least size of all crossbars with which the heuristic needs few clusters."""

    snn: SNN
    platform: Platform
    policy: str
    cluster: Cluster
    slots: int
    most: int

    def least(self, what: str) -> Relaxation:
        """Return the least ``what`` that is enough: doubling, then bisection.

        That smaller values are impossible is proved by the bounds without a solver alone, so a gap
        between both remains and is reported.
        """
        columns = self.platform.max_columns
        have = columns if what == COLUMNS else self.platform.max_rows
        enough = _first(lambda size: self._fits(self.larger(what, size)), have, self.most)
        pair = None if what != BOTH else (columns, self._columns(enough or have))
        if enough is None:
            return Relaxation(what, have, have + 1, None, pair)
        # rows change the decomposition, so the bound need not fall with them: check upwards
        needed = have
        while needed < enough and self._impossible(self.larger(what, needed)):
            needed += 1
        return Relaxation(what, have, needed, enough, pair)

    def larger(self, what: str, size: int) -> Platform:
        """Return the platform whose largest crossbar has ``size`` rows (or columns)."""
        rows = 0 if what == COLUMNS else size - self.platform.max_rows
        columns = 0
        if what != ROWS:
            wide = size if what == COLUMNS else self._columns(size)
            columns = (wide - self.platform.max_columns) * self.platform.cells_per_synapse
        tiles = tuple(
            replace(
                tile,
                crossbar=Crossbar(tile.crossbar.rows + rows, tile.crossbar.columns + columns),
            )
            for tile in self.platform.tiles
        )
        return replace(self.platform, tiles=tiles)

    def _columns(self, rows: int) -> int:
        """Return the columns that go with so many rows, in today's proportion, rounded up."""
        return -(-self.platform.max_columns * rows // self.platform.max_rows)

    def _fits(self, wider: Platform) -> bool:
        decomposition = decompose(self.snn, unit_fan_in(self.snn, wider), self.policy)
        try:
            return self.cluster(decomposition, wider).num_clusters <= self.slots
        except CapacityError:  # some unit fits no crossbar
            return False

    def _impossible(self, wider: Platform) -> bool:
        bound = best(
            cluster_bounds(decompose(self.snn, unit_fan_in(self.snn, wider), self.policy), wider)
        )
        return bound is not None and bound.value > self.slots


def _first(holds: Callable[[int], bool], have: int, most: int) -> int | None:
    """Return a size that holds, found by doubling and bisection; None up to ``most``."""
    low, high = have, have
    while not holds(high):
        if high >= most:
            return None
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
