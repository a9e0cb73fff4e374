"""Crowds of firings: those of one actor that start at one moment, and a heap of them by time.

Where rates differ and no self-loop holds them back, an actor fires thousands of times at once: what
a simulation does for each crowd instead of for each firing is done that many times less often.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from optmap.compiled import borrowing, compiled


class Crowds(NamedTuple):
    """Firings that start together: a time (of their end, in the heap), whose, how many."""

    time: Any
    actor: Any
    count: Any


@borrowing
def put(heap: Crowds, i: int, entry: tuple[int, int, int]) -> None:
    """Write an entry: time, actor, count."""
    heap.time[i], heap.actor[i], heap.count[i] = entry


@borrowing
def push(heap: Crowds, size: int, entry: tuple[int, int, int]) -> int:
    """Add an entry to a heap of so many; return how many it has then."""
    i = size
    while i > 0:
        parent = (i - 1) // 2
        if heap.time[parent] <= entry[0]:
            break
        put(heap, i, (heap.time[parent], heap.actor[parent], heap.count[parent]))
        i = parent
    put(heap, i, entry)
    return size + 1


@borrowing
def pop(heap: Crowds, size: int) -> int:
    """Take the earliest entry from a heap of so many; return how many it has then."""
    size -= 1
    entry = heap.time[size], heap.actor[size], heap.count[size]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and heap.time[child + 1] < heap.time[child]:
            child += 1
        if entry[0] <= heap.time[child]:
            break
        put(heap, i, (heap.time[child], heap.actor[child], heap.count[child]))
        i = child
    put(heap, i, entry)
    return size


@compiled
def longer(crowds: Crowds) -> Crowds:
    """Return the same with room for twice as many."""
    time = np.concatenate((crowds.time, crowds.time))
    actor = np.concatenate((crowds.actor, crowds.actor))
    return Crowds(time, actor, np.concatenate((crowds.count, crowds.count)))
