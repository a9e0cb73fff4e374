"""Kept machine code is called without numba, and only where it is the very code."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
import pytest

from optmap import ready_code
from optmap.machine_code import kind_of_type

#: A kernel that takes and returns what kernels do: arrays, tuples with names, numbers, errors.
SOURCE = """
from typing import NamedTuple
import numpy as np
from optmap.compiled import borrowing, compiled

class Pair(NamedTuple):
    left: object
    right: object

@borrowing
def halved(x):
    return x // 2

@compiled
def worked(pair, flag, scale, number):
    if number < 0:
        raise ValueError("below zero")
    sums = np.zeros(len(pair.left), dtype=np.int32)
    for i in range(len(sums)):
        sums[i] = halved(pair.left[i]) + pair.right[i]
    waiting = [(np.log(2.0), np.int64(3))]
    return Pair(sums, np.sort(pair.right)), flag, scale * waiting.pop()[0], number
"""
ASKED = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
import kernels
pair = kernels.Pair(np.arange(5), np.arange(5)[::-1].copy())
pair.left.flags.writeable = False
found = kernels.worked(pair, True, 0.5, 7)
print(type(found[0]).__name__, found[0].left.dtype, *found[0].left, *found[0].right, *found[1:])
try:
    kernels.worked(pair, False, 0.5, -1)
except ValueError as error:
    print(error)
print("numba" in sys.modules, len(kernels.worked.ready))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a kernel whose code is kept."""
    made = tmp_path_factory.mktemp("kept")
    (made / "kernels.py").write_text(SOURCE)
    assert asked(made).splitlines()[-1] == "True 1"
    return made


def asked(folder: Path, more: str = "") -> str:
    command = [sys.executable, "-c", ASKED + more, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_kept_code_answers_as_numba_does_without_loading_it(folder: Path):
    first, error, last = asked(folder).splitlines()
    assert first == "Pair int32 4 3 3 2 2 0 1 2 3 4 True 0.34657359027997264 7"
    assert (error, last) == ("below zero", "False 1")


def test_numba_can_be_loaded_afterwards(folder: Path):
    more = """
import numba
pair = kernels.Pair(np.arange(5, dtype=np.int32), np.arange(5))
print(kernels.worked(pair, False, 2.0, 1)[0].left, numba.njit(lambda x: [x, x])(4))
"""
    assert asked(folder, more).splitlines()[-1] == "[0 1 3 4 6] [4, 4]"


@pytest.mark.parametrize("change", ["source", "maker", "symbol", "torn"])
def test_other_code_is_left_to_numba(
    folder: Path, change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.syspath_prepend(folder)
    file = min((folder / "__pycache__").glob("kernels.worked-*.code"))
    code = pickle.loads(file.read_bytes())
    kernel, places = file.name.split(".c3")[0], (tmp_path,)
    file = ready_code.code_file(tmp_path, kernel, code.kind)
    ready_code.keep(code, file)
    assert ready_code.load(places, kernel, code.kind, code.sources) is not None
    if change == "source":
        code = code._replace(sources=(("kernels.py", 1, 2),))
    elif change == "maker":
        code = code._replace(made_by=(*code.made_by, "another"))
    elif change == "symbol":
        code = code._replace(symbols=(*code.symbols, "nobody_has_this"))
    sources = pickle.loads(file.read_bytes()).sources
    ready_code.load.cache_clear()
    ready_code.keep(code, file)
    if change == "torn":
        file.write_bytes(file.read_bytes()[:-1000])
    assert ready_code.load(places, kernel, code.kind, sources) is None


def test_another_release_of_numba_is_asked_itself(folder: Path):
    more = """
kernels.worked.ready.clear()
from optmap import ready_code
ready_code.RELEASES = ("0.1",)
for cached in (ready_code.maker, ready_code.load):
    cached.cache_clear()
print(kernels.worked(pair, True, 0.5, 7)[0].left, "numba" in sys.modules)
"""
    assert asked(folder).splitlines()[-1] == "False 1"
    assert asked(folder, more).splitlines()[-1] == "[4 3 3 2 2] True"


def test_what_numba_has_kept_alone_is_kept_without_it_once_it_is_loaded(folder: Path):
    for file in (folder / "__pycache__").glob("*.code"):
        file.unlink()
    answers = [asked(folder).splitlines() for _ in range(2)]
    assert [lines[-1] for lines in answers] == ["True 1", "False 1"]
    assert answers[0][:2] == answers[1][:2]


class Named(NamedTuple):
    """A tuple with names."""

    a: Any
    b: Any


def read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "make",
    [
        lambda: 3,
        lambda: True,
        lambda: 0.5,
        lambda: None,
        lambda: np.int32(3),
        lambda: np.float64(3),
        lambda: np.bool_(1),
        lambda: np.zeros((2, 3)),
        lambda: np.zeros((2, 3)).T,
        lambda: np.zeros((2, 3), dtype=np.int8)[:, ::2],
        lambda: read_only(np.zeros(3, dtype=np.uint64)),
        lambda: np.zeros(0, dtype=np.bool_),
        lambda: (1, (2.0, np.zeros(1))),
        lambda: Named(np.zeros(2, dtype=np.int32), (1, 1)),
    ],
)
def test_a_value_is_of_the_kind_of_its_type(make: Callable[[], Any]):
    """Code is chosen by values here, and by numba's types where it is made."""
    assert ready_code.kind_of(make()) == kind_of_type(numba.typeof(make()))


@pytest.mark.parametrize("value", [2**63, "a", [1], {1: 2}, np.random.default_rng(1), 1j])
def test_other_kinds_are_left_to_numba(value: object):
    with pytest.raises(ready_code.UnknownKindError):
        ready_code.kind_of((1, value))


def test_no_object_file_has_no_symbols():
    with pytest.raises(ready_code.UnknownKindError):
        ready_code.wanted_symbols(b"MZ")
