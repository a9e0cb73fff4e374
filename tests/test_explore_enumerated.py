"""explore against enumerations that know nothing of it: grids of 2 x 2 x 2 written out by hand.

Nothing of ``optmap.explore``, its objectives, its dominance or ``--grid`` is used on the other
side: platforms are put together field by field, methods run alone, the judge gives the values, and
every value is held against every other. On a tiny network even all mappings are enumerated, so that
"proved" is held against everything that is possible and not only against what methods find.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scheduling_oracle import best_period
from whole_oracle import placed

from optmap.experiment.run.in_process import runner
from optmap.experiment.run.store import Store
from optmap.explore import Explored, build_parser, candidates, explore, front_csv
from optmap.flow import run
from optmap.instance import load
from optmap.judge.evaluation import evaluate
from optmap.judge.metrics import energy
from optmap.methods import method_named
from optmap.model.mapping import Mapping, StaticOrders
from optmap.model.outcome import Limits
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import SNN, from_edges
from optmap.readers.arrays import write_arrays
from optmap.readers.platforms import platform_of_file
from optmap.shipped import instance_file, platform_file

METHODS = ("song2020", "song2020-spikes", "overlap-spikes", "pacman")
OBJECTIVES = ("period", "energy", "area")
Values = tuple[Fraction, ...]
#: Size of the crossbars, number of tiles, slots of a tile.
At = tuple[int, int, int]


@dataclass(frozen=True)
class Reached:
    """What explore printed of one mapping."""

    values: Values
    on_front: bool
    proved: bool


def changed(platform: Platform, at: At) -> Platform:
    """Return a platform of one or two tiles in a row, put together by hand."""
    size, tiles, slots = at
    tile = Tile(Crossbar(size, size), slots=slots)
    return replace(platform, tiles=(tile,) * tiles, interconnect=Interconnect("mesh", tiles, 1))


def better(a: Values, b: Values) -> bool:
    """Tell whether ``a`` is somewhere better than ``b`` and nowhere worse."""
    worse = [x > y for x, y in zip(a, b, strict=True)]
    return not any(worse) and any(x < y for x, y in zip(a, b, strict=True))


def unbeaten(values: set[Values]) -> set[Values]:
    """Return the values that no other beats, each held against each."""
    return {v for v in values if not any(better(w, v) for w in values)}


def used_area(platform: Platform, tile_of: Sequence[int]) -> Fraction:
    """Return the area of the tiles in use where cells, columns and tiles alone have a price."""
    price, bar = platform.area, platform.tiles[0].crossbar
    one = price.tile_um2 + bar.rows * bar.columns * price.cell_um2 + bar.columns * price.neuron_um2
    return one * len(set(tile_of))


def run_on(snn: SNN, platform: Platform, tokens: str, method: str) -> Values | None:
    """Return period in ns, energy and area of a method's mapping, judged; None without one."""
    limits = Limits(600.0)
    found = run(method_named(method), snn, platform, tokens, limits, lambda _: None).mapping
    if found is None:
        return None
    judged = evaluate(platform, found, tokens)
    assert judged.period is not None
    area = used_area(platform, found.binding.tile_of.tolist())
    return judged.period * platform.tick_ns, judged.energy.total_pj, area


def by_explore(
    network: str, platform: str, grid: str, folder: Path, everything: bool = False
) -> tuple[Explored, dict[tuple[str, str], Reached]]:
    """Return what explore found, and what stands in its file, by platform and method."""
    arguments = [network, "--platform", platform, "--grid", grid]
    groups, unreadable = candidates(build_parser().parse_args(arguments), OBJECTIVES)
    assert unreadable == []
    (group,) = groups.values()
    with Store.opened(folder) as store:
        found = explore(group, METHODS, Limits(600.0), store, runner, everything=everything)
    lines = csv.DictReader(front_csv([found], OBJECTIVES).splitlines())
    reached = {
        (line["platform"], line["method"]): Reached(
            tuple(Fraction(line[name]) for name in OBJECTIVES),
            line["front"] == "true",
            line["proved"] == "true",
        )
        for line in lines
    }
    return found, reached


def name_of(platform: str, at: At) -> str:
    return f"{platform}:size={at[0]},tiles={at[1]},slots={at[2]}"


def test_front_and_values_are_those_of_every_grid_point_run_by_hand(tmp_path):
    grid = list(product((16, 32), (1, 2), (4, 8)))
    instance = load(instance_file("filter_8"))
    base = platform_of_file(platform_file("dynap_se"))
    by_hand = {
        (name_of("dynap_se", at), method): values
        for at in grid
        for method in METHODS
        if (values := run_on(instance.snn, changed(base, at), instance.tokens, method)) is not None
    }
    text = "size=16..32x2,tiles=1..2,slots=4|8"
    _, whole = by_explore("filter_8", "dynap_se", text, tmp_path, everything=True)
    assert {place: r.values for place, r in whole.items()} == by_hand
    found, quick = by_explore("filter_8", "dynap_se", text, tmp_path)
    assert found.platforms == len(grid)
    values = set(by_hand.values())
    for reached in (whole, quick):
        assert all(r.values == by_hand[place] for place, r in reached.items())
        assert {r.values for r in reached.values() if r.on_front} == unbeaten(values)
        assert all(r.on_front for r in reached.values() if r.proved)


def tiny(seed: int) -> SNN:
    """Return two inputs and three neurons that read up to three of what comes before them."""
    rng = np.random.default_rng(seed)
    pre, post = [], []
    for j in range(2, 5):
        sources = rng.choice(j, size=min(j, int(rng.integers(1, 4))), replace=False).tolist()
        pre += sources
        post += [j] * len(sources)
    return from_edges(pre, post, 5, spikes=rng.integers(1, 9, size=5))


def every_value(snn: SNN, platform: Platform) -> set[Values]:
    """Return the least period with each energy and area, over all mappings there are."""
    shortest: dict[Values, Fraction] = {}
    for case in placed(snn, platform, "dataflow", split="any"):
        mapping = Mapping(
            case.decomposition, case.clustering, case.binding, StaticOrders(((), ()))
        )  # no order changes the energy
        spent = energy(mapping, case.graph, platform).total_pj
        area = used_area(platform, case.binding.tile_of.tolist())
        known = shortest.get((spent, area))
        found = best_period(case.graph, platform, case.binding, limit=known)
        if found is not None:
            shortest[spent, area] = found
    return {(period * platform.tick_ns, *rest) for rest, period in shortest.items()}


@pytest.fixture
def chip(tmp_path) -> Path:
    """Return a platform file whose cells, columns and tiles have a price."""
    text = platform_file("pair_10x4").read_text()
    for name, price in (("cell_um2", 1), ("neuron_um2", 10), ("tile_um2", 100)):
        text = re.sub(rf"{name} = .*", f'{name} = {{ value = {price}, source = "assumed" }}', text)
    path = Path(tmp_path / "chip.toml")
    path.write_text(text)
    return path


def test_proved_and_skipped_hold_against_all_mappings_there_are(chip, tmp_path):
    """Every decomposition, clustering, binding and order on each of the eight platforms."""
    base, grid = platform_of_file(chip), list(product((2, 3), (1, 2), (2, 4)))
    seen: Counter[str] = Counter()
    for seed in range(4):
        snn = tiny(seed)
        network = tmp_path / f"tiny{seed}.npz"
        write_arrays(network, snn)
        possible = {name_of(str(chip), at): every_value(snn, changed(base, at)) for at in grid}
        everywhere = set().union(*possible.values())
        text = "size=2..3,tiles=1..2,slots=2|4"
        found, reached = by_explore(str(network), str(chip), text, tmp_path / f"run{seed}")
        for (platform, _), r in reached.items():
            assert any(v == r.values or better(v, r.values) for v in possible[platform])
        for r in (r for r in reached.values() if r.on_front):
            seen["proved" if r.proved else "open"] += 1
            if r.proved:
                assert r.values in unbeaten(everywhere)
        for platform in found.skipped:
            seen["skipped"] += 1
            values = [r.values for r in reached.values()]
            assert all(any(v == p or better(v, p) for v in values) for p in possible[platform])
    assert min(seen[word] for word in ("proved", "open", "skipped")) > 0, seen
