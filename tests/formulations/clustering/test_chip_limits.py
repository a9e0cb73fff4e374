"""Clusterings under what chips limit: MILP = CP-SAT = twins = enumeration, by plain loops."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest

from formulations.clustering import cpsat, milp, twins_cpsat, twins_milp
from formulations.clustering.column_generation import solve as column_generation
from formulations.clustering.relaxed import fewest
from optmap.decomposing.contract import decompose
from optmap.errors import CapacityError
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import SNN, Population, from_edges

LIMITS = Limits(wall_s=60)
FAR = 10**9


def limited_case(seed: int) -> tuple[Decomposition, Platform]:
    """Return 3 to 6 units of weights of several widths, and one or two kinds of limited tiles.

    In every second case some units read what another one does.
    """
    rng = random.Random(seed)
    inputs, units = rng.randrange(1, 4), rng.randrange(3, 7)
    n = inputs + units
    drawn = [{rng.randrange(n) for _ in range(rng.randrange(1, 4))} for _ in range(units)]
    if seed % 2:
        drawn = [rng.choice(drawn[: 1 + u // 2]) for u in range(units)]
    edges = {(pre, inputs + u) for u, reads in enumerate(drawn) for pre in reads}
    pre, post = zip(*sorted(edges), strict=True)
    snn = from_edges(pre, post, n, spikes=[rng.randrange(9) for _ in range(n)])
    bits = np.array([rng.choice((1, 2, 4)) for _ in range(n)])
    first = (Population("first", inputs, inputs + (units - 1) // 2),)
    snn = SNN(snn.indptr, snn.indices, snn.spikes, first, weight_bits=bits)
    ranges = {
        "neurons": (1, 4),
        "synapses": (3, 8),
        "synapse_bits": (6, 24),
        "fan_out": (1, 3),
        "axons_out": (1, 5),
    }
    chosen = rng.sample(sorted(ranges), rng.randrange(1, 4))
    tiles = []
    for _ in range(rng.randrange(1, 3)):
        given = {name: rng.randrange(*ranges[name]) for name in chosen if rng.random() < 0.8}
        tiles.append(Tile(Crossbar(rng.randrange(3, 7), rng.randrange(2, 7)), **given))
    platform = Platform(
        "limited",
        tuple(tiles),
        Interconnect("mesh", len(tiles), 1),
        weight_bits=1,
        cell_bits=rng.choice((None, 1, 2)),
        population_neurons=(("first", rng.randrange(1, 3)),) if rng.random() < 0.3 else (),
    )
    return decompose(snn, 6, "none"), platform


def partitions(size: int) -> Iterator[list[int]]:
    """Yield the labels of every set partition."""

    def extended(labels: list[int]) -> Iterator[list[int]]:
        if len(labels) == size:
            yield labels
            return
        for k in range(max(labels, default=-1) + 2):
            yield from extended([*labels, k])

    yield from extended([])


def fits_plainly(network: SNN, platform: Platform, labels: list[int]) -> bool:
    """Tell, by loops over synapses, whether every cluster has a tile that could hold it."""
    units, bits = network.units.tolist(), network.weight_bits
    assert bits is not None
    reads = {u: network.sources_of(u).tolist() for u in units}
    readers = {u: {k for v, k in zip(units, labels, strict=True) if u in reads[v]} for u in units}
    for k in set(labels):
        members = [u for u, of in zip(units, labels, strict=True) if of == k]
        needs = {
            "neurons": len(members),
            "synapses": sum(len(reads[u]) for u in members),
            "synapse_bits": sum(int(bits[u]) * len(reads[u]) for u in members),
            "fan_out": max(len(readers[u]) for u in members),
            "axons_out": sum(len(readers[u]) for u in members),
        }
        named = [p for p in network.populations if p.name == "first"]
        here = sum(p.first <= u <= p.last for u in members for p in named)
        if any(here > most for _, most in platform.population_neurons):
            return False
        width = 1 if platform.cell_bits is None else platform.cell_bits
        wide = [-(-int(bits[u]) // width) if platform.cell_bits else 1 for u in members]
        rows = len({i for u in members for i in reads[u]})
        good = [
            rows <= tile.crossbar.rows
            and sum(wide) <= tile.crossbar.columns
            and all(need <= (getattr(tile, name) or FAR) for name, need in needs.items())
            for tile in platform.tiles
        ]
        if not any(good):
            return False
    return True


def traffic_plainly(network: SNN, labels: list[int]) -> int:
    """Return the spikes that enter clusters from outside."""
    home = dict(zip(network.units.tolist(), labels, strict=True))
    read = {(i, k) for u, k in home.items() for i in network.sources_of(u).tolist()}
    return sum(int(network.spikes[i]) for i, k in read if home.get(i) != k)


def enumerated(network: SNN, platform: Platform) -> tuple[int, int] | None:
    """Return the fewest clusters, and the least traffic of so many; None if nothing fits."""
    good = [x for x in partitions(network.num_units) if fits_plainly(network, platform, x)]
    if not good:
        return None
    least = min(max(labels) + 1 for labels in good)
    return least, min(traffic_plainly(network, x) for x in good if max(x) + 1 <= least)


def solved(
    decomposition: Decomposition, platform: Platform
) -> Iterator[tuple[str, Outcome[Clustering] | None, Outcome[Clustering] | None]]:
    """Yield what every model makes of both objectives; None where a unit fits no crossbar.

    Twins count clusters alone.
    """
    for name, twins in (("twins-cpsat", twins_cpsat), ("twins-milp", twins_milp)):
        try:
            yield name, twins.minimize_clusters(decomposition, platform, LIMITS), None
        except (CapacityError, ValueError):
            yield name, None, None
    for name, module in (("cpsat", cpsat), ("milp", milp)):
        try:
            first = module.minimize_clusters(decomposition, platform, LIMITS)
        except (CapacityError, ValueError):
            yield name, None, None
            continue
        if first.solution is None:
            yield name, first, None
            continue
        most = first.solution.num_clusters
        yield name, first, module.minimize_traffic(decomposition, platform, most, LIMITS)


def compare(seed: int) -> str:
    """Check one case; return how it ended."""
    decomposition, platform = limited_case(seed)
    network, truth = decomposition.network, enumerated(decomposition.network, platform)
    for name, first, second in solved(decomposition, platform):
        if truth is None:
            assert first is None or first.status is Status.INFEASIBLE, name
            continue
        assert first is not None, name
        assert first.status is Status.OPTIMAL, name
        assert first.claimed == truth[0], name
        if not name.startswith("twins"):
            assert second is not None, name
            assert second.status is Status.OPTIMAL, name
            assert second.claimed == truth[1], name
        for outcome in (first, *((second,) if second is not None else ())):
            assert outcome.solution is not None
            assert fits_plainly(network, platform, outcome.solution.cluster_of.tolist()), name
    return "infeasible" if truth is None else "solved"


@pytest.mark.parametrize("seed", range(12))
def test_milp_and_cpsat_agree_with_enumeration(seed: int) -> None:
    compare(seed)


@pytest.mark.full
def test_milp_and_cpsat_agree_with_enumeration_300_times() -> None:
    ended = [compare(seed) for seed in range(300)]
    assert ended.count("solved") > 100
    assert ended.count("infeasible") > 5


@pytest.mark.parametrize("seed", range(8))
def test_column_generation_holds_what_it_does_not_know(seed: int) -> None:
    decomposition, platform = limited_case(seed)
    truth = enumerated(decomposition.network, platform)
    try:
        found = fewest(
            lambda on: column_generation.solve(decomposition, on, LIMITS),
            decomposition,
            platform,
            None,
        )
    except (CapacityError, ValueError):
        return  # a unit that fits no crossbar
    if found.solution is not None:
        labels = found.solution.cluster_of.tolist()
        assert fits_plainly(decomposition.network, platform, labels)
        assert truth is not None
        assert found.claimed is not None
        assert found.claimed >= truth[0]
    assert truth is None or (found.bound or 0) <= truth[0]
