"""Strongly connected components of an SDF graph, as graphs of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optmap.sdf.components import group_by, strong_components
from optmap.sdf.graph import SDFG


@dataclass(frozen=True, slots=True)
class Part:
    """A component: its graph, and the numbers its actors and channels have in the whole."""

    graph: SDFG
    actors: tuple[int, ...]
    channels: tuple[int, ...]


def is_strongly_connected(graph: SDFG) -> bool:
    """Return whether every actor reaches every other; a lone actor needs a self-loop."""
    everything = np.ones(graph.num_channels, dtype=np.bool_)
    indptr, edges = group_by(graph.num_actors, graph.source, everything)
    count = strong_components(graph.num_actors, indptr, graph.target[edges])[1]
    return bool(count == 1 and graph.num_channels > 0)


def parts_on_cycles(graph: SDFG) -> tuple[list[Part], list[int]]:
    """Return the components that hold a cycle, and the actors that lie on none.

    Examples
    --------
    >>> from optmap.sdf.graph import sdfg
    >>> parts, loose = parts_on_cycles(
    ...     sdfg([("A", 1), ("B", 1)], [("A", "A", 1, 1, 1), ("A", "B", 1, 1, 0)])
    ... )
    >>> [part.graph.actor_names for part in parts], loose
    ([('A',)], [1])
    """
    n, m = graph.num_actors, graph.num_channels
    everything = np.ones(m, dtype=np.bool_)
    indptr, edges = group_by(n, graph.source, everything)
    component, count = strong_components(n, indptr, graph.target[edges])
    of_channel = component[graph.source]
    inside = of_channel == component[graph.target]
    actor_first, actors_by = group_by(count, component, np.ones(n, dtype=np.bool_))
    channel_first, channels_by = group_by(count, of_channel, inside)
    number = np.zeros(n, dtype=np.int32)
    parts, loose = [], []
    for k in range(count):
        actors = actors_by[actor_first[k] : actor_first[k + 1]]
        channels = channels_by[channel_first[k] : channel_first[k + 1]]
        if not len(channels):
            loose += actors.tolist()
            continue
        number[actors] = np.arange(len(actors), dtype=np.int32)
        part = replace(
            graph,
            actor_names=[graph.actor_names[a] for a in actors.tolist()],
            execution_time=graph.execution_time[actors],
            channel_names=[graph.channel_names[c] for c in channels.tolist()],
            source=number[graph.source[channels]],
            target=number[graph.target[channels]],
            production=graph.production[channels],
            consumption=graph.consumption[channels],
            tokens=graph.tokens[channels],
            token_size=None,
        )
        parts.append(Part(part, tuple(actors.tolist()), tuple(channels.tolist())))
    return parts, sorted(loose)
