"""Exported problems: read back by other readers, they have the optimum of the formulation."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import highspy
import pytest
from google.protobuf import text_format
from ortools.sat import cp_model_pb2
from ortools.sat.python import cp_model
from tiny_run import PLATFORM, write_tiny

from formulations.export import FORMATS, FORMULATIONS, Problem, lines_of, start_text
from formulations.whole.cpsat import solve
from optmap import export
from optmap.api import evaluate
from optmap.errors import InputError
from optmap.flow import run
from optmap.instance import load
from optmap.methods import method_named
from optmap.model.outcome import Limits
from optmap.shipped import platform_file

#: What the problems of gen:mlp-9-4-2 on two crossbars of 6 x 4 have as optimum, by the solvers.
NAMES = list(FORMULATIONS)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    instance = load(write_tiny(folder, more="[time]\nevent_ticks = 1\n"))
    method = method_named("song2020-tree")
    made = run(method, instance.snn, instance.platform, instance.tokens, Limits(), lambda _: None)
    return folder, instance, made.mapping


def text_of(problem: Problem, form: str, comments: list[str]) -> str:
    return "".join(lines_of(problem, form, comments))


def build(case, name: str, milp: bool) -> Problem:
    _, instance, mapping = case
    return FORMULATIONS[name](instance, mapping, milp)


def highs_optimum(path: Path) -> float:
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    assert highs.readModel(str(path)) == highspy.HighsStatus.kOk
    highs.run()
    assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return highs.getInfo().objective_function_value


def cpsat_optimum(text: str) -> float | None:
    proto = cp_model_pb2.CpModelProto()
    text_format.Parse(text, proto)
    model = cp_model.CpModel()
    model.proto.parse_text_format(text_format.MessageToString(proto))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(model) == cp_model.OPTIMAL
    return solver.objective_value if proto.HasField("objective") else None


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("order", "joint", "whole")])
def test_lp_mps_and_cpsat_have_one_optimum(case, name, tmp_path):
    milp, cp = build(case, name, True), build(case, name, False)
    values = {cpsat_optimum(text_of(cp, "cpsat", ["a comment"]))}
    for form in ("lp", "mps"):
        file = tmp_path / f"p.{form}"
        file.write_text(text_of(milp, form, ["a comment"]))
        values.add(round(highs_optimum(file)))
    assert len(values) == 1
    (optimum,) = values
    assert optimum <= milp.value


def test_the_least_period_is_the_same_in_both_models(case, tmp_path):
    order = build(case, "order", True)
    (tmp_path / "p.lp").write_text(text_of(order, "lp", []))
    (tmp_path / "p.mps").write_text(text_of(order, "mps", []))
    floor = order.model.sets.floor
    omega = highs_optimum(tmp_path / "p.lp")
    assert highs_optimum(tmp_path / "p.mps") == pytest.approx(-omega), "MPS minimises"
    period = floor / abs(omega)
    assert float(period) <= float(order.value) + 1e-6
    assert cpsat_optimum(text_of(build(case, "order", False), "cpsat", [])) is None  # feasible
    assert cpsat_optimum(text_of(build(case, "joint", False), "cpsat", [])) <= order.value


def test_the_problem_of_all_decisions_has_the_optimum_of_whole_cpsat(case, tmp_path):
    folder = case[0]
    (folder / "small.toml").write_text(
        'schema = 1\nname = "s"\nnetwork = "gen:mlp-3-3"\nplatform = "p.toml"\n'
    )
    small = load(folder / "small.toml")
    method = method_named("overlap")
    made = run(method, small.snn, small.platform, small.tokens, Limits(), lambda _: None)
    problem = FORMULATIONS["whole"](small, made.mapping, False)
    found = solve(small.snn, small.platform, small.tokens, Limits(60.0), start=made.mapping)
    assert cpsat_optimum(text_of(problem, "cpsat", [])) == -(-found.claimed // 1)
    assert problem.start


@pytest.mark.parametrize("name", NAMES)
def test_every_row_bears_a_label_of_the_table(case, name):
    table = Path(__file__).parents[2].joinpath("formulations", "README.md").read_text()
    problem = build(case, name, name not in ("joint", "whole"))
    text = text_of(problem, "cpsat" if name in ("joint", "whole") else "lp", [])
    assert problem.rows
    for label in problem.rows:
        assert f"({label})" in table, label
    assert not re.search(r"\b_C\d", text)
    assert sum(problem.rows.values()) == problem.num_rows


def test_a_start_in_the_comments_is_one_of_the_model(case):
    problem = build(case, "clustering", True)
    text = text_of(problem, "opb", [])
    assert "start, all others 0:" in text
    number = dict(re.findall(r"^\* (x\d+) (\S+)$", text, re.M))
    value = {x: problem.start[name] for x, name in number.items()}
    rows = re.findall(r"^((?:[+-]\d+ x\d+ ?)+)(>=|=) (-?\d+) ;$", text, re.M)
    assert len(rows) >= problem.num_rows
    for terms, sign, right in rows:
        left = sum(int(c) * value[x] for c, x in re.findall(r"([+-]\d+) (x\d+)", terms))
        assert left == int(right) if sign == "=" else left >= int(right)


def test_opb_refuses_what_is_not_0_1(case):
    with pytest.raises(ValueError, match="0-1 variables only"):
        text_of(build(case, "tile-load", True), "opb", [])


def test_the_command_lists_what_there_is_and_writes_it(case, capsys, tmp_path):
    folder = case[0]
    assert tuple(FORMULATIONS) == export.FORMULATIONS
    assert tuple(FORMATS) == export.FORMATS
    file = str(folder / "i.toml")
    assert export.main([file, "--as", "mps", "--out", str(tmp_path / "m.mps")]) == 0
    assert "(P2)_0" in (tmp_path / "m.mps").read_text()
    assert export.main([file, "--sizes"]) == 0
    assert "(B1)" in capsys.readouterr().out


def highs_file(problem: Path, out: Path, start: Path | None = None) -> None:
    """Solve a file and write the solution as HiGHS does."""
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.readModel(str(problem))
    if start is not None:
        assert highs.readSolution(str(start), 0) != highspy.HighsStatus.kError
    highs.run()
    highs.writeSolution(str(out), 0)


def cpsat_file(problem: Path, out: Path) -> None:
    """Solve a file by CP-SAT and write its response."""
    model = cp_model.CpModel()
    model.proto.parse_text_format(problem.read_text())
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.solve(model)
    out.write_text(str(solver.response_proto))


MILPS = [n for n in NAMES if n not in ("joint", "whole")]


@pytest.mark.parametrize(
    ("name", "form"), [(n, "mps") for n in MILPS] + [(n, "cpsat") for n in NAMES if n != "whole"]
)
def test_a_solution_comes_back_as_a_mapping(case, name, form, tmp_path, capsys):
    folder = case[0]
    given = [str(folder / "i.toml"), "--formulation", name, "--as", form]
    given += ["--method", "song2020-tree"]
    problem, solution, mine = tmp_path / "p", tmp_path / "p.sol", tmp_path / "mine.json"
    if form == "mps":
        problem = tmp_path / "p.mps"
    assert export.main([*given, "--out", str(problem)]) == 0
    (highs_file if form == "mps" else cpsat_file)(problem, solution)
    assert export.main([*given, "--solution", str(solution), "--out", str(mine)]) == 0
    said = dict(re.findall(r"(\w+) (\S+?)(?:,|$)", capsys.readouterr().out.split("judged: ")[1]))
    judged = evaluate(mine)
    assert judged.check == "ok"
    assert said["period"] == str(judged.exact["period"])
    metric = {"tile-load": "tile_load_max", "order": "period", "joint": "period"}.get(name)
    metric = metric or export.METRIC_OF[name]
    start = evaluate(case[2], str(folder / "i.toml"))
    assert judged.exact[metric] <= start.exact[metric]


def test_a_solution_of_all_decisions_comes_back(tmp_path, capsys):
    (tmp_path / "p.toml").write_text(PLATFORM)
    small = tmp_path / "small.toml"
    small.write_text('schema = 1\nname = "s"\nnetwork = "gen:mlp-3-3"\nplatform = "p.toml"\n')
    given = [str(small), "--formulation", "whole", "--as", "cpsat"]
    problem, solution, mine = tmp_path / "p", tmp_path / "p.sol", tmp_path / "mine.json"
    assert export.main([*given, "--out", str(problem)]) == 0
    cpsat_file(problem, solution)
    assert export.main([*given, "--solution", str(solution), "--out", str(mine)]) == 0
    value = int(re.search(r"^objective_value: (\d+)", solution.read_text(), re.M)[1])
    assert evaluate(mine).exact["period"] <= value, "whole periods are rounded up"


def test_the_start_is_a_solution_for_highs_and_for_us(case, tmp_path, capsys):
    folder = case[0]
    given = [str(folder / "i.toml"), "--method", "song2020-tree", "--as", "mps"]
    problem, start, solution = (tmp_path / n for n in ("p.mps", "start.sol", "p.sol"))
    assert export.main([*given, "--out", str(problem), "--start", str(start)]) == 0
    highs_file(problem, solution, start)
    assert export.main([*given, "--solution", str(solution)]) == 0
    assert export.main([*given, "--solution", str(start), "--out", str(tmp_path / "m")]) == 0
    built = build(case, "clustering", True)
    assert f"start {built.value}; judged: clusters {built.value}," in capsys.readouterr().out
    with pytest.raises(ValueError, match="no start by its variables"):
        start_text(build(case, "order", True))


WRONG = {
    "two clusters": (lambda x: x | {"x_0_0": 1, "x_0_1": 1}, "unit 0 has clusters 0, 1"),
    "no cluster": (lambda x: x | {"x_0_0": 0, "x_0_1": 0}, "unit 0 has no cluster"),
    "half": (lambda x: x | {"x_0_0": 0.5}, "x_0_0 = 0.5 is no whole number"),
    "all in one": (
        lambda x: {name: int(name.endswith("_0")) for name in x if name[0] == "x"},
        "cluster 0",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_solution_is_refused(case, kind, tmp_path):
    problem = build(case, "clustering", True)
    change, said = WRONG[kind]
    values = change(dict.fromkeys(problem.names, 0) | problem.start)
    solution = tmp_path / "p.sol"
    solution.write_text("".join(f"{name} {value}\n" for name, value in values.items()))
    given = [str(case[0] / "i.toml"), "--method", "song2020-tree", "--as", "mps"]
    with pytest.raises(InputError) as error:
        export.main([*given, "--solution", str(solution), "--out", str(tmp_path / "m")])
    assert said in str(error.value)
    assert not (tmp_path / "m").exists()


def test_a_problem_without_an_entry_says_what_needs_no_solver(case, capsys):
    for name in ("clustering", "traffic", "order", "tile-load"):
        given = ["--formulation", name, "--method", "song2020-tree"]
        assert export.main([str(case[0] / "i.toml"), *given]) == 0
        head = capsys.readouterr().out
        metric = export.METRIC_OF[name]
        assert "best known" not in head
        found = re.search(r": proved for every mapping: (\S+) \(", head)
        if not metric:
            assert found is None
            continue
        value = evaluate(case[2], str(case[0] / "i.toml")).exact[metric]
        assert 0 < Fraction(found[1]) <= value


def test_the_best_known_value_stands_in_the_comments(capsys):
    assert export.main(["mlp_tiny", "--formulation", "tile-load"]) == 0
    assert "best known" not in capsys.readouterr().out
    assert export.main(["mlp_tiny", "--formulation", "clustering"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (said,) = (line for line in lines if "best known clusters: 1 (" in line)
    assert "; proved for every mapping: 1 (" in said


def test_models_of_clusterings_and_bindings_hold_the_demands(tmp_path, capsys):
    file = tmp_path / "c.toml"
    file.write_text('apart = [["8", "9"], ["10", "11"]]\nmin_neurons = 2\n')
    (tmp_path / "pair_12x4").write_text(platform_file("pair_12x4").read_text())
    (tmp_path / "i.toml").write_text(
        'schema = 1\nname = "i"\nnetwork = "gen:mlp-8-4-2"\nplatform = "pair_12x4"\n'
    )
    given = [str(tmp_path / "i.toml"), "--constraints", str(file), "--method", "song2020"]
    free, held = tmp_path / "free.lp", tmp_path / "held.lp"
    assert export.main([given[0], "--method", "song2020", "--out", str(free)]) == 0
    assert export.main([*given, "--out", str(held)]) == 0
    assert "P15" in held.read_text()
    assert "P16" in held.read_text()
    # six units, four columns; 8 with 10, 9 with 11: two clusters, as without demands
    assert round(highs_optimum(free)) == round(highs_optimum(held)) == 2
    assert export.main([*given, "--formulation", "tile-load", "--out", str(held)]) == 0
    assert "B11" in held.read_text()
    assert round(highs_optimum(held)) > 0
    with pytest.raises(InputError, match="joint with constraints apart, min_neurons"):
        export.main([*given, "--formulation", "joint", "--as", "cpsat"])
    capsys.readouterr()
    assert export.main([*given, "--sizes"]) == 0
    assert "joint" not in capsys.readouterr().out
