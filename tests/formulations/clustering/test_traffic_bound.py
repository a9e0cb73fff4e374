"""The bound on copies against enumeration, and where it is sharp."""

from __future__ import annotations

import oracles
import pytest

from formulations.clustering.sets import first_fit, kinds_worth_having
from formulations.clustering.traffic_bound import copies_bound
from optmap.bounds.traffic import traffic_bound
from optmap.clustering.overlap import partition
from optmap.decomposing.contract import decompose
from optmap.generators.generate import generate
from optmap.model.outcome import Limits
from optmap.model.snn import from_edges

LIMITS = Limits(wall_s=4.0)


@pytest.mark.parametrize("seed", range(20))
def test_it_is_below_the_least_traffic(seed: int) -> None:
    """With the spikes as drawn, silent sources included, and with equal ones."""
    decomposition, platform = oracles.random_partition_case(seed)
    n = decomposition.network
    equal = from_edges(n.indices, n.post_of_synapse(), n.num_neurons, spikes=n.spikes * 0 + 3)
    louder = from_edges(n.indices, n.post_of_synapse(), n.num_neurons, spikes=n.spikes + 2)
    for network in (n, equal, louder):
        case = decompose(network, decomposition.rows, "none"), platform
        shapes = kinds_worth_having(platform)
        known = first_fit(network, shapes, case[0].visit_order)
        bound = copies_bound(*case, known.num_clusters, known, LIMITS)
        least = oracles.least_traffic(*case, known.num_clusters)
        assert least is not None
        assert traffic_bound(*case).value <= bound.value <= least


def test_a_filter_has_a_border() -> None:
    """256 inputs are read once at least; 12 crossbars of 32 rows deliver some 344 at least."""
    decomposition, platform = (
        decompose(generate("gen:filter-16"), 32, "tree"),
        oracles.mesh([(32, 32)]),
    )
    known = partition(decomposition, platform, seed=0)
    bound = copies_bound(decomposition, platform, 12, known, Limits(wall_s=60.0))
    assert known.num_clusters == 12
    assert bound.name == "copies"
    assert 320 <= bound.value <= 347
