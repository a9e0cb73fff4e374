"""Tree leaves as part of the optimisation: partial sums computed where their inputs already are.

The tree decomposition cuts a long fan-in into even runs, and each run then needs rows of its own.
A leaf that reads what is on the rows of some crossbar anyway needs none: only columns, of which a
crossbar full of rows often has many left. For each set of neurons with one and the same long fan-
in the inputs are covered greedily by the rows of the crossbars that hold other units (rows to
spare may take further inputs); what no crossbar covers well becomes leaves of full length on new
crossbars. The result is a ``custom`` decomposition, re-checked by
:func:`optmap.model.decomposition.violations`, and it is kept only if its clustering is smaller:
never worse than the fixed split.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from formulations.clustering.sets import kinds_worth_having
from formulations.solvers.stopwatch import Stopwatch
from optmap.bounds.bound import best
from optmap.bounds.clusters import cluster_bounds
from optmap.clustering.kernels.annealing_clusters import shrink_repeatedly
from optmap.clustering.kernels.classes import classes_of
from optmap.model.capacity import stated
from optmap.model.decomposition import Decomposition, custom
from optmap.model.mapping import Clustering, compact
from optmap.model.outcome import Limits
from optmap.model.platform import Platform
from optmap.model.snn import SNN


@dataclass
class _Crossbar:
    """Rows, the number of columns taken, and the units (a neuron, or a leaf of a neuron)."""

    rows: set[int] = field(default_factory=set)
    columns: int = 0
    units: list[tuple[int, int]] = field(default_factory=list)


def optimise_leaves(
    snn: SNN,
    decomposition: Decomposition,
    platform: Platform,
    clustering: Clustering,
    limits: Limits,
) -> tuple[Decomposition, Clustering]:
    """Return a decomposition and a clustering of it, fewer clusters than given or the ones given.

    Parameters
    ----------
    decomposition, clustering : Decomposition, Clustering
        The start: a tree (or any other) decomposition of ``snn``.
    limits : Limits
        The wall time goes to annealing the new clustering.
    """
    kinds = kinds_worth_having(platform)
    limited = stated(platform) or platform.limits_outgoing  # the covers know rows and columns
    if not decomposition.num_inserted or len(kinds) > 1 or limited:
        return decomposition, clustering
    ((rows, columns),) = kinds
    built = _build(snn, decomposition, clustering, rows, columns)
    if built is None:
        return decomposition, clustering
    new, found = built
    watch = Stopwatch(limits)
    bound = best(cluster_bounds(new, platform))
    found = shrink_repeatedly(
        classes_of(new.network),
        found,
        rows,
        columns,
        least=0 if bound is None else bound.whole,
        seconds=limits.wall_s,
        seed=limits.seed,
        on_better=lambda found: watch.note(found.num_clusters, None),
    )
    if found.num_clusters < clustering.num_clusters:
        return new, found
    return decomposition, clustering


def _build(
    snn: SNN, decomposition: Decomposition, clustering: Clustering, rows: int, columns: int
) -> tuple[Decomposition, Clustering] | None:
    """Return the covered decomposition and its clustering; None if a combiner would not fit."""
    network, n = decomposition.network, decomposition.num_neurons
    long = sorted({int(o) for o in decomposition.owner[n:]})
    replaced_neurons = set(long)
    crossbars = [_Crossbar() for _ in range(clustering.num_clusters)]
    for p, u in enumerate(network.units.tolist()):
        if u < n and u not in replaced_neurons:
            crossbar = crossbars[int(clustering.cluster_of[p])]
            crossbar.rows |= set(network.sources_of(u).tolist())
            crossbar.columns += 1
            crossbar.units.append((u, -1))
    crossbars = [c for c in crossbars if c.columns]
    together: dict[bytes, list[int]] = {}
    for j in long:
        together.setdefault(snn.sources_of(j).tobytes(), []).append(j)
    leaves: dict[int, list[list[int]]] = {j: [] for j in long}
    for group in together.values():
        for first in range(0, len(group), columns):
            part = group[first : first + columns]
            if not _cover(snn, part, crossbars, leaves, rows, columns):
                return None
    first_leaf = {}
    inserted: list[tuple[int, list[int]]] = []
    replaced: dict[int, list[int]] = {}
    for j in long:
        # a leaf of one input would sum nothing: the combiner reads that input itself
        direct = leaves[j].pop() if len(leaves[j][-1]) == 1 else []
        first_leaf[j] = n + len(inserted)
        inserted += [(j, leaf) for leaf in leaves[j]]
        replaced[j] = [*direct, *(first_leaf[j] + i for i in range(len(leaves[j])))]
    new = custom(snn, decomposition.rows, inserted, replaced)
    for j in long:
        _place(crossbars, set(replaced[j]), (j, -1), rows, columns)
    label = {}
    for k, crossbar in enumerate(crossbars):
        for j, i in crossbar.units:
            label[j if i < 0 else first_leaf[j] + i] = k
    return new, compact([label[u] for u in new.network.units.tolist()])


def _cover(
    snn: SNN,
    group: list[int],
    crossbars: list[_Crossbar],
    leaves: dict[int, list[list[int]]],
    rows: int,
    columns: int,
) -> bool:
    """Deal the common fan-in of a group to leaves on crossbars; False if there are too many."""
    open_inputs = set(snn.sources_of(group[0]).tolist())
    least = max(2, rows // 8)  # a smaller leaf costs its combiners more rows than it saves
    while open_inputs:
        if len(open_inputs) == 1:  # no leaf: see _build
            for j in group:
                leaves[j].append(list(open_inputs))
            break
        chosen, taken = None, set[int]()
        for crossbar in crossbars:
            if crossbar.columns + len(group) <= columns:
                here = crossbar.rows & open_inputs
                if len(here) > len(taken):
                    chosen, taken = crossbar, here
        if chosen is None or len(taken) < least:
            chosen, taken = _Crossbar(), set[int]()
            crossbars.append(chosen)
        spare = rows - len(chosen.rows)
        taken |= set(sorted(open_inputs - chosen.rows)[:spare])
        chosen.rows |= taken
        chosen.columns += len(group)
        for j in group:
            chosen.units.append((j, len(leaves[j])))
            leaves[j].append(sorted(taken))
        open_inputs -= taken
    return len(leaves[group[0]]) <= rows


def _place(
    crossbars: list[_Crossbar], reads: set[int], unit: tuple[int, int], rows: int, columns: int
) -> None:
    """Put a combiner where it first fits."""
    for crossbar in crossbars:
        if crossbar.columns < columns and len(crossbar.rows | reads) <= rows:
            break
    else:
        crossbar = _Crossbar()
        crossbars.append(crossbar)
    crossbar.rows |= reads
    crossbar.columns += 1
    crossbar.units.append(unit)
