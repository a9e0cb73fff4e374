"""The whole model as methods of the tables: contract, warm start, networks beyond its size."""

from __future__ import annotations

import pytest
from whole_oracle import least_period, random_whole_case

from formulations.whole import cpsat
from optmap.flow import run
from optmap.generators.generate import generate
from optmap.methods import METHODS
from optmap.model.outcome import Limits, Status
from optmap.model.platform_file import load_platform
from optmap.shipped import platform_file


@pytest.mark.parametrize(("method", "prologue"), [("whole-cpsat", 0), ("whole-cpsat-prologue", 1)])
def test_a_row_of_the_table_claims_the_optimum_end_to_end(method: str, prologue: int):
    snn, platform, tokens = random_whole_case(38)
    found = run(METHODS[method], snn, platform, tokens, Limits(600.0), lambda _: None)
    (claim,) = found.claims
    assert claim.holds
    assert (claim.status, claim.scope.stage) == (Status.OPTIMAL, "end to end")
    assert claim.scope.prologue == bool(prologue)
    expected = least_period(snn, platform, tokens, prologue=bool(prologue), split="any")
    assert claim.value == claim.bound == expected


def test_a_network_beyond_the_model_gets_its_start_back_at_once():
    snn, platform = generate("gen:mlp-784-100-10"), load_platform(platform_file("dynap_se"))
    reports = []
    found = cpsat.solve(snn, platform, "dataflow", Limits(600.0), on_better=reports.append)
    assert found.status is Status.FEASIBLE
    assert [h.claimed for h in reports] == [found.claimed]
    assert found.bound is not None
    assert 0 < found.bound <= found.claimed


def test_the_start_is_reported_before_a_model_is_built_and_never_lost():
    snn, platform, tokens = random_whole_case(4)
    best = cpsat.solve(snn, platform, tokens, Limits(600.0), workers=1)
    reports = []
    again = cpsat.solve(
        snn, platform, tokens, Limits(1e-6), start=best.solution, on_better=reports.append
    )
    assert reports[0].solution is best.solution
    assert (again.solution, again.claimed) == (best.solution, best.claimed)


def test_another_objective_is_left_open():
    snn, platform, tokens = random_whole_case(4)
    found = cpsat.without_prologue(snn, platform, tokens, Limits(1.0), objective="traffic")
    assert (found.status, found.solution) == (Status.UNKNOWN, None)
