"""The bound from prices on units: below every clustering's traffic, and near the best one's."""

from __future__ import annotations

from pathlib import Path

import oracles
import pytest

from formulations.clustering.sets import first_fit, kinds_worth_having
from formulations.clustering.spikes_bound import Pricing, spikes_bound
from formulations.solvers.stopwatch import Stopwatch
from optmap.bounds.traffic import traffic_bound
from optmap.clustering.overlap import partition
from optmap.decomposing.contract import decompose
from optmap.instance import load
from optmap.model.outcome import Limits
from optmap.model.snn import from_edges

LIMITS = Limits(wall_s=0.7)
ROOT = Path(__file__).resolve().parents[3]
FAMILIES = ["respect_columns", "read_on_rows", "respect_rows", "link_remote_axons"]


def case(seed: int):
    """Return a random network, its platform, a clustering and the least traffic of as many."""
    decomposition, platform = oracles.random_partition_case(seed)
    network = decomposition.network
    known = first_fit(network, kinds_worth_having(platform), decomposition.visit_order)
    least = oracles.least_traffic(decomposition, platform, known.num_clusters)
    assert least is not None
    return decomposition, platform, known, least


@pytest.mark.parametrize("seed", range(40))
def test_it_is_below_the_least_traffic(seed: int) -> None:
    decomposition, platform, known, least = case(seed)
    most = known.num_clusters
    bound = spikes_bound(decomposition, platform, most, known, LIMITS, workers=1)
    assert traffic_bound(decomposition, platform).value <= bound.value <= least


def filter_8(limits: Limits) -> int:
    instance = load(ROOT / "instances" / "filter_8.toml")
    decomposition = decompose(instance.snn, 16, "tree")
    known = partition(decomposition, instance.platform, seed=0)
    assert known.num_clusters == 6
    return spikes_bound(decomposition, instance.platform, 6, known, limits, workers=1).value


def test_a_filter_of_different_spikes_is_bounded_to_half_a_percent() -> None:
    assert 433 <= filter_8(Limits(wall_s=60.0)) <= 435  # 323 without prices


@pytest.mark.parametrize("family", FAMILIES)
def test_without_a_family_less_is_proved(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the same prices: what a crossbar may then hold exceeds its traffic by more."""

    def first_bound(seed: int) -> int:
        decomposition, platform, known, least = case(seed)
        network, most = decomposition.network, known.num_clusters
        pricing = Pricing(network, platform.max_rows, platform.max_columns, 1)
        prices = 2 * pricing.shares(known) + 1.0
        bound, _ = pricing.bound(prices, most, {(0,): pricing.traffic([0])}, Stopwatch(Limits(20)))
        assert bound is not None
        assert bound <= least
        return bound

    full = [first_bound(seed) for seed in range(30)]
    monkeypatch.setattr(Pricing, family, lambda self, *_: None)
    less = [first_bound(seed) for seed in range(30)]
    assert all(a <= b for a, b in zip(less, full, strict=True))
    assert sum(less) < sum(full)


def test_too_large_too_loud_or_no_time_is_the_bound_without_prices() -> None:
    assert filter_8(Limits(wall_s=1e-9)) == 323
    decomposition, platform, known, _ = case(0)
    n = decomposition.network
    loud = from_edges(n.indices, n.post_of_synapse(), n.num_neurons, spikes=n.spikes + 2**40)
    louder = decompose(loud, decomposition.rows, "none")
    bound = spikes_bound(louder, platform, known.num_clusters, known, LIMITS)
    assert bound == traffic_bound(louder, platform)
