"""A mapping as SDF3 XML: its binding-aware graph, for any other dataflow tool.

Actors are the clusters and the sends, with their execution times; channels are the edges of the
binding-aware graph, named after their reason (``data``, ``buffer``, ``order``, ``send_order``,
``self``) and ends. All rates are one, so that the graph's throughput is that of the mapping: the
period another tool finds is ours. Prologues are retimed away first (:mod:`optmap.sdf.export`).
"""

from __future__ import annotations

from optmap.judge.binding_aware_graph import Reason, lower
from optmap.model.cluster_graph import cluster_graph
from optmap.model.mapping import Mapping
from optmap.model.platform import Platform
from optmap.sdf.export import to_sdfg
from optmap.sdf.graph import SDFG


def binding_aware_sdfg(
    platform: Platform, mapping: Mapping, tokens: str, name: str = "mapping"
) -> SDFG:
    """Return the binding-aware graph of a mapping as an SDF graph.

    Parameters
    ----------
    platform : Platform
        What it is mapped onto.
    mapping : Mapping
        A mapping that passes the check.
    tokens : str
        Token mode, ``dataflow`` or ``pipelined``.
    name : str
        Name of the graph in the file.
    """
    graph = cluster_graph(mapping.decomposition, mapping.clustering, platform, tokens)
    bound = lower(graph, platform, mapping.binding, mapping.orders, mapping.buffers)
    actors = [f"cluster_{k}" for k in range(graph.num_clusters)]
    actors += [f"send_{graph.source[e]}_{graph.target[e]}" for e in bound.send_channel.tolist()]
    edges: list[str] = []
    seen: dict[str, int] = {}
    marked = bound.graph
    columns = (bound.reason.tolist(), marked.source.tolist(), marked.target.tolist())
    for reason, a, b in zip(*columns, strict=True):
        plain = f"{Reason(reason).word}_{actors[a]}_{actors[b]}"
        seen[plain] = seen.get(plain, 0) + 1
        edges.append(plain if seen[plain] == 1 else f"{plain}_{seen[plain]}")
    return to_sdfg(marked, actors, bound.time, edges, name=name)
