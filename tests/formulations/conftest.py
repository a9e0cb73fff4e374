"""Time that passes by counted work, for tests of searches that a limit ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from optmap.clock import counted


@pytest.fixture
def by_work() -> Iterator[None]:
    with counted():
        yield
