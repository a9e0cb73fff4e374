"""A claim holds if the judge agrees with its value and its bound contradicts neither."""

import pytest

from optmap.model.claim import Claim
from optmap.model.outcome import Status
from optmap.model.scope import END_TO_END


@pytest.mark.parametrize(
    ("value", "bound", "evaluated", "holds"),
    [
        (7, 5, 7, True),
        (7, 7, 7, True),
        (7, 8, 7, False),  # a bound above what is known is wrong, whoever proved it
        (7, 5, 8, False),
        (7, None, 7, True),
        (None, 5, None, True),
    ],
)
def test_when_a_claim_holds(value, bound, evaluated, holds):
    claim = Claim("clusters", Status.FEASIBLE, value, bound, evaluated, END_TO_END)
    assert claim.holds is holds
