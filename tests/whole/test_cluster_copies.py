"""Copies of single clusters: windows laid over one mapping, and only what exceeds a load moved."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from random_cases import case

from optmap.decomposing.contract import DECOMPOSERS
from optmap.experiment.run.source import Source
from optmap.flow import run
from optmap.judge.case import judge
from optmap.judge.check import check
from optmap.methods import METHODS
from optmap.model.copies import is_recurrent, one_window, side_by_side
from optmap.model.decomposition import violations
from optmap.model.outcome import Limits, Status
from optmap.model.snn import SNN
from optmap.whole.cluster_copies import _laid, demands, laid_units, spread, with_copies
from optmap.whole.target import Target

CASES = [(seed, *case(seed)) for seed in range(160)]
ACYCLIC = [(seed, snn, platform) for seed, snn, platform in CASES if not is_recurrent(snn)]


@pytest.mark.parametrize(("seed", "snn", "platform"), ACYCLIC[:12])
def test_windows_are_found_again_and_divided_alike(seed: int, snn: SNN, platform) -> None:
    three = side_by_side(snn, 3)
    one, windows = one_window(three)
    assert windows % 3 == 0  # the network itself may be equal parts
    assert one.num_neurons * windows == three.num_neurons
    units = DECOMPOSERS["chain"]()(snn, platform, seed=seed)
    every = laid_units(three, units, 3)
    assert violations(three, every) == []
    n, size = snn.num_neurons, units.network.num_neurons
    for w in range(3):
        for u in range(size):
            there = u + w * n if u < n else 3 * n + w * (size - n) + u - n
            own = [x + w * n if x < n else 3 * n + w * (size - n) + x - n
                   for x in units.network.sources_of(u).tolist()]  # fmt: skip
            assert every.network.sources_of(there).tolist() == own


def test_what_is_no_copy_is_one_window() -> None:
    snn = ACYCLIC[0][1]
    two = side_by_side(snn, 2)
    spikes = two.spikes.copy()
    spikes[-1] += 1
    assert one_window(two.with_spikes(spikes, "other"))[1] == 1


@pytest.mark.parametrize(("seed", "snn", "platform"), ACYCLIC[:15])
def test_only_what_exceeds_the_load_is_moved(seed: int, snn: SNN, platform) -> None:
    target = Target(side_by_side(snn, 2), platform, "dataflow", "period", seed)
    for laid in _laid(target, snn, 2):
        base, k = np.tile(laid.binding, 2), len(laid.binding)
        if not k:
            continue
        demand = demands(laid.graph, platform)

        def loads(tile_of: np.ndarray, demand: np.ndarray = demand) -> np.ndarray:
            each = [np.bincount(tile_of, d, minlength=platform.num_tiles) for d in demand]
            return np.max(each, axis=0)

        before = loads(base)
        for load in sorted({int(before.max()) // 2, int(before.max()) // 3 + 1, int(demand.max())}):
            found = spread(laid, platform, load)
            if found is None:
                continue
            assert loads(found).max() <= 2 * load
            kept = before <= 2 * load
            assert (found[kept[base]] == base[kept[base]]).all()
            assert laid.graph.fits(platform)[np.arange(2 * k), found].all()


@pytest.mark.parametrize(("seed", "snn", "platform"), ACYCLIC[:15])
def test_mappings_with_copies_hold_and_are_no_worse(seed: int, snn: SNN, platform) -> None:
    two = side_by_side(snn, 2)
    runs = []
    made = run(METHODS["overlap"], two, platform, "dataflow", Limits(60.0), runs.append)
    if made.mapping is None:
        return
    found = with_copies(two, platform, "dataflow", Limits(60.0, seed=seed), start=made.mapping)
    assert found.status is Status.FEASIBLE
    assert found.solution is not None
    assert check(two, platform, found.solution, "dataflow") == []
    first, last = (
        judge(two, platform, m, "dataflow").evaluation for m in (made.mapping, found.solution)
    )
    assert first is not None
    assert last is not None
    assert (last.period or 0) == found.claimed
    assert (last.period or 0) <= (first.period or 0) * Fraction(101, 100)
    fewer = (last.period or 0) <= (first.period or 0) or last.tiles_used < first.tiles_used
    assert fewer


def test_one_heavy_cluster_alone_gets_a_copy() -> None:
    """A neuron that reads 60 inputs beside small ones: two windows, one program with a copy."""
    source = Source(network="gen:mlp-12-1", platform="dynap_se:size=16,tiles=2", windows=2)
    instance = source.load()
    found = with_copies(instance.snn, instance.platform, instance.tokens, Limits(60.0))
    assert found.claimed is not None
    assert Fraction(found.claimed) / 2 == 14  # 28 with one copy, however many tiles
    assert found.note == "1 of 1 clusters have copies on other tiles, 1 more tiles in use"
    single = with_copies(
        Source(network="gen:mlp-12-1", platform="dynap_se:size=16,tiles=1", windows=2).load().snn,
        Source(network="gen:mlp-12-1", platform="dynap_se:size=16,tiles=1").load().platform,
        "dataflow",
        Limits(60.0),
    )
    assert single.claimed == 56
