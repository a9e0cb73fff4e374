"""Hypergraph files (``.snn``): one hyperedge a neuron's axon, with how often it fires.

Little-endian throughout: u32 nodes, u32 edges, then per edge u32 n, u32 source, n x u32 targets,
f32 frequency. Nodes are neurons; every target of an edge reads its source. Frequencies that are no
whole numbers are multiplied by the smallest scale that makes all of them whole, read as decimals,
or, where that takes more than six digits, by 1000 and rounded to the nearest; the origin says so. A
node without an edge of its own (an output) counts one spike, and the origin says how many there
are.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from optmap.errors import InputError
from optmap.model.snn import MAX_TOTAL_SPIKES, SNN, Population, from_edges
from optmap.readers.file_limits import refuse_wide_numbers
from optmap.readers.spike_scale import whole_counts

EXPECTED = "u32 nodes, u32 edges, then per edge u32 n, u32 source, n x u32 targets, f32 frequency"
MAX_BYTES = 8_000_000_000
_WORDS_PER_EDGE = 3  # n, source, frequency


def read_hypergraph(path: Path, window: Fraction | None = None) -> SNN:
    """Read a ``.snn`` file; ``window`` is what its frequencies are multiplied by.

    Raises
    ------
    InputError
        If it is truncated, has bytes left over, names a node that is not there, or gives one node
        two frequencies. Counts are checked against the file's size before memory is taken.
    """
    words = _words(path)
    nodes, edges = int(words[0]), int(words[1])
    body = words[2:]
    if edges * _WORDS_PER_EDGE > len(body):
        room = len(body) // _WORDS_PER_EDGE
        raise InputError(str(path), "edges", str(edges), f"at most {room} in a file of its size")
    named = len(body) - 2 * edges  # sources and targets
    refuse_wide_numbers(str(path), "nodes", nodes, named // 2)
    start, count = _starts(path, body, edges)
    source = body[start + 1].astype(np.int64)
    with np.errstate(invalid="ignore"):  # a signalling NaN; _spikes refuses it by name
        frequency = body[start + 2 + count].copy().view("<f4").astype(np.float32)
    is_target = np.ones(len(body), dtype=np.bool_)
    for word in (start, start + 1, start + 2 + count):
        is_target[word] = False
    target = body[is_target].astype(np.int64)
    for name, values in (("source", source), ("target", target)):
        if len(values) and values.max() >= nodes:
            found = f"{name} {values.max()}"
            raise InputError(str(path), "", found, f"nodes 0..{nodes - 1}")
    spikes, silent, scale = _spikes(path, nodes, source, frequency, window)
    origin = " ".join(("hyperedge frequencies", scale)).strip()
    if silent:
        origin += f"; {silent} nodes without an edge count 1"
    try:
        return from_edges(
            np.repeat(source, count),
            target,
            nodes,
            spikes=spikes,
            populations=[Population("neurons", 0, nodes - 1)] if nodes else [],
            spikes_origin=origin,
        )
    except ValueError as error:
        raise InputError(str(path), "", str(error), EXPECTED) from None


def _words(path: Path) -> npt.NDArray[np.uint32]:
    """Return the file as 32-bit words, at least the two of the header."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(str(path), "", f"{size} bytes", f"at most {MAX_BYTES}")
        with path.open("rb") as stream:
            first = stream.read(8)
            if first == b"\0" * 8 and size > len(first):
                raise InputError(str(path), "", f"no edge in {size} bytes", EXPECTED)
            data = first + stream.read()
    except OSError as error:
        raise InputError(str(path), "", error.strerror or str(error), EXPECTED) from None
    if len(data) < 8 or len(data) % 4:
        raise InputError(str(path), "", f"{len(data)} bytes", "whole 32-bit words, two or more")
    return np.frombuffer(data, dtype="<u4")


def _starts(
    path: Path, body: npt.NDArray[np.uint32], edges: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return where each edge starts and how many targets it has."""
    view = memoryview(body.astype(np.uint32).tobytes()).cast("I")  # plain indexing is fast there
    start = np.empty(edges, dtype=np.int64)
    count = np.empty(edges, dtype=np.int64)
    at, end = 0, len(body)
    for e in range(edges):
        n = view[at] if at < end else 0
        if at + _WORDS_PER_EDGE + n > end:
            left = max(0, end - at)
            found = f"{n} targets with {left} words left"
            raise InputError(str(path), f"edge {e}", found, EXPECTED)
        start[e], count[e] = at, n
        at += _WORDS_PER_EDGE + n
    if at != end:
        raise InputError(
            str(path), "", f"{4 * (end - at)} bytes after the last edge", f"{edges} edges"
        )
    return start, count


def _spikes(
    path: Path,
    nodes: int,
    source: npt.NDArray[np.int64],
    frequency: npt.NDArray[np.float32],
    window: Fraction | None,
) -> tuple[npt.NDArray[np.int64], int, str]:
    """Return the spikes of every node, how many nodes have no edge, and the scale in words."""
    bad = np.flatnonzero(~(frequency >= 0) | (frequency > MAX_TOTAL_SPIKES))
    if len(bad):
        found = f"frequency {frequency[bad[0]]}"
        raise InputError(str(path), f"edge {bad[0]}", found, f"0 to {MAX_TOTAL_SPIKES}")
    told = np.zeros(nodes, dtype=np.float32)
    told[source] = frequency
    twice = np.flatnonzero(told[source] != frequency)
    if len(twice):
        e = int(twice[0])
        found = f"{frequency[e]:g} and {told[source[e]]:g} spikes of node {source[e]}"
        raise InputError(str(path), f"edge {e}", found, "one frequency a node")
    known, first = np.unique(source, return_index=True)
    try:
        counts, scale = whole_counts(frequency[first], window, rounds=True)
    except ValueError as error:
        raise InputError(str(path), "frequencies", "too many spikes", str(error)) from None
    spikes = np.ones(nodes, dtype=np.int64)
    spikes[known] = counts
    return spikes, nodes - len(known), scale


def write_hypergraph(path: Path, snn: SNN) -> None:
    """Write a network as a ``.snn`` file: an edge for every neuron that somebody reads.

    Reading it again gives the same connectivity; neurons that nobody reads then count one spike,
    since the format has no place for theirs.
    """
    order = np.argsort(snn.indices, kind="stable")
    readers = snn.post_of_synapse()[order]
    stop = np.cumsum(snn.fan_out)
    read = np.flatnonzero(snn.fan_out)
    with path.open("wb") as stream:
        stream.write(struct.pack("<II", snn.num_neurons, len(read)))
        for neuron in read.tolist():
            targets = readers[stop[neuron] - snn.fan_out[neuron] : stop[neuron]]
            stream.write(struct.pack("<II", len(targets), neuron))
            stream.write(targets.astype("<u4").tobytes())
            stream.write(struct.pack("<f", float(snn.spikes[neuron])))
