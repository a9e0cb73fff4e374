"""Kinds of crossbar with areas and a stock of each: what (P0c) chooses from.

Every cluster has a crossbar of its own here; a stock of None is endless. Areas are whole numbers of
a common unit, so that models and certificates stay exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

import numpy as np
from scipy.optimize import linear_sum_assignment

from optmap.model.capacity import stated
from optmap.model.cluster_graph import axons
from optmap.model.components import tile_area
from optmap.model.mapping import Clustering
from optmap.model.platform import Platform
from optmap.model.snn import SNN


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of crossbar.

    Parameters
    ----------
    rows, columns : int
        R_h and C'_h, at least 1.
    area : int
        area_h > 0, in a unit that all kinds share.
    stock : int or None
        How many there are; None: as many as wanted.
    """

    rows: int
    columns: int
    area: int
    stock: int | None = None

    def __post_init__(self) -> None:
        if min(self.rows, self.columns, self.area) < 1 or (self.stock or 0) < 0:
            raise ValueError(f"{self}: rows, columns and area must be >= 1, the stock >= 0")

    def holds(self, rows: int, columns: int) -> bool:
        """Tell whether a cluster of so many rows and units fits."""
        return rows <= self.rows and columns <= self.columns


def kinds_of(platform: Platform) -> tuple[tuple[Kind, ...], Fraction]:
    """Return a platform's kinds of crossbar, as many of each as tiles, and the areas' unit in um2.

    Area of a tile: :func:`optmap.model.components.tile_area`.

    Raises
    ------
    ValueError
        If some tile has no area.
    """
    if stated(platform) or platform.limits_outgoing:
        raise ValueError(f"platform {platform.name!r} limits more than rows and columns: no areas")
    tiles: dict[tuple[int, int, Fraction], int] = {}
    for tile, columns in zip(platform.tiles, platform.columns_of, strict=True):
        area = tile_area(platform, tile)
        if area <= 0:
            raise ValueError(f"platform {platform.name!r}: a tile of area {area}")
        if columns:
            key = (tile.crossbar.rows, columns, area)
            tiles[key] = tiles.get(key, 0) + 1
    whole = lcm(*(area.denominator for _, _, area in tiles))
    unit = Fraction(gcd(*(int(area * whole) for _, _, area in tiles)), whole)
    made = tuple(Kind(r, c, int(area / unit), n) for (r, c, area), n in tiles.items())
    return made, unit


def assign_kinds(network: SNN, clustering: Clustering, kinds: tuple[Kind, ...]) -> list[int] | None:
    """Return the kind of every cluster for the least total area; None if the stock is too small.

    An assignment problem: kinds in short supply are as many columns of it as there are crossbars.
    """
    num = clustering.num_clusters
    _, cluster = axons(network, clustering)
    rows, sizes = np.bincount(cluster, minlength=num), clustering.sizes
    items = [h for h, kind in enumerate(kinds) for _ in range(_most(kind, num))]
    if len(items) < num:
        return None
    cost = np.full((num, len(items)), np.inf)
    for j, h in enumerate(items):
        fits = (rows <= kinds[h].rows) & (sizes <= kinds[h].columns)
        cost[fits, j] = kinds[h].area
    try:
        chosen, item = linear_sum_assignment(cost)
    except ValueError:  # SciPy's word for: no assignment of finite cost
        return None
    return [items[j] for _, j in sorted(zip(chosen.tolist(), item.tolist(), strict=True))]


def area_of(network: SNN, clustering: Clustering, kinds: tuple[Kind, ...]) -> int | None:
    """Return the least area of a clustering, a crossbar for each cluster; None if it cannot be."""
    assigned = assign_kinds(network, clustering, kinds)
    return None if assigned is None else sum(kinds[h].area for h in assigned)


def most_clusters(kinds: tuple[Kind, ...], num_units: int, area: int | None) -> int:
    """Return how many clusters a clustering of at most ``area`` can have."""
    most = min(num_units, sum(_most(kind, num_units) for kind in kinds))
    return most if area is None else min(most, area // min(kind.area for kind in kinds))


def _most(kind: Kind, num: int) -> int:
    return num if kind.stock is None else min(kind.stock, num)
