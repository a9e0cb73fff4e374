"""Platforms with changes and grids of them: what is read equals what was asked, or is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from optmap.errors import InputError
from optmap.experiment.run.plan import on_platforms, planned, sources_of
from optmap.experiment.run.source import Source
from optmap.variants import (
    AXES,
    asked_for,
    grid,
    listed,
    parts_of,
    read_platform,
    short_name,
    with_changes,
)


@pytest.mark.parametrize("name", AXES)
def test_every_axis_changes_the_platform_and_nothing_else_of_it(name: str):
    plain, changed = read_platform("dynap_se"), read_platform(f"dynap_se:{name}=2")
    assert plain != changed
    assert read_platform(f"dynap_se:{name}=2") == changed
    if name not in ("size", "rows", "columns"):
        assert plain.kinds == changed.kinds or name == "cells_per_synapse"
    if name != "tiles":
        assert plain.num_tiles == changed.num_tiles


def test_tiles_are_a_mesh_as_square_as_can_be():
    for tiles, (width, height) in {1: (1, 1), 7: (7, 1), 12: (4, 3), 16: (4, 4)}.items():
        mesh = read_platform(f"dynap_se:tiles={tiles}").interconnect
        assert (mesh.width, mesh.height) == (width, height)


@pytest.mark.parametrize(
    ("platform", "words"),
    [
        ("dynap_se:rows=1", "crossbar 1 x 128"),
        ("dynap_se:colour=3", "no such axis"),
        ("dynap_se:rows=x", "rows=N once"),
        ("dynap_se:rows=2,rows=3", "rows=N once"),
        ("dynap_se:tiles=0", "0, none"),
        ("dynap_se:tiles=99999999", "more than 65536"),
        ("dynap_se:size=1048577", "more than 1048576"),
        ("dynap_se:slots=1099511627777", "more than 2\\^40"),
        ("tutorial_2x2:tiles=9", "hops are a matrix"),
        ("mixed_32_256:tiles=9", "tiles differ"),
        ("no_such:rows=2", "no such file, nor a shipped one"),
    ],
)
def test_a_change_that_cannot_be_is_refused(platform: str, words: str):
    with pytest.raises(InputError, match=words):
        read_platform(platform)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rows", "expected N, N..M"),
        ("rows=5..1", "growing"),
        ("rows=1..9x1", "growing"),
        ("rows=0..9x2", "growing"),
        ("rows=1..9-2", "expected N, N..M"),
        ("rows=2,rows=3", "twice"),
        ("hue=2", "no such axis"),
        ("", "no such axis"),
        ("64", "no such axis"),
        ("tiles=4,rows", "rows: found ''"),
        ("rows=2,tiles=", "tiles: found ''"),
        ("rows=2;tiles=3", "expected N, N..M"),
        ("rows=1..101,columns=1..100", "10100 platforms"),
        ("rows=1..99999999999", "platforms"),
    ],
)
def test_a_grid_that_is_none_is_refused(text: str, words: str):
    with pytest.raises(InputError, match=words):
        list(grid(text))


def test_ranges_lists_and_factors():
    assert [p["rows"] for p in grid("rows=3..12x3|5|7..11+2")] == [3, 9, 5, 7, 11]
    assert [p["rows"] for p in grid(" rows = 32, 64 | 64..256x2 ")] == [32, 64, 128, 256]
    assert list(grid("rows=1,2,tiles=3")) == [{"rows": 1, "tiles": 3}, {"rows": 2, "tiles": 3}]
    assert with_changes("a.toml:tiles=4", {"tiles": 9, "rows": 2}) == "a.toml:rows=2,tiles=9"
    assert with_changes("", {"rows": 2}) == ":rows=2"
    assert parts_of(":rows=2") == ("", {"rows": 2})
    assert short_name(":rows=2") == "-rows2"


@pytest.mark.parametrize("text", ["", ",", "a,a", "a:rows=1,a:rows=1"])
def test_a_list_without_different_platforms_is_refused(text: str):
    with pytest.raises(InputError, match="different platforms"):
        listed(text)


def test_platforms_are_files_folders_and_patterns_given_any_number_of_times(tmp_path: Path):
    for name in ("a", "my chip", "c"):
        (tmp_path / f"{name}.toml").touch()
    a, c, my = (str(tmp_path / f"{name}.toml") for name in ("a", "c", "my chip"))
    assert listed(str(tmp_path)) == [a, c, my]
    assert listed(f"dynap_se, {tmp_path}/?.toml:rows=8,tiles=2") == [
        "dynap_se",
        f"{a}:rows=8,tiles=2",
        f"{c}:rows=8,tiles=2",
    ]
    found = asked_for([a, my], ["rows=4|8", "tiles=1..2"])
    assert found == ([a, my], list(grid("rows=4|8,tiles=1..2")))
    assert asked_for([], []) == ([], [])
    with pytest.raises(InputError, match="different platforms"):
        asked_for([a, str(tmp_path)], [])
    with pytest.raises(InputError, match="no file there"):
        listed(f"{tmp_path}/none*.toml")
    with pytest.raises(InputError, match="twice"):
        asked_for([], ["rows=4", "rows=8"])


def test_every_network_meets_every_platform_under_a_name_of_its_own(tmp_path: Path):
    sources = [Source(file="filter_8"), Source(network="gen:mlp-6-3", platform="dynap_se")]
    met = on_platforms(sources, ["dynap_se", "loihi_like"], list(grid("rows=128..256x2")))
    plans, unreadable = planned(met, ())
    assert unreadable == []
    assert len({p.instance.name for p in plans}) == len({p.digest for p in plans}) == 8
    assert plans[1].instance.name == "filter_8@dynap_se-rows256"
    assert plans[1].instance.platform.max_rows == 256
    assert plans[1].source.load().digest() == plans[1].digest
    own, _ = planned(on_platforms(sources, [], list(grid("tiles=1..2"))), ())
    assert [p.instance.name for p in own][:2] == ["filter_8@tiles1", "filter_8@tiles2"]
    assert on_platforms(sources, [], []) == sources


def test_a_platform_stands_in_place_of_that_of_instances_but_not_beside_networks(tmp_path: Path):
    network = tmp_path / "net.csv"
    network.write_text("pre,post\n0,1\n")
    loihi = Source(platform="loihi_like")
    (alone,) = sources_of(["filter_8"], loihi)
    assert alone.load().platform.name == read_platform("loihi_like").name
    beside, other = sources_of(["filter_8", network], loihi)
    assert beside.platform is None
    assert other.platform == "loihi_like"
    (varied,) = on_platforms([alone], [], [{"tiles": 4}])
    assert varied.load().platform.name.startswith(read_platform("loihi_like:tiles=4").name)
