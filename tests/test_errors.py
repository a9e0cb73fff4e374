"""Errors: one line each, and whole again on the other side of a process border."""

from __future__ import annotations

import pickle

import pytest

from optmap.errors import CapacityError, DeadlockError, FanInError, InputError

ERRORS = [
    InputError("p.toml", "time.tick_ns", "0", "a number > 0"),
    FanInError(7, "hidden", 300, 128),
    CapacityError("tile 3 is full"),
    DeadlockError([4, 2], ["cluster 0", "cluster 1"]),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
def test_an_error_crosses_process_borders_and_is_a_value_error(error: ValueError):
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
    assert isinstance(error, ValueError)


def test_the_messages_name_what_was_found_and_what_is_expected():
    assert str(ERRORS[0]) == "p.toml: time.tick_ns: found 0, expected a number > 0"
    assert str(InputError("p.toml", "", "nothing", "a file")) == (
        "p.toml: found nothing, expected a file"
    )
    for word in ("neuron 7", "'hidden'", "fan-in 300", "128 rows"):
        assert word in str(ERRORS[1])
    assert str(ERRORS[3]) == ("deadlock, no token on the cycle cluster 0 -> cluster 1 -> cluster 0")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\u2028", "\x0b"])
def test_an_input_error_is_one_line_whatever_names_hold(newline: str):
    text = str(InputError("file", f"a{newline}b", f"c{newline}d", "e"))
    assert len(text.splitlines()) == 1
    assert all(letter in text for letter in "abcde")
