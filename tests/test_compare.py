"""The main job as a user runs it: real processes, real files, small networks."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction

import pytest

from optmap.experiment.run.store import Store

PLATFORM = """
schema = 1
name = "tiny"
[interconnect]
kind = "mesh"
width = 2
height = 1
[[tiles]]
rows = 6
columns = 4
"""
METHODS = "song2020,song2020-tree,cpsat"


@pytest.fixture
def folder(tmp_path):
    instances = tmp_path / "instances"
    (instances / "platforms").mkdir(parents=True)
    (instances / "platforms" / "p.toml").write_text(PLATFORM)
    for name, network in (("dense", "mlp-9-4-2"), ("filter", "filter-8")):
        (instances / f"{name}.toml").write_text(
            f'schema = 1\nname = "{name}"\nnetwork = "gen:{network}"\n'
            'platform = "platforms/p.toml"\n'
        )
    return tmp_path


def compare(folder, *options, **kwargs):
    command = [sys.executable, "-m", "optmap.compare", str(folder / "instances")]
    command += ["--out", str(folder / "run"), "--methods", METHODS, "--limit", "3", *options]
    return subprocess.run(command, capture_output=True, text=True, **kwargs)


def rows_of(folder):
    with Store.opened(folder / "run") as store:
        return list(store.rows.values())


def test_every_instance_by_every_method(folder):
    done = compare(folder)
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 100
    rows = rows_of(folder)
    assert len(rows) == 6
    assert {row["check"] for row in rows} == {"ok"}
    with (folder / "run" / "gaps.csv").open() as stream:
        gaps = list(csv.DictReader(stream))
    assert len(gaps) == 6 * 4  # nothing charges energy
    for line in gaps:
        if line["bound"]:
            value, bound = Fraction(line["value"]), Fraction(line["bound"])
            assert bound <= value
            expected = (value - bound) / max(abs(value), Fraction(1, 10**9))
            assert float(line["gap_to_bound"]) == pytest.approx(float(expected))
    for row in rows:
        mapping = json.loads((folder / "run" / "mappings" / f"{row['key']}.json").read_text())
        assert len(set(mapping["mapping"]["cluster_of"])) == row["metrics"]["clusters"]
    assert "| cpsat" in (folder / "run" / "tables.md").read_text()


def test_a_finished_run_is_not_derived_again_unless_a_file_was_touched(folder):
    assert compare(folder).returncode == 0
    table = folder / "run" / "tables.md"
    before, text = table.stat().st_mtime_ns, table.read_text()
    assert compare(folder).returncode == 0
    assert table.stat().st_mtime_ns == before
    table.write_text("forged")
    assert compare(folder).returncode == 0
    assert table.read_text() == text


def test_a_folder_gives_its_default_set_and_what_is_named_is_always_taken(folder):
    files = sorted((folder / "instances").glob("*.toml"))
    for file in files:
        file.write_text(file.read_text() + 'set = "all"\n')
    none = compare(folder)
    assert (none.returncode, none.stderr.count("\n")) == (2, 1)
    assert "no instance of the default set" in none.stderr
    command = [sys.executable, "-m", "optmap.compare", *map(str, files), "--methods", "song2020"]
    done = subprocess.run([*command, "--out", str(folder / "run")], capture_output=True, text=True)
    assert done.returncode == 0
    assert len(rows_of(folder)) == 2


def test_one_bad_instance_among_good_ones(folder):
    (folder / "instances" / "broken.toml").write_text("schema = 1\nname = 3\n")
    (folder / "instances" / "gone.toml").write_text(
        'schema = 1\nname = "gone"\nnetwork = "gone.nir"\nplatform = "platforms/p.toml"\n'
    )
    done = compare(folder)
    assert done.returncode == 1
    skipped = [line for line in done.stderr.splitlines() if line.startswith("skipped")]
    assert len(skipped) == 2
    assert "broken.toml: name: found 3, expected a string" in skipped[0]
    assert len(rows_of(folder)) == 6


def test_a_killed_run_leaves_rows_and_goes_on(folder):
    command = [sys.executable, "-m", "optmap.compare", str(folder / "instances")]
    command += ["--out", str(folder / "run"), "--methods", METHODS, "--limit", "3"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    store = folder / "run" / "rows.jsonl"
    for _ in range(1200):
        if store.exists() and store.read_bytes().count(b"\n") >= 2:
            break
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    before = store.read_bytes()
    assert before.count(b"\n") >= 2
    done = compare(folder)
    assert done.returncode == 0, done.stderr
    assert "rows are finished already" in done.stderr
    assert store.read_bytes().startswith(before[: before.rindex(b"\n") + 1])
    keys = [row["key"] for row in rows_of(folder)]
    assert len(keys) == len(set(keys)) == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--methods", "nope"], "method 'nope': expected one of random"),
        (["--seeds", "x"], "--seeds: found 'x', expected whole numbers >= 0"),
        (["--limit", "-1"], "--limit: found '-1', expected seconds above 0"),
        (["--jobs", "0"], "--jobs: found '0', expected a whole number >= 1"),
    ],
)
def test_bad_options_give_one_line(folder, options, message):
    done = compare(folder, *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_folder_gives_one_line(tmp_path):
    done = compare(tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no such file or folder" in done.stderr


def test_a_full_disk_ends_with_one_line_and_keeps_rows(folder):
    """A file-size limit is what a full disk looks like to a process that may not mount one."""
    assert compare(folder, "--methods", "song2020").returncode == 0
    kept = rows_of(folder)
    size = (folder / "run" / "rows.jsonl").stat().st_size

    def limit():
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, size + 100))

    done = compare(folder, preexec_fn=limit)
    assert done.returncode == 1
    assert len([line for line in done.stderr.splitlines() if "error" in line]) == 1
    assert "finished rows are kept" in done.stderr
    assert rows_of(folder) == kept
