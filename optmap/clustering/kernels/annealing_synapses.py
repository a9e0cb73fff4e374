"""Annealing of synapses over a fixed number of crossbars: which neurons are cut, and where.

What is minimised is the *overflow*, rows and columns beyond the crossbar's; all rows together count
a little as well. A move takes a random synapse to a cluster near it (of a synapse of the same
source, of the same neuron, or of a source of that neuron), alone or with all synapses of its source
or of its piece; brings together a source, or a neuron, in a cluster that knows it; or deals one row
anew. It is made, the rows of the neurons it touched are dealt to their emptiest clusters, and it is
taken back where the cost grew too much.

Source: this project's own; a partition of the edges of the bipartite graph of sources and neurons.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from optmap.clustering.kernels.synapse_clusters import deal, deal_all, move, take_back
from optmap.compiled import borrowing, compiled

#: Upper ends of the moves' shares: a source in a cluster, a piece, a synapse; a source comes to a
#: cluster, a neuron does; the rest deals one row anew.
SOURCE, PIECE, SYNAPSE, SOURCE_COMES, NEURON_COMES = 0.3, 0.55, 0.7, 0.8, 0.9
#: Upper ends of shares of destinations: a synapse of the source, of the neuron, of a source of the
#: neuron; the rest: any cluster.
OF_SOURCE, OF_NEURON, BEYOND = 0.35, 0.7, 0.97
#: Moves between two temperatures.
OFTEN = 1000


class Cooling(NamedTuple):
    """Moves ``first`` to ``stop`` of ``length``; temperatures at both ends; the seed."""

    first: int
    stop: int
    length: int
    hot: float
    cold: float
    seed: int


@compiled
def _synapse_of(cover: Any, j: int) -> int:
    """Draw a synapse of a neuron."""
    first = cover.ptr[j]
    drawn: int = first + np.random.randint(cover.ptr[j + 1] - first)  # noqa: NPY002
    return drawn


@compiled
def _synapse_from(cover: Any, i: int) -> int:
    """Draw a synapse of a source."""
    first = cover.out_ptr[i]
    drawn: int = cover.out[first + np.random.randint(cover.out_ptr[i + 1] - first)]  # noqa: NPY002
    return drawn


@compiled
def _near(cover: Any, e: int) -> int:
    """Draw a cluster near synapse e."""
    draw = np.random.random()  # noqa: NPY002
    if draw < OF_SOURCE:
        return int(cover.cluster[_synapse_from(cover, cover.source[e])])
    other = _synapse_of(cover, cover.post[e])
    if draw < OF_NEURON:
        return int(cover.cluster[other])
    if draw < BEYOND:
        return int(cover.cluster[_synapse_from(cover, cover.source[other])])
    return int(np.random.randint(len(cover.rows)))  # noqa: NPY002


@compiled
def _move_source(cover: Any, i: int, k: int, to: int) -> None:
    """Move the synapses of a source in cluster k; those of neurons in too many clusters stay."""
    count, touched = 0, cover.touched
    for t in range(cover.out_ptr[i], cover.out_ptr[i + 1]):
        e = cover.out[t]
        if cover.cluster[e] == k and _may_enter(cover, cover.post[e], to):
            move(cover, e, to)
            touched[count, 0] = cover.post[e]
            count += 1
    for t in range(count):
        deal_all(cover, touched[t, 0], k)


@borrowing
def _may_enter(cover: Any, j: int, k: int) -> bool:
    """Tell whether a neuron is in cluster k, or in few enough others."""
    return bool(cover.of_neuron[j, k] > 0 or cover.num_pieces[j] < cover.pieces.shape[1] - 1)


@compiled
def _source_comes(cover: Any, i: int, to: int) -> None:
    """Move to a cluster all synapses of a source to neurons that are in it."""
    count, touched = 0, cover.touched
    for t in range(cover.out_ptr[i], cover.out_ptr[i + 1]):
        e = cover.out[t]
        if cover.cluster[e] != to and cover.of_neuron[cover.post[e], to] > 0:
            touched[count, 0], touched[count, 1] = cover.post[e], cover.cluster[e]
            count += 1
            move(cover, e, to)
    for t in range(count):
        deal_all(cover, touched[t, 0], touched[t, 1])


@compiled
def _neuron_comes(cover: Any, j: int, to: int) -> None:
    """Move to a cluster all synapses of a neuron from sources that are on its rows."""
    count, touched = 0, cover.touched
    for e in range(cover.ptr[j], cover.ptr[j + 1]):
        if cover.cluster[e] != to and cover.of_source[cover.source[e], to] > 0:
            touched[count, 1] = cover.cluster[e]
            count += 1
            move(cover, e, to)
    for t in range(count):
        deal_all(cover, j, touched[t, 1])


@compiled
def _deal_one(cover: Any, j: int) -> None:
    """Deal one row of a neuron to another of its pieces."""
    num = cover.num_pieces[j]
    a = cover.pieces[j, np.random.randint(num)]  # noqa: NPY002
    b = cover.pieces[j, np.random.randint(num)]  # noqa: NPY002
    if a != b and cover.dealt[j, a] > 0:
        deal(cover, j, a, -1)
        deal(cover, j, b, 1)


@compiled
def _attempt(cover: Any) -> None:
    """Make one random move, written down."""
    cover.logged[0] = 0
    e = np.random.randint(len(cover.cluster))  # noqa: NPY002
    i, j, k = cover.source[e], cover.post[e], cover.cluster[e]
    draw = np.random.random()  # noqa: NPY002
    if draw >= NEURON_COMES:
        _deal_one(cover, j)
        return
    to = _near(cover, e)
    if to == k:
        return
    if draw < SOURCE:
        _move_source(cover, i, k, to)
    elif SYNAPSE <= draw < SOURCE_COMES:
        _source_comes(cover, i, to)
    elif not _may_enter(cover, j, to):
        return
    elif draw < PIECE:
        for other in range(cover.ptr[j], cover.ptr[j + 1]):
            if cover.cluster[other] == k:
                move(cover, other, to)
        deal_all(cover, j, k)
    elif draw < SYNAPSE:
        move(cover, e, to)
        deal_all(cover, j, k)
    else:
        _neuron_comes(cover, j, to)


@compiled
def anneal(cover: Any, cooling: Any) -> bool:
    """Make moves until nothing overflows; tell whether that was reached."""
    np.random.seed(cooling.seed)  # noqa: NPY002 - the compiled generator's own state, not NumPy's
    cost, heat = cover.cost, cooling.hot
    for step in range(cooling.first, cooling.stop):
        if step % OFTEN == 0:
            heat = cooling.hot * (cooling.cold / cooling.hot) ** (step / cooling.length)
        if cost[1] <= 0:
            return True
        before = cost[0]
        _attempt(cover)
        more = cost[0] - before
        if more > 0 and np.random.random() >= np.exp(-more / heat):  # noqa: NPY002
            take_back(cover)
    return bool(cost[1] <= 0)
