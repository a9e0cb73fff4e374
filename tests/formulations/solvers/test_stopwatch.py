"""Processor seconds to expect: shares of work are those of a quiet machine."""

from __future__ import annotations

import pytest

from formulations.solvers import stopwatch
from formulations.solvers.stopwatch import Stopwatch
from optmap.clock import counted, did
from optmap.model.outcome import Limits


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Replace both clocks by numbers that a test sets."""
    at = {"now": 100.0, "busy": 7.0}
    monkeypatch.setattr(stopwatch, "now", lambda: at["now"])
    monkeypatch.setattr(stopwatch, "busy", lambda: at["busy"])
    monkeypatch.setattr(stopwatch, "is_counted", lambda: False)
    return at


def test_a_process_that_had_a_quarter_of_a_core_expects_a_quarter(clocks: dict[str, float]):
    watch = Stopwatch(Limits(60.0))
    clocks.update(now=108.0, busy=9.0)
    assert watch.processor(4.0) == 1.0
    assert watch.processor(-4.0) == 0.0


def test_no_more_than_one_core_is_expected_and_all_of_it_at_first(clocks: dict[str, float]):
    watch = Stopwatch(Limits(60.0))
    assert watch.processor(4.0) == 4.0
    clocks.update(now=101.0, busy=15.0)
    assert watch.processor(4.0) == 4.0


def test_counted_work_is_processor_time():
    with counted():
        watch = Stopwatch(Limits(60.0))
        did(30.0)
        assert watch.processor(4.0) == 4.0
