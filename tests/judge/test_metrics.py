"""Metrics: by hand on the small mapping, then against loops over single synapses and hops."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_mappings import Case, random_case
from simulation_oracle import application
from small_mapping import MAPPING, PLATFORM, SNN

from optmap.judge.binding_aware_graph import lower
from optmap.judge.metrics import (
    EnergySplit,
    Spread,
    Traffic,
    area_um2,
    buffer_use,
    component_costs,
    energy,
    leakage_pj,
    link_tokens,
    loads,
    max_tile_load,
    spike_hops,
    traffic,
    utilisation,
)
from optmap.model.cluster_graph import cluster_graph
from optmap.model.mapping import Binding
from optmap.model.platform import Interconnect, Tile

GRAPH = cluster_graph(MAPPING.decomposition, MAPPING.clustering, PLATFORM, "dataflow")
BINDING = MAPPING.binding


def test_traffic_by_hand():
    """Outside: 2 and 3 into cluster 1, 5 into 1, 4 into 2, 3 and 5 into 3; inputs 0, 1 and 1."""
    found = traffic(MAPPING.decomposition, MAPPING.clustering)
    assert found == Traffic(5 + 0 + 7 + 2 + 0 + 7, 4 + 3 + 3)
    assert found.total == 31


def test_hops_energy_and_area_by_hand():
    assert spike_hops(GRAPH, PLATFORM, BINDING) == 0 * 2 + 2 * 2 + 7 * 3
    assert energy(MAPPING, GRAPH, PLATFORM) == EnergySplit(
        spike_pj=Fraction(10 * (5 + 0 + 2 + 7 + 1)),
        # spikes times readers: 4 * 2, 3 * 2, 5 * 2, 0 * 2, 2 * 1, 7 * 2; two cells a synapse
        synapse_pj=Fraction(8 + 6 + 10 + 2 + 14) * 2 / 2,
        route_pj=Fraction(7 * 25),
        # 2 -> 3 inside cluster 0, channels 0 -> 1 and 2 -> 3 inside their tiles
        local_pj=Fraction(3 * (5 + 5 + 7)),
    )
    assert energy(MAPPING, GRAPH, PLATFORM).total_pj == 150 + 40 + 175 + 51
    assert area_um2(PLATFORM, BINDING) == (12 + 40 + 100) + (8 + 20 + 100)
    assert area_um2(PLATFORM, Binding([1, 1, 1, 1])) == 128


def test_area_by_component_by_hand():
    """What a chip has once counts once, whatever tiles are in use."""
    platform = replace(PLATFORM, area=replace(PLATFORM.area, memory_um2=Fraction(1000)))
    costs = component_costs(GRAPH, platform, BINDING)
    assert [(cost.key, cost.area_um2) for cost in costs] == [
        ("cell", 12 + 8),
        ("neuron", 40 + 20),
        ("memory", 1000),
    ]


def test_tiles_in_use_leak_in_every_period():
    leaking = replace(PLATFORM, energy=replace(PLATFORM.energy, leakage_mw=Fraction(3)))
    assert leakage_pj(leaking, BINDING, Fraction(7, 2)) == 3 * 2 * Fraction(7, 2) * leaking.tick_ns
    assert leakage_pj(leaking, BINDING, None) == 0


def test_utilisation_loads_and_buffers_by_hand():
    assert utilisation(MAPPING, GRAPH, PLATFORM) == {
        "row": Spread(Fraction(3, 4), Fraction(1, 2)),  # 3/3, 3/3, 2/4, 2/4
        "column": Spread(Fraction(7, 8), Fraction(1, 2)),  # 2/2, 1/2, 1/1, 1/1
        "synapse": Spread(Fraction(13, 24), Fraction(1, 2)),  # 4/6, 3/6, 2/4, 2/4
    }
    crossbar, interface = loads(lower(GRAPH, PLATFORM, BINDING, MAPPING.orders), PLATFORM, BINDING)
    assert crossbar.tolist() == [39 + 39, 18 + 24]
    assert interface.tolist() == [1 + 1, 4]
    assert max_tile_load(GRAPH, BINDING, PLATFORM) == 78
    assert buffer_use(GRAPH, PLATFORM, BINDING) == 1
    roomy = replace(
        PLATFORM, tiles=(PLATFORM.tiles[0], replace(PLATFORM.tiles[1], output_buffer=99))
    )
    assert buffer_use(GRAPH, roomy, BINDING) == 1
    unlimited = tuple(Tile(t.crossbar) for t in PLATFORM.tiles)
    assert buffer_use(GRAPH, replace(PLATFORM, tiles=unlimited), BINDING) is None
    one = replace(PLATFORM, tiles=(unlimited[0], replace(unlimited[1], output_buffer=42)))
    assert buffer_use(GRAPH, one, BINDING) == Fraction(1, 2)


def test_a_hop_matrix_has_no_links():
    assert link_tokens(GRAPH, PLATFORM, BINDING) is None


def on(kind: str, width: int, height: int) -> object:
    net = Interconnect(kind, width, height)
    tiles = (Tile(PLATFORM.tiles[0].crossbar),) * net.num_tiles
    return replace(PLATFORM, interconnect=net, tiles=tiles)


def test_routes_go_along_x_first_and_a_torus_goes_the_short_way_round():
    """Clusters 0, 1 at (0, 0), 2, 3 at (3, 1): 0 -> 3 sends one token (silent), 1 -> 2 two."""
    binding = Binding([0, 0, 7, 7])
    east, west, north, south = range(4)
    mesh = link_tokens(GRAPH, on("mesh", 4, 2), binding)
    assert {(t, d): int(mesh[t, d]) for t, d in zip(*mesh.nonzero(), strict=True)} == {
        (0, east): 3,
        (1, east): 3,
        (2, east): 3,
        (3, north): 3,
        (7, west): 7,
        (6, west): 7,
        (5, west): 7,
        (4, south): 7,
    }
    torus = link_tokens(GRAPH, on("torus", 4, 2), binding)
    assert {(t, d): int(torus[t, d]) for t, d in zip(*torus.nonzero(), strict=True)} == {
        (0, west): 3,
        (3, north): 3,
        (7, east): 7,
        (4, south): 7,
    }


def test_a_long_way_back_crosses_each_link_once():
    mesh = link_tokens(GRAPH, on("mesh", 1, 4), Binding([0, 3, 3, 0]))
    south = {t: int(n) for t, n in enumerate(mesh[:, 3]) if n}
    assert south == {3: 7, 2: 7, 1: 7}, "2 -> 3 sends its seven tokens from tile 3 to tile 0"


def walk(case: Case, start: int, end: int) -> list[tuple[int, int]]:
    """Return the links of one XY route; on a torus the nearer side, direct where both are equal."""
    net, links = case.platform.interconnect, []
    here = [start % net.width, start // net.width]
    goal = [end % net.width, end // net.width]
    for axis, size in enumerate((net.width, net.height)):
        ahead, back = (goal[axis] - here[axis]) % size, (here[axis] - goal[axis]) % size
        forward = goal[axis] > here[axis]
        if net.kind == "torus" and ahead != back:
            forward = ahead < back
        for _ in range(ahead if forward else back):
            links.append((here[1] * net.width + here[0], 2 * axis + (0 if forward else 1)))
            here[axis] = (here[axis] + (1 if forward else -1)) % size
    return links


@given(random=st.randoms(use_true_random=False))
def test_link_tokens_against_a_walk(random: Random):
    case = random_case(random)
    net = case.platform.interconnect
    if net.kind == "matrix":
        return
    tile_of, expected = case.mapping.binding.tile_of.tolist(), Counter()
    app = application(case.mapping, case.tokens)
    for (a, b), spikes in app.spikes.items():
        route = walk(case, tile_of[a], tile_of[b])
        assert len(route) == case.platform.hops[tile_of[a], tile_of[b]]
        for link in route:
            expected[link] += max(1, spikes)
    found = link_tokens(case.graph, case.platform, case.mapping.binding)
    assert found.shape == (net.num_tiles, 4)
    assert {(t, d): int(found[t, d]) for t, d in zip(*found.nonzero(), strict=True)} == expected


@given(random=st.randoms(use_true_random=False))
def test_traffic_energy_and_hops_against_single_spikes(random: Random):
    case = random_case(random)
    network, price = case.mapping.decomposition.network, case.platform.energy
    tile_of, hops = case.mapping.binding.tile_of.tolist(), case.platform.hops.tolist()
    cluster_of = dict(
        zip(network.units.tolist(), case.mapping.clustering.cluster_of.tolist(), strict=True)
    )
    external = deliveries = routed = local = 0
    for i in range(network.num_neurons):
        spikes = int(network.spikes[i])
        for k in {cluster_of[j] for j in cluster_of if i in network.sources_of(j).tolist()}:
            if i not in cluster_of:
                deliveries += spikes
                continue
            external += spikes if cluster_of[i] != k else 0
            u, v = tile_of[cluster_of[i]], tile_of[k]
            routed += spikes * hops[u][v]
            local += spikes if u == v else 0
    events = sum(
        int(network.spikes[i]) * case.platform.cells_per_synapse
        for j in cluster_of
        for i in network.sources_of(j)
    )
    fired = sum(int(network.spikes[j]) for j in cluster_of)
    mapping, graph = case.mapping, case.graph
    assert traffic(mapping.decomposition, mapping.clustering) == Traffic(external, deliveries)
    assert spike_hops(graph, case.platform, mapping.binding) == routed
    assert energy(mapping, graph, case.platform) == EnergySplit(
        price.spike_pj * fired,
        price.synapse_pj * events,
        price.route_pj * routed,
        price.local_pj * local,
    )


@given(random=st.randoms(use_true_random=False))
def test_utilisation_and_buffers_against_counting(random: Random):
    case = random_case(random)
    case = replace(
        case,
        platform=replace(
            case.platform,
            tiles=tuple(
                replace(
                    t,
                    input_buffer=random.choice((None, random.randint(1, 500))),
                    output_buffer=random.choice((None, random.randint(1, 500))),
                )
                for t in case.platform.tiles
            ),
        ),
    )
    platform, mapping, network = case.platform, case.mapping, case.mapping.decomposition.network
    tile_of = mapping.binding.tile_of.tolist()
    ratios: dict[str, list[Fraction]] = {"row": [], "column": [], "synapse": []}
    for k, members in enumerate(mapping.clustering.members()):
        units = network.units[members].tolist()
        sources = [network.sources_of(u).tolist() for u in units]
        bar = platform.tiles[tile_of[k]].crossbar
        columns = bar.columns // platform.cells_per_synapse
        ratios["row"].append(Fraction(len(set().union(*sources)), bar.rows))
        ratios["column"].append(Fraction(len(units), columns))
        ratios["synapse"].append(Fraction(sum(map(len, sources)), bar.rows * columns))
    expected = {n: Spread(sum(r) / len(r), min(r)) for n, r in ratios.items()}
    assert utilisation(mapping, case.graph, platform) == expected

    filled: Counter[tuple[str, int]] = Counter()
    for (a, b), spikes in application(mapping, case.tokens).spikes.items():
        tokens = platform.buffer_windows * max(1, spikes)
        filled["in", tile_of[b]] += tokens
        filled["out", tile_of[a]] += tokens if tile_of[a] != tile_of[b] else 0
    shares = [
        Fraction(filled[side, t], size)
        for t, tile in enumerate(platform.tiles)
        for side, size in (("in", tile.input_buffer), ("out", tile.output_buffer))
        if size is not None
    ]
    assert buffer_use(case.graph, platform, mapping.binding) == max(shares, default=None)


def test_a_lone_network_has_no_traffic_between_clusters():
    one = replace(MAPPING.clustering, cluster_of=[0] * 5)
    assert traffic(MAPPING.decomposition, one) == Traffic(0, int(SNN.spikes[:2].sum()))


@pytest.mark.parametrize("kind", ["mesh", "torus"])
def test_no_remote_channel_is_no_token_on_any_link(kind: str):
    assert link_tokens(GRAPH, on(kind, 2, 2), Binding([3] * 4)).sum() == 0
