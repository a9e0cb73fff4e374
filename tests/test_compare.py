"""The main job as a user runs it: real processes, real files, small networks."""

import csv
import json
import shutil
import signal
import subprocess
import sys
from fractions import Fraction

import pytest
from commands import run_command

from optmap.compare import main
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


#: Their networks are small, so that nobody starts a child for them.
HEURISTICS = "song2020,song2020-tree"


def write_instances(folder):
    instances = folder / "instances"
    (instances / "platforms").mkdir(parents=True)
    (instances / "platforms" / "p.toml").write_text(PLATFORM)
    for name, network in (("dense", "mlp-9-4-2"), ("filter", "filter-8")):
        (instances / f"{name}.toml").write_text(
            f'schema = 1\nname = "{name}"\nnetwork = "gen:{network}"\n'
            'platform = "platforms/p.toml"\n'
        )
    return folder


@pytest.fixture
def folder(tmp_path):
    return write_instances(tmp_path)


def arguments(folder, methods, *options):
    run = ["--out", str(folder / "run"), "--methods", methods, "--limit", "3"]
    return [str(folder / "instances"), *run, *options]


def compare(folder, *options, methods=HEURISTICS):
    return run_command(main, *arguments(folder, methods, *options))


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """Return the folder of a finished run, by a process of its own, and how that ended."""
    made = write_instances(tmp_path_factory.mktemp("compare"))
    command = [sys.executable, "-m", "optmap.compare", *arguments(made, METHODS)]
    return made, subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def finished(compared, tmp_path):
    """Return a copy of the folder that a test may change."""
    return shutil.copytree(compared[0], tmp_path / "compared")


def rows_of(folder):
    with Store.opened(folder / "run") as store:
        return list(store.rows.values())


def test_every_instance_by_every_method(compared):
    folder, done = compared
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


def test_a_finished_run_is_not_derived_again_unless_a_file_was_touched(finished):
    table = finished / "run" / "tables.md"
    before, text = table.stat().st_mtime_ns, table.read_text()
    assert compare(finished, methods=METHODS).returncode == 0
    assert table.stat().st_mtime_ns == before
    table.write_text("forged")
    assert compare(finished, methods=METHODS).returncode == 0
    assert table.read_text() == text


def test_a_folder_gives_its_default_set_and_what_is_named_is_always_taken(folder):
    files = sorted((folder / "instances").glob("*.toml"))
    for file in files:
        file.write_text(file.read_text() + 'set = "all"\n')
    none = compare(folder)
    assert (none.returncode, none.stderr.count("\n")) == (2, 1)
    assert "no instance of the default set" in none.stderr
    done = run_command(main, *files, "--methods", "song2020", "--out", folder / "run")
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
    assert len(rows_of(folder)) == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--methods", "nope"], "method 'nope': expected one of random"),
        (["--seeds", "x"], "--seeds: found 'x', expected whole numbers >= 0"),
        (["--limit", "-1"], "--limit: found '-1', expected seconds above 0"),
        (["--baseline", "nowhere"], "nowhere: found no finished row"),
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
    assert compare(folder, methods="song2020").returncode == 0
    kept = rows_of(folder)
    size = (folder / "run" / "rows.jsonl").stat().st_size

    def limit():
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, size + 100))

    command = [sys.executable, "-m", "optmap.compare", *arguments(folder, HEURISTICS)]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit)
    assert done.returncode == 1
    assert len([line for line in done.stderr.splitlines() if "error" in line]) == 1
    assert "finished rows are kept" in done.stderr
    assert rows_of(folder) == kept
