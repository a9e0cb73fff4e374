"""Lower bounds on the period: for every decomposition and clustering, or for one clustering.

The first kind makes an end-to-end gap honest: whatever a method decides, it cannot beat them. The
second kind adds to :func:`optmap.evaluate.bounds.period_bounds` what recurrences cost once they
leave a tile. All are whole numbers or Fractions by exact arithmetic, and hold for every binding,
order and prologue.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import networkx as nx
import numpy as np

from optmap.evaluate.bounds import Bound, best, period_bounds
from optmap.evaluate.cluster_graph import ClusterGraph
from optmap.hardware import Platform
from optmap.snn import SNN

ANY_MAPPING = "any decomposition, clustering, binding and order"
ANY_BINDING = "clustering, any binding and order"


def fewest_units(snn: SNN, platform: Platform) -> int:
    """Return the least number of units over all decompositions.

    Notes
    -----
    The m units of a neuron of fan-in f read f raw sources and m - 1 inserted units (each inserted
    unit is read exactly once) on at most R rows each: f + m - 1 <= m R, so m >= (f - 1) / (R - 1).
    """
    fan_in = snn.fan_in[snn.units]
    return int(np.maximum(1, -(-(fan_in - 1) // (platform.max_rows - 1))).sum())


def fewest_clusters(snn: SNN, platform: Platform) -> int:
    """Return a lower bound on the number of clusters over all decompositions.

    Notes
    -----
    *columns*: at least :func:`fewest_units` units, at most C' a cluster. *rows*: raw source i is
    read by exactly deg_i units in every decomposition, one for each neuron that reads it, since a
    neuron reaches each of its sources exactly once; it takes a row of at least ceil(deg_i / C')
    clusters. Each inserted unit takes one more; a cluster has R.
    """
    units, columns = fewest_units(snn, platform), platform.max_columns
    taken = int((-(-snn.fan_out // columns)).sum()) + units - snn.num_units
    return max(-(-units // columns), -(-taken // platform.max_rows))


def fewest_spikes_read(snn: SNN, platform: Platform) -> int:
    """Return a lower bound on the spikes that all clusters together read in one iteration.

    Notes
    -----
    Source i stands on a row of at least ceil(deg_i / C') clusters (see :func:`fewest_clusters`),
    each reading its s_i spikes. A neuron of fan-in f > R reads an inserted unit at least, hence at
    most R - 1 sources directly; the other f - R + 1 or more pass through inserted units, whose
    spikes are the sums over their inputs and which are read once more, by their owner alone: at
    least the sum of the neuron's f - R + 1 smallest counts.
    """
    copies = -(-snn.fan_out // platform.max_columns)
    read = sum(int(s) * int(c) for s, c in zip(snn.spikes, copies, strict=True))
    rows = platform.max_rows
    for j in np.flatnonzero(snn.fan_in > rows):
        counts = np.sort(snn.spikes[snn.sources_of(int(j))])
        read += int(counts[: len(counts) - rows + 1].sum())
    return read


def end_to_end_period_bounds(snn: SNN, platform: Platform) -> tuple[Bound, ...]:
    """Return lower bounds on the period in ticks that hold whatever is decided.

    Notes
    -----
    ``widest``: the spikes of inserted units are the sums over their inputs, so the unit that keeps
    a neuron's identity reads, directly or as sums, every spike of the neuron's whole fan-in; its
    cluster takes base + event times that, and never overlaps itself. ``work``: T tiles fire
    K >= :func:`fewest_clusters` clusters that read :func:`fewest_spikes_read` spikes, and if K > T
    all but T - 1 of them pay switch_ticks; some tile is busy for the mean or longer. ``crowd``:
    some tile fires ceil(K / T) clusters at least, for base ticks each (and switch, if several).

    Recurrences prove nothing more before a clustering is known: every channel on a cycle of
    clusters holds a token, so that without sends such a cycle's ratio is a mean of execution times.

    Examples
    --------
    >>> from optmap.hardware import Crossbar, Interconnect, Tile
    >>> from optmap.snn import from_edges
    >>> snn = from_edges([0, 1, 2, 3], [4, 4, 4, 4], 5, spikes=[1, 2, 3, 4, 1])
    >>> tiles = (Tile(Crossbar(2, 2)),) * 2
    >>> mesh = Interconnect("mesh", 2, 1)
    >>> platform = Platform("two tiles", tiles, mesh, base_ticks=5, event_ticks=1)
    >>> [(bound.name, bound.value) for bound in end_to_end_period_bounds(snn, platform)]
    [('widest', 15), ('work', 16), ('crowd', 10)]
    """
    if not snn.num_units:
        return (Bound("widest", 0, ANY_MAPPING),)
    base, event = platform.base_ticks, platform.event_ticks
    tiles, switch = platform.num_tiles, platform.switch_ticks
    before = np.concatenate(([0], np.cumsum(snn.spikes[snn.indices])))
    heard = int((before[snn.indptr[1:]] - before[snn.indptr[:-1]]).max())
    clusters = fewest_clusters(snn, platform)
    work = base * clusters + event * fewest_spikes_read(snn, platform)
    work += switch * (clusters - tiles + 1) if clusters > tiles else 0
    crowd = -(-clusters // tiles)
    return (
        Bound("widest", base + event * heard, ANY_MAPPING),
        Bound("work", -(-work // tiles), ANY_MAPPING),
        Bound("crowd", crowd * (base + (switch if crowd > 1 else 0)), ANY_MAPPING),
    )


def end_to_end_period_bound(snn: SNN, platform: Platform) -> Bound:
    """Return the best of :func:`end_to_end_period_bounds`."""
    found = best(end_to_end_period_bounds(snn, platform))
    assert found is not None  # "widest" is always there
    return found


def clustering_period_bounds(graph: ClusterGraph, platform: Platform) -> tuple[Bound, ...]:
    """Return lower bounds on the period in ticks for one clustering and any binding and order.

    Notes
    -----
    ``actor``, ``load`` and ``pair`` are those of :func:`optmap.evaluate.bounds.period_bounds`.
    ``recurrence``: :func:`recurrence_bound`, rounded down to a whole number.
    """
    found = period_bounds(graph, platform)
    known = max(bound.value for bound in found)
    recurrence = recurrence_bound(graph, platform, above=known)
    if recurrence is None:
        return found
    return (*found, Bound("recurrence", int(recurrence), ANY_BINDING))


def clustering_period_bound(graph: ClusterGraph, platform: Platform) -> Bound:
    """Return the best of :func:`clustering_period_bounds`."""
    found = best(clustering_period_bounds(graph, platform))
    assert found is not None  # "actor" is always there
    return found


def recurrence_bound(
    graph: ClusterGraph, platform: Platform, above: int | None = None
) -> Fraction | None:
    """Return what the strongly connected parts of the cluster graph cost; None without any.

    With ``above``, parts that prove nothing better than it are left out, which saves the time of
    looking at all channels of a dense part.

    Notes
    -----
    Take one strongly connected component with several clusters. Either all of them share a tile,
    which then is busy for the sum of their tau (and switch_ticks each); or some channel e of the
    component is sent between tiles. Every cycle through e then leaves e's tile and comes back, so
    that it contains a second send. Its delays are the tau of its clusters, the send times and at
    least the fewest hops between two tiles for both sends; its tokens are the channels' initial
    iterations. A cycle's ratio is a lower bound on the period; which e is sent is not known, so the
    least over e counts, of the best among e's own return channel and a shortest way back.
    """
    if platform.num_tiles < 2:
        return None
    sends = [platform.send_ticks(int(r)) for r in graph.rate]
    apart = platform.hops[~np.eye(platform.num_tiles, dtype=np.bool_)]
    latency = int(apart.min()) * platform.hop_ticks
    channels = nx.DiGraph()
    columns = (graph.source.tolist(), graph.target.tolist(), graph.initial.tolist(), sends)
    for a, b, tokens, send in zip(*columns, strict=True):
        channels.add_edge(a, b, tokens=tokens, remote=send + latency)
    best_found = None
    for members in nx.strongly_connected_components(channels):
        if len(members) < 2:
            continue
        part = channels.subgraph(members).copy()
        value = Fraction(sum(int(graph.tau[k]) + platform.switch_ticks for k in members))
        for a, b in part.edges:
            value = min(value, _cycle_through(part, a, b, graph))
            if above is not None and value <= above:
                break
        if above is None or value > above:
            best_found = value if best_found is None else max(best_found, value)
    return best_found


def _cycle_through(part: nx.DiGraph, a: int, b: int, graph: ClusterGraph) -> Fraction:
    """Return the ratio of a shortest cycle through channel (a, b) if that channel is sent."""
    path = nx.shortest_path(part, b, a)
    edges = [(a, b), *pairwise(path)]
    ticks = sum(int(graph.tau[x]) for x, _ in edges) + part.edges[a, b]["remote"]
    ticks += min(part.edges[e]["remote"] for e in edges[1:])
    return Fraction(ticks, sum(part.edges[e]["tokens"] for e in edges))
