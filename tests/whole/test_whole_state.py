"""The state that moves change, against the judge: every number, on random moves."""

from __future__ import annotations

import numpy as np
import pytest
from random_cases import case

from optmap.binding import load_balance
from optmap.clustering import overlap
from optmap.decomposing.spikes import decompose
from optmap.errors import CapacityError
from optmap.instance import load
from optmap.judge.binding_aware_graph import lower
from optmap.judge.check import check
from optmap.judge.evaluation import evaluate
from optmap.judge.metrics import loads, max_tile_load
from optmap.model.cluster_graph import cluster_graph
from optmap.model.mapping import Mapping
from optmap.model.platform import Platform
from optmap.model.snn import SNN
from optmap.ordering import projection
from optmap.shipped import instance_file
from optmap.whole.annealing import annealing_of, spread_out
from optmap.whole.convert import Placed, placed_of, room_for, state_of
from optmap.whole.kernels.anneal import FEWEST, NUM_MOVES, PERIOD, anneal, cost
from optmap.whole.kernels.changes import take_back
from optmap.whole.kernels.state import LOG, State, copied, restore
from optmap.whole.starts import starts
from optmap.whole.target import Target

MOVES = np.array([0, 2000, 2000])
EVEN = np.cumsum(np.full(NUM_MOVES, 1 / NUM_MOVES))
EVEN[-1] = 1.0
NORM = np.array([4.0, 0.0, 0.0, 0.0])


def placed(snn: SNN, platform: Platform) -> Placed:
    decomposition = decompose(snn, platform)
    clustering = overlap.partition(decomposition, platform)
    graph = cluster_graph(decomposition, clustering, platform, "dataflow")
    return Placed(decomposition, clustering, load_balance.bind(graph, platform))


def walked(
    snn: SNN,
    platform: Platform,
    begun: Placed,
    goal: int = PERIOD,
    seed: int = 0,
) -> State:
    """Return the state after a hot walk: nearly every move that fits is made."""
    state = state_of(snn, platform, begun)
    twin = np.zeros(snn.num_neurons, dtype=np.int64)
    heat, rng = np.array([1e3, 1e3]), np.random.default_rng(seed)
    anneal(state, rng, twin, EVEN, goal, NORM, heat, MOVES)
    return state


def cases() -> list[tuple[SNN, Platform]]:
    """Return networks that have synapses, with platforms that hold them."""
    found = []
    for seed in range(60):
        snn, platform = case(seed, driven=seed % 3 == 0)
        try:
            placed(snn, platform)
        except CapacityError:
            continue
        if snn.num_synapses:
            found.append((snn, platform))
    return found[:40]


@pytest.mark.parametrize(("snn", "platform"), cases())
def test_after_random_moves_all_numbers_are_the_judges(snn: SNN, platform: Platform):
    begun = placed(snn, platform)
    state = walked(snn, platform, begun)
    found = placed_of(snn, state, begun)
    graph = cluster_graph(found.decomposition, found.clustering, platform, "dataflow")
    orders = projection.order(graph, found.binding, platform)
    mapping = Mapping(found.decomposition, found.clustering, found.binding, orders)
    total = state.total[0]
    assert total["excess"] == 0
    assert check(snn, platform, mapping, "dataflow") == []
    judged = evaluate(platform, mapping, "dataflow")
    assert judged.clusters == total["clusters"]
    assert judged.traffic.total == total["traffic"]
    assert judged.spike_hops == total["hops"]
    bound = lower(graph, platform, found.binding, orders)
    crossbar, interface = loads(bound, platform, found.binding)
    held = state.tiles["held"]
    switching = platform.switch_ticks * held * (held > 1)
    assert (state.tiles["ticks"] + switching).tolist() == crossbar.tolist()
    assert state.tiles["sends"].tolist() == interface.tolist()
    network = found.decomposition.network
    assert total["events"] == int((network.spikes * network.fan_out).sum())
    assert total["inserted"] == int(network.spikes[snn.num_neurons :].sum())
    for k, size in enumerate(state.clusters["size"]):
        members = state.members[k, :size]
        assert set(state.piece["cluster"][members]) <= {k}
        assert state.piece["place"][members].tolist() == list(range(size))


@pytest.mark.parametrize("seed", [13, 15, 20, 29])
def test_units_that_read_nothing_draw_no_synapse(seed: int):
    """What lies behind the last synapse, where theirs would begin, changes nothing."""
    snn, platform = case(seed, driven=True)
    ends = []
    for beyond in (0, 1):
        state = state_of(snn, platform, placed(snn, platform))
        padded = np.concatenate((state.synapse, np.full(1, beyond, dtype=state.synapse.dtype)))
        state = state._replace(synapse=padded[:-1])
        twin, heat = np.zeros(snn.num_neurons, dtype=np.int64), np.array([1e3, 1e3])
        anneal(state, np.random.default_rng(seed), twin, EVEN, PERIOD, NORM, heat, MOVES)
        ends.append(placed_of(snn, state, placed(snn, platform)).clustering)
    assert ends[0] == ends[1]


def test_the_walks_visit_split_neurons_and_change_their_pieces():
    changed = 0
    for snn, platform in cases():
        begun = placed(snn, platform)
        found = placed_of(snn, walked(snn, platform, begun), begun)
        changed += found.decomposition.identity != begun.decomposition.identity
    assert changed > 5


@pytest.mark.parametrize("seed", range(6))
def test_changes_that_are_taken_back_leave_nothing_behind(seed: int):
    snn, platform = cases()[seed]
    begun = placed(snn, platform)
    state = state_of(snn, platform, begun)
    before = copied(state)
    twin = np.zeros(snn.num_neurons, dtype=np.int64)
    cold, rng = np.array([1e-9, 1e-9]), np.random.default_rng(seed)
    once = np.array([0, 1, 1])
    for _ in range(200):
        now = cost(state, PERIOD, NORM)
        anneal(state, rng, twin, EVEN, PERIOD, NORM, cold, once)
        kept = cost(state, PERIOD, NORM)
        assert kept <= now * (1 + 1e-7)  # the temperature lets rounding pass, no whole tick
        assert state.total[0]["logged"] < LOG
        take_back(state, 0)
        for name in ("count", "channel", "tiles"):
            assert np.array_equal(getattr(state, name), getattr(before, name)), name
        assert np.array_equal(state.synapse["piece"], before.synapse["piece"])


def test_a_copy_restores_what_moves_changed():
    snn, platform = cases()[0]
    begun = placed(snn, platform)
    state = walked(snn, platform, begun)
    saved, value = copied(state), cost(state, PERIOD, NORM)
    anneal(
        state,
        np.random.default_rng(9),
        np.zeros(snn.num_neurons, dtype=np.int64),
        EVEN,
        PERIOD,
        NORM,
        np.array([1e3, 1e3]),
        MOVES,
    )
    restore(state, saved)
    assert cost(state, PERIOD, NORM) == value


def test_fewer_clusters_cost_less_whatever_they_hold():
    values = {}
    for snn, platform in cases()[:10]:
        begun = placed(snn, platform)
        for seed in range(3):
            state = walked(snn, platform, begun, goal=FEWEST, seed=seed)
            count = int(state.total[0]["clusters"])
            values.setdefault(id(snn), []).append((count, cost(state, FEWEST, NORM)))
    for pairs in values.values():
        assert all(count < value <= count + 1 for count, value in pairs)


def test_tables_that_would_fill_the_memory_are_refused():
    snn, _ = cases()[0]
    assert room_for(snn, 100)
    assert not room_for(snn, 10_000)


def test_busy_clusters_are_spread_over_tiles_that_stand_empty():
    """Ten roots share a crossbar and each has a leaf to read: halves of them take far less."""
    instance = load(instance_file("decomposed_mlp"))
    target = Target(instance.snn, instance.platform, "dataflow", "period", 0)
    start = next(iter(starts(target, lambda: False, 10.0)))
    work = annealing_of(target, Placed(start.decomposition, start.clustering, start.binding))
    floor, rng = work.height()[0], np.random.default_rng(0)
    assert work.state.total[0]["clusters"] < instance.platform.num_tiles
    assert spread_out(work, rng, lambda: False)
    assert work.height()[0] < 0.7 * floor
    found = placed_of(instance.snn, work.state, work.start)
    graph = target.graph(found)
    assert max_tile_load(graph, found.binding, instance.platform) < 0.7 * floor
    better = True
    while better:
        kept = copied(work.state)
        better = spread_out(work, rng, lambda: False)
    assert (work.state.clusters == kept.clusters).all()
    assert (work.state.synapse == kept.synapse).all()
