"""Ejection chains: a piece moves in where there is no room, and puts another one out.

Where crossbars are full no move of one piece fits, and a swap only where two clusters can exchange
equals. A chain goes on until nothing overflows: on a ring of neurons, all clusters turn by one.

References
----------
.. [1] F. Glover, "Ejection chains, reference structures and alternating path methods for traveling
   salesman problems", Discrete Applied Mathematics 65, 1996.
"""

from __future__ import annotations

from typing import Any

from optmap.compiled import borrowing
from optmap.whole.kernels.changes import relocate
from optmap.whole.kernels.moves import drawn, neighbour, synapse

#: Pieces that one chain moves at most.
LONGEST = 12
#: Members that are weighed for leaving, and draws of clusters to go to.
WEIGHED, REFUGES = 24, 4


@borrowing
def rows_of(st: Any, p: int, q: int, k: int, group: int, into: bool) -> Any:
    """Return (rows, spikes) that ``group`` pieces like ``p`` add to cluster ``k``, or take along.

    Parameters
    ----------
    q : int
        The piece that goes the other way, or -1: a row that it keeps in use does not leave.
    into : bool
        Whether the pieces come or go.
    """
    piece, synapses, neuron, count = st.piece, st.synapse, st.neuron, st.count
    j, rows, spikes = piece[p].owner, 0, 0
    for s in range(neuron[j].first, neuron[j + 1].first):
        if synapses[s].piece == p:
            i = synapses[s].source
            if into:
                alone = count[i, k] == 0
            else:
                alone = count[i, k] == group
                if alone and q >= 0:
                    other = synapse(st, piece[q].owner, i)
                    alone = other < 0 or synapses[other].piece != q
            if alone:
                rows += 1
                spikes += neuron[i].spikes
    c = piece[j].next
    while c >= 0:
        if piece[c].above == p:
            rows += group
            spikes += group * piece[c].weight
        c = piece[c].next
    return rows, spikes


@borrowing
def _put_out(st: Any, rng: Any, k: int, stays: int) -> Any:
    """Return the member of ``k`` whose leaving frees most rows, by few draws where there are many.

    Parameters
    ----------
    stays : int
        The piece that has just come.
    """
    size = st.clusters[k].size
    first, best, most, ties = drawn(rng, size), -1, -1, 0
    for x in range(min(size, WEIGHED)):
        q = st.members[k, (first + x) % size]
        if q == stays:
            continue
        freed = rows_of(st, q, -1, k, 1, False)[0]
        if freed > most:
            best, most, ties = q, freed, 1
        elif freed == most:
            ties += 1
            if drawn(rng, ties) == 0:
                best = q
    return best


@borrowing
def _refuge(st: Any, rng: Any, q: int) -> Any:
    """Return the cluster where ``q`` overflows least, then adds fewest rows, of a few; or -1."""
    best, least = -1, 1 << 60
    j = st.piece[q].owner
    first, last = st.neuron[j].first, st.neuron[j + 1].first
    for _ in range(REFUGES if first < last else 0):
        i = st.synapse[first + drawn(rng, last - first)].source
        out = st.neuron[i].out
        other = st.synapse[out + drawn(rng, st.neuron[i + 1].out - out)].out
        k = st.piece[st.synapse[other].piece].cluster
        if k == st.piece[q].cluster:
            continue
        t = st.clusters[k].tile
        added = rows_of(st, q, -1, k, 1, True)[0]
        over = max(0, st.clusters[k].rows + added - st.tiles[t].rows)
        full = st.clusters[k].size >= st.tiles[t].columns
        value = 1000 * (over + full) + added
        if value < least:
            best, least = k, value
    return best


@borrowing
def chain(st: Any, rng: Any) -> Any:
    """Move a piece, then what it puts out, until nothing overflows; tell whether that was reached.

    No cluster gets more than one piece beyond what the widest crossbar holds: the one that is over
    loses a piece next.
    """
    p, k = neighbour(st, rng)
    if k < 0 or k == st.piece[p].cluster:
        return False
    for _ in range(LONGEST):
        if st.clusters[k].size > st.members.shape[1] - 1:
            return False
        relocate(st, p, k)
        if st.total[0].excess == 0:
            return True
        q = _put_out(st, rng, k, p)
        if q < 0:
            return False
        p, k = q, _refuge(st, rng, q)
        if k < 0:
            return False
    return False
