"""Bit planes: the same sums, one column a plane, and an optimum that is never worse."""

from __future__ import annotations

import json
from itertools import combinations

import numpy as np
import pytest

from formulations.clustering import cpsat
from optmap.bounds.bound import best
from optmap.bounds.clusters import cluster_bounds
from optmap.clustering.contract import CLUSTERERS, cluster
from optmap.decomposing.contract import decompose
from optmap.errors import InputError
from optmap.experiment.run.mapping_file import read_document
from optmap.generators.bit_planes import bit_planes, on_one_bit_cells
from optmap.instance import load
from optmap.map import main
from optmap.model.capacity import unit_fan_in
from optmap.model.interconnect import Interconnect
from optmap.model.outcome import Limits, Status
from optmap.model.platform import Crossbar, Platform, Tile
from optmap.model.snn import SNN, from_edges
from optmap.readers.read import read_network

LIMITS = Limits(60.0)
pytestmark = pytest.mark.wall_clock  # all end with a proof


def chip(columns: int, bits: int) -> Platform:
    tiles = (Tile(Crossbar(60, columns)),) * 12
    return Platform("narrow", tiles, Interconnect("mesh", 4, 3), cells_per_synapse=bits)


def layer(neurons: int, inputs: int = 3) -> SNN:
    pairs = [(i, inputs + j) for i in range(inputs) for j in range(neurons)]
    pre, post = zip(*pairs, strict=True)
    return from_edges(pre, post, inputs + neurons, spikes=np.arange(inputs + neurons))


def fewest(snn: SNN, platform: Platform) -> int:
    found = cpsat.minimize_clusters(decompose(snn, 60, "none"), platform, LIMITS)
    assert found.status is Status.OPTIMAL
    assert found.claimed is not None
    return int(found.claimed)


def test_planes_read_what_their_neuron_read_and_it_reads_them() -> None:
    snn = layer(2)
    made = bit_planes(snn, 3, [4])
    assert made.num_neurons == 5 + 3
    assert [made.sources_of(p).tolist() for p in (5, 6, 7)] == [[0, 1, 2]] * 3
    assert made.sources_of(4).tolist() == [5, 6, 7]
    assert made.sources_of(3).tolist() == [0, 1, 2]
    assert made.spikes.tolist() == [0, 1, 2, 3, 4, 3, 3, 3]
    assert made.weight_bits is not None
    assert made.weight_bits.tolist() == [3, 3, 3, 3, 1, 1, 1, 1]
    none = bit_planes(snn, 3, [])
    assert np.array_equal(none.indices, snn.indices)
    with pytest.raises(ValueError, match="neuron 0 reads nothing"):
        bit_planes(snn, 3, [0])
    with pytest.raises(ValueError, match="0 bits"):
        bit_planes(snn, 0)


def test_the_best_choice_is_never_worse_and_fills_columns_that_were_over() -> None:
    """Seven neurons of 4 bits on 7 columns: a crossbar each; as planes 28 + 7 columns on five."""
    platform, snn = chip(7, 4), layer(7)
    planes = on_one_bit_cells(platform, 4)
    assert fewest(snn, platform) == fewest(bit_planes(snn, 4, []), planes) == 7
    assert fewest(bit_planes(snn, 4), planes) == 5
    small, two = layer(3), chip(5, 3)
    today = fewest(small, two)
    every = [
        fewest(bit_planes(small, 3, chosen), on_one_bit_cells(two, 3))
        for k in range(4)
        for chosen in combinations(range(3, 6), k)
    ]
    assert every[0] == today
    assert min(every) <= today


def test_decomposed_mlp_has_no_column_over() -> None:
    """48 columns are twelve neurons of four planes: splitting only adds what sums the planes."""
    instance = load("instances/decomposed_mlp.toml")
    whole = bit_planes(instance.snn, 4, [])
    planes = on_one_bit_cells(instance.platform, 4)

    def mapped(snn: SNN, on: Platform) -> tuple[int, int]:
        units = decompose(snn, unit_fan_in(snn, on), "tree")
        bound = best(cluster_bounds(units, on))
        assert bound is not None
        return cluster(CLUSTERERS["overlap"](), units, on).num_clusters, int(bound.value)

    today, _ = mapped(instance.snn, instance.platform)
    assert mapped(whole, planes)[0] == today
    apart, bound = mapped(bit_planes(instance.snn, 4), planes)
    assert apart >= bound >= today


def test_the_option_of_map_splits_what_it_names(tmp_path, capsys) -> None:
    def mapped(*more: str) -> dict:
        on = ["gen:mlp-20-12-4", "--platform", "dynap_se_4bit:size=32"]
        assert main([*on, "--method", "overlap", "--json", *more]) == 0
        return json.loads(capsys.readouterr().out)

    out = tmp_path / "m.json"
    names = [p.name for p in read_network("gen:mlp-20-12-4").populations]
    plain, none = mapped(), mapped("--bit-planes", "4:")
    assert none["clusters"] == plain["clusters"]
    assert none["network"]["neurons"] == plain["network"]["neurons"]
    every = mapped("--bit-planes", "4", "--out", str(out))
    some = mapped("--bit-planes", f"4:{names[-1]}")
    assert plain["network"]["neurons"] < some["network"]["neurons"] < every["network"]["neurons"]
    instance = read_document(out)[1]
    assert instance.bit_planes == "4"
    assert instance.platform.cells_per_synapse == 1
    for wrong in ("0", "x", "4:nobody", "65", "-1", ":a"):
        with pytest.raises(InputError, match="bit planes"):
            mapped("--bit-planes", wrong)
