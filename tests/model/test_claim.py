"""A claim holds if the judge agrees with its value and its bound contradicts neither."""

from fractions import Fraction

import pytest

from optmap.model.claim import Claim, read, written
from optmap.model.grade import Grade
from optmap.model.outcome import Status, TracePoint
from optmap.model.scope import END_TO_END, Scope


@pytest.mark.parametrize(
    ("value", "bound", "evaluated", "holds"),
    [
        (7, 5, 7, True),
        (7, 7, 7, True),
        (7, 8, 7, False),  # a bound above what is known is wrong, whoever proved it
        (7, 5, 8, False),
        (7, None, 7, True),
        (None, 5, None, True),
        (10**6, 10**6, int("1000000"), True),
        (Fraction(7, 2), Fraction(3), Fraction(7, 2), True),
        (None, 5, 4, False),
    ],
)
def test_when_a_claim_holds(value, bound, evaluated, holds):
    claim = Claim("clusters", Status.FEASIBLE, value, bound, evaluated, END_TO_END)
    assert claim.holds is holds


@pytest.mark.parametrize("value", [None, 0, 7, 10**30, Fraction(7, 2), Fraction(4)])
def test_exact_values_cross_json(value):
    assert written(value) == (str(value) if isinstance(value, Fraction) else value)
    assert read(written(value)) == value
    assert read(written(value)) is None or not isinstance(read(written(value)), float)


@pytest.mark.parametrize("value", [1.0, 0.5, True, False])
def test_what_is_not_exact_is_refused(value):
    with pytest.raises(ValueError, match="no exact number"):
        read(value)


def test_a_claim_crosses_json():
    trace = (TracePoint(0.25, None, 3), TracePoint(0.5, Fraction(9, 2), 4))
    scope = Scope(binding="b", prologue=False)
    claim = Claim("period", Status.FEASIBLE, Fraction(9, 2), 4, Fraction(9, 2), scope,
                  Grade.TWO_SOLVERS, trace)  # fmt: skip
    assert Claim.from_json(claim.to_json()) == claim


def test_seconds_of_a_trace_have_four_digits():
    claim = Claim("period", Status.FEASIBLE, 3, None, 3, END_TO_END,
                  trace=(TracePoint(0.123456, 3, None),))  # fmt: skip
    assert claim.to_json()["trace"] == [[0.1235, 3, None]]
