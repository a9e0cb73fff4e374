"""The vector packing start: patches and loners in one crossbar, always a clustering that fits."""

from __future__ import annotations

import numpy as np
import oracles
import pytest

from formulations.clustering.sets import kinds_worth_having
from optmap.clustering.kernels.classes import classes_of
from optmap.clustering.kernels.vector_packing_start import readers_of, vector_packing_start
from optmap.clustering.overlap import partition
from optmap.decomposing.contract import decompose
from optmap.generators.generate import generate
from optmap.model.mapping import Clustering
from optmap.model.snn import SNN, from_edges


def assert_fits(network: SNN, clustering: Clustering, rows: int, columns: int) -> None:
    """Every unit has a cluster, and every cluster's rows and columns are few enough."""
    assert clustering.cluster_of.shape == (network.num_units,)
    for k in range(clustering.num_clusters):
        held = [int(u) for u in network.units[clustering.cluster_of == k]]
        read = {int(i) for u in held for i in network.sources_of(u)}
        assert 0 < len(held) <= columns
        assert len(read) <= rows


def columns_and_rows() -> SNN:
    """Twelve pairs of twins, each sharing an input with the next; ten loners of six inputs."""
    edges = [(i + s, 100 + 2 * i + t) for i in range(12) for s in range(2) for t in range(2)]
    edges += [(20 + 6 * j + s, 124 + j) for j in range(10) for s in range(6)]
    return from_edges([a for a, _ in edges], [b for _, b in edges], 134)


def test_columns_and_rows_fill_each_other() -> None:
    """No two loners fit a crossbar of 10 rows: ten crossbars, and room for all pairs in them."""
    network = columns_and_rows()
    packed = vector_packing_start(classes_of(network), 10, 10)
    assert packed is not None
    assert_fits(network, packed, 10, 10)
    assert packed.num_clusters == 10


@pytest.mark.parametrize("seed", range(300))
def test_what_it_gives_fits_and_is_no_better_than_the_optimum(seed: int) -> None:
    decomposition, platform = oracles.random_partition_case(seed)
    kinds = kinds_worth_having(platform)
    rows, columns = kinds[0]
    classes = classes_of(decomposition.network)
    packed = vector_packing_start(classes, rows, columns)
    reader_ptr, _ = readers_of(classes)
    if packed is None:
        shared = np.diff(reader_ptr) > 1
        lone = [q for q in range(classes.num_classes) if not shared[classes.reads(q)].any()]
        assert len(lone) in (0, classes.num_classes) or classes.fan_in.max() > rows
        return
    assert_fits(decomposition.network, packed, rows, columns)
    if len(kinds) == 1:
        assert packed.num_clusters >= oracles.fewest_clusters(decomposition, platform)


def test_lenet_needs_thirteen_crossbars_fewer_than_by_overlap() -> None:
    decomposition = decompose(generate("gen:lenet5-28"), 128, "tree")
    overlap = partition(decomposition, oracles.mesh([(128, 128)]), seed=0)
    packed = vector_packing_start(classes_of(decomposition.network), 128, 128, seconds=60.0)
    assert packed is not None
    assert_fits(decomposition.network, packed, 128, 128)
    assert packed.num_clusters == 146
    assert packed.num_clusters <= overlap.num_clusters - 13
