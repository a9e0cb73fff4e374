"""Why a network does not fit a platform, and the smallest relaxation that helps.

Each suggestion changes one number, crossbars, rows or columns, to the least value for which a
clustering was found, and says which smaller values are proved impossible; in between nothing is
known, and the suggestion says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from formulations.clustering.column_generation import solve as partition_colgen
from optmap.bounds.bound import best
from optmap.bounds.clusters import cluster_bounds
from optmap.model.decomposition import Decomposition, decompose
from optmap.model.mapping import Clustering
from optmap.model.outcome import Limits
from optmap.model.platform import Crossbar, Platform
from optmap.model.snn import SNN


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One number changed: ``enough`` is known to suffice, all below ``needed`` to be impossible.

    ``enough`` equals ``needed`` where the relaxation is proved smallest; otherwise it is an
    estimate from above. None for ``enough``: nothing tried was enough.
    """

    what: str
    have: int
    needed: int
    enough: int | None

    @property
    def proved(self) -> bool:
        """Whether no smaller relaxation exists."""
        return self.enough == self.needed

    def __str__(self) -> str:
        """Say it in one line."""
        if self.enough is None:
            return f"{self.what}: {self.have} do not suffice, no larger number tried did"
        how = "proved smallest" if self.proved else f"below {self.needed} proved impossible"
        return f"{self.what}: {self.enough} instead of {self.have} suffice ({how})"


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
    decomposition = decompose(snn, platform.max_rows, policy)
    share = replace(limits, wall_s=limits.wall_s / 2)
    outcome = partition_colgen.solve(
        decomposition, platform, share, cluster(decomposition, platform)
    )
    found, needed = outcome.claimed, int(outcome.bound or 0)
    if found is not None and found <= slots:
        return None
    wider = []
    for what, have in (("rows", platform.max_rows), ("columns", platform.max_columns)):
        wider.append(_least_size(snn, platform, policy, cluster, slots, what, have, most))
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
            taken = int((-(-readers // columns)).sum())
            found.append((population.name, max(-(-units // columns), -(-taken // rows))))
    return tuple(sorted(found, key=lambda item: -item[1]))


def _least_size(
    snn: SNN,
    platform: Platform,
    policy: str,
    cluster: Cluster,
    slots: int,
    what: str,
    have: int,
    most: int,
) -> Relaxation:
    """Search the least ``what`` of all crossbars with which the heuristic needs few clusters.

    Doubling, then bisection. That smaller values are impossible is proved by the bounds without a
    solver alone, so a gap between both remains and is reported.
    """

    def larger(size: int) -> Platform:
        extra = (size - have) * (platform.cells_per_synapse if what == "columns" else 1)
        tiles = tuple(
            replace(
                tile,
                crossbar=Crossbar(
                    tile.crossbar.rows + (extra if what == "rows" else 0),
                    tile.crossbar.columns + (extra if what == "columns" else 0),
                ),
            )
            for tile in platform.tiles
        )
        return replace(platform, tiles=tiles)

    def fits(size: int) -> bool:
        wider = larger(size)
        return cluster(decompose(snn, wider.max_rows, policy), wider).num_clusters <= slots

    def impossible(size: int) -> bool:
        wider = larger(size)
        bound = best(cluster_bounds(decompose(snn, wider.max_rows, policy), wider))
        return bound is not None and bound.value > slots

    enough = _first(fits, have, most)
    if enough is None:
        return Relaxation(what, have, have + 1, None)
    # rows change the decomposition, so the bound need not fall with them: check upwards
    needed = have
    while needed < enough and impossible(needed):
        needed += 1
    return Relaxation(what, have, needed, enough)


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
