"""Classes that look alike: colour refinement of the class-group graph, to any depth.

Prices that are equal on classes of one colour need fewer master rows. Any colouring gives valid
bounds (see :mod:`formulations.clustering.column_generation.master`); the stable one never separates
automorphic classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from optmap.clustering.kernels.classes import Classes
from optmap.model.snn import IndexArray, frozen


def refine(classes: Classes, depth: int | None) -> IndexArray:
    """Return the colour of each class after ``depth`` rounds (None: until stable), shape (Q,)."""
    num_q, num_g = classes.num_classes, len(classes.weight)
    q_of = np.repeat(np.arange(num_q), np.diff(classes.ptr))
    g_of = classes.groups
    colour = _dense(list(zip(classes.size.tolist(), classes.fan_in.tolist(), strict=True)))
    group = _dense([(w,) for w in classes.weight.tolist()])
    rounds = 0
    while num_q and (depth is None or rounds < depth):
        before = int(colour.max()), int(group.max())
        group = _split(group, g_of, colour[q_of], num_g)
        colour = _split(colour, q_of, group[g_of], num_q)
        rounds += 1
        if (int(colour.max()), int(group.max())) == before:
            break
    return frozen(colour, np.int32)


def _split(own: IndexArray, at: Any, seen: IndexArray, num: int) -> IndexArray:
    """Return the colours of (own colour, multiset of neighbours' colours)."""
    order = np.lexsort((seen, at))
    around: list[list[int]] = [[int(c)] for c in own]
    for v, c in zip(at[order].tolist(), seen[order].tolist(), strict=True):
        around[v].append(c)
    return _dense([tuple(a) for a in around[:num]])


def _dense(keys: list[tuple[int, ...]]) -> IndexArray:
    """Return keys as numbers, by first appearance."""
    number: dict[tuple[int, ...], int] = {}
    return np.array([number.setdefault(k, len(number)) for k in keys], dtype=np.int32)
