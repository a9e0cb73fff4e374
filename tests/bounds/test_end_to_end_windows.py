"""The bound on clusters by windows of a grid against enumeration."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from whole_oracle import least

from optmap.bounds.end_to_end import end_to_end_cluster_bounds, fewest_clusters
from optmap.bounds.end_to_end_windows import (
    _Rows,
    _whole,
    clusters_by_windows,
    layers_of,
    synapses_held,
)
from optmap.bounds.window_kernel import most_pairs, pairs_on_a_line
from optmap.instance import load
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import SNN, Population, from_edges


def tiles(rows: int, columns: int) -> Platform:
    return Platform("equal", (Tile(Crossbar(rows, columns)),) * 4, Interconnect("mesh", 4, 1))


def convolution(side: int, window: int, step: int, maps: int, kernels: int, pad: int) -> SNN:
    """Return kernels that read windows of maps, square, which the border may cut off."""
    edges, reader = [], maps * side * side
    places = range(-pad, side + pad - window + 1, step)
    for _, v, u in product(range(kernels), places, places):
        for m, y, x in product(range(maps), range(v, v + window), range(u, u + window)):
            if 0 <= x < side and 0 <= y < side:
                edges.append((m * side * side + y * side + x, reader))
        reader += 1
    pre, post = zip(*edges, strict=True)
    named = (
        Population("image", 0, maps * side * side - 1),
        Population("kernels", maps * side * side, reader - 1),
    )
    return from_edges(pre, post, reader, populations=named)


@pytest.mark.parametrize("window", [1, 2, 3, 4])
def test_pairs_on_a_line_are_the_most(window: int):
    most, found = pairs_on_a_line(window, 6), np.zeros((7, 7), dtype=np.int64)
    for size in range(7):
        for places in combinations(range(8), size):
            readers = np.zeros(8 + window, dtype=np.int64)
            for x in places:
                readers[x : x + window] += 1
            sums = [0, *np.cumsum(np.sort(readers)[::-1])[:6].tolist()]
            found[size] = np.maximum(found[size], sums)
    assert np.array_equal(found, most)


@pytest.mark.parametrize(
    ("width", "height", "step"), [(3, 3, 2), (3, 3, 1), (5, 5, 2), (2, 3, 1), (4, 2, 2), (3, 1, 1)]
)
def test_no_places_and_points_have_more_pairs(width: int, height: int, step: int):
    """Every choice of up to four of 3 x 4 places, and the points that most of them read."""
    kinds = [
        [(side - 1 - r) // step + 1 for r in range(min(side, step))] for side in (width, height)
    ]
    most = most_pairs(*kinds, 4, 30)
    found = np.zeros((5, 31), dtype=np.int64)
    for size in range(1, 5):
        for places in combinations(product(range(3), range(4)), size):
            readers = np.zeros((30, 30), dtype=np.int64)
            for u, v in places:
                readers[step * u : step * u + width, step * v : step * v + height] += 1
            sums = [0, *np.cumsum(np.sort(readers.ravel())[::-1])[:30].tolist()]
            found[size] = np.maximum(found[size], sums)
    assert (found <= most).all()
    # where windows overlap alike along both axes the bound is reached
    assert width != height or np.array_equal(found, most)


@pytest.mark.parametrize("seed", range(8))
def test_no_crossbar_holds_more_synapses_of_a_layer(seed: int):
    rng = np.random.default_rng(seed)
    snn = convolution(5, 3, int(rng.integers(1, 3)), int(rng.integers(1, 3)), 2, int(seed % 2))
    (layer,) = layers_of(snn)
    rows, columns = 12, 6
    held = synapses_held(layer, rows, columns)
    whole = _whole(held, np.sort(layer.fan_in))
    reads = np.zeros((snn.num_neurons, snn.num_neurons), dtype=np.int64)
    reads[snn.post_of_synapse(), snn.indices] = 1
    for _ in range(300):
        centre = rng.choice(layer.neurons)
        near = reads[layer.neurons] @ reads[centre] + rng.random(len(layer.neurons))
        chosen = layer.neurons[np.argsort(-near)[: rng.integers(1, columns + 1)]]
        a = int(rng.integers(1, rows + 1))
        loudest = np.argsort(-reads[chosen].sum(axis=0), kind="stable")[:a]
        on = reads[np.ix_(layer.neurons, loudest)].sum(axis=1)
        assert reads[np.ix_(chosen, loudest)].sum() <= held[len(chosen), a]
        assert min(columns, int((on == layer.fan_in).sum())) <= whole[a]


@pytest.mark.parametrize("seed", range(20))
def test_the_best_prices_are_the_best_of_all(seed: int):
    """Few prices are held against all cells: none of the others gives more rows."""
    rng = np.random.default_rng(seed)
    a, b, held = rng.integers(1, 40, size=(3, 60))
    cells = np.stack([a, b, np.minimum(b, rng.integers(0, 8, size=60))])
    taken = _Rows(cells, held, rng.integers(5, 90, size=3), int(rng.integers(1, 300)), 5)
    near = np.array([p for p in product(range(0, 129, 16), repeat=3) if p[2] <= 128 - p[1]])
    known = [int(rng.integers(60))] * (seed % 2)
    every = max((taken.at(prices)[0], tuple(prices.tolist())) for prices in near)
    assert taken.most(near, known) == every
    assert len(known) < len(near) / 2


def test_a_filter_of_the_list_is_proved():
    """filter_8 has a mapping of five clusters; rows alone prove four."""
    instance = load("filter_8")
    assert fewest_clusters(instance.snn, instance.platform) == 4
    bounds = end_to_end_cluster_bounds(instance.snn, instance.platform)
    assert {b.name: b.value for b in bounds}["windows"] == 5


@pytest.mark.parametrize("window", [2, 3])
def test_no_decomposition_and_clustering_has_fewer_clusters(window: int):
    """Three windows of a line on small crossbars, all decompositions and clusterings enumerated."""
    pre = [i for j in range(3) for i in range(j, j + window)]
    post = [window + 2 + j for j in range(3) for _ in range(window)]
    named = (Population("in", 0, window + 1), Population("out", window + 2, window + 4))
    snn = from_edges(pre, post, window + 5, populations=named)
    for rows, columns in ((window, 2), (window + 1, 2), (window + 1, 3)):
        platform = tiles(rows, columns)
        bound = clusters_by_windows(snn, platform)
        value = least(snn, platform, "dataflow", ("clusters",), "any").get("clusters")
        assert bound is not None
        assert value is None or bound <= value


def test_a_layer_is_found_where_it_is():
    snn = convolution(7, 3, 2, 2, 3, 1)
    (layer,) = layers_of(snn)
    assert (layer.sides, layer.steps) == ((3, 3), (2, 2))
    assert (layer.at_point, layer.at_place, layer.places) == (2, 3, 16)
    assert layer.synapses == snn.num_synapses


@pytest.mark.parametrize("seed", range(20))
def test_windows_hold_whatever_the_network(seed: int):
    """Random populations are windows of a kind as well, or no layer; no bound above whole rows."""
    rng = np.random.default_rng(seed)
    edges = [(int(i), 9 + j) for j in range(6) for i in rng.choice(9, 3, replace=False)]
    pre, post = zip(*edges, strict=True)
    named = (Population("in", 0, 8), Population("out", 9, 14))
    snn, platform = from_edges(pre, post, 15, populations=named), tiles(9, 6)
    bound = clusters_by_windows(snn, platform)
    assert bound is None or bound <= 1
