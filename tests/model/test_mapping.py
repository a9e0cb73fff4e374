"""The mapping: parts that are well formed in themselves, and the way to JSON and back."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_mappings import random_case

from optmap.decomposing.contract import decompose
from optmap.errors import InputError
from optmap.mapping_json import from_dict, to_dict
from optmap.model.decomposition import custom
from optmap.model.mapping import Binding, Clustering, Mapping, StaticOrders, compact
from optmap.model.snn import from_edges

# inputs 0..2 into 3 and 4, both into 5
SNN = from_edges([0, 1, 2, 0, 1, 3, 4], [3, 3, 3, 4, 4, 5, 5], 6)
MAPPING = Mapping(
    custom(SNN, 3, [(3, [0, 1])], {3: [2, 6]}),
    Clustering([0, 1, 2, 0]),
    Binding([1, 0, 1]),
    StaticOrders(((1,), (0, 2)), ((0,), (1, 0)), (((1, 2),), ()), ((2,), ())),
)
DATA = {
    "schema": 1,
    "decomposition": {
        "policy": "custom",
        "rows": 3,
        "inserted": [[3, [0, 1]]],
        "replaced": {"3": [2, 6]},
    },
    "cluster_of": [0, 1, 2, 0],
    "tile_of": [1, 0, 1],
    "orders": [[1], [0, 2]],
    "offsets": [[0], [1, 0]],
    "sends": [[[1, 2]], []],
    "send_offsets": [[2], []],
}


def same(a: Mapping, b: Mapping) -> bool:
    """Compare every part by content."""
    return (
        a.decomposition.network == b.decomposition.network
        and a.decomposition.policy == b.decomposition.policy
        and a.decomposition.rows == b.decomposition.rows
        and np.array_equal(a.decomposition.owner, b.decomposition.owner)
        and (a.clustering, a.binding, a.orders) == (b.clustering, b.binding, b.orders)
    )


def test_the_json_of_a_small_mapping_and_back():
    assert to_dict(MAPPING) == DATA
    assert same(from_dict(json.loads(json.dumps(DATA)), SNN), MAPPING)


@given(random=st.randoms(use_true_random=False))
def test_json_round_trip_of_any_mapping(random: Random):
    kinds = {"wild_orders": random.random() < 0.5, "prologue": random.random() < 0.5}
    case = random_case(random, **kinds)
    back = from_dict(json.loads(json.dumps(to_dict(case.mapping))), case.snn)
    assert same(back, case.mapping)


@given(random=st.randoms(use_true_random=False))
def test_a_policys_lists_written_as_custom_come_back_equal(random: Random):
    case = random_case(random)
    written = replace(
        case.mapping, decomposition=replace(case.mapping.decomposition, policy="custom")
    )
    assert same(from_dict(json.loads(json.dumps(to_dict(written))), case.snn), written)


def corrupted(path: tuple, value: Any) -> dict:
    """Return DATA with the entry at ``path`` replaced, or removed by the value ``...``."""
    data = copy.deepcopy(DATA)
    place: Any = data
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("schema",), 2, "schema"),
        (("schema",), True, "schema"),
        (("binding",), [0], "binding"),
        (("decomposition", "row"), 3, "decomposition.row"),
        (("schema",), ..., "schema"),
        (("decomposition",), ..., "decomposition"),
        (("decomposition",), [], "decomposition"),
        (("decomposition", "policy"), ..., "policy"),
        (("decomposition", "policy"), "best", "decomposition"),
        (("decomposition", "policy"), ["tree"], "decomposition"),
        (("decomposition", "policy"), "none", ""),
        (("decomposition", "rows"), ..., "rows"),
        (("decomposition", "rows"), 2.5, "decomposition"),
        (("decomposition", "rows"), "3", "decomposition"),
        (("decomposition", "rows"), 1, "decomposition"),
        (("decomposition", "inserted"), ..., "inserted"),
        (("decomposition", "inserted"), [[3]], "decomposition"),
        (("decomposition", "inserted", 0, 0), 3.5, "decomposition"),
        (("decomposition", "inserted", 0, 1), [0, 1.5], "decomposition"),
        (("decomposition", "inserted", 0, 1), [0, 99], "decomposition"),
        (("decomposition", "inserted", 0, 1), [0, "1"], "decomposition"),
        (("decomposition", "replaced"), {"x": [2, 6]}, "decomposition"),
        (("decomposition", "replaced"), {"99": [2, 6]}, "decomposition"),
        (("decomposition", "replaced"), {"-3": [2, 6]}, "decomposition"),
        (("decomposition", "replaced"), {"3": [2.5, 6]}, "decomposition"),
        (("decomposition", "replaced"), [[2, 6]], "decomposition"),
        (("decomposition", "parameters"), {"direct": {}}, "decomposition.parameters"),
        (("cluster_of",), ..., "cluster_of"),
        (("cluster_of",), [0, 1, 3, 0], "cluster_of"),
        (("cluster_of",), [0, 1, 2147483647, 0], "cluster_of"),
        (("cluster_of",), [0, 1, 2**31, 0], "cluster_of"),
        (("cluster_of",), [0, 1, -1, 0], "cluster_of"),
        (("cluster_of",), [0, 1, 2.0, 0], "cluster_of"),
        (("cluster_of",), [0, True, 2, 0], "cluster_of"),
        (("cluster_of",), [[0, 1, 2, 0]], "cluster_of"),
        (("cluster_of",), [0, 1, 2], ""),
        (("tile_of",), [1, 0], ""),
        (("tile_of",), [1, -1, 1], "tile_of"),
        (("tile_of",), {"0": 1}, "tile_of"),
        (("tile_of",), ..., "tile_of"),
        (("orders",), ..., "orders"),
        (("orders",), [[1], [0, 2, 2]], "orders"),
        (("orders",), [[1], [0, -2]], "orders"),
        (("orders",), [1, 0, 2], "orders"),
        (("orders",), None, "orders"),
        (("offsets",), [[0], [1]], "orders"),
        (("offsets",), [[0], [1, -1]], "orders"),
        (("offsets",), [[0], [1, 0.5]], "offsets"),
        (("offsets",), None, "offsets"),
        (("sends",), [[[1, 2]]], "orders"),
        (("sends",), [[[1, 2], [1, 2]], []], "orders"),
        (("sends",), [[["1", 2]], []], "sends"),
        (("sends",), [[[1.5, 2]], []], "sends"),
        (("sends",), [[[1, 2, 0]], []], "sends"),
        (("sends",), ..., "orders"),
        (("send_offsets",), [[2, 0], []], "orders"),
        (("send_offsets",), [[-2], []], "orders"),
    ],
)
def test_broken_json_names_file_and_field(path: tuple, value: Any, field: str):
    with pytest.raises(InputError) as error:
        from_dict(corrupted(path, value), SNN, "m.json")
    assert (error.value.where, error.value.field) == ("m.json", field)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("data", [None, [], "mapping", 3])
def test_no_object_is_no_mapping(data: Any):
    with pytest.raises(InputError, match="an object"):
        from_dict(data, SNN)


def test_the_mapping_of_another_network_is_refused():
    with pytest.raises(InputError):
        from_dict(DATA, from_edges([0, 1], [2, 2], 3))


def test_clusters_know_their_members():
    clustering = Clustering([2, 0, 2, 1, 0])
    assert clustering.num_clusters == 3
    assert clustering.sizes.tolist() == [2, 1, 2]
    assert [m.tolist() for m in clustering.members()] == [[1, 4], [3], [0, 2]]
    empty = Clustering([])
    assert (empty.num_clusters, empty.members(), empty.sizes.tolist()) == (0, [], [])


def test_compact_numbers_labels_by_first_appearance():
    assert compact([7, -3, 7, 40, -3]) == Clustering([0, 1, 0, 2, 1])
    assert compact([]) == Clustering([])


@pytest.mark.parametrize(
    "build",
    [
        lambda: Clustering([0, 2]),
        lambda: Clustering([1]),
        lambda: Clustering([2**31 - 1]),
        lambda: Clustering([0, -1]),
        lambda: Clustering([[0, 1]]),
        lambda: Clustering([0, 0.5]),
        lambda: Binding([0, -1]),
        lambda: Binding([[0]]),
        lambda: Binding([0.5]),
        lambda: StaticOrders(((0, 1), (1,))),
        lambda: StaticOrders(((0, -1),)),
        lambda: StaticOrders(((0, 1),), offsets=((0,),)),
        lambda: StaticOrders(((0, 1),), offsets=((0, -1),)),
        lambda: StaticOrders(((0,), (1,)), sends=(((0, 1),),)),
        lambda: StaticOrders(((0,), (1,)), sends=(((0, 1),), ((0, 1),))),
        lambda: StaticOrders(((0,), (1,)), send_offsets=((1,), ())),
        lambda: StaticOrders(((0,), (1,)), sends=(((0, 1),), ()), send_offsets=((1, 1), ())),
        lambda: replace(MAPPING, clustering=Clustering([0, 1, 2])),
        lambda: replace(MAPPING, binding=Binding([0, 1])),
        lambda: replace(MAPPING, decomposition=decompose(SNN, 3, "tree")),
    ],
)
def test_a_part_that_is_not_well_formed_cannot_be_built(build):
    with pytest.raises(ValueError, match=r"\w+ "):
        build()


def test_a_prologue_is_there_when_some_entry_runs_ahead():
    assert MAPPING.orders.has_prologue
    assert not StaticOrders(((0,),)).has_prologue
    assert not StaticOrders(((0,),), offsets=((0,),)).has_prologue
    assert StaticOrders(((0,),), sends=(((0, 1),),), send_offsets=((1,),)).has_prologue


def test_parts_compare_by_value():
    assert Binding([1, 0]) == Binding(np.array([1, 0], dtype=np.int32))
    assert Binding([1, 0]) != Binding([0, 1])
    assert hash(Clustering([0, 1])) == hash(Clustering([0, 1]))
    assert Clustering([0, 1]) != Clustering([0, 0])
    assert Clustering([0]) != Binding([0])


WIDE = from_edges([*range(7)], [7] * 7, 8, spikes=[5, 0, 0, 9, 0, 0, 7, 1])


def test_a_policy_with_parameters_is_made_again_from_them():
    made = decompose(WIDE, 4, "spikes", {"direct": {"7": [2]}})
    units = made.num_units
    orders = StaticOrders((tuple(range(units)),))
    mapping = Mapping(made, Clustering(range(units)), Binding([0] * units), orders)
    data = json.loads(json.dumps(to_dict(mapping)))
    parameters = {"direct": {"7": [2]}}
    assert data["decomposition"] == {"policy": "spikes", "rows": 4, "parameters": parameters}
    again = from_dict(data, WIDE)
    assert same(again, mapping)
    assert again.decomposition.identity == made.identity


@pytest.mark.parametrize(
    "parameters",
    [
        None,
        [],
        {},
        {"direct": 3},
        {"direct": {"7": 2}},
        {"direct": {"7": [2.0]}},
        {"direct": {"7": [True]}},
        {"direct": {"7": [9]}},
        {"direct": {"seven": [2]}},
        {"direct": {"7": [2]}, "more": 1},
    ],
)
def test_odd_parameters_are_refused(parameters: object):
    decomposition = {"policy": "spikes", "rows": 4, "parameters": parameters}
    with pytest.raises(InputError, match="decomposition"):
        from_dict({**DATA, "decomposition": decomposition}, WIDE)


def test_units_of_a_policy_that_nobody_else_knows_are_written_as_lists():
    lists = custom(WIDE, 4, [(7, [0, 1, 2, 3])], {7: [4, 5, 6, 8]})
    theirs = replace(lists, policy="my own")
    mapping = Mapping(theirs, Clustering([0, 1]), Binding([0, 0]), StaticOrders(((0, 1),)))
    again = from_dict(to_dict(mapping), WIDE)
    assert again.decomposition.policy == "custom"
    assert again.decomposition.identity == theirs.identity
