"""Every heuristic on every shipped instance passes the check; a seed gives one result anywhere."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from random_cases import BINDINGS, ORDERS, PARTITIONS

from optmap.binding.contract import BINDERS
from optmap.clustering import song2020_published as partition_song2020_published
from optmap.clustering.contract import CLUSTERERS
from optmap.decomposing.contract import decompose
from optmap.errors import CapacityError
from optmap.instance import load
from optmap.judge.check import check
from optmap.model.cluster_graph import cluster_graph
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.mapping import Mapping
from optmap.ordering.contract import ORDERERS

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "instances").glob("*.toml"))

#: The grid of heuristics takes seconds here, and up to minutes on the others.
QUICK = {"digits_mlp", "digits_recurrent", "filter_8", "filter_16"}
BY_STAGE = [
    *((p, "load-balance", "projection") for p in PARTITIONS),
    *(("overlap", b, "projection") for b in BINDINGS),
    *(("overlap", "round-robin", o) for o in ORDERS),
]


def instances() -> list[object]:
    return [
        pytest.param(f, id=f.stem, marks=[] if f.stem in QUICK else [pytest.mark.full])
        for f in SHIPPED
    ]


@pytest.mark.parametrize("file", instances())
def test_every_heuristic_passes_the_check_on_every_shipped_instance(file: Path):
    instance = load(file)
    platform, snn = instance.platform, instance.snn
    for partition, binding, order in BY_STAGE:
        policy = "chain" if partition in ("song2020", "spinemap") else "tree"
        decomposition = decompose(snn, platform.max_rows, policy)
        for seed in (0, 1):
            if isinstance(snn, ClusteredSNN):  # an SDF3 graph: its clusters are given
                clustering = snn.clustering
            else:
                rule = CLUSTERERS[partition]()
                clustering = rule(decomposition, platform, seed=seed)
            graph = cluster_graph(decomposition, clustering, platform, instance.tokens)
            places = sum(tile.slots or graph.num_clusters for tile in platform.tiles)
            if graph.num_clusters > places:
                with pytest.raises(CapacityError):  # many clusters, one program a tile
                    BINDERS[binding]()(graph, platform, seed=seed)
                continue
            bound = BINDERS[binding]()(graph, platform, seed=seed)
            orders = ORDERERS[order]()(graph, bound, platform, seed=seed)
            mapping = Mapping(decomposition, clustering, bound, orders)
            assert check(snn, platform, mapping, instance.tokens) == []


@pytest.mark.parametrize("file", instances())
def test_the_published_greedy_passes_the_check_on_every_shipped_instance(file: Path):
    instance = load(file)
    platform, snn = instance.platform, instance.snn
    if isinstance(snn, ClusteredSNN):
        return  # its clusters are given
    decomposition, clustering = partition_song2020_published.partition(snn, platform)
    graph = cluster_graph(decomposition, clustering, platform, instance.tokens)
    bound = BINDERS["load-balance"]()(graph, platform)
    orders = ORDERERS["projection"]()(graph, bound, platform)
    mapping = Mapping(decomposition, clustering, bound, orders)
    assert check(snn, platform, mapping, instance.tokens) == []


def fingerprint() -> str:
    """Return a digest of what every heuristic makes of one instance with seed 7."""
    instance = load(ROOT / "instances" / "filter_16.toml")
    platform, sha = instance.platform, hashlib.sha256()
    decomposition = decompose(instance.snn, platform.max_rows, "tree")
    for name in PARTITIONS:
        clustering = CLUSTERERS[name]()(decomposition, platform, seed=7)
        sha.update(clustering.cluster_of.tobytes())
    graph = cluster_graph(decomposition, clustering, platform, instance.tokens)
    for name in BINDINGS:
        binding = BINDERS[name]()(graph, platform, seed=7)
        sha.update(binding.tile_of.tobytes())
    for name in ORDERS:
        orders = ORDERERS[name]()(graph, binding, platform, seed=7)
        sha.update(repr(orders.clusters).encode())
    return sha.hexdigest()


def test_a_seed_gives_the_same_in_another_process_with_other_hashes():
    code = "import test_shipped_instances; print(test_shipped_instances.fingerprint())"
    seen = {fingerprint()}
    for hash_seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parent,
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": f"{ROOT}:{ROOT}/tests"},
        )
        seen.add(run.stdout.strip())
    assert len(seen) == 1
