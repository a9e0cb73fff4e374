"""Synapses in bundles: sources that the same neurons read, neurons that read the same sources.

Such twins are cut into groups of at most so many. A *bundle* is every synapse from one group of
sources to one group of neurons; it is complete, whatever the groups. With groups of one, bundles
are the synapses themselves. What is decided bundle by bundle is decided in fewer steps: a
convolution's maps stay together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optmap.model.snn import SNN, IndexArray, IntArray


@dataclass(frozen=True, eq=False)
class Bundles:
    """B bundles between groups of sources and groups of neurons, by neurons, then by sources.

    Parameters
    ----------
    ptr : (G + 1,) int64 array
        Group g of neurons reads bundles ``ptr[g]`` to ``ptr[g + 1]``.
    source, post : (B,) int32 arrays
        The groups of each bundle.
    rows, columns : (F,) and (G,) int64 arrays
        Sources in each group, neurons in each group.
    group_of : (N,) int32 array
        The group of each neuron that reads something, else -1.
    bundle_of : (S,) int32 array
        The bundle of each synapse of the network.
    """

    ptr: IntArray
    source: IndexArray
    post: IndexArray
    rows: IntArray
    columns: IntArray
    group_of: IndexArray
    bundle_of: IndexArray

    @property
    def number(self) -> int:
        """B."""
        return len(self.source)

    @property
    def smaller_side(self) -> float:
        """The smaller of a bundle's sources and neurons, in the mean."""
        return float(np.minimum(self.rows[self.source], self.columns[self.post]).mean())

    def cluster_of(self, cluster: IndexArray) -> IndexArray:
        """Return the cluster that most synapses of each bundle are in, shape (B,).

        Parameters
        ----------
        cluster : (S,) int array
            The cluster of each synapse.
        """
        num = int(cluster.max(initial=0)) + 1
        pairs, held = np.unique(self.bundle_of.astype(np.int64) * num + cluster, return_counts=True)
        # the last of a bundle's entries stays: that of the most synapses
        order = np.argsort(held, kind="stable")
        most = np.zeros(self.number, dtype=np.int32)
        most[pairs[order] // num] = pairs[order] % num
        return most


def bundles_of(snn: SNN, most: int) -> Bundles:
    """Return the bundles of a network whose groups hold at most ``most``."""
    post = snn.post_of_synapse()
    by_source = np.argsort(snn.indices, kind="stable")
    out_ptr = np.concatenate(([0], np.cumsum(snn.fan_out)))
    as_source = _groups(out_ptr, post[by_source], most)
    group_of = _groups(snn.indptr, snn.indices, most)
    num = int(as_source.max(initial=-1)) + 1
    pair = group_of[post].astype(np.int64) * max(num, 1) + as_source[snn.indices]
    pairs, bundle_of = np.unique(pair, return_inverse=True)
    readers = pairs // max(num, 1)
    num_groups = int(group_of.max(initial=-1)) + 1
    return Bundles(
        np.searchsorted(readers, np.arange(num_groups + 1)).astype(np.int64),
        (pairs % max(num, 1)).astype(np.int32),
        readers.astype(np.int32),
        np.bincount(as_source[as_source >= 0], minlength=num).astype(np.int64),
        np.bincount(group_of[group_of >= 0], minlength=num_groups).astype(np.int64),
        group_of,
        bundle_of.astype(np.int32),
    )


def _groups(ptr: IntArray, lists: IndexArray, most: int) -> IndexArray:
    """Return the group of every item with a list, -1 without: equal lists, at most ``most``."""
    group = np.full(len(ptr) - 1, -1, dtype=np.int32)
    open_group: dict[bytes, list[int]] = {}
    num = 0
    for j in np.flatnonzero(np.diff(ptr)).tolist():
        if most == 1:
            group[j] = num
            num += 1
            continue
        known = open_group.setdefault(lists[ptr[j] : ptr[j + 1]].tobytes(), [0, most])
        if known[1] == most:
            known[:] = [num, 0]
            num += 1
        group[j] = known[0]
        known[1] += 1
    return group
