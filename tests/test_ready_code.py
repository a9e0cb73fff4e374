"""Kept machine code is called without numba, and only where it is the very code."""

from __future__ import annotations

import ast
import os
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


@pytest.mark.parametrize(
    "change", ["source", "maker", "symbol", "kernel", "torn", "flipped", "open to all"]
)
def test_other_code_is_left_to_numba(
    folder: Path, change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.syspath_prepend(folder)
    file = min((folder / "__pycache__").glob("kernels.worked-*.code"))
    code = ready_code.read(file)
    assert code is not None
    kernel, places = file.name.split(".c3")[0], (tmp_path,)
    file = ready_code.code_file(tmp_path, kernel, code.kind)
    ready_code.keep(code, file)
    assert ready_code.load(places, kernel, code.kind, code.sources) is not None
    sources = code.sources
    if change == "source":
        code = code._replace(sources=(("kernels.py", 1, 2),))
    elif change == "maker":
        code = code._replace(made_by=(*code.made_by, "another"))
    elif change == "symbol":
        code = code._replace(symbols=(*code.symbols, "nobody_has_this"))
    elif change == "kernel":  # a file of another one, under this one's name
        code = code._replace(kernel="kernels.other-1")
    ready_code.load.cache_clear()
    ready_code.keep(code, file)
    if change == "torn":
        file.write_bytes(file.read_bytes()[:-1000])
    elif change == "flipped":
        torn = bytearray(file.read_bytes())
        torn[-500] ^= 1
        file.write_bytes(torn)
    elif change == "open to all":
        ready_code.is_trusted.cache_clear()
        tmp_path.chmod(0o777)
    assert ready_code.load(places, kernel, code.kind, sources) is None


def test_a_folder_of_somebody_else_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    ready_code.is_trusted.cache_clear()
    assert ready_code.is_trusted(tmp_path)
    ready_code.is_trusted.cache_clear()
    real = Path.stat

    def another(file: Path, **more: Any) -> os.stat_result:
        found = real(file, **more)
        if file == tmp_path:
            return os.stat_result((*found[:4], found.st_uid + 12345, *found[5:10]))
        return found

    monkeypatch.setattr(Path, "stat", another)
    assert not ready_code.is_trusted(tmp_path)
    assert not ready_code.is_trusted(tmp_path / "nothing")
    ready_code.is_trusted.cache_clear()


def test_code_of_changed_sources_is_not_used_whatever_their_time(tmp_path: Path):
    """A kernel in a package below its own folder changes; neither time nor length tell."""
    below = tmp_path / "below"
    below.mkdir()
    (below / "__init__.py").touch()
    for folder, text in ((below, "def step(n):\n    return n + 1\n"), (tmp_path, CALLING)):
        (folder / "work.py").write_text(f"from optmap.compiled import compiled\n@compiled\n{text}")
    code = "import sys; sys.path.insert(0, sys.argv[1]); import work; print(work.twice(1))"
    command = [sys.executable, "-c", code, str(tmp_path)]

    def answer() -> str:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert [answer(), answer()] == ["3", "3"]
    before = (below / "work.py").stat()
    changed = (below / "work.py").read_text().replace("+ 1", "+ 5")
    (below / "work.py").write_text(changed)
    os.utime(below / "work.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    for kept in below.rglob("*.pyc"):  # Python itself looks at time and length
        kept.unlink()
    assert answer() == "11"


CALLING = """def twice(n):
    return step(step(n))

from below.work import step
"""


def test_sources_that_have_changed_since_the_process_began_fit_no_code(tmp_path: Path):
    (tmp_path / "work.py").touch()
    first = ready_code.folder_stamp(tmp_path)
    (tmp_path / "work.py").write_text("1")
    assert len({first, ready_code.folder_stamp(tmp_path)}) == 2
    assert {name for ((name, _),) in (first, ready_code.folder_stamp(tmp_path))} == {
        "changed since"
    }


def test_kernels_call_kernels_and_read_constants_of_their_folder_or_below():
    """Others could change without the stamp of the kept code."""
    root, beyond, seen = Path(ready_code.__file__).parents[1], [], 0
    for file in [f for top in ("optmap", "formulations") for f in (root / top).rglob("*.py")]:
        text = file.read_text(encoding="utf-8")
        if "from optmap.compiled import" not in text:
            continue
        tree = ast.parse(text)
        imported = {
            alias.asname or alias.name: root.joinpath(*(node.module or "").split("."))
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and MAKERS & {
                d.id for d in node.decorator_list if isinstance(d, ast.Name)
            }:
                seen += 1
                used = {
                    n.id for line in node.body for n in ast.walk(line) if isinstance(n, ast.Name)
                }
                for name in used & set(imported):
                    home = imported[name].with_suffix(".py")
                    if home.exists() and file.parent not in home.parents:
                        beyond.append(f"{file.stem}.{node.name} uses {name} of {home.parent.name}")
    assert seen > 300
    assert beyond == []


MAKERS = {"compiled", "borrowing", "laborious"}


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
