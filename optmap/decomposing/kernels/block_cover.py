"""Cover the synapses of a network by blocks: sets of sources times sets of neurons.

A block has at most R sources and C' neurons; it covers those of their synapses that no earlier one
covers. Where the neurons of a block read only part of their sources there, each gets a *piece*: a
unit that sums that part. Pseudo-code::

    while some synapse is open:
        several times: draw an open synapse; A = open sources of its neuron, R at most
            repeat: B = the C' neurons with most open synapses in A, A = the R loudest for B
        take the block with most open synapses for the rows, columns and pieces that it costs

A piece pays for itself if it covers more than ``least`` synapses, since a unit that reads it spends
a row on it; a neuron that is covered as a whole, or a source on a row, need not.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from optmap.compiled import borrowing, compiled
from optmap.model.snn import SNN, IndexArray, IntArray

#: Blocks that are grown for each one that is taken, and how often each is refined.
GROWN, REFINED = 20, 8
#: A source is left out where it has at most this part of ``least`` open synapses in the block.
ROW_PART = 0.5


class Shape(NamedTuple):
    """What a block may be: R, C', fewest synapses of a piece, whether it takes all its readers."""

    rows: int
    columns: int
    least: float
    closed: bool


class Reading(NamedTuple):
    """Who reads what: fan-ins, and by source the neurons that read it with the synapse's number."""

    indptr: Any
    indices: Any
    reader_ptr: Any
    readers: Any
    synapse_of: Any


class Open(NamedTuple):
    """What is not covered yet.

    ``block`` (S,) is -1 where a synapse is open; ``left`` and ``readers`` (N,) count the open ones
    by neuron and source, ``pieces`` (N,) the blocks that a neuron is in. ``count`` and ``met`` (N,)
    are scratch: ``count`` is 0 between calls.
    """

    block: Any
    left: Any
    readers: Any
    pieces: Any
    count: Any
    met: Any


def blocks_of(snn: SNN, shape: Shape, seed: int, whole: int = 0) -> IndexArray:
    """Return the block that covers each synapse, shape (S,), numbered in the order of taking.

    Neurons of fan-in up to ``whole`` are blocks of their own, behind the others.
    """
    order = np.argsort(snn.indices, kind="stable")
    reading = Reading(
        snn.indptr,
        snn.indices,
        np.concatenate(([0], np.cumsum(snn.fan_out))),
        snn.post_of_synapse()[order],
        order,
    )
    post = snn.post_of_synapse()
    narrow = snn.fan_in[post] <= whole
    block = np.where(narrow, 0, -1).astype(np.int32)
    still = Open(
        block,
        np.where(snn.fan_in <= whole, 0, snn.fan_in).astype(np.int64),
        np.bincount(snn.indices[~narrow], minlength=snn.num_neurons),
        np.zeros(snn.num_neurons, dtype=np.int64),
        np.zeros(snn.num_neurons, dtype=np.int64),
        np.zeros(snn.num_neurons, dtype=np.int64),
    )
    _cover(reading, still, shape, np.random.default_rng(seed))
    block[narrow] = block[~narrow].max(initial=-1) + 1 + post[narrow]
    return block


@compiled
def _cover(reading: Any, still: Any, shape: Any, rng: Any) -> None:
    """Take blocks until no synapse is open."""
    drawn = rng.permutation(len(still.block))
    num_open, taken = len(drawn), 0
    while num_open:
        best = -1.0
        sources, neurons = drawn[:0], drawn[:0]
        for attempt in range(GROWN):
            at = rng.integers(0, num_open)
            while still.block[drawn[at]] >= 0:
                num_open -= 1
                drawn[at] = drawn[num_open]
                if num_open == 0:
                    return
                at = rng.integers(0, num_open)
            own = _open_sources(reading, still, drawn[at])
            grown = _seed(still, own, shape.rows, attempt % 2 == 1, rng)
            a, b, worth = _refined(reading, still, grown, shape)
            if attempt == 0 and not len(b):  # no piece pays: the neuron's own will do
                post = np.searchsorted(reading.indptr, drawn[at], side="right") - 1
                a, b, worth = grown, np.full(1, post, dtype=np.int64), 0.0
            if worth > best and len(b):
                best, sources, neurons = worth, a, b
        if shape.closed:
            neurons, _ = _neurons(reading, still, sources, shape, True)
        _take(reading, still, sources, neurons, taken)
        taken += 1


@compiled
def _open_sources(reading: Any, still: Any, synapse: Any) -> Any:
    """Return the sources whose synapses to the neuron of ``synapse`` are open."""
    post = np.searchsorted(reading.indptr, synapse, side="right") - 1
    own = np.empty(still.left[post], dtype=np.int64)
    found = 0
    for s in range(reading.indptr[post], reading.indptr[post + 1]):
        if still.block[s] < 0:
            own[found] = reading.indices[s]
            found += 1
    return own


@compiled
def _seed(still: Any, own: Any, rows: Any, by_readers: Any, rng: Any) -> Any:
    """Return at most ``rows`` of the sources: a run of them, or those with most open readers."""
    if len(own) <= rows:
        return own
    if by_readers:
        return own[np.argsort(-(still.readers[own] + rng.random(len(own))))[:rows]]
    first = rng.integers(0, len(own) - rows + 1)
    return own[first : first + rows]


@compiled
def _refined(reading: Any, still: Any, sources: Any, shape: Any) -> Any:
    """Return the sources and neurons of a block grown from ``sources``, and what it is worth."""
    last = -1.0
    for _ in range(REFINED):
        neurons, _ = _neurons(reading, still, sources, shape, False)
        if not len(neurons):
            return sources, neurons, -1.0
        sources, worth = _sources(reading, still, neurons, shape)
        if worth <= last:
            break
        last = worth
    neurons, worth = _neurons(reading, still, sources, shape, False)
    return sources, neurons, worth


@compiled
def _neurons(reading: Any, still: Any, sources: Any, shape: Any, every: Any) -> Any:
    """Return the neurons worth most on ``sources``, or every one, and open synapses for the cost.

    The cost is the larger share of the rows and columns taken, and a row for every piece.
    """
    count, met = still.count, still.met
    found = 0
    for i in sources:
        for e in range(reading.reader_ptr[i], reading.reader_ptr[i + 1]):
            if still.block[reading.synapse_of[e]] < 0:
                post = reading.readers[e]
                if count[post] == 0:
                    met[found] = post
                    found += 1
                count[post] += 1
    posts = met[:found].copy()
    gain = np.empty(found)
    for p in range(found):
        post = posts[p]
        whole = count[post] == still.left[post] and still.pieces[post] == 0
        gain[p] = count[post] if whole else count[post] - shape.least
    order = np.argsort(-gain, kind="mergesort")
    most = found if every else min(found, shape.columns)
    covered, pieces, kept = 0, 0, 0
    for p in order[:most]:
        post = posts[p]
        if gain[p] <= 0 and not every:
            break
        covered += count[post]
        pieces += count[post] < still.left[post] or still.pieces[post] > 0
        kept += 1
    for post in posts:
        count[post] = 0
    cost = max(len(sources) / shape.rows, kept / shape.columns) + pieces / shape.rows
    return posts[order[:kept]], covered / max(cost, 1e-9)


@compiled
def _sources(reading: Any, still: Any, neurons: Any, shape: Any) -> Any:
    """Return the sources with most open synapses to ``neurons``, and these less what rows cost."""
    count, met = still.count, still.met
    found = 0
    for post in neurons:
        for s in range(reading.indptr[post], reading.indptr[post + 1]):
            if still.block[s] < 0:
                i = reading.indices[s]
                if count[i] == 0:
                    met[found] = i
                    found += 1
                count[i] += 1
    sources = met[:found].copy()
    order = np.argsort(-count[sources], kind="mergesort")
    worth, kept = 0.0, 0
    for p in order[: shape.rows]:
        if kept and count[sources[p]] <= ROW_PART * shape.least:
            break
        worth += count[sources[p]] - shape.least
        kept += 1
    for i in sources:
        count[i] = 0
    return sources[order[:kept]], worth


@borrowing
def _take(reading: Any, still: Any, sources: Any, neurons: Any, number: Any) -> None:
    """Cover the open synapses between ``sources`` and ``neurons``."""
    for i in sources:
        still.count[i] = 1
    for post in neurons:
        covered = 0
        for s in range(reading.indptr[post], reading.indptr[post + 1]):
            i = reading.indices[s]
            if still.block[s] < 0 and still.count[i]:
                still.block[s] = number
                still.readers[i] -= 1
                covered += 1
        still.left[post] -= covered
        still.pieces[post] += covered > 0
    for i in sources:
        still.count[i] = 0


def pieces_of(snn: SNN, block: IndexArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return the pieces of all neurons, by neuron and block.

    Returns
    -------
    neuron : (P,) int64 array
        Whose piece it is, ascending.
    ptr, reads : (P + 1,) and (S,) int64 arrays
        Its sources, ascending.
    """
    post = snn.post_of_synapse().astype(np.int64)
    order = np.lexsort((snn.indices, block, post))
    changes = (np.diff(post[order]) != 0) | (np.diff(block[order]) != 0)
    first = np.flatnonzero(np.concatenate(([True], changes))) if len(order) else order
    ptr = np.concatenate((first, [len(order)])).astype(np.int64)
    return post[order][first], ptr, snn.indices[order].astype(np.int64)
