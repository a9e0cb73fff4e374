"""The checker: a mapping that uses up everything passes; each corruption is seen as itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_mappings import Case, random_case
from small_mapping import MAPPING, PLATFORM, SNN

from optmap.decomposing.contract import decompose
from optmap.judge.check import check, input_violations
from optmap.model.decomposition import custom
from optmap.model.mapping import Binding, Clustering, Mapping, StaticOrders
from optmap.model.platform import Crossbar, Tile
from optmap.model.snn import from_edges

SMALL = Case(SNN, PLATFORM, MAPPING, "dataflow")


def kinds(case: Case) -> list[str]:
    return [v.kind for v in check(case.snn, case.platform, case.mapping, case.tokens)]


def on_tile(case: Case, tile: int, **changes: object) -> Case:
    tiles = list(case.platform.tiles)
    tiles[tile] = replace(tiles[tile], **changes)
    return replace(case, platform=replace(case.platform, tiles=tuple(tiles)))


def ordered(*clusters: tuple[int, ...], **more: object) -> Callable[[Case], Case]:
    return lambda case: case.with_orders(StaticOrders(clusters, **more))


def louder(case: Case) -> Case:
    return replace(case, snn=case.snn.with_spikes(np.array(case.snn.spikes) + 1, "given"))


def on_tile_nine(case: Case) -> Case:
    return replace(case, mapping=replace(case.mapping, binding=Binding([0, 0, 1, 9])))


def one_window(case: Case) -> Case:
    return replace(case, platform=replace(case.platform, buffer_windows=1))


def test_a_mapping_that_uses_up_everything_passes():
    assert kinds(SMALL) == []
    assert kinds(replace(SMALL, tokens="pipelined")) == []


SENDS = (((0, 3), (1, 2)), ((2, 1),))


@pytest.mark.parametrize(
    ("kind", "corrupt", "words"),
    [
        ("decomposition", louder, "changes the spikes"),
        ("tile", on_tile_nine, "cluster 3 on tile 9, tiles are 0..1"),
        ("rows", lambda c: on_tile(c, 0, crossbar=Crossbar(2, 4)), "needs 3 rows, tile 0 has 2"),
        ("columns", lambda c: on_tile(c, 0, crossbar=Crossbar(3, 3)), "needs 2 columns"),
        ("slots", lambda c: on_tile(c, 1, slots=1), "tile 1 holds 2 clusters, it has 1 slots"),
        (
            "input_buffer",
            lambda c: on_tile(c, 0, input_buffer=35),
            "tile 0 needs 36 tokens of input buffer, has 35; channel 2 -> 1 with 21 tokens",
        ),
        (
            "output_buffer",
            lambda c: on_tile(c, 0, output_buffer=8),
            "tile 0 needs 9 tokens of output buffer, has 8; channel 1 -> 2 with 6 tokens",
        ),
        ("order", ordered((0,), (2, 3)), "tile 0's order lacks cluster 1"),
        ("order", ordered((0, 1), (2, 3, 4)), "tile 1's order names cluster 4"),
        ("order", ordered((0, 1), (2, 3), ()), "3 orders for 2 tiles"),
        ("order", ordered((0, 1)), "1 orders for 2 tiles"),
        ("send_order", ordered((0, 1), (2, 3), sends=(((1, 2),), ((2, 1),))), "lacks channel"),
        (
            "send_order",
            ordered((0, 1), (2, 3), sends=((*SENDS[0], (0, 1)), SENDS[1])),
            "names channel (0, 1), which is not there",
        ),
        ("buffer_windows", one_window, "needs 2"),
        ("order", ordered(sends=()), "0 orders for 2 tiles"),
        ("neurons", lambda c: on_tile(c, 0, neurons=1), "cluster 0 needs 2 neurons, tile 0 has 1"),
        ("deadlock", ordered((1, 0), (2, 3)), "cluster 1 -> cluster 0"),
        (
            "deadlock",
            ordered((0, 1), (2, 3), sends=SENDS, offsets=((0, 0), (0, 1))),
            "cluster 3",
        ),
    ],
)
def test_a_corruption_is_seen_as_what_it_is(kind: str, corrupt, words: str):
    broken = corrupt(SMALL)
    found = check(broken.snn, broken.platform, broken.mapping, broken.tokens)
    assert {v.kind for v in found} == {kind}
    assert words in found[0].message
    assert str(found[0]) == f"{kind}: {found[0].message}"
    assert len(str(found[0]).splitlines()) == 1


def test_a_tile_without_slots_holds_no_cluster():
    found = check(SNN, on_tile(SMALL, 1, slots=0).platform, MAPPING, "dataflow")
    lines = [str(v) for v in found if v.kind == "tile"]
    assert lines == [f"tile: cluster {k} on tile 1, which is out of use" for k in (2, 3)]


def test_an_input_that_one_unit_reads_sits_on_no_core():
    snn = from_edges([0, 1], [2, 2], 3)
    on_cores = replace(PLATFORM, inputs_on_cores=True)
    (found,) = input_violations(snn, on_cores)
    assert "2 inputs, the first is neuron 0, sit on no core" in found.message
    assert input_violations(snn, PLATFORM) == []


def test_every_violation_is_listed_not_only_the_first():
    broken = on_tile(SMALL, 0, crossbar=Crossbar(2, 2), input_buffer=1, output_buffer=1, slots=1)
    broken = on_tile(broken, 1, slots=1).with_orders(StaticOrders(((1,), (3,))))
    expected = ["decomposition", "rows", "rows", "columns", "input_buffer", "output_buffer"]
    expected += ["slots", "slots", "order", "order"]
    assert sorted(kinds(louder(broken))) == sorted(expected)


def test_a_cluster_on_the_wrong_tiles_order_is_missing_here_and_odd_there():
    swapped = SMALL.with_orders(StaticOrders(((0, 2), (1, 3))))
    assert kinds(swapped) == ["order"] * 4


def test_a_decomposition_for_larger_rows_does_not_fit_smaller_tiles():
    small = replace(PLATFORM, tiles=(Tile(Crossbar(2, 2)),) * 2)
    for rows, expected in ((2, []), (3, ["rows"])):  # unit 4 reads three sources
        units = decompose(SNN, rows, "tree").num_units
        mapping = Mapping(
            decompose(SNN, rows, "tree"),
            Clustering(range(units)),
            Binding([0] * units),
            StaticOrders((tuple(range(units)), ())),
        )
        assert kinds(Case(SNN, small, mapping, "pipelined")) == expected


def test_a_forged_custom_decomposition_is_seen():
    """A method may hand over any object: what it claims to sum is read again."""
    honest = custom(SNN, 3, [(4, [2, 3])], {4: [5, 7]})
    mapping = replace(MAPPING, decomposition=honest, clustering=Clustering([0, 0, 1, 2, 3, 1]))
    roomy = replace(PLATFORM, tiles=(Tile(Crossbar(9, 9)),) * 2)
    assert kinds(Case(SNN, roomy, mapping, "dataflow")) == []
    network = honest.network
    indices = network.indices.copy()
    indices[-1] = 6
    forged = replace(honest, network=replace(network, indices=indices))
    case = Case(SNN, roomy, replace(mapping, decomposition=forged), "pipelined")
    assert set(kinds(case)) == {"decomposition"}


@given(random=st.randoms(use_true_random=False))
def test_limits_equal_to_the_need_pass_and_one_less_is_seen(random: Random):
    case = random_case(random)
    assert kinds(case) == []
    graph, tile_of = case.graph, case.mapping.binding.tile_of
    need = graph.rate * case.platform.buffer_windows
    remote = tile_of[graph.source] != tile_of[graph.target]
    for t in sorted(set(tile_of.tolist())):
        held = int((tile_of == t).sum())
        columns = int(graph.columns[tile_of == t].max()) * case.platform.cells_per_synapse
        limits = {
            "slots": held,
            "input_buffer": int(need[tile_of[graph.target] == t].sum()),
            "output_buffer": int(need[remote & (tile_of[graph.source] == t)].sum()),
        }
        for name, limit in limits.items():
            if limit:
                assert kinds(on_tile(case, t, **{name: limit})) == []
            if limit > 1:
                assert kinds(on_tile(case, t, **{name: limit - 1})) == [name]
        rows = max(2, int(graph.rows[tile_of == t].max()))
        fitted = on_tile(case, t, crossbar=Crossbar(rows, columns))
        assert kinds(fitted) == []
        if columns > case.platform.cells_per_synapse:
            narrow = on_tile(case, t, crossbar=Crossbar(rows, columns - 1))
            assert set(kinds(narrow)) == {"columns"}
        if rows > 2:
            assert set(kinds(on_tile(case, t, crossbar=Crossbar(rows - 1, columns)))) == {"rows"}
