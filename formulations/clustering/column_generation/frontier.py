"""The frontier of a visiting order: which groups on a crossbar's rows later classes still read.

A group opens with its first reader in the order and closes with its last. While it is open it has a
slot, a bit of the frontier words; the fewer are open at once, the fewer partial choices differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from optmap.clustering.kernels.classes import Classes
from optmap.model.snn import IndexArray, IntArray

WordArray = npt.NDArray[np.uint64]

#: Frontiers of more bits than this are left to the search (formulations/pricing_search.py).
MAX_BITS = 256


@dataclass(frozen=True, eq=False)
class Sweep:
    """A fixed visiting order with everything of it that does not depend on prices.

    Parameters
    ----------
    order : (m,) int32 array
        Classes in the order of the sweep.
    fixed : (m,) int64 array
        Weight of the groups that no earlier class of the order reads.
    old_ptr, old_slot : arrays
        Frontier slots of the groups of each class that an earlier class reads.
    gain, drop : (m, W) uint64 arrays
        Frontier bits that choosing class p sets, and that end with p whatever is chosen.
    slot_weight : (m, B) int64 array
        Weight of the group in each slot after class p (0: free).
    """

    order: IndexArray
    fixed: IntArray
    old_ptr: IntArray
    old_slot: IndexArray
    gain: WordArray
    drop: WordArray
    slot_weight: IntArray

    @property
    def bits(self) -> int:
        """Largest frontier in groups."""
        return int(self.slot_weight.shape[1])


def frontier_bits(classes: Classes, order: IndexArray) -> int:
    """Return the frontier slots that this order needs."""
    first, last = _spans(classes, order)
    change = np.zeros(len(order) + 1, dtype=np.int64)
    for g, p in first.items():
        if last[g] > p:  # a slot is free again only after the class that ends it
            change[p] += 1
            change[last[g] + 1] -= 1
    return int(np.cumsum(change).max()) if len(order) else 0


def _spans(classes: Classes, order: IndexArray) -> tuple[dict[int, int], dict[int, int]]:
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for p, q in enumerate(order.tolist()):
        for g in classes.reads(q).tolist():
            first.setdefault(g, p)
            last[g] = p
    return first, last


def sweep_of(classes: Classes, order: IndexArray) -> Sweep:
    """Return the sweep over ``order``: slots are given to groups while some reader is to come."""
    first, last = _spans(classes, order)
    bits = frontier_bits(classes, order)
    words = max(1, -(-bits // 64))
    m = len(order)
    fixed = np.zeros(m, dtype=np.int64)
    gain = np.zeros((m, words), dtype=np.uint64)
    drop = np.zeros((m, words), dtype=np.uint64)
    slot_weight = np.zeros((m, max(bits, 1)), dtype=np.int64)
    free, slot_of = list(range(bits))[::-1], {}
    old: list[list[int]] = []
    current = np.zeros(max(bits, 1), dtype=np.int64)
    for p, q in enumerate(order.tolist()):
        seen: list[int] = []
        ending: list[int] = []
        for g in classes.reads(q).tolist():
            if first[g] == p:
                fixed[p] += classes.weight[g]
                if last[g] > p:
                    slot_of[g] = free.pop()
                    current[slot_of[g]] = classes.weight[g]
            else:
                seen.append(slot_of[g])
            if last[g] > p:
                gain[p, slot_of[g] // 64] |= np.uint64(1) << np.uint64(slot_of[g] % 64)
            elif g in slot_of:
                ending.append(g)
        old.append(seen)
        for g in ending:
            s = slot_of.pop(g)
            drop[p, s // 64] |= np.uint64(1) << np.uint64(s % 64)
            free.append(s)
        slot_weight[p] = current
        for s in range(bits):  # the cost of an old group is looked up before its slot is freed
            if drop[p, s // 64] >> np.uint64(s % 64) & np.uint64(1):
                current[s] = 0
    ptr = np.concatenate(([0], np.cumsum([len(x) for x in old], dtype=np.int64)))
    slots = np.array([s for x in old for s in x], dtype=np.int32)
    return Sweep(order, fixed, ptr, slots, gain, drop, slot_weight)
