"""Twin classes, source groups and sharing components: the partition problem as exact data.

Units that read the same sources are one *class* q with n_q members; sources that the same classes
read are one *group* g of weight w_g. A clustering only sees how many members of each class a
crossbar holds, and a crossbar's rows are the summed weights of the groups that its classes read, so
that nothing is lost for (P0a) and (P0c) (proof: swap twins). Classes that share no source, directly
or through others, are in different *components*: rows of one never serve the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from optmap.clustering.kernels.twins import twin_classes
from optmap.model.mapping import Clustering
from optmap.model.snn import SNN, IndexArray, IntArray, frozen


@dataclass(frozen=True, eq=False)
class Classes:
    """Classes 0..Q-1 of a network's units, groups 0..G-1 of its sources.

    Parameters
    ----------
    members : tuple of (n_q,) int32 arrays
        Positions in ``network.units`` of each class, ascending; classes by lowest member.
    ptr, groups : (Q + 1,) int64 and (E,) int32 arrays
        Class q reads groups ``groups[ptr[q]:ptr[q + 1]]``, ascending.
    weight : (G,) int64 array
        Sources of each group.
    component : (Q,) int32 array
        Sharing component of each class, numbered by lowest class.
    """

    members: tuple[IndexArray, ...]
    ptr: IntArray
    groups: IndexArray
    weight: IntArray
    component: IndexArray

    @property
    def num_classes(self) -> int:
        """Q."""
        return len(self.members)

    @cached_property
    def size(self) -> IntArray:
        """n_q, shape (Q,)."""
        return frozen([len(m) for m in self.members], np.int64)

    @cached_property
    def fan_in(self) -> IntArray:
        """Rows that one class alone takes, shape (Q,)."""
        sums = np.concatenate(([0], np.cumsum(self.weight[self.groups])))
        return frozen(sums[self.ptr[1:]] - sums[self.ptr[:-1]], np.int64)

    def reads(self, q: int) -> IndexArray:
        """Return the groups that class q reads."""
        return self.groups[self.ptr[q] : self.ptr[q + 1]]

    def rows_of(self, chosen: list[int]) -> int:
        """Return the rows that a crossbar holding these classes takes."""
        if not chosen:
            return 0
        together = np.unique(np.concatenate([self.reads(q) for q in chosen]))
        return int(self.weight[together].sum())

    def clustering(self, columns: list[dict[int, int]]) -> Clustering:
        """Return the clustering that deals the members of each class to these crossbars.

        Raises
        ------
        ValueError
            If the counts of some class do not sum to its members.
        """
        label = np.full(sum(len(m) for m in self.members), -1, dtype=np.int32)
        next_member = [0] * self.num_classes
        for k, column in enumerate(columns):
            for q, count in column.items():
                first = next_member[q]
                label[self.members[q][first : first + count]] = k
                next_member[q] = first + count
        if next_member != self.size.tolist():
            raise ValueError("the crossbars do not hold each unit exactly once")
        return Clustering(label)

    def columns_of(self, clustering: Clustering) -> list[dict[int, int]]:
        """Return how many members of each class every cluster holds."""
        columns: list[dict[int, int]] = [{} for _ in range(clustering.num_clusters)]
        for q, members in enumerate(self.members):
            for k, count in zip(
                *np.unique(clustering.cluster_of[members], return_counts=True), strict=True
            ):
                columns[int(k)][q] = int(count)
        return columns


def classes_of(network: SNN) -> Classes:
    """Return the twin classes of a network's units, and what they read in groups."""
    twins = twin_classes(network)
    parts = np.split(twins.members, twins.member_ptr[1:-1]) if twins.num_classes else []
    members = tuple(frozen(part, np.int32) for part in parts)
    group_of = np.full(network.num_neurons, -1, dtype=np.int32)
    by_readers: dict[bytes, int] = {}
    weight: list[int] = []
    for i in np.flatnonzero(np.diff(twins.reader_ptr)).tolist():
        readers = twins.readers[twins.reader_ptr[i] : twins.reader_ptr[i + 1]]
        g = by_readers.setdefault(readers.tobytes(), len(weight))
        if g == len(weight):
            weight.append(0)
        weight[g] += 1
        group_of[i] = g
    lists = np.split(twins.sources, twins.source_ptr[1:-1]) if twins.num_classes else []
    group_lists = [np.unique(group_of[x]) for x in lists]
    ptr = np.concatenate(([0], np.cumsum([len(x) for x in group_lists], dtype=np.int64)))
    groups = np.concatenate(group_lists) if lists else np.empty(0, dtype=np.int32)
    return Classes(
        members,
        frozen(ptr, np.int64),
        frozen(groups, np.int32),
        frozen(weight, np.int64),
        _components(ptr, groups, len(weight)),
    )


def _components(ptr: IntArray, groups: IndexArray, num_groups: int) -> IndexArray:
    num = len(ptr) - 1
    if not num:
        return frozen([], np.int32)
    reads = sparse.csr_matrix((np.ones(len(groups), dtype=np.int8), groups, ptr), (num, num_groups))
    empty_q = sparse.csr_matrix((num, num), dtype=np.int8)
    empty_g = sparse.csr_matrix((num_groups, num_groups), dtype=np.int8)
    joined = sparse.bmat([[empty_q, reads], [reads.T, empty_g]])
    _, label = csgraph.connected_components(joined, directed=False)
    _, at, inverse = np.unique(label[:num], return_index=True, return_inverse=True)
    rank = np.empty(len(at), dtype=np.int32)
    rank[np.argsort(at)] = np.arange(len(at))
    return frozen(rank[inverse], np.int32)
