"""``compare`` on what is yours: a network without an instance file, a method file, mappings."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from commands import run_command

import optmap as om
from optmap import submit
from optmap.compare import main
from optmap.errors import InputError
from optmap.experiment.run.store import Store

METHOD = """
import numpy as np
import optmap as om

def one_each(decomposition, platform, *, seed=0):
    return om.Clustering(np.arange(decomposition.num_units){more})

om.register("test-one-each", clustering=one_each)
"""


@pytest.fixture
def net(tmp_path):
    (tmp_path / "net.csv").write_text("source,target\na,c\nb,c\nc,d\nb,d\n")
    return tmp_path / "net.csv"


def compare(*arguments):
    return run_command(main, *arguments)


def by_process(command, *arguments):
    """Run a command that registers methods of a file: here they would stay registered."""
    line = [sys.executable, "-m", f"optmap.{command}", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True)


def stored(folder):
    store = Store(Path(folder))
    store.read()
    return {row.method: row for row in store.typed()}


def test_a_network_needs_no_instance_file_but_a_platform(net, tmp_path):
    out = tmp_path / "run"
    done = compare(net, "--platform", "dynap_se", "--methods", "song2020", "--out", out)
    assert done.returncode == 0, done.stderr
    assert stored(out)["song2020"].instance == "net"
    with pytest.raises(InputError, match="expected --platform for the network"):
        main([str(net), "--out", str(out)])


def test_a_method_file_runs_like_a_built_in_and_leaves_other_rows_alone(net, tmp_path):
    file, out = tmp_path / "my.py", tmp_path / "run"
    command = (net, "--platform", "dynap_se", "--methods", "song2020,test-one-each", "--out", out)
    own = ("--method-file", file)
    file.write_text(METHOD.format(more=""))
    first = by_process("compare", *command, *own)
    assert first.returncode == 0, first.stderr
    rows = stored(out)
    assert rows["test-one-each"].check == "ok"
    assert rows["test-one-each"].metrics["clusters"] == 2
    assert "test-one-each" in (out / "gaps.csv").read_text()
    checked = by_process("verify", out, *own, "--not-again")
    assert checked.returncode == 0, checked.stdout
    # submit verifies the run first: every row judged, every method run again
    bare = run_command(submit.main, out, "--to", tmp_path / "list")
    assert bare.returncode == 1
    assert "--method-file names the file" in bare.stderr
    named = by_process("submit", out, "--to", tmp_path / "list", *own)
    assert named.returncode == 0, named.stderr
    assert "(test-one-each)" in named.stdout
    file.write_text(METHOD.format(more=" * 0"))  # another method under the same name
    second = by_process("compare", *command, *own)
    assert second.stderr.count("net ") == 1  # one row was run
    changed = {row.key: row for row in _all(out)}
    assert len(changed) == 3
    found = {r.metrics["clusters"] for r in changed.values() if r.method == "test-one-each"}
    assert found == {1, 2}


def _all(folder):
    store = Store(Path(folder))
    store.read()
    return store.typed()


def test_mappings_of_other_tools_are_rows_judged_with_gaps(net, tmp_path):
    folder, out = tmp_path / "maps", tmp_path / "run"
    folder.mkdir()
    found = om.map_network(str(net), platform="dynap_se", method="overlap")
    found.save(folder / "wrapped.json")
    bare = json.loads((folder / "wrapped.json").read_text())["mapping"]
    (folder / "bare.json").write_text(json.dumps(bare))
    bare["orders"] = [[], [0], [], []]
    (folder / "wrong.json").write_text(json.dumps(bare))
    done = compare("--mapping", folder, "--methods", "song2020", "--out", out)
    assert done.returncode == 1  # one breaks a rule
    rows = stored(out)
    assert rows["mapping:wrapped"].metrics == rows["mapping:bare"].metrics == found.exact
    assert rows["mapping:wrong"].check == "violation"
    assert "tile 0's order lacks cluster 0" in rows["mapping:wrong"].reason
    assert "mapping:bare" in (out / "gaps.csv").read_text()
    assert "over 1 of 1 instance\n" in done.stdout  # the wrong one takes no instance away


def test_mappings_that_belong_nowhere_are_refused(net, tmp_path):
    found = om.map_network(str(net), platform="dynap_se")
    wrapped = found.save(tmp_path / "m.json")
    content = json.loads(wrapped.read_text())
    (tmp_path / "bare.json").write_text(json.dumps(content["mapping"]))
    with pytest.raises(InputError, match="a bare mapping, and 0 instances"):
        main(["--mapping", str(tmp_path / "bare.json")])
    content["mapping"]["cluster_of"].append(0)
    wrapped.write_text(json.dumps(content))
    with pytest.raises(InputError, match="there is no unit 2"):
        main(["--mapping", str(wrapped)])
    with pytest.raises(InputError, match="no such file"):
        main(["--mapping", str(tmp_path / "gone.json")])
    with pytest.raises(InputError, match="an instance, a network or --mapping"):
        main([])


@pytest.mark.parametrize("text", ["", "def broken(:\n", "x = 1\n", "1 / 0\n"])
def test_a_file_that_registers_nothing_is_one_line(net, tmp_path, text):
    (tmp_path / "my.py").write_text(text)
    done = compare(net, "--platform", "dynap_se", "--method-file", tmp_path / "my.py")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "my.py" in done.stderr


FAILS = """
import optmap as om

def fails(decomposition, platform, *, seed=0):
    raise KeyError("boom")

om.register("test-fails", clustering=fails)
"""


def test_a_method_that_fails_names_its_line(net, tmp_path):
    (tmp_path / "my.py").write_text(FAILS)
    given = (net, "--platform", "dynap_se", "--methods", "test-fails", "--out", tmp_path / "run")
    assert by_process("compare", *given, "--method-file", tmp_path / "my.py").returncode == 1
    reason = stored(tmp_path / "run")["test-fails"].reason
    assert reason.endswith(f"KeyError: 'boom' ({tmp_path / 'my.py'}, line 5)")


@pytest.mark.parametrize("option", ["--method-file", "--mapping"])
def test_a_cluster_refuses_files_of_ones_own_in_one_line(tmp_path, option):
    own = tmp_path / "own.py"
    own.write_text("")
    with pytest.raises(InputError, match=f"--cluster: found {option}, .* expected methods of an"):
        main(["filter_8", option, str(own), "--cluster", "tcp://127.0.0.1:9"])
