"""Clusters as actors and channels: by hand, then against a reading of every synapse."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_mappings import random_case
from simulation_oracle import application
from small_mapping import MAPPING, PLATFORM, SNN

from optmap.decomposing.contract import decompose
from optmap.model.cluster_graph import (
    axons,
    cluster_graph,
    cluster_of_source,
    initial_iterations,
)
from optmap.model.mapping import Clustering
from optmap.model.snn import from_edges


def test_rows_events_channels_and_tokens_by_hand():
    graph = cluster_graph(MAPPING.decomposition, MAPPING.clustering, PLATFORM, "dataflow")
    assert (graph.num_clusters, graph.num_channels) == (4, 5)
    assert graph.rows.tolist() == [3, 3, 2, 2]
    assert graph.columns.tolist() == [2, 1, 1, 1]
    assert graph.tau.tolist() == [2 + 3 * 12, 2 + 3 * 12, 2 + 3 * 5, 2 + 3 * 7]
    assert graph.source.tolist() == [0, 0, 1, 2, 2]
    assert graph.target.tolist() == [1, 3, 2, 1, 3]
    assert graph.spikes.tolist() == [5, 0, 2, 7, 7]
    assert graph.rate.tolist() == [5, 1, 2, 7, 7]
    assert graph.initial.tolist() == [0, 0, 1, 1, 0]


def test_pipelined_puts_one_iteration_on_every_channel():
    graph = cluster_graph(MAPPING.decomposition, MAPPING.clustering, PLATFORM, "pipelined")
    assert graph.initial.tolist() == [1, 1, 1, 1, 1]


def test_rows_are_shared_inputs_stand_outside():
    source, cluster = axons(SNN, MAPPING.clustering)
    assert list(zip(source.tolist(), cluster.tolist(), strict=True)) == [
        (0, 0), (1, 0), (2, 0), (2, 1), (3, 1), (5, 1), (1, 2), (4, 2), (3, 3), (5, 3)
    ]  # fmt: skip
    assert cluster_of_source(SNN, MAPPING.clustering).tolist() == [4, 4, 0, 0, 1, 2, 3]


def test_one_cluster_has_no_channel_whatever_it_reads():
    graph = cluster_graph(MAPPING.decomposition, Clustering([0] * 5), PLATFORM, "dataflow")
    assert graph.num_channels == 0
    assert graph.tau.tolist() == [2 + 3 * (4 + 3 + 5 + 0 + 2 + 7)]


def test_a_network_of_inputs_only_has_no_cluster():
    inputs = from_edges([], [], 3)
    graph = cluster_graph(decompose(inputs, 2, "tree"), Clustering([]), PLATFORM, "dataflow")
    assert (graph.num_clusters, graph.num_channels) == (0, 0)


@given(random=st.randoms(use_true_random=False))
def test_against_a_reading_of_every_synapse(random: Random):
    case = random_case(random)
    graph, app = case.graph, application(case.mapping, case.tokens)
    expected = sorted(app.spikes.items())
    channels = list(zip(graph.source.tolist(), graph.target.tolist(), strict=True))
    assert channels == [c for c, _ in expected]
    assert graph.spikes.tolist() == [s for _, s in expected]
    assert graph.initial.tolist() == [app.initial[c] for c in channels]
    platform = case.platform
    assert graph.tau.tolist() == [
        platform.base_ticks + platform.event_ticks * app.events[k]
        for k in range(graph.num_clusters)
    ]


def test_rows_are_marked_once_and_sorted():
    numbers = np.random.default_rng(0)
    for n, k in ((1, 1), (7, 3), (400, 20), (4_000, 2_000)):
        snn = from_edges(numbers.integers(0, n, 3 * n), np.repeat(np.arange(n), 3), n)
        clustering = Clustering(np.arange(n) % k)
        source, cluster = axons(snn, clustering)
        post = snn.post_of_synapse() % k
        pairs = sorted({(int(c), int(i)) for c, i in zip(post, snn.indices, strict=True)})
        assert list(zip(cluster.tolist(), source.tolist(), strict=True)) == pairs


def test_recurrences_are_strong_components_not_pairs():
    source, target = np.array([0, 1, 2, 2, 3]), np.array([1, 2, 0, 3, 4])
    assert initial_iterations(5, source, target, "dataflow").tolist() == [1, 1, 1, 0, 0]


def test_unknown_token_modes_are_refused():
    with pytest.raises(ValueError, match="'some'"):
        cluster_graph(MAPPING.decomposition, MAPPING.clustering, PLATFORM, "some")


def test_execution_times_that_leave_64_bits_are_refused():
    spikes = np.array(SNN.spikes) * 2**40
    loud = decompose(SNN.with_spikes(spikes, "given"), 3, "none")
    slow = replace(PLATFORM, event_ticks=2**40)
    with pytest.raises(ValueError, match="ticks"):
        cluster_graph(loud, MAPPING.clustering, slow, "dataflow")


@pytest.mark.parametrize(
    "change",
    [
        {"tau": [38, 38, 17, 0]},
        {"rows": [3, 3, 2]},
        {"spikes": [5, 0, 2, 7]},
        {"spikes": [5, -1, 2, 7, 7]},
        {"target": [1, 3, 2, 1, 4]},
        {"target": [0, 3, 2, 1, 3]},
        {"target": [3, 1, 2, 1, 3]},
        {"target": [1, 1, 2, 1, 3]},
    ],
)
def test_a_broken_cluster_graph_cannot_be_built(change: dict):
    graph = cluster_graph(MAPPING.decomposition, MAPPING.clustering, PLATFORM, "dataflow")
    with pytest.raises(ValueError, match="cluster graph"):
        replace(graph, **change)
