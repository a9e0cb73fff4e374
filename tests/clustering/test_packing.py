"""Packing: what cannot be taken any more is not looked at, however many clusters there are."""

import numpy as np
import pytest

from optmap.clustering.kernels import growth, packing
from optmap.clustering.kernels.crossbar_fill import row_limits
from optmap.clustering.kernels.twins import twin_classes
from optmap.compiled import interpreted
from optmap.decomposing.contract import decompose
from optmap.model.snn import SNN, from_edges


def readers_of_one(units: int) -> SNN:
    """Return units that all read source 0, each with one of its own beside."""
    number = np.arange(units)
    pre = np.concatenate((np.zeros(units, dtype=np.int64), 1 + number))
    return from_edges(pre, np.tile(1 + units + number, 2), 1 + 2 * units)


def packed(network: SNN, columns: int) -> int:
    """Return the bins that clusters of one unit end in."""
    twins = twin_classes(network)
    limits = row_limits(((2 * columns, columns),))
    room = np.concatenate(([0], np.cumsum(network.fan_out + 1)))
    units = np.arange(network.num_units, dtype=np.int32)
    size, ends = np.ones(len(units), dtype=np.int32), np.arange(len(units) + 1)
    classes = twins.class_of[units]
    bins, held = packing.pack(
        twins.source_ptr, twins.sources, ends, classes, size, room, limits, len(units)
    )
    assert held[0] == len(np.unique(bins))
    return len(np.unique(bins))


def test_clusters_that_fill_their_crossbars_are_compared_with_no_other(
    monkeypatch: pytest.MonkeyPatch,
):
    """All read one source, so that each comparison would meet every other cluster."""
    network = decompose(readers_of_one(30), 8, "none").network
    monkeypatch.setattr(packing, "_best_bin", lambda *_: pytest.fail("compared"))
    with interpreted():
        assert packed(network, 1) == 30


def test_a_full_bin_stands_in_no_ring(monkeypatch: pytest.MonkeyPatch):
    """Bins are looked through by the rows they use; pairs fill theirs here."""
    entered: list[int] = []
    insert = packing.insert

    def noted(following, preceding, bucket, item) -> None:
        entered.append(item)
        insert(following, preceding, bucket, item)

    network = decompose(readers_of_one(30), 8, "none").network
    monkeypatch.setattr(packing, "insert", noted)
    with interpreted():
        assert packed(network, 2) == 15
    assert len(entered) == len(set(entered)) == 15  # each once, before it was full


def test_a_cluster_of_one_unit_asks_no_reader_of_its_rows(monkeypatch: pytest.MonkeyPatch):
    network = decompose(readers_of_one(30), 8, "none").network
    twins = twin_classes(network)
    monkeypatch.setattr(growth, "_take_rows", lambda *_: pytest.fail("asked"))
    with interpreted():
        seeds = np.arange(twins.num_classes, dtype=np.int32)
        assert len(growth.grow(twins, row_limits(((8, 1),)), seeds).ptr) == 31
