"""Synapse memory that all programs of a tile share: every stage, against plain enumeration."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from oracles import binding_load

from formulations.binding import cpsat, milp
from optmap.bounds.resident_memory import least_held, may_fit, memory_shortage
from optmap.decomposing.contract import decompose
from optmap.errors import CapacityError, InputError
from optmap.flow import run
from optmap.judge.binding_aware_graph import lower
from optmap.judge.case import judge
from optmap.judge.check import graph_violations
from optmap.methods import METHODS
from optmap.model.cluster_graph import ClusterGraph, cluster_graph
from optmap.model.constraints import NONE
from optmap.model.mapping import Binding, Clustering, StaticOrders
from optmap.model.outcome import Limits, Status
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.platform_file import load_platform
from optmap.model.snn import SNN, from_edges
from optmap.stages.constrain import refuse, repaired_binding

LIMITS = Limits(600.0)  # no test waits for it


def drawn(seed: int) -> tuple[SNN, Platform]:
    """Return three to six neurons that read one to three inputs, and two or three tiles."""
    rng = random.Random(seed)
    units, tiles = rng.randrange(3, 7), rng.randrange(2, 4)
    edges = {(rng.randrange(3 + j), 3 + j) for j in range(units) for _ in range(3)}
    snn = from_edges(*zip(*sorted(edges), strict=True), 3 + units,
                     spikes=[rng.randrange(1, 6) for _ in range(3 + units)])  # fmt: skip
    bits = rng.random() < 0.5
    have = [rng.randrange(4, 12) * (3 if bits else 1) for _ in range(tiles)]
    made = tuple(
        Tile(Crossbar(8, 2), slots=rng.choice((None, 2, 3)), synapses=None if bits else h,
             synapse_bits=h if bits else None)
        for h in have
    )  # fmt: skip
    return snn, Platform(
        "small", made, Interconnect("mesh", tiles, 1), weight_bits=3, event_ticks=1, resident=True
    )


def programs(seed: int) -> tuple[ClusterGraph, Platform]:
    """Return one program a neuron."""
    snn, platform = drawn(seed)
    units = decompose(snn, platform.max_rows, "none")
    alone = Clustering(np.arange(units.num_units))
    return cluster_graph(units, alone, platform, "dataflow"), platform


def allowed(graph: ClusterGraph, platform: Platform, memory: bool = True) -> list[tuple[int, ...]]:
    """Return every binding that slots, and memory, allow, by plain sums."""
    assert graph.made_of is not None
    network = graph.made_of[0].network
    reads = [int(n) for n in network.fan_in[network.units]]
    found = []
    for tiles in product(range(platform.num_tiles), repeat=len(reads)):
        for t, tile in enumerate(platform.tiles):
            here = [n for n, at in zip(reads, tiles, strict=True) if at == t]
            if tile.slots is not None and len(here) > tile.slots:
                break
            if memory and tile.synapses is not None and sum(here) > tile.synapses:
                break
            if memory and tile.synapse_bits is not None and 3 * sum(here) > tile.synapse_bits:
                break
        else:
            found.append(tiles)
    return found


def compare(seed: int) -> str:
    graph, platform = programs(seed)
    every = allowed(graph, platform)
    if memory_shortage(graph.made_of[0].network, platform):
        assert not every
    spikes = list(zip(graph.source.tolist(), graph.target.tolist(), graph.spikes.tolist(),
                      strict=True))  # fmt: skip
    for objective in ("load", "hops"):
        value = {
            "load": lambda tiles: binding_load(graph, platform, tiles),
            "hops": lambda tiles: sum(f * abs(tiles[a] - tiles[b]) for a, b, f in spikes),
        }[objective]
        truth = min(map(value, every), default=None)
        for solver in (cpsat, milp):
            found = solver.solve(graph, platform, LIMITS, objective=objective)
            if truth is None:
                assert found.status is Status.INFEASIBLE
            else:
                assert (found.status, found.claimed) == (Status.OPTIMAL, truth)
    for tiles in product(range(platform.num_tiles), repeat=min(4, graph.num_clusters)):
        whole = Binding(np.array((*tiles, *[0] * graph.num_clusters))[: graph.num_clusters])
        kinds = {v.kind for v in _violations(graph, platform, whole)}
        assert bool(kinds) == (tuple(whole.tile_of.tolist()) not in every)
    starts = allowed(graph, platform, memory=False)
    if not starts:
        return "infeasible"
    start = Binding(np.array(starts[0]))
    if every:
        assert tuple(repaired_binding(graph, platform, start).tile_of.tolist()) in every
    else:
        with pytest.raises(CapacityError):
            repaired_binding(graph, platform, start)
    return "solved" if every else "infeasible"


def _violations(graph: ClusterGraph, platform: Platform, binding: Binding):
    held = [np.flatnonzero(binding.tile_of == t).tolist() for t in range(platform.num_tiles)]
    orders = StaticOrders(tuple(map(tuple, held)))
    found = graph_violations(
        graph, platform, binding, orders, lambda: lower(graph, platform, binding, orders)
    )
    return [v for v in found if v.kind in ("slots", "synapses", "synapse_bits")]


@pytest.mark.wall_clock
@pytest.mark.parametrize("seed", range(5))
def test_bindings_agree_with_enumeration(seed: int) -> None:
    compare(seed)


@pytest.mark.full
@pytest.mark.wall_clock
def test_bindings_agree_with_enumeration_300_times() -> None:
    ended = [compare(seed) for seed in range(300)]
    assert min(ended.count("solved"), ended.count("infeasible")) > 30


def tight(**more) -> Platform:
    tile = Tile(Crossbar(4, 1), synapses=6, **more)
    return Platform("core", (tile,) * 2, Interconnect("mesh", 2, 1), event_ticks=1, resident=True)


def layer(neurons: int) -> SNN:
    """Return neurons that read the same three inputs each."""
    pairs = [(i, 3 + j) for j in range(neurons) for i in range(3)]
    return from_edges(*zip(*pairs, strict=True), 3 + neurons)


@pytest.mark.parametrize("method", ["song2020-tree", "overlap", "pacman"])
def test_heuristics_keep_the_memory_of_a_tile(method: str) -> None:
    """Four programs of three synapses, two tiles of six: two programs a tile, however bound."""
    found = run(METHODS[method], layer(4), tight(), "dataflow", Limits(5.0), lambda _: None)
    assert found.mapping is not None
    assert np.bincount(found.mapping.binding.tile_of).tolist() == [2, 2]


def test_too_large_a_network_is_refused_with_the_proof() -> None:
    said = "needs 15 synapses, all tiles together have 12, and programs stay resident"
    found = run(METHODS["cpsat"], layer(5), tight(), "dataflow", Limits(5.0), lambda _: None)
    assert (found.mapping, found.status) == (None, Status.INFEASIBLE)
    assert said in found.reason
    free = replace(tight(), resident=False)
    assert run(METHODS["cpsat"], layer(5), free, "dataflow", Limits(5.0), lambda _: None).mapping


@pytest.mark.parametrize("method", ["song2020-tree", "overlap", "pacman", "cpsat"])
def test_units_of_one_size_too_many_by_one_are_refused_with_the_proof(method: str) -> None:
    """Sixteen synapses would hold fifteen, but two units of three are all that eight hold."""
    chip = replace(tight(), tiles=(replace(tight().tiles[0], synapses=8),) * 2)
    assert run(METHODS[method], layer(4), chip, "dataflow", Limits(5.0), lambda _: None).mapping
    found = run(METHODS[method], layer(5), chip, "dataflow", Limits(5.0), lambda _: None)
    assert (found.mapping, found.status) == (None, Status.INFEASIBLE)
    assert (
        "5 units need at least 3 synapses each, all tiles together hold at most 4" in found.reason
    )


def test_clusters_are_cut_where_their_memory_does_not_divide() -> None:
    """Units of 2, 1, 3 and 2 synapses on two tiles of 4: clusters of two units fit in no way."""
    snn, platform = drawn(1)
    found = run(METHODS["overlap"], snn, platform, "dataflow", Limits(5.0), lambda _: None)
    assert found.mapping is not None
    assert found.mapping.clustering.num_clusters == 4
    assert judge(snn, platform, found.mapping, "dataflow").violations == ()


def test_no_way_to_divide_the_units_is_seen_where_there_is_none() -> None:
    refused = 0
    for seed in range(200):
        rng = random.Random(seed)
        need = [rng.randrange(9) for _ in range(rng.randrange(1, 7))]
        room = [rng.randrange(4, 16) for _ in range(rng.randrange(1, 4))]
        fits = any(
            all(
                sum(n for n, at in zip(need, tiles, strict=True) if at == t) <= here
                for t, here in enumerate(room)
            )
            for tiles in product(range(len(room)), repeat=len(need))
        )
        arrays = np.array(need), np.array(room)
        assert may_fit(*arrays) == fits
        assert not (fits and any(held < units for _, units, held in least_held(*arrays)))
        refused += not fits
    assert 40 < refused < 160


@pytest.mark.parametrize("method", ["lns", "whole", "cpsat-joint"])
def test_other_methods_are_refused_by_name(method: str) -> None:
    with pytest.raises(CapacityError, match=f"method {method} .* programs stay resident"):
        run(METHODS[method], layer(4), tight(), "dataflow", Limits(5.0), lambda _: None)
    one = tight(slots=1)  # one program a tile has the memory to itself
    refuse(METHODS[method], NONE, layer(2), one)


def test_the_judge_names_tile_programs_and_numbers() -> None:
    found = run(METHODS["overlap"], layer(4), tight(), "dataflow", Limits(5.0), lambda _: None)
    moved = replace(
        found.mapping,
        binding=Binding(np.zeros(4, dtype=np.int32)),
        orders=StaticOrders(((0, 1, 2, 3), ())),
    )
    verdict = judge(layer(4), tight(), moved, "dataflow")
    said = "tile 0 needs 12 synapses for its 4 resident programs, has 6"
    assert [(v.kind, v.message) for v in verdict.violations] == [("synapses", said)]


def test_a_platform_file_says_so(tmp_path) -> None:
    text = 'schema = 1\nname = "p"\n[interconnect]\nkind = "mesh"\nwidth = 1\nheight = 1\n'
    text += "[[tiles]]\nrows = 4\ncolumns = 4\nsynapses = 6\n[cells]\nresident = true\n"
    (tmp_path / "p.toml").write_text(text)
    assert load_platform(tmp_path / "p.toml").resident
    (tmp_path / "q.toml").write_text(text.replace("= true", "= 3"))
    with pytest.raises(InputError, match="resident"):
        load_platform(tmp_path / "q.toml")
