"""From a marked graph to an SDF graph that any tool reads and that runs at the same throughput.

An SDF actor has one execution time and its tokens arrive when a firing ends. An edge of a marked
graph may take longer than its source's firing (latency in a network). Such an edge passes through
an actor of its own, without a self-loop: it holds nothing up, it only takes time. Edges of one
source with one delay share that actor. Where an edge is shorter than its source's firing, the
firing itself is cut to the shortest edge and the longer edges wait in such actors; the self-loop
that kept firings apart is one of them, so throughput stays what it was.

Edges with negative tokens (offsets of a software-pipelined order) are retimed first: tokens move
over actors, the sum along every cycle stays, and so does throughput. Latencies do not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from optmap.sdf.cycle_ratio import retimed
from optmap.sdf.graph import SDFG
from optmap.sdf.marked_graph import MarkedGraph


def to_sdfg(
    graph: MarkedGraph,
    actor_names: Sequence[str],
    execution_time: npt.ArrayLike,
    edge_names: Sequence[str] | None = None,
    *,
    ticks_per_unit: int = 1,
    name: str = "binding_aware",
) -> SDFG:
    """Return an SDF graph, all rates one, with the cycle ratio of a marked graph.

    Parameters
    ----------
    actor_names : sequence of str
        A name for each actor, all different.
    execution_time : (num_actors,) int array
        Ticks of one firing of each actor; an edge with this delay becomes one channel.
    edge_names : sequence of str, optional
        A name for each edge, all different; without them ``e0``, ``e1``, ...

    Returns
    -------
    SDFG
        Actors keep their numbers; latency actors follow, named ``<source>+<ticks>``. Edge e
        becomes the channel of that name, ending in the edge's target; what feeds the latency
        actors is named ``<latency actor>:in``.

    Raises
    ------
    DeadlockError
        If an edge is negative and the tokens of some cycle sum to less than zero.
    ValueError
        If names repeat or lengths differ.

    Examples
    --------
    A message that takes 5 ticks beyond its sender's 3:

    >>> graph = MarkedGraph(2, [0, 1], [1, 0], [8, 2], [0, 1])
    >>> exported = to_sdfg(graph, ["send", "work"], [3, 2])
    >>> exported.actor_names, exported.execution_time.tolist()
    (('send', 'work', 'send+5'), [3, 2, 5])
    """
    n, m = graph.num_actors, graph.num_edges
    names = list(actor_names)
    time = np.array(execution_time, dtype=np.int64)
    if len(names) != n or time.shape != (n,):
        raise ValueError(f"{n} actors, {len(names)} names, execution times of shape {time.shape}")
    edges = [f"e{e}" for e in range(m)] if edge_names is None else list(edge_names)
    if len(edges) != m:
        raise ValueError(f"{m} edges, {len(edges)} names")
    tokens = retimed(graph)
    np.minimum.at(time, graph.source, graph.delay)
    beyond = graph.delay - time[graph.source]
    source = graph.source.astype(np.int64)
    late = np.flatnonzero(beyond)
    pairs, member = np.unique(
        np.stack((source[late], beyond[late]), axis=1), axis=0, return_inverse=True
    )
    source[late] = n + member.ravel()
    taken = set(names)
    waiting = [_free(f"{names[a]}+{ticks}", taken) for a, ticks in pairs.tolist()]
    taken = set(edges)
    ones = np.ones(m + len(pairs), dtype=np.int64)
    return SDFG(
        (*names, *waiting),
        np.concatenate((time, pairs[:, 1])),
        (*edges, *(_free(f"{name}:in", taken) for name in waiting)),
        np.concatenate((source, pairs[:, 0])).astype(np.int32),
        np.concatenate((graph.target, n + np.arange(len(pairs)))).astype(np.int32),
        ones,
        ones,
        np.concatenate((tokens, np.zeros(len(pairs), dtype=np.int64))),
        ticks_per_unit=ticks_per_unit,
        name=name,
    )


def _free(name: str, taken: set[str]) -> str:
    """Return ``name``, primed until nothing else has it, and take it."""
    while name in taken:
        name += "'"
    taken.add(name)
    return name
