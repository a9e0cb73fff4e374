"""Shortest-path trees over nets, in compiled code and whole numbers: what spreading.py counts."""

from __future__ import annotations

import heapq
from typing import Any, NamedTuple

import numpy as np

from optmap.compiled import borrowing, compiled


class Pins(NamedTuple):
    """Units of each net and nets of each unit, as compressed lists; ``size`` by unit.

    Parameters
    ----------
    ptr, units : int64 arrays
        The pins of net i are units[ptr[i]:ptr[i + 1]].
    unit_ptr, nets : int64 arrays
        The nets of unit u are nets[unit_ptr[u]:unit_ptr[u + 1]].
    size : (U,) int64 array
        What each unit takes of a crossbar's capacity.
    """

    ptr: Any
    units: Any
    unit_ptr: Any
    nets: Any
    size: Any


class Tree(NamedTuple):
    """A tree of shortest paths: distance and last net of units, where a net was entered, order.

    ``below`` and ``fresh`` are scratch.
    """

    distance: Any
    by: Any
    entered: Any
    order: Any
    below: Any
    fresh: Any


@compiled
def empty_tree(num_units: Any, num_nets: Any) -> Any:
    """Return scratch for :func:`add_tree`."""
    return Tree(
        np.zeros(num_units, dtype=np.int64),
        np.zeros(num_units, dtype=np.int64),
        np.zeros(num_nets, dtype=np.int64),
        np.zeros(num_units, dtype=np.int64),
        np.zeros(num_units, dtype=np.int64),
        np.zeros(num_nets, dtype=np.int64),
    )


@borrowing
def _settle(unit: Any, distance: Any, reached: Any, pins: Any, tree: Any) -> Any:
    """Give a unit its distance and enter its nets; return how many were entered first here."""
    tree.distance[unit] = distance
    tree.order[reached] = unit
    first = pins.unit_ptr[unit]
    entered = 0
    for e in range(first, pins.unit_ptr[unit + 1]):
        net = pins.nets[e]
        if tree.entered[net] < 0:
            tree.entered[net] = unit
            tree.fresh[entered] = net
            entered += 1
    return entered


@compiled
def _grow(root: Any, length: Any, pins: Any, tree: Any) -> Any:
    """Find every shortest path from a root; return how many units it reaches.

    Roots 0..U-1 are units; root U + i is net i, whose units all have distance 0. Going from one
    unit of a net to any other costs the net's length. The first unit that a net is entered at is
    its nearest, so that each net is queued once and its other units wait for it.
    """
    tree.distance[:] = -1
    tree.entered[:] = -1
    num_units, reached = len(tree.distance), 0
    heap = [(np.int64(0), np.int64(0))]
    heap.clear()
    if root < num_units:
        first, last, net = 0, 1, np.int64(-1)
    else:
        net = root - num_units
        first, last = pins.ptr[net], pins.ptr[net + 1]
        tree.entered[net] = pins.units[first]
    for p in range(first, last):
        unit = root if net < 0 else pins.units[p]
        tree.by[unit] = -1 if p == first else net
        entered = _settle(unit, np.int64(0), reached, pins, tree)
        reached += 1
        for i in range(entered):
            heapq.heappush(heap, (length[tree.fresh[i]], tree.fresh[i]))
    while len(heap):
        there, net = heapq.heappop(heap)
        for p in range(pins.ptr[net], pins.ptr[net + 1]):
            unit = pins.units[p]
            if tree.distance[unit] < 0:
                tree.by[unit] = net
                entered = _settle(unit, there, reached, pins, tree)
                reached += 1
                for i in range(entered):
                    heapq.heappush(heap, (there + length[tree.fresh[i]], tree.fresh[i]))
    return reached


@compiled
def nearest(root: Any, length: Any, pins: Any, room: Any, tree: Any) -> Any:
    """Grow a root's tree; return how many units its inequality takes, and its ratio, -1 without.

    The units nearest to the root are taken as long as that lowers (sum of size x distance) / (sum
    of sizes - room), which is the ratio; what hangs on a root that is a net counts as a room.
    """
    reached = _grow(root, length, pins, tree)
    total, ways, best, taken = np.int64(0), 0.0, -1.0, 0
    if root >= len(tree.distance):
        ways = float(room) * float(length[root - len(tree.distance)])
    for i in range(reached):
        unit = tree.order[i]
        total += pins.size[unit]
        ways += float(pins.size[unit]) * float(tree.distance[unit])
        if total > room and (best < 0 or ways / float(total - room) < best):
            best, taken = ways / float(total - room), i + 1
    return taken, best


@borrowing
def add_tree(
    taken: Any, weight: Any, pins: Any, room: Any, tree: Any, used: Any, load: Any
) -> None:
    """Add the inequality of :func:`nearest` to ``load``, so many times; ``used`` is scratch."""
    used[:] = 0
    outside = -room
    for i in range(taken):
        tree.below[tree.order[i]] = pins.size[tree.order[i]]
        outside += pins.size[tree.order[i]]
    for i in range(taken - 1, 0, -1):
        unit = tree.order[i]
        net = tree.by[unit]
        used[net] += tree.below[unit]
        tree.below[tree.entered[net]] += tree.below[unit]
    for net in range(len(used)):
        if used[net] > 0:
            load[net] += -((-weight * min(used[net], min(outside, room))) // outside)
