"""What chips limit, in bindings, joint and whole problems: every solver agrees with enumeration.

The chips are drawn with limits of tiles, tiles and links out of use, and links between chips; hops
and latencies are taken from plain breadth-first walks here, not from the model.
"""

from __future__ import annotations

import random
from fractions import Fraction
from math import prod

import numpy as np
import pytest
from oracles import binding_load
from scheduling_oracle import best_joint_period, feasible_bindings
from whole_oracle import clusterings, least_period

from formulations.binding import cpsat as binding_cpsat
from formulations.binding import milp as binding_milp
from formulations.joint import benders as joint_benders
from formulations.joint import cpsat as joint_cpsat
from formulations.whole import benders as whole_benders
from formulations.whole import cpsat as whole_cpsat
from optmap.decomposing.contract import decompose
from optmap.errors import CapacityError
from optmap.judge.case import judge
from optmap.model.capacity import too_wide
from optmap.model.cluster_graph import ClusterGraph, cluster_graph
from optmap.model.interconnect import Interconnect
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Crossbar, Platform, Tile
from optmap.model.snn import SNN, Population, from_edges

LIMITS = Limits(600.0)  # no test waits for it
pytestmark = pytest.mark.wall_clock  # all end with a proof
#: Trees of a neuron with so many sources.
TREES = {1: 1, 2: 1, 3: 4, 4: 26}


def chip(seed: int) -> Platform:
    """Return two to four tiles of a mesh with some of what chips limit."""
    rng = random.Random(seed)
    width, height = rng.choice([(2, 1), (3, 1), (2, 2)])
    num = width * height
    ranges = {
        "neurons": (1, 3),
        "synapses": (4, 9),
        "synapse_bits": (8, 25),
        "fan_out": (1, 3),
        "axons_out": (1, 5),
        "slots": (1, 3),
    }
    chosen = rng.sample(sorted(ranges), rng.randrange(1, 4))
    tiles = []
    for _ in range(num):
        given = {name: rng.randrange(*ranges[name]) for name in chosen if rng.random() < 0.7}
        tiles.append(Tile(Crossbar(4, rng.randrange(2, 5)), **given))
    dead = (rng.randrange(num),) if num > 2 and rng.random() < 0.3 else ()
    whole = (width, height) == (2, 2) and not dead
    net = Interconnect(
        "mesh",
        width,
        height,
        dead_tiles=(num - 1,) if dead and (width, height) == (3, 1) else dead,
        dead_links=((0, 1),) if whole and rng.random() < 0.6 else (),
        chip=(1, height) if rng.random() < 0.5 else None,
        chip_hops=rng.randrange(1, 4),
    )
    return Platform(
        "chip",
        tuple(tiles),
        net,
        hop_ticks=rng.randrange(3),
        base_ticks=rng.randrange(1, 5),
        event_ticks=rng.randrange(3),
        switch_ticks=rng.choice((0, 0, 2)),
        chip_hop_ticks=rng.choice((None, 0, 5)),
        weight_bits=1,
        cell_bits=rng.choice((None, None, 1, 2)),
        fan_in=rng.choice((None, None, 2)),
        population_neurons=(("first", 1),) if rng.random() < 0.3 else (),
    )


def network(seed: int, most_units: int = 5) -> SNN:
    """Return up to ``most_units`` neurons that read one to three sources, weights 1 to 4 bits."""
    rng = random.Random(seed + 1)
    inputs, units = rng.randrange(1, 4), rng.randrange(2, most_units + 1)
    n = inputs + units
    edges = {
        (rng.randrange(n if rng.random() < 0.2 else j), j)
        for j in range(inputs, n)
        for _ in range(rng.randrange(1, 4))
    }
    pre, post = zip(*sorted(edges), strict=True)
    snn = from_edges(pre, post, n, spikes=[rng.randrange(6) for _ in range(n)])
    bits = np.array([rng.choice((1, 2, 4)) for _ in range(n)])
    first = (Population("first", inputs, inputs + (units - 1) // 2),)
    return SNN(snn.indptr, snn.indices, snn.spikes, first, weight_bits=bits)


def walked(platform: Platform) -> tuple[np.ndarray, np.ndarray]:
    """Return hops and latency between tiles, by walks of least hops, then fewest chip links."""
    net, num = platform.interconnect, platform.num_tiles
    width, across = net.width or 1, net.chip or (net.width or 1, net.height or 1)
    cut = {frozenset(link) for link in net.dead_links}
    far = 10**6
    hops, links = (np.full((num, num), far, dtype=np.int64) for _ in range(2))
    for start in set(range(num)) - set(net.dead_tiles):
        best = {start: (0, 0)}
        for _ in range(num):
            for a, (h, c) in list(best.items()):
                for b in set(range(num)) - set(net.dead_tiles):
                    (xa, ya), (xb, yb) = divmod(a, width)[::-1], divmod(b, width)[::-1]
                    if abs(xa - xb) + abs(ya - yb) != 1 or frozenset((a, b)) in cut:
                        continue
                    leaves = (xa // across[0], ya // across[1]) != (
                        xb // across[0],
                        yb // across[1],
                    )
                    step = (h + (net.chip_hops if leaves else 1), c + leaves)
                    best[b] = min(best.get(b, (far, far)), step)
        for b, (h, c) in best.items():
            hops[start, b], links[start, b] = h, c
    slow = platform.chip_hop_ticks
    if slow is None:
        return hops, hops * platform.hop_ticks
    return hops, (hops - links * net.chip_hops) * platform.hop_ticks + links * slow


def clustered(seed: int) -> tuple[ClusterGraph, Platform] | None:
    """Return one clustering of a case, drawn among those that rows and columns allow."""
    platform, snn = chip(seed), network(seed, 4)
    units = decompose(snn, platform.max_rows, "none")
    every = list(clusterings(units, platform))
    if not every or too_wide(units.network, platform):
        return None
    drawn = random.Random(seed).choice(every)
    return cluster_graph(units, drawn, platform, "dataflow"), platform


def compare_bindings(seed: int) -> str:
    case = clustered(seed)
    if case is None:
        return "no clustering"
    graph, platform = case
    hops, latency = walked(platform)
    used = np.ix_(platform.in_use, platform.in_use)
    assert np.array_equal(platform.hops[used], hops[used])
    assert np.array_equal(platform.latency[used], latency[used])
    allowed = [tuple(b.tile_of.tolist()) for b in feasible_bindings(graph, platform)]
    channels = list(zip(graph.source.tolist(), graph.target.tolist(), graph.spikes.tolist(),
                        strict=True))  # fmt: skip
    for objective in ("load", "hops"):
        value = {
            "load": lambda tiles: binding_load(graph, platform, tiles),
            "hops": lambda tiles: sum(f * int(hops[tiles[a], tiles[b]]) for a, b, f in channels),
        }[objective]
        truth = min(map(value, allowed), default=None)
        for solver in (binding_cpsat, binding_milp):
            found = solver.solve(graph, platform, LIMITS, objective=objective)
            expect(found, truth)
    truth = best_joint_period(graph, platform)
    for joint in (joint_cpsat, joint_benders):
        expect(joint.solve(graph, platform, LIMITS, workers=1), truth)
    return "solved" if allowed else "infeasible"


def expect(found: Outcome, truth: int | Fraction | None) -> None:
    if truth is None:
        assert found.status is Status.INFEASIBLE
    else:
        assert (found.status, found.claimed) == (Status.OPTIMAL, truth)


def compare_whole(seed: int) -> str:
    platform, snn = chip(seed), network(seed, 4)
    if prod(TREES[int(f)] for f in snn.fan_in if f) > 4:
        return "too many trees"
    tokens = ("dataflow", "pipelined")[seed % 2]
    truth = least_period(snn, platform, tokens, split="any")
    for method in (whole_cpsat, whole_benders):
        try:
            found = method.solve(snn, platform, tokens, LIMITS, workers=1)
        except CapacityError:  # a unit that no crossbar holds, named
            assert truth is None
            continue
        expect(found, truth)
        if found.solution is not None:
            assert judge(snn, platform, found.solution, tokens).violations == ()
    return "infeasible" if truth is None else "solved"


@pytest.mark.parametrize("seed", range(6))
def test_bindings_and_joint_agree_with_enumeration(seed: int) -> None:
    compare_bindings(seed)


@pytest.mark.parametrize("seed", range(6))
def test_all_decisions_agree_with_enumeration(seed: int) -> None:
    compare_whole(seed)


@pytest.mark.full
def test_bindings_and_joint_agree_with_enumeration_300_times() -> None:
    ended = [compare_bindings(seed) for seed in range(300)]
    assert ended.count("solved") > 100
    assert ended.count("infeasible") > 10


@pytest.mark.full
def test_all_decisions_agree_with_enumeration_300_times() -> None:
    ended = [compare_whole(seed) for seed in range(450)]
    assert ended.count("solved") > 150
    assert ended.count("infeasible") > 10
    assert len(ended) - ended.count("too many trees") >= 300
