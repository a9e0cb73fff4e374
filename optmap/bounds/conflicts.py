"""A lower bound on the clusters from conflict components, added up component by component.

Two units *conflict* if the sources of both together exceed the rows of the largest crossbar. No
two units of a cluster do, so a cluster lies within one connected component of the relation "no
conflict": bounds for the components, each rounded up, add up. (Components of units that merely
share no source would not do: their clusters may hold both.)
"""

from __future__ import annotations

import numpy as np

from optmap.bounds.rows import crossbars_needed, rows_taken
from optmap.model.snn import SNN

#: Above this many units the table of pairs is not built.
MAX_UNITS = 2000
#: Nor where a source is read by so many that its pairs of readers are more than this in all.
MAX_PAIRS = 10**9


def pairs_of_readers(network: SNN) -> int:
    """Return how many pairs of synapses have one source: what a table of pairs costs to fill.

    Examples
    --------
    >>> from optmap.model.snn import from_edges
    >>> pairs_of_readers(from_edges([0, 0, 1], [2, 3, 3], 4))
    5
    """
    return int((network.fan_out.astype(np.int64) ** 2).sum())


def conflict_components_bound(network: SNN, rows: int, columns: int) -> int | None:
    """Return the sum over the components of their column or row bound, the larger of both.

    Returns
    -------
    int or None
        None where one component holds everything (the sum would say nothing new), or where there
        are more than MAX_UNITS units or MAX_PAIRS pairs of readers.

    Examples
    --------
    Two units of three own sources each conflict on five rows; columns and rows alone say two:

    >>> from optmap.model.snn import from_edges
    >>> edges = [(3 * u + i, 9 + u) for u in range(3) for i in range(3)]
    >>> network = from_edges([a for a, _ in edges], [b for _, b in edges], 12)
    >>> conflict_components_bound(network, 5, 4)
    3
    """
    fan_in = network.fan_in[network.units]
    # two units of at most half the rows never conflict, nor a larger one with a small enough one
    if not 0 < len(fan_in) <= MAX_UNITS or int(fan_in.max()) + int(fan_in.min()) <= rows:
        return None
    if pairs_of_readers(network) > MAX_PAIRS:
        return None
    from scipy import sparse  # here: slow to load

    reads = sparse.csr_matrix(
        (np.ones(network.num_synapses, dtype=np.int32), network.indices, network.indptr),
        shape=(network.num_neurons, network.num_neurons),
    )[network.units]
    together = fan_in[:, None] + fan_in[None, :] - np.asarray((reads @ reads.T).todense())
    from scipy.sparse import csgraph

    count, label = csgraph.connected_components(sparse.csr_matrix(together <= rows), directed=False)
    if count < 2:
        return None
    total = 0
    for part in range(count):
        mine = label == part
        readers = np.asarray(reads[mine].sum(axis=0)).ravel()
        taken = rows_taken(readers, columns)
        total += crossbars_needed(int(mine.sum()), taken, rows, columns)
    return total
