"""A scope covers what lies in it, survives JSON, and names content rather than policies."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from small_mapping import MAPPING

from optmap.decomposing.contract import decompose
from optmap.errors import InputError
from optmap.model.mapping import Binding, Clustering
from optmap.model.scope import (
    END_TO_END,
    Place,
    Scope,
    binding_identity,
    clustering_identity,
    place_of,
)
from optmap.model.snn import from_edges

HERE = Place("u", "c", "b", 4, 10, has_prologue=False)
WIDE = from_edges([*range(9)], [9] * 9, 10)


@pytest.mark.parametrize(
    ("scope", "text", "covered"),
    [
        (END_TO_END, "any decomposition, clustering, binding and order", True),
        (Scope(units="u"), "this decomposition", True),
        (Scope(units="v"), "this decomposition", False),
        (Scope(clustering="c"), "this clustering", True),
        (Scope(units="u", clustering="d"), "this clustering", False),
        (Scope(binding="b", prologue=False), "this binding, orders without prologue", True),
        (Scope(binding="a"), "this binding", False),
        (Scope(units="u", max_clusters=4), "this decomposition, at most 4 clusters", True),
        (Scope(units="u", max_clusters=3), "this decomposition, at most 3 clusters", False),
        (Scope(clustering="c", max_load=10), "this clustering, tile load at most 10", True),
        (Scope(clustering="c", max_load=9), "this clustering, tile load at most 9", False),
    ],
)
def test_a_scope_says_what_it_covers_in_words_and_in_json(scope: Scope, text: str, covered: bool):
    assert str(scope) == text
    assert scope.covers(HERE) is covered
    assert Scope.from_json(scope.to_json()) == scope
    assert scope.within(END_TO_END)
    assert scope.within(scope)
    assert END_TO_END.within(scope) is (scope == END_TO_END)


def test_orders_with_a_prologue_need_a_bound_that_says_so():
    assert not Scope(prologue=False).covers(replace(HERE, has_prologue=True))
    assert Scope().covers(replace(HERE, has_prologue=True))


@pytest.mark.parametrize(
    "data", [None, [], {"unit": "u"}, {"units": 3}, {"max_clusters": "3"}, {"prologue": 1}]
)
def test_json_that_is_no_scope_is_refused(data: object):
    with pytest.raises(InputError, match="scope"):
        Scope.from_json(data)


def test_a_place_survives_json_and_follows_the_mapping():
    place = place_of(MAPPING, 7)
    assert Place.from_json(place.to_json()) == place
    assert Scope(*(getattr(place, f.name) for f in fields(Place)[:3])).covers(place)
    with pytest.raises(InputError, match="load"):
        Place.from_json(place.to_json() | {"load": True})


def test_equal_policies_at_different_rows_are_different_units():
    assert decompose(WIDE, 4, "tree").identity != decompose(WIDE, 5, "tree").identity
    assert decompose(WIDE, 4, "tree").identity != decompose(WIDE, 4, "chain").identity
    assert decompose(WIDE, 9, "tree").identity == decompose(WIDE, 12, "chain").identity
    assert decompose(WIDE, 4, "tree").identity == decompose(WIDE, 4, "tree").identity


def test_labels_do_not_matter_but_units_and_tiles_do():
    one, same = Clustering(np.array([0, 0, 1])), Clustering(np.array([1, 1, 0]))
    assert clustering_identity("u", one) == clustering_identity("u", same)
    assert clustering_identity("u", one) != clustering_identity("v", one)
    assert clustering_identity("u", one) != clustering_identity("u", Clustering([0, 1, 1]))
    on, turned = Binding(np.array([3, 5])), Binding(np.array([5, 3]))
    assert binding_identity("u", one, on) == binding_identity("u", same, turned)
    assert binding_identity("u", one, on) != binding_identity("u", one, turned)


def test_a_bound_for_whole_neurons_covers_what_keeps_them_whole():
    whole = Scope(splits_above=128)
    assert whole.covers(HERE)
    assert whole.covers(replace(HERE, least_split=129))
    assert not whole.covers(replace(HERE, least_split=128))
    assert whole.within(END_TO_END)
    assert not END_TO_END.within(whole)
    assert Scope(splits_above=200).within(whole)
    assert str(whole).endswith("neurons of fan-in up to 128 whole")
    assert Scope.from_json(whole.to_json()) == whole


def test_the_narrowest_split_neuron_is_found():
    snn = from_edges([0, 1, 2, 3, 0, 1, 2, 3, 4], [5] * 4 + [6] * 5, 7)
    assert decompose(snn, 5, "tree").least_split is None
    assert decompose(snn, 4, "tree").least_split == 5
    assert decompose(snn, 3, "tree").least_split == 4


@pytest.mark.parametrize(("limit", "own"), [("max_clusters", "clusters"), ("max_load", "load")])
def test_a_scope_of_at_most_so_much_covers_less_and_no_more(limit: str, own: str):
    scope = Scope(**{limit: 7})
    covered = [scope.covers(replace(HERE, **{own: value})) for value in (0, 6, 7, 8)]
    assert covered == [True, True, True, False]
