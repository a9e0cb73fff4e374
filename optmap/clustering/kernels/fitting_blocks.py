"""Blocks of a partitioner made to fit: split where crossbars hold too little, then packed again."""

from __future__ import annotations

from typing import Any

import numpy as np

from optmap.bounds.rows import crossbars_needed, rows_taken
from optmap.clustering.kernels.packing import pack
from optmap.clustering.kernels.twins import Twins
from optmap.compiled import compiled
from optmap.model.mapping import Clustering, compact
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IndexArray, IntArray


def fitted(
    network: SNN, twins: Twins, limits: IntArray, block_of: IndexArray
) -> tuple[tuple[int, int], Clustering]:
    """Return clusters that fit, made of blocks, after their number and the spikes on all rows.

    Parameters
    ----------
    limits : (C' + 2,) int64 array
        Most rows of a crossbar with so many columns.
    block_of : (U,) int32 array
        Block of each unit position.
    """
    room = np.concatenate(([0], np.cumsum(network.fan_out + 1)))
    part_ptr, units = _split(network.indptr, network.indices, network.units, block_of, limits)
    size = np.ones(len(units), dtype=np.int32)
    classes = twins.class_of[units]
    bin_of_part, held = pack(
        twins.source_ptr, twins.sources, part_ptr, classes, size, room, limits, len(units)
    )
    cluster_of = np.empty(len(units), dtype=np.int32)
    cluster_of[units] = bin_of_part
    clustering = compact(cluster_of)
    return (clustering.num_clusters, int(held @ network.spikes)), clustering


def fewest_blocks(network: SNN, platform: Platform) -> int:
    """Return a number of clusters that rows and columns make necessary."""
    rows, columns = platform.max_rows, platform.max_columns
    return crossbars_needed(network.num_units, rows_taken(network.fan_out, columns), rows, columns)


@compiled
def _split(indptr: Any, indices: Any, units: Any, block_of: Any, row_limit: Any) -> Any:
    """Cut blocks into clusters that fit; return compressed lists of unit positions."""
    order = np.argsort(block_of, kind="mergesort")
    placed = np.zeros(len(units), dtype=np.bool_)
    on_row_of = np.full(len(indptr) - 1, -1, dtype=np.int32)
    part_ptr = np.zeros(len(units) + 1, dtype=np.int64)
    parts = np.empty(len(units), dtype=np.int32)
    clusters, done, start = 0, 0, 0
    while start < len(order):
        stop = start
        while stop < len(order) and block_of[order[stop]] == block_of[order[start]]:
            stop += 1
        while done < stop:
            rows, columns = 0, 0
            for o in range(start, stop):
                p = order[o]
                if placed[p]:
                    continue
                new = 0
                for s in range(indptr[units[p]], indptr[units[p] + 1]):
                    new += on_row_of[indices[s]] != clusters
                if rows + new > row_limit[columns + 1]:
                    continue
                for s in range(indptr[units[p]], indptr[units[p] + 1]):
                    on_row_of[indices[s]] = clusters
                rows += new
                columns += 1
                placed[p] = True
                parts[done] = p
                done += 1
                if columns == len(row_limit) - 2:
                    break
            clusters += 1
            part_ptr[clusters] = done
        start = stop
    return part_ptr[: clusters + 1], parts
