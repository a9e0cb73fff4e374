"""A table of rows holds what PuLP's model holds, and its files are read as the same problem."""

from __future__ import annotations

from typing import Any

import highspy
import pulp
import pytest
from random_cases import case

from formulations.clustering.milp import PartitionModel
from formulations.clustering.sets import sets_for
from formulations.export import TableModel
from formulations.solvers.labels import label_rows
from formulations.solvers.problem_file import LINES
from formulations.solvers.row_table import RowTable, table_of
from optmap.decomposing.chain import decompose


def rows_of(table: RowTable) -> dict[str, tuple[dict[str, float], int, float]]:
    """Return terms by name of column, sense and right side by name of row."""
    first = table.first
    return {
        name: (
            {
                table.names[table.columns[i]]: table.factors[i]
                for i in range(first[r], first[r + 1])
            },
            table.sense[r],
            table.right[r],
        )
        for r, name in enumerate(table.row_names())
    }


def goal_of(table: RowTable) -> dict[str, float]:
    goal = table.objective
    return {table.names[c]: f for c, f in zip(goal.columns, goal.factors, strict=True)}


def built(model: Any, objective: str) -> Any:
    counted = label_rows(model)
    model.build()
    if objective == "clusters":
        model.minimize_clusters()
    else:
        model.link_remote_axons()
        model.minimize_traffic()
    return model.milp, counted


@pytest.mark.parametrize("objective", ["clusters", "traffic"])
@pytest.mark.parametrize("seed", range(10))
def test_a_table_is_the_model_of_pulp(seed, objective):
    snn, platform = case(seed)
    network = decompose(snn, platform).network
    sets = sets_for(network, platform, 3)
    theirs, their_rows = built(PartitionModel(sets), objective)
    mine, my_rows = built(TableModel(sets), objective)
    same = table_of(theirs)
    assert rows_of(mine) == rows_of(same)
    assert my_rows == their_rows
    assert goal_of(mine) == goal_of(same)
    bounds = [sorted(zip(t.names, t.low, t.high, t.is_whole, strict=True)) for t in (mine, same)]
    assert [b for b in bounds[0] if b[0] in {name for name, *_ in bounds[1]}] == bounds[1]


def mixed() -> pulp.LpProblem:
    """Bounds and senses of every kind; best at x = 3, y = -2.5, z = 1, open = 7: 25.75."""
    problem = pulp.LpProblem("mixed", pulp.LpMaximize)
    x = problem.add_variable("x", -4, 3, pulp.LpInteger)
    y = problem.add_variable("y", None, -2.5)
    z = problem.add_variable("z", 0, 1, pulp.LpInteger)
    fixed = problem.add_variable("fixed", 2, 2)
    open_ = problem.add_variable("open")
    most = problem.add_variable("most", 0, None, pulp.LpInteger)
    problem += 2 * x + y + 0.25 * z + fixed + 3 * open_ + most - 1
    problem += open_ - fixed <= 5
    problem += most + 0.5 * z == 0.5
    problem += x - y >= -9.75
    return problem


@pytest.mark.parametrize("form", ["lp", "mps"])
def test_readers_find_the_optimum_of_a_mixed_problem(form, tmp_path):
    table = table_of(mixed())
    file = tmp_path / f"p.{form}"
    file.write_text("".join(LINES[form](table)))
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    assert highs.readModel(str(file)) == highspy.HighsStatus.kOk
    highs.run()
    value = highs.getInfo().objective_function_value
    assert value == pytest.approx(-25.75 if form == "mps" else 25.75), "MPS minimises"
