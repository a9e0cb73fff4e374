"""Demands of a user on units: which of them may share a cluster, and how many."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from optmap.model.constraints import NeuronRules, Sizes
from optmap.model.snn import IndexArray, IntArray


@dataclass(frozen=True, eq=False)
class UnitRules:
    """Demands by unit: units of one *label* are demanded alike.

    Parameters
    ----------
    label : (U,) int array
        Label of each unit, by position in ``network.units``.
    site : tuple of int
        Site of each label, -1: none.
    tile : tuple of int
        Tile of each site, -1: open.
    colour : (L, labels) int array
        Group of each label in each list of groups apart, -1: none.
    sizes : Sizes
        How many units clusters may hold.
    """

    label: IntArray
    site: tuple[int, ...]
    tile: tuple[int, ...]
    colour: IntArray
    sizes: Sizes

    @cached_property
    def clash(self) -> npt.NDArray[np.bool_]:
        """Whether units of two labels must not be in one cluster, shape (labels, labels)."""
        tile = np.array([self.tile[s] if s >= 0 else -1 for s in self.site], dtype=np.int64)
        both: npt.NDArray[np.bool_] = (tile[:, None] >= 0) & (tile >= 0) & (tile[:, None] != tile)
        for row in self.colour:
            both |= (row[:, None] >= 0) & (row >= 0) & (row[:, None] != row)
        return both

    @property
    def clashing(self) -> list[tuple[int, int]]:
        """Pairs of labels a < b that clash."""
        return [(int(a), int(b)) for a, b in np.argwhere(np.triu(self.clash))]

    def allows(self, cluster_of: IndexArray) -> bool:
        """Tell whether the members of every cluster go together, and are enough and few enough."""
        pairs = np.unique(np.stack([cluster_of, self.label]), axis=1)
        ends = np.searchsorted(pairs[0], np.arange(1, int(cluster_of.max(initial=-1)) + 1))
        for labels in np.split(pairs[1], ends):
            if self.clash[np.ix_(labels, labels)].any():
                return False
        return next(self.sizes.broken(np.bincount(cluster_of).tolist()), None) is None


def unit_rules(rules: NeuronRules, owner: IndexArray) -> UnitRules:
    """Return the demands by unit; ``owner`` is the neuron that each unit serves."""
    marks = np.concatenate([rules.site[None, owner], rules.colour[:, owner]])
    kinds, label = np.unique(marks, axis=1, return_inverse=True)
    return UnitRules(
        label.reshape(-1),
        tuple(kinds[0].tolist()),
        rules.tile,
        kinds[1:],
        rules.sizes,
    )
