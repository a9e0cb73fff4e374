"""Whole tiles change places: loads stay, spike-hops fall to the fewest of all permutations."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scheduling_instances import random_flows

from formulations.binding.sets import load_of, spike_hops_of
from formulations.binding.tile_exchange import exchanged
from optmap.model.mapping import Binding
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile

SMALL, LARGE = Tile(Crossbar(64, 64), slots=4), Tile(Crossbar(128, 128), slots=4)


def platform_of(tiles: tuple[Tile, ...]) -> Platform:
    return Platform("places", tiles, Interconnect("mesh", len(tiles) // 2, 2))


@pytest.mark.parametrize("seed", range(20))
def test_it_reaches_the_best_permutation_of_equal_tiles(seed: int):
    rng = np.random.default_rng(seed)
    platform = platform_of((SMALL, LARGE, SMALL, SMALL, LARGE, SMALL))
    graph = random_flows(14, seed)
    tile_of = rng.integers(0, platform.num_tiles, 14)
    best = exchanged(graph, platform, tile_of, rng)

    legal = [
        np.array(p)[tile_of]
        for p in permutations(range(6))
        if all(platform.tiles[a] == platform.tiles[b] for a, b in enumerate(p))
    ]
    assert any(np.array_equal(best, binding) for binding in legal)
    hops = [spike_hops_of(graph, platform, Binding(binding)) for binding in legal]
    assert len(hops) == 48
    assert spike_hops_of(graph, platform, Binding(best)) == min(hops)
    loads = [load_of(graph, platform, Binding(b)) for b in (tile_of, best)]
    assert loads[0] == loads[1]


def test_different_tiles_and_many_tiles_stay_as_they_are():
    rng = np.random.default_rng(0)
    graph = random_flows(6, 0)
    tile_of = np.array([0, 1, 0, 1, 0, 1])
    one_of_each = Platform("two", (SMALL, LARGE), Interconnect("mesh", 2, 1))
    many = Platform("many", (SMALL,) * 144, Interconnect("mesh", 12, 12))
    for platform in (one_of_each, many):
        assert np.array_equal(exchanged(graph, platform, tile_of, rng), tile_of)
