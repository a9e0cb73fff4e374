"""The sweep over input codes: one instance per code, its own name, key and spikes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from optmap.command_line import guarded
from optmap.compare import main
from optmap.experiment.run.mapping_file import read_document
from optmap.model.snn import Population, from_edges
from optmap.readers.arrays import write_arrays

PLATFORM = (
    'schema = 1\nname = "p"\n[interconnect]\nkind = "mesh"\nwidth = 2\nheight = 1\n'
    "[[tiles]]\nrows = 4\ncolumns = 4\n[time]\nevent_ticks = 1\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    snn = from_edges(
        [0, 1, 2, 0], [2, 2, 3, 3], 4, weights=[0.5, 0.5, 1.0, 0.1],
        populations=[Population("in", 0, 1), Population("a", 2, 2), Population("b", 3, 3)],
    )  # fmt: skip
    write_arrays(tmp_path / "net.npz", snn)
    tested = {"test_values": np.array([[1.0, 1.0], [0.0, 0.0]]), "test_labels": np.array([0, 1])}
    np.savez(tmp_path / "values.npz", values=np.array([[1.0, 0.6], [0.4, 0.0]]), **tested)
    (tmp_path / "p.toml").write_text(PLATFORM)
    start = 'schema = 1\nplatform = "p.toml"\n'
    encoding = '[encoding]\nvalues = "values.npz"\nsteps = 8\ndt = 1\nat_threshold = true\n'
    (tmp_path / "coded.toml").write_text(f'{start}name = "coded"\nnetwork = "net.npz"\n{encoding}')
    (tmp_path / "plain.toml").write_text(f'{start}name = "plain"\nnetwork = "gen:mlp-3-2"\n')
    return tmp_path


def test_each_code_is_an_instance(folder: Path):
    out = folder / "run"
    arguments = [str(folder / "coded.toml"), str(folder / "plain.toml"), "--out", str(out)]
    arguments += ["--methods", "overlap"]
    assert guarded(main, [*arguments, "--encodings", "rate,latency"]) == 0
    rows = [json.loads(line) for line in (out / "rows.jsonl").read_text().splitlines()]
    by_name = {row["instance"]: row for row in rows}
    assert set(by_name) == {"coded@rate", "coded@latency", "plain"}
    assert len({row["key"] for row in rows}) == 3
    assert by_name["coded@latency"]["source"]["encoding"] == "latency"
    origins = {name: row["network"]["spikes_origin"] for name, row in by_name.items()}
    assert "rate code" in origins["coded@rate"]
    assert "latency code" in origins["coded@latency"]
    assert all(row["check"] == "ok" for row in rows)
    text = (out / "tables.md").read_text()
    assert "coded@latency" in text
    assert "| coded | latency | 50.0 % of 2 |" in text
    assert by_name["coded@rate"]["network"]["tested"] == 2
    assert "code" not in by_name["plain"]["network"]

    mapping = out / "mappings" / f"{by_name['coded@latency']['key']}.json"
    _, instance, _ = read_document(mapping)
    assert instance.name == "coded@latency"

    assert guarded(main, arguments) == 0
    rows = [json.loads(line) for line in (out / "rows.jsonl").read_text().splitlines()]
    assert {row["instance"] for row in rows} == {*by_name, "coded"}, "one row more, none again"


@pytest.mark.parametrize("codes", ["morse", "rate,morse", ","])
def test_unknown_codes_are_one_line(folder: Path, codes: str, capsys):
    assert guarded(main, [str(folder), "--encodings", codes]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--encodings" in line


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("values.npz", "gone.npz", "encoding.values"),
        ("steps = 8", "steps = 0", "encoding.steps"),
        ("steps = 8", 'steps = 8\nkind = "morse"', "encoding.kind"),
        ("dt = 1", "dt = 0", "encoding.dt"),
        ("dt = 1", 'dt = 1\nreset = "value"\nseveral = true', "encoding.several"),
        ("dt = 1", "dt = 1\ncolour = 2", "encoding.colour"),
    ],
)
def test_a_bad_table_is_one_line(folder: Path, old: str, new: str, field: str, capsys):
    file = folder / "coded.toml"
    file.write_text(file.read_text().replace(old, new))
    assert guarded(main, [str(file), "--out", str(folder / "run")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{field}: found" in line
