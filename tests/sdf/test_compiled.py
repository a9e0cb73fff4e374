"""Kernels compile with and without a place to keep their machine code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from optmap.sdf import compiled as compiled_module


def double(x: int) -> int:
    return 2 * x


def test_a_kernel_computes():
    assert compiled_module.compiled(double)(21) == 42


def test_without_a_writable_cache_a_kernel_is_compiled_in_memory(monkeypatch: pytest.MonkeyPatch):
    """Numba raises RuntimeError when no cache folder can be written."""
    real = compiled_module.njit

    def without_cache(*arguments: Any, cache: bool = False) -> Callable[..., Any]:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return real(*arguments)

    monkeypatch.setattr(compiled_module, "njit", without_cache)
    assert compiled_module.compiled(double)(21) == 42
