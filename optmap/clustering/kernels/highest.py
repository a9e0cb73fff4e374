"""Items by their keys, highest first: a binary heap in which keys may rise.

Python's own heap is a list of tuples, of which numba counts references at every step; and it keeps
an entry for every key that an item has had.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from optmap.compiled import borrowing, compiled
from optmap.model.snn import IndexArray, IntArray


class Highest(NamedTuple):
    """Items 0..n-1, some of them in the heap.

    Parameters
    ----------
    key, minor : (n,) arrays
        The highest key comes first, among equal keys the lowest minor one, then the lowest item.
        They may only rise and fall, in this order, while an item is in the heap.
    order : (n,) int32 array
        The items of the heap; those of place i are never behind those of 2 i + 1 and 2 i + 2.
    at : (n,) int32 array
        The place of each item; -1 if it is not in the heap.
    used : (1,) int64 array
        How many items there are.
    """

    key: Any
    minor: IndexArray
    order: IndexArray
    at: IndexArray
    used: IntArray


@compiled
def empty_heap(key: Any) -> Any:
    """Return a heap of no items that may be as many as the keys."""
    n = len(key)
    none = np.full(n, -1, dtype=np.int32)
    minor, order = np.zeros(n, dtype=np.int32), np.empty(n, dtype=np.int32)
    return Highest(key, minor, order, none, np.zeros(1, dtype=np.int64))


@borrowing
def is_ahead(heap: Highest, item: Any, other: Any) -> Any:
    """Tell whether an item comes before another."""
    key, minor = heap.key, heap.minor
    if key[item] != key[other]:
        return key[item] > key[other]
    if minor[item] != minor[other]:
        return minor[item] < minor[other]
    return item < other


@borrowing
def rise(heap: Highest, item: Any) -> None:
    """Let an item in, or forward after its key has risen."""
    order, at = heap.order, heap.at
    i = np.int64(at[item])
    if i < 0:
        i = heap.used[0]
        heap.used[0] += 1
    while i > 0 and is_ahead(heap, item, order[(i - 1) // 2]):
        order[i] = order[(i - 1) // 2]
        at[order[i]] = i
        i = (i - 1) // 2
    order[i] = item
    at[item] = i


@borrowing
def take_first(heap: Highest) -> Any:
    """Take the first item out and return it; -1 if there is none."""
    order, at = heap.order, heap.at
    if heap.used[0] == 0:
        return np.int64(-1)
    heap.used[0] -= 1
    first, size = np.int64(order[0]), heap.used[0]
    at[first] = -1
    item, i = order[size], np.int64(0)
    if size == 0:
        return first
    while 2 * i + 1 < size:
        below = 2 * i + 1
        if below + 1 < size and is_ahead(heap, order[below + 1], order[below]):
            below += 1
        if is_ahead(heap, item, order[below]):
            break
        order[i] = order[below]
        at[order[i]] = i
        i = below
    order[i] = item
    at[item] = i
    return first


@borrowing
def empty(heap: Highest) -> None:
    """Take all items out."""
    for item in heap.order[: heap.used[0]]:
        heap.at[item] = -1
    heap.used[0] = 0
