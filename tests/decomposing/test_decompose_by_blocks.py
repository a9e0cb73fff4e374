"""Blocks cover every synapse once and fit a crossbar; the units that they cut are right."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from random_mappings import random_network

from optmap.decomposing.blocks import decompose, units_of_blocks
from optmap.decomposing.kernels.block_cover import Shape, blocks_of
from optmap.model.decomposition import violations
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import SNN, from_edges


def platform(rows: int, columns: int) -> Platform:
    return Platform("p", (Tile(Crossbar(rows, columns)),), Interconnect("mesh", 1, 1))


def two_layers(seed: int, size: int, density: float) -> SNN:
    """Return random synapses from ``size`` inputs to ``size`` neurons, each read at least once."""
    rng = np.random.default_rng(seed)
    reads = rng.random((size, size)) < density
    np.fill_diagonal(reads, True)
    pre, post = np.nonzero(reads)
    return from_edges(pre, size + post, 2 * size)


@pytest.mark.parametrize("closed", [False, True])
def test_blocks_fit_a_crossbar_and_cover_every_synapse(closed: bool):
    for seed in range(40):
        snn = two_layers(seed, 3 + seed % 12, 0.5)
        rows, columns = 2 + seed % 5, 1 + seed % 4
        block = blocks_of(snn, Shape(rows, columns, float(seed % 3), closed), seed)
        assert (block >= 0).all()
        post = snn.post_of_synapse()
        for k in range(block.max() + 1):
            own = block == k
            assert 0 < len(np.unique(snn.indices[own])) <= rows
            assert closed or len(np.unique(post[own])) <= columns
        if closed:  # a source is in one block, unless a neuron of more sources than rows seeded it
            assert all(len(np.unique(block[snn.indices == i])) == 1 for i in snn.indices)


def test_units_sum_what_their_neurons_read():
    for seed in range(150):
        snn = random_network(Random(seed)) if seed % 2 else two_layers(seed, 4 + seed % 9, 0.6)
        rows = 2 + seed % 6
        made = decompose(
            snn, platform(rows, 3), seed=seed, least=float(seed % 4), closed=seed % 3 == 0
        )
        assert violations(snn, made) == []
        assert made.network.max_fan_in <= rows


def test_pieces_of_many_blocks_are_summed_through_units_in_between():
    snn = from_edges(range(24), [24] * 24, 25)
    made = units_of_blocks(snn, 2, np.repeat(np.arange(12, dtype=np.int32), 2))
    assert violations(snn, made) == []
    assert made.network.max_fan_in == 2


def test_the_same_seed_makes_the_same_units():
    snn = two_layers(5, 30, 0.3)
    first, second = (decompose(snn, platform(8, 8), seed=3) for _ in range(2))
    assert first.identity == second.identity


def test_neurons_that_share_half_of_their_sources_get_pieces_that_share_all():
    """Eight neurons read a common half and a half of their own pair: blocks find the common one."""
    pre = [i for j in range(8) for i in (*range(8), *range(8 + 8 * (j // 2), 16 + 8 * (j // 2)))]
    snn = from_edges(pre, np.repeat(np.arange(40, 48), 16), 48)
    made = decompose(snn, platform(8, 8), least=0.0)
    reads = [tuple(made.network.sources_of(int(u))) for u in made.network.units]
    assert reads.count(tuple(range(8))) == 8
