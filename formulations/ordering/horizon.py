"""How far apart two starts can lie: longest paths, domains of the starts, pairs already decided.

Everything here is implied by difference constraints start_b - start_a >= weight, so that no
schedule is lost and no constant like 2^42 is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from formulations.ordering.size import OutOfTimeError
from optmap.model.snn import IntArray

#: "No path"; sums of two of these stay inside int64.
NO_PATH = -(2**61)

Arc = tuple[int, int, int]


def longest_paths(
    num_tasks: int, arcs: Iterable[Arc], expired: Callable[[], bool] = lambda: False
) -> IntArray | None:
    """Return D with start_b - start_a >= D[a,b] implied for all a, b; None on a positive cycle.

    Floyd and Warshall, O(n^3) in vectorised steps; D[a,a] = 0.

    Raises
    ------
    OutOfTimeError
        If ``expired`` says so between two steps.
    """
    dist = np.full((num_tasks, num_tasks), NO_PATH, dtype=np.int64)
    np.fill_diagonal(dist, 0)
    for a, b, weight in arcs:
        dist[a, b] = max(dist[a, b], weight)
    for k in range(num_tasks):
        if expired():
            raise OutOfTimeError(f"{k} of {num_tasks} steps of longest paths")
        np.maximum(dist, _through(dist[:, k], 0, dist[k]), out=dist)
    return None if (dist.diagonal() > 0).any() else dist


def tighten(dist: IntArray, arc: Arc) -> bool:
    """Add one arc to closed distances, in place, O(n^2); False if it closes a positive cycle."""
    a, b, weight = arc
    if weight > dist[a, b]:
        np.maximum(dist, _through(dist[:, a], weight, dist[b]), out=dist)
    return not (dist.diagonal() > 0).any()


def _through(to: IntArray, weight: int, onward: IntArray) -> IntArray:
    total = to[:, None] + weight + onward[None, :]
    total[to == NO_PATH, :] = NO_PATH
    total[:, onward == NO_PATH] = NO_PATH
    return total


def start_ranges(dist: IntArray, slack: int = 0) -> list[tuple[int, int]]:
    """Return (earliest, latest) start of every task, one task of each component held at 0.

    Proof: constraints only compare starts of tasks joined by paths both ways, so all starts of a
    component may be shifted together until its first task starts at 0; every other task then
    starts at D[first, b] at least and at -D[b, first] at most. With ``slack`` > 0 the first task
    starts in 0..slack - 1 instead (components that are only compared modulo ``slack``).

    Raises
    ------
    ValueError
        If paths join two tasks one way only: such starts have no bound.
    """
    reached = dist > NO_PATH
    if not (reached == reached.T).all():
        raise ValueError("start_ranges: two tasks are joined by paths one way only")
    first = reached.argmax(axis=1)  # the lowest task of each one's component
    task = np.arange(len(dist))
    low, high = dist[first, task], -dist[task, first]
    more = max(slack - 1, 0)
    return [(int(a), int(b) + more) for a, b in zip(low, high, strict=True)]


def decide_pairs(
    dist: IntArray,
    resources: Iterable[Iterable[int]],
    time: list[int],
    expired: Callable[[], bool] = lambda: False,
) -> list[tuple[int, int]] | None:
    """Return the pairs (a, b) of one resource where a must come first; tightens ``dist``.

    If D[a,b] > -time_b, then b cannot end before a starts, so a ends before b starts. Repeated
    until nothing changes; None if that closes a positive cycle, that is, no schedule exists.

    Raises
    ------
    OutOfTimeError
        If ``expired`` says so in between.
    """
    groups = [list(group) for group in resources]
    decided: dict[tuple[int, int], None] = {}
    changed = True
    while changed:
        changed = False
        for a, others in ((a, group) for group in groups for a in group):
            if expired():
                raise OutOfTimeError(f"{len(decided)} pairs of tasks decided")
            for b in others:
                if a == b or (a, b) in decided or dist[a, b] <= -time[b]:
                    continue
                decided[a, b] = None
                changed = True
                if not tighten(dist, (a, b, time[a])):
                    return None
    return list(decided)
