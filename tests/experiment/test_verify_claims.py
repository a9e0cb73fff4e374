"""What stages claim, the courses of their solves and their certificates, changed field by field."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from forged_run import Stored, claim_of, forged

from optmap.bounds.bound import Bound
from optmap.errors import InputError
from optmap.exact import EXACT_WHOLE
from optmap.experiment.run.source import Source
from optmap.experiment.verification.certificates import PROVERS, prove_certificate
from optmap.experiment.verification.claims import (
    differing_bounds,
    scope_problems,
    uncertified,
    unclaimed,
    value_problems,
)
from optmap.experiment.verification.form import trace_problems
from optmap.experiment.verification.row import Checker
from optmap.methods import METHODS
from optmap.model.certificate import PriceCertificate
from optmap.model.grade import Grade
from optmap.model.outcome import Limits
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.scope import Place, Scope
from optmap.whole.contract import WHOLE


def bound_in_words(claim: Stored) -> None:
    claim["bound"] = str(claim["bound"])


def course_in_words(claim: Stored) -> None:
    claim["trace"] = [[t, str(value), bound] for t, value, bound in claim["trace"]]


def a_point_twice(claim: Stored) -> None:
    claim["trace"].append(claim["trace"][-1])


def whole_seconds(claim: Stored) -> None:
    claim["trace"][0][0] = 0


def a_bound_above_the_value(claim: Stored) -> None:
    claim["trace"].insert(0, [0.0, claim["value"], claim["value"] + 1])


COURSES = (bound_in_words, course_in_words, a_point_twice, whole_seconds, a_bound_above_the_value)


@pytest.mark.parametrize("change", COURSES)
def test_the_course_of_a_solve_is_written_as_a_run_writes_it(
    run: Path, change: Callable[[Stored], None]
) -> None:
    def forge(row: Stored, mapping: Stored) -> None:
        assert list(trace_problems(row)) == []
        change(claim_of(row, "traffic"))

    assert list(trace_problems(forged(run, forge)))


@pytest.mark.parametrize(
    ("status", "value", "bound", "said"),
    [
        ("optimal", 48, 48, ""),
        ("feasible", 48, 47, ""),
        ("feasible", 48, None, ""),
        ("unknown", None, 40, ""),
        ("optimal", 48, 47, "status optimal with value 48 and bound 47"),
        ("optimal", 48, None, "status optimal with value 48 and bound None"),
        ("feasible", 48, 48, "status feasible with value 48 and bound 48"),
        ("unknown", 48, 40, "status unknown with the value 48"),
        ("infeasible", 48, None, "status infeasible with the value 48"),
        ("feasible", None, 40, "status feasible with the value None"),
        ("feasible", 48, 49, "bound 49 above the claimed 48"),
        ("feasible", 47, 40, "claimed 47, judged 48"),
        ("feasible", 47, 40, "claimed 47, the final mapping has 48"),
        ("feasible", 49, 40, "claimed 49, judged 48"),
        ("splendid", None, None, "status 'splendid' is none"),
    ],
)
def test_status_value_and_bound_of_a_claim_agree(
    status: str, value: int | None, bound: int | None, said: str
) -> None:
    claim = {"metric": "traffic", "status": status, "value": value, "bound": bound}
    claim |= {"evaluated": value, "trace": []}
    row = {"status": "optimal" if status == "optimal" else "feasible", "claims": [claim]}
    found = list(value_problems(row, {"traffic": 48}))
    assert (found == []) == (said == "")
    assert said == "" or f"traffic: {said}" in found


def test_the_status_of_a_row_is_that_of_its_claims() -> None:
    claim = {"metric": "traffic", "value": 48, "bound": 48, "evaluated": 48, "trace": []}
    optimal, feasible = claim | {"status": "optimal"}, claim | {"status": "feasible", "bound": 40}

    def found(status: str, *claims: Stored) -> list[str]:
        return list(value_problems({"status": status, "claims": [*claims]}, {"traffic": 48}))

    assert found("optimal", optimal) == found("feasible", optimal, feasible) == []
    assert found("feasible", optimal) == ["status feasible, yet every stage proved its claim"]
    assert found("optimal", feasible) == ["status optimal, yet not every stage proved its claim"]
    assert found("optimal") == ["status optimal, yet not every stage proved its claim"]
    late = optimal | {"trace": [[0.1, 48, 20], [0.2, 48, 49]]}
    assert found("optimal", late) == ["traffic: bound 48, although 49 was proved on the way"]


def test_a_certificate_is_written_as_a_run_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = PriceCertificate("as given", ((4, 4, 1),), (1, 2, 3), 4, 0)
    proved = Bound("clusters", "prices", made.bound, Scope(units="as given"), Grade.CERTIFIED)
    monkeypatch.setitem(PROVERS, "prices", lambda *_: proved)
    nothing: Any = None
    written = made.to_json()
    assert prove_certificate(written, nothing, nothing, nothing) == proved
    for other in (
        dict(reversed(written.items())),
        written | {"bound": float(made.bound)},
        written | {"schema": float(written["schema"])},
    ):
        with pytest.raises(InputError, match="otherwise than a run writes it"):
            prove_certificate(other, nothing, nothing, nothing)


def test_a_certificate_that_stands_twice_is_found(run: Path) -> None:
    def forge(row: Stored, mapping: Stored) -> None:
        row["certificates"] = [{"kind": "prices"}, {"kind": "prices"}]

    row = forged(run, forge)
    claim = claim_of(row, "clusters")
    scope = Scope.from_json(claim["scope"])
    proved = Bound("clusters", "prices", claim["bound"], scope, Grade.CERTIFIED)
    checker = Checker(run, Limits(60.0, seed=9), again=False, prove=lambda *_: proved)
    instance = Source.from_json(row["source"]).load()
    assert checker.check(row, instance).problems == ["certificate: stands twice"]
    row["certificates"].pop()
    assert checker.check(row, instance).problems == []


def test_each_bound_of_a_cover_has_its_certificate() -> None:
    def found(method: str, stated: list[str]) -> list[str]:
        claims = [{"metric": m, "bound": b} for m, b in (("clusters", 6), ("traffic", None))]
        row = {"claims": [*claims, {"metric": "period", "bound": "9"}]}
        row["certificates"] = [{"kind": "cover", "metric": metric} for metric in stated]
        return list(uncertified(row, METHODS[method]))

    assert found("cover", ["clusters", "period"]) == []
    for stated in ([], ["period"], ["period", "clusters"], ["clusters", "traffic", "period"]):
        assert found("cover", stated)
        assert found("whole-cpsat", stated) == []


def test_a_search_over_everything_certifies_what_its_certificate_proves() -> None:
    proved = [Bound("traffic", "cover", 428, Scope(splits_above=16), Grade.CERTIFIED)]

    def found(bound: int, alone: bool) -> list[str]:
        return list(unclaimed(proved, [{"metric": "traffic", "bound": bound}], alone))

    assert found(428, True) == found(428, False) == found(429, False) == []
    assert found(429, True) == ["certificate: proves traffic >= 428, claimed otherwise"]
    assert found(427, False)


def test_bounds_that_need_no_solver_stand_as_they_are_computed():
    made = [{"metric": "clusters", "name": name, "value": 3} for name in ("columns", "rows")]
    assert list(differing_bounds(made, made)) == []
    assert list(differing_bounds(made[::-1], made)) == [
        "bounds: in another order than a run writes them"
    ]
    swapped = [dict(reversed(bound.items())) for bound in made]
    assert len(list(differing_bounds(swapped, made))) == 1, "its fields in another order"
    less, more = list(differing_bounds([made[0], made[1] | {"value": 2}], made))
    assert less == "bound rows on clusters is 3, stored otherwise"
    assert more.endswith("is stored, and not computed")


@pytest.mark.parametrize("name", ["whole", "whole-energy", "cover", "whole-cpsat"])
def test_a_search_over_everything_claims_what_it_can(name: str) -> None:
    """A search proves nothing; a solver's bound holds for what its model leaves open."""
    tile = Tile(Crossbar(6, 4))
    method, platform = METHODS[name], Platform("p", (tile,), Interconnect("mesh", 1, 1))
    place = Place("as given", "c", "b", 4, 9, has_prologue=False)
    known = WHOLE.get(method.whole) or EXACT_WHOLE[method.whole]

    def found(scope: Scope, bound: int | None) -> list[str]:
        claim = {"metric": "period", "scope": scope.to_json(), "value": 9, "bound": bound}
        return list(scope_problems([claim], method, place, platform))

    own = known.scope(platform)
    assert found(own, None) == []
    assert bool(found(own, 9)) == (method.whole in WHOLE)
    for other in (Scope(), Scope(prologue=False), Scope(splits_above=6), Scope(splits_above=7)):
        assert bool(found(other, None)) == (other != own)
