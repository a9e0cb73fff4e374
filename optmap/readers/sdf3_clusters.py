"""A network that comes clustered: SDF3 graphs whose actors are clusters already.

Nothing is left to partition: the clustering stage of every method is skipped, binding and order
are its own. The graph is kept as a network whose given clustering makes exactly its channels: one
unit per channel in the producer's cluster, whose spikes are the tokens of one iteration; a unit
reads all channels that come into its cluster. Execution times and initial tokens cannot be derived
from spikes, so they travel along; :mod:`optmap.model.cluster_graph` uses them.

The model fires a cluster once per iteration, a file may fire actor k q_k times. Its firings of one
iteration then run in a row: tau_k = q_k times its time, r_ab = q_a times the production. A channel
starts with one iteration of tokens where the file has at least that many, else with none, for a
channel of the model holds 0 or 1. Actors on a cycle that holds less than one iteration cannot run
one after the other; they become one cluster, named ``a+b``, that runs them interleaved. All of that
takes freedom away, never adds any: every period reported for such a graph can be had. A channel of
an actor to itself only keeps firings apart, as every crossbar does anyhow; times are rounded up to
whole ticks, at least one.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph

from optmap.errors import InputError
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.snn import MAX_TOTAL_SPIKES, IndexArray, IntArray, Population
from optmap.sdf.graph import SDFG
from optmap.sdf.repetition import InconsistentError, repetition_vector
from optmap.sdf.xml import read_sdf3
from optmap.sdf.xml_reader import EXPANDED

#: Largest time of one iteration of an actor; sums over all of them stay in int64.
MAX_TAU = 2**40
MAX_UNITS = 1_000_000
MAX_SYNAPSES = 50_000_000
MAX_BURSTS = 300_000

#: (source, target) -> tokens per iteration, iterations of tokens at the start.
Channels = dict[tuple[int, int], tuple[int, int]]


def read_clustered(path: Path) -> ClusteredSNN:
    """Read an SDF3 application graph as a network that is clustered already.

    Raises
    ------
    InputError
        If the file is damaged, its rates contradict each other, or it deadlocks.
    """
    graph, notes = read_sdf3(path)
    if any(note.startswith(EXPANDED) for note in notes):
        found = "a cyclo-static graph of several phases"
        raise InputError(str(path), "", found, "actors of one phase: clusters fire once a window")
    try:
        firings = repetition_vector(graph)
    except InconsistentError as error:
        raise InputError(str(path), "", str(error), "consistent rates") from None
    names = tuple(graph.actor_names)
    tau = [_tau(path, graph, a, q) for a, q in enumerate(firings)]
    channels = _channels(path, graph, firings)
    group = _interleaved(len(names), channels)
    if len(set(group)) < len(names):
        _refuse_deadlock(path, graph, firings)
        names, tau, channels = _fused(names, tau, channels, group)
    pairs = sorted(channels)
    snn = _network(path, names, [(a, b, channels[a, b][0]) for a, b in pairs])
    blocks = "" if max(firings) == 1 else ", the firings of an iteration in a row"
    try:
        return ClusteredSNN(
            *snn,
            spikes_origin=f"rates of {path.name}{blocks}",
            cluster_of=_cluster_of(len(names), [a for a, _ in pairs]),
            tau=np.array(tau, dtype=np.int64),
            source=np.array([a for a, _ in pairs], dtype=np.int32),
            target=np.array([b for _, b in pairs], dtype=np.int32),
            initial=np.array([channels[pair][1] for pair in pairs], dtype=np.int64),
            names=names,
        )
    except ValueError as error:  # all rates together leave int64
        raise InputError(str(path), "", str(error), "rates that add up") from None


def _tau(path: Path, graph: SDFG, actor: int, firings: int) -> int:
    ticks = -(-int(graph.execution_time[actor]) * firings // graph.ticks_per_unit)
    if ticks > MAX_TAU:
        where = f"actor {graph.actor_names[actor]!r}"
        raise InputError(str(path), where, f"{ticks} ticks per iteration", f"at most {MAX_TAU}")
    return max(1, ticks)


def _channels(path: Path, graph: SDFG, firings: list[int]) -> Channels:
    """Return tokens per iteration and initial iterations by (source, target), none to itself."""
    channels: Channels = {}
    for c, name in enumerate(graph.channel_names):
        a, b = int(graph.source[c]), int(graph.target[c])
        rate = firings[a] * int(graph.production[c])
        tokens = int(graph.tokens[c])
        place = f"channel {name!r}"
        if rate > MAX_TOTAL_SPIKES:
            raise InputError(str(path), place, f"{rate} tokens", f"at most {MAX_TOTAL_SPIKES}")
        if a == b:
            if tokens < int(graph.consumption[c]):
                found = f"{tokens} tokens from the actor to itself, which stop it"
                raise InputError(str(path), place, found, f"at least {graph.consumption[c]}")
            continue
        before = channels.get((a, b), (0, 1))
        channels[a, b] = before[0] + rate, min(before[1], tokens // rate)
    return channels


def _interleaved(num_actors: int, channels: Channels) -> list[int]:
    """Return a group of each actor, ascending: equal on cycles without a whole iteration."""
    empty = [pair for pair, (_, initial) in channels.items() if not initial]
    links = scipy.sparse.coo_array(
        (np.ones(len(empty)), ([a for a, _ in empty], [b for _, b in empty])),
        shape=(num_actors, num_actors),
    )
    _, label = scipy.sparse.csgraph.connected_components(links, connection="strong")
    rank: dict[int, int] = {}
    return [rank.setdefault(int(x), len(rank)) for x in label]


def _fused(
    names: tuple[str, ...], tau: list[int], channels: Channels, group: list[int]
) -> tuple[tuple[str, ...], list[int], Channels]:
    """Return names, times and channels with every group as one cluster."""
    members: list[list[int]] = [[] for _ in range(max(group) + 1)]
    for actor, g in enumerate(group):
        members[g].append(actor)
    between: Channels = {}
    for (a, b), (rate, initial) in channels.items():
        pair = group[a], group[b]
        if pair[0] != pair[1]:
            before = between.get(pair, (0, 1))
            between[pair] = before[0] + rate, min(before[1], initial)
    return (
        tuple("+".join(names[a] for a in part) for part in members),
        [sum(tau[a] for a in part) for part in members],
        between,
    )


def _refuse_deadlock(path: Path, graph: SDFG, firings: list[int]) -> None:
    """Raise unless one iteration of the whole graph can run, firing in bursts."""
    reads: list[list[tuple[int, int]]] = [[] for _ in firings]
    feeds: list[list[tuple[int, int, int]]] = [[] for _ in firings]
    for c in range(len(graph.channel_names)):
        a, b = int(graph.source[c]), int(graph.target[c])
        if a != b:  # a channel to itself was found to hold enough
            reads[b].append((c, int(graph.consumption[c])))
            feeds[a].append((c, int(graph.production[c]), b))
    tokens, left = [int(t) for t in graph.tokens], list(firings)
    waiting = deque(range(len(firings)))
    queued = [True] * len(firings)
    for _ in range(MAX_BURSTS):
        if not waiting:
            break
        actor = waiting.popleft()
        queued[actor] = False
        burst = min([left[actor], *(tokens[c] // n for c, n in reads[actor])])
        if not burst:
            continue
        left[actor] -= burst
        for c, n in reads[actor]:
            tokens[c] -= n * burst
        for c, n, reader in feeds[actor]:
            tokens[c] += n * burst
            if left[reader] and not queued[reader]:
                queued[reader] = True
                waiting.append(reader)
    if waiting:
        expected = f"an iteration of at most {MAX_BURSTS} bursts"
        raise InputError(str(path), "", "more", expected)
    stuck = [graph.actor_names[a] for a, n in enumerate(left) if n]
    if stuck:
        found = "a deadlock of " + ", ".join(stuck[:5])
        raise InputError(str(path), "", found, "tokens enough for every cycle")


def _cluster_of(num_actors: int, producers: list[int]) -> IndexArray:
    """Return the cluster of each unit: one per channel, at least one per actor."""
    width = np.maximum(np.bincount(np.array(producers, dtype=np.int64), minlength=num_actors), 1)
    return np.repeat(np.arange(num_actors, dtype=np.int32), width)


def _network(
    path: Path, names: tuple[str, ...], channels: list[tuple[int, int, int]]
) -> tuple[IntArray, IndexArray, IntArray, tuple[Population, ...]]:
    """Return indptr, indices, spikes and populations; neuron 0 is the world outside.

    Actors without incoming channel read neuron 0, which never fires: a unit needs a fan-in.
    """
    cluster_of = _cluster_of(len(names), [a for a, _, _ in channels])
    first = 1 + np.searchsorted(cluster_of, np.arange(len(names)))
    width = np.bincount(cluster_of, minlength=len(names))
    spikes = np.zeros(1 + len(cluster_of), dtype=np.int64)
    reads: list[list[int]] = [[] for _ in names]
    taken = [0] * len(names)
    for a, b, rate in channels:
        unit = int(first[a]) + taken[a]
        taken[a] += 1
        spikes[unit] = rate
        reads[b].append(unit)  # ascending, since channels are sorted by their source
    counts = np.array([max(1, len(r)) for r in reads], dtype=np.int64)
    if len(cluster_of) > MAX_UNITS or int((counts * width).sum()) > MAX_SYNAPSES:
        found = f"{len(channels)} channels"
        raise InputError(str(path), "", found, f"at most {MAX_UNITS}, {MAX_SYNAPSES} pairs in all")
    lists = [
        np.tile(np.array(r or [0], dtype=np.int32), w) for r, w in zip(reads, width, strict=True)
    ]
    indptr = np.concatenate(([0, 0], np.cumsum(np.repeat(counts, width))))
    populations = [Population("outside", 0, 0)]
    for k, name in enumerate(names):
        populations.append(Population(name, int(first[k]), int(first[k] + width[k]) - 1))
    return indptr, np.concatenate(lists), spikes, tuple(populations)
