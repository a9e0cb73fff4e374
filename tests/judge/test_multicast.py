"""Multicast metrics: by hand on the small mapping, then spike by spike with sets of links."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from random_mappings import Case, random_case
from small_mapping import MAPPING, PLATFORM

from optmap.judge.evaluation import ADDED, evaluate
from optmap.judge.metrics import Spread
from optmap.judge.multicast import Multicast, connectivity, deliveries, multicast, spike_latency
from optmap.model.mapping import Binding
from optmap.model.platform import Interconnect, Tile


def on(kind: str, width: int, height: int) -> object:
    net = Interconnect(kind, width, height)
    tiles = (Tile(PLATFORM.tiles[0].crossbar),) * net.num_tiles
    return replace(PLATFORM, interconnect=net, tiles=tiles, hop_ticks=3)


def test_a_spike_to_two_tiles_on_one_way_counts_a_shared_link_once():
    """Clusters 0 to 3; readers and spikes as tests/judge/test_metrics.py has them.

    Unit 5 spikes of cluster 0 into 1, 7 of cluster 2 into 3 and so on: all in one line of tiles.
    """
    read = deliveries(MAPPING.decomposition, MAPPING.clustering)
    line, binding = on("mesh", 4, 1), Binding([0, 1, 2, 3])
    unions = Counter()
    for s, home, k, spikes in zip(
        read.source.tolist(), read.home.tolist(), read.cluster.tolist(), read.spikes.tolist(),
        strict=True,
    ):  # fmt: skip
        if home < 4:
            low, high = sorted((home, k))
            for link in range(low, high):
                unions[s, link, home < k] = spikes
    links = Counter()
    for (_, link, right), spikes in unions.items():
        links[link, right] += spikes
    loads = list(links.values()) + [0] * (6 - len(links))
    mean = Fraction(sum(loads), 6)
    variance = sum((x - mean) ** 2 for x in loads) / 6
    assert multicast(read, line, binding) == Multicast(sum(loads), max(loads), variance)
    assert sum(loads) > 0


def test_what_has_no_routes_has_no_multicast_hops():
    found = evaluate(PLATFORM, MAPPING, "dataflow").row()
    assert set(ADDED) <= set(found)
    assert found["multicast_hops"] is None
    assert found["connectivity"] is not None


def walk(case: Case, start: int, end: int) -> list[tuple[int, int]]:
    """Return the tiles that an XY route goes through, in pairs: one for each link."""
    net = case.platform.interconnect
    here, goal = [start % net.width, start // net.width], [end % net.width, end // net.width]
    passed = [start]
    for axis, size in enumerate((net.width, net.height)):
        ahead, back = (goal[axis] - here[axis]) % size, (here[axis] - goal[axis]) % size
        step = 1 if goal[axis] > here[axis] else -1
        if net.kind == "torus" and ahead != back:
            step = 1 if ahead < back else -1
        while here[axis] != goal[axis]:
            here[axis] = (here[axis] + step) % size
            passed.append(here[1] * net.width + here[0])
    return list(pairwise(passed))


@given(random=st.randoms(use_true_random=False))
def test_every_metric_against_single_spikes(random: Random):
    case = random_case(random)
    network, platform = case.mapping.decomposition.network, case.platform
    tile_of = case.mapping.binding.tile_of.tolist()
    clusters = case.mapping.clustering.cluster_of.tolist()
    cluster_of = dict(zip(network.units.tolist(), clusters, strict=True))
    links, lambdas, travelled = Counter(), 0, []
    for i in range(network.num_neurons):
        spikes = int(network.spikes[i])
        readers = {k for j, k in cluster_of.items() if i in network.sources_of(j).tolist()}
        blocks = readers | ({cluster_of[i]} if i in cluster_of else set())
        lambdas += spikes * max(0, len(blocks) - 1)
        if i not in cluster_of:
            continue
        home, union = tile_of[cluster_of[i]], set()
        for k in readers - {cluster_of[i]}:
            travelled += [int(platform.latency[home, tile_of[k]])] * spikes
            if platform.interconnect.kind != "matrix":
                union |= set(walk(case, home, tile_of[k]))
        for link in union:
            links[link] += spikes
    read = deliveries(case.mapping.decomposition, case.mapping.clustering)
    assert connectivity(read) == lambdas
    spread = spike_latency(read, platform, case.mapping.binding)
    mean = Fraction(sum(travelled), max(1, len(travelled)))
    assert spread == (Spread(mean, Fraction(max(travelled))) if travelled else None)
    found = multicast(read, platform, case.mapping.binding)
    net = platform.interconnect
    if net.kind == "matrix":
        assert found is None
        return
    pairs = {(s, t) for s in range(net.num_tiles) for t in range(net.num_tiles)}
    number = sum(int(platform.hops[s, t]) == 1 for s, t in pairs)
    assert net.num_links == number
    average = Fraction(sum(links.values()), max(1, number))
    squares = sum((x - average) ** 2 for x in links.values())
    squares += (number - len(links)) * average**2
    variance = squares / max(1, number)
    busiest = max(links.values(), default=0)
    assert found == Multicast(sum(links.values()), busiest, variance)
