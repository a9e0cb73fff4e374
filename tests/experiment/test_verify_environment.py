"""What stands beside all rows changed: environment, manifest, line ends of every file of a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from forged_run import Stored, as_written, row_problems, rows_of, typed_rows

from optmap.experiment.run.store import MANIFEST
from optmap.experiment.tables.derived import ENVIRONMENT
from optmap.experiment.verification.context import unverifiable
from optmap.experiment.verification.environment import environment_problems
from optmap.experiment.verification.folder import read_folder, seal_problems, text_problems


def _libraries(**more: object) -> Callable[[Stored], object]:
    return lambda found: {**found["libraries"], **more}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("optmap", lambda found: None),
        ("python", lambda found: ""),
        ("os", lambda found: 6.18),
        ("processor", lambda found: None),
        ("cores", lambda found: 0),
        ("cores", lambda found: "2"),
        ("cores", lambda found: True),
        ("started", lambda found: "yesterday"),
        ("started", lambda found: "3000-01-01T00:00:00+00:00"),
        ("started", lambda found: "2026-01-01T00:00:00"),
        ("arguments", lambda found: "i.toml"),
        ("arguments", lambda found: [*found["arguments"], 7]),
        ("libraries", lambda found: dict.fromkeys(found["libraries"])),
        ("libraries", _libraries(numpy="the newest")),
        ("libraries", _libraries(numpy=True)),
        ("libraries", lambda found: {n: v for n, v in found["libraries"].items() if n != "numba"}),
        ("libraries", lambda found: list(found["libraries"])),
        ("libraries", _libraries(numpy="2.4.6x")),
        ("libraries", _libraries(numpy="2.4.6 ")),
        ("libraries", _libraries(numpy=1)),
        ("libraries", _libraries(numpy=None)),
        ("libraries", _libraries(ours="1.0")),
        ("libraries", lambda found: dict(reversed(found["libraries"].items()))),
        ("python", lambda found: f"{found['python']}x"),
        ("seeds", lambda found: []),
        ("seeds", lambda found: [0, 0]),
        ("seeds", lambda found: {"0": 0}),
        ("memory_mb", lambda found: 0),
        ("memory_mb", lambda found: "8000"),
        ("planned", lambda found: {"i": found["planned"]["i"][::-1]}),
        ("planned", lambda found: {"i": [*found["planned"]["i"], "cpsat"]}),
        ("planned", lambda found: {**found["planned"], "j": []}),
        ("python", lambda found: "2.7.18"),
        ("python", lambda found: f"\uff13{found['python'][1:]}"),
        ("libraries", _libraries(numpy="\u0662.4.6")),
        ("os", lambda found: f"{found['os']}\u202e"),
        ("processor", lambda found: "\x1b[31mfast"),
        ("started", lambda found: found["started"].replace("+00:00", "Z")),
        ("started", lambda found: found["started"][:10]),
        ("arguments", lambda found: [*found["arguments"], "\0"]),
        ("picked", lambda found: 1),
    ],
)
def test_an_environment_that_no_run_writes_is_found(
    run: Path, name: str, change: Callable[[Stored], object]
) -> None:
    found, rows = json.loads((run / ENVIRONMENT).read_text()), typed_rows(run)
    assert list(environment_problems(found, rows)) == []
    assert list(environment_problems({**found, name: change(found)}, rows))


@pytest.mark.parametrize(
    ("arguments", "change", "wrong"),
    [
        ([], {}, False),
        ([], {"planned": {"i": ["cpsat", "song2020-tree"]}}, True),
        (["--methods", "cpsat,song2020-tree"], {}, True),
        (["--methods=cpsat, song2020-tree"], {"planned": {"i": ["cpsat", "song2020-tree"]}}, False),
        (["--predict", "r"], {"planned": {"i": ["cpsat", "song2020-tree"]}}, False),
        (["--seeds", "0"], {}, False),
        (["--seeds", "1,0"], {"seeds": [0, 1]}, True),
        (["--seeds", "1,0"], {"seeds": [1, 0]}, False),
    ],
)
def test_a_plan_stands_in_the_order_of_its_call(
    run: Path, arguments: list[str], change: Stored, wrong: bool
) -> None:
    made_on = json.loads((run / ENVIRONMENT).read_text()) | {"arguments": arguments} | change
    found = [line for line in environment_problems(made_on, typed_rows(run)) if "plans" in line]
    assert bool(found) == wrong


def test_its_fields_stand_in_one_order(run: Path) -> None:
    found, rows = json.loads((run / ENVIRONMENT).read_text()), typed_rows(run)
    assert list(environment_problems(dict(reversed(found.items())), rows))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cpu_s": 1e6}, "1000000.0 s of 2 cores in 1.5 s"),
        ({"cpu_s": 4.1}, "4.1 s of 2 cores in 1.5 s"),
        ({"cpu_s": 3.9}, ""),
        ({"peak_rss_mb": 1e9}, "1000000000.0 MB on a machine of 8000 MB"),
        ({"peak_rss_mb": 8000.1}, "8000.1 MB on a machine of 8000 MB"),
        ({"peak_rss_mb": 7999.9}, ""),
    ],
)
def test_no_row_takes_more_than_its_machine_has(
    run: Path, change: dict[str, float], said: str
) -> None:
    made_on = json.loads((run / ENVIRONMENT).read_text()) | {"cores": 2, "memory_mb": 8000}
    rows = [replace(row, wall_s=1.5, **change) for row in typed_rows(run)]
    found = list(environment_problems(made_on, rows))
    assert found == [f"{row.instance} / {row.method}: {said}" for row in rows if said]
    assert list(environment_problems({**made_on, "arguments": ["--cluster", "x"]}, rows)) == []
    last = max(datetime.fromisoformat(row.ended) for row in rows)
    later = {**made_on, "started": (last + timedelta(seconds=1)).isoformat(timespec="seconds")}
    assert list(environment_problems(later, rows)) == []


def test_what_nobody_kept_of_the_machine_is_said(run: Path) -> None:
    made_on, rows = json.loads((run / ENVIRONMENT).read_text()), typed_rows(run)
    assert list(unverifiable(run, rows, made_on)) == []
    (said,) = unverifiable(run, rows, {**made_on, "arguments": ["--cluster=tcp://h:1"]})
    assert "workers of a cluster" in said
    (said,) = unverifiable(run, rows, {**made_on, "started": "2999-01-01T00:00:00+00:00"})
    assert f"{len(rows)} ended before this call began" in said


@pytest.mark.parametrize("part", ["", "files"])
def test_the_manifest_stands_in_one_order(run: Path, part: str) -> None:
    folder, made = read_folder(run), json.loads((run / MANIFEST).read_text())
    assert list(seal_problems(run, folder)) == []
    turned = dict(reversed((made[part] if part else made).items()))
    as_written(run / MANIFEST, {**made, part: turned} if part else turned)
    assert any("in another order" in line for line in seal_problems(run, folder))


@pytest.mark.parametrize("name", ["seeds", "limits", "planned", "memory_mb"])
def test_an_environment_without_what_was_asked_is_found(run: Path, name: str) -> None:
    found, rows = json.loads((run / ENVIRONMENT).read_text()), typed_rows(run)
    del found[name]
    assert any(f"no {name[:4]}" in line for line in environment_problems(found, rows))


@pytest.mark.parametrize("name", [ENVIRONMENT, MANIFEST])
def test_line_ends_are_those_of_a_run(run: Path, name: str) -> None:
    assert list(text_problems(run)) == []
    (run / name).write_bytes((run / name).read_bytes().replace(b"\n", b"\r\n"))
    assert list(text_problems(run)) == [f"{name}: written otherwise than a run writes it"]


@pytest.mark.parametrize("place", ["mappings", "details"])
def test_line_ends_of_files_beside_a_row_are_those_of_a_run(run: Path, place: str) -> None:
    row = rows_of(run)[0]
    assert row_problems(run, row) == []
    file = run / place / f"{row['key']}.json"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert row_problems(run, row)


def test_rows_of_seeds_that_nobody_planned_are_said(run: Path) -> None:
    found, rows = json.loads((run / ENVIRONMENT).read_text()), typed_rows(run)
    assert not any("earlier calls" in line for line in unverifiable(run, rows, found))
    said = list(unverifiable(run, rows, {**found, "seeds": [7]}))
    assert any("2 rows are of earlier calls" in line for line in said)
