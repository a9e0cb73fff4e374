"""Inputs on which a solver was wrong (``tests/solver_cases.py``): right, or no claim at all."""

from __future__ import annotations

import itertools
from pathlib import Path

import highspy
import numpy as np
import pytest
import solver_cases

from formulations.binding import milp as binding_milp
from formulations.binding.sets import value_of
from formulations.clustering import cpsat as partition_cpsat
from formulations.clustering import milp as partition_milp
from formulations.solvers import highs
from optmap.decomposing.contract import decompose
from optmap.flow import run
from optmap.methods import method_named
from optmap.model.claim import Run
from optmap.model.cluster_graph import ClusterGraph, cluster_graph
from optmap.model.decomposition import Decomposition
from optmap.model.grade import Grade
from optmap.model.mapping import Binding, Clustering
from optmap.model.outcome import Limits, Status
from optmap.model.platform import Platform
from optmap.model.snn import SNN

REPORTS = Path(__file__).parent / "highs_reports"

OPTIMA = {
    "false_infeasible.mps": 6,
    "solve_error.mps": 10,
    "loads_1e5.mps": 133_399,
    "loads_1e7.mps": 20_000_060,
}


def _units(case: tuple[SNN, Platform]) -> tuple[Decomposition, Platform]:
    snn, platform = case
    return decompose(snn, platform.max_rows, "none"), platform


def _alone(loads: tuple[int, ...]) -> tuple[ClusterGraph, Platform]:
    units, platform = _units(solver_cases.five_inputs(loads))
    clustering = Clustering(np.arange(5, dtype=np.int32))
    return cluster_graph(units, clustering, platform, "dataflow"), platform


@pytest.mark.parametrize("start", [None, Clustering(np.arange(8, dtype=np.int32))])
def test_fewer_clusters_than_a_presolved_model_allows(start: Clustering | None) -> None:
    found = partition_milp.minimize_clusters(*_units(solver_cases.false_optimum()), Limits(), start)
    assert (found.status, found.claimed, found.bound) == (Status.OPTIMAL, 6, 6)


def test_a_false_optimum_is_contradicted_by_the_second_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With HiGHS as it was: 8 is then claimed, or 6 found; 8 is never believed."""
    monkeypatch.setitem(highs.OPTIONS, "presolve", "choose")
    start = Clustering(np.arange(8, dtype=np.int32))
    found = partition_milp.minimize_clusters(*_units(solver_cases.false_optimum()), Limits(), start)
    assert found.claimed == 6
    assert found.contradicts or found.bound == 6


@pytest.mark.parametrize("most", range(2, 6))
def test_traffic_is_that_of_another_engine(most: int) -> None:
    case = _units(solver_cases.solve_error())
    found = partition_milp.minimize_traffic(*case, most, Limits())
    other = partition_cpsat.minimize_traffic(*case, most, Limits())
    assert (found.status, found.claimed) == (other.status, other.claimed)


def test_a_solver_that_fails_says_so_and_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(highs.OPTIONS, "presolve", "choose")
    case = _units(solver_cases.solve_error())
    found = partition_milp.minimize_traffic(*case, 5, Limits())
    # right once HiGHS is; until then nothing is known and nothing is claimed
    assert found.claimed in (None, 10)
    assert found.status in (Status.UNKNOWN, Status.OPTIMAL)
    assert found.bound is None or found.bound <= 10


@pytest.mark.parametrize("objective", ["load", "hops", "hops+5load"])
@pytest.mark.parametrize("loads", [solver_cases.LOADS_OF_1E5, solver_cases.LOADS_OF_1E7])
def test_large_loads_beside_binaries(loads: tuple[int, ...], objective: str) -> None:
    graph, platform = _alone(loads)
    best = min(
        value_of(graph, platform, Binding(np.array(tiles, dtype=np.int32)), objective)
        for tiles in itertools.product(range(2), repeat=5)
    )
    found = binding_milp.solve(graph, platform, Limits(), objective=objective)
    assert found.claimed == best
    assert (found.status, found.bound) == (Status.OPTIMAL, best)
    assert found.grade in (Grade.TWO_SOLVERS, Grade.CERTIFIED)


@pytest.mark.parametrize("cap", [133_399, 133_398])
def test_a_cap_on_the_load_is_one_of_whole_ticks(cap: int) -> None:
    graph, platform = _alone(solver_cases.LOADS_OF_1E5)
    found = binding_milp.solve(graph, platform, Limits(), objective="hops", max_load=cap)
    assert (found.solution is not None) == (cap == 133_399)


@pytest.mark.parametrize("name", OPTIMA)
def test_reported_models_are_solved_right_with_the_options_in_use(name: str) -> None:
    """``loads_1e7`` needs the scale of the formulation too; as written it is off by a few ticks."""
    model = highspy.Highs()
    for option, value in {**highs.OPTIONS, "output_flag": False}.items():
        model.setOptionValue(option, value)
    model.readModel(str(REPORTS / name))
    model.run()
    assert model.getModelStatus() == highspy.HighsModelStatus.kOptimal
    found = model.getInfo().objective_function_value
    assert found == pytest.approx(OPTIMA[name], abs=8 if name == "loads_1e7.mps" else 1e-6)


def test_no_report_is_left_without_a_test() -> None:
    assert {file.name for file in REPORTS.glob("*.mps")} == set(OPTIMA)


METHODS = (
    "song2020",
    "overlap",
    "song2020/hops",
    "song2020/order",
    "milp",
    "cpsat",
    "lns",
    "benders",
)


@pytest.mark.parametrize("name", METHODS)
def test_buffers_too_short_for_a_recurrence_are_refused_the_same_way_by_all(name: str) -> None:
    """Once clustered, nothing helps: no binding, no order; it is decided before any of them."""
    snn, platform = solver_cases.short_buffers()
    reported: list[Run] = []
    found = run(method_named(name), snn, platform, "dataflow", Limits(5.0), reported.append)
    assert (found.status, found.mapping, reported) == (Status.UNKNOWN, None, [])
    assert "buffer_windows 1 on channel" in found.reason
    assert "needs 2" in found.reason
