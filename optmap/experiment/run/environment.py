"""What a result depends on besides its inputs: code, libraries, machine."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import optmap

SOLVERS = ("ortools", "pulp", "highspy")
LIBRARIES = (*SOLVERS, "numpy", "scipy", "numba", "networkx", "pandas", "nir", "h5py")


@cache
def code_version() -> str:
    """Return a short hash over the sources of both packages: rows of other code are not reused."""
    sha = hashlib.sha256()
    for package in ("formulations", "optmap"):
        spec = find_spec(package)
        for folder in spec.submodule_search_locations or () if spec else ():
            for file in sorted(Path(folder).rglob("*.py")):
                sha.update(f"{file.relative_to(folder)}\n".encode() + file.read_bytes())
    return sha.hexdigest()[:12]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@cache
def solver_versions() -> str:
    """Return the solvers with their versions, as one string."""
    return " ".join(f"{name}-{_version(name)}" for name in SOLVERS)


def cores() -> int:
    """Return the cores this process may use, not those the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_mb() -> int | None:
    """Return the megabytes of memory that this machine has; None where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    except (AttributeError, OSError, ValueError):
        return None


def jobs_at_once(threads: int) -> int:
    """Return how many rows of so many threads keep the cores busy, each at its own speed."""
    return max(1, cores() // threads)


def environment() -> dict[str, object]:
    """Return what a reader needs to judge or repeat a run."""
    return {
        "optmap": optmap.__version__,
        "code_version": code_version(),
        "python": sys.version.split()[0],
        "libraries": {name: _version(name) for name in LIBRARIES},
        "os": platform.platform(),
        "processor": _processor(),
        "cores": cores(),
        "memory_mb": memory_mb(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "arguments": sys.argv[1:],
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass  # no /proc: macOS
    return platform.processor() or platform.machine()
