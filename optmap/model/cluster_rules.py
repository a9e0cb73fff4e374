"""Demands of a user on clusters: which of them share a tile, which must not, and which tile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.snn import IndexArray, IntArray
from optmap.model.unit_rules import UnitRules


@dataclass(frozen=True, eq=False)
class ClusterRules:
    """Demands by cluster.

    Parameters
    ----------
    group : (K,) int array
        Clusters of one group share a tile; a cluster that nothing is demanded of is a group alone.
    tile : tuple of int
        Tile of each group, -1: open.
    colour : (L, groups) int array
        Which of the sets of each list of sets apart a group is of, -1: none.
    possible : bool
        False where some group contradicts itself: no binding will do.
    """

    group: IntArray
    tile: tuple[int, ...]
    colour: IntArray
    possible: bool = True

    def allows(self, tile_of: IndexArray) -> bool:
        """Tell whether a binding keeps groups together, on their tiles, and apart."""
        at: dict[int, int] = {}
        for group, tile in zip(self.group.tolist(), tile_of.tolist(), strict=True):
            if at.setdefault(group, tile) != tile or self.tile[group] not in (-1, tile):
                return False
        for row in self.colour.tolist():
            on: dict[int, int] = {}
            for group, tile in at.items():
                if row[group] >= 0 and on.setdefault(tile, row[group]) != row[group]:
                    return False
        return self.possible


def no_rules(num_clusters: int) -> ClusterRules:
    """Return rules that demand nothing: each cluster is a group alone."""
    nothing = np.empty((0, num_clusters), dtype=np.int64)
    return ClusterRules(np.arange(num_clusters), (-1,) * num_clusters, nothing)


def cluster_rules(rules: UnitRules, clustering: Clustering) -> ClusterRules:
    """Return the demands by cluster: clusters that hold units of one site share its tile."""
    pairs = np.unique(np.stack([clustering.cluster_of, rules.label]), axis=1).T.tolist()
    group = np.arange(clustering.num_clusters)
    first: dict[int, int] = {}
    for k, label in pairs:
        site = rules.site[label]
        if site >= 0:
            joined = group[first.setdefault(site, k)]
            group[group == group[k]] = joined
    _, group = np.unique(group, return_inverse=True)
    count = int(group.max(initial=-1)) + 1
    marks = [[-1] * count for _ in range(1 + len(rules.colour))]  # tiles, then each list's sets
    possible = True
    for k, label in pairs:
        site = rules.site[label]
        own = [rules.tile[site] if site >= 0 else -1, *(int(row[label]) for row in rules.colour)]
        for row, mark in zip(marks, own, strict=True):
            if mark >= 0:
                possible &= row[group[k]] in (-1, mark)
                row[group[k]] = mark
    colour = np.array(marks[1:], dtype=np.int64).reshape(-1, count)
    return ClusterRules(group, tuple(marks[0]), colour, possible)


def rules_of_graph(
    made_of: tuple[Decomposition, Clustering] | None,
) -> ClusterRules | None:
    """Return what is demanded of the clusters of a graph; None: nothing."""
    if made_of is None or made_of[0].rules is None:
        return None
    return cluster_rules(made_of[0].rules, made_of[1])
