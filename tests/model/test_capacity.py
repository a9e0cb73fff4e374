"""What a crossbar holds besides rows and columns, counted a second time by plain loops."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from optmap.bounds.bound import best
from optmap.bounds.clusters import cluster_bounds, counting_bounds
from optmap.bounds.end_to_end import fewest_clusters
from optmap.bounds.resources import crossbars_by_resource
from optmap.clustering.contract import CLUSTERERS, cluster, refuse_overfull
from optmap.decomposing.contract import decompose
from optmap.errors import CapacityError, InputError
from optmap.flow import run
from optmap.judge.check import check
from optmap.methods import METHODS
from optmap.model.capacity import (
    ADDITIVE,
    LIMITS,
    demands,
    refuse_unknown_populations,
    stated,
    unit_fan_in,
    units_per_crossbar,
    weight_bits,
)
from optmap.model.cluster_graph import cluster_graph
from optmap.model.mapping import Binding, Clustering, Mapping, StaticOrders
from optmap.model.outcome import Limits, Status
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.platform_file import load_platform
from optmap.model.snn import SNN, Population, from_edges
from optmap.shipped import platform_file
from optmap.toml_fields import Table

HEURISTICS = [name for name in CLUSTERERS if name != "hypergraph"]


def chip(tiles: list[Tile], **more: int) -> Platform:
    """Return a row of tiles."""
    return Platform("chip", tuple(tiles), Interconnect("mesh", len(tiles), 1), **more)


def network(seed: int, neurons: int = 12, synapses: int = 30) -> SNN:
    """Return a random network whose weights have widths."""
    rng = random.Random(seed)
    edges = {(rng.randrange(neurons), rng.randrange(3, neurons)) for _ in range(synapses)}
    pre, post = zip(*sorted(edges), strict=True)
    snn = from_edges(pre, post, neurons)
    bits = np.array([rng.choice((1, 2, 4)) for _ in range(neurons)])
    return SNN(snn.indptr, snn.indices, snn.spikes, weight_bits=bits)


def plain_needs(snn: SNN, platform: Platform, units: list[int]) -> dict[str, int]:
    """Return what a set of units takes, by loops over their synapses."""
    bits = weight_bits(snn, platform)
    lists = {u: snn.sources_of(u).tolist() for u in units}
    found = {
        "rows": len({i for sources in lists.values() for i in sources}),
        "neurons": len(units),
        "synapses": sum(len(sources) for sources in lists.values()),
        "synapse_bits": sum(int(bits[u]) for u in units for _ in lists[u]),
        "axons_out": 0,
    }
    if platform.cell_bits is not None:
        found["slices"] = sum(-(-int(bits[u]) // platform.cell_bits) for u in units)
    return found


def random_chip(rng: random.Random) -> Platform:
    """Return one or two kinds of tiles with some limits."""
    tiles = []
    for _ in range(rng.choice((1, 1, 2))):
        given = {
            name: rng.randrange(low, high)
            for name, low, high in (
                ("neurons", 2, 5),
                ("synapses", 9, 16),
                ("synapse_bits", 30, 60),
            )
            if rng.random() < 0.5
        }
        tiles += [Tile(Crossbar(rng.randrange(9, 13), rng.randrange(4, 9)), **given)] * 2
    return chip(tiles, weight_bits=4, cell_bits=rng.choice((1, 2, 4)))


@pytest.mark.parametrize("seed", range(40))
def test_every_clustering_keeps_to_every_limit(seed: int) -> None:
    rng = random.Random(seed)
    snn, platform = network(seed), random_chip(rng)
    units = decompose(snn, unit_fan_in(snn, platform), "tree")
    for name in HEURISTICS:
        try:
            found = cluster(CLUSTERERS[name](), units, platform, seed=seed)
        except CapacityError:
            fan_in = units.network.fan_in[units.network.units]
            assert fan_in.max() > 1  # some unit fits no crossbar: told by the test below
            continue
        refuse_overfull(units, found, platform, name)
        graph = cluster_graph(units, found, platform, "dataflow")
        most = units_per_crossbar(units.network, platform).max()
        for k in range(found.num_clusters):
            members = units.network.units[found.cluster_of == k].tolist()
            needs = plain_needs(units.network, platform, members)
            for limit, need in zip(stated(platform), graph.needs[:, k], strict=True):
                assert need == needs[limit.field]
            assert len(members) <= most
            tiles = range(platform.num_tiles)
            assert any(_holds(platform, t, needs, len(members)) for t in tiles)
            assert graph.fits(platform)[k].tolist() == [
                _holds(platform, t, needs, len(members)) for t in tiles
            ]


def _holds(platform: Platform, t: int, needs: dict[str, int], units: int) -> bool:
    tile = platform.tiles[t]
    limits = {limit.field: getattr(tile, limit.field) for limit in LIMITS}
    limits |= {"rows": tile.crossbar.rows, "slices": tile.crossbar.columns}
    return units <= tile.crossbar.columns and all(
        limits.get(name) is None or need <= limits[name] for name, need in needs.items()
    )


def test_what_leaves_crossbars_is_counted_and_refused_by_name() -> None:
    # 0, 1 -> 2, 3; 2 -> 3, 4; 3 -> 4
    snn = from_edges([0, 1, 0, 1, 2, 2, 3], [2, 2, 3, 3, 3, 4, 4], 5)
    tight = chip([Tile(Crossbar(4, 1), fan_out=1)] * 3)
    units, apart = decompose(snn, 4, "tree"), Clustering(np.array([0, 1, 2], dtype=np.int32))
    graph = cluster_graph(units, apart, tight, "dataflow")
    assert graph.fan_out.tolist() == [2, 1, 0]
    assert graph.axons_out.tolist() == [2, 1, 0]
    with pytest.raises(CapacityError, match=r"cluster 0 needs .* 2 crossbars that read one unit"):
        refuse_overfull(units, apart, tight, "test")
    assert not graph.fits(tight)[0].any()
    roomy = chip([Tile(Crossbar(4, 1), fan_out=2, axons_out=1), Tile(Crossbar(4, 1))] * 2)
    refuse_overfull(units, apart, roomy, "test")
    assert graph.fits(roomy).tolist() == [[False, True] * 2, [True] * 4, [True] * 4]


def test_a_unit_no_memory_holds_is_refused_with_the_numbers() -> None:
    snn = from_edges([0, 1, 2], [3, 3, 3], 4)
    small = chip([Tile(Crossbar(4, 4), synapse_bits=16)], weight_bits=8)
    assert unit_fan_in(snn, small) == 2
    assert decompose(snn, unit_fan_in(snn, small), "tree").num_units == 2
    units = decompose(snn, 4, "tree")
    with pytest.raises(CapacityError, match=r"unit 3 .* needs 3 rows, 24 bits of synapse memory"):
        cluster(CLUSTERERS["overlap"](), units, small)
    tiny = chip([Tile(Crossbar(4, 4), synapse_bits=8)], weight_bits=8)
    with pytest.raises(CapacityError, match=r"no crossbar .* holds a unit of 2 sources"):
        unit_fan_in(snn, tiny)


def test_the_limit_that_leaves_room_for_fewer_units_names_the_bound() -> None:
    """Six units of three 8-bit weights each: two of them fill 60 bits, the columns hold eight."""
    snn = from_edges([0, 1, 2] * 6, [u for u in range(3, 9) for _ in range(3)], 9)
    for tiles in ([Tile(Crossbar(9, 8), synapse_bits=60)] * 2,
                  [Tile(Crossbar(9, 8), synapse_bits=60), Tile(Crossbar(9, 1))]):  # fmt: skip
        core = chip([replace(tile, slots=1) for tile in tiles], weight_bits=8)
        found = counting_bounds(decompose(snn, 9, "none"), core)
        assert {bound.name: bound.value for bound in found} == {
            "columns": 1, "rows": 1, "synapse_bits": 3
        }  # fmt: skip
        refused = run(METHODS["overlap"], snn, core, "dataflow", Limits(), lambda _: None)
        assert refused.status is Status.INFEASIBLE
        assert "needs at least 3 (synapse_bits bound)" in refused.reason


@pytest.mark.full  # counting what 1,000 neurons of 4,000 sources share takes a minute
def test_four_million_synapses_do_not_fit_a_core_of_128_kilobytes() -> None:
    post, pre = np.divmod(np.arange(1000 * 4000), 4000)
    snn = from_edges(pre, 4000 + post, 5000)
    core = load_platform(platform_file("loihi_like"))
    units = decompose(snn, unit_fan_in(snn, core), "tree")
    bound = best(cluster_bounds(units, core))
    assert bound is not None
    assert (bound.value, bound.name) == (32, "synapse_bits")  # 32 neurons of 4,000 bytes fit a core
    assert crossbars_by_resource(snn, core) == {"synapse_bits": 31}
    assert fewest_clusters(snn, core) == 31
    result = run(METHODS["overlap"], snn, core, "dataflow", Limits(), lambda _: None)
    assert result.status is Status.INFEASIBLE
    assert "the platform has 8 slots" in result.reason
    found = cluster(CLUSTERERS["overlap"](), units, core)
    assert found.num_clusters == 32
    graph = cluster_graph(units, found, core, "dataflow")
    assert graph.needs.max() <= 2**20


#: Least of each limit with which two tiles hold `five_units`.
LEAST = {"neurons": 3, "synapses": 6, "synapse_bits": 24, "axons_out": 2, "fan_out": 1}


def five_units() -> SNN:
    """Return two inputs, four neurons that read both, and one that reads two of these."""
    pairs = [(i, j) for i in range(2) for j in range(2, 6)] + [(2, 6), (3, 6)]
    return from_edges(*zip(*pairs, strict=True), 7)


@pytest.mark.parametrize("field", [limit.field for limit in LIMITS])
def test_what_just_fits_is_mapped_and_one_less_is_refused_with_numbers(field: str) -> None:
    def two(most: int) -> Platform:
        given = {"neurons": 3, field: most}
        return chip([Tile(Crossbar(8, 8), slots=1, **given)] * 2, weight_bits=4)

    snn, least = five_units(), LEAST[field]
    for name in ("song2020", "overlap"):
        found = run(METHODS[name], snn, two(least), "dataflow", Limits(), lambda _: None)
        assert found.mapping is not None, found.reason
        assert check(snn, two(least), found.mapping, "dataflow") == []
        if least == 1:
            continue
        broken = check(snn, two(least - 1), found.mapping, "dataflow")
        assert {v.kind for v in broken} == {field}
        assert f"needs {least} " in str(broken[0])
        assert f"has {least - 1}" in str(broken[0])
        if field in ADDITIVE:
            short = run(METHODS[name], snn, two(least - 1), "dataflow", Limits(), lambda _: None)
            assert short.status is Status.INFEASIBLE
            assert "the platform has 2 slots" in short.reason
            assert "needs at least 3" in short.reason


def test_the_page_on_platforms_lists_the_limits_of_the_list() -> None:
    page = (Path(__file__).parents[2] / "docs" / "platforms.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert [row for row in rows if row.count(" | ") == 1] == [
        f"| `{limit.field}` | {limit.about} |" for limit in LIMITS
    ]


def test_the_page_on_platforms_names_every_key_that_a_file_may_have(tmp_path, monkeypatch) -> None:
    asked: set[str] = set()
    close = Table.close

    def recorded(table: Table) -> None:
        if table.path not in ("energy", "area"):  # docs/spikesim.md
            asked.update(table.asked)
        close(table)

    monkeypatch.setattr(Table, "close", recorded)
    load_platform(platform_file("loihi_like"))
    matrix = tmp_path / "matrix.toml"
    shape = '[interconnect]\nkind = "matrix"\nhops = [[0]]\n[[tiles]]\nrows = 4\ncolumns = 4\n'
    matrix.write_text(f'schema = 1\nname = "m"\n{shape}')
    load_platform(matrix)
    page = (Path(__file__).parents[2] / "docs" / "platforms.md").read_text(encoding="utf-8")
    parts = page.split("```")
    shown = [*parts[1::2], *(word for text in parts[::2] for word in re.findall("`[^`]+`", text))]
    named = set(re.findall("[a-z_0-9]+", " ".join(shown)))
    assert {limit.field for limit in LIMITS} < asked
    assert asked - named == set()


def test_a_unit_reads_no_more_than_the_platform_lets_it() -> None:
    board = load_platform(platform_file("dynap_se_board"))
    pre, post = zip(*[(i, 100 + j) for i in range(100) for j in range(3)], strict=True)
    snn = from_edges(pre, post, 103)
    assert unit_fan_in(snn, board) == 64
    units = decompose(snn, unit_fan_in(snn, board), "tree")
    assert units.network.max_fan_in <= 64
    wide = decompose(snn, 128, "none")
    one = Clustering(np.zeros(3, dtype=np.int32))
    with pytest.raises(CapacityError, match="unit 100 reads 100 sources, at most 64 are allowed"):
        refuse_overfull(wide, one, board, "test")
    orders = StaticOrders(((0,), *((),) * 15))
    mapping = Mapping(wide, one, Binding(np.zeros(1, dtype=np.int32)), orders)
    found = check(snn, board, mapping, "dataflow")
    assert [v.kind for v in found] == ["fan_in"]
    for name in ("overlap", "song2020", "song2020-published", "blocks", "pacman"):
        result = run(METHODS[name], snn, board, "dataflow", Limits(), lambda _: None)
        if result.mapping is None:
            assert "at most 64 are allowed" in result.reason, name
        else:
            assert check(snn, board, result.mapping, "dataflow") == [], name
    with pytest.raises(ValueError, match="fan_in 1 must be >= 2"):
        replace(board, fan_in=1)


def test_neurons_of_one_population_are_limited_by_name() -> None:
    """Neurons 2, 3, 4 are "out", at most two of them on a crossbar; 4 is divided."""
    snn = from_edges([0, 1, 0, 1, 0, 1, 2, 3], [2, 2, 3, 3, 4, 4, 4, 4], 5)
    snn = replace(snn, populations=(Population("in", 0, 1), Population("out", 2, 4)))
    tight = replace(chip([Tile(Crossbar(3, 8))] * 4), population_neurons=(("out", 2),))
    units = decompose(snn, 3, "tree")
    (limit,) = stated(tight)
    assert demands(units.network, tight).tolist() == [[1] * units.num_units]
    assert crossbars_by_resource(snn, tight) == {limit.field: 2}
    for name in HEURISTICS:
        found = cluster(CLUSTERERS[name](), units, tight, seed=0)
        assert found.sizes.max() <= 2, name
    everything = Clustering(np.zeros(units.num_units, dtype=np.int32))
    with pytest.raises(CapacityError, match="neurons of population 'out'"):
        refuse_overfull(units, everything, tight, "test")
    other = replace(tight, population_neurons=(("mid", 2),))
    with pytest.raises(CapacityError, match="'mid'; the network has in, out"):
        refuse_unknown_populations(snn, other)


def test_a_platform_file_limits_populations(tmp_path: Path) -> None:
    text = platform_file("pair_10x4").read_text(encoding="utf-8")
    path = tmp_path / "p.toml"
    path.write_text(text + "\n[population_neurons]\nexc = 2\ninh = { value = 1, source = 'a' }\n")
    assert load_platform(path).population_neurons == (("exc", 2), ("inh", 1))
    path.write_text(text + "\n[population_neurons]\nexc = 0\n")
    with pytest.raises(InputError, match=r"population_neurons\.exc"):
        load_platform(path)
