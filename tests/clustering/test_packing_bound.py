"""The bound on what dissolving leaves, and the heap of items by keys."""

from __future__ import annotations

import numpy as np
import pytest

from optmap.clustering.kernels.crossbar_fill import row_limits
from optmap.clustering.kernels.growth import grow
from optmap.clustering.kernels.highest import empty, empty_heap, rise, take_first
from optmap.clustering.kernels.packing import pack
from optmap.clustering.kernels.twins import twin_classes
from optmap.compiled import interpreted
from optmap.decomposing.contract import decompose
from optmap.generators.generate import generate

KINDS = ((48, 24), (24, 48))


def packed(name: str, seed: int, wanted: int) -> np.ndarray:
    """Return the bins of clusters that are grown from seeds in a random order, then packed."""
    network = decompose(generate(name), 24, "tree").network
    twins, limits = twin_classes(network), row_limits(KINDS, network.num_neurons)
    order = np.random.default_rng(seed).permutation(twins.num_classes).astype(np.int32)
    room = np.concatenate(([0], np.cumsum(network.fan_out + 1)))
    parts = grow(twins, limits, order)
    bins: np.ndarray = pack(twins.source_ptr, twins.sources, *parts, room, limits, wanted)[0]
    return bins


@pytest.mark.parametrize(("name", "ends_early"), [("filter-16", True), ("edges-12", False)])
def test_nothing_is_dissolved_only_where_too_many_would_be_left(name: str, ends_early: bool):
    ended_early = False
    with interpreted():
        for seed in range(2):
            whole, merged = packed(name, seed, 10**6), packed(name, seed, 0)
            fewest, clusters = len(np.unique(whole)), len(np.unique(merged))
            assert (packed(name, seed, fewest) == whole).all()
            for wanted in range(fewest - 3, fewest):
                bins = packed(name, seed, wanted)
                ended_early |= fewest < clusters == len(np.unique(bins))
                assert (bins == whole).all() or (bins == merged).all()
    assert ended_early == ends_early


def test_items_come_by_their_keys_as_they_rise():
    rng = np.random.default_rng(0)
    with interpreted():
        heap, inside = empty_heap(np.zeros(40)), set()
        for step in range(2_000):
            if rng.random() < 0.6:
                item = int(rng.integers(40))
                heap.key[item] += rng.integers(3)
                heap.minor[item] -= rng.integers(2)
                rise(heap, item)
                inside.add(item)
            elif step % 97:
                order = sorted(inside, key=lambda i: (-heap.key[i], heap.minor[i], i))
                assert take_first(heap) == (order[0] if order else -1)
                inside -= set(order[:1])
            else:
                empty(heap)
                inside = set()
            assert heap.used[0] == len(inside) == (heap.at >= 0).sum()
