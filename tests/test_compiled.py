"""Kernels compile with and without a place to keep their machine code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import optmap.compiled as compiled_module


def double(x: int) -> int:
    return 2 * x


def test_a_kernel_computes():
    assert compiled_module.compiled(double)(21) == 42


def test_without_a_writable_cache_a_kernel_is_compiled_in_memory(monkeypatch: pytest.MonkeyPatch):
    """Numba raises RuntimeError when no cache folder can be written."""
    real = compiled_module.njit

    def without_cache(*, cache: bool = False, **options: Any) -> Callable[..., Any]:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return real(**options)

    monkeypatch.setattr(compiled_module, "njit", without_cache)
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
