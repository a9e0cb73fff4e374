"""Column generation, LNS and their certificates against enumeration and each other."""

from __future__ import annotations

import dataclasses

import numpy as np
import oracles
import pytest

from formulations.clustering import cpsat as partition_cpsat
from formulations.clustering import large_neighbourhood_search as partition_lns
from formulations.clustering import milp as partition_milp
from formulations.clustering import twins_cpsat as partition_twins_cpsat
from formulations.clustering import twins_milp as partition_twins_milp
from formulations.clustering.column_generation import solve as partition_colgen
from formulations.clustering.verify_certificate import verify
from optmap.clustering.overlap import partition
from optmap.decomposing.contract import decompose
from optmap.errors import InputError
from optmap.generators.generate import generate
from optmap.model.certificate import PriceCertificate, from_dict
from optmap.model.mapping import Clustering
from optmap.model.outcome import Limits, Status
from optmap.model.snn import from_edges
from optmap.readers.ranc import read_ranc

LIMITS = Limits(wall_s=4.0)


@pytest.mark.parametrize("seed", range(40))
def test_agrees_with_enumeration(seed: int) -> None:
    """Value and bound bracket the optimum; certificates prove what they say, twice."""
    decomposition, platform = oracles.random_partition_case(seed)
    fitting = {tuple(p) for p in oracles.feasible_partitions(decomposition, platform)}
    expected = oracles.fewest_clusters(decomposition, platform)
    outcome = partition_colgen.solve(decomposition, platform, LIMITS, workers=1)
    certificate = outcome.certificate
    assert tuple(outcome.solution.cluster_of.tolist()) in fitting
    assert outcome.solution.num_clusters == outcome.claimed
    assert outcome.bound <= expected <= outcome.claimed
    if certificate is not None:
        assert certificate.bound <= expected
        assert verify(certificate, decomposition, platform, LIMITS, workers=1).holds


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 400))
def test_all_methods_agree(seed: int) -> None:
    """Plain, aggregated and column generation against enumeration on 300 networks."""
    case = oracles.random_partition_case(seed)
    expected = oracles.fewest_clusters(*case)
    for back_end in (partition_cpsat, partition_milp, partition_twins_cpsat, partition_twins_milp):
        outcome = back_end.minimize_clusters(*case, LIMITS)
        assert (outcome.claimed, outcome.bound) == (expected, expected)
    outcome = partition_colgen.solve(*case, Limits(wall_s=60.0), workers=1)
    assert (outcome.claimed, outcome.bound) == (expected, expected)


@pytest.mark.parametrize("seed", range(8))
def test_lns_stays_feasible_and_above_the_optimum(seed: int) -> None:
    decomposition, platform = oracles.random_partition_case(seed)
    fitting = {tuple(p) for p in oracles.feasible_partitions(decomposition, platform)}
    singles = Clustering(np.arange(decomposition.num_units))
    limits = Limits(wall_s=0.1)
    outcome = partition_lns.solve(decomposition, platform, limits, singles, workers=1, step_s=0.04)
    assert tuple(outcome.solution.cluster_of.tolist()) in fitting
    expected = oracles.fewest_clusters(decomposition, platform)
    assert outcome.bound <= expected <= outcome.claimed


def test_the_filter_instance_is_proved() -> None:
    """8 x 8 outputs of a 3 x 3 stride-2 filter, crossbar 32 x 32: 12, where area says 2."""
    decomposition, platform = (
        decompose(generate("gen:filter-16"), 32, "none"),
        oracles.mesh([(32, 32)]),
    )
    outcome = partition_colgen.solve(
        decomposition,
        platform,
        Limits(wall_s=60.0),
        partition(decomposition, platform, seed=0),
        workers=1,
    )
    certificate = outcome.certificate
    assert (outcome.status, outcome.claimed, outcome.bound) == (Status.OPTIMAL, 12, 12)
    assert certificate.bound == 12
    assert verify(certificate, decomposition, platform, Limits(wall_s=4.0), workers=1).holds


@pytest.mark.wall_clock
def test_no_prices_are_looked_for_that_the_limit_leaves_no_time_for() -> None:
    decomposition = decompose(generate("gen:filter-16"), 32, "none")
    platform = oracles.mesh([(32, 32)])
    start = partition(decomposition, platform, seed=0)
    outcome = partition_colgen.solve(decomposition, platform, Limits(1e-9), start, workers=1)
    assert outcome.note.startswith("no prices of the clustering: 484 terms take some 0.0 s")
    assert (outcome.claimed, outcome.status) == (start.num_clusters, Status.FEASIBLE)


def test_a_forged_certificate_is_refuted() -> None:
    network = from_edges([0, 1, 1, 2, 2, 3], [4, 4, 5, 5, 6, 6], 7)
    decomposition, platform = decompose(network, 3, "tree"), oracles.mesh([(3, 3)])
    units = decomposition.num_units
    kinds = tuple((r, c, 1) for r, c in platform.kinds)
    honest = PriceCertificate("as given", kinds, (1,) * units, units)
    assert verify(honest, decomposition, platform, LIMITS, workers=1).holds is True
    greedy = dataclasses.replace(honest, prices=(units + 1,) * units)
    verdict = verify(greedy, decomposition, platform, LIMITS, workers=1)
    assert verdict.holds is False
    assert "worth" in verdict.why
    assert (
        verify(dataclasses.replace(honest, units="others"), decomposition, platform, LIMITS).holds
        is False
    )
    assert (
        verify(dataclasses.replace(honest, prices=(1,)), decomposition, platform, LIMITS).holds
        is False
    )
    two_each = dataclasses.replace(honest, worth=2)  # two units that share a row fill a crossbar
    assert verify(two_each, decomposition, platform, LIMITS, workers=1).holds is True
    one_too_little = dataclasses.replace(honest, worth=1)
    assert verify(one_too_little, decomposition, platform, LIMITS, workers=1).holds is False
    small = dataclasses.replace(honest, kinds=((1, 1, 1),))
    assert "not in the certificate" in verify(small, decomposition, platform, LIMITS).why
    larger = dataclasses.replace(honest, kinds=((3, 10**12, 1),))  # no table is made for it
    assert verify(larger, decomposition, platform, LIMITS, workers=1).holds is True


@pytest.mark.parametrize("bits", [51, 62, 64, 200])
def test_prices_that_overflow_prove_nothing(bits: int) -> None:
    """With 2^62 each, a sweep's sums in 64 bits were below any worth."""
    honest = PriceCertificate("as given", ((4, 4, 1),), (2, 2, 3), 3)
    with pytest.raises(ValueError, match="above"):
        dataclasses.replace(honest, prices=(2**bits, 2**bits, 2**bits))
    with pytest.raises(ValueError, match="above"):
        dataclasses.replace(honest, worth=2**bits)
    data = honest.to_json() | {"prices": [2**bits] * 3, "bound": 2**bits}
    with pytest.raises(InputError, match="above"):
        from_dict(data)


def test_a_certificate_crosses_json_and_keeps_its_word() -> None:
    certificate = PriceCertificate("as given", ((4, 4, 1),), (2, 2, 3), 3)
    data = certificate.to_json()
    assert from_dict(data) == certificate
    with pytest.raises(InputError, match="3, what the prices prove"):
        from_dict(data | {"bound": 4})
    for broken in ({}, data | {"worth": 0}, data | {"prices": [1.5]}, data | {"prices": [-1]}):
        with pytest.raises(InputError):
            from_dict(broken)
    missing = {k: v for k, v in data.items() if k != "worth"}
    with pytest.raises(InputError, match="worth"):
        from_dict(missing)


def test_column_generation_and_cpsat_agree_on_a_dense_layer() -> None:
    """12 neurons read 6 inputs, crossbar 6 x 5: three crossbars."""
    edges = [(i, 6 + j) for i in range(6) for j in range(12)]
    network = from_edges([a for a, _ in edges], [b for _, b in edges], 18)
    decomposition, platform = decompose(network, 6, "none"), oracles.mesh([(6, 5)])
    outcome = partition_colgen.solve(decomposition, platform, LIMITS, workers=1)
    plain = partition_cpsat.minimize_clusters(decomposition, platform, LIMITS, workers=1)
    assert (outcome.claimed, outcome.bound) == (plain.claimed, plain.bound) == (3, 3)


@pytest.mark.parametrize(("join", "fewest"), [(False, 13), (True, 12)])
def test_the_published_multiplier_without_its_dead_neurons(shared_data, join, fewest) -> None:
    """Twelve axons have two drivers each: as two sources 386 rows, 13 crossbars; as one 374, 12."""
    network = read_ranc(shared_data / "ranc" / "vmm_64", drop_dead=True, join_axons=join).snn
    assert np.count_nonzero(network.fan_out) == (374 if join else 386)
    decomposition, platform = decompose(network, 32, "tree"), oracles.mesh([(32, 32)])
    warm = partition(decomposition, platform, seed=0)
    outcome = partition_colgen.solve(decomposition, platform, Limits(wall_s=20.0), warm)
    assert (outcome.claimed, outcome.bound) == (fewest, fewest)
