"""Kernels compile with and without a place to keep their machine code."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

import optmap.compiled as compiled_module
import optmap.machine_code as machine_code
from optmap.compiled import interpreted, is_kept, numbers_in, sparing
from optmap.machine_code import CodeOfAll, _index_or_none


def double(x: int) -> int:
    return 2 * x


def double_first(x: np.ndarray) -> int:
    return 2 * x[0]


def test_a_kernel_computes():
    assert compiled_module.compiled(double)(21) == 42


def test_interpreted_a_kernel_and_those_it_calls_run_as_python():
    seen: list[type] = []

    def inner(x):
        seen.append(type(x))
        return x + 1

    called = compiled_module.compiled(inner)
    outer = compiled_module.compiled(lambda x: 2 * called(x))
    with interpreted():
        assert outer(20) == 42
        with interpreted(False), pytest.raises(numba.core.errors.TypingError):
            called(20)  # a list of types is nothing for machine code
        assert outer(20) == 42
    assert seen == [int, int]
    assert "dispatcher" not in vars(outer)


def test_interpreted_results_are_python_s_numbers():
    pair = compiled_module.compiled(lambda x: (x.sum(), x[0] > 0, x))
    with interpreted():
        total, positive, same = pair(np.arange(4))
    assert (type(total), total, type(positive)) == (int, 6, bool)
    assert isinstance(same, np.ndarray)


def test_interpreted_sums_wrap_around_as_machine_code_does():
    def hashed(x):
        return x * np.int64(2**62 + 3)

    kernel = compiled_module.compiled(hashed)
    with interpreted():
        assert kernel(np.int64(12345)) == compiled_module.compiled(hashed)(np.int64(12345))


def test_sparing_compiles_what_is_given_much_or_has_taken_long(monkeypatch: pytest.MonkeyPatch):
    seconds = iter((0.0, 0.6, 1.0, 1.6, 2.0, 2.1))
    monkeypatch.setattr(compiled_module.time, "thread_time", lambda: next(seconds))
    often, much = (compiled_module.compiled(lambda x: x[0] + 1) for _ in range(2))
    with sparing():
        assert often(np.arange(3)) == 1
        assert often(np.arange(3)) == 1
        assert "dispatcher" not in vars(often)
        assert often(np.arange(3)) == 1
        assert "dispatcher" in vars(often)
        assert much((4, 5)) == 5
        assert "dispatcher" not in vars(much)
        assert much(np.arange(compiled_module.MOST_NUMBERS + 1)) == 1
        assert "dispatcher" in vars(much)


def test_sparing_compiles_what_is_laborious_for_less():
    kernel = compiled_module.laborious(double_first)
    with sparing():
        assert kernel(np.arange(9)) == 0
        assert "dispatcher" not in vars(kernel)
        assert kernel(np.arange(compiled_module.MOST_NUMBERS // 2)) == 0
        assert "dispatcher" in vars(kernel)


def test_numbers_in_arrays_of_nested_tuples_are_counted():
    assert numbers_in((np.zeros(3), 7, (np.zeros((2, 2)), None))) == 7


def test_a_kernel_that_borrows_arrays_hands_none_on():
    def add(pair, to):
        to[0] += pair[0][0] + pair[1][0]
        return to[0], True

    def same(x):
        return x

    taken, handed = (compiled_module.borrowing(function) for function in (add, same))
    summed = compiled_module.compiled(lambda x, to: taken((x, x), to))
    kept = compiled_module.compiled(lambda x: handed(x))
    total = np.arange(1)
    for _ in range(1000):  # who counted wrongly would free what is still held
        found = summed(np.arange(3, 5), total)
    assert (found, total.tolist()) == ((6000, True), [6000])
    with pytest.raises(TypeError, match="only borrows"):
        kept(np.arange(3))


def test_borrowing_kernels_call_only_borrowing_kernels():
    """What another kernel returns may be an array, which nobody would free."""
    package = Path(compiled_module.__file__).parent
    here, counted = 0, []
    for file in package.rglob("*.py"):
        if "\n@borrowing\n" not in file.read_text():
            continue
        name = ".".join(file.relative_to(package.parent).with_suffix("").parts)
        for kernel in vars(importlib.import_module(name)).values():
            if isinstance(kernel, compiled_module.Kernel) and kernel.borrows:
                named = map(kernel.function.__globals__.get, kernel.function.__code__.co_names)
                called = [k for k in named if isinstance(k, compiled_module.Kernel)]
                counted += [(kernel.__name__, k.__name__) for k in called if not k.borrows]
                here += 1
    assert here > 100
    assert counted == []


def test_sparing_loads_code_that_is_kept(tmp_path: Path):
    (tmp_path / "outer.py").write_text(
        "from optmap.compiled import compiled, sparing\n"
        "@compiled\ndef one(x):\n    return x\n@compiled\ndef other(x):\n    return x\n"
    )
    code = "import sys; sys.path.insert(0, sys.argv[1]); import outer\n{}\n"
    code += "with outer.sparing(): outer.one(1), outer.other(1)\n"
    code += "done = [k.ready or 'dispatcher' in vars(k) for k in (outer.one, outer.other)]\n"
    code += "print(*map(bool, done))"
    for before, found in (("", "False False"), ("outer.one(1)", "True False"), ("", "True False")):
        command = [sys.executable, "-c", code.format(before), str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == found


def test_a_tiny_graph_and_a_small_network_are_done_without_numba(tmp_path: Path):
    """What takes milliseconds as Python does not wait for numba and its kernels."""
    commands = (
        ("optmap.sdf.__main__", ["instances/lenet_mnist_7.xml", "--check"]),
        ("optmap.map", ["mlp_tiny"]),
        ("optmap.map", ["gen:mlp-20-20-10", "--platform", "dynap_se", "--method", "overlap"]),
    )
    for module, arguments in commands:
        code = f"import sys, {module}; status = {module}.main({arguments})\n"
        code += "assert 'numba' not in sys.modules, 'numba'; sys.exit(status)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_a_computed_index_of_ours_is_used_as_it_is():
    """A negative one is before the array, here in the one that it is a part of."""

    def ours(values: Any, i: int) -> Any:
        return values[-1], values[1:][i]

    def of_others(values: Any, i: int) -> Any:
        return values[-1], values[1:][i]

    ours.__module__, of_others.__module__ = "optmap.made_up", "elsewhere"
    assert compiled_module.compiled(ours)(np.arange(5), -1) == (4, 0)
    assert compiled_module.compiled(of_others)(np.arange(5), -1) == (4, 4)


def test_without_a_writable_cache_a_kernel_is_compiled_in_memory(monkeypatch: pytest.MonkeyPatch):
    """Numba raises RuntimeError when no cache folder can be written."""
    real = machine_code._JIT

    def without_cache(*, cache: bool = False, **options: Any) -> Callable[..., Any]:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return real(**options)

    monkeypatch.setattr(machine_code, "_JIT", without_cache)
    assert compiled_module.compiled(double)(21) == 42


def test_kept_code_is_out_of_date_when_any_file_of_its_folder_changes(tmp_path: Path):
    """A kernel's machine code holds the kernels of other files that it calls."""
    outer, inner = tmp_path / "outer.py", tmp_path / "inner.py"
    inner.write_text(
        "from optmap.compiled import compiled\n@compiled\ndef value():\n    return 1\n"
    )
    outer.write_text(
        "from inner import value\nfrom optmap.compiled import compiled\n"
        "@compiled\ndef twice():\n    return 2 * value()\n"
    )

    def answer() -> str:
        code = "import sys; sys.path.insert(0, sys.argv[1]); import outer; print(outer.twice())"
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    assert answer() == "2"
    inner.write_text(inner.read_text().replace("return 1", "return 21"))
    assert answer() == "42"


def test_processes_never_write_each_other_s_code_files(tmp_path: Path):
    """Processes that start together see no index yet; neither may overwrite the other's code."""
    kernel = "from optmap.compiled import compiled\n@compiled\ndef same(x):\n    return x\n"
    (tmp_path / "kernel.py").write_text(kernel)
    code = "import sys; sys.path.insert(0, sys.argv[1]); import kernel; kernel.same({})"
    for argument in ("1", "1.0"):
        arguments = [sys.executable, "-c", code.format(argument), str(tmp_path)]
        subprocess.run(arguments, check=True)
        for index in tmp_path.rglob("*.nbi"):
            index.unlink()
    assert len(list(tmp_path.rglob("*.nbc"))) == 2


def test_kept_code_is_found_where_numba_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder, elsewhere = tmp_path / "kernels", tmp_path / "elsewhere"
    (folder / "__pycache__").mkdir(parents=True)
    (elsewhere / "kernels_1a2b").mkdir(parents=True)
    (folder / "sums.py").write_text("")
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert not is_kept(folder)
    (folder / "__pycache__" / "others.f-1.py311.nbi").write_text("")
    assert not is_kept(folder)
    index = folder / "__pycache__" / "sums.f-1.py311.nbi"
    index.write_text("")
    assert is_kept(folder)
    os.utime(folder / "sums.py", (index.stat().st_mtime + 10,) * 2)
    assert not is_kept(folder)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(elsewhere))
    os.utime(folder / "sums.py", (1, 1))
    assert not is_kept(folder)
    (elsewhere / "kernels_1a2b" / "sums.f-1.py311.nbi").write_text("")
    assert is_kept(folder)


def test_an_index_of_another_version_counts_as_none():
    """Kept code may name a type that the program no longer has."""

    def load() -> None:
        raise AttributeError("Can't get attribute 'UnderWay'")

    assert _index_or_none(load) == {}
    assert _index_or_none(lambda: {"a": 1}) == {"a": 1}


CALLS = """
from optmap.compiled import compiled

@compiled
def inner(x, y):
    if y > 4:
        raise ValueError("too large")
    return x[y] + y

@compiled
def outer(x):
    return inner(x, 0) + inner(x, len(x) - 1)
"""


def test_what_a_kernel_calls_is_compiled_once_and_has_no_code_of_its_own(tmp_path: Path):
    """Constants are no types, only what Python calls is kept, and errors pass through."""
    (tmp_path / "calls.py").write_text(CALLS)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import calls, numpy as np\n"
        "assert calls.outer(np.arange(3)) == 4\n"
        "assert 'dispatcher' not in vars(calls.inner)\n"
        "print(len(calls.inner.inside.overloads))\n"
        "try: calls.outer(np.arange(9))\n"
        "except ValueError as error: print(error)\n"
        "assert calls.inner(np.arange(3), 1) == 2\n"
        "print(sum(map(bool, calls.outer.ready.values())))"
    )
    said = []
    for _ in range(2):
        command = [sys.executable, "-c", code, str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.split("\n")[:3])
        if not said[1:]:
            kept = sorted(path.name.split("-")[0] for path in tmp_path.rglob("*.nbi"))
    assert said == [["1", "too large", "0"], ["0", "too large", "1"]]
    assert kept == ["calls.inner", "calls.outer"]


def test_a_failed_compilation_leaves_the_next_one_whole():
    def wrong(x):
        return x.nothing + 1

    called = compiled_module.compiled(wrong)
    with pytest.raises(numba.core.errors.TypingError):
        compiled_module.compiled(lambda x: called(x))(1)
    assert compiled_module.compiled(lambda x: 3 * x)(7) == 21


class Kept:
    """Stands for numba's kept code of one kernel."""

    def __init__(self, tries: int) -> None:
        self.tries, self.code = tries, "code"

    def load_overload(self, types_of_call: object, target: object) -> str | None:
        self.tries -= 1
        return None if self.tries >= 0 else self.code


def test_a_process_waits_for_the_one_that_compiles_and_takes_its_code(tmp_path: Path):
    lock = tmp_path / "kernel.nbi.lock"
    first, second = CodeOfAll(Kept(2), lock), CodeOfAll(Kept(1), lock)
    assert first.load_overload((), None) is None  # nobody has it: the first compiles
    waiting = threading.Thread(target=second.load_overload, args=((), None))
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    first.release()
    waiting.join(60)
    assert not waiting.is_alive()
    assert second.held is not None
    second.release()


def test_a_killed_process_leaves_no_lock(tmp_path: Path):
    lock = tmp_path / "kernel.nbi.lock"
    code = "import fcntl, os, sys; f = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)\n"
    code += "fcntl.flock(f, fcntl.LOCK_EX); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", code, str(lock)]).returncode == -9
    code_of_all = CodeOfAll(Kept(9), lock)
    assert code_of_all.load_overload((), None) is None
    code_of_all.release()


def test_where_no_lock_can_be_had_nobody_waits(tmp_path: Path):
    code_of_all = CodeOfAll(Kept(9), tmp_path / "nowhere" / "kernel.nbi.lock")
    assert code_of_all.load_overload((), None) is None
    assert code_of_all.held is None
