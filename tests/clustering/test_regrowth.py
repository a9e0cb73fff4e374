"""Enclosed growth and growing anew: every member placed once, all fits, no more clusters."""

from __future__ import annotations

import numpy as np
import pytest

from optmap.clustering.kernels.crossbar_fill import row_limits
from optmap.clustering.kernels.growth import Parts, grow, near_classes
from optmap.clustering.kernels.regrowth import Packed, regrow
from optmap.clustering.kernels.twins import Twins, twin_classes
from optmap.compiled import interpreted
from optmap.decomposing.contract import decompose
from optmap.generators.generate import generate
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile

PLATFORM = Platform("chip", (Tile(Crossbar(32, 32)),), Interconnect("mesh", 1, 1))
NAMES = ["filter-16", "edges-12", "small-world-120-12", "lenet5-12"]


def fits(twins: Twins, limits: np.ndarray, parts: Parts) -> bool:
    """Say whether all members are placed, and every cluster's sources fit its columns."""
    placed = np.bincount(parts.classes, weights=parts.sizes, minlength=twins.num_classes)
    for first, last in zip(parts.ptr[:-1], parts.ptr[1:], strict=True):
        sources = {
            int(s)
            for q in parts.classes[first:last]
            for s in twins.sources[twins.source_ptr[q] : twins.source_ptr[q + 1]]
        }
        if len(sources) > limits[parts.sizes[first:last].sum()]:
            return False
    return placed.tolist() == twins.sizes.tolist()


def case(name: str) -> tuple[Twins, np.ndarray, Parts]:
    network = decompose(generate(name), 32, "tree").network
    twins, limits = twin_classes(network), row_limits(PLATFORM.kinds, network.num_neurons)
    seeds = np.arange(twins.num_classes, dtype=np.int32)
    return twins, limits, grow(twins, limits, seeds, near_classes(twins))


def packed(parts: Parts) -> Packed:
    bins = np.repeat(np.arange(len(parts.ptr) - 1), np.diff(parts.ptr)).astype(np.int32)
    return Packed(parts.classes, parts.sizes, bins)


def test_near_classes_share_sources_once_each() -> None:
    twins, _, _ = case("edges-12")
    near, reads = near_classes(twins), np.zeros((twins.num_classes, len(twins.reader_ptr) - 1), int)
    for q in range(twins.num_classes):
        reads[q, twins.sources[twins.source_ptr[q] : twins.source_ptr[q + 1]]] = 1
    shared = reads @ reads.T
    np.fill_diagonal(shared, 0)
    assert near.around.tolist() == shared.sum(axis=1).tolist()
    for q, row in enumerate(shared):
        found = slice(near.ptr[q], near.ptr[q + 1])
        pairs = zip(near.classes[found].tolist(), near.times[found].tolist(), strict=True)
        assert sorted(pairs) == [(k, n) for k, n in enumerate(row.tolist()) if n]


@pytest.mark.parametrize("name", NAMES)
def test_clusters_grown_anew_hold_everything_and_are_no_more(name: str) -> None:
    twins, limits, parts = case(name)
    assert fits(twins, limits, parts)
    for seed in range(3):
        again = regrow(twins, near_classes(twins), limits, packed(parts), 50_000, seed)
        assert fits(twins, limits, again)
        assert len(again.ptr) <= len(parts.ptr)


def test_growing_anew_is_the_same_as_python_and_from_the_same_seed() -> None:
    twins, limits, parts = case("filter-16")
    compiled = regrow(twins, near_classes(twins), limits, packed(parts), 20_000, 1)
    with interpreted():
        plain = regrow(twins, near_classes(twins), limits, packed(parts), 20_000, 1)
    for one, other in zip(compiled, plain, strict=True):
        assert one.tolist() == other.tolist()


def test_what_windows_leave_free_comes_together() -> None:
    """33 clusters of a 3 x 3 filter become fewer: every try keeps the squares of columns."""
    twins, limits, parts = case("filter-32")
    again = regrow(twins, near_classes(twins), limits, packed(parts), 400_000, 0)
    assert len(again.ptr) < len(parts.ptr)
