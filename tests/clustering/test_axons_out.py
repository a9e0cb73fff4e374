"""Axons out: every heuristic's clusters are cut until their units have few enough readers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optmap.clustering.contract import CLUSTERERS, DIVIDERS, cluster, divided, refuse_overfull
from optmap.decomposing.contract import decompose
from optmap.errors import CapacityError
from optmap.model.capacity import outgoing
from optmap.model.cluster_graph import axons
from optmap.model.decomposition import Decomposition
from optmap.model.interconnect import Interconnect
from optmap.model.mapping import Clustering
from optmap.model.platform import Crossbar, Platform, Tile
from optmap.model.snn import SNN, from_edges

TILE = Tile(Crossbar(12, 6))
CHIP = Platform("sending", (TILE,) * 16, Interconnect("mesh", 4, 4))
NAMES = [name for name in CLUSTERERS if name != "hypergraph"]


@pytest.fixture(scope="module")
def snn() -> SNN:
    rng = np.random.default_rng(0)
    reads = [(i, j) for j in range(8, 40) for i in rng.choice(min(j, 24), size=4, replace=False)]
    pre, post = zip(*reads, strict=True)
    return from_edges(pre, post, 40, spikes=rng.integers(1, 9, 40))


@pytest.mark.parametrize("name", [*NAMES, *DIVIDERS])
def test_every_heuristic_keeps_to_axons_out(name: str, snn: SNN) -> None:
    def made(platform: Platform):
        if name in DIVIDERS:
            return divided(DIVIDERS[name](), snn, platform)
        units = decompose(snn, 12, "tree")
        return units, cluster(CLUSTERERS[name](), units, platform)

    def sent(units: Decomposition, found: Clustering) -> int:
        source, _ = axons(units.network, found)
        return int(outgoing(source, found.num_clusters, units.network, found.cluster_of)[0].max())

    plain = made(CHIP)
    most = sent(*plain) - 2
    tight = replace(CHIP, tiles=(replace(TILE, axons_out=most),) * 16)
    with pytest.raises(CapacityError, match="axons out"):
        refuse_overfull(*plain, tight, name)
    held = made(tight)
    assert sent(*held) <= most
    refuse_overfull(*held, tight, name)


def test_fan_out_is_refused_by_name(snn: SNN) -> None:
    tight = replace(CHIP, tiles=(replace(TILE, fan_out=2),) * 16)
    units = decompose(snn, 12, "tree")
    with pytest.raises(CapacityError, match=r"overlap does not keep .* at most 2 crossbars that"):
        refuse_overfull(units, cluster(CLUSTERERS["overlap"](), units, tight), tight, "overlap")
