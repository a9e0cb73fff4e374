"""Crossbar sizing: how many programs a network needs on square crossbars of each usual size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from optmap.bounds.bound import best
from optmap.bounds.clusters import cluster_bounds
from optmap.bounds.resident_memory import memory_shortage
from optmap.clustering.contract import cluster
from optmap.clustering.overlap import partition
from optmap.decomposing.contract import decompose
from optmap.model.capacity import unit_fan_in
from optmap.model.platform import Crossbar, Platform
from optmap.model.snn import SNN

#: Sizes that chips are built in, smallest and largest side.
SIDES = (16, 32, 64, 128, 256, 512, 1024)


@dataclass(frozen=True, slots=True)
class Sizing:
    """A network on the platform's tiles with crossbars of another size.

    Parameters
    ----------
    rows, columns : int
        The size.
    units : int
        What the tree decomposition makes of the network there.
    least, found : int
        Clusters that are needed at least, and that a heuristic finds.
    per_tile : int
        The most programs that a tile then holds, if they are spread evenly.
    fits : bool
        Whether the platform has slots for those that were found.
    used : Fraction
        Cells in use, of those of all the clusters found.
    """

    rows: int
    columns: int
    units: int
    least: int
    found: int
    per_tile: int
    fits: bool
    used: Fraction


def sizings(snn: SNN, platform: Platform) -> Iterator[Sizing]:
    """Yield one sizing for each usual side near the platform's own, and for the own size."""
    rows, columns = platform.max_rows, max(tile.crossbar.columns for tile in platform.tiles)
    own = max(rows, columns)
    sizes = {(side, side) for side in SIDES if own // 4 <= side <= 4 * own} | {(rows, columns)}
    for size in sorted(sizes, key=lambda size: (size[0] * size[1], size)):
        if size[1] >= platform.cells_per_synapse:
            yield sizing(snn, platform, *size)


def sizing(snn: SNN, platform: Platform, rows: int, columns: int) -> Sizing:
    """Return how the network fits the platform's tiles with crossbars of one size."""
    changed = with_crossbars(platform, rows, columns)
    decomposition = decompose(snn, unit_fan_in(snn, changed), "tree")
    proved = best(cluster_bounds(decomposition, changed))
    found = cluster(partition, decomposition, changed).num_clusters
    slots = changed.total_slots
    cells = found * rows * columns or 1
    return Sizing(
        rows,
        columns,
        decomposition.num_units,
        proved.whole if proved else 0,
        found,
        -(-found // changed.num_tiles),
        (slots is None or found <= slots) and not memory_shortage(decomposition.network, changed),
        Fraction(decomposition.network.num_synapses * platform.cells_per_synapse, cells),
    )


def with_crossbars(platform: Platform, rows: int, columns: int) -> Platform:
    """Return the platform with crossbars of one size on all tiles."""
    tiles = tuple(replace(tile, crossbar=Crossbar(rows, columns)) for tile in platform.tiles)
    return replace(platform, tiles=tiles)
