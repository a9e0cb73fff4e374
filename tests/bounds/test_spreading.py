"""Spreading bounds: never above what enumeration finds; what is forged is not proved."""

from __future__ import annotations

from dataclasses import replace

import oracles
import pytest

from optmap.bounds.spreading import best_spreading_bound, prove_spreading, spreading_bound
from optmap.clustering.song2020 import partition
from optmap.decomposing.contract import decompose
from optmap.errors import InputError
from optmap.generators.generate import generate
from optmap.judge.metrics import traffic
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.spreading_certificate import Round, SpreadingCertificate, from_dict


def chip(rows: int, columns: int) -> Platform:
    return Platform("chip", (Tile(Crossbar(rows, columns)),) * 4, Interconnect("mesh", 2, 2))


@pytest.mark.parametrize("capacity", ["columns", "rows"])
def test_no_clustering_has_less_traffic(capacity: str):
    proved = 0
    for seed in range(60):
        decomposition, platform = oracles.random_partition_case(seed)
        found = spreading_bound(decomposition, platform, capacity, lambda: False, rounds=6)
        if found is None:
            continue
        least = oracles.least_traffic(decomposition, platform, decomposition.num_units)
        assert least is None or found.bound <= least
        assert prove_spreading(found, decomposition, platform) == found.bound
        proved += found.bound > 0
    assert proved >= 10


def test_a_ring_cut_into_two_is_bounded_by_its_two_cuts():
    """Eight neurons that read the one before: two parts of four need two spikes across."""
    from optmap.model.snn import from_edges

    ring = from_edges([7, 0, 1, 2, 3, 4, 5, 6], range(8), 8, spikes=[3] * 8)
    decomposition = decompose(ring, 8, "none")
    found = best_spreading_bound(decomposition, chip(8, 4), lambda: False)
    assert found is not None
    assert 3 <= found.bound <= 6


def test_a_reservoir_is_bounded_and_the_certificate_survives_json():
    snn = generate("gen:reservoir-2d-256-16")
    decomposition, platform = decompose(snn, 512, "none"), chip(512, 68)
    found = spreading_bound(decomposition, platform, "columns", lambda: False, rounds=40)
    assert found is not None
    reached = traffic(decomposition, partition(decomposition, platform)).total
    assert reached / 8 < found.bound < reached
    assert min(found.rounds[0].roots) >= snn.num_units  # nets, for four clusters
    again = from_dict(found.to_json())
    assert again == found
    assert prove_spreading(again, decomposition, platform) == found.bound


def test_what_hangs_on_a_net_counts_as_a_room_at_most():
    """Nine units read one source: three clusters of three, and two more spikes across."""
    from optmap.model.snn import from_edges

    star = from_edges([0] * 9, range(1, 10), 10, spikes=[5] + [0] * 9)
    decomposition = decompose(star, 4, "none")
    found = spreading_bound(decomposition, chip(4, 3), "columns", lambda: False, rounds=3)
    assert found is not None
    # an input's delivery, and two clusters more; (T1) has one more, b = 6 of 6
    assert found.bound == oracles.least_traffic(decomposition, chip(4, 3), 3) == 15


def test_what_is_forged_proves_less():
    snn = generate("gen:reservoir-2d-64-8")
    decomposition, platform = decompose(snn, 128, "none"), chip(128, 20)
    found = spreading_bound(decomposition, platform, "columns", lambda: False, rounds=10)
    assert found is not None
    first = found.rounds[0]
    short = Round(tuple(1 for _ in first.lengths), first.roots, first.weights)
    forged = replace(found, rounds=(short,))
    assert prove_spreading(forged, decomposition, platform) < found.bound
    wide = chip(128, 40)
    assert prove_spreading(found, decomposition, wide) < found.bound
    with pytest.raises(ValueError, match="other units"):
        prove_spreading(replace(found, units="others"), decomposition, platform)
    lost = replace(first, lengths=first.lengths[1:])
    with pytest.raises(ValueError, match="lengths for"):
        prove_spreading(replace(found, rounds=(lost,)), decomposition, platform)


def test_what_is_no_certificate_is_refused():
    good = SpreadingCertificate("u", "columns", (Round((1, 2), (0,), (3,)),), 1).to_json()
    for name, value in (("schema", 9), ("capacity", "cells"), ("rounds", [[[0], [], [], 1]])):
        with pytest.raises(InputError):
            from_dict({**good, name: value})
    with pytest.raises(InputError):
        from_dict({**good, "rounds": [[[1], [0], [1.5], 1]]})
