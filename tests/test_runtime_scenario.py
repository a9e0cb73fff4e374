"""Scenario files and the command that plays them."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from commands import run_command

from optmap.admit import main
from optmap.command_line import guarded
from optmap.errors import InputError
from optmap.model.platform_file import load_platform
from optmap.runtime.scenario import load_scenario, play, prepare, random_events

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "instances" / "scenarios" / "digits.toml"
DYNAP = ROOT / "instances" / "platforms" / "dynap_se.toml"

HEAD = f"""schema = 1
platform = "{DYNAP}"
"""
APPLICATION = """
[[applications]]
name = "small"
network = "gen:mlp-16-8-4"
"""
ARRIVAL = """
[[events]]
time = 5
kind = "arrive"
application = "small"
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "scenario.toml"
    file.write_text(text)
    return file


def test_the_shipped_scenario_is_played_without_a_broken_promise():
    scenario = load_scenario(SHIPPED)
    records, broken = play(scenario)
    assert broken == []
    story = [(r.event.kind, [d.admitted for d in r.decisions], r.running) for r in records]
    assert story == [
        ("arrive", [True], 1),
        ("arrive", [True], 2),
        ("arrive", [True], 3),
        ("fail", [False], 2),  # its tile is gone and none is free
        ("leave", [], 1),
        ("arrive", [True], 2),
    ]
    assert records[3].decisions[0].reason == "tiles: none is free"


@pytest.mark.parametrize(
    "policy", [[], ["--policy", "lockstep"], ["--policy", "wheel", "--wheel-ticks", "4000"]]
)
def test_the_command_prints_one_json_line(policy, capsys: pytest.CaptureFixture[str]):
    assert main([str(SHIPPED), "--json", "--compare", *policy]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    found = json.loads(out)
    assert found["check"] == "ok"
    assert found["summary"]["admitted"] + found["summary"]["rejected"] >= 3
    assert all(Fraction(e["utilisation"]) <= 1 for e in found["events"])
    assert found["compared"]


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]):
    arguments = ["--random", "12", "--platform", str(DYNAP), "gen:mlp-64-64-10", "gen:filter-16"]
    assert main([*arguments, "--compare"]) == 0
    out = capsys.readouterr().out
    assert "checked after every event: ok" in out
    assert max(map(len, out.splitlines())) <= 100
    assert main([*arguments, "--seed", "3", "--policy", "wheel", "--wheel-ticks", "5000"]) == 0


def test_random_events_repeat_by_seed():
    platform = load_platform(DYNAP)
    known = [prepare("a", "gen:mlp-16-8-4", platform)]
    first = random_events(known, platform, 30, 1)
    assert first == random_events(known, platform, 30, 1)
    assert first != random_events(known, platform, 30, 2)
    assert {event.kind for event in random_events(known, platform, 200, 1)} == {
        "arrive",
        "leave",
        "fail",
    }


def test_events_that_do_not_apply_are_noted(tmp_path: Path):
    again = '[[events]]\ntime = 1\nkind = "fail"\ntile = 3\n'
    leave = '[[events]]\ntime = 2\nkind = "leave"\nname = "nobody"\n'
    text = HEAD + APPLICATION + again + again + leave + ARRIVAL + ARRIVAL
    records, broken = play(load_scenario(written(tmp_path, text)))
    assert [r.note for r in records] == [
        "tile 3 failed",
        "tile 3 had failed before",
        "nobody does not run",
        "",
        "small runs already",
    ]
    assert broken == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("schema = 2\nplatform = 'x'\n", "schema: found 2"),
        ("schema = 1\nplatform = 'none.toml'\n", "none.toml"),
        (HEAD + 'policy = "fair"\n' + APPLICATION + ARRIVAL, "policy: found 'fair'"),
        (HEAD + 'policy = "wheel"\n' + APPLICATION + ARRIVAL, "wheel_ticks: found nothing"),
        (HEAD + "wheel_ticks = 9\n" + APPLICATION + ARRIVAL, "wheel_ticks: found 9"),
        (HEAD + APPLICATION + APPLICATION + ARRIVAL, "a second time"),
        (HEAD + APPLICATION + "speed = 3\n" + ARRIVAL, "speed: found an unknown field"),
        (HEAD + APPLICATION + ARRIVAL + "max_period = 0\n", "ticks above 0"),
        (HEAD + APPLICATION + ARRIVAL.replace("small", "large"), "application: found 'large'"),
        (HEAD + APPLICATION + ARRIVAL.replace("arrive", "go"), "kind: found 'go'"),
        (HEAD + APPLICATION + '[[events]]\ntime = 1\nkind = "fail"\ntile = 4\n', "0 to 3"),
        (HEAD + APPLICATION.replace("gen:mlp-16-8-4", "gen:nothing") + ARRIVAL, "nothing"),
    ],
)
def test_a_bad_scenario_is_named_by_file_and_field(tmp_path: Path, text: str, words: str):
    with pytest.raises(InputError, match=words):
        load_scenario(written(tmp_path, text))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.toml"], "none.toml"),
        ([str(SHIPPED), "other.toml"], "one scenario file"),
        ([str(SHIPPED), "--policy", "wheel"], "--wheel-ticks"),
        ([str(SHIPPED), "--wheel-ticks", "5"], "--wheel-ticks"),
        (["gen:mlp-4-2", "--random", "5"], "--platform"),
        (["gen:mlp-4-2", "--random", "0", "--platform", str(DYNAP)], "--random"),
        (["gen:mlp-4-2", "--random", "5", "--seed", "-1", "--platform", str(DYNAP)], "--seed"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, words, capsys: pytest.CaptureFixture[str]):
    assert guarded(main, arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert words in captured.err


def test_help_has_an_example_that_exists():
    done = run_command(main, "--help")
    assert done.returncode == 0
    assert "instances/scenarios/digits.toml" in done.stdout


def test_files_outside_a_strangers_scenario_are_refused(tmp_path: Path):
    inside = tmp_path / "theirs"
    inside.mkdir()
    (tmp_path / "secret.csv").write_text("source,target\n0,1\n")
    scenario = inside / "s.toml"
    text = (
        'schema = 1\nplatform = "PLATFORM"\n[[applications]]\nname = "a"\n'
        'network = "../secret.csv"\n[[events]]\ntime = 0\nkind = "arrive"\napplication = "a"\n'
    )
    shipped = ROOT / "instances" / "platforms" / "dynap_se.toml"
    scenario.write_text(text.replace("PLATFORM", str(shipped)))  # what is shipped is no secret
    with pytest.raises(InputError, match=r"network: found '\.\./secret\.csv', outside"):
        load_scenario(scenario)
    assert guarded(main, [str(scenario)]) == 2
    assert load_scenario(scenario, allow_outside=True).applications["a"].name == "a"
    assert guarded(main, [str(scenario), "--allow-outside"]) == 0
    (tmp_path / "p.toml").write_text(shipped.read_text())
    scenario.write_text(text.replace("PLATFORM", "../p.toml"))
    with pytest.raises(InputError, match="platform: found"):
        load_scenario(scenario)
