"""Lines of progress: they fit the terminal, and no number is cut."""

from dataclasses import replace

import pytest
from stored_rows import stored_row

from optmap.experiment.run.progress import ended_line

METRICS = {"clusters": 218, "traffic": 12_345_678, "period": "98765432/7"}


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_a_line_fits_the_terminal_and_keeps_its_numbers(width):
    row = stored_row("small_world_100000", "whole-cpsat-unbounded", 218, 5, metrics=METRICS)
    line = ended_line(row, width, "[364/364] ")
    assert len(line) <= width
    assert line.startswith("[364/364] sm")
    assert line.endswith("period 98765432/7")
    assert ("traffic 12345678" in line) == (width >= 80)
    assert "~" in line


def test_nothing_is_shortened_where_there_is_no_terminal():
    row = stored_row("small_world_100000", "whole-cpsat-unbounded", 218, 5, metrics=METRICS)
    line = ended_line(row, None, "[1/2] ")
    assert line.startswith("[1/2] small_world_100000   whole-cpsat-unbounded ")
    assert line.endswith("clusters 218, traffic 12345678, period 98765432/7")


def test_a_reason_is_said_whole():
    row = stored_row("filter_8", "overlap", 1, 5, status="no_solution", metrics={})
    row = replace(row, metrics={}, reason="at most 20 tiles, 21 are needed")
    assert ended_line(row, 20).endswith("  at most 20 tiles, 21 are needed")
