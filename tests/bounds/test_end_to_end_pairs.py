"""Reads by pairs and hops by nearest tiles, against enumeration of crossbars and of placements."""

from __future__ import annotations

from itertools import combinations, permutations, product
from random import Random

import numpy as np
import pytest
from scipy import sparse
from whole_oracle import least, random_whole_case

from optmap.bounds.end_to_end_hops import end_to_end_hop_bounds, nearest
from optmap.bounds.end_to_end_pairs import _largest, paid_by_pairs, reads_by_pairs
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import SNN, from_edges


def tiles(rows: int, columns: int, width: int = 1, slots: int | None = None) -> Platform:
    tile = Tile(Crossbar(rows, columns), slots=slots)
    return Platform("p", (tile,) * width, Interconnect("mesh", width, 1), event_ticks=1)


def random_layer(seed: int, inputs: int, neurons: int) -> SNN:
    """Return neurons that read inputs at random, of random spikes."""
    random = Random(seed)
    pairs = [
        (i, inputs + j) for j in range(neurons) for i in range(inputs) if random.random() < 0.5
    ] + [(j % inputs, inputs + j) for j in range(neurons)]
    pre, post = zip(*dict.fromkeys(pairs), strict=True)
    spikes = [random.choice((0, 1, 1, 3, 9)) for _ in range(inputs + neurons)]
    return from_edges(pre, post, inputs + neurons, spikes=spikes)


def most_saved(snn: SNN, rows: int, roots: tuple[int, ...]) -> int:
    """Return the largest sum of s_i (d_i - 1) of one crossbar of these roots, all rows tried."""
    readers = np.zeros(snn.num_neurons, dtype=np.int64)
    for j in roots:
        readers[snn.sources_of(j)] += 1
    each = np.sort(snn.spikes * np.maximum(0, readers - 1))
    return int(each[-rows:].sum())


@pytest.mark.parametrize("seed", range(30))
def test_no_partition_of_the_roots_saves_more(seed: int):
    """Whatever each root reads directly, clusters of roots save no more than pairs allow."""
    snn = random_layer(seed, 6, 5)
    rows, columns = 2 + seed % 4, 1 + seed % 5
    paid = paid_by_pairs(snn, snn.spikes, tiles(rows, columns), snn.units)
    assert paid is not None
    units = snn.units.tolist()
    fewest = None
    for labels in product(range(3), repeat=len(units)):
        clusters = [
            tuple(u for u, k in zip(units, labels, strict=True) if k == c) for c in range(3)
        ]
        if max(map(len, clusters)) <= columns:
            read = int(snn.spikes[snn.indices].sum())
            read -= sum(most_saved(snn, rows, c) for c in clusters)
            fewest = read if fewest is None else min(fewest, read)
    assert fewest is None or paid <= fewest


def test_neurons_that_share_nothing_pay_all_they_read():
    snn = from_edges(range(12), np.repeat([12, 13, 14, 15], 3), 16, spikes=[5] * 16)
    reads = reads_by_pairs(snn, tiles(4, 4))
    assert reads is not None
    assert reads.total == 60


def test_a_random_reservoir_is_bounded_where_copies_say_little():
    rng = np.random.default_rng(1)
    pre, post = np.nonzero(rng.random((120, 120)) < 0.2)
    snn = from_edges(pre, post, 120)
    reads = reads_by_pairs(snn, tiles(32, 32))
    assert reads is not None
    assert reads.total > 3 * 120


@pytest.mark.parametrize(("width", "height"), [(1, 4), (3, 2), (2, 2), (4, 1)])
def test_nearest_is_the_least_over_tiles_and_sets_of_others(width: int, height: int):
    num = width * height
    platform = Platform(
        "p", (Tile(Crossbar(2, 2)),) * num, Interconnect("mesh", width, height), event_ticks=1
    )
    for m in range(num):
        by_hand = min(
            int(platform.hops[t, list(others)].sum())
            for t in range(num)
            for others in combinations([x for x in range(num) if x != t], m)
        )
        assert nearest(platform)[m] == by_hand


@pytest.mark.parametrize("seed", [0, 3, 6, 9, 15, 21])
def test_no_mapping_of_one_program_a_tile_travels_less(seed: int):
    snn, platform, tokens = random_whole_case(seed)
    rows, columns = platform.max_rows, platform.max_columns
    alone = tiles(rows, columns, 4, slots=1)
    value = least(snn, alone, tokens, ("spike_hops",), "needed").get("spike_hops")
    for bound in end_to_end_hop_bounds(snn, alone):
        assert value is None or bound.value <= value, bound


def test_hops_by_hand():
    """One loud neuron, four readers alone on their tiles in a row of five: it is in the middle."""
    snn = from_edges([0, *[1] * 4], [1, 2, 3, 4, 5], 6, spikes=[0, 10, 1, 1, 1, 1])
    platform = tiles(2, 1, 5, slots=1)
    middle = min(sum(abs(t - x) for x in range(5)) for t in range(5))
    assert {b.name: b.value for b in end_to_end_hop_bounds(snn, platform)}["apart"] == 10 * middle
    spread = min(sum(abs(p[0] - x) for x in p[1:]) for p in permutations(range(5)))
    assert spread == middle


@pytest.mark.parametrize("seed", range(20))
def test_sums_of_largest_entries_are_those_of_sorted_rows(seed: int):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 12, 2)
    reads = sparse.csr_matrix((rng.random((n, m)) < 0.4).astype(np.int64))
    weights, most = rng.integers(0, 9, m), int(rng.integers(1, 8))
    rows = (reads.toarray() * weights).tolist()
    expected = [[sum(sorted(r)[::-1][:k]) for k in range(1, most + 1)] for r in rows]
    assert _largest(reads, weights, most).tolist() == expected
