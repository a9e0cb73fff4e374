"""Decomposition by blocks of the connectivity matrix: pieces that share rows, wherever they are.

Units of different neurons share a crossbar only as far as they read the same sources. A policy that
cuts every neuron by itself forgoes that: of two neurons whose fan-ins overlap by half, no two units
need have a source in common. Here the synapses are covered by blocks of at most R sources times C'
neurons first (:mod:`optmap.decomposing.kernels.block_cover`), and each neuron is cut where blocks
end, whether or not it would fit a crossbar: all pieces of a block then read the same R sources.
Pseudo-code::

    for every neuron: its pieces, one a block; pieces of a single source dissolve
        the neuron itself takes over one of them, where the block's rows leave room for the others
        otherwise it reads them all, through units in between where they are more than R

Complexity: O(B (R f_out + C' f_in)) for B blocks; the matrix is read a constant number of times for
each block that is grown.

Source: this project's own, after row and column tilings of a matrix on crossbars; alternating
between the best columns for given rows and back is the usual search for dense submatrices [1]_.

References
----------
.. [1] Shabalin, Weigman, Perou, Nobel, "Finding large average submatrices in high dimensional
   data", Annals of Applied Statistics 3, 2009.
"""

from __future__ import annotations

import numpy as np

from optmap.decomposing.kernels.block_cover import Shape, blocks_of, pieces_of
from optmap.model.capacity import unit_fan_in
from optmap.model.decomposition import Decomposition, custom
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IndexArray, IntArray

#: Synapses that a piece covers at least, where nothing else is said.
LEAST = 4.0


def decompose(
    snn: SNN,
    platform: Platform,
    *,
    seed: int = 0,
    least: float = LEAST,
    closed: bool = False,
    split_all: bool = True,
) -> Decomposition:
    """Return ``snn`` cut where blocks of its connectivity end.

    Parameters
    ----------
    least : float
        Synapses that a piece must cover to be worth the row that reads it.
    closed : bool
        Whether a block takes every reader of its sources, so that these are in no other one.
    split_all : bool
        Whether neurons that fit a crossbar may be cut too.
    """
    shape = Shape(unit_fan_in(snn, platform), platform.max_columns, least, closed)
    whole = 0 if split_all else shape.rows
    return units_of_blocks(snn, shape.rows, blocks_of(snn, shape, seed, whole))


def units_of_blocks(snn: SNN, rows: int, block: IndexArray) -> Decomposition:
    """Return the units that a cover makes of every neuron.

    Parameters
    ----------
    rows : int
        R.
    block : (S,) int32 array
        The block of each synapse; a neuron reads at most R sources in one.

    Examples
    --------
    >>> from optmap.model.snn import from_edges
    >>> snn = from_edges([0, 1, 2, 3], [4, 4, 4, 4], 5)
    >>> made = units_of_blocks(snn, 4, np.array([0, 0, 1, 1], dtype=np.int32))
    >>> [made.network.sources_of(int(u)).tolist() for u in made.network.units]
    [[0, 1, 5], [2, 3]]
    """
    neuron, ptr, reads = pieces_of(snn, block)
    size = np.diff(ptr)
    number = block_of_piece(snn, block)
    spare = rows - _rows_by_block(snn, block)
    starts = np.searchsorted(neuron, np.arange(snn.num_neurons + 1))
    inserted: list[tuple[int, list[int]]] = []
    replaced: dict[int, list[int]] = {}
    for j in np.flatnonzero(np.diff(starts) > 1).tolist():
        own = np.arange(starts[j], starts[j + 1])
        pieces = own[size[own] > 1].tolist()
        direct = reads[np.concatenate([np.arange(ptr[p], ptr[p + 1]) for p in own])]
        direct = direct[np.repeat(size[own] == 1, size[own])].tolist()
        need = len(pieces) - 1 + len(direct)
        room = [p for p in pieces if spare[number[p]] >= need and size[p] + need <= rows]
        if room:
            root = max(room, key=lambda p: int(spare[number[p]]))
            spare[number[root]] -= need
            direct += reads[ptr[root] : ptr[root + 1]].tolist()
            pieces.remove(root)
        made = []
        for p in pieces:
            made.append(snn.num_neurons + len(inserted))
            inserted.append((j, reads[ptr[p] : ptr[p + 1]].tolist()))
        replaced[j] = _joined(snn.num_neurons, j, direct + made, rows, inserted)
    return custom(snn, rows, inserted, replaced)


def block_of_piece(snn: SNN, block: IndexArray) -> IntArray:
    """Return the block of every piece, in the order of ``pieces_of``."""
    post = snn.post_of_synapse().astype(np.int64)
    width = int(block.max(initial=0)) + 1
    return np.unique(post * width + block) % width


def _rows_by_block(snn: SNN, block: IndexArray) -> IntArray:
    """Return how many sources each block has on its rows."""
    width = int(block.max(initial=0)) + 1
    pairs = np.unique(block.astype(np.int64) * snn.num_neurons + snn.indices)
    return np.bincount(pairs // max(1, snn.num_neurons), minlength=width)


def _joined(
    n: int, owner: int, reads: list[int], rows: int, inserted: list[tuple[int, list[int]]]
) -> list[int]:
    """Return what the neuron itself reads: R at a time go through units in between."""
    while len(reads) > rows:
        take = max(2, min(rows, len(reads) - rows + 1))
        made = n + len(inserted)
        inserted.append((owner, sorted(reads[:take])))
        reads = [*reads[take:], made]
    return reads
