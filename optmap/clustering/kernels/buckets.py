"""Items in buckets: rings of doubly linked nodes in two arrays, O(1) per move.

Items are nodes 0..n-1, bucket b is node n + b and stands in its own ring, so that an item is taken
out without knowing where it is. ``following[n + b]`` is the first item of bucket b, or n + b itself
if the bucket is empty.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from optmap.compiled import borrowing, compiled


@compiled
def empty_rings(num_items: Any, num_buckets: Any) -> Any:
    """Return (following, preceding) with every node alone in its ring."""
    nodes = num_items + num_buckets
    following, preceding = np.empty(nodes, dtype=np.int32), np.empty(nodes, dtype=np.int32)
    for node in range(nodes):
        following[node] = preceding[node] = node
    return following, preceding


@borrowing
def insert(following: Any, preceding: Any, bucket: Any, item: Any) -> Any:
    """Put an item behind the node ``bucket``, at the front of that bucket."""
    first = following[bucket]
    following[item] = first
    preceding[item] = bucket
    preceding[first] = item
    following[bucket] = item


@borrowing
def remove(following: Any, preceding: Any, item: Any) -> Any:
    """Take an item out of the bucket it is in."""
    before, after = preceding[item], following[item]
    following[before] = after
    preceding[after] = before
