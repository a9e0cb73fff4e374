"""``optmap COMMAND``: every command is behind the one door, a wrong name is one line."""

import subprocess
import sys
from importlib import import_module

import pytest
from test_house import COMMAND, LEVEL

from optmap.__main__ import COMMANDS, usage


def run(*arguments):
    command = [sys.executable, "-m", "optmap", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_every_command_of_the_house_is_behind_the_door():
    rooms = {room for room, level in LEVEL.items() if level == COMMAND}
    assert {module for module, _ in COMMANDS.values()} == rooms
    assert all(name in usage() for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_of_that_name_answers(name):
    module = import_module(COMMANDS[name][0])
    assert callable(module.main)


def test_help_and_a_wrong_name():
    assert "optmap COMMAND" in run("--help").stdout
    assert run().stdout == run("--help").stdout
    wrong = run("explan", "x")
    assert wrong.returncode == 2
    assert "did you mean 'explain'?" in wrong.stderr
    assert wrong.stderr.count("\n") == 1


def test_arguments_reach_the_command_and_its_status_comes_back():
    done = run("sdf", "gone.xml")
    assert done.returncode == 2
    assert "gone.xml" in done.stderr
    assert run("map", "--help").stdout.startswith("usage: optmap map")
