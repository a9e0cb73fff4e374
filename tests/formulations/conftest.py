"""Time passes by counted work in the tests of this folder: they repeat on a loaded machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from optmap.clock import counted


@pytest.fixture(autouse=True)
def _by_work() -> Iterator[None]:
    with counted():
        yield
