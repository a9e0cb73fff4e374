"""Whatever a command meets outside, it says in one line and with a status; never a traceback."""

import io
import os
import subprocess
import sys
from contextlib import suppress
from importlib import import_module

import pytest
from commands import Done, run_command
from rich.console import Console

from optmap import command_line
from optmap.command_line import DONE, guarded

#: What takes longer hangs, on any machine.
HANG_S = 900
PLATFORM = "instances/platforms/dynap_se.toml"


def run(*arguments, **more):
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, stderr=subprocess.PIPE, timeout=HANG_S, **more)


def here(module, *arguments) -> Done:
    """Run what needs no process of its own."""
    return run_command(import_module(module).main, *arguments)


def one_line(done):
    text = done.stderr if isinstance(done.stderr, str) else done.stderr.decode()
    assert len(text.splitlines()) == 1, text
    return text


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has a full device")
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_output_that_cannot_be_written_is_one_line(form):
    with open("/dev/full", "w") as full:
        arguments = ("gen:mlp-3-2", "--platform", PLATFORM, "--method", "song2020", *form)
        done = run("optmap.map", *arguments, stdout=full)
    assert done.returncode == 1
    assert "No space left" in one_line(done)


def test_a_name_that_is_no_text_is_one_line():
    done = run("optmap.map", b"caf\xe9.nir", "--platform", PLATFORM)
    assert done.returncode == 2
    assert "no UTF-8" in one_line(done)


@pytest.mark.parametrize(
    "arguments",
    [
        ("optmap.map", "PIPE.csv", "--platform", PLATFORM),
        ("optmap.map", "gen:mlp-3-2", "--platform", "PIPE"),
        ("optmap.map", "gen:mlp-3-2", "--platform", PLATFORM, "--spikes", "PIPE.csv"),
        ("optmap.sdf", "PIPE"),
        ("optmap.explain", "PIPE"),
        ("optmap.compare", "PIPE", "--out", "OUT"),
    ],
)
def test_a_pipe_does_not_keep_a_command_waiting(tmp_path, arguments):
    named = []
    for text in arguments:
        if text.startswith("PIPE"):
            os.mkfifo(tmp_path / text)
        named.append(str(tmp_path / text) if text.startswith(("PIPE", "OUT")) else text)
    done = run(*named)
    assert done.returncode == 2
    assert "no regular file" in one_line(done)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("optmap.compare", "instances/mlp_tiny.toml", "--limit", "inf"), "--limit: found 'inf'"),
        (("optmap.compare", "instances/mlp_tiny.toml", "--threads", "0"), "--threads: found '0'"),
        (
            ("optmap.sdf.__main__", "instances/lenet_mnist_7.xml", "--at-least", "1/9"),
            "--buffers with it",
        ),
        (
            ("optmap.map", "gen:mlp-3-2", "--platform", PLATFORM, "--seed", "x"),
            "--seed: found 'x', expected a whole number >= 0",
        ),
        (("optmap.compare",), "PATH: found nothing"),
    ],
)
def test_options_that_make_no_sense_name_themselves(arguments, expected):
    done = here(*arguments)
    assert done.returncode == 2
    assert expected in one_line(done)


def test_a_reader_that_has_seen_enough_is_no_failure():
    command = [sys.executable, "-m", "optmap.map", "gen:mlp-3-2", "--platform", PLATFORM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as mapping:
        assert mapping.stdout is not None
        mapping.stdout.close()
        _, said = mapping.communicate(timeout=HANG_S)
    assert mapping.returncode == 0, said
    assert said == b""


def test_a_closed_output_is_one_line():
    command = f"{sys.executable} -m optmap.map mlp_tiny >&-"
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, timeout=HANG_S)
    assert done.returncode == 1
    assert "standard output is closed" in one_line(done)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has a full device")
@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"])
def test_where_nothing_can_be_said_the_status_says_it(redirection):
    command = f"{sys.executable} -m optmap.map gone.nir --platform dynap_se {redirection}"
    done = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, timeout=HANG_S)
    assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has a full device")
def test_a_full_log_ends_no_work(monkeypatch):
    def work(arguments):
        print("1 row done", file=sys.stderr, flush=True)  # noqa: T201
        Console(stderr=True).print("2 rows done")
        return DONE

    with suppress(OSError), open("/dev/full", "w", buffering=1) as full:
        monkeypatch.setattr(sys, "stderr", full)
        assert guarded(work, []) == DONE


def test_a_reader_that_left_ends_the_work(monkeypatch):
    class Left(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    def work(arguments):
        print("1 row done", file=sys.stderr)  # noqa: T201
        raise AssertionError("nobody reads")

    monkeypatch.setattr(sys, "stderr", Left())
    monkeypatch.setattr(command_line, "_discard_output", lambda: None)
    assert guarded(work, []) == DONE


@pytest.mark.parametrize("module", ["optmap", "optmap.map"])
def test_a_working_directory_that_was_removed_is_one_line(tmp_path, module):
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f"cd {gone} && rmdir {gone} && {sys.executable} -m {module} map mlp_tiny"
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run(
        ["sh", "-c", command], stderr=subprocess.PIPE, env=environment, timeout=HANG_S
    )
    assert done.returncode == 1
    assert "the working directory" in one_line(done)


@pytest.mark.parametrize("option", ["--out", "--export-sdf3", "--export-sanafe", "--spikes"])
def test_an_empty_name_is_no_file(option):
    done = here("optmap.map", "mlp_tiny", option, "")
    assert done.returncode == 2
    assert f"{option}: found an empty name" in one_line(done)


def test_negative_spikes_are_named(tmp_path):
    (tmp_path / "n.csv").write_text("source,target\na,b\n")
    (tmp_path / "s.csv").write_text("neuron,spikes\na,-3\nb,1\n")
    files = (tmp_path / "n.csv", "--platform", PLATFORM, "--spikes", tmp_path / "s.csv")
    done = here("optmap.map", *files)
    assert done.returncode == 2
    assert "'a,-3', expected rows of neuron,spikes, spikes a whole number >= 0" in one_line(done)
