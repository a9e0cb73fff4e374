"""SDF3 graphs as given clusters: the channels of the file, conservative where it must choose."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from optmap.decomposing.contract import decompose
from optmap.errors import InputError
from optmap.flow import run
from optmap.instance import load
from optmap.judge.case import judge
from optmap.mapping_json import from_dict, to_dict
from optmap.methods import METHODS
from optmap.model.cluster_graph import cluster_graph
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.mapping import Binding, Clustering, Mapping, StaticOrders
from optmap.model.outcome import Limits
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.platform_file import load_platform
from optmap.readers.read import read_network
from optmap.readers.sdf3_clusters import read_clustered
from optmap.sdf.graph import sdfg
from optmap.sdf.throughput import throughput
from optmap.sdf.xml import sdf3_text

#: One tile, so that nothing is sent: what remains is the order of the firings.
ONE = Platform("one", (Tile(Crossbar(128, 128)),), Interconnect("mesh", 1, 1))


def stored(folder: Path, actors, channels) -> ClusteredSNN:
    file = folder / "graph.xml"
    file.write_text(sdf3_text(sdfg(actors, channels)))
    return read_clustered(file)


def graph_of(snn: ClusteredSNN, platform: Platform = ONE):
    decomposition = decompose(snn, max(snn.max_fan_in, 2), "none")
    return cluster_graph(decomposition, snn.clustering, platform, "dataflow")


def test_channels_times_and_tokens_are_those_of_the_file(tmp_path):
    actors = [("a", 3), ("b", 5), ("c", 0)]
    channels = [("a", "b", 4, 4, 4), ("b", "a", 2, 2, 0), ("a", "c", 1, 1, 9), ("a", "a", 1, 1, 1)]
    snn = stored(tmp_path, actors, channels)
    graph = graph_of(snn)
    assert snn.names == ("a", "b", "c")
    assert graph.tau.tolist() == [3, 5, 1], "no firing takes no time"
    rows = (graph.source, graph.target, graph.rate, graph.initial)
    found = list(zip(*(r.tolist() for r in rows), strict=True))
    assert found == [(0, 1, 4, 1), (0, 2, 1, 1), (1, 0, 2, 0)]


def test_the_network_alone_makes_the_same_channels(tmp_path):
    """Forget that it came clustered and derive the channels from units and spikes."""
    instance = load("instances/lenet_mnist_7.toml")
    snn = instance.snn
    plain = type(snn).__mro__[1](snn.indptr, snn.indices, snn.spikes, snn.populations)
    for network in (snn, plain):
        decomposition = decompose(network, 128, "none")
        graph = cluster_graph(decomposition, snn.clustering, instance.platform, "pipelined")
        assert graph.num_channels == 13
        pairs = zip(graph.source.tolist(), graph.target.tolist(), strict=True)
        rates = dict(zip(pairs, graph.rate.tolist(), strict=True))
        assert rates[4, 1] == 2
        assert sum(rates.values()) == 27
        assert set(graph.initial.tolist()) == {1}
        assert graph.tau.tolist() == [16] * 7


def test_parallel_channels_add_up_and_the_tighter_one_counts(tmp_path):
    snn = stored(tmp_path, [("a", 1), ("b", 1)], [("a", "b", 2, 2, 2), ("a", "b", 3, 3, 0)])
    graph = graph_of(snn)
    assert (graph.rate.tolist(), graph.initial.tolist()) == ([5], [0])


def test_several_firings_run_in_a_row(tmp_path):
    """Actor a fires three times for two of b."""
    snn = stored(tmp_path, [("a", 5), ("b", 7)], [("a", "b", 2, 3, 11)])
    graph = graph_of(snn)
    assert graph.tau.tolist() == [15, 14]
    assert (graph.rate.tolist(), graph.initial.tolist()) == ([6], [1])
    assert "in a row" in snn.spikes_origin


def test_actors_that_cannot_take_turns_become_one(tmp_path):
    """One token goes round a cycle that needs four an iteration: a b a b, never a a b b."""
    channels = [("a", "b", 2, 1, 0), ("b", "a", 1, 2, 2), ("b", "c", 1, 2, 0), ("c", "d", 2, 2, 0)]
    actors = [("a", 3), ("b", 5), ("c", 1), ("d", 1)]
    snn = stored(tmp_path, actors, [*channels, ("d", "c", 2, 2, 2)])
    assert snn.names == ("a", "b", "c", "d"), "a b b is a whole iteration"
    tight = [("a", "b", 1, 1, 0), ("b", "a", 1, 1, 1), ("b", "c", 1, 4, 0)]
    snn = stored(tmp_path, actors[:3], tight)
    assert snn.names == ("a+b", "c")
    assert graph_of(snn).tau.tolist() == [4 * 3 + 4 * 5, 1]


@pytest.mark.parametrize(
    ("actors", "channels", "found"),
    [
        ([("a", 1), ("b", 1)], [("a", "b", 1, 1, 0), ("b", "a", 1, 1, 0)], "deadlock of a, b"),
        ([("a", 1), ("b", 1)], [("a", "b", 1, 2, 0), ("a", "b", 1, 1, 0)], "inconsistent rates"),
        ([("a", 1), ("b", 1)], [("a", "a", 2, 2, 1), ("a", "b", 1, 1, 0)], "to itself"),
        ([("a", 2**50), ("b", 1)], [("a", "b", 1, 1, 0)], "ticks per iteration"),
        ([("a", 1), ("b", 1)], [("a", "b", 2**60, 2**60, 0)], "tokens"),
    ],
)
def test_graphs_that_cannot_run_say_why(tmp_path, actors, channels, found: str):
    with pytest.raises(InputError) as caught:
        stored(tmp_path, actors, channels)
    assert found in str(caught.value)
    assert "graph.xml" in str(caught.value)


@given(st.data())
def test_one_tile_is_never_faster_than_the_graph_itself(tmp_path_factory, data):
    """What is taken away never adds speed: the period is at least that of the unbound graph."""
    n = data.draw(st.integers(1, 5))
    q = data.draw(st.lists(st.integers(1, 3), min_size=n, max_size=n))
    pairs = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))
    ends = data.draw(st.lists(pairs, min_size=1, max_size=7))
    channels = []
    for a, b in ends:
        tokens = data.draw(st.integers(0, 9))
        channels.append((f"x{a}", f"x{b}", q[b], q[a], tokens))
    actors = [(f"x{a}", data.draw(st.integers(1, 9))) for a in range(n)]
    loops = [(f"x{a}", f"x{a}", 1, 1, 1) for a in range(n)]
    graph = sdfg(actors, channels + loops)
    file = tmp_path_factory.mktemp("sdf") / "graph.xml"
    file.write_text(sdf3_text(graph))
    try:
        snn = read_clustered(file)
    except InputError:
        assume(False)
    found = run(METHODS["song2020"], snn, ONE, "dataflow", Limits(5.0), lambda _: None)
    assert found.mapping is not None
    judged = judge(snn, ONE, found.mapping, "dataflow")
    assert judged.violations == ()
    free = throughput(graph)
    if free.period is not None and len(snn.names) == n:
        assert judged.evaluation.period >= free.period
    assert judged.evaluation.period >= max(graph_of(snn).tau)


@pytest.mark.parametrize("method", ["random", "song2020", "overlap", "pacman", "cpsat"])
def test_methods_bind_and_order_what_is_given(method: str):
    instance = load("instances/lenet_mnist_7.toml")
    limits = Limits(3.0)
    found = run(
        METHODS[method], instance.snn, instance.platform, "pipelined", limits, lambda _: None
    )
    assert found.mapping.clustering == instance.snn.clustering
    judged = judge(instance.snn, instance.platform, found.mapping, "pipelined")
    assert judged.violations == ()
    assert judged.evaluation.clusters == 7
    assert judged.evaluation.traffic.total == 27
    assert judged.evaluation.period >= 32, "seven actors of 16 ticks on four tiles"
    back = from_dict(to_dict(found.mapping), instance.snn)
    assert back.clustering == found.mapping.clustering


def test_another_clustering_is_refused():
    instance = load("instances/lenet_mnist_7.toml")
    decomposition = decompose(instance.snn, 128, "none")
    clustering = Clustering(np.zeros(decomposition.num_units, dtype=np.int32))
    with pytest.raises(ValueError, match="cannot be changed"):
        cluster_graph(decomposition, clustering, instance.platform, "dataflow")
    orders = StaticOrders(((0,), (), (), ()))
    mapping = Mapping(decomposition, clustering, Binding(np.array([0])), orders)
    with pytest.raises(ValueError, match="cannot be changed"):
        judge(instance.snn, instance.platform, mapping, "dataflow")


def test_a_spike_file_beside_it_is_refused(tmp_path):
    (tmp_path / "s.csv").write_text("0,1\n")
    with pytest.raises(InputError, match="rates of an SDF3 file"):
        read_network("instances/lenet_mnist_7.xml", spikes=tmp_path / "s.csv")


def test_the_tutorial_platform_is_the_published_one():
    """Three ticks to a neighbour, four across, interfaces far wider than a window of tokens."""
    platform = load_platform("instances/platforms/tutorial_2x2.toml")
    assert platform.hops.tolist() == [[0, 3, 3, 4], [3, 0, 4, 3], [3, 4, 0, 3], [4, 3, 3, 0]]
    assert (platform.hop_ticks, platform.base_ticks, platform.send_ticks(3)) == (1, 16, 1)


def test_public_graphs_map(shared_data):
    for file in sorted((shared_data / "sdf").glob("*.xml")):
        if file.name == "dead_multirate.xml":
            with pytest.raises(InputError, match="deadlock"):
                read_network(file)
            continue
        snn = read_network(file)
        platform = load_platform("instances/platforms/dynap_se.toml")
        found = run(METHODS["overlap"], snn, platform, "dataflow", Limits(5.0), lambda _: None)
        assert judge(snn, platform, found.mapping, "dataflow").violations == (), file.name
