"""The judge: one mapping by hand, and its period against playing the mapping."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_mappings import random_case
from simulation_oracle import Stuck, simulated_period
from small_mapping import MAPPING, PLATFORM, SNN

from optmap.decomposing.contract import decompose
from optmap.errors import DeadlockError
from optmap.judge.binding_aware_graph import Reason, lower
from optmap.judge.case import judge
from optmap.judge.check import check
from optmap.judge.evaluation import CycleStep, evaluate
from optmap.judge.metrics import Spread, link_tokens
from optmap.model.cluster_graph import cluster_graph
from optmap.model.mapping import Binding, Clustering, Mapping, StaticOrders
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import from_edges

KINDS = {
    "projected": {},
    "pipelined": {"tokens": "pipelined", "wild_orders": True},
    "wild orders": {"wild_orders": True},
    "prologue": {"prologue": True},
    "wild prologue": {"wild_orders": True, "prologue": True},
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_period_is_that_of_playing_the_mapping(kind: str):
    periods, stuck = [], 0
    for seed in range(80):
        case = random_case(Random(seed), **KINDS[kind])
        try:
            played = simulated_period(case.mapping, case.platform, case.tokens)
        except Stuck:
            stuck += 1
            with pytest.raises(DeadlockError):
                evaluate(case.platform, case.mapping, case.tokens)
            continue
        periods.append(played)
        assert evaluate(case.platform, case.mapping, case.tokens).period == played, seed
    assert len(periods) > 40
    # with a token on every channel no order of the clusters waits for itself
    assert bool(stuck) == (kind not in ("projected", "pipelined"))


def test_the_small_mapping_by_hand():
    """Tile 0 fires 39 + 39 ticks a round, but window n + 1 waits for n to go round the loop."""
    found = evaluate(PLATFORM, MAPPING, "dataflow")
    assert found.period == simulated_period(MAPPING, PLATFORM, "dataflow")
    assert found.period == 78
    assert found.throughput == Fraction(1, 78)
    assert (found.clusters, found.tiles_used, found.traffic.total, found.spike_hops) == (
        4,
        2,
        31,
        25,
    )
    assert found.tile_load == Spread(Fraction(78 + 42, 2), Fraction(78))
    assert found.ni_load == Spread(Fraction(3), Fraction(4))
    assert found.buffer_use == 1
    assert found.link_load is None
    assert found.spikes_origin == "given"
    assert [str(step) for step in found.critical_cycle] in (
        [
            "cluster 0 -> cluster 1 [order, 39 ticks]",
            "cluster 1 -> cluster 0 [order, 39 ticks, 1 token]",
        ],
        [
            "cluster 0 -> cluster 1 [data, 39 ticks]",
            "cluster 1 -> cluster 0 [order, 39 ticks, 1 token]",
        ],
    )


def test_the_row_is_flat_and_keeps_every_value():
    found = evaluate(PLATFORM, MAPPING, "dataflow")
    row = found.row()
    assert row["period"] == 78
    assert row["traffic"] == row["external_spikes"] + row["input_deliveries"] == 31
    parts = [row[f"energy_{part}_pj"] for part in ("spike", "synapse", "route", "local")]
    assert row["energy_pj"] == sum(parts)
    assert row["tile_load_max"] == 78
    assert row["ni_load_mean"] == 3
    assert row["row_use_min"] == Fraction(1, 2)
    assert row["link_load_max"] is None
    assert {type(v) for v in row.values()} <= {int, Fraction, type(None)}


def test_link_load_is_what_the_busiest_link_carries_in_one_period():
    mesh = replace(PLATFORM, interconnect=Interconnect("mesh", 2, 1))
    found = evaluate(mesh, MAPPING, "dataflow")
    graph = lower_of(mesh).clusters
    assert link_tokens(graph, mesh, MAPPING.binding).max() == 7
    assert found.link_load == Fraction(7) / (found.period * 2)


def lower_of(platform: Platform):
    graph = cluster_graph(MAPPING.decomposition, MAPPING.clustering, platform, "dataflow")
    return lower(graph, platform, MAPPING.binding, MAPPING.orders)


@given(random=st.randoms(use_true_random=False))
def test_the_critical_cycle_is_a_cycle_of_the_graph_and_proves_the_period(random: Random):
    case = random_case(random)
    found = evaluate(case.platform, case.mapping, case.tokens)
    bound = lower(case.graph, case.platform, case.mapping.binding, case.mapping.orders)
    graph = bound.graph
    edges = {
        CycleStep(
            bound.name_of(int(graph.source[e])),
            bound.name_of(int(graph.target[e])),
            int(graph.delay[e]),
            int(graph.tokens[e]),
            Reason(bound.reason[e]).word,
        )
        for e in range(graph.num_edges)
    }
    cycle = found.critical_cycle
    assert set(cycle) <= edges
    for step, following in pairwise((*cycle, cycle[0])):
        assert step.target == following.source
    assert found.period == Fraction(sum(s.delay for s in cycle), sum(s.tokens for s in cycle))
    assert len({s.source for s in cycle}) == len(cycle)


def test_judging_a_broken_mapping_gives_its_violations_and_no_values():
    good = judge(SNN, PLATFORM, MAPPING, "dataflow")
    assert good.violations == ()
    assert good.evaluation == evaluate(PLATFORM, MAPPING, "dataflow")
    broken = replace(MAPPING, orders=StaticOrders(((1, 0), (2, 3))))
    bad = judge(SNN, PLATFORM, broken, "dataflow")
    assert [v.kind for v in bad.violations] == ["deadlock"]
    assert bad.evaluation is None
    with pytest.raises(DeadlockError, match=r"cluster \d -> cluster \d"):
        evaluate(PLATFORM, broken, "dataflow")


def platform_of(tiles: int) -> Platform:
    return Platform("p", (Tile(Crossbar(4, 4)),) * tiles, Interconnect("mesh", tiles, 1))


def test_a_network_without_units_has_no_period_and_costs_nothing():
    inputs = from_edges([], [], 3)
    mapping = Mapping(
        decompose(inputs, 4, "tree"), Clustering([]), Binding([]), StaticOrders(((), ()))
    )
    assert check(inputs, platform_of(2), mapping, "dataflow") == []
    found = evaluate(platform_of(2), mapping, "dataflow")
    assert (found.period, found.throughput, found.latency) == (None, None, None)
    assert (found.clusters, found.tiles_used, found.traffic.total, found.area_um2) == (0, 0, 0, 0)
    assert (found.tile_load, found.utilisation, found.critical_cycle) == (None, {}, ())
    assert found.row()["row_use_mean"] is None


def test_one_neuron_that_reads_itself_runs_at_its_own_time():
    own = from_edges([0], [0], 1, spikes=[6])
    mapping = Mapping(
        decompose(own, 4, "none"), Clustering([0]), Binding([0]), StaticOrders(((0,),))
    )
    found = evaluate(replace(platform_of(1), base_ticks=5, event_ticks=2), mapping, "dataflow")
    assert (found.period, found.latency, found.traffic.total) == (17, 17, 0)
    assert [str(s) for s in found.critical_cycle] == [
        "cluster 0 -> cluster 0 [self, 17 ticks, 1 token]"
    ]


def test_periods_may_be_fractions():
    """The link takes 1 + 4 ticks and reading 1, while the receiver has room for two windows."""
    snn = from_edges([0, 1], [1, 2], 3, spikes=[1, 1, 1])
    mapping = Mapping(
        decompose(snn, 4, "none"), Clustering([0, 1]), Binding([0, 1]), StaticOrders(((0,), (1,)))
    )
    platform = replace(platform_of(2), hop_ticks=4)
    found = evaluate(platform, mapping, "dataflow")
    assert found.period == Fraction(1 + 4 + 1, 2)
    assert {s.reason for s in found.critical_cycle} == {"data", "buffer"}
