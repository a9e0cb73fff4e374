"""End-to-end bounds against every decomposition (of what fits too), clustering and binding."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice, product

import numpy as np
import pytest
from whole_oracle import decompositions, least, least_period, random_whole_case

from optmap.bounds.bound import Bound
from optmap.bounds.end_to_end import end_to_end_bounds
from optmap.bounds.end_to_end_reads import fewest_sums, reads_of
from optmap.bounds.end_to_end_small import small_bounds
from optmap.bounds.end_to_end_whole_neurons import whole_neuron_bounds
from optmap.bounds.traffic import readers_bound
from optmap.model.platform import Crossbar, Energy, Interconnect, Platform, Tile
from optmap.model.scope import END_TO_END, Scope
from optmap.model.snn import SNN, from_edges

#: Seeds of few decompositions; networks with more than so many are only split where needed.
FEW, MANY = (0, 3, 6, 9, 15, 21, 28, 38), 30
Case = tuple[SNN, Platform, str]
METRICS = ("clusters", "traffic", "spike_hops", "energy_pj")


def assert_holds(seed: int, most_units: int = 6) -> None:
    """No mapping, with or without a prologue, undercuts a bound whose scope it is in."""
    case = random_whole_case(seed, most_units)
    snn, platform, _ = case
    whole = Scope(splits_above=platform.max_rows)
    bounds = end_to_end_bounds(snn, platform)
    assert_none_undercuts(case, [b for b in bounds if b.scope in (END_TO_END, whole)], "needed")
    if len(list(islice(decompositions(snn, platform.max_rows, "any"), MANY))) < MANY:
        assert_none_undercuts(case, [b for b in bounds if b.scope == END_TO_END], "any")


def assert_none_undercuts(case: Case, bounds: list[Bound], split: str) -> None:
    """Enumerate all mappings of these decompositions."""
    values = least(*case, METRICS, split)
    for bound in bounds:
        value = values.get(bound.metric)
        assert value is None or bound.value <= value, bound
    limit = Fraction(max(b.value for b in bounds if b.metric == "period"))
    assert least_period(*case, prologue=True, split=split, limit=limit) is None


@pytest.mark.parametrize("seed", FEW)
def test_no_mapping_undercuts_a_bound(seed: int):
    assert_holds(seed)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(200))
def test_no_mapping_undercuts_a_bound_on_many_networks(seed: int):
    """Of at most seven units; in every third the widest fan-in exceeds the rows."""
    assert_holds(seed, most_units=7)


def dense(inputs: int, neurons: int, seed: int) -> SNN:
    """Return ``neurons`` that all read ``inputs`` inputs of random spikes."""
    rng = np.random.default_rng(seed)
    pre, post = zip(*product(range(inputs), range(inputs, inputs + neurons)), strict=True)
    spikes = rng.integers(0, 9, size=inputs + neurons)
    return from_edges(list(pre), list(post), inputs + neurons, spikes=spikes)


def tiles(rows: int, columns: int, num: int = 1, **more: object) -> Platform:
    """Return equal tiles in a row."""
    return Platform(
        "equal", (Tile(Crossbar(rows, columns)),) * num, Interconnect("mesh", num, 1), **more
    )


@pytest.mark.parametrize(("rows", "seed"), [(r, s) for r in (2, 3, 4) for s in range(8)])
def test_sums_are_the_least_over_all_trees(rows: int, seed: int):
    snn = dense(5, 1, seed)
    sums = [int(d.network.spikes[6:].sum()) for d in decompositions(snn, rows, "needed")]
    assert fewest_sums(snn, rows) == min(sums)


def test_shares_by_hand():
    # two neurons read inputs of 9, 8, 1, 1 spikes; R = 3: beside h = 1 row for the sum stand a = 2
    # sources, of which the two neurons together need 2 rows more; or a = 1 and one row each
    snn = from_edges([0, 1, 2, 3] * 2, [4] * 4 + [5] * 4, 6, spikes=[9, 8, 1, 1, 0, 0])
    copies, share = reads_of(snn, tiles(3, 8))
    assert copies.total == 9 + 8 + 1 + 1 + 2 * 2
    # all quiet but the loudest, so that 8 + 1 + 1 are read once; each neuron passes 10 or more
    assert np.array_equal(np.flatnonzero(~share.quiet[:4]), [0])
    assert (share.copies, share.shares) == (10, 20)


@pytest.mark.parametrize("seed", range(6))
def test_shares_are_what_enumeration_of_direct_sources_gives(seed: int):
    snn, rows = dense(9, 3, seed), 5
    counts = np.sort(snn.spikes[:9])[::-1].tolist()
    least_pay = min(
        sum(counts[:a]) * h / (rows - a)
        + sum(counts[a:])
        + (sum(sorted(counts)[: 9 - a - rows * h + 1]) if 9 - a > rows * h else 0)
        for h in (1, 2)
        for a in range(rows - h + 1)
    )
    _, share = reads_of(snn, tiles(rows, 9))
    if share.quiet[:9].any():  # then some sources' copies are charged as well
        assert share.total >= int(3 * least_pay)
    else:
        assert share.total == int(3 * least_pay + 1e-9)


def test_energy_of_huffman_trees_on_one_tile_is_the_least():
    snn = dense(5, 1, 0)
    price = Energy(spike_pj=2, synapse_pj=3, route_pj=5)
    platform = tiles(3, 3, 2, energy=price)
    bound = {b.metric: b.value for b in end_to_end_bounds(snn, platform)}["energy_pj"]
    assert bound == least(snn, platform, "dataflow", ("energy_pj",))["energy_pj"]


def test_a_self_driven_neuron_beside_its_reader_enters_nothing():
    snn = from_edges([0], [1], 2, spikes=[4, 1], self_driven=[0])
    assert readers_bound(snn, 2) == 0
    assert all(b.value == 0 for b in end_to_end_bounds(snn, tiles(2, 2)) if b.metric == "traffic")


def test_loud_networks_stay_in_whole_numbers():
    snn = from_edges([0, 1, 2], [3] * 3, 4, spikes=[2**48, 2**48, 2**47, 0])
    platform = tiles(2, 2)
    assert fewest_sums(snn, 2) == 2**48 + 2**47
    assert max(r.total for r in reads_of(snn, platform)) >= 2**49 + 2**47


@pytest.mark.parametrize("seed", range(12))
def test_small_networks_are_solved_by_sets_of_units(seed: int):
    snn, platform, tokens = random_whole_case(seed)
    found = {b.metric: b.value for b in small_bounds(snn, platform)}
    assert bool(found) == (snn.max_fan_in <= platform.max_rows)
    if found and len(platform.kinds) == 1 and platform.total_slots is None:
        unlimited = tiles(*platform.kinds[0], platform.num_tiles)
        values = least(snn, unlimited, tokens, ("clusters", "traffic"))
        assert (values["clusters"], values["traffic"]) == (found["clusters"], found["traffic"])


def test_the_least_load_is_that_of_the_best_binding():
    # four neurons of 9, 8, 8, 7 spikes of their own: 10 + 9, 9 + 8 and the like, 18 on each tile
    snn = from_edges([0, 1, 2, 3], [4, 5, 6, 7], 8, spikes=[9, 8, 8, 7, 1, 1, 1, 1])
    platform = tiles(2, 1, 2, base_ticks=1, event_ticks=1)
    assert [b.value for b in small_bounds(snn, platform)] == [4, 32, 18]


def test_neurons_that_share_little_stand_alone():
    # 8 neurons of 3 private inputs on 5 rows: no two fit, so each cluster reads its own
    pre, post = range(24), [24 + i // 3 for i in range(24)]
    snn = from_edges(list(pre), post, 32, spikes=[2] * 24 + [1] * 8)
    found = whole_neuron_bounds(snn, tiles(5, 9, 2, base_ticks=3, event_ticks=1))
    assert {b.metric: b.value for b in found} == {"clusters": 8, "traffic": 48, "period": 36}
