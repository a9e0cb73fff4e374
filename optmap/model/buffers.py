"""How many tokens every channel of a mapping may hold: a decision, where a mapping states it.

A channel takes space at two places: in the input buffer of its consumer's tile, and, where its
clusters stand on different tiles, in the output buffer of its producer's tile as well. One spike is
one token. A mapping that states nothing has what the platform gives every channel at each place:
``buffer_windows`` times the channel's rate, or ``buffer_tokens``, the same for all.

A producer fires once an iteration and claims space for all of its tokens at once, so that only
whole iterations count: ``capacity div rate`` of them fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding, Buffers
from optmap.model.platform import Platform
from optmap.model.snn import BoolArray, IntArray


@dataclass(frozen=True, slots=True)
class Space:
    """Space of every channel of a cluster graph.

    Parameters
    ----------
    output, input : (E,) int64 arrays
        Tokens at the producer's tile (0 where both clusters share a tile), and at the consumer's.
    """

    output: IntArray
    input: IntArray

    @property
    def total(self) -> int:
        """Tokens of all channels together."""
        return int(self.output.sum() + self.input.sum())


def tokens_held(graph: ClusterGraph, platform: Platform) -> IntArray:
    """Return the tokens that a platform gives every channel at each of its places, shape (E,)."""
    if platform.buffer_tokens is not None:
        return np.full(graph.num_channels, platform.buffer_tokens, dtype=np.int64)
    return graph.rate * platform.buffer_windows


def iterations_held(graph: ClusterGraph, platform: Platform) -> IntArray:
    """Return how many whole iterations fit into :func:`tokens_held`, shape (E,)."""
    if platform.buffer_tokens is not None:
        return np.asarray(platform.buffer_tokens // graph.rate, dtype=np.int64)
    return np.full(graph.num_channels, platform.buffer_windows, dtype=np.int64)


def is_remote(graph: ClusterGraph, binding: Binding) -> BoolArray:
    """Return which channels have their ends on different tiles, shape (E,)."""
    remote: BoolArray = binding.tile_of[graph.source] != binding.tile_of[graph.target]
    return remote


def space_of(
    graph: ClusterGraph, platform: Platform, binding: Binding, buffers: Buffers | None
) -> Space:
    """Return the space of every channel: what the mapping states, else what the platform gives.

    Raises
    ------
    ValueError
        If the mapping states capacities of other channels than the graph has.
    """
    remote = is_remote(graph, binding)
    if buffers is None:
        every = tokens_held(graph, platform)
        return Space(np.where(remote, every, 0), every)
    stated = {(a, b): (out, into) for a, b, out, into in buffers.channels}
    names = list(zip(graph.source.tolist(), graph.target.tolist(), strict=True))
    missing = [channel for channel in names if channel not in stated]
    extra = set(stated) - set(names)
    if missing or extra:
        what = f"no capacity of channel {missing[0]}" if missing else ""
        what = what or f"a capacity of channel {min(extra)}, which is not there"
        raise ValueError(f"buffers: {what}")
    pairs = np.array([stated[channel] for channel in names], dtype=np.int64).reshape(-1, 2)
    local = np.flatnonzero(~remote & (pairs[:, 0] > 0))
    if len(local):
        e = int(local[0])
        raise ValueError(
            f"buffers: channel {names[e]} stays on its tile, output space {pairs[e, 0]}"
        )
    return Space(pairs[:, 0].copy(), pairs[:, 1].copy())
