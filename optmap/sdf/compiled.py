"""Compilation of kernels: cached where a cache can be written, in memory where not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import scipy.linalg  # noqa: F401  numba loads it in the first call of any kernel; better here
from numba import njit


def compiled(function: Callable[..., Any]) -> Any:
    """Return ``function`` compiled by numba, its machine code kept for later processes.

    The code is kept beside the source, else in the user's cache folder, or where the environment
    variable NUMBA_CACHE_DIR says. Where none of them can be written, numba would refuse; here the
    kernel is then compiled anew in every process, which costs seconds, and nothing else changes.
    """
    try:
        return njit(cache=True)(function)
    except RuntimeError:
        return njit(function)
