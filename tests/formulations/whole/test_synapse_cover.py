"""Covers against enumeration, certificates that were changed, prices by another method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from whole_oracle import least, least_period, random_whole_case

from formulations.whole.pricing_listing import Listing, cost_of, price_by_listing
from formulations.whole.synapse_cover import BoundOnly, cover_bounds, verify_cover
from optmap.errors import InputError
from optmap.methods import METHODS
from optmap.model.cover_certificate import METRICS, CoverCertificate, from_dict
from optmap.model.outcome import Limits, Status
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.scope import Scope
from optmap.model.snn import SNN, from_edges

LIMITS = Limits(wall_s=60)


def square() -> tuple[SNN, Platform]:
    """Return four neurons in a ring, each sharing one of its two inputs with the next."""
    pre, post = [0, 1, 1, 2, 2, 3, 3, 0], [4, 4, 5, 5, 6, 6, 7, 7]
    snn = from_edges(pre, post, 8, spikes=[5, 1, 3, 1, 1, 1, 1, 1])
    tiles = (Tile(Crossbar(3, 2)),) * 2
    return snn, Platform("p", tiles, Interconnect("mesh", 2, 1), base_ticks=2, event_ticks=1)


def test_a_ring_of_pairs():
    snn, platform = square()
    found = {b.metric: b for b in cover_bounds(snn, platform, LIMITS)}
    # pairs around inputs 0 and 2: 5 + 1 + 1 and 1 + 3 + 1 spikes, each with base 2
    assert {m: b.value for m, b in found.items()} == {"clusters": 2, "traffic": 12, "period": 8}
    for b in found.values():
        assert b.scope == Scope(splits_above=3)
        assert from_dict(b.certificate.to_json()) == b.certificate
        proved, _ = verify_cover(b.certificate, snn, platform)
        assert proved is not None
        assert -(-proved.numerator // proved.denominator) == b.value


@pytest.mark.parametrize("seed", [s for s in range(1, 24) if s % 3])
def test_no_mapping_of_whole_neurons_undercuts_a_cover(seed: int):
    snn, platform, tokens = random_whole_case(seed)
    bounds = cover_bounds(snn, platform, LIMITS)
    assert [b.metric for b in bounds] == list(METRICS)
    values = least(snn, platform, tokens, ("clusters", "traffic"))
    for b in bounds:
        assert verify_cover(b.certificate, snn, platform)[0] is not None
        assert values.get(b.metric) is None or b.value <= values[b.metric]
    limit = Fraction(bounds[-1].value)
    assert least_period(snn, platform, tokens, prologue=True, limit=limit) is None


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("seed", [1, 4, 7, 13])
def test_the_walk_prices_as_plain_sets_do(seed: int, metric: str):
    snn, platform, _ = random_whole_case(seed)
    cost = cost_of(metric, snn, platform)
    prices = np.random.default_rng(seed).integers(0, 9, size=snn.num_units)
    units, best = snn.units.tolist(), -(10**9)
    for mask in range(1, 1 << len(units)):
        chosen = [u for p, u in enumerate(units) if mask >> p & 1]
        rows = {int(i) for u in chosen for i in snn.sources_of(u)}
        if len(rows) > platform.max_rows or len(chosen) > platform.max_columns:
            continue
        paid = cost.base + sum(int(cost.read[i]) for i in rows)
        paid -= sum(int(cost.own[u]) for u in chosen if u in rows)
        best = max(best, sum(int(prices[units.index(u)]) for u in chosen) - paid)
    assert price_by_listing(snn, platform, prices, cost).excess == best


def test_a_certificate_proves_nothing_once_it_is_changed():
    snn, platform = square()
    found = {b.metric: b.certificate for b in cover_bounds(snn, platform, LIMITS)}
    for metric, made in found.items():
        dearer = replace(made, prices=tuple(p + made.scale for p in made.prices))
        assert verify_cover(dearer, snn, platform)[0] is None, metric
    work = found["period"]
    for wrong in (
        replace(work, prices=work.prices[1:]),
        replace(work, tiles=1),
        replace(work, scale=10**9),
        replace(work, prices=(2**62, *work.prices[1:])),
    ):
        assert verify_cover(wrong, snn, platform)[0] is None
    narrow = replace(platform, tiles=(Tile(Crossbar(2, 1)),) * 2)
    assert verify_cover(found["clusters"], snn, narrow)[0] is not None  # smaller crossbars: fewer
    wide = replace(platform, tiles=(Tile(Crossbar(4, 4)),) * 2)
    assert verify_cover(found["clusters"], snn, wide)[0] is None
    for change in ({"bound": 3}, {"kind": "prices"}, {"scale": 0}, {"prices": [0.5]}):
        with pytest.raises(InputError):
            from_dict({**found["clusters"].to_json(), **change})


def test_networks_that_are_split_have_no_cover():
    snn = from_edges([0, 1, 2], [3, 3, 3], 4)
    platform = Platform("p", (Tile(Crossbar(2, 2)),), Interconnect("mesh", 1, 1))
    assert cover_bounds(snn, platform, LIMITS) == []
    found = BoundOnly()(snn, platform, "dataflow", LIMITS)
    assert (found.status, found.bound) == (Status.UNKNOWN, None)
    certificate = CoverCertificate("clusters", "listing", (1,), 1)
    assert verify_cover(certificate, snn, platform)[0] is None


def test_it_is_a_method():
    assert METHODS["cover"].whole == "cover"
    assert METHODS["cover"].uses_solver


def looks(most: int) -> Callable[[], bool]:
    """Return a clock that says so often that there is time left."""
    left = iter(range(most))
    return lambda: next(left, None) is None


def crowd() -> tuple[SNN, Platform]:
    """Return 14 neurons of two inputs each on crossbars that hold 7: 9907 sets."""
    snn = from_edges([i for i in (0, 1) for _ in range(14)], [*range(2, 16)] * 2, 16)
    return snn, Platform("p", (Tile(Crossbar(2, 7)),) * 2, Interconnect("mesh", 2, 1))


def test_a_listing_goes_on_where_the_clock_stopped_it(monkeypatch):
    snn, platform = crowd()
    whole = Listing(snn, platform).sets(lambda: False)
    assert whole is not None
    assert len(whole.last) == sum(comb(14, k) for k in range(1, 8))
    monkeypatch.setattr("formulations.whole.pricing_listing.FIRST_TRIES", 100)
    cut, times = Listing(snn, platform), 0
    while (found := cut.sets(looks(2))) is None:
        times += 1
        assert not cut.is_too_long()
    assert times >= 2
    for one, other in zip(vars(whole).values(), vars(found).values(), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("most", [1, 100, 9906])
def test_a_listing_ends_where_sets_are_many(most: int):
    listing = Listing(*crowd(), most)
    assert listing.sets(lambda: False) is None
    assert listing.is_too_long()
    assert listing.visited <= most


def test_sets_are_listed_once_for_all_metrics_and_a_cut_is_told(monkeypatch):
    snn, platform = crowd()
    asked: list[str] = []
    listed = Listing.sets
    monkeypatch.setattr(Listing, "sets", lambda *a: asked.append(str(a[0].tried)) or listed(*a))
    method = BoundOnly()
    found = [method(snn, platform, "dataflow", LIMITS, objective=m) for m in METRICS]
    assert [o.bound for o in found] == [2, 4, 1]
    assert asked[0] == "0"
    assert asked[1] == asked[2] != "0"  # nothing is tried again
    assert [o.note for o in found] == ["", "", ""]
    late = BoundOnly()(snn, platform, "dataflow", Limits(wall_s=1e-9), objective="clusters")
    assert late.bound is None
    assert late.note == "the limit came after 0 of the sets that fit a crossbar"
