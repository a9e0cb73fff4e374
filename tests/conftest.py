"""Puts this folder on the path, so that tests can ``import oracles``; fixtures; quiet tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from nir_files import in_process, lif_fixture, write_nir

from optmap.clock import counted

collect_ignore = ["mutants"]  # a command; its package is an extra
__all__ = ["in_process", "lif_fixture", "write_nir"]

# In a fresh checkout kernels are compiled; what commands then say would be in the way.
os.environ.setdefault("OPTMAP_QUIET", "1")

# Machines are shared: no deadline. Derandomised, so that a green run stays green.
settings.register_profile(
    "optmap",
    deadline=None,
    derandomize=True,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("optmap")


@pytest.fixture(autouse=True)
def by_work(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let time pass by counted work: no answer may depend on how busy the machine is.

    ``@pytest.mark.wall_clock`` is for tests of the clock itself; child processes count as told.
    """
    if "wall_clock" in request.keywords:
        yield
        return
    with counted():
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real inputs that are not shipped; tests that need them skip where they are missing."""
    folder = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the folder ../shared/data is not there")
    return folder
