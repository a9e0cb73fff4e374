"""explore: the front agrees with brute force, skipping loses nothing, what is proved is proved."""

from __future__ import annotations

import csv
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest

from optmap.experiment.run.in_process import runner
from optmap.experiment.run.store import Store
from optmap.experiment.tables.front import OBJECTIVES, Point, dominates, front, is_beaten
from optmap.explore import Explored, build_parser, candidates, explore, front_csv, front_lines, main
from optmap.model.outcome import Limits

METHODS = ("song2020", "overlap", "overlap-spikes", "spinemap")
NETWORKS = ["filter_8", "gen:mlp-20-10-4"]
GRID = ["--grid", "size=16..32x2,tiles=1..2,slots=4|8", "--platform", "dynap_se"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of all rows: what one test solved, others read there."""
    return Path(tmp_path_factory.mktemp("explored"))


def explored(folder: Path, everything: bool, names: tuple[str, ...]) -> list[Explored]:
    args = build_parser().parse_args([*NETWORKS, *GRID])
    groups, unreadable = candidates(args, names)
    assert unreadable == []
    assert list(groups) == NETWORKS
    with Store.opened(folder) as store:
        return [
            explore(g, METHODS, Limits(600.0), store, runner, everything=everything)
            for g in groups.values()
        ]


@pytest.mark.parametrize("names", [("period", "energy", "area"), ("period", "clusters")])
def test_a_grid_of_two_by_two_by_two_agrees_with_brute_force(names, store):
    """Skipped platforms may only lose mappings that tie; every front value stays."""
    for quick, whole in zip(
        explored(store, False, names), explored(store, True, names), strict=True
    ):
        assert (whole.platforms, whole.skipped) == (8, ())
        values = {p.values for p in whole.points}
        brute = {v for v in values if not any(dominates(w, v) for w in values)}
        assert {o.point.values for o in whole.front} == brute
        assert {o.point.values for o in quick.front} == brute
        assert quick.saved == len(quick.skipped) * len(METHODS)
        for on in whole.front:
            if on.proved:
                assert not any(dominates(v, on.point.values) for v in values)


def test_no_mapping_is_below_its_platforms_floor(store):
    names = tuple(OBJECTIVES)
    groups, _ = candidates(build_parser().parse_args([*NETWORKS, *GRID]), names)
    floors = {(c.network, c.platform): c.floor for g in groups.values() for c in g}
    for found in explored(store, True, names):
        assert found.points
        for p in found.points:
            floor = floors[p.network, p.platform]
            assert all(f <= v for f, v in zip(floor, p.values, strict=True))


def points(*values: tuple[int, ...]) -> list[Point]:
    return [Point("n", f"p{i}", "m", str(i), tuple(map(Fraction, v))) for i, v in enumerate(values)]


def test_what_is_beaten_and_what_is_proved():
    known = points((2, 5), (4, 4), (5, 1), (4, 4))
    floors = {"a": (Fraction(2), Fraction(5)), "b": (Fraction(4), Fraction(1))}
    found = {o.point.key: o for o in front(known, floors)}
    assert set(found) == {"0", "1", "2"}
    assert found["0"].proved
    assert (found["1"].proved, found["1"].room) == (False, ("b",))
    assert is_beaten((Fraction(4), Fraction(4)), known)
    assert not is_beaten((Fraction(3), Fraction(4)), known)


def test_dominance_is_a_strict_partial_order():
    cube = list(product(range(3), repeat=2))
    for a, b in product(cube, repeat=2):
        assert not (dominates(a, b) and dominates(b, a))
        assert dominates(a, b) == (a != b and a[0] <= b[0] and a[1] <= b[1])


def test_files_and_lines_say_all_points(store):
    names = ("period", "area")
    found = explored(store, False, names)
    lines = list(csv.DictReader(front_csv(found, names).splitlines()))
    assert len(lines) == sum(len(e.points) for e in found)
    on = [line for line in lines if line["front"] == "true"]
    assert len(on) == sum(len(e.front) for e in found)
    text = "\n".join(front_lines(found, names))
    for e in found:
        assert f"{len(e.skipped)} of 8 platforms skipped" in text
        assert all(o.point.platform in text for o in e.front)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["filter_8"], "--platforms or --grid"),
        (["filter_8", "--grid", "hue=2"], "no such axis"),
        (["filter_8", "--grid", "rows=8", "--objectives", "beauty"], "some of period"),
        (["filter_8", "--grid", "rows=8", "--methods", "overlab"], "did you mean 'overlap'"),
        (["gen:mlp-3-2", "--grid", "rows=8"], "--platform"),
    ],
)
def test_what_cannot_be_explored_is_one_line(arguments, words):
    with pytest.raises(ValueError, match=words):
        main(arguments)


def test_the_command_writes_the_front_and_its_picture(tmp_path, capsys):
    out = tmp_path / "run"
    grid = ["--grid", "size=16..32x2", "--methods", "song2020", "--out", str(out)]
    assert main(["filter_8", *grid]) == 0
    assert "mappings on the front" in capsys.readouterr().out
    assert (out / "front.html").stat().st_size < 6_000_000
    assert main(["filter_8", *grid]) == 0  # nothing is solved twice
    assert (out / "rows.jsonl").read_text().count("\n") == 2
