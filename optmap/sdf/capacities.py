"""Capacities of channels: a graph with bounded channels, and the least with which each can move."""

from __future__ import annotations

from dataclasses import replace
from math import gcd

import numpy as np

from optmap.sdf.graph import SDFG


def with_capacities(graph: SDFG, capacities: tuple[int, ...]) -> SDFG:
    """Return the graph with bounded channels: channel m + c is the free space of channel c.

    Raises
    ------
    ValueError
        If a capacity is smaller than its channel's initial tokens.
    """
    space = np.array(capacities, dtype=np.int64) - graph.tokens
    if len(space) and space.min() < 0:
        c = int(space.argmin())
        raise ValueError(
            f"channel {graph.channel_names[c]!r} holds {graph.tokens[c]} tokens,"
            f" capacity {capacities[c]}"
        )
    taken = set(graph.channel_names)
    names = []
    for channel in graph.channel_names:
        name = f"space_{channel}"
        while name in taken:
            name = "_" + name
        taken.add(name)
        names.append(name)
    return replace(
        graph,
        channel_names=(*graph.channel_names, *names),
        source=np.concatenate((graph.source, graph.target)),
        target=np.concatenate((graph.target, graph.source)),
        production=np.concatenate((graph.production, graph.consumption)),
        consumption=np.concatenate((graph.consumption, graph.production)),
        tokens=np.concatenate((graph.tokens, space)),
        token_size=None,
    )


def least_capacities(graph: SDFG) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return (capacities, steps): below the former a channel cannot move; only steps matter.

    With rates p, c, g = gcd(p, c) and d tokens, a channel between two actors needs
    max(d, p + c - g + d mod g) [1]_; more space helps in steps of g. A self-loop claims its space
    before it frees any, hence d + p.

    References
    ----------
    .. [1] P. Murthy, S. Bhattacharyya, "Shared buffer implementations of signal processing
           systems using lifetime analysis techniques", IEEE Trans. CAD 20(2), 2001.
    """
    capacities, steps = [], []
    for a, b, p, c, d in zip(
        graph.source.tolist(),
        graph.target.tolist(),
        graph.production.tolist(),
        graph.consumption.tolist(),
        graph.tokens.tolist(),
        strict=True,
    ):
        g = gcd(p, c)
        if a == b:
            capacities.append(d + p)
        else:
            # Below d there is no space to start with; from d on, space in whole steps of g.
            need = p + c - g + d % g
            capacities.append(need if need >= d else d)
        steps.append(g)
    return tuple(capacities), tuple(steps)
