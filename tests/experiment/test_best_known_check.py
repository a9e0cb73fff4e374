"""Every field of an entry of the best-known list and of its mapping, forged: ``--check`` finds it.

The program changes each place of an entry in some ways: which places there are is not typed here.
"""

from __future__ import annotations

import copy
import gzip
import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from optmap import submit
from optmap.errors import InputError
from optmap.experiment.best_known_check import (
    MOST_BYTES,
    entry_problems,
    folder_problems,
    missing_values,
    strangers,
)
from optmap.experiment.tables.best_known import read_folder
from optmap.instance import load
from optmap.model.outcome import Limits
from optmap.shipped import best_known_folder, shipped_instances

NAME = "mlp_tiny"
SAMPLE = 150


@pytest.fixture(scope="module")
def instance():
    return load(shipped_instances()[NAME])


@pytest.fixture
def folder(instance, tmp_path) -> Path:
    """Return a list of one entry, as it is shipped."""
    shipped = Path(best_known_folder())
    entry = read_folder(shipped).entries[instance.digest()]
    (tmp_path / "mappings").mkdir()
    for record in entry.records.values():
        file = (record.mapping or {})["file"]
        shutil.copy(shipped / file, tmp_path / file)
    shutil.copy(shipped / entry.file, tmp_path)
    return tmp_path


def found(folder: Path, instance) -> list[str]:
    """Return what ``submit --check`` says of the list, without loading other instances."""
    try:
        entries = list(read_folder(folder).entries.values())
        said = [*missing_values(entries, [NAME]), *folder_problems(folder, entries)]
        for entry in entries:
            said += strangers(entry)
            said += entry_problems(folder, entry, instance, Limits(5.0, seed=9, work=1.0))
    except InputError as error:
        return [str(error)]
    return said


def places(data: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to everything in an object."""
    for name, value in data.items() if isinstance(data, dict) else enumerate(data):
        yield (*above, name)
        if isinstance(value, dict | list):
            yield from places(value, (*above, name))


def others(value: Any) -> list[Any]:
    """Return what somebody could write in a value's place: of another type, or nearly it."""
    made: list[Any] = [None, True, 0, -1, 1.5, "", "x", "1/0", [], {}, [1], {"a": 1}]
    if isinstance(value, int):
        made += [value + 1, value - 1, str(value), float(value)]
    if isinstance(value, str):
        made += [f"{value} ", value.upper(), value[::-1], "2099-01-01", "20261126", "1999-01-01"]
        made += [int(value), f"{int(value) + 1}", f"+{value}"] if value.isdigit() else []
    if isinstance(value, dict):
        made += [{**value, "more": 1}]
    return [other for other in made if json.dumps(other) != json.dumps(value)]


def forgeries(data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the data with one thing changed or left out."""
    for way in places(data):
        *above, last = way
        at = data
        for name in above:
            at = at[name]
        for other in others(at[last]):
            changed = at_of(made := copy.deepcopy(data), above)
            changed[last] = other
            yield f"{way}: {other!r}", made
        if isinstance(at, dict):
            del at_of(made := copy.deepcopy(data), above)[last]
            yield f"{way} left out", made


def at_of(data: Any, above: list[Any]) -> Any:
    for name in above:
        data = data[name]
    return data


def test_the_entry_as_shipped_has_no_problem(folder, instance):
    assert found(folder, instance) == []


def test_every_field_of_an_entry_is_held(folder, instance):
    (file,) = folder.glob("*.json")
    made = list(forgeries(json.loads(file.read_text())))
    assert len(made) > 900
    unnoticed = []
    for name, data in random.Random(1).sample(made, SAMPLE):
        file.write_text(json.dumps(data, indent=1) + "\n")
        if not found(folder, instance):
            unnoticed.append(name)
    assert unnoticed == []


def test_every_field_of_a_mapping_is_held(folder, instance):
    file = next((folder / "mappings").iterdir())
    data = json.loads(gzip.decompress(file.read_bytes()))
    made = list(forgeries(data))
    unnoticed = []
    for name, changed in random.Random(1).sample(made, SAMPLE // 3):
        file.write_bytes(gzip.compress(json.dumps(changed, separators=(",", ":")).encode()))
        if not found(folder, instance):
            unnoticed.append(name)
    assert unnoticed == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: b"",
        lambda packed: packed[:-5],
        lambda packed: packed + packed,
        lambda packed: packed + b"x",
        gzip.decompress,
        lambda packed: gzip.compress(b" " * (MOST_BYTES + 1), compresslevel=1),
        lambda packed: gzip.compress(b"[" * 100_000),
        lambda packed: gzip.compress(b"\xff\xfe"),
    ],
)
def test_a_damaged_mapping_is_one_line(damage, folder, instance):
    file = next((folder / "mappings").iterdir())
    file.write_bytes(damage(file.read_bytes()))
    (line,) = found(folder, instance)
    assert str(file) in line


@pytest.mark.parametrize("by", [-1, 1])
@pytest.mark.parametrize("metric", ["clusters", "traffic", "period", "energy_pj"])
def test_a_bound_raised_with_its_value_or_lowered_is_found(metric, by, folder, instance):
    (file,) = folder.glob("*.json")
    data = json.loads(file.read_text())
    record = data["metrics"][metric]
    bound = record["bound"]
    bound["value"] = type(bound["value"])(int(bound["value"]) + by)
    file.write_text(json.dumps(data, indent=1) + "\n")
    assert any(f"{metric} " in line for line in found(folder, instance))


def test_files_of_nobody_are_named(folder, instance):
    shutil.copy(next(folder.glob("*.json")), folder / "mappings" / "0123.json.gz")
    (folder / "notes.txt").write_text("")
    lines = found(folder, instance)
    assert lines == ["mappings/0123.json.gz: no entry's file", "notes.txt: no entry's file"]


def test_a_lowered_bound_is_renewed(folder, instance, capsys):
    (file,) = folder.glob("*.json")
    before = file.read_text()
    data = json.loads(before)
    true = data["metrics"]["period"]["bound"].copy()
    data["metrics"]["period"]["bound"]["value"] -= 1
    file.write_text(json.dumps(data, indent=1) + "\n")
    assert submit.main(["--renew", "--to", str(folder)]) == 0
    value = true["value"]
    assert f"{NAME}: period bound {value - 1} -> {value}" in capsys.readouterr().out
    assert json.loads(file.read_text())["metrics"]["period"]["bound"] == true
    assert found(folder, instance) == []
