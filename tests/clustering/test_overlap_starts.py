"""overlap is no worse than the clusterings that it starts from."""

from __future__ import annotations

import pytest

from optmap.clustering import hyperedge_overlap, overlap, song2020
from optmap.decomposing.contract import decompose
from optmap.generators.generate import generate
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile

PLATFORM = Platform("chip", (Tile(Crossbar(128, 128)),), Interconnect("mesh", 1, 1))


@pytest.mark.parametrize("name", ["edges-64", "smooth-64", "small-world-600-60", "mlp-784-100-10"])
def test_it_needs_no_more_clusters_than_what_it_starts_from(name: str):
    decomposition = decompose(generate(name), 128, "tree")
    found = overlap.partition(decomposition, PLATFORM).num_clusters
    for other in (song2020, hyperedge_overlap):
        assert found <= other.partition(decomposition, PLATFORM).num_clusters
