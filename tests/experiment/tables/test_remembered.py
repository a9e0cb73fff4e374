"""The memory of one call gives what the function gives, for other rows and other lists anew."""

from __future__ import annotations

from stored_rows import stored_row

from optmap.experiment.tables.best_known import NOTHING, BestKnown
from optmap.experiment.tables.remembered import remembered


def test_the_same_call_is_answered_once_and_any_other_anew():
    calls = []

    @remembered
    def methods(rows, known):
        calls.append(len(rows))
        return [row.method for row in rows]

    rows = [stored_row("a", "x", 1, 1), stored_row("a", "y", 1, 1)]
    first = methods(rows)
    first.append("spoilt by its caller")
    assert methods(list(rows), NOTHING) == ["x", "y"]
    assert calls == [2]
    assert methods(rows[::-1]) == ["y", "x"]
    assert methods(rows[:1]) == ["x"]
    assert methods(rows[:1], BestKnown({})) == ["x"]
    twin = [stored_row("a", "x", 1, 1)]
    assert methods(twin) == ["x"]
    assert calls == [2, 2, 1, 1, 1]
