"""Bindings along the data: tiles are stages of a pipeline, which no order of a tile can block.

Where every channel leads to its own tile or to a later one of a fixed row of tiles, each tile may
begin its round when the tiles before have done theirs: any order that obeys the channels within
the tile then runs without a gap, as long as credits last. So a binding of even loads often has
orders of exactly the load bound, where a binding of few sends has none. Clusters of one cycle of
channels stay together, or, where no tile has room for them, go back a place for each iteration
that is there at the beginning. It is a restriction: what is not found here says nothing.

Row of tiles: from tile 0, always the nearest one not taken. ``after[a,k]`` = 1 iff a runs on one
of the tiles from place k of the row on.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from ortools.sat.python import cp_model
from scipy import sparse
from scipy.sparse import csgraph

from formulations.joint.master import MasterModel
from formulations.joint.sets import JointSets


class StagedModel(MasterModel):
    """The master's families (but for (B6): tiles are told apart here), channels along the row.

    Parameters
    ----------
    together : bool
        Whether clusters of one cycle of channels are on one tile.
    """

    def __init__(self, sets: JointSets, period: Fraction, *, together: bool) -> None:
        super().__init__(sets, period)
        self.together = together

    def build(self) -> StagedModel:
        """Post the families."""
        self.place_within_loads()
        self.go_along_the_row()
        return self

    def go_along_the_row(self) -> None:
        """(J3)  after[a,k] <= after[b, k - i]  for channels (a, b) of i initial iterations.

        With ``together``, i = 0 for channels of a cycle.
        """
        row, label = self._row(), circles(self.sets)
        after = [self._after(a, row) for a in self.sets.clusters]
        for e in self.sets.channels:
            held = self.together and label[e.source] == label[e.target]
            ahead = 0 if held else e.initial
            for k in range(1 + ahead, len(row)):
                self.cp.add_implication(after[e.source][k], after[e.target][k - ahead])

    def _after(self, a: int, row: list[int]) -> list[cp_model.IntVar]:
        after = [self.cp.new_bool_var(f"after_{a}_{k}") for k in range(len(row))]
        self.cp.add(after[0] == 1)
        for k, t in enumerate(row):
            beyond = after[k + 1] if k + 1 < len(row) else 0
            self.cp.add(after[k] - beyond == self.z[a, t])
        return after

    def _row(self) -> list[int]:
        hops, row = self.sets.hops, [0]
        while len(row) < len(hops):
            left = [t for t in self.sets.tiles if t not in row]
            row.append(min(left, key=lambda t: (hops[row[-1]][t], t)))
        return row


def circles(sets: JointSets) -> list[int]:
    """Return a number for each cluster, the same for those on one cycle of channels."""
    g, n = sets.graph, len(sets.clusters)
    linked = sparse.csr_matrix((np.ones(g.num_channels), (g.source, g.target)), shape=(n, n))
    label: list[int] = csgraph.connected_components(linked, connection="strong")[1].tolist()
    return label
