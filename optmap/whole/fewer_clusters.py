"""Fewer clusters by cutting neurons where it saves rows, whether or not they would fit.

Pseudo-code::

    every synapse is in the cluster of the unit that reads it
    for groups of twins, large ones first (kernels/bundles.py of clustering), then for synapses:
        repeat: deal the bundles of some clusters to clusters that know their sources or neurons
            anneal (kernels/annealing_synapses.py) until nothing overflows: fewer clusters
            in vain: begin again with fewer dissolved, then with more moves; at last the next groups

The cuts that filters want lie between pixels: a neuron on both sides of a border costs one row,
while the pixels that it would share cost one each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from optmap.clock import did, now
from optmap.clustering.kernels.annealing_synapses import Cooling, anneal
from optmap.clustering.kernels.bundles import Bundles, bundles_of
from optmap.clustering.kernels.synapse_clusters import Cover, cells, cover_of, rows_dealt, tidy
from optmap.model.capacity import stated
from optmap.model.decomposition import Decomposition, custom
from optmap.model.mapping import Clustering, compact
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IndexArray, IntArray

#: Networks of more synapses, or of larger tables, are left as they are.
MOST_SYNAPSES, MOST_CELLS = 1_000_000, 10_000_000
#: Most twins in a group, one after the other; left out where bundles are hardly more than before.
GROUPS, FINER = (16, 4, 1), 1.5
#: Attempts in vain, one cluster dissolved, after which smaller groups follow.
IN_VAIN = 3
#: Clusters dissolved at once at first: this part of them.
AT_ONCE = 25
#: Temperatures, in rows; moves at first, also for each synapse, and how they grow.
HOT, COLD = 0.3, 0.05
LEAST_MOVES, MOVES_A_SYNAPSE, LONGER = 400_000, 20, 1.5
#: Seconds between looks at the clock, moves before the first, moves counted as a unit of work.
LOOK_S, FIRST_MOVES, MOVES_A_UNIT = 0.2, 2_000, 500_000


def fewer_clusters(
    snn: SNN,
    platform: Platform,
    units: Decomposition,
    clustering: Clustering,
    expired: Callable[[], bool],
    seed: int,
) -> Iterator[tuple[Decomposition, Clustering]]:
    """Yield units and clusterings of ever fewer clusters, until the time is over.

    Nothing where crossbars are of several kinds or have limits of their own, or units must keep to
    rules, or neurons read nothing: the moves know rows, columns and synapses only.
    """
    if stated(platform) or len(platform.kinds) > 1 or units.rules is not None:
        return
    if not 0 < snn.num_synapses <= MOST_SYNAPSES or len(snn.self_driven):
        return
    ((rows, columns),) = platform.kinds
    best, last = synapse_clusters(snn, units, clustering), None
    for most in GROUPS:
        bundles = bundles_of(snn, most)
        if last is not None and bundles.number < FINER * last.number:
            continue
        if cells(bundles, int(best.max()) + 1) > MOST_CELLS:
            return
        search, last = _Search(bundles, rows, columns, expired, seed + most - 1), bundles
        for cover in search.run(bundles.cluster_of(best), most > 1):
            best = without_gaps(cover.cluster[bundles.bundle_of])
            yield units_of(snn, rows, bundles, cover)
        if expired():
            return


@dataclass(frozen=True)
class _Search:
    """Bundles, the crossbar they are for, the clock and the seed of one annealing after another."""

    bundles: Bundles
    rows: int
    columns: int
    expired: Callable[[], bool]
    seed: int

    def run(self, best: IndexArray, ends: bool) -> Iterator[Cover]:
        """Yield covers of ever fewer clusters, from one that may overflow.

        Parameters
        ----------
        best : (B,) int array
            The cluster of each bundle at the start.
        ends : bool
            Whether to end after so many attempts in vain; else the time ends it.
        """
        rng, attempt, in_vain = np.random.default_rng(self.seed), 0, 0
        best, heat = without_gaps(best), self.bundles.smaller_side
        num = int(best.max()) + 1
        at_once = max(1, num // AT_ONCE)
        length = max(LEAST_MOVES, MOVES_A_SYNAPSE * self.bundles.number)
        while num > 1 and not (ends and in_vain == IN_VAIN):
            dealt = best
            for _ in range(at_once):
                dealt = dissolved(self.bundles, dealt, rng)
            cover = cover_of(self.bundles, dealt, num - at_once, self.rows, self.columns)
            attempt += 1
            if _annealed(cover, length, heat, self.seed * 1000 + attempt, self.expired):
                tidy(cover)
                best, in_vain = without_gaps(cover.cluster), 0
                num = int(best.max()) + 1
                yield cover
            elif at_once > 1:
                at_once = (at_once + 1) // 2
            else:
                length, in_vain = int(LONGER * length), in_vain + 1
            if self.expired():
                return


def without_gaps(labels: IntArray | IndexArray) -> IndexArray:
    """Return any labels as 0..K-1, in their order."""
    return np.unique(labels, return_inverse=True)[1].astype(np.int32)


def _annealed(
    cover: Cover, length: int, heat: float, seed: int, expired: Callable[[], bool]
) -> bool:
    """Anneal as far as time and moves allow; tell whether nothing overflows."""
    done, step, hot, cold = 0, FIRST_MOVES, heat * HOT, heat * COLD
    while done < length and not (done and expired()):
        stop, begun = min(length, done + step), now()
        if anneal(cover, Cooling(done, stop, length, hot, cold, seed + done)):
            return True
        did((stop - done) / MOVES_A_UNIT)
        done = stop
        step = int(step * min(2.0, max(0.5, LOOK_S / max(now() - begun, 1e-6)))) + 1
    return False


def synapse_clusters(snn: SNN, units: Decomposition, clustering: Clustering) -> IndexArray:
    """Return the cluster in which each synapse of the network is read, 0..K-1, shape (S,)."""
    network = units.network
    where = np.zeros(network.num_neurons, dtype=np.int32)
    where[network.units] = clustering.cluster_of
    reader, raw = network.post_of_synapse(), network.indices < snn.num_neurons
    order = np.lexsort((network.indices[raw], units.owner[reader[raw]]))
    return without_gaps(where[reader[raw]][order])


def dissolved(bundles: Bundles, cluster: IndexArray, rng: np.random.Generator) -> IndexArray:
    """Return the clusters of all bundles without one of them, drawn at random.

    All bundles of a source in it go to one other, drawn from those that hold bundles of the
    source or of neurons that read it here.
    """
    num, ptr, source = int(cluster.max()) + 1, bundles.ptr, bundles.source
    k, dealt = int(rng.integers(num)), cluster.copy()
    mine = np.flatnonzero(cluster == k)
    mine = mine[np.argsort(source[mine], kind="stable")]
    sources, first = np.unique(source[mine], return_index=True)
    everywhere = np.argsort(source, kind="stable")
    out = np.concatenate(([0], np.cumsum(np.bincount(source))))
    for i, held in zip(sources.tolist(), np.split(mine, first[1:]), strict=True):
        near = [dealt[everywhere[out[i] : out[i + 1]]]]
        near += [dealt[ptr[j] : ptr[j + 1]] for j in bundles.post[held].tolist()]
        others = np.concatenate(near)
        others = others[others != k]
        to = rng.choice(others) if len(others) else (k + 1 + rng.integers(num - 1)) % num
        dealt[held] = to
    return without_gaps(dealt)


def units_of(
    snn: SNN, rows: int, bundles: Bundles, cover: Cover
) -> tuple[Decomposition, Clustering]:
    """Return the units that the clusters of all bundles make, and their clusters.

    Of each neuron, the pieces whose inserted inputs are there already are read, one after the
    other, by the first that wants one; the last that is left is the neuron itself.
    """
    n, cluster = snn.num_neurons, cover.cluster[bundles.bundle_of]
    inserted: list[tuple[int, list[int]]] = []
    replaced: dict[int, list[int]] = {}
    where: dict[int, int] = {}
    for j in snn.units.tolist():
        wanted = rows_dealt(cover, int(bundles.group_of[j]))
        of_synapse, sources = cluster[snn.indptr[j] : snn.indptr[j + 1]], snn.sources_of(j)
        reads = {k: sources[of_synapse == k].tolist() for k in wanted}
        left = sorted(wanted)
        while len(left) > 1:
            ready = next(k for k in left if wanted[k] == 0)
            reader = next(k for k in left if wanted[k] > 0)
            unit = n + len(inserted)
            inserted.append((j, reads[ready]))
            where[unit] = ready
            reads[reader].append(unit)
            wanted[reader] -= 1
            left.remove(ready)
        where[j] = left[0]
        if len(wanted) > 1:
            replaced[j] = reads[left[0]]
    made = custom(snn, rows, inserted, replaced)
    return made, compact([where[u] for u in made.network.units.tolist()])
